package tmf

import (
	"slices"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/netdiag"
)

// learn takes a whole answer: tells it, and asks what follows from it.
func (v *survey) learn(now time.Time, from diag.RLOC16, q *question, tlvs []netdiag.TLV) {
	id, known := from.Get()
	n := v.node(id)
	if !known || n == nil {
		v.tell(from, tlvs)
		return
	}
	if list := q.list(); list != 0 {
		v.learnList(n, q, list, tlvs)
		return
	}
	if q.about == who && n.answered {
		return // once more, after the multicast was repeated: its tables may be told with more by now
	}
	n.take(tlvs)
	v.tell(from, n.with(all, n.lists[netdiag.TypeChild], n.lists[netdiag.TypeChildIPv6Addresses]))
	v.notice(now, n, tlvs)
	if q.about != who {
		return
	}
	n.answered = true
	for _, o := range slices.Clone(v.flying) {
		if o.about == who && o.node == n {
			o.done = true
			v.land(o)
		}
	}
	v.queue = slices.DeleteFunc(v.queue, func(o *question) bool { return o.about == who && o.node == n })
	v.askLists(n, q.again)
}

// notice draws from a node's words who else there is.
func (v *survey) notice(now time.Time, n *node, tlvs []netdiag.TLV) {
	if b, ok := netdiag.Find(tlvs, netdiag.TypeLeaderData); ok {
		if l, err := netdiag.ParseLeaderData(b); err == nil {
			v.leaderID = l.RouterID
		}
	}
	if b, ok := netdiag.Find(tlvs, netdiag.TypeRoute64); ok {
		if r, err := netdiag.ParseRoute64(b); err == nil {
			v.noticeRoutes(n, r)
		}
	}
	if b, ok := netdiag.Find(tlvs, netdiag.TypeNetworkData); ok {
		if d, err := netdiag.ParseNetworkData(b); err == nil {
			c := d.Commissioning
			v.s.NetworkData(now, c.Steering, c.SessionID)
			if c.SessionID == diag.Some(v.s.SessionID()) {
				v.locator(c.BorderAgentLocator)
			}
		}
	}
	for _, c := range n.table {
		if r, known := n.rloc().Child(c.ChildID).Get(); known && n.rloc().IsRouter() {
			if k := v.node(r); k != nil {
				k.child = diag.Some(c.Mode)
			}
		}
	}
}

func (v *survey) noticeRoutes(n *node, r netdiag.Route64) {
	isLeader := v.leaderID.Known() && n.rloc() == diag.RouterRLOC16(v.leaderID.Or(0))
	if isLeader {
		v.leaderKeys = map[uint8]bool{}
	}
	for _, w := range r.Rows {
		if isLeader {
			v.leaderKeys[w.RouterID] = true
		}
		if k := v.node(uint16(w.RouterID) << 10); k != nil && k != n && w.Cost > 0 {
			k.listedBy[n.id] = true
		}
	}
}

// askLists asks a router for what its identity does not tell. A stack that was
// asked for its Version TLV and has none is probably too old to know the lists:
// it is asked for one, and for the others if it knows that.
func (v *survey) askLists(n *node, less bool) {
	if !n.rloc().IsRouter() {
		return
	}
	_, isNew := netdiag.Find(n.tlvs, netdiag.TypeVersion)
	n.old = !isNew && !less
	if !n.hasTable || len(n.table) > 0 {
		v.askList(n, children)
		if n.old {
			return
		}
	}
	if n.links > 0 {
		v.askList(n, neighbors)
		if n.old {
			return
		}
	}
	if slices.ContainsFunc(n.table, func(c netdiag.ChildTableRow) bool { return !c.Mode.FullThreadDevice }) {
		v.askList(n, addresses) // full Thread devices register none
	}
}

func (v *survey) askList(n *node, s subject) {
	if !n.asked[s] {
		n.asked[s] = true
		v.enqueue(&question{about: s, node: n, to: n.id})
	}
}

// learnList takes the answer to a query.
func (v *survey) learnList(n *node, q *question, list uint8, tlvs []netdiag.TLV) {
	rows, ended := 0, false
	for _, t := range tlvs {
		if t.Type == list {
			rows++
			ended = ended || len(t.Value) == 0
		}
	}
	if !ended && rows == 0 {
		return // it does not know the list
	}
	if n.old {
		v.askLists(n, true)
	}
	if list == netdiag.TypeChild && ended && rows-1 < len(n.table) && !q.again {
		// Fewer children than its child table had: some got lost on the way, or
		// have gone by now.
		v.enqueue(&question{about: q.about, node: n, to: n.id, again: true, attempt: q.attempt + 1})
	}
	n.lists[list] = tlvs
	v.tellLists(n, list)
	for _, t := range tlvs {
		v.noticeRow(t)
	}
	if list == netdiag.TypeChild && slices.ContainsFunc(tlvs, func(t netdiag.TLV) bool {
		c, err := netdiag.ParseChild(t.Value)
		return t.Type == list && err == nil && !c.Mode.FullThreadDevice
	}) {
		v.askList(n, addresses)
	}
}

// learnPart tells a part of an answer whose rest does not come.
func (v *survey) learnPart(q *question) {
	list := q.list()
	if list == 0 || q.node.lists[list] != nil {
		return
	}
	q.node.lists[list] = q.answer.TLVs()
	v.tellLists(q.node, list)
	q.node.lists[list] = nil
}

// tellLists tells the tables that a list belongs to, as a whole.
func (v *survey) tellLists(n *node, list uint8) {
	me := []uint8{netdiag.TypeExtAddress, netdiag.TypeAddress16}
	if list == netdiag.TypeRouterNeighbor {
		v.tell(n.rloc(), n.with(append(me, netdiag.TypeRoute64), n.lists[list]))
		return
	}
	v.tell(n.rloc(), n.with(append(me, netdiag.TypeChildTable), n.lists[netdiag.TypeChild], n.lists[netdiag.TypeChildIPv6Addresses]))
}

// noticeRow draws from a row of a list who that node is.
func (v *survey) noticeRow(t netdiag.TLV) {
	var r diag.RLOC16
	var x diag.ExtAddr
	mode := diag.Opt[diag.Mode]{}
	switch t.Type {
	case netdiag.TypeChild:
		c, err := netdiag.ParseChild(t.Value)
		if err != nil {
			return
		}
		r, x, mode = c.RLOC16, c.ExtAddr, diag.Some(c.Mode)
	case netdiag.TypeRouterNeighbor:
		c, err := netdiag.ParseRouterNeighbor(t.Value)
		if err != nil {
			return
		}
		r, x = c.RLOC16, c.ExtAddr
	}
	id, known := r.Get()
	if n := v.node(id); known && n != nil {
		n.ext = x
		if mode.Known() && r.IsChild() {
			n.child = mode
		}
	}
}
