package doctor

import (
	"fmt"

	"threadmap/topology"
)

// oneWayLink finds links that carry frames in one direction only.
var oneWayLink = Rule{
	Name:  "one-way-link",
	About: "a link over which one end hears the other, but is not heard",
	Of:    OfLink,
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, l := range c.broken(topology.LinkOneWay) {
			deaf, lost := l.A, l.B // deaf no longer receives lost
			if l.BToA.LQ.Or(1) != 0 {
				deaf, lost = l.B, l.A
			}
			f := Finding{
				Severity: Warning, Confidence: Medium,
				Title:    fmt.Sprintf("%s hears %s, but not the other way round", lost.Label(), deaf.Label()),
				Detail:   fmt.Sprintf("What %s sends does not reach %s. A link needs both directions, so this one carries nothing.", lost.Label(), deaf.Label()),
				Nodes:    []*topology.Node{deaf, lost},
				NextStep: fmt.Sprintf("Look for a source of noise near %s (USB 3 ports, Wi-Fi access points), and whether %s is hidden behind metal. A link that just broke is gone from the tables within minutes: scan again.", deaf.Label(), lost.Label()),
				Evidence: l.Evidence,
			}
			if l.Confidence == topology.Confirmed {
				f.Confidence = High
			}
			out = append(out, f)
		}
		return out
	},
}
