package doctor

import (
	"fmt"

	"threadmap/diag"
	"threadmap/topology"
)

// lonelyRouter finds routers with one usable link while others are there. Where a
// border router is known singlePointOfFailure says what hangs on that link; where
// it is weak, weakRouter speaks; a border router has the LAN as its second way.
var lonelyRouter = Rule{
	Name:  "lonely-router",
	About: "a router that reaches the mesh over one other router only",
	Find: func(c *Case) []Finding {
		spokenOf := map[*topology.Node]bool{}
		for _, cut := range c.x.cuts {
			for _, n := range cut.Routers {
				spokenOf[n] = true
			}
		}
		var out []Finding
		for _, m := range c.x.meshes {
			if len(m.routers) < 3 || m.split != nil {
				continue
			}
			there := map[diag.Opt[uint32]]int{}
			for _, n := range m.routers {
				there[n.Partition]++
			}
			for _, n := range m.routers {
				if n.State != topology.NodeOK || !n.RouterTable || n.BorderRouter.Or(false) || spokenOf[n] || there[n.Partition] < 3 || c.allWeak(n) != nil {
					continue
				}
				next := c.Ways.Routers(n)
				if len(next) != 1 {
					continue
				}
				f := Finding{
					Severity: Info, Confidence: Medium,
					Title:    fmt.Sprintf("%s reaches the mesh over %s only", n.Label(), next[0].Label()),
					Detail:   fmt.Sprintf("There are %d other routers; it has a usable link with none of them but %s.", there[n.Partition]-1, next[0].Label()),
					Nodes:    []*topology.Node{n, next[0]},
					NextStep: fmt.Sprintf("Put one more mains-powered Thread device between %s and the rest, so that there are two ways.", n.Label()),
				}
				for _, l := range c.x.links[n] {
					if l.A == next[0] || l.B == next[0] {
						f.Evidence = append(f.Evidence, l.Evidence...)
					}
				}
				out = append(out, f)
			}
		}
		return out
	},
}
