package mdns

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// maxInterfaces bounds how many interfaces are browsed.
const maxInterfaces = 32

// A nic is an interface to browse on.
type nic struct {
	net.Interface
	prefixes []netip.Prefix // its own addresses, with the length of their prefixes
	// machine is the addresses of all interfaces: what this machine sends on the
	// loopback interface may come from any of them.
	machine []netip.Addr
}

// has4 and has6 report whether the interface can send on the family.
func (n *nic) has4() bool {
	return slices.ContainsFunc(n.prefixes, func(p netip.Prefix) bool { return p.Addr().Is4() })
}

func (n *nic) has6() bool {
	return slices.ContainsFunc(n.prefixes, func(p netip.Prefix) bool { return p.Addr().Is6() })
}

// onLink reports whether a sender is on the link of the interface (RFC 6762,
// section 11): by its address, because it is this machine, or because its
// packet was never forwarded: the hop limit is still 255, which no router can
// forge. hops is 0 where the system does not tell.
func (n *nic) onLink(from netip.Addr, hops int) bool {
	from = from.Unmap().WithZone("")
	if hops == 255 || from.IsLinkLocalUnicast() || slices.Contains(n.machine, from) {
		return true
	}
	return slices.ContainsFunc(n.prefixes, func(p netip.Prefix) bool { return p.Contains(from) })
}

// usable reports whether an interface reaches a LAN: by its flags, and by its
// hardware address, which tunnels lack.
func usable(i net.Interface) bool {
	const want = net.FlagUp | net.FlagRunning | net.FlagMulticast
	return i.Flags&want == want && i.Flags&(net.FlagLoopback|net.FlagPointToPoint) == 0 && len(i.HardwareAddr) > 0
}

// There says which of the interfaces that are named can't be browsed, and why:
// for who has other work to do before the browsing begins. What interfaces there
// are may not be known; then that is no error here.
func There(names []string) error {
	all, err := net.Interfaces()
	if err != nil || len(names) == 0 {
		return nil
	}
	_, err = choose(all, names)
	return err
}

// choose picks the interfaces to browse: those named, else all usable ones.
func choose(all []net.Interface, names []string) ([]net.Interface, error) {
	if len(names) == 0 {
		out := slices.DeleteFunc(slices.Clone(all), func(i net.Interface) bool { return !usable(i) })
		if len(out) == 0 {
			return nil, fmt.Errorf("none is up, able to multicast and no tunnel")
		}
		return out[:min(len(out), maxInterfaces)], nil
	}
	var out []net.Interface
	for _, name := range names[:min(len(names), maxInterfaces)] {
		i := slices.IndexFunc(all, func(i net.Interface) bool { return i.Name == name })
		switch {
		case i < 0:
			var there []string
			for _, i := range all[:min(len(all), maxInterfaces)] {
				there = append(there, i.Name)
			}
			return nil, fmt.Errorf("there is no interface %q, but %s", name, strings.Join(there, ", "))
		case all[i].Flags&net.FlagUp == 0:
			return nil, fmt.Errorf("interface %q is down", name)
		case !slices.ContainsFunc(out, func(o net.Interface) bool { return o.Name == name }):
			out = append(out, all[i])
		}
	}
	return out, nil
}

// prefixes are the addresses of an interface.
func prefixes(i *net.Interface) []netip.Prefix {
	addrs, err := i.Addrs()
	if err != nil {
		return nil
	}
	var out []netip.Prefix
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		if addr, ok := netip.AddrFromSlice(n.IP); ok {
			ones, _ := n.Mask.Size()
			out = append(out, netip.PrefixFrom(addr.Unmap(), ones))
		}
	}
	return out
}
