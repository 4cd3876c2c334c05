package icd

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"threadmap/diag"
)

// The observers: who may stand in "by".
const (
	ByMDNS       = "mdns"       // multicast DNS, listened to
	ByRA         = "ra"         // router advertisements, listened to
	ByTMF        = "tmf"        // Thread routers, asked with the mesh's credential
	ByICMP       = "icmp"       // pings
	ByCanary     = "canary"     // our own subscription on the device
	ByHA         = "ha"         // Home Assistant, from inside
	ByController = "controller" // another controller, from inside
	ByUser       = "user"       // a person
	ByCapture    = "capture"    // a packet capture of the LAN
	ByHost       = "host"       // the machine that the observations are made on
)

// Announce is an mDNS announcement ("announce") or withdrawal ("goodbye") of a
// service. A list or map that is nil was not told; one that is empty is known
// to be empty.
type Announce struct {
	Instance  string   `json:"instance"` // with or without the service behind it
	Service   string   `json:"service,omitempty"`
	Host      string   `json:"host,omitempty"`
	Addresses []string `json:"addresses,omitzero"`
	Port      uint16   `json:"port,omitempty"`
	TXT       TXT      `json:"txt,omitzero"`
	TTL       *Seconds `json:"ttl,omitempty"`
	From      string   `json:"from,omitempty"`
	Interface string   `json:"interface,omitempty"`
	Owner     bool     `json:"owner,omitempty"` // with an EDNS0 owner option: said by a sleep proxy
}

// Question is an mDNS question that somebody asked.
type Question struct {
	Name  string   `json:"name"`
	Types []string `json:"types,omitempty"`
	From  string   `json:"from,omitempty"`
}

// Answer is an mDNS answer to somebody's question.
type Answer struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses,omitempty"`
	From      string   `json:"from,omitempty"`
	TTL       *Seconds `json:"ttl,omitempty"`
	Owner     bool     `json:"owner,omitempty"` // a sleep proxy's: the host is asleep
}

// Advert is an IPv6 router advertisement (RFC 4861; routes by RFC 4191).
type Advert struct {
	From     string         `json:"from,omitempty"`
	Prefixes []AdvertPrefix `json:"prefixes,omitempty"`
}

// AdvertPrefix is a prefix in a router advertisement.
type AdvertPrefix struct {
	Prefix   string  `json:"prefix"`
	Kind     string  `json:"kind,omitempty"` // "pio": on this link, "rio": a route through the sender
	Lifetime Seconds `json:"lifetime"`       // 0: withdrawn
}

// Child is a device's row in its parent's child table.
type Child struct {
	Parent    string   `json:"parent,omitempty"` // extended address or RLOC16
	RLOC16    string   `json:"rloc16,omitempty"`
	Age       *Seconds `json:"age,omitempty"`       // since its last frame
	Connected *Seconds `json:"connected,omitempty"` // since it attached
	Timeout   *Seconds `json:"timeout,omitempty"`
	Queued    *int     `json:"queued,omitempty"` // frames waiting for it
	Margin    *int     `json:"margin,omitempty"` // dB
	RSSI      *int     `json:"rssi,omitempty"`   // dBm
	FER       *float64 `json:"fer,omitempty"`    // share of frames that failed, 0 to 1
}

// NoChild says that none of the asked routers has the device as a child.
type NoChild struct {
	Asked []string `json:"asked,omitempty"`
}

// Router is a router that answered.
type Router struct {
	RLOC16   string `json:"rloc16,omitempty"`
	Ext      string `json:"ext,omitempty"`
	Children *int   `json:"children,omitempty"` // rows in its child table
}

// RouterSilent is a router that was asked and did not answer.
type RouterSilent struct {
	RLOC16 string `json:"rloc16,omitempty"`
	Ext    string `json:"ext,omitempty"`
}

// Netdata is what the mesh's Network Data says. A nil list was not told.
type Netdata struct {
	SRP      []SRPServer     `json:"srp,omitzero"`
	Prefixes []NetdataPrefix `json:"prefixes,omitzero"`
}

// SRPServer is a server that devices register their names with.
type SRPServer struct {
	Address string `json:"address"`
	Port    uint16 `json:"port"`
}

// NetdataPrefix is a prefix that the mesh has. In files it may be a string.
type NetdataPrefix struct {
	Prefix    string `json:"prefix"`
	SLAAC     *bool  `json:"slaac,omitempty"`
	Preferred *bool  `json:"preferred,omitempty"`
}

// UnmarshalJSON takes an object or the prefix alone.
func (p *NetdataPrefix) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*p = NetdataPrefix{Prefix: s}
		return nil
	}
	type object NetdataPrefix
	var o object
	if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	*p = NetdataPrefix(o)
	return nil
}

// Ping is a run of ICMPv6 echo requests to one address.
type Ping struct {
	To       string   `json:"to"`
	From     string   `json:"from,omitempty"` // "host" or "otbr"
	Sent     int      `json:"sent"`
	Received int      `json:"received"`
	RTT      *float64 `json:"rtt_ms,omitempty"`
	Error    string   `json:"error,omitempty"`
}

// Subscribed is a subscription that was made (a SubscribeResponse).
type Subscribed struct {
	ID     uint32   `json:"id"`
	Min    *Seconds `json:"min,omitempty"`
	Max    *Seconds `json:"max,omitempty"`
	Urgent bool     `json:"urgent,omitempty"`
	Fabric string   `json:"fabric,omitempty"` // compressed fabric id of the subscriber, 16 hex digits
}

// Sigma1 is a CASE session that the device began to open to the observer.
//
// A capture names both ends, and who opened it.
type Sigma1 struct {
	Resumption bool   `json:"resumption"`
	OpenedBy   string `json:"opened_by,omitempty"` // of a capture: "device" or "controller"
	From       string `json:"from,omitempty"`
	To         string `json:"to,omitempty"`
	Fabric     string `json:"fabric,omitempty"` // compressed fabric id, 16 hex digits
}

// CASE is a session attempt that ended.
type CASE struct {
	OpenedBy string `json:"opened_by"` // "device", "canary", or, of a capture, "controller"
	Result   string `json:"result"`    // "resumed", "full", "failed"
	Error    string `json:"error,omitempty"`
	From     string `json:"from,omitempty"` // of a capture, as in [Sigma1]
	To       string `json:"to,omitempty"`
	Fabric   string `json:"fabric,omitempty"` // compressed fabric id of whoever the device's session is with
}

// Report is a ReportData from the device.
type Report struct {
	ID      uint32                     `json:"id"`
	Known   *bool                      `json:"known,omitempty"`   // of a subscription that the receiver has
	Priming bool                       `json:"priming,omitempty"` // the first of a new subscription
	Values  map[string]json.RawMessage `json:"values,omitempty"`
}

// CheckIn is a Check-In message of a long idle time device.
type CheckIn struct {
	Counter   *uint32 `json:"counter,omitempty"`
	Decrypted *bool   `json:"decrypted,omitempty"` // with a key that we registered
	From      string  `json:"from,omitempty"`      // of a capture, as in [Sigma1]
	To        string  `json:"to,omitempty"`
	Fabric    string  `json:"fabric,omitempty"`
}

// Read is what the device answered to a read: values by "endpoint/cluster/attribute".
type Read struct {
	Values         map[string]json.RawMessage `json:"values,omitempty"`
	FabricFiltered *bool                      `json:"fabric_filtered,omitempty"`
}

// DeviceEvent is a Matter event that arrived.
type DeviceEvent struct {
	Number  uint64 `json:"number"`
	Cluster uint32 `json:"cluster"`
	EventID uint32 `json:"event_id"`
	Name    string `json:"name,omitempty"`
}

// ReadEvents are the events that the device gave for a read from a number on.
type ReadEvents struct {
	EventMin *uint64       `json:"event_min,omitempty"`
	Events   []DeviceEvent `json:"events,omitempty"`
}

// Lost is the end of the observer's subscription.
type Lost struct {
	Reason string `json:"reason,omitempty"`
}

// Available is what a controller shows its user.
type Available struct {
	Value *bool `json:"value,omitempty"`
}

// Attribute is a value that a controller got.
type Attribute struct {
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value,omitempty"`
}

// Log is a line of a controller's log.
type Log struct {
	Text string `json:"text"`
}

// Reboot, PowerOff and PowerOn are what a person did to the device.
type (
	Reboot   struct{}
	PowerOff struct{}
	PowerOn  struct{}
)

// Press is a press of the device's button.
type Press struct {
	Works      *bool  `json:"works,omitempty"` // nil: not said
	Controller string `json:"controller,omitempty"`
}

// Complaint is a person's.
type Complaint struct {
	Text       string `json:"text,omitempty"`
	Controller string `json:"controller,omitempty"`
}

// Changed is something that a person changed in the home.
type Changed struct {
	What string `json:"what"`
}

// Route says whether the host has a route to a prefix.
type Route struct {
	Prefix  string `json:"prefix"`
	Present *bool  `json:"present,omitempty"`
}

// Sysctl is a setting of the host's kernel; its value is a string or a number.
type Sysctl struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value,omitempty"`
}

// Neighbour is a row of the host's neighbour table.
type Neighbour struct {
	To     string `json:"to"`
	MAC    string `json:"mac,omitempty"`
	SameAs string `json:"same_as,omitempty"` // another address with that MAC
}

// Unreachable is an ICMPv6 error, or an error of the host's own stack.
// A router's own word, in a capture, is "capture unreachable".
type Unreachable struct {
	To     string `json:"to"`
	From   string `json:"from,omitempty"`   // whose word it is
	Reason string `json:"reason,omitempty"` // of a capture: "no route", "address unreachable", …
}

// rows are the lines that a file may have: by, event, and what it carries.
// Others are kept and ignored.
var rows = func() map[[2]string]func() any {
	m := map[[2]string]func() any{}
	row := func(by, event string, what func() any) { m[[2]string{by, event}] = what }
	row(ByMDNS, "announce", func() any { return new(Announce) })
	row(ByMDNS, "goodbye", func() any { return new(Announce) })
	row(ByMDNS, "question", func() any { return new(Question) })
	row(ByMDNS, "answer", func() any { return new(Answer) })
	row(ByRA, "advert", func() any { return new(Advert) })
	row(ByTMF, "child", func() any { return new(Child) })
	row(ByTMF, "no-child", func() any { return new(NoChild) })
	row(ByTMF, "router", func() any { return new(Router) })
	row(ByTMF, "router-silent", func() any { return new(RouterSilent) })
	row(ByTMF, "netdata", func() any { return new(Netdata) })
	row(ByICMP, "ping", func() any { return new(Ping) })
	row(ByCanary, "sigma1", func() any { return new(Sigma1) })
	row(ByCanary, "case", func() any { return new(CASE) })
	row(ByCanary, "checkin", func() any { return new(CheckIn) })
	row(ByCapture, "sigma1", func() any { return new(Sigma1) })
	row(ByCapture, "case", func() any { return new(CASE) })
	row(ByCapture, "checkin", func() any { return new(CheckIn) })
	row(ByCapture, "pase", func() any { return new(PASE) })
	row(ByCapture, "spoke", func() any { return new(Spoke) })
	row(ByCapture, "watched", func() any { return new(Watched) })
	row(ByCapture, "unreachable", func() any { return new(Unreachable) })
	row(ByCanary, "read", func() any { return new(Read) })
	row(ByCanary, "read-events", func() any { return new(ReadEvents) })
	row(ByCanary, "lost", func() any { return new(Lost) })
	for _, by := range []string{ByCanary, ByHA, ByController} {
		row(by, "subscribed", func() any { return new(Subscribed) })
		row(by, "report", func() any { return new(Report) })
		row(by, "event", func() any { return new(DeviceEvent) })
	}
	for _, by := range []string{ByHA, ByController} {
		row(by, "available", func() any { return new(Available) })
		row(by, "subscription-lost", func() any { return new(Lost) })
		row(by, "attribute", func() any { return new(Attribute) })
		row(by, "log", func() any { return new(Log) })
	}
	row(ByUser, "reboot", func() any { return new(Reboot) })
	row(ByUser, "power-off", func() any { return new(PowerOff) })
	row(ByUser, "power-on", func() any { return new(PowerOn) })
	row(ByUser, "press", func() any { return new(Press) })
	row(ByUser, "complaint", func() any { return new(Complaint) })
	row(ByUser, "changed", func() any { return new(Changed) })
	row(ByHost, "route", func() any { return new(Route) })
	row(ByHost, "sysctl", func() any { return new(Sysctl) })
	row(ByHost, "neighbour", func() any { return new(Neighbour) })
	row(ByHost, "unreachable", func() any { return new(Unreachable) })
	return m
}()

// A NodeName is how a line names a device: an extended address, a Matter node
// id, a name. In files it may be a number, which is taken digit by digit and
// never through a float.
type NodeName string

// UnmarshalJSON takes a string or an integer.
func (n *NodeName) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*n = NodeName(s)
		return nil
	}
	if string(b) == "null" {
		return nil
	}
	if _, err := strconv.ParseUint(string(b), 10, 64); err != nil {
		return errors.New("want a string or an integer")
	}
	*n = NodeName(b)
	return nil
}

// fold is how names are compared: an extended address in its usual form, other
// names in lower case.
func (n NodeName) fold() string {
	if x, err := diag.ParseExtAddr(string(n)); err == nil {
		return x.String()
	}
	return strings.ToLower(strings.TrimSpace(string(n)))
}
