package doctor

import (
	"fmt"

	"threadmap/diag"
	"threadmap/topology"
)

// manyRetriesPercent of the frames sent again are a lot: the counter of sent
// frames counts each once.
const manyRetriesPercent = 40

// manyRetries finds devices that must send many frames twice and more. A child on
// a link that other rules call weak or lossy has that for a reason.
var manyRetries = Rule{
	Name:  "many-retries",
	About: "a device that must send many of its frames again",
	Find: func(c *Case) []Finding {
		explained := map[*topology.Node]bool{}
		for _, r := range []Rule{weakLink, lossyLink, weakRouter} {
			for _, f := range r.Find(c) {
				explained[f.Nodes[0]] = true
			}
		}
		var out []Finding
		for _, n := range c.Map.Nodes {
			r := c.sent(n, diag.TxRetryCount)
			if r == nil || explained[n] {
				continue
			}
			total, retries := r.Counters[diag.TxTotalCount], r.Counters[diag.TxRetryCount]
			share := percent(retries, total)
			if share < manyRetriesPercent {
				continue
			}
			f := Finding{
				Severity: Warning, Confidence: Medium,
				Title:    fmt.Sprintf("%s repeats many of its frames", n.Label()),
				Detail:   fmt.Sprintf("For %d frames it sent %d repetitions (%d for each 100) since it started.", total, retries, share),
				Nodes:    []*topology.Node{n},
				NextStep: fmt.Sprintf("Something near %s is loud, or the one it talks to is far. Move it away from USB 3 ports and Wi-Fi access points, or put a mains-powered Thread device near it.", n.Label()),
				Evidence: []topology.Evidence{said(n, r, "MAC counters")},
			}
			out = append(out, f)
		}
		return out
	},
}
