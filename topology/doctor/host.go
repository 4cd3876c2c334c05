package doctor

import (
	"net/netip"
	"slices"

	"threadmap/diag"
	"threadmap/topology"
)

// Host is what was seen of the machine that threadmap runs on. Lists tell apart
// nil (not looked at, or can't be on this system) and empty (there is none).
//
// It is about one moment: a case gets it only for a scan that this machine has
// just made.
type Host struct {
	System     string          // runtime.GOOS
	Interfaces []HostInterface // those that are up, by name
	Routes     []HostRoute     // IPv6, of all tables
	Routes4    []HostRoute     // IPv4, of the main table
	Ways       []HostWay       // what the system does with packets to the mesh
	WSL        diag.Opt[bool]  // Windows Subsystem for Linux
	// Container is what the program runs in: "docker", "podman", "kubernetes",
	// "lxc", "container"; known and "" for none.
	Container diag.Opt[string]
	// Managers are programs that may handle router advertisements in the kernel's
	// stead: "NetworkManager", "systemd-networkd", "dhcpcd".
	Managers  []string
	Firewalls []HostFirewall // those that are on
	Avahi     diag.Opt[HostAvahi]
}

// A HostInterface is one network interface that is up.
type HostInterface struct {
	Name      string
	Kind      InterfaceKind
	Prefixes  []netip.Prefix // its addresses, with the length of their prefixes
	Multicast bool
	// Settings of Linux, net.ipv6.conf.NAME (ip-sysctl).
	IPv6Disabled    diag.Opt[bool]
	Forwarding      diag.Opt[bool]
	AcceptRA        diag.Opt[int] // 0: never, 1: unless it forwards, 2: always
	RouteInfoMaxLen diag.Opt[int] // longest prefix of an announced route (RFC 4191) that is taken, in bits; -1: none
}

// An InterfaceKind says what is behind an interface.
type InterfaceKind string

// The kinds of interfaces. The zero value is any that may reach a LAN.
const (
	InterfaceLAN      InterfaceKind = ""
	InterfaceLoopback InterfaceKind = "loopback"
	InterfaceTunnel   InterfaceKind = "tunnel" // a VPN or the like
	InterfaceInside   InterfaceKind = "inside" // a network within the machine, for containers or virtual machines
	InterfaceThread   InterfaceKind = "thread" // a mesh: the machine is a border router
)

// A HostRoute is one route.
type HostRoute struct {
	To        netip.Prefix
	Interface string
	Gateway   netip.Addr // invalid: none
	Metric    uint32     // of routes of equal length the smallest counts
	Refused   bool       // it says that packets are to be refused
}

// A HostWay is what the system does with a packet to a prefix, as it says when
// it is asked for a source address. It knows of every table and policy.
type HostWay struct {
	To          netip.Prefix
	Unreachable bool
	Interface   string // of the source address; "" unknown
}

// A HostFirewall is a firewall of the machine that is on.
type HostFirewall struct {
	Name string         // "ufw", "firewalld", "nftables"
	Zone string         // firewalld's default zone
	MDNS diag.Opt[bool] // lets multicast DNS in (UDP port 5353); unknown: its rules can't be read
}

// HostAvahi is what is known of a running Avahi.
type HostAvahi struct {
	DisallowOtherStacks bool // it takes UDP port 5353 for itself
}

// named is the interface of that name, nil for none.
func (h *Host) named(name string) *HostInterface {
	for i := range h.Interfaces {
		if h.Interfaces[i].Name == name {
			return &h.Interfaces[i]
		}
	}
	return nil
}

// tunnel reports whether an interface is a VPN's.
func (h *Host) tunnel(name string) bool {
	i := h.named(name)
	return i != nil && i.Kind == InterfaceTunnel
}

// lans are the interfaces that may reach a LAN: they have an address, where any
// does one that tells LANs apart.
func (h *Host) lans() []*HostInterface {
	var some, good []*HostInterface
	for i := range h.Interfaces {
		n := &h.Interfaces[i]
		if n.Kind != InterfaceLAN || !n.Multicast || len(n.Prefixes) == 0 {
			continue
		}
		some = append(some, n)
		if slices.ContainsFunc(n.Prefixes, shared) {
			good = append(good, n)
		}
	}
	if good != nil {
		return good
	}
	return some
}

// has4 and has6 report whether an interface has an address of the family.
func (n *HostInterface) has4() bool {
	return slices.ContainsFunc(n.Prefixes, func(p netip.Prefix) bool { return p.Addr().Is4() })
}

func (n *HostInterface) has6() bool {
	return slices.ContainsFunc(n.Prefixes, func(p netip.Prefix) bool { return p.Addr().Is6() })
}

// onLink reports whether an address lies in a prefix of the interface that
// others can be in.
func (n *HostInterface) onLink(a netip.Addr) bool {
	a = a.Unmap()
	for _, p := range n.Prefixes {
		if shared(p) && p.Masked().Contains(a) {
			return true
		}
	}
	return false
}

// shared reports whether a prefix tells LANs apart: link-local ones are
// everywhere, and single addresses are nobody else's.
func shared(p netip.Prefix) bool {
	return p.IsValid() && !p.IsSingleIP() && p.Bits() > 0 && !p.Addr().IsLinkLocalUnicast() && !p.Addr().IsLoopback()
}

// Prefixes are the prefixes of a map to which whoever gathers a [Host] should
// look for ways.
func Prefixes(m *topology.Map) []netip.Prefix {
	var out []netip.Prefix
	for _, n := range m.Networks {
		for _, p := range n.OMRPrefixes {
			if p = p.Masked(); p.Bits() == prefixBits && p.Addr().Is6() && p.Addr().IsGlobalUnicast() && !slices.Contains(out, p) && len(out) < maxOwn {
				out = append(out, p)
			}
		}
	}
	return out
}
