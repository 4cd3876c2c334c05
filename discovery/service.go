package discovery

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// A Service is what is known of one instance on one host, over all interfaces.
// Where two hosts use one instance name there are two Services.
type Service struct {
	Kind     Kind
	Instance string // the label, raw: any octets
	Name     Name   // the whole name, as first heard
	Host     Name   // the root: not known yet
	Port     uint16 // 0: not known yet
	// Addresses are sorted; a link-local one has the zone of the interface it was
	// heard on, so it may stand here once for each interface.
	Addresses []netip.Addr
	TXT       TXT // nil: not known yet

	Interfaces []string
	Responders []Responder // who announced it, in the order of first hearing
	First      time.Time   // when it was first heard of in this run
	Last       time.Time   // when any record of it was last heard

	// OtherHosts are other hosts that use the same instance name now.
	OtherHosts []Name
	// OtherTXT are other TXT records that somebody says of the same name on the
	// same interface now.
	OtherTXT []TXT
}

// A Responder is an address that announced a service.
type Responder struct {
	Addr      netip.Addr // with zone where link-local
	Interface string
	// Host is the host that has this address, by the address records heard; the
	// root where that is nobody or not one. Two responders of one host are one
	// machine that speaks on IPv4 and IPv6.
	Host        Name
	First, Last time.Time // of this instance
}

// Missing lists what was not heard yet: SRV, TXT, or AAAA for any address.
func (s *Service) Missing() []Type {
	var out []Type
	if s.Host.IsRoot() {
		out = append(out, TypeSRV)
	}
	if s.TXT == nil {
		out = append(out, TypeTXT)
	}
	if len(s.Addresses) == 0 {
		out = append(out, TypeAAAA)
	}
	return out
}

// Endpoints are the addresses with the port, none where that is unknown.
func (s *Service) Endpoints() []netip.AddrPort {
	if s.Port == 0 {
		return nil
	}
	var out []netip.AddrPort
	for _, a := range s.Addresses {
		out = append(out, netip.AddrPortFrom(a, s.Port))
	}
	return out
}

// HostLabel is the first label of the host name, raw.
func (s *Service) HostLabel() string { return s.Host.First() }

// changes lists what differs from old, in words of [Event.What].
func (s *Service) changes(old *Service) []string {
	var out []string
	note := func(differs bool, what string) {
		if differs {
			out = append(out, what)
		}
	}
	note(!s.Host.Equal(old.Host), "host")
	note(s.Port != old.Port, "port")
	note(!s.TXT.Equal(old.TXT) || (s.TXT == nil) != (old.TXT == nil), "txt")
	note(!slices.Equal(s.Addresses, old.Addresses), "addresses")
	note(!slices.Equal(s.Interfaces, old.Interfaces), "interfaces")
	note(!slices.EqualFunc(s.OtherHosts, old.OtherHosts, Name.Equal) || !slices.EqualFunc(s.OtherTXT, old.OtherTXT, TXT.Equal), "conflict")
	return out
}

// clone shares nothing that the Browser changes.
func (s *Service) clone() Service {
	c := *s
	c.Addresses, c.Interfaces = slices.Clone(s.Addresses), slices.Clone(s.Interfaces)
	c.Responders, c.OtherHosts, c.OtherTXT = slices.Clone(s.Responders), slices.Clone(s.OtherHosts), slices.Clone(s.OtherTXT)
	return c
}

func compareServices(a, b *Service) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name.Fold().wire, b.Name.Fold().wire), cmp.Compare(a.Host.Fold().wire, b.Host.Fold().wire))
}

// An EventKind tells events apart.
type EventKind string

// The kinds of events.
const (
	Added   EventKind = "added"   // it is there, complete, or as complete as it got within some seconds
	Changed EventKind = "changed" // see What
	Removed EventKind = "removed" // see Reason
	Heard   EventKind = "heard"   // somebody said it, new or not; only where [Options.Heard] is set
	Asking  EventKind = "asking"  // somebody else asked; see Asked
)

// An Event is something that happened.
type Event struct {
	Kind    EventKind
	At      time.Time
	Service Service // as it is now; when removed, as it was
	// What changed, among "host", "port", "txt", "addresses", "interfaces",
	// "conflict".
	What   []string
	Reason Reason // why it was removed
	// Of a Heard: who said it, with which time to live (0 is a goodbye), and
	// whether a sleep proxy may have spoken.
	From  netip.AddrPort
	On    string // the interface
	TTL   time.Duration
	Owner bool
	Asked Ask // of an Asking
}
