package topology

import "threadmap/diag"

// A leader is who leads a partition, as far as it is known.
type leader struct {
	id    uint8
	known bool
	rank  rank
	clash bool  // two ids claimed with equal rank
	node  int32 // -1: unknown
}

// A routerSet is what the route tables of a place say about taken router ids.
type routerSet struct {
	leader uint64                      // ids in the leader's own live table, bit = id; 0: not given
	at     int64                       // when that was read, ns
	union  uint64                      // ids in any live table
	tables int                         // live tables
	part   bool                        // one of the live tables lacks rows: what is not in them may be taken
	cached [diag.MaxRouterID + 1]uint8 // in how many cached tables an id stands, capped
}

// findLeaders reads who leads each partition out of the leader data, or out of
// the one node that says it leads.
func (b *builder) findLeaders() {
	b.leaders = make(map[int32]leader, len(b.place))
	for i := range b.said {
		s := &b.said[i]
		p, id := s.place, uint8(s.leader)
		if p < 0 || s.leader < 0 || s.detached {
			continue
		}
		l := b.leaders[p]
		k := b.rankOf(int32(i))
		c := k.compare(l.rank)
		switch {
		case !l.known || c > 0:
			l = leader{id: id, known: true, rank: k}
		case c == 0 && id != l.id:
			l.clash = true
		}
		b.leaders[p] = l
	}
	for i := range b.said { // nobody gave leader data: a node's own word
		s := &b.said[i]
		if s.place < 0 || !s.leads || !s.rloc16.IsRouter() {
			continue
		}
		if l := b.leaders[s.place]; !l.known || l.rank == (rank{}) {
			id, _ := s.rloc16.RouterID()
			l.clash = l.known && l.id != id
			l.id, l.known = id, true
			b.leaders[s.place] = l
		}
	}
	for p, l := range b.leaders {
		l.node = -1
		if l.clash {
			l.known = false
		}
		if l.known {
			l.node = b.nodeAt(p, diag.RouterRLOC16(l.id))
		}
		b.leaders[p] = l
	}
}

// nodeAt is the node that has an RLOC16 in a place, -1 for none known.
func (b *builder) nodeAt(place int32, rl diag.RLOC16) int32 {
	if id, ok := b.resolve(place, rl); ok {
		if k := b.nodeOf[id]; k >= 0 {
			return k
		}
	}
	v, known := rl.Get()
	if k, ok := b.pseudos[keyOf(place, v)]; known && ok {
		return k
	}
	return -1
}

// makeRouters makes nodes of the routers that are known to be in the mesh but
// have told nothing, so that they are shown as silent and not left out:
//   - router ids in a live route table (in the leader's, where that is known,
//     since the others lag behind it),
//   - router ids in the cached tables of two nodes,
//   - the leader, the border routers of the network data, and the parents that
//     children's addresses name.
func (b *builder) makeRouters() {
	b.sets = map[int32]*routerSet{}
	for k, n := range b.nodes {
		for _, i := range b.tables(n, routeRow) {
			b.countRouters(int32(k), i)
		}
	}
	for p := range b.place {
		p := int32(p)
		if !b.current(p) {
			continue
		}
		set := b.sets[p]
		if set == nil {
			set = &routerSet{}
		}
		for id := range uint8(diag.MaxRouterID + 1) {
			bit := uint64(1) << id
			real := set.union&bit != 0
			if set.leader != 0 {
				real = set.leader&bit != 0
			}
			if set.tables == 0 {
				real = set.cached[id] >= 2
			}
			if l := b.leaders[p]; l.known && l.id == id {
				real = true
			}
			if real && b.nodeAt(p, diag.RouterRLOC16(id)) < 0 {
				b.pseudo(p, diag.RouterRLOC16(id))
			}
		}
	}
	b.findBorders()
	for _, at := range b.borders {
		if at.rloc16.IsRouter() && b.nodeAt(at.place, at.rloc16) < 0 {
			b.pseudo(at.place, at.rloc16)
		}
	}
	for i := range b.said {
		s := &b.said[i]
		if s.place >= 0 && b.current(s.place) && s.rloc16.IsChild() && b.nodeAt(s.place, s.rloc16.Router()) < 0 {
			b.pseudo(s.place, s.rloc16.Router())
		}
	}
	for p, l := range b.leaders {
		if l.known && l.node < 0 {
			l.node = b.nodeAt(p, diag.RouterRLOC16(l.id))
			b.leaders[p] = l
		}
	}
}

func (b *builder) countRouters(k, i int32) {
	s := &b.said[i]
	if s.place < 0 || !b.current(s.place) {
		return
	}
	r := b.reps[i]
	if s.rloc16.IsChild() && len(r.Routes) < 2 {
		return // a minimal device's one row is its parent, no list of routers
	}
	set := b.sets[s.place]
	if set == nil {
		set = &routerSet{}
		b.sets[s.place] = set
	}
	mask := uint64(0)
	for j := range r.Routes {
		if id := r.Routes[j].RouterID; id <= diag.MaxRouterID && r.Routes[j].Allocated.Or(true) {
			mask |= 1 << id
			if r.Cached && set.cached[id] < 255 {
				set.cached[id]++
			}
		}
	}
	if r.Cached {
		return
	}
	set.tables++
	set.part = set.part || r.RoutesPartial
	set.union |= mask
	if l := b.leaders[s.place]; l.known && l.node == k {
		set.leader |= mask
		set.at = max(set.at, stamp(r.At))
	}
}

// A borderAt is a border router that network data names.
type borderAt struct {
	place  int32
	rloc16 diag.RLOC16
}

// findBorders gathers what live network data names. Every node of a network gives
// the same list.
func (b *builder) findBorders() {
	routers, children := make([]uint64, len(b.place)), map[borderAt]bool{}
	for i, r := range b.reps {
		s := &b.said[i]
		if s.place < 0 || s.trust < trustLive || !b.current(s.place) {
			continue
		}
		for _, rl := range r.Network.BorderRouters {
			id, known := rl.RouterID()
			at := borderAt{s.place, rl}
			switch {
			case !known, rl.IsRouter() && routers[s.place]&(1<<id) != 0, !rl.IsRouter() && children[at]:
				continue
			case rl.IsRouter():
				routers[s.place] |= 1 << id
			default:
				children[at] = true
			}
			b.borders = append(b.borders, at)
		}
	}
}
