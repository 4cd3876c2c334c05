package doctor

import (
	"fmt"

	"threadmap/topology"
)

// dyingLink finds links that both ends have just lost: their tables still show
// the other as heard, but each says that the other hears it no more.
var dyingLink = Rule{
	Name:  "dying-link",
	About: "a link that just broke and that the tables have not forgotten",
	Of:    OfLink,
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, l := range c.broken(topology.LinkDying) {
			out = append(out, Finding{
				Severity: Warning, Confidence: Medium,
				Title:    fmt.Sprintf("The link between %s and %s just broke", l.A.Label(), l.B.Label()),
				Detail:   "Each still has the other in its table, and each was told that it is not heard any more. Tables keep this for one to three minutes.",
				Nodes:    []*topology.Node{l.A, l.B},
				NextStep: fmt.Sprintf("Scan again in three minutes. If the link is gone then, look at what changed between %s and %s: a moved device, a closed metal door, a new source of noise.", l.A.Label(), l.B.Label()),
				Evidence: l.Evidence,
			})
		}
		return out
	},
}
