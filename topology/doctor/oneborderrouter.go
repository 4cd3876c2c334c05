package doctor

import (
	"fmt"
	"slices"

	"threadmap/topology"
)

// oneBorderRouter finds networks that hang on one border router. It speaks only
// where the mesh itself was asked: mDNS alone does not show the border routers
// of another network segment.
var oneBorderRouter = Rule{
	Name:  "one-border-router",
	About: "a network with one border router only: without it every device is cut off from the home",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, m := range c.x.meshes {
			devices := 0
			for _, n := range m.nodes {
				if n.State != topology.NodeStale {
					devices++
				}
			}
			asked := slices.ContainsFunc(m.nodes, func(n *topology.Node) bool { return n.RouterTable || n.ChildTable })
			if len(m.borders) != 1 || !asked || m.cut || devices < 2 {
				continue
			}
			border := m.borders[0]
			out = append(out, Finding{
				Severity: Info, Confidence: Medium,
				Title: fmt.Sprintf("%s is the only border router of %s", border.Label(), network(m.Network)),
				Detail: fmt.Sprintf("%s the home network through it alone. While it restarts or updates, none of them answers.",
					count(devices-1, "other device reaches", "other devices reach")),
				Nodes:    []*topology.Node{border},
				NextStep: "A second border router on the same Thread network (most hubs and some speakers are one) keeps the devices reachable when this one is away.",
				Evidence: evidenceOf(border),
			})
		}
		return out
	},
}
