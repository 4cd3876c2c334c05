package doctor

import (
	"fmt"

	"threadmap/topology"
)

func (c *Case) silent(ours func(*topology.Node) bool, what, next string) []Finding {
	var out []Finding
	for _, m := range c.x.meshes {
		for _, n := range m.routers {
			if n.State != topology.NodeSilent || !ours(n) {
				continue
			}
			if !n.Heard && n.ExtAddr == 0 && c.x.spoken[place{n.Network, n.Partition, n.RLOC16}] {
				continue // two say that they have this address: addressConflict's
			}
			f := Finding{
				Severity: Warning, Confidence: Medium,
				Title:    fmt.Sprintf("%s did not answer", n.Label()),
				Detail:   fmt.Sprintf("It is a %s of %s: %s.", what, network(m.Network), n.Why),
				Nodes:    append([]*topology.Node{n}, n.Children...),
				NextStep: next,
				Evidence: evidenceOf(n),
			}
			if k := len(n.Children); k > 0 {
				f.Detail += fmt.Sprintf(" %s on it: %s.", hang(k), names(n.Children))
			}
			out = append(out, f)
		}
	}
	return out
}
