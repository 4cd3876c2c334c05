package topology

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// findStates says of each node whether it is there, and why where it is not
// plainly so.
func (b *builder) findStates() {
	type heard struct {
		by            []int32       // live rows of the newest epoch, by whom
		late          []int32       // such rows of routers not heard for longer than a stack keeps a neighbor
		age           time.Duration // the smallest of late
		cached, stale []int32
	}
	rows := make([]heard, len(b.nodes))
	for x := range b.rows {
		w := &b.rows[x]
		if w.rt != nil && !linked(w.rt) {
			continue
		}
		h := &rows[w.to]
		switch {
		case w.old || w.rank.trust == trustLost:
			h.stale = append(h.stale, w.from)
		case w.nb != nil && w.kind == neighborRow && w.nb.Age.Or(0) > maxNeighborAge && w.rank.trust == trustLive:
			if age := w.nb.Age.Or(0); len(h.late) == 0 || age < h.age {
				h.age = age
			}
			h.late = append(h.late, w.from)
		case w.rank.trust == trustCached:
			h.cached = append(h.cached, w.from)
		default:
			h.by = append(h.by, w.from)
		}
	}
	asked := b.asked()
	for k, n := range b.nodes {
		h := &rows[k]
		h.by = slices.DeleteFunc(h.by, func(who int32) bool { return slices.Contains(h.late, who) })
		last, best := n.lastSpoken(b), rank{}
		if n.spoke {
			best = b.rankOf(last)
		}
		old := n.place >= 0 && !b.current(n.place)
		switch {
		case n.ghost != "":
			n.State, n.Why = NodeGhost, "probably gone: "+n.ghost
		case n.spoke && best.trust == trustLive && !old:
			n.State = NodeOK
		case len(h.by) > 0 && n.spoke && n.place >= 0 && asked[n.place] && b.kindOf(int32(k)) == kindRouter:
			// A cache knows it, and tables keep a dead router for minutes.
			n.State, n.Why = NodeSilent, fmt.Sprintf("heard by %s, but it did not answer", b.list(h.by))
		case len(h.by) > 0 && (n.spoke || b.kindOf(int32(k)) == kindChild):
			n.State = NodeOK // its parent or a neighbor hears it now
		case n.spoke && best.trust == trustCached && !old:
			n.State = NodeOK
			if r := b.reps[last]; !r.Available.Known() {
				n.State, n.Why = NodeUnknown, "only a cache speaks of it"
			}
		case n.spoke && best.trust == trustLost:
			n.State, n.Why = NodeStale, "the server that knows it can't reach it"
		case n.spoke:
			n.State, n.Why = NodeStale, "not heard in the latest scan"
		case len(h.by) > 0 && n.place >= 0 && asked[n.place]:
			n.State, n.Why = NodeSilent, fmt.Sprintf("heard by %s, but it did not answer", b.list(h.by))
		case len(h.by) > 0:
			n.State, n.Why = NodeOK, fmt.Sprintf("heard by %s", b.list(h.by))
		case len(h.late) > 0:
			n.State, n.Why = NodeUnknown, fmt.Sprintf("heard only by %s, %s ago: gone, or not asked yet", b.list(h.late), since(h.age))
		case len(h.cached) > 0:
			n.State, n.Why = NodeUnknown, fmt.Sprintf("heard only by %s: gone, or not asked yet", b.list(h.cached))
		case len(h.stale) > 0:
			n.State, n.Why = NodeStale, fmt.Sprintf("only in an old table of %s", b.list(h.stale))
		case n.place >= 0 && asked[n.place] && n.rloc.Known():
			n.State, n.Why = NodeSilent, "its router id is taken, but it did not answer"
		case len(n.reports) > 0 && old:
			n.State, n.Why = NodeStale, "not announced in the latest scan"
		case len(n.reports) > 0:
			n.State, n.Why = NodeUnknown, "announced, not asked"
		default:
			n.State, n.Why = NodeUnknown, "nothing is known but its address"
		}
	}
}

// since prints a duration as people say it: "40 s", "4 min", "3 h", "2 days".
func since(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// asked tells the places where somebody asked the whole mesh: two nodes or more,
// and half of the routers that are known, spoke in one conversation. There a
// router that others hear and that said nothing was silent; elsewhere it may
// just not have been asked.
func (b *builder) asked() map[int32]bool {
	type talk struct {
		session string
		place   int32
	}
	spoke := map[talk]map[int32]bool{}
	for i, r := range b.reps {
		s := &b.said[i]
		if r.Session == "" || s.place < 0 || r.Cached {
			continue
		}
		k := b.speaker(int32(i))
		if k < 0 {
			continue
		}
		t := talk{r.Session, s.place}
		if spoke[t] == nil {
			spoke[t] = map[int32]bool{}
		}
		spoke[t][k] = b.kindOf(k) == kindRouter
	}
	routers := map[int32]int{}
	for k, n := range b.nodes {
		if n.place >= 0 && n.ghost == "" && b.kindOf(int32(k)) == kindRouter {
			routers[n.place]++
		}
	}
	out := map[int32]bool{}
	for t, who := range spoke {
		n := 0
		for _, router := range who {
			if router {
				n++
			}
		}
		if len(who) >= 2 && n > 0 && 2*n >= routers[t.place] {
			out[t.place] = true
		}
	}
	return out
}

// loseLinks makes dying ones of links that seem to work one way where the other
// end was asked and did not answer: it did not stop listening, it is gone.
func (b *builder) loseLinks() {
	for _, l := range b.links {
		if l.State == LinkOneWay && l.Confidence == OneSided && (l.A.State == NodeSilent || l.B.State == NodeSilent) {
			l.State = LinkDying
		}
	}
}

// list names some of the nodes: "Desk plug", "Desk plug and 2 others".
func (b *builder) list(ks []int32) string {
	slices.Sort(ks)
	ks = slices.Compact(ks)
	names := make([]string, len(ks))
	for i, k := range ks {
		names[i] = b.nodes[k].Label()
	}
	slices.Sort(names)
	if len(names) > 2 {
		return fmt.Sprintf("%s and %d others", names[0], len(names)-1)
	}
	return strings.Join(names, " and ")
}

// Label is the best word for a node that there is: its name, else its extended
// address, else its RLOC16, else its host, else its ID.
func (n *Node) Label() string {
	switch {
	case n.Name != "":
		return n.Name
	case n.ExtAddr != 0:
		return n.ExtAddr.String()
	case n.RLOC16.Known():
		return n.RLOC16.String()
	case len(n.Hosts) > 0:
		return n.Hosts[0]
	}
	if where, ok := strings.CutPrefix(n.ID, speakerID); ok {
		return "the node asked in " + where
	}
	return n.ID
}
