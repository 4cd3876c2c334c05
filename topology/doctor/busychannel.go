package doctor

import (
	"fmt"
	"slices"

	"threadmap/diag"
	"threadmap/topology"
)

// busyPercent of the frames kept back because the channel was in use are a lot.
const busyPercent = 15

// busyChannel finds networks whose nodes often find the channel in use when they
// want to send. All share the channel, so there is one finding for each network.
var busyChannel = Rule{
	Name:  "busy-channel",
	About: "a network whose radio channel is busy with something else",
	Find: func(c *Case) []Finding {
		type worst struct {
			n     *topology.Node
			r     *diag.Report
			share uint64
		}
		var out []Finding
		for _, m := range c.x.meshes {
			var busy []worst
			for _, n := range m.nodes {
				r := c.sent(n, diag.TxErrCcaCount)
				if r == nil {
					continue
				}
				if share := percent(r.Counters[diag.TxErrCcaCount], r.Counters[diag.TxTotalCount]); share >= busyPercent {
					busy = append(busy, worst{n, r, share})
				}
			}
			if busy == nil {
				continue
			}
			slices.SortStableFunc(busy, func(a, b worst) int {
				switch {
				case a.share > b.share:
					return -1
				case a.share < b.share:
					return 1
				}
				return 0
			})
			f := Finding{
				Severity: Warning, Confidence: Medium,
				Title:    fmt.Sprintf("The radio channel of %s is busy", network(m.Network)),
				NextStep: "Look for a Wi-Fi access point on the same part of the 2.4 GHz band (channels 11 to 14 of Thread lie under Wi-Fi 1, 16 to 19 under 6, 21 to 24 under 11; 15, 20, 25 and 26 lie between) or a Zigbee network on the same channel, and move that one.",
			}
			for _, b := range busy {
				f.Nodes = append(f.Nodes, b.n)
				f.Evidence = append(f.Evidence, said(b.n, b.r, "MAC counters"))
			}
			channel := ""
			if ch, known := m.Channel.Get(); known {
				channel = fmt.Sprintf(" It is channel %d.", ch)
			}
			f.Detail = fmt.Sprintf("%s found it in use %d times for each 100 frames.%s", busy[0].n.Label(), busy[0].share, channel)
			if len(busy) > 1 {
				f.Confidence = High
				f.Detail += fmt.Sprintf(" %s the like.", count(len(busy)-1, "other device counts", "other devices count"))
			}
			out = append(out, f)
		}
		return out
	},
}
