package doctor

import (
	"net/netip"
	"slices"
	"strings"
)

// A deafness is what listening to the LAN met with.
type deafness struct {
	denied      bool // the system does not let the program use the LAN
	noRoute     bool // multicast has no way out
	noMulticast bool // the system has no multicast to the LAN
	silent      bool // nobody said anything
}

// any reports whether there was anything of it.
func (d deafness) any() bool { return d != deafness{} }

// deaf reads out of the scan's problems why nothing was heard of the LAN. It is
// empty where something was, or nobody listened.
func (c *Case) deaf() (d deafness) {
	for _, s := range c.Scan.Sources {
		if s.Name == announcing && s.State == "answered" {
			return deafness{}
		}
	}
	for i := range c.Scan.Reports {
		if c.Scan.Reports[i].Source == announcing {
			return deafness{}
		}
	}
	for _, p := range c.Scan.Problems {
		if p.Source != announcing {
			continue
		}
		says := func(words string) bool { return strings.Contains(p.Text, words) }
		d.denied = d.denied || says("does not let this program use the local network")
		d.noRoute = d.noRoute || says("multicast has no way out")
		d.noMulticast = d.noMulticast || says("no multicast to the LAN")
		d.silent = d.silent || says("nothing was heard of any device")
	}
	return d
}

// A cause is why the LAN is silent. One rule speaks of each.
type cause uint8

const (
	causeNone      cause = iota // it is not, or nothing tells why
	causeBoxed                  // wslNetwork, containerNetwork
	causePrivacy                // localNetworkPrivacy
	causeVPN                    // vpn
	causeFirewall               // firewall
	causeIsolation              // clientIsolation
)

// silence is the likeliest cause of a silent LAN, the surest signs first.
func (c *Case) silence() cause {
	d := c.deaf()
	switch {
	case c.Host == nil || !d.any():
		return causeNone
	case c.boxed() || d.noMulticast && (c.Host.WSL.Or(false) || c.Host.Container.Or("") != ""):
		return causeBoxed
	case d.denied && c.Host.System == "darwin":
		return causePrivacy
	case d.denied:
		return causeFirewall
	case (d.noRoute || d.silent) && c.Host.capturedBy() != "":
		return causeVPN
	case d.silent && len(c.Host.closedFirewalls()) > 0:
		return causeFirewall
	case d.silent && len(c.Host.lans()) > 0:
		return causeIsolation
	}
	return causeNone
}

// boxed reports whether the machine is one within another, with a network of its
// own between it and the LAN: what it lacks is the fault of that.
func (c *Case) boxed() bool {
	h := c.Host
	if h == nil {
		return false
	}
	within := inside
	switch h.Container.Or("") {
	case "", "lxc": // LXC's containers are usually on the LAN themselves
		// With networkingMode=mirrored WSL has the interfaces of Windows, and this one.
		if !h.WSL.Or(false) || h.named("loopback0") != nil {
			return false
		}
		within = insideWSL
	}
	some := false
	for i := range h.Interfaces {
		n := &h.Interfaces[i]
		if n.Kind == InterfaceInside {
			return false // it sees the networks of others: it is the host, or shares its network
		}
		for _, p := range n.Prefixes {
			if !p.Addr().Is4() || n.Kind != InterfaceLAN {
				continue
			}
			some = true
			if !slices.ContainsFunc(within, func(w netip.Prefix) bool { return w.Contains(p.Addr()) && p.Bits() >= w.Bits() }) {
				return false
			}
		}
	}
	return some
}

// What container engines and WSL give out, by default, to networks within a
// machine.
var (
	inside = []netip.Prefix{
		netip.MustParsePrefix("172.16.0.0/12"),   // Docker
		netip.MustParsePrefix("192.168.65.0/24"), // Docker Desktop
		netip.MustParsePrefix("10.88.0.0/16"),    // Podman
		netip.MustParsePrefix("10.89.0.0/16"),    // Podman, networks made by users
		netip.MustParsePrefix("10.0.2.0/24"),     // slirp4netns
		netip.MustParsePrefix("10.42.0.0/16"),    // Kubernetes: k3s
		netip.MustParsePrefix("10.244.0.0/16"),   // Kubernetes: flannel, kind
	}
	insideWSL = []netip.Prefix{netip.MustParsePrefix("172.16.0.0/12")}
)

// captured is the tunnel that has the routes for all that has no route of its
// own, or for multicast; "" for none. It is sure where the routes are known; else
// a tunnel with an IPv4 address is one that people turn on, and may have them.
func (h *Host) captured() (name string, sure bool) {
	for _, routes := range [][]HostRoute{h.Routes4, h.Routes} {
		for _, to := range []netip.Addr{multicast4, somewhere4, somewhere6} {
			if r := best(routes, to); r != nil && (to == multicast4 || anything(r.To)) && h.tunnel(r.Interface) {
				return r.Interface, true
			}
		}
	}
	for i := range h.Interfaces {
		if n := &h.Interfaces[i]; h.Routes4 == nil && n.Kind == InterfaceTunnel && slices.ContainsFunc(n.Prefixes, func(p netip.Prefix) bool {
			return p.Addr().Is4() && !p.Addr().IsLinkLocalUnicast() && !overlay.Contains(p.Addr())
		}) {
			return n.Name, false
		}
	}
	return "", false
}

func (h *Host) capturedBy() string {
	name, _ := h.captured()
	return name
}

// overlay is what networks over the LAN give out (RFC 6598), which leave the LAN
// alone.
var overlay = netip.MustParsePrefix("100.64.0.0/10")

var (
	multicast4 = netip.AddrFrom4([4]byte{224, 0, 0, 251})
	somewhere4 = netip.MustParseAddr("192.0.2.1")
	somewhere6 = netip.MustParseAddr("2001:db8::1")
)

// closedFirewalls are those that do not surely let multicast DNS in.
func (h *Host) closedFirewalls() (out []HostFirewall) {
	for _, f := range h.Firewalls {
		if !f.MDNS.Or(false) {
			out = append(out, f)
		}
	}
	return out
}
