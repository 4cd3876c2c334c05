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
	guess    bool           // it names its subject by RLOC16 alone, and only a cache knows whose that is
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
		children, neighbors, routes := b.tables(n, childRow), b.tables(n, neighborRow), b.tables(n, routeRow)
		n.RouterTable = len(neighbors)+len(routes) > 0 // findRoles takes it back from children, whose one row is their parent
		for _, i := range children {
			if k := b.rankOf(i); !b.reps[i].ChildrenPartial && (!n.fullTable || k.compare(n.childTable) > 0) {
				n.ChildTable, n.childTable = true, k
				n.fullTable = !slices.ContainsFunc(b.reps[i].Children, func(w diag.Neighbor) bool { return w.ExtAddr == 0 })
			}
			b.addRows(int32(k), i, childRow, nil)
		}
		// Both of the other tables list the routers that a router has links with,
		// so the newer of the two says what is left of the older.
		byNeighbors, byRoutes := b.routersIn(neighbors, neighborRow), b.routersIn(routes, routeRow)
		for _, i := range neighbors {
			b.addRows(int32(k), i, neighborRow, &byRoutes)
		}
		for _, i := range routes {
			b.addRows(int32(k), i, routeRow, &byNeighbors)
		}
	}
	for x := range b.rows {
		b.noteRow(int32(x))
	}
	b.dropOldRLOC16s()
	b.placeRegistered()
}

// routersIn is what the newest of some tables of a router says of whom it has a
// link with.
func (b *builder) routersIn(reports []int32, kind rowKind) (l linkSet) {
	for _, i := range reports {
		r, s := b.reps[i], &b.said[i]
		if !s.rloc16.IsRouter() && !r.Role.Routes() {
			continue
		}
		set := linkSet{known: true, place: s.place, rank: b.rankOf(i)}
		if l.known && set.rank.compare(l.rank) <= 0 {
			continue
		}
		set.known = false
		for j := range r.Routes {
			rt := &r.Routes[j]
			if kind == routeRow && rt.RouterID <= diag.MaxRouterID && rt.LinkQualityIn.Known() {
				set.known = true
				if linked(rt) {
					set.ids |= 1 << rt.RouterID
				}
			}
		}
		for j := range r.Neighbors { // an empty list may have been lost on the way
			if id, ok := r.Neighbors[j].RLOC16.RouterID(); kind == neighborRow && ok && r.Neighbors[j].RLOC16.IsRouter() {
				set.known = true
				set.ids |= 1 << id
			}
		}
		if set.known {
			l = set
		}
	}
	return l
}

// A linkSet is whom a router had a link with, by router id.
type linkSet struct {
	known bool
	place int32
	rank  rank
	ids   uint64
}

// outdates reports whether a row of report i about the router with that RLOC16
// is of a link that is no more.
func (l *linkSet) outdates(b *builder, i int32, rl diag.RLOC16) bool {
	id, ok := rl.RouterID()
	return l != nil && l.known && ok && rl.IsRouter() && b.said[i].place == l.place && l.ids&(1<<id) == 0 &&
		l.rank.compare(b.rankOf(i)) > 0 && !(l.rank.sameClass(b.rankOf(i)) && l.rank.sameMoment(b.rankOf(i)))
}

// tables lists the reports of n whose table of that kind counts.
func (b *builder) tables(n *node, kind rowKind) []int32 {
	var out []int32
	var class rank
	var seen []string // sources
	for _, i := range slices.Backward(n.reports) {
		if !b.said[i].has[kind] {
			continue
		}
		r := b.reps[i]
		k := b.rankOf(i)
		if len(out) > 0 && !k.sameClass(class) {
			break
		}
		if len(out) == 0 {
			class = k
		}
		// The same moment told in two parts (a table too long for one answer)
		// counts whole.
		if slices.Contains(seen, r.Source) && !k.sameMoment(class) {
			continue
		}
		if kind != childRow || !r.ChildrenPartial { // some rows take no older table's place
			seen = append(seen, r.Source)
		}
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}

// sameMoment reports whether two statements were made within the time that one
// answer takes.
func (a rank) sameMoment(b rank) bool { return max(a.t-b.t, b.t-a.t) < int64(2*time.Second) }

func (b *builder) addRows(from, i int32, kind rowKind, newer *linkSet) {
	s := &b.said[i]
	if s.place < 0 {
		return
	}
	r, old := b.reps[i], !b.current(s.place) || b.elsewhere(b.nodes[from].place, s.place)
	add := func(to int32, guess bool, k rank, nb *diag.Neighbor, rt *diag.Route) {
		if to != from {
			b.rows = append(b.rows, row{from: from, to: to, kind: kind, rep: i, rank: k, old: old, guess: guess, nb: nb, rt: rt})
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
			if newer.outdates(b, i, nb.RLOC16) {
				continue
			}
			to, guess, ok := b.rowSubject(i, nb.ExtAddr, nb.RLOC16)
			if !ok {
				if !nb.RLOC16.Known() || old {
					continue
				}
				to = b.pseudo(s.place, nb.RLOC16)
			}
			add(to, guess, b.rowRank(i, nb.Age), nb, nil)
		}
	case routeRow:
		for j := range r.Routes {
			rt := &r.Routes[j]
			if rt.RouterID > diag.MaxRouterID {
				continue
			}
			// A row without address and link tells that a router id is taken,
			// not that this node hears somebody: makeRouters sees to those.
			if rt.ExtAddr == 0 && !linked(rt) || linked(rt) && newer.outdates(b, i, diag.RouterRLOC16(rt.RouterID)) {
				continue
			}
			if to, guess, ok := b.rowSubject(i, rt.ExtAddr, diag.RouterRLOC16(rt.RouterID)); ok {
				add(to, guess, b.rowRank(i, rt.Age), nil, rt)
			} else if !old {
				add(b.pseudo(s.place, diag.RouterRLOC16(rt.RouterID)), false, b.rowRank(i, rt.Age), nil, rt)
			}
		}
	}
}

// elsewhere reports whether a node that is in place now spoke in was from another
// partition: it has lost whom it heard there.
func (b *builder) elsewhere(now, was int32) bool {
	return now >= 0 && was >= 0 && now != was && b.place[now].partKnown && b.place[was].partKnown && b.place[now].part != b.place[was].part
}

// linked reports whether a route row tells of a direct link.
func linked(rt *diag.Route) bool {
	if est, known := rt.LinkEstablished.Get(); known && !est {
		return false
	}
	return rt.LinkQualityIn.Or(0) > 0 || rt.LinkQualityOut.Or(0) > 0 || rt.LinkEstablished.Or(false)
}

// rowNode is the node that a row of report i names.
func (b *builder) rowNode(i int32, x diag.ExtAddr, rl diag.RLOC16) (int32, bool) {
	k, _, ok := b.rowSubject(i, x, rl)
	return k, ok
}

// rowSubject is the node that a row of report i names. It is a guess when the row
// has no more than an RLOC16 and those who say whose it is are farther from the
// radio than the row: the RLOC16 may be another's by now.
func (b *builder) rowSubject(i int32, x diag.ExtAddr, rl diag.RLOC16) (k int32, guess, ok bool) {
	if x != 0 {
		k = b.nodeOf[b.root(b.byExt[x])]
		return k, false, k >= 0
	}
	if h := b.holder(b.said[i].place, rl); h != nil {
		k = b.nodeOf[b.root(h.id)]
		return k, h.rank.trust < b.rankOf(i).trust, k >= 0
	}
	v, known := rl.Get()
	if !known {
		return 0, false, false
	}
	k, ok = b.pseudos[keyOf(b.said[i].place, v)]
	return k, false, ok
}

// noteRow lets a row tell what it says about its subject: where it is, which
// RLOC16 it has.
func (b *builder) noteRow(x int32) {
	w := &b.rows[x]
	n := b.nodes[w.to]
	if w.kind == childRow {
		if n.listedBy == nil {
			n.listedBy = b.indexes.take(1)
		}
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
		n.place, n.placeRank = p, w.rank
	case b.place[p].scope != b.place[n.place].scope:
	case b.place[p].epoch > b.place[n.place].epoch:
		n.place, n.placeRank = p, w.rank
	case !n.spoke && b.place[p].epoch == b.place[n.place].epoch: // where it was heard last
		if c := w.rank.compare(n.placeRank); c > 0 || c == 0 && p < n.place {
			n.place, n.placeRank = p, w.rank
		}
	}
	if at := b.reps[w.rep].At; !at.IsZero() && !b.reps[w.rep].Cached && w.nb != nil {
		if age, known := w.nb.Age.Get(); known {
			if heard := at.Add(-age); heard.After(n.LastHeard) {
				n.LastHeard = heard
			}
		}
	}
}

// dropOldRLOC16s takes back RLOC16s that can't be so any more: their node said
// since, without an RLOC16, that it is a child and not a router, or the reverse.
func (b *builder) dropOldRLOC16s() {
	for _, n := range b.nodes {
		if !n.rloc.Known() {
			continue
		}
		for _, i := range slices.Backward(n.reports) {
			role := b.said[i].role
			if role == diag.RoleUnknown {
				continue
			}
			if b.rankOf(i).compare(n.rlocRank) > 0 && (n.rloc.IsRouter() && role.IsChild() || n.rloc.IsChild() && role.Routes()) {
				n.rloc, n.rlocRank, n.rlocClash = diag.RLOC16{}, rank{}, false
			}
			break
		}
	}
}
