package doctor

import (
	"fmt"

	"threadmap/topology"
)

// lostWithParent finds routers most of whose devices are lost while the router
// itself is there.
var lostWithParent = Rule{
	Name:  "lost-with-parent",
	About: "a router most of whose devices are lost",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, s := range c.x.lost.parents {
			f := Finding{
				Severity: Error, Confidence: Medium,
				Title:    fmt.Sprintf("%d of the %d devices of %s are lost", len(s.nodes), s.of, s.by.Label()),
				Detail:   fmt.Sprintf("Their controller can't reach %s, or only a cache speaks of them. They have %s as their parent in common, which is there.", names(s.nodes), s.by.Label()),
				Nodes:    append([]*topology.Node{s.by}, s.nodes...),
				NextStep: fmt.Sprintf("Switch %s off and on: its devices then look for another parent within minutes. If they come back, look for an update of its firmware.", s.by.Label()),
				Evidence: append(s.evidence, evidenceOf(s.by)...),
			}
			if len(s.nodes) == s.of {
				f.Title = fmt.Sprintf("All %d devices of %s are lost", s.of, s.by.Label())
			}
			if len(s.nodes) >= fewLost {
				f.Confidence = High
			}
			out = append(out, f)
		}
		return out
	},
}
