package topology

import (
	"cmp"
	"slices"

	"threadmap/diag"
)

// A parentClaim gathers what is said for one router being a node's parent.
type parentClaim struct {
	parent             int32
	child, table       bool // the child said so; the parent's child table did
	childRank, tabRank rank
	field              string // of the best statement
	rep                int32
	guess              bool // the table names the child by an RLOC16 that only a cache gives to it
	denied             bool // the child alone says so, and the router's child table of later does not list it
	twoSided           bool // both ends say so with the same right, as late as anybody says another thing
}

// rank is that of the newest and most trusted statement.
func (c *parentClaim) rank() rank {
	switch {
	case !c.child:
		return c.tabRank
	case !c.table || c.childRank.compare(c.tabRank) > 0:
		return c.childRank
	}
	return c.tabRank
}

// findParents finds each child's parent: the router whose RLOC16 is the
// child's & 0xfc00, checked against child tables and against the row that the
// child itself keeps of its parent. When they disagree, what is of the newest
// epoch and not from a cache goes first, then what both ends say
// unless one says otherwise later, then what is newest; the other claims are kept as a conflict. Between claims that are equal
// in all that, nobody is the parent: unknown is better than wrong.
func (b *builder) findParents() {
	for k := range b.nodes {
		k := int32(k)
		n := b.nodes[k]
		if b.kindOf(k) != kindChild {
			continue // kindOf makes a child of all that only child tables list
		}
		claims := b.parentClaims(k)
		if len(claims) == 0 {
			continue
		}
		supersede(claims)
		claims = b.markDenied(claims)
		b.markTwoSided(claims)
		if len(claims) == 0 {
			continue
		}
		slices.SortFunc(claims, func(p, q parentClaim) int {
			return cmp.Or(b.compareClaims(&q, &p), cmp.Compare(b.nodes[p.parent].ID, b.nodes[q.parent].ID))
		})
		if len(claims) > 1 {
			c := Conflict{About: "parent"}
			for _, p := range claims {
				c.Claims = append(c.Claims, Claim{b.nodes[p.parent].ID, b.evidence(p.rep, p.field)})
			}
			n.Conflicts = append(n.Conflicts, c)
			if b.compareClaims(&claims[0], &claims[1]) == 0 {
				continue
			}
		}
		best := claims[0]
		n.Parent = b.nodes[best.parent].Node
		n.parent = best.parent
		b.takeRLOC16(n, &best)
		switch {
		case best.child && best.table:
			n.ParentConfidence = Confirmed
		case best.guess && !best.child:
			n.ParentConfidence = Inferred
		default:
			n.ParentConfidence = OneSided
		}
	}
}

// supersede takes back what the child said before its newest word of the same
// trust: of a parent that it left, only the table is left to speak.
func supersede(claims []parentClaim) {
	var newest rank
	for i := range claims {
		if c := &claims[i]; c.child && c.childRank.compare(newest) > 0 {
			newest = c.childRank
		}
	}
	for i := range claims {
		if c := &claims[i]; c.child && c.table && c.childRank.sameClass(newest) && c.childRank.t < newest.t {
			c.child = false
		}
	}
}

// markDenied finds the claims that a child alone makes against a child table that
// was read later and gives every child's address. A cache's word against a live
// table is no claim at all.
func (b *builder) markDenied(claims []parentClaim) []parentClaim {
	return slices.DeleteFunc(claims, func(c parentClaim) bool {
		p := b.nodes[c.parent]
		return c.child && !c.table && p.fullTable && p.childTable.trust > c.childRank.trust && p.childTable.compare(c.childRank) > 0
	})
}

// markTwoSided finds the claims that both ends make. They go before what is said by
// one, unless that is newer: what both said a minute ago is not so any more when
// another router has heard the child since.
func (b *builder) markTwoSided(claims []parentClaim) {
	for i := range claims {
		c := &claims[i]
		k := c.rank()
		p := b.nodes[c.parent]
		c.denied = c.child && !c.table && p.fullTable && p.childTable.sameClass(k) && p.childTable.t >= k.t
		c.twoSided = c.child && c.table && c.childRank.sameClass(c.tabRank) && !slices.ContainsFunc(claims, func(d parentClaim) bool {
			l := d.rank()
			return l.sameClass(k) && l.t > k.t && !l.sameMoment(k)
		})
	}
}

// noNextHop is what route tables have for none.
const noNextHop = 63

// compareClaims is positive when p is better founded than q.
func (b *builder) compareClaims(p, q *parentClaim) int {
	pr, qr := p.rank(), q.rank()
	return cmp.Or(
		cmp.Compare(pr.epoch, qr.epoch),
		-compareBool(b.nodes[p.parent].ghost != "", b.nodes[q.parent].ghost != ""),
		cmp.Compare(pr.trust, qr.trust),
		-compareBool(p.denied, q.denied),
		compareBool(p.twoSided, q.twoSided),
		cmp.Compare(pr.t, qr.t),
		compareBool(p.child, q.child),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func (b *builder) parentClaims(k int32) []parentClaim {
	n := b.nodes[k]
	out := b.claims[:0]
	defer func() { b.claims = out[:0] }()
	claim := func(parent int32) *parentClaim {
		for i := range out {
			if out[i].parent == parent {
				return &out[i]
			}
		}
		out = append(out, parentClaim{parent: parent})
		return &out[len(out)-1]
	}
	byChild := func(parent int32, r rank, i int32, field string) {
		if parent < 0 || parent == k || b.kindOf(parent) == kindChild {
			return
		}
		if c := claim(parent); !c.child || r.compare(c.childRank) > 0 {
			if !c.table || r.compare(c.tabRank) > 0 {
				c.rep, c.field = i, field
			}
			c.child, c.childRank = true, r
		}
	}
	for _, x := range n.listedBy {
		w := &b.rows[x]
		if b.kindOf(w.from) == kindChild {
			continue
		}
		if c := claim(w.from); !c.table || w.rank.compare(c.tabRank) > 0 {
			if !c.child || w.rank.compare(c.childRank) > 0 {
				c.rep, c.field = w.rep, childRow.String()
			}
			c.table, c.tabRank, c.guess = true, w.rank, w.guess
		}
	}
	for _, i := range n.reports {
		s, r := &b.said[i], b.reps[i]
		if s.place < 0 {
			continue
		}
		rank := b.rankOf(i)
		if s.rloc16.IsChild() {
			byChild(b.routerThen(i, s.rloc16.Router()), rank, i, "own RLOC16")
		} else if s.rloc16.IsRouter() {
			continue // it was a router then: its tables name no parent
		}
		// A minimal device keeps one row, its parent. A full one also hears
		// routers that are not.
		mtd := r.Role == diag.RoleSleepyEndDevice || r.Role == diag.RoleEndDevice && len(r.Neighbors) == 1
		if m, known := r.Mode.Get(); known {
			mtd = !m.FullThreadDevice
		}
		if len(r.Neighbors) == 1 && mtd {
			nb := &r.Neighbors[0]
			overheard := !r.Mode.Known() && s.rloc16.IsChild() && nb.RLOC16.Known() && nb.RLOC16 != s.rloc16.Router()
			if to, ok := b.rowNode(i, nb.ExtAddr, nb.RLOC16); ok && !overheard {
				byChild(to, rank, i, neighborRow.String())
			}
		}
		// All ways of a full child that does not give its RLOC16 begin at its parent.
		if m, known := r.Mode.Get(); !s.rloc16.Known() && len(r.Routes) > 0 && (r.Role.IsChild() || known && !m.FullThreadDevice) {
			var hop unique[uint8]
			for j := range r.Routes {
				id := r.Routes[j].NextHop.Or(noNextHop)
				hop.add(id, id <= diag.MaxRouterID)
			}
			if id, ok := hop.get(); ok {
				byChild(b.routerThen(i, diag.RouterRLOC16(id)), rank, i, routeRow.String())
			}
		}
		if len(r.Routes) == 1 && mtd {
			rt := &r.Routes[0]
			if to, ok := b.rowNode(i, rt.ExtAddr, diag.RouterRLOC16(rt.RouterID)); ok {
				byChild(to, rank, i, routeRow.String())
			}
		}
	}
	return out
}

// takeRLOC16 gives a child the RLOC16 under which its parent has it, where the one
// that is believed so far is another router's: both together can't be so.
func (b *builder) takeRLOC16(n *node, c *parentClaim) {
	rl := b.nodes[c.parent].rloc
	if !c.table || !rl.Known() || n.rloc.Router() == rl {
		return
	}
	for _, x := range n.listedBy {
		if w := &b.rows[x]; w.from == c.parent && w.nb.RLOC16.IsChild() && w.nb.RLOC16.Router() == rl {
			n.rlocClash = n.rlocClash || n.rloc.Known()
			n.rloc = w.nb.RLOC16
		}
	}
}

// routerThen is the router that had an RLOC16 when report i was made, -1 for
// unknown: the one that the report itself has under it, else the one that has it
// in that place. Whom a cache meant is not known where only live tables have the
// RLOC16: it may have been another's then.
func (b *builder) routerThen(i int32, rl diag.RLOC16) int32 {
	r := b.reps[i]
	for j := range r.Neighbors {
		if nb := &r.Neighbors[j]; nb.RLOC16 == rl && nb.ExtAddr != 0 {
			return b.nodeOf[b.root(b.byExt[nb.ExtAddr])]
		}
	}
	id, _ := rl.RouterID()
	for j := range r.Routes {
		if rt := &r.Routes[j]; rt.RouterID == id && rt.ExtAddr != 0 {
			return b.nodeOf[b.root(b.byExt[rt.ExtAddr])]
		}
	}
	k := b.nodeAt(b.said[i].place, rl)
	if k >= 0 && b.nodes[k].rloc == rl && b.nodes[k].rlocRank.outranks(b.rankOf(i)) {
		return -1
	}
	return k
}
