package doctor

import (
	"fmt"
	"net/netip"
	"slices"

	"threadmap/diag"
	"threadmap/topology"
)

// unpublishedPrefix finds devices with an address in a prefix that no border
// router publishes: whoever uses that address does not reach them. It needs to
// know the prefixes that are published now and, since a mesh-local address looks
// no different, the mesh-local one.
var unpublishedPrefix = Rule{
	Name:  "unpublished-prefix",
	About: "devices that go by an address to which no border router leads",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, m := range c.x.meshes {
			good := c.published(m)
			if len(good) == 0 || !m.MeshLocalPrefix.IsValid() || len(m.Partitions) > 1 {
				continue
			}
			// By prefix: the nodes with no other usable address, and those with one.
			only, also := map[netip.Prefix][]*topology.Node{}, map[netip.Prefix][]*topology.Node{}
			var order []netip.Prefix
			for _, n := range m.nodes {
				if n.BorderRouter.Or(false) || n.State == topology.NodeStale || n.Transport != diag.TransportThread || !c.spokenOf(n) {
					continue
				}
				dead, alive := deadPrefixes(n, m, good)
				for _, p := range dead {
					if only[p] == nil && also[p] == nil {
						order = append(order, p)
					}
					if alive {
						also[p] = append(also[p], n)
					} else {
						only[p] = append(only[p], n)
					}
				}
			}
			slices.SortFunc(order, netip.Prefix.Compare)
			for _, p := range order[:min(len(order), maxPrefixes)] {
				var now []string
				for _, g := range good {
					now = append(now, g.String())
				}
				f := Finding{
					Severity: Warning, Confidence: High,
					Detail:   fmt.Sprintf("Addresses in %s; border routers publish %s.", p, list(now)),
					NextStep: "Switch these devices off and on, or wait: they take a new address within hours. If an address comes back that nobody publishes, a border router drops and renews its range: update or restart it.",
				}
				if nodes := only[p]; nodes != nil {
					f.Title = fmt.Sprintf("%s %s only an address that leads nowhere", names(nodes), have(len(nodes)))
					f.Nodes = append(nodes, also[p]...)
				} else {
					f.Severity, f.Confidence = Info, Medium
					f.Title = fmt.Sprintf("%s %s an old address beside the right one", names(also[p]), have(len(also[p])))
					f.Nodes = also[p]
				}
				f.Evidence = evidenceOf(f.Nodes...)
				out = append(out, f)
			}
		}
		return out
	},
}

func have(devices int) string {
	if devices == 1 {
		return "has"
	}
	return "have"
}

// spokenOf reports whether anybody said something of n just now.
func (c *Case) spokenOf(n *topology.Node) bool {
	return slices.ContainsFunc(n.Evidence, func(e topology.Evidence) bool { return c.fresh(e.At) })
}

// deadPrefixes are the prefixes of n's addresses that nobody publishes; alive
// tells whether it has an address in one that is. Link-local and mesh-local
// addresses do not count: they never lead out of the mesh.
func deadPrefixes(n *topology.Node, m *members, good []netip.Prefix) (dead []netip.Prefix, alive bool) {
	for _, a := range n.Addresses {
		if !a.Is6() || a.Is4In6() || !a.IsGlobalUnicast() || m.MeshLocalPrefix.Contains(a) {
			continue
		}
		p, err := a.WithZone("").Prefix(64)
		switch {
		case err != nil:
		case slices.Contains(good, p):
			alive = true
		case !slices.Contains(dead, p) && len(dead) < maxPrefixes:
			dead = append(dead, p)
		}
	}
	return dead, alive
}
