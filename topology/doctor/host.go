package doctor

import "net/netip"

// Host is what was seen of the machine that threadmap runs on. Fields whose
// fact was not looked at, or cannot be on this system, are nil or unknown.
type Host struct {
	System     string // runtime.GOOS
	Interfaces []HostInterface
	Routes     []HostRoute // IPv6; nil: not read
}

// A HostInterface is one network interface that is up.
type HostInterface struct {
	Name      string
	Prefixes  []netip.Prefix
	Multicast bool
}

// A HostRoute is one IPv6 route.
type HostRoute struct {
	To        netip.Prefix
	Interface string
	Metric    uint32
}
