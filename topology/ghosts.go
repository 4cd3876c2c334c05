package topology

import (
	"fmt"
	"time"

	"threadmap/diag"
)

// maxNeighborAge is after how long without an advertisement Thread stacks drop a
// router from their neighbors (100 s; 150 s on full children of recent ones).
const maxNeighborAge = 150 * time.Second

// advertised is the longest time between two advertisements of a router (MLE's
// trickle timer, 32 s) and that in which the list of router ids spreads: who was
// heard so shortly before its id was free stepped down, perhaps, and is a child now.
const advertised = 45 * time.Second

// findGhosts marks routers that only rows of tables speak of and that better
// evidence contradicts: their RLOC16 is another's now, or their router id is
// not taken. Tables keep such rows for long after a router left or a border
// router took a new radio address. A router that somebody hears now is none.
func (b *builder) findGhosts() {
	heardNow := make([]bool, len(b.nodes))
	for x := range b.rows {
		w := &b.rows[x]
		if w.rank.trust < trustLive || w.old {
			continue
		}
		if set := b.sets[b.said[w.rep].place]; set != nil && set.leader != 0 && w.rank.t+int64(advertised) <= set.at {
			continue
		}
		if w.nb != nil && w.nb.LinkQualityIn.Or(1) > 0 && w.nb.Age.Or(0) <= maxNeighborAge || w.rt != nil && linked(w.rt) {
			heardNow[w.to] = true
		}
	}
	for k, n := range b.nodes {
		if n.ExtAddr == 0 || n.place < 0 || !b.current(n.place) || !n.rloc.IsRouter() {
			continue
		}
		if n.spoke {
			// What a cache keeps of a node that took another address since is out of date.
			if b.rankOf(n.lastSpoken(b)).trust < trustLive && !heardNow[k] {
				if id, _ := n.rloc.RouterID(); b.idIsFree(n) {
					n.outdated = fmt.Sprintf("router id %d is not in use in this partition", id)
				} else if o := b.nodeAt(n.place, n.rloc); o >= 0 && o != int32(k) && b.nodes[o].rlocRank.trust == trustLive {
					n.outdated = fmt.Sprintf("its address %s belongs to %s now", n.rloc, b.nodes[o].ID)
				}
			}
			continue
		}
		if id, ok := b.resolve(n.place, n.rloc); ok {
			if o := b.nodeOf[id]; o >= 0 && o != int32(k) {
				n.ghost = fmt.Sprintf("its address %s belongs to %s now", n.rloc, b.nodes[o].ID)
				continue
			}
		}
		if heardNow[k] {
			continue
		}
		if b.idIsFree(n) {
			id, _ := n.rloc.RouterID()
			n.ghost, n.ghostID = fmt.Sprintf("router id %d is not in use in this partition", id), true
		}
	}
}

// idIsFree reports whether the live route tables of its partition, the leader's
// where that is there, don't have the router id of a node.
func (b *builder) idIsFree(n *node) bool {
	set := b.sets[n.place]
	if set == nil || set.part {
		return false
	}
	taken := set.union
	if set.leader != 0 {
		taken = set.leader
	} else if set.tables < 2 {
		return false
	}
	id, _ := n.rloc.RouterID()
	return taken&(1<<id) == 0
}

// A kind is what a node is to its mesh.
type kind uint8

const (
	kindUnknown kind = iota
	kindRouter
	kindChild
)

// kindOf tells routers from children: by the RLOC16, else by the role the node
// gave, else by a mode that can't route, else by having children.
func (b *builder) kindOf(k int32) kind {
	n := b.nodes[k]
	switch {
	case n.rloc.IsRouter():
		return kindRouter
	case n.rloc.IsChild():
		return kindChild
	}
	for j := len(n.reports) - 1; j >= 0; j-- {
		r := b.reps[n.reports[j]]
		switch {
		case r.Role.Routes():
			return kindRouter
		case r.Role.IsChild():
			return kindChild
		case r.Role == diag.RoleDetached:
			return kindUnknown
		}
		if m, known := r.Mode.Get(); known && !m.FullThreadDevice {
			return kindChild
		}
		if len(r.Children) > 0 {
			return kindRouter
		}
	}
	if len(n.listedBy) > 0 {
		return kindChild
	}
	return kindUnknown
}
