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

// twoSided reports whether both ends say so with the same right.
func (c *parentClaim) twoSided() bool {
	return c.child && c.table && c.childRank.sameClass(c.tabRank)
}

// findParents finds each child's parent: the router whose RLOC16 is the
// child's & 0xfc00, checked against child tables and against the row that the
// child itself keeps of its parent. When they disagree, what is of the newest
// epoch and not from a cache goes first, then what both ends say, then what is
// newest; the other claims are kept as a conflict. Between claims that are equal
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
		switch {
		case best.child && best.table:
			n.ParentConfidence = Confirmed
		default:
			n.ParentConfidence = OneSided
		}
	}
}

// compareClaims is positive when p is better founded than q.
func (b *builder) compareClaims(p, q *parentClaim) int {
	pr, qr := p.rank(), q.rank()
	return cmp.Or(
		cmp.Compare(pr.epoch, qr.epoch),
		-compareBool(b.nodes[p.parent].ghost != "", b.nodes[q.parent].ghost != ""),
		cmp.Compare(pr.trust, qr.trust),
		compareBool(p.twoSided(), q.twoSided()),
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
	var out []parentClaim
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
			c.table, c.tabRank = true, w.rank
		}
	}
	for _, i := range n.reports {
		s, r := &b.said[i], b.reps[i]
		if s.place < 0 {
			continue
		}
		rank := b.rankOf(i)
		if s.rloc16.IsChild() {
			byChild(b.nodeAt(s.place, s.rloc16.Router()), rank, i, "own RLOC16")
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
		if len(r.Routes) == 1 && mtd {
			rt := &r.Routes[0]
			if to, ok := b.rowNode(i, rt.ExtAddr, diag.RouterRLOC16(rt.RouterID)); ok {
				byChild(to, rank, i, routeRow.String())
			}
		}
	}
	return out
}
