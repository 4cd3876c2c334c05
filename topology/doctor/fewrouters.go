package doctor

import (
	"fmt"
	"slices"

	"threadmap/diag"
	"threadmap/topology"
)

// fewRoutersFor is how many devices per router make few routers too few.
const fewRoutersFor = 10

// fewRouters finds networks in which one or two routers carry many devices and
// no device is left that could become one more.
var fewRouters = Rule{
	Name:  "few-routers",
	About: "a network with many devices and hardly any router to carry them",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, m := range c.x.meshes {
			children := 0
			reserve := false // a full Thread device that is a child could become a router
			for _, n := range m.children {
				if n.State == topology.NodeStale {
					continue
				}
				children++
				mode, known := n.Mode.Get()
				reserve = reserve || n.Role == diag.RoleREED || !known && n.Role != diag.RoleSleepyEndDevice || mode.FullThreadDevice
			}
			if !m.complete || len(m.routers) > 2 || children < fewRoutersFor*len(m.routers) || reserve {
				continue
			}
			out = append(out, Finding{
				Severity: Warning, Confidence: High,
				Title:    fmt.Sprintf("%s has %s for %d devices", network(m.Network), count(len(m.routers), "router", "routers"), children),
				Detail:   fmt.Sprintf("Only %s can carry the traffic of others, and no other device of this network could become a router: the others run on batteries or are made without that part.", names(m.routers)),
				Nodes:    slices.Clone(m.routers),
				NextStep: "Add mains-powered Thread devices that are routers (plugs, lamps, outlets), one or two in each part of the home.",
				Evidence: evidenceOf(m.routers...),
			})
		}
		return out
	},
}
