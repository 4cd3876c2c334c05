package doctor

import (
	"fmt"
	"strings"

	"threadmap/diag"
	"threadmap/topology"
)

const (
	// smallMargin is the link margin, in dB above the receiver's noise, under
	// which frames begin to get lost.
	smallMargin = 10
	// lossyFrames is the share of frames lost, before repetition, of a link that
	// is in trouble; lossyMessages that of whole messages, after it.
	lossyFrames, lossyMessages = diag.Rate(6553), diag.Rate(3276) // 10 %, 5 %
)

// lossyLink finds devices whose link to their parent loses much, or stands little
// above the noise, though the signal is strong enough for weakLink to be silent:
// then something else is loud there.
var lossyLink = Rule{
	Name:  "lossy-link",
	About: "a device whose link to its parent loses much though the signal is not weak",
	Of:    OfLink,
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, l := range c.Map.Links {
			child, parent, up, down := childLink(l)
			if child == nil || l.State != topology.LinkOK || weakSigns(l) != nil {
				continue
			}
			var signs []string
			for _, d := range []struct {
				topology.Direction
				by *topology.Node
			}{{up, parent}, {down, child}} {
				if margin, known := d.Margin.Get(); known && margin < smallMargin {
					signs = append(signs, fmt.Sprintf("only %d dB above the noise at %s", margin, d.by.Label()))
				}
				if rate, known := d.FrameError.Get(); known && rate >= lossyFrames {
					signs = append(signs, fmt.Sprintf("%s of the frames lost, as %s counts", rate, d.by.Label()))
				}
				if rate, known := d.MessageError.Get(); known && rate >= lossyMessages {
					signs = append(signs, fmt.Sprintf("%s of the messages lost, as %s counts", rate, d.by.Label()))
				}
			}
			if signs == nil {
				continue
			}
			f := Finding{
				Severity: Warning, Confidence: Medium,
				Title:    fmt.Sprintf("The link of %s to %s loses much", child.Label(), parent.Label()),
				Detail:   fmt.Sprintf("%s.", capital(strings.Join(signs, "; "))),
				Nodes:    []*topology.Node{child, parent},
				NextStep: fmt.Sprintf("Move %s or %s away from sources of noise (USB 3 ports, Wi-Fi access points, microwave ovens), or put a mains-powered Thread device between them.", child.Label(), parent.Label()),
				Evidence: l.Evidence,
			}
			if len(signs) > 1 {
				f.Confidence = High
			}
			out = append(out, f)
		}
		return out
	},
}
