package doctor

import (
	"fmt"

	"threadmap/topology"
)

// noRoute finds networks to whose devices this machine has no way: nothing leads
// to the prefix that their border routers publish (Thread 9.6). Where a setting of
// the machine keeps announced routes out, that is routerAdvertisements'.
var noRoute = Rule{
	Name:  "no-route",
	About: "networks to whose devices this machine has no route",
	Find: func(c *Case) []Finding {
		var none, byDefault []stranded
		for _, s := range c.x.stranded {
			switch {
			case c.ignoring(s) != nil:
			case s.none:
				none = append(none, s)
			default:
				byDefault = append(byDefault, s)
			}
		}
		var out []Finding
		if len(none) > 0 {
			out = append(out, c.noRoute(none, Finding{
				Severity: Error, Confidence: High,
				Title:  fmt.Sprintf("This machine has no way to the devices of %s", networksOf(none)),
				Detail: fmt.Sprintf("The border routers publish %s, and no usable route of this machine covers that.", prefixesOf(none)),
			}))
		}
		if len(byDefault) > 0 {
			out = append(out, c.noRoute(byDefault, Finding{
				Severity: Warning, Confidence: Medium,
				Title:  fmt.Sprintf("This machine sends what is for the devices of %s to its default router", networksOf(byDefault)),
				Detail: fmt.Sprintf("The border routers publish %s. No route of its own leads there, and hardly any default router knows of it.", prefixesOf(byDefault)),
			}))
		}
		return out
	},
}

// noRoute tells of networks what they have in common.
func (c *Case) noRoute(in []stranded, f Finding) Finding {
	s := in[0]
	f.Nodes = bordersOf(in)
	f.Evidence = append([]topology.Evidence{c.seen("IPv6 routes")}, evidenceOf(f.Nodes...)...)
	if s.apart.IsValid() {
		f.Detail += fmt.Sprintf(" A border router of %s is at %s, which is on no LAN of this machine, so the routes that it announces don't arrive here.", network(s.Network), s.apart)
		f.NextStep = fmt.Sprintf("Connect this machine to the LAN of the border routers, or let the router between the two LANs have a route to %s. To see the way: %s.", s.to[0], c.Host.lookAtWay(inPrefix(s.to[0])))
		return f
	}
	f.NextStep = fmt.Sprintf("To see the way: %s. Border routers announce the route every few minutes: see that this machine is on their LAN, and that its switches and access points pass IPv6 multicast. Until then, by hand: %s.",
		c.Host.lookAtWay(inPrefix(s.to[0])), c.Host.addRoute(s.to[0], linkLocal(s.members), first(s.near)))
	return f
}
