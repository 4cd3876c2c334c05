package doctor

import (
	"net/netip"
	"slices"

	"threadmap/diag"
	"threadmap/topology"
)

// maxOwn bounds the networks whose ways are looked at: a home has few, and who
// announces more is no home.
const maxOwn = 64

// A wayKind says what leads to a prefix.
type wayKind uint8

const (
	wayUnknown  wayKind = iota // not looked at
	wayNone                    // nothing does
	wayDefault                 // only the route for all that has no route
	waySpecific                // a route of its own, or the system says it has one
)

// A way is what leads from the machine to a prefix.
type way struct {
	kind    wayKind
	iface   string // "" unknown
	gateway netip.Addr
}

// anything reports whether a route is for all that has no route of its own; VPNs
// write it as two halves.
func anything(p netip.Prefix) bool { return p.Bits() <= 1 }

// wayTo finds what leads to a prefix. The system's word counts more than its
// table, which may be one of several.
func (h *Host) wayTo(p netip.Prefix) way {
	var w way
	if h.Routes != nil {
		w.kind = wayNone
		if r := best(h.Routes, p.Addr()); r != nil && !r.Refused {
			w = way{kind: waySpecific, iface: r.Interface, gateway: r.Gateway}
			if anything(r.To) {
				w.kind = wayDefault
			}
		}
	}
	for _, asked := range h.Ways {
		if asked.To != p {
			continue
		}
		switch {
		case asked.Unreachable:
			return way{kind: wayNone}
		case w.kind == wayNone:
			w = way{kind: wayUnknown, iface: asked.Interface} // by a table that is not known
		case asked.Interface != "" && asked.Interface != w.iface:
			w.iface, w.gateway = asked.Interface, netip.Addr{}
		}
	}
	return w
}

// best is the route that counts for an address, nil for none.
func best(routes []HostRoute, a netip.Addr) (best *HostRoute) {
	for i := range routes {
		r := &routes[i]
		if r.To.Contains(a) && (best == nil || r.To.Bits() > best.To.Bits() || r.To.Bits() == best.To.Bits() && r.Metric < best.Metric) {
			best = r
		}
	}
	return best
}

// A stranded network is one with a prefix to which the machine has no proper way.
type stranded struct {
	*members
	to    []netip.Prefix // those prefixes, the worst first
	none  bool           // nothing at all leads to the first of them
	near  []*HostInterface
	apart netip.Addr // an address of a border router on another network; invalid: none is known to be
}

// findStranded finds the networks to which the machine has no way, or only that over
// the default route, at which nobody knows of the mesh. Ways that end in a tunnel
// are vpn's.
func (c *Case) findStranded() (out []stranded) {
	if c.Host == nil || c.boxed() || c.ipv6Off() != nil {
		return nil
	}
	for _, m := range c.ownMeshes() {
		var none, byDefault []netip.Prefix
		for _, p := range c.published(m) {
			switch w := c.Host.wayTo(p); {
			case c.Host.tunnel(w.iface):
			case w.kind == wayNone:
				none = append(none, p)
			case w.kind == wayDefault && !c.knows(m, p, w):
				byDefault = append(byDefault, p)
			}
		}
		if len(none)+len(byDefault) > 0 {
			s := stranded{members: m, to: append(none, byDefault...), none: len(none) > 0}
			s.near, s.apart = c.near(m)
			out = append(out, s)
		}
	}
	return out
}

// knows reports whether the router of the default route leads on: it is a border
// router itself, or the prefix is a global one, which only it can have delegated
// (DHCPv6 prefix delegation).
func (c *Case) knows(m *members, p netip.Prefix, w way) bool {
	if !p.Addr().IsPrivate() {
		return true
	}
	gateway := w.gateway.WithZone("")
	for _, n := range m.borders {
		if slices.ContainsFunc(n.Addresses, func(a netip.Addr) bool { return a.WithZone("") == gateway }) {
			return true
		}
	}
	return false
}

// ownMeshes are the networks whose border routers are there.
func (c *Case) ownMeshes() (out []*members) {
	for _, m := range c.x.meshes {
		if len(m.borders) > 0 && len(out) < maxOwn {
			out = append(out, m)
		}
	}
	return out
}

// near finds the interfaces on whose LAN the border routers of m are: all LANs,
// where their addresses do not tell. apart is the address of one where they are
// known to be on none.
func (c *Case) near(m *members) (near []*HostInterface, apart netip.Addr) {
	lans := c.Host.lans()
	if len(m.borders) > maxNodes {
		return lans, apart
	}
	for _, n := range m.borders {
		for _, a := range n.Addresses {
			on := false
			for _, l := range lans {
				if l.onLink(a) {
					on = true
					if !slices.Contains(near, l) {
						near = append(near, l)
					}
				}
			}
			// Only an IPv4 address tells that a border router is elsewhere: a LAN has
			// many IPv6 prefixes.
			if a.Unmap().Is4() && a.Unmap().IsPrivate() && !on && !apart.IsValid() && slices.ContainsFunc(lans, (*HostInterface).has4) {
				apart = a.Unmap()
			}
		}
	}
	if near == nil {
		near = lans
	} else {
		apart = netip.Addr{}
	}
	return near, apart
}

// linkLocal is a link-local address of a border router of m on its LAN, not on
// its radio; invalid: nobody told one.
func linkLocal(m *members) netip.Addr {
	for _, n := range m.borders {
		for _, a := range n.Addresses {
			if x, made := diag.ExtAddrFromLinkLocal(a); a.IsLinkLocalUnicast() && a.Is6() && (!made || x != n.ExtAddr) {
				return a.WithZone("")
			}
		}
	}
	return netip.Addr{}
}

// seen is the evidence that something was looked at on this machine.
func (c *Case) seen(field string) topology.Evidence {
	return topology.Evidence{Source: "host", At: c.Now, Field: field}
}

// bordersOf are the border routers of several networks.
func bordersOf(in []stranded) (out []*topology.Node) {
	for _, s := range in {
		out = append(out, s.borders[:min(len(s.borders), maxNodes)]...)
	}
	return out
}

// networksOf names several networks.
func networksOf(in []stranded) string {
	var words []string
	for _, s := range in {
		words = append(words, network(s.Network))
	}
	return list(words)
}

// prefixesOf names the prefixes of several networks.
func prefixesOf(in []stranded) string {
	var words []string
	for _, s := range in {
		for _, p := range s.to {
			words = append(words, p.String())
		}
	}
	return list(words)
}
