package tmf

import (
	"cmp"
	"slices"

	"threadmap/diag"
	"threadmap/diag/tmf/netdiag"
)

// maxNodes bounds the nodes that a survey remembers.
const maxNodes = 8192

// A node is what a survey knows of a node, to see what to ask next.
type node struct {
	id       uint16 // RLOC16
	asking   bool   // asked for its identity by itself
	answered bool   // its identity came
	old      bool   // its stack may not know the lists

	tlvs     []netdiag.TLV // its identity, the last of each type
	table    []netdiag.ChildTableRow
	hasTable bool
	links    int                     // routers that its Route64 shows a link with
	lists    map[uint8][]netdiag.TLV // answers to queries, by the list asked for
	asked    map[subject]bool
	lacks    []string // what did not come

	ext      diag.ExtAddr // as others name it
	listedBy map[uint16]bool
	child    diag.Opt[diag.Mode] // how its parent has it
}

func (n *node) rloc() diag.RLOC16 { return diag.MakeRLOC16(n.id) }

// node finds or makes the node with that RLOC16; nil for what is none.
func (v *survey) node(id uint16) *node {
	n := v.nodes[id]
	if n == nil && diag.MakeRLOC16(id).Known() && len(v.nodes) < maxNodes {
		n = &node{id: id, lists: map[uint8][]netdiag.TLV{}, asked: map[subject]bool{}, listedBy: map[uint16]bool{}}
		v.nodes[id] = n
	}
	return n
}

// sorted are the nodes by RLOC16.
func (v *survey) sorted() []*node {
	out := make([]*node, 0, len(v.nodes))
	for _, n := range v.nodes {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b *node) int { return cmp.Compare(a.id, b.id) })
	return out
}

// take keeps what a node says of itself: the last of each type.
func (n *node) take(tlvs []netdiag.TLV) {
	n.tlvs = slices.DeleteFunc(n.tlvs, func(t netdiag.TLV) bool {
		_, again := netdiag.Find(tlvs, t.Type)
		return again
	})
	n.tlvs = append(n.tlvs, tlvs...)
	if b, ok := netdiag.Find(tlvs, netdiag.TypeChildTable); ok {
		if rows, err := netdiag.ParseChildTable(b); err == nil {
			n.table, n.hasTable = rows, true
		}
	}
	if b, ok := netdiag.Find(tlvs, netdiag.TypeRoute64); ok {
		if r, err := netdiag.ParseRoute64(b); err == nil {
			n.links = 0
			for _, w := range r.Rows {
				if w.LQIn > 0 || w.LQOut > 0 {
					n.links++
				}
			}
		}
	}
}

// all stands for every type.
var all []uint8

// with are the TLVs of the node's identity that have one of the types, then
// others.
func (n *node) with(types []uint8, others ...[]netdiag.TLV) []netdiag.TLV {
	var out []netdiag.TLV
	for _, t := range n.tlvs {
		if types == nil || slices.Contains(types, t.Type) {
			out = append(out, t)
		}
	}
	for _, o := range others {
		out = append(out, o...)
	}
	return out
}

// routers are the ids of the routers of the mesh, sorted: those that anybody
// reaches, of which the leader's table does not deny them. Path cost 0 is an id
// that is held for a router that may be gone.
func (v *survey) routers() []uint8 {
	var ids []uint8
	for _, n := range v.sorted() {
		id := uint8(n.id >> 10)
		if n.rloc().IsRouter() && (n.answered || len(n.listedBy) > 0 && (v.leaderKeys == nil || v.leaderKeys[id])) {
			ids = append(ids, id)
		}
	}
	return ids
}

// complete reports whether every router answered that anybody knows of, the
// leader and the border agent's own node among them.
func (v *survey) complete() bool {
	if !v.sought || !v.border.Known() || v.leaderKeys == nil {
		return false
	}
	if id, _ := v.border.Get(); v.nodes[id] == nil || !v.nodes[id].answered {
		return false
	}
	for _, id := range v.routers() {
		if !v.nodes[uint16(id)<<10].answered {
			return false
		}
	}
	return true
}

// expectedChildren are the children that answer a multicast and did not, or
// that their parent could not name by extended address.
func (v *survey) expectedChildren() []*node {
	return slices.DeleteFunc(v.sorted(), func(n *node) bool {
		m, known := n.child.Get()
		return !known || n.answered || n.asking || !m.FullThreadDevice && (n.ext != 0 || !m.RxOnWhenIdle)
	})
}

// askChildren asks those, and the sleepy ones if that is wanted.
func (v *survey) askChildren() {
	for _, n := range v.expectedChildren() {
		v.askWho(n)
	}
	if !v.askSleepy {
		return
	}
	for _, n := range v.sorted() {
		if m, known := n.child.Get(); known && !m.FullThreadDevice {
			v.askWho(n)
		}
	}
}
