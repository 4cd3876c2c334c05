package doctor

import (
	"fmt"
	"slices"
	"strings"

	"threadmap/diag"
	"threadmap/topology"
)

// borderRouterSettings finds border routers of one network that hold different
// versions of its operational dataset (Thread 8.4.3): channel, PAN id, active
// timestamp. One with an old version drops out of the mesh when the others
// change the channel.
var borderRouterSettings = Rule{
	Name:  "border-router-settings",
	About: "border routers of one network that hold different settings of it",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, m := range c.x.meshes {
			if len(m.borders) < 2 {
				continue
			}
			f := Finding{
				Severity: Warning, Confidence: Medium,
				Title:    fmt.Sprintf("The border routers of %s hold different settings of it", network(m.Network)),
				NextStep: "A change of settings takes some minutes to reach all: scan again. If they stay different, restart the one with the older settings, or add it to the network anew.",
			}
			var words []string
			listed := map[*topology.Node]bool{}
			for _, about := range settings {
				told, nodes, evidence := c.toldBy(m.borders, about.get)
				if len(told) < 2 {
					continue
				}
				if about.apart {
					f.Severity, f.Confidence = Error, High
				}
				var each []string
				for _, v := range told {
					each = append(each, fmt.Sprintf("%s at %s", about.text(v.value), names(v.nodes)))
				}
				words = append(words, about.name+" "+list(each))
				for _, n := range nodes {
					if !listed[n] {
						listed[n] = true
						f.Nodes = append(f.Nodes, n)
					}
				}
				f.Evidence = append(f.Evidence, evidence...)
			}
			if words == nil {
				continue
			}
			f.Detail = "Differences: " + strings.Join(words, "; ") + "."
			out = append(out, f)
		}
		return out
	},
}

// The settings that are compared. Those apart can't differ within a mesh: radios
// with another channel or PAN id do not hear each other.
var settings = []struct {
	name  string
	apart bool
	get   func(*diag.Network) (uint64, bool)
	text  func(uint64) string
}{
	{"channel", true, func(n *diag.Network) (uint64, bool) { v, ok := n.Channel.Get(); return uint64(v), ok }, func(v uint64) string { return fmt.Sprint(v) }},
	{"PAN id", true, func(n *diag.Network) (uint64, bool) { v, ok := n.PANID.Get(); return uint64(v), ok }, func(v uint64) string { return fmt.Sprintf("0x%04x", v) }},
	// The last bit says who set the clock, which is no difference.
	{"version", false, func(n *diag.Network) (uint64, bool) { v, ok := n.ActiveTimestamp.Get(); return v >> 1, ok }, func(v uint64) string { return fmt.Sprintf("%d.%d", v>>15, v&0x7fff) }},
}

// A told value is one that nodes gave.
type told struct {
	value uint64
	nodes []*topology.Node
}

// toldBy gathers what each node itself said just now, the most frequent value
// first.
func (c *Case) toldBy(nodes []*topology.Node, get func(*diag.Network) (uint64, bool)) (out []told, who []*topology.Node, evidence []topology.Evidence) {
	index := map[uint64]int{}
	for _, n := range nodes {
		r := latest(n, func(r *diag.Report) bool { _, ok := get(&r.Network); return ok && !r.Cached })
		if r == nil || !c.fresh(r.At) {
			continue
		}
		v, _ := get(&r.Network)
		k, ok := index[v]
		if !ok {
			k = len(out)
			index[v] = k
			out = append(out, told{value: v})
		}
		out[k].nodes = append(out[k].nodes, n)
		who, evidence = append(who, n), append(evidence, said(n, r, "network"))
	}
	slices.SortStableFunc(out, func(a, b told) int { return len(b.nodes) - len(a.nodes) })
	return out, who, evidence
}
