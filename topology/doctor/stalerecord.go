package doctor

import (
	"fmt"
	"slices"

	"threadmap/topology"
)

// staleRecord finds devices that are announced and that nobody in the mesh knows:
// the record outlived the device. Records are kept for up to two hours after a
// device fell silent (its SRP lease).
var staleRecord = Rule{
	Name:  "stale-record",
	About: "a device that is still announced, though nobody in the mesh knows it",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, m := range c.x.meshes {
			missing := c.missing(m)
			tables := tablesOf(m, missing)
			for _, n := range missing {
				if !onlyAnnounced(n) {
					continue
				}
				out = append(out, Finding{
					Severity: Warning, Confidence: Medium,
					Title:    fmt.Sprintf("%s is announced, but not in the mesh", n.Label()),
					Detail:   fmt.Sprintf("Its addresses are those of %s, but none of the %s there has it. A border router announces a device until its registration runs out, up to two hours after it was last heard.", network(m.Network), count(len(m.routers), "router", "routers")),
					Nodes:    []*topology.Node{n},
					NextStep: fmt.Sprintf("If you switched %s off, there is nothing to do. Else look whether it has power or a good battery and is in reach of a router; controllers will try its old address in vain meanwhile.", n.Label()),
					Evidence: slices.Concat(tables, evidenceOf(n)),
				})
			}
		}
		return out
	},
}
