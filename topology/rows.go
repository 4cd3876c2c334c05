package topology

import (
	"slices"
	"time"

	"threadmap/diag"
)

// A rowKind is the table that a row stands in.
type rowKind uint8

const (
	childRow rowKind = iota
	neighborRow
	routeRow
)

func (k rowKind) String() string {
	return [...]string{"child table", "neighbor table", "route table"}[k]
}

// A row is one row of a table that is believed: node from about node to.
type row struct {
	from, to int32
	kind     rowKind
	rep      int32
	rank     rank
	old      bool           // of an epoch that is over
	nb       *diag.Neighbor // child and neighbor rows
	rt       *diag.Route    // route rows
}

// chooseRows picks the tables to believe and turns their rows into rows between
// nodes.
//
// Of one speaker's tables of one kind, those of its newest epoch count, live ones
// before cached ones, and of one source only the newest: what a newer table no
// longer lists is not there any more.
func (b *builder) chooseRows() {
	most := 0
	for _, r := range b.reps {
		most += len(r.Children) + len(r.Neighbors) + len(r.Routes)
	}
	b.rows = make([]row, 0, most)
	for k := range b.nodes {
		n := b.nodes[k]
		for kind := childRow; kind <= routeRow; kind++ {
			for _, i := range b.tables(n, kind) {
				if kind == childRow {
					n.ChildTable = true
				} else {
					n.RouterTable = true // findRoles takes it back from children, whose one row is their parent
				}
				b.addRows(int32(k), i, kind)
			}
		}
	}
	for x := range b.rows {
		b.noteRow(int32(x))
	}
	b.placeRegistered()
}

// tables lists the reports of n whose table of that kind counts.
func (b *builder) tables(n *node, kind rowKind) []int32 {
	var out []int32
	var class rank
	var seen []string // sources
	for _, i := range slices.Backward(n.reports) {
		r := b.reps[i]
		has := false
		switch kind {
		case childRow:
			has = r.Children != nil
		case neighborRow:
			has = r.Neighbors != nil
		case routeRow:
			has = r.Routes != nil
		}
		if !has {
			continue
		}
		k := b.rankOf(i)
		if len(out) > 0 && !k.sameClass(class) {
			break
		}
		if slices.Contains(seen, r.Source) {
			// The same moment told in two parts (a table too long for one answer)
			// counts whole.
			if !k.sameMoment(class) {
				continue
			}
		} else if len(out) == 0 {
			class = k
		}
		seen = append(seen, r.Source)
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}

// sameMoment reports whether two statements were made within the time that one
// answer takes.
func (a rank) sameMoment(b rank) bool { return max(a.t-b.t, b.t-a.t) < int64(2*time.Second) }

func (b *builder) addRows(from, i int32, kind rowKind) {
	s := &b.said[i]
	if s.place < 0 {
		return
	}
	r, old := b.reps[i], !b.current(s.place)
	add := func(to int32, k rank, nb *diag.Neighbor, rt *diag.Route) {
		if to != from {
			b.rows = append(b.rows, row{from: from, to: to, kind: kind, rep: i, rank: k, old: old, nb: nb, rt: rt})
		}
	}
	switch kind {
	case childRow, neighborRow:
		list := r.Children
		if kind == neighborRow {
			list = r.Neighbors
		}
		for j := range list {
			nb := &list[j]
			to, ok := b.rowNode(i, nb.ExtAddr, nb.RLOC16)
			if !ok {
				if !nb.RLOC16.Known() || old {
					continue
				}
				to = b.pseudo(s.place, nb.RLOC16)
			}
			add(to, b.rowRank(i, nb.Age), nb, nil)
		}
	case routeRow:
		for j := range r.Routes {
			rt := &r.Routes[j]
			if rt.RouterID > diag.MaxRouterID {
				continue
			}
			// A row without address and link tells that a router id is taken,
			// not that this node hears somebody: makeRouters sees to those.
			if rt.ExtAddr == 0 && !linked(rt) {
				continue
			}
			if to, ok := b.rowNode(i, rt.ExtAddr, diag.RouterRLOC16(rt.RouterID)); ok {
				add(to, b.rowRank(i, rt.Age), nil, rt)
			} else if !old {
				add(b.pseudo(s.place, diag.RouterRLOC16(rt.RouterID)), b.rowRank(i, rt.Age), nil, rt)
			}
		}
	}
}

// linked reports whether a route row tells of a direct link.
func linked(rt *diag.Route) bool {
	if est, known := rt.LinkEstablished.Get(); known && !est {
		return false
	}
	return rt.LinkQualityIn.Or(0) > 0 || rt.LinkQualityOut.Or(0) > 0 || rt.LinkEstablished.Or(false)
}

func (b *builder) rowNode(i int32, x diag.ExtAddr, rl diag.RLOC16) (int32, bool) {
	id, ok := b.rowIdent(int(i), x, rl)
	if !ok {
		v, known := rl.Get()
		if !known {
			return 0, false
		}
		k, ok := b.pseudos[keyOf(b.said[i].place, v)]
		return k, ok
	}
	k := b.nodeOf[id]
	return k, k >= 0
}

// noteRow lets a row tell what it says about its subject: where it is, which
// RLOC16 it has.
func (b *builder) noteRow(x int32) {
	w := &b.rows[x]
	n := b.nodes[w.to]
	if w.kind == childRow {
		n.listedBy = append(n.listedBy, x)
	}
	rl := diag.RLOC16{}
	if w.nb != nil {
		rl = w.nb.RLOC16
	} else if w.rt.ExtAddr != 0 {
		rl = diag.RouterRLOC16(w.rt.RouterID)
	}
	n.offerRLOC16(rl, w.rank, false)
	switch p := b.said[w.rep].place; {
	case n.place < 0, !n.spoke && b.place[p].scope < b.place[n.place].scope:
		n.place = p
	case b.place[p].scope != b.place[n.place].scope:
	case b.place[p].epoch > b.place[n.place].epoch,
		!n.spoke && b.place[p].epoch == b.place[n.place].epoch && p < n.place:
		n.place = p
	}
	if at := b.reps[w.rep].At; !at.IsZero() && !b.reps[w.rep].Cached && w.nb != nil {
		if age, known := w.nb.Age.Get(); known {
			if heard := at.Add(-age); heard.After(n.LastHeard) {
				n.LastHeard = heard
			}
		}
	}
}
