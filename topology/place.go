package topology

import (
	"slices"

	"threadmap/diag"
)

// An rlocKey is a place and an RLOC16 in it, packed.
type rlocKey uint64

func keyOf(place int32, rloc16 uint16) rlocKey { return rlocKey(place)<<16 | rlocKey(rloc16) }

// An rlocEntry says who has an RLOC16 in one place: whoever said so of itself,
// else whoever a table gives it to.
type rlocEntry struct {
	self, row holder
}

// A holder is the best claim so far. It is ambiguous while two different nodes
// claim with equal rank.
type holder struct {
	id        ident
	rank      rank
	some      bool
	ambiguous bool
}

func (h *holder) offer(id ident, r rank) {
	switch c := r.compare(h.rank); {
	case !h.some || c > 0:
		*h = holder{id: id, rank: r, some: true}
	case c == 0 && id != h.id:
		h.ambiguous = true
	}
}

// joinRLOC16s indexes who has which RLOC16, then joins speakers known by
// nothing but their RLOC16 with the node that has it.
func (b *builder) joinRLOC16s() {
	b.routerAt = make([]int32, len(b.place)*(diag.MaxRouterID+1))
	newest := slices.Repeat([]int32{-1}, len(b.up)) // who -> its newest report with an RLOC16
	for i, r := range b.reps {
		s := &b.said[i]
		s.rloc16 = ownRLOC16(r, s.own)
		if s.place < 0 || !s.rloc16.Known() || !b.named(i) {
			continue
		}
		if id := b.root(s.id); newest[id] < 0 || b.rankOf(newest[id]).compare(b.rankOf(int32(i))) < 0 {
			newest[id] = int32(i)
		}
	}
	for i, r := range b.reps {
		s := &b.said[i]
		if s.place < 0 {
			continue
		}
		if s.rloc16.Known() && b.named(i) {
			// An RLOC16 that it had before in this place is not its own any more.
			id := b.root(s.id)
			if n := &b.said[newest[id]]; n.rloc16 == s.rloc16 || n.place != s.place {
				b.offerRLOC16(s.place, s.rloc16, id, b.rankOf(int32(i)), true)
			}
		}
		offer := func(x diag.ExtAddr, rl diag.RLOC16, k rank) {
			if x == 0 || !rl.Known() {
				return
			}
			id := b.root(b.byExt[x])
			// What it says of itself no earlier goes before what others say of it.
			if n := newest[id]; n >= 0 && b.said[n].rloc16 != rl && b.said[n].place == s.place && b.rankOf(n).compare(k) >= 0 {
				return
			}
			b.offerRLOC16(s.place, rl, id, k, false)
		}
		for j := range r.Children {
			n := &r.Children[j]
			offer(n.ExtAddr, n.RLOC16, b.rowRank(int32(i), n.Age))
		}
		for j := range r.Neighbors {
			n := &r.Neighbors[j]
			offer(n.ExtAddr, n.RLOC16, b.rowRank(int32(i), n.Age))
		}
		for j := range r.Routes {
			n := &r.Routes[j]
			offer(n.ExtAddr, diag.RouterRLOC16(n.RouterID), b.rowRank(int32(i), n.Age))
		}
	}
	for i := range b.reps {
		s := &b.said[i]
		if b.named(i) || s.place < 0 {
			continue
		}
		if !s.rloc16.Known() {
			continue
		}
		// Whoever has the RLOC16 by the word of a cache alone may have left it.
		if h := b.holder(s.place, s.rloc16); h != nil && h.rank.trust >= b.rankOf(int32(i)).trust {
			b.join(s.id, h.id)
			continue
		}
		b.offerRLOC16(s.place, s.rloc16, b.root(s.id), b.rankOf(int32(i)), true)
	}
}

// named reports whether a report's speaker has a name that holds beyond one
// place and time.
func (b *builder) named(i int) bool { return b.said[i].named }

func (b *builder) offerRLOC16(place int32, rl diag.RLOC16, id ident, k rank, self bool) {
	x, ok := b.entryAt(place, rl)
	if !ok {
		x = int32(len(b.entries))
		if id, _ := rl.RouterID(); rl.IsRouter() {
			b.routerAt[int(place)*(diag.MaxRouterID+1)+int(id)] = x + 1
		} else {
			v, _ := rl.Get()
			b.rlocs[keyOf(place, v)] = x
		}
		b.entries = append(b.entries, rlocEntry{})
	}
	if e := &b.entries[x]; self {
		e.self.offer(id, k)
	} else {
		e.row.offer(id, k)
	}
}

// resolve finds the node that has an RLOC16 in a place. What a node says of
// itself goes before what tables say, unless it is a cache's word against a
// live table, or a table heard another node under that RLOC16 later: a border
// router that restarts keeps its RLOC16 and takes another radio address. ok is
// false for nobody and for an undecided quarrel.
func (b *builder) resolve(place int32, rl diag.RLOC16) (ident, bool) {
	h := b.holder(place, rl)
	if h == nil {
		return 0, false
	}
	return b.root(h.id), true
}

// entryAt is the index of who has an RLOC16 in a place. Routers are asked for most.
func (b *builder) entryAt(place int32, rl diag.RLOC16) (int32, bool) {
	if id, _ := rl.RouterID(); rl.IsRouter() {
		x := b.routerAt[int(place)*(diag.MaxRouterID+1)+int(id)]
		return x - 1, x > 0
	}
	v, _ := rl.Get()
	x, ok := b.rlocs[keyOf(place, v)]
	return x, ok
}

// holder is the claim that [builder.resolve] believes, nil for none.
func (b *builder) holder(place int32, rl diag.RLOC16) *holder {
	if !rl.Known() || place < 0 {
		return nil
	}
	x, ok := b.entryAt(place, rl)
	if !ok {
		return nil
	}
	e := &b.entries[x]
	h := &e.self
	if !h.some || e.row.some && e.row.rank.compare(h.rank) > 0 {
		h = &e.row
	}
	if !h.some || h.ambiguous {
		return nil
	}
	return h
}

// rowIdent is the node that a row of report i names: by its extended address,
// else by its RLOC16.
func (b *builder) rowIdent(i int, x diag.ExtAddr, rl diag.RLOC16) (ident, bool) {
	if x != 0 {
		return b.root(b.byExt[x]), true
	}
	return b.resolve(b.said[i].place, rl)
}

// ownRLOC16 is the speaker's RLOC16: as it stated it, as its one routing
// locator has it, as its own row of the route table has it, or the router part
// that all of its children share.
func ownRLOC16(r *diag.Report, own diag.ExtAddr) diag.RLOC16 {
	if r.RLOC16.Known() {
		return r.RLOC16
	}
	if r.Role == diag.RoleDetached {
		return diag.RLOC16{}
	}
	var one unique[diag.RLOC16]
	for _, a := range r.Addresses {
		rl, _, ok := diag.RLOC16FromAddr(a)
		one.add(rl, ok)
	}
	if rl, ok := one.get(); ok {
		return rl
	}
	if x := ownRow(r); x != 0 && x == own {
		for i := range r.Routes {
			if r.Routes[i].ExtAddr == x {
				return diag.RouterRLOC16(r.Routes[i].RouterID)
			}
		}
	}
	one = unique[diag.RLOC16]{}
	for i := range r.Children {
		one.add(r.Children[i].RLOC16.Router(), r.Children[i].RLOC16.IsChild())
	}
	rl, _ := one.get()
	return rl
}
