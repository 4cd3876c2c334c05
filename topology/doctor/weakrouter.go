package doctor

import (
	"fmt"
	"strings"

	"threadmap/topology"
)

// weakRouter finds routers all of whose links to other routers are weak. It
// speaks only of routers that gave their table, so that no link is missing.
var weakRouter = Rule{
	Name:  "weak-router",
	About: "a router all of whose links to other routers are weak",
	Find: func(c *Case) []Finding {
		var out []Finding
		told := map[*topology.Link]bool{} // the only link of two routers is one trouble
		for _, m := range c.x.meshes {
			for _, n := range m.routers {
				links := c.allWeak(n)
				if links == nil || len(links) == 1 && told[links[0]] {
					continue
				}
				f := Finding{
					Severity: Warning, Confidence: Medium,
					Nodes:    []*topology.Node{n},
					NextStep: fmt.Sprintf("Put another mains-powered Thread device between %s and the other routers.", n.Label()),
				}
				confirmed := true
				for _, l := range links {
					told[l] = true
					other := l.A
					if other == n {
						other = l.B
					}
					f.Nodes = append(f.Nodes, other)
					f.Evidence = append(f.Evidence, l.Evidence...)
					confirmed = confirmed && l.Confidence == topology.Confirmed
				}
				if confirmed {
					f.Confidence = High
				}
				if len(links) == 1 {
					f.Title = fmt.Sprintf("%s has one link to other routers, and that is weak", n.Label())
				} else {
					f.Title = fmt.Sprintf("All %d links of %s to other routers are weak", len(links), n.Label())
				}
				f.Detail = fmt.Sprintf("The link with %s: %s.", f.Nodes[1].Label(), strings.Join(weakSigns(links[0]), ", "))
				if k := len(n.Children); k > 0 {
					f.Detail += fmt.Sprintf(" %s on it.", hang(k))
				}
				out = append(out, f)
			}
		}
		return out
	},
}

// allWeak are the links of a router to others where all are known and weak, nil
// where one is not.
func (c *Case) allWeak(n *topology.Node) []*topology.Link {
	if n.State != topology.NodeOK || !n.RouterTable {
		return nil
	}
	var out []*topology.Link
	for _, l := range c.x.links[n] {
		if l.Kind != topology.LinkRouter || l.State != topology.LinkOK {
			continue
		}
		if weakSigns(l) == nil {
			return nil
		}
		out = append(out, l)
	}
	return out
}
