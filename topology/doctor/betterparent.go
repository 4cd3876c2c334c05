package doctor

import (
	"fmt"
	"time"

	"threadmap/diag"
	"threadmap/topology"
)

const (
	// betterBy is how much stronger, in dB, another router must be to be worth a
	// change: signals in a home swing by some dB with every door.
	betterBy = 10
	// wellHeard is the signal, in dBm, above which no device gains anything by
	// another parent.
	wellHeard = -65
	// overheardFor is how long ago a router that is not the parent may have been
	// heard: stacks drop such a neighbor after 100 to 150 s.
	overheardFor = 150 * time.Second
)

// betterParent finds devices that hear, or are heard by, another router clearly
// better than their parent. Where the link to the parent is weak, weakLink
// speaks of the other router.
var betterParent = Rule{
	Name:  "better-parent",
	About: "a device that has a much better router in reach than its parent",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, l := range c.Map.Links {
			child, parent, _, _ := childLink(l)
			if child == nil || l.State != topology.LinkOK || weakSigns(l) != nil {
				continue
			}
			b := c.betterParent(child, l)
			if b == nil {
				continue
			}
			f := Finding{
				Severity: Info, Confidence: Low,
				Title:    fmt.Sprintf("%s has a better parent in reach: %s", child.Label(), b.node.Label()),
				Detail:   fmt.Sprintf("It hangs on %s. %s is better: %s.", parent.Label(), b.node.Label(), b.how),
				Nodes:    []*topology.Node{child, parent, b.node},
				NextStep: fmt.Sprintf("Most devices look for a better parent by themselves within a day. If %s stays where it is and answers badly, switch it off and on.", child.Label()),
				Evidence: append(l.Evidence[:len(l.Evidence):len(l.Evidence)], b.evidence),
			}
			if b.gain >= betterBy {
				f.Confidence = Medium
			}
			out = append(out, f)
		}
		return out
	},
}

// A candidate is a router that would be a better parent.
type candidate struct {
	node     *topology.Node
	gain     int // dB; 0: only the quality is known
	how      string
	evidence topology.Evidence
}

// betterParent is the best router for child that somebody told of, nil for none
// that is clearly better than what it has.
func (c *Case) betterParent(child *topology.Node, l *topology.Link) *candidate {
	_, parent, up, down := childLink(l)
	var best *candidate
	offer := func(n *topology.Node, e topology.Evidence, now topology.Direction, rssi diag.Opt[int8], lq diag.Opt[uint8], ear string) {
		if n == nil || n == parent || n == child || n.State != topology.NodeOK || !n.Role.Routes() || n.Network != child.Network || n.Partition != child.Partition {
			return
		}
		k := &candidate{node: n, evidence: e}
		have, a := now.RSSI.Get()
		would, b := rssi.Get()
		haveLQ, q := l.Quality()
		wouldLQ, p := lq.Get()
		switch {
		case a && b && have <= wellHeard && int(would)-int(have) >= betterBy:
			k.gain = int(would) - int(have)
			k.how = fmt.Sprintf("%d dB stronger (%d against %d dBm%s)", k.gain, would, have, ear)
		case a && b:
			return // the signals decide
		case q && p && haveLQ > 0 && wouldLQ > haveLQ:
			k.how = fmt.Sprintf("link quality %d of 3 instead of %d", wouldLQ, haveLQ)
		default:
			return
		}
		if best == nil || k.gain > best.gain || k.gain == best.gain && n.ID < best.node.ID {
			best = k
		}
	}
	// What the child itself hears: only full Thread devices keep such rows.
	if r := latest(child, func(r *diag.Report) bool { return (r.Neighbors != nil || r.Routes != nil) && !r.Cached }); r != nil && c.fresh(r.At) && r.RLOC16.IsChild() {
		for i := range r.Neighbors {
			if w := &r.Neighbors[i]; w.Age.Or(0) <= overheardFor {
				offer(c.rowNode(child, w.ExtAddr, w.RLOC16), said(child, r, "neighbor table"), down, signal(w), w.LinkQualityIn, " at the device")
			}
		}
		for i := range r.Routes {
			if w := &r.Routes[i]; w.LinkQualityIn.Or(0) > 0 && w.Age.Or(0) <= overheardFor && w.LinkEstablished.Or(true) {
				lq := w.LinkQualityIn
				if out, known := w.LinkQualityOut.Get(); known {
					lq = diag.Some(min(out, lq.Or(0)))
				}
				offer(c.rowNode(child, w.ExtAddr, diag.RouterRLOC16(w.RouterID)), said(child, r, "route table"), down, diag.Opt[int8]{}, lq, "")
			}
		}
	}
	// What other routers hear of the child.
	for _, o := range c.x.overhears[child] {
		offer(o.by, o.evidence, up, signal(o.row), o.row.LinkQualityIn, " at the router")
	}
	return best
}

// rowNode is the node that a row of n's table names, nil for nobody known.
func (c *Case) rowNode(n *topology.Node, x diag.ExtAddr, rl diag.RLOC16) *topology.Node {
	if x != 0 {
		return c.x.byExt[x]
	}
	if !rl.Known() {
		return nil
	}
	return c.x.byRLOC[place{n.Network, n.Partition, rl}]
}

func signal(w *diag.Neighbor) diag.Opt[int8] {
	if w.AverageRSSI.Known() {
		return w.AverageRSSI
	}
	return w.LastRSSI
}

// An overheard row is a router's word about a child of another router.
type overheard struct {
	by       *topology.Node
	row      *diag.Neighbor
	evidence topology.Evidence
}

// findOverheard gathers what routers hear of children that are not theirs. Rows
// of a child table do not count: they are what is left of a child that moved.
func (c *Case) findOverheard() map[*topology.Node][]overheard {
	out := map[*topology.Node][]overheard{}
	for _, m := range c.x.meshes {
		for _, n := range m.routers {
			r := latest(n, func(r *diag.Report) bool { return r.Neighbors != nil && !r.Cached })
			if r == nil || !c.fresh(r.At) {
				continue
			}
			for i := range r.Neighbors {
				w := &r.Neighbors[i]
				child := c.rowNode(n, w.ExtAddr, w.RLOC16)
				if child != nil && child.Parent != nil && child.Parent != n && w.Age.Or(0) <= overheardFor {
					out[child] = append(out[child], overheard{n, w, said(n, r, "neighbor table")})
				}
			}
		}
	}
	return out
}
