package discovery

import "strings"

// A Kind is a type of service as DNS-SD writes it: "_matter._tcp".
type Kind string

// The kinds that a Thread home has.
const (
	KindMeshCoP       Kind = "_meshcop._udp"        // border agents of Thread border routers
	KindMeshCoPE      Kind = "_meshcop-e._udp"      // the same, while an ephemeral key is active
	KindTREL          Kind = "_trel._udp"           // Thread radio encapsulation link: border routers that link over the LAN
	KindMatter        Kind = "_matter._tcp"         // commissioned Matter nodes, one instance for each fabric; it is UDP in spite of its name
	KindMatterC       Kind = "_matterc._udp"        // Matter devices that wait to be commissioned
	KindMatterD       Kind = "_matterd._udp"        // Matter commissioners
	KindHAP           Kind = "_hap._udp"            // HomeKit accessories over CoAP: Thread ones
	KindHomeAssistant Kind = "_home-assistant._tcp" // Home Assistant
	KindSRPLTLS       Kind = "_srpl-tls._tcp"       // border routers that replicate their SRP registry
)

// Kinds is what is browsed, unless told otherwise.
var Kinds = []Kind{
	KindMeshCoP, KindMeshCoPE, KindTREL, KindMatter, KindMatterC, KindMatterD, KindHAP, KindHomeAssistant, KindSRPLTLS,
}

// local is the domain of multicast DNS.
const local = "local"

// Name is the name that is asked for: "_matter._tcp.local", the root for a
// kind that is none.
func (k Kind) Name() Name {
	service, proto, ok := strings.Cut(string(k), ".")
	if !ok {
		return Name{}
	}
	n, err := NewName(service, proto, local)
	if err != nil {
		return Name{}
	}
	return n
}

// InstanceName is the name of an instance of the kind. It fails where the label
// is empty or longer than 63 octets.
func (k Kind) InstanceName(label string) (Name, error) { return k.Name().Under(label) }

// A Subtype is a part of a kind (RFC 6763, section 7.1): "_L3840" of
// [KindMatterC] are the devices with that discriminator.
type Subtype struct {
	Kind  Kind
	Label string
}

// Name is the name that is asked for: "_L3840._sub._matterc._udp.local", the
// root for one that can't be asked for.
func (s Subtype) Name() Name {
	zone := s.Kind.Name()
	if zone.IsRoot() {
		return Name{}
	}
	n, err := zone.Under("_sub")
	if err != nil {
		return Name{}
	}
	if n, err = n.Under(s.Label); err != nil {
		return Name{}
	}
	return n
}
