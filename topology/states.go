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
		by            rowList       // live rows of the newest epoch
		late          rowList       // such rows of routers not heard for longer than a stack keeps a neighbor
		age           time.Duration // the smallest of late
		cached, stale rowList
		maybe         rowList // rows that a cache has to tell whose they are
	}
	rows := make([]heard, len(b.nodes))
	next := make([]rowList, 2*len(b.rows)) // one that a cache has to tell about is in two lists
	push := func(l *rowList, x int) { next[x], *l = *l, rowList(x+1) }
	who := func(l ...rowList) (out []int32) {
		for _, at := range l {
			for ; at != 0; at = next[at-1] {
				out = append(out, b.rows[int(at-1)%len(b.rows)].from)
			}
		}
		return out
	}
	for x := range b.rows {
		w := &b.rows[x]
		if w.rt != nil && !linked(w.rt) {
			continue
		}
		h := &rows[w.to]
		switch {
		case w.old || w.rank.trust == trustLost:
			push(&h.stale, x)
		case w.nb != nil && w.kind == neighborRow && w.nb.Age.Or(0) > maxNeighborAge && w.rank.trust == trustLive:
			if age := w.nb.Age.Or(0); h.late == 0 || age < h.age {
				h.age = age
			}
			push(&h.late, x)
		case w.rank.trust == trustCached:
			push(&h.cached, x)
		case w.guess:
			push(&h.cached, x)
			push(&h.maybe, len(b.rows)+x)
		default:
			push(&h.by, x)
		}
	}
	asked := b.asked()
	for k, n := range b.nodes {
		h := &rows[k]
		by, known := []int32(nil), h.by != 0
		if known && h.late != 0 {
			late := who(h.late)
			by = slices.DeleteFunc(who(h.by), func(k int32) bool { return slices.Contains(late, k) })
			known = len(by) > 0
		}
		hears := func() []int32 {
			if by == nil {
				by = who(h.by)
			}
			return by
		}
		last, best := n.lastSpoken(b), rank{}
		if n.spoke {
			best = b.rankOf(last)
		}
		old := n.place >= 0 && !b.current(n.place)
		switch {
		case n.ghost != "" && len(n.reports) > 0 && n.ghostID:
			// It registered, so it is a real device: perhaps in a part of a split mesh
			// that nobody asked.
			n.State, n.Why = NodeStale, "gone, or in a part of the mesh that was not asked: "+n.ghost
		case n.ghost != "":
			n.State, n.Why = NodeGhost, "probably gone: "+n.ghost
		case n.spoke && best.trust == trustLive && !old:
			n.State = NodeOK
		case (known || h.maybe != 0) && n.spoke && n.place >= 0 && asked[n.place] && b.kindOf(int32(k)) == kindRouter:
			// A cache knows it, and tables keep a dead router for minutes.
			n.State, n.Why = NodeSilent, fmt.Sprintf("heard by %s, but it did not answer", b.list(append(hears(), who(h.maybe)...)))
		case n.outdated != "" && !known:
			n.State, n.Why = NodeStale, "what a cache has of it is out of date: "+n.outdated
		case known && (n.spoke || b.kindOf(int32(k)) == kindChild):
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
		case known && n.place >= 0 && asked[n.place]:
			n.State, n.Why = NodeSilent, fmt.Sprintf("heard by %s, but it did not answer", b.list(hears()))
		case known:
			n.State, n.Why = NodeOK, fmt.Sprintf("heard by %s", b.list(hears()))
		case h.late != 0:
			n.State, n.Why = NodeUnknown, fmt.Sprintf("heard only by %s, %s ago: gone, or not asked yet", b.list(who(h.late)), since(h.age))
		case h.cached != 0:
			n.State, n.Why = NodeUnknown, fmt.Sprintf("heard only by %s: gone, or not asked yet", b.list(who(h.cached)))
		case h.stale != 0:
			n.State, n.Why = NodeStale, fmt.Sprintf("only in an old table of %s", b.list(who(h.stale)))
		case n.place >= 0 && asked[n.place] && n.rloc.Known():
			n.State, n.Why = NodeSilent, "its router id is taken, but it did not answer"
		case len(n.reports) > 0 && old:
			n.State, n.Why = NodeStale, "not announced in the latest scan"
		case len(n.reports) > 0 && !slices.ContainsFunc(n.reports, func(i int32) bool { return !inRegistry(b.reps[i]) }):
			n.State, n.Why = NodeUnknown, "only its home system knows it, from when it was added"
		case len(n.reports) > 0:
			n.State, n.Why = NodeUnknown, "announced, not asked"
		default:
			n.State, n.Why = NodeUnknown, "nothing is known but its address"
		}
	}
}

// A rowList is the place of a row in a list of rows, counted from 1; 0 ends it.
type rowList int32

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
// just not have been asked, or stand in the part of a text that was cut off.
func (b *builder) asked() map[int32]bool {
	type talk struct {
		session, place int32
	}
	type count struct{ nodes, routers int }
	cut := map[int32]bool{} // sessions
	for i, r := range b.reps {
		if r.Cut {
			cut[b.said[i].session] = true
		}
	}
	spoke := map[talk]count{}
	var talks []talk // of one node
	for k, n := range b.nodes {
		talks = talks[:0]
		for _, i := range n.reports {
			t := talk{b.said[i].session, b.said[i].place}
			if t.session == 0 || cut[t.session] || t.place < 0 || b.said[i].trust < trustLive || slices.Contains(talks, t) {
				continue
			}
			talks = append(talks, t)
			c := spoke[t]
			c.nodes++
			if b.kindOf(int32(k)) == kindRouter {
				c.routers++
			}
			spoke[t] = c
		}
	}
	routers := map[int32]int{}
	for k, n := range b.nodes {
		if n.place >= 0 && n.ghost == "" && b.kindOf(int32(k)) == kindRouter {
			routers[n.place]++
		}
	}
	out := map[int32]bool{}
	for t, c := range spoke {
		if c.nodes >= 2 && c.routers > 0 && 2*c.routers >= routers[t.place] {
			out[t.place] = true
		}
	}
	return out
}

// loseLinks makes dying ones of links that seem to work one way where the other
// end was asked and did not answer: it did not stop listening, it is gone.
func (b *builder) loseLinks() {
	for _, l := range b.links {
		if l.State == LinkOneWay && l.Confidence < Confirmed && (l.A.State == NodeSilent || l.B.State == NodeSilent) {
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
