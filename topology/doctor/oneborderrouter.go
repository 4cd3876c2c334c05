package doctor

import (
	"fmt"

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
		for _, net := range c.Map.Networks {
			var border *topology.Node
			several, asked, devices := false, false, 0
			for _, n := range c.Map.Nodes {
				if n.Network != net || n.State == topology.NodeGhost || n.State == topology.NodeStale {
					continue
				}
				devices++
				asked = asked || n.RouterTable || n.ChildTable
				if n.BorderRouter.Or(false) {
					several = border != nil
					if border = n; several {
						break
					}
				}
			}
			if several || border == nil || !asked || devices < 2 {
				continue
			}
			out = append(out, Finding{
				Severity: Info, Confidence: Medium,
				Title: fmt.Sprintf("%s is the only border router of %s", border.Label(), network(net)),
				Detail: fmt.Sprintf("%s reach the home network through it alone. While it restarts or updates, none of them answers.",
					count(devices-1, "other device", "other devices")),
				Nodes:    []*topology.Node{border},
				NextStep: "A second border router on the same Thread network (most hubs and some speakers are one) keeps the devices reachable when this one is away.",
				Evidence: border.Evidence,
			})
		}
		return out
	},
}
