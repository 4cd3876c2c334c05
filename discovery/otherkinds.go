package discovery

import "strings"

// HAP is the TXT record of a HomeKit accessory. One of kind `_hap._udp` speaks
// CoAP: it is a Thread accessory.
type HAP struct {
	ID           string      // id, lower case: six octets with colons, random, renewed at each factory reset; no MAC address
	Model        string      // md; as sent
	ConfigNumber Opt[uint32] // c#
	StateNumber  Opt[uint32] // s#
	Features     Opt[uint8]  // ff
	Status       Opt[uint8]  // sf; see Paired
	Category     Opt[uint32] // ci
	Protocol     string      // pv
	SetupHash    string      // sh
}

// ParseHAP reads the record.
func ParseHAP(t TXT) HAP {
	return HAP{
		ID: strings.ToLower(t.text("id")), Model: t.text("md"), ConfigNumber: t.number32("c#", 1<<32-1), StateNumber: t.number32("s#", 1<<32-1),
		Features: t.number8("ff", 255), Status: t.number8("sf", 255), Category: t.number32("ci", 1<<32-1), Protocol: t.text("pv"), SetupHash: t.text("sh"),
	}
}

// Paired reports whether the accessory belongs to somebody; ok is false where
// it did not say (bit 0 of sf).
func (h HAP) Paired() (paired, ok bool) { return h.Status.Value&1 == 0, h.Status.Known }

// HomeAssistant is the TXT record of `_home-assistant._tcp`. Any of the URLs
// may be empty; then host and port of the service are what there is.
type HomeAssistant struct {
	Name        string // location_name
	UUID        string // stable
	Version     string
	InternalURL string
	ExternalURL string
	BaseURL     string
}

// ParseHomeAssistant reads the record.
func ParseHomeAssistant(t TXT) HomeAssistant {
	return HomeAssistant{
		Name: t.text("location_name"), UUID: t.text("uuid"), Version: t.text("version"),
		InternalURL: t.text("internal_url"), ExternalURL: t.text("external_url"), BaseURL: t.text("base_url"),
	}
}

// SRPL is the TXT record of `_srpl-tls._tcp`, by which border routers find
// those they replicate their SRP registry with (draft-ietf-dnssd-srp-replication).
// These two keys are what an Apple TV sends; others are passed over.
type SRPL struct {
	Domain   string      // domain, "openthread.thread.home.arpa."; as sent
	ServerID Opt[uint64] // server-id, hex digits
}

// ParseSRPL reads the record.
func ParseSRPL(t TXT) SRPL { return SRPL{t.text("domain"), t.hex("server-id")} }

// hex reads up to 16 hex digits, with or without "0x".
func (t TXT) hex(key string) Opt[uint64] {
	d := strings.TrimPrefix(strings.ToLower(t.text(key)), "0x")
	if d == "" || len(d) > 16 {
		return Opt[uint64]{}
	}
	v, ok := hex64(strings.Repeat("0", 16-len(d)) + d)
	return Opt[uint64]{v, ok}
}
