package doctor

import (
	"fmt"

	"threadmap/diag"
	"threadmap/topology"
)

const (
	// maxRouters is how many routers a partition can have (Thread 5.9).
	maxRouters = 32
	// nearlyAllRouters leaves too few places to count on.
	nearlyAllRouters = 30
)

// routerLimit finds partitions that have nearly all the routers they can have.
var routerLimit = Rule{
	Name:  "router-limit",
	About: "a network that has nearly as many routers as it can have",
	Of:    OfAll,
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, m := range c.x.meshes {
			there := map[diag.Opt[uint32]][]*topology.Node{}
			var order []diag.Opt[uint32]
			for _, n := range m.routers {
				if there[n.Partition] == nil {
					order = append(order, n.Partition)
				}
				there[n.Partition] = append(there[n.Partition], n)
			}
			for _, p := range order {
				routers := there[p]
				taken := len(routers)
				for _, n := range routers {
					taken = max(taken, min(int(routersTold(n)), maxRouters))
				}
				if taken < nearlyAllRouters {
					continue
				}
				out = append(out, Finding{
					Severity: Info, Confidence: High,
					Title:    fmt.Sprintf("%s has %d of at most %d routers", network(m.Network), min(taken, maxRouters), maxRouters),
					Detail:   "When all places are taken, a further mains-powered device stays an end device and carries nobody, however badly it is needed where it stands. Routers that are not needed step down by themselves.",
					Nodes:    routers,
					NextStep: "Nothing to do as long as all devices answer. If a corner has no router, switch off some of those that stand close together, so that one there can take a place.",
					Evidence: evidenceOf(routers...),
				})
			}
		}
		return out
	},
}
