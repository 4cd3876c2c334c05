package mesh

import (
	"cmp"
	"slices"
	"time"

	"threadmap/diag"
)

// A RouteRow is one row of a Route64 (Network Diagnostic TLV 5), with the next
// hop that the router uses.
type RouteRow struct {
	RouterID      uint8
	ExtAddr       diag.ExtAddr // 0: no direct link
	LQOut, LQIn   uint8        // both 0: no direct link
	Cost          uint8        // of the whole path; 1 for itself, 0 unreachable
	NextHop       uint8        // router id, 63: itself or unreachable
	Self, HasLink bool
	Age           time.Duration
}

// Route64 is the route table of node i, by router id: of a router, or of a
// child that is a full Thread device, which has no qualities of its own in it
// and counts over its parent. nil for other nodes, which have none.
func (v *View) Route64(i int) []RouteRow {
	n := &v.m.Nodes[i]
	if !n.Mode.FullThreadDevice {
		return nil
	}
	rs := &v.router[n.Partition]
	rows := make([]RouteRow, 0, rs.count)
	leads := n.IsRouter() && v.m.Partitions[n.Partition].Leader == n.RouterID
	for id := range rs.node {
		if rs.node[id] < 0 && !v.held[heldID{n.Partition, uint8(id), leads}] {
			continue
		}
		row := RouteRow{RouterID: uint8(id), NextHop: noRouter}
		switch {
		case !n.IsRouter():
			row.Cost = v.childCost(i, id)
			if row.Cost != 0 {
				row.NextHop = n.RouterID
			}
		case id == int(n.RouterID):
			row.Self, row.Cost, row.ExtAddr = true, 1, n.ExtAddr
		default:
			row.Cost, row.NextHop = rs.cost[n.RouterID][id], rs.next[n.RouterID][id]
		}
		rows = append(rows, row)
	}
	at := func(id uint8) *RouteRow {
		k, _ := slices.BinarySearchFunc(rows, id, func(r RouteRow, id uint8) int { return cmp.Compare(r.RouterID, id) })
		return &rows[k]
	}
	for _, e := range v.edges[i] {
		if e.in == 0 && e.out == 0 {
			continue
		}
		r := at(v.m.Nodes[e.to].RouterID)
		r.LQIn, r.LQOut, r.HasLink, r.Age, r.ExtAddr = e.in, e.out, true, e.age, v.m.Nodes[e.to].ExtAddr
	}
	for _, w := range v.left[i] {
		k, ok := slices.BinarySearchFunc(rows, uint8(w.RLOC16>>10), func(r RouteRow, id uint8) int { return cmp.Compare(r.RouterID, id) })
		if r := &rows[min(k, len(rows)-1)]; ok && !r.HasLink && !r.Self {
			r.LQIn, r.LQOut, r.HasLink, r.Age, r.ExtAddr = w.Heard.LQ, v.leftOut[leftKey{i, w.ExtAddr}], true, w.Age, w.ExtAddr
		}
	}
	for _, f := range v.overheard[i] {
		if p := &v.m.Nodes[v.own[f.Peer]]; p.Partition == n.Partition {
			r := at(p.RouterID)
			r.LQIn, r.LQOut, r.ExtAddr = f.LQ, f.LQ, p.ExtAddr
		}
	}
	for _, f := range v.ghosts[i] {
		rows = append(rows, RouteRow{RouterID: f.RouterID, ExtAddr: f.Peer, LQIn: max(f.LQ, 1), NextHop: noRouter, HasLink: true, Age: f.Age})
	}
	if v.ghosts[i] != nil {
		slices.SortFunc(rows, func(a, b RouteRow) int { return cmp.Compare(a.RouterID, b.RouterID) })
	}
	return rows
}

// childCost is the path cost from child i to router id, over its parent.
func (v *View) childCost(i, id int) uint8 {
	n, k := &v.m.Nodes[i], v.parent[i]
	if k.node < 0 {
		return 0
	}
	c := LinkCost(k.heard.LQ, v.atParent(i).heard.LQ)
	if c == 0 {
		return 0
	}
	if id != int(n.RouterID) {
		rest := int(v.router[n.Partition].cost[n.RouterID][id])
		if rest == 0 || rest+c > maxPathCost {
			return 0
		}
		c += rest
	}
	return uint8(c)
}

// atParent is child i as its parent has it.
func (v *View) atParent(i int) kid {
	for _, k := range v.kids[v.parent[i].node] {
		if k.node == i {
			return k
		}
	}
	return kid{node: -1}
}

// A ChildRow is one row of a child table, with all that TLVs 16, 29 and 30
// tell.
type ChildRow struct {
	Node          int // index; of a stale row, the child that has moved on, -1: it is gone
	Stale         bool
	RLOC16        uint16
	ExtAddr       diag.ExtAddr
	Mode          diag.Mode
	ThreadVersion uint16
	Timeout       time.Duration
	Supervision   time.Duration
	Age           time.Duration // since it was last heard
	ConnectedFor  time.Duration
	Heard         Direction // by the parent
}

// TimeoutExponent is the child timeout as TLV 16 gives it: 2^(e-4) seconds,
// rounded up.
func (c *ChildRow) TimeoutExponent() uint8 {
	e := uint8(4)
	for e < 31 && time.Second<<(e-4) < c.Timeout {
		e++
	}
	return e
}

// Children is the child table of router i, by RLOC16; empty where it has none,
// nil for a child, which has no such table.
func (v *View) Children(i int) []ChildRow {
	n := &v.m.Nodes[i]
	if !n.IsRouter() {
		return nil
	}
	rows := make([]ChildRow, 0, len(v.kids[i])+len(v.stale[i]))
	add := func(child int, rloc16 uint16, heard Direction, age, up time.Duration, stale bool) {
		c := &v.m.Nodes[child]
		rows = append(rows, ChildRow{
			Node: child, Stale: stale, RLOC16: rloc16, ExtAddr: c.ExtAddr, Mode: c.Mode, ThreadVersion: c.ThreadVersion,
			Timeout: c.Timeout, Supervision: c.Supervision, Age: age, ConnectedFor: up, Heard: heard,
		})
	}
	for _, k := range v.kids[i] {
		add(k.node, v.m.Nodes[k.node].RLOC16(), k.heard, k.age, k.up, false)
	}
	for _, f := range v.stale[i] {
		c := v.own[f.Node]
		heard := Hear(-75)
		if f.LQ != 0 {
			heard.LQ = f.LQ
		}
		add(c, uint16(n.RouterID)<<10|f.ChildID, heard, f.Age, f.Age+time.Hour, true)
	}
	rows = append(rows, v.former[i]...)
	slices.SortFunc(rows, func(a, b ChildRow) int { return cmp.Compare(a.RLOC16, b.RLOC16) })
	return rows
}

// MaxChildTimeout is the longest timeout among the children of router i that
// are no full Thread devices (TLV 19); 0: it has none, and the TLV is absent.
func (v *View) MaxChildTimeout(i int) time.Duration {
	var t time.Duration
	for _, k := range v.kids[i] {
		if c := &v.m.Nodes[k.node]; !c.Mode.FullThreadDevice {
			t = max(t, c.Timeout)
		}
	}
	return t
}

// A NeighborRow is one router that a router has a link with (TLV 31), or the
// parent of a child.
type NeighborRow struct {
	Node          int // index, -1: a ghost, or gone
	RLOC16        uint16
	ExtAddr       diag.ExtAddr
	ThreadVersion uint16
	Age           time.Duration
	ConnectedFor  time.Duration
	Heard         Direction // by the speaker
}

// RouterNeighbors are the routers that router i hears, by RLOC16; nil for a
// child.
func (v *View) RouterNeighbors(i int) []NeighborRow {
	if !v.m.Nodes[i].IsRouter() {
		return nil
	}
	rows := make([]NeighborRow, 0, len(v.edges[i])+len(v.ghosts[i]))
	for _, e := range v.edges[i] {
		if e.listed {
			p := &v.m.Nodes[e.to]
			rows = append(rows, NeighborRow{e.to, p.RLOC16(), p.ExtAddr, p.ThreadVersion, e.age, e.up, e.heard})
		}
	}
	rows = append(rows, v.left[i]...)
	for _, f := range v.ghosts[i] {
		heard := Hear(-90)
		heard.LQ = max(f.LQ, 1)
		rows = append(rows, NeighborRow{-1, uint16(f.RouterID) << 10, f.Peer, 0, f.Age, f.Age, heard})
	}
	slices.SortStableFunc(rows, func(a, b NeighborRow) int { return cmp.Compare(a.RLOC16, b.RLOC16) })
	return rows
}

// ParentRow is the parent of child i as the child hears it.
func (v *View) ParentRow(i int) (NeighborRow, bool) {
	k := v.parent[i]
	if k.node < 0 {
		return NeighborRow{}, false
	}
	p := &v.m.Nodes[k.node]
	return NeighborRow{k.node, p.RLOC16(), p.ExtAddr, p.ThreadVersion, k.age, k.up, k.heard}, true
}

// Leader is the leader data of node i (TLV 6): that of its partition.
func (v *View) Leader(i int) Partition { return v.m.Partitions[v.m.Nodes[i].Partition] }

// Routers is the number of routers in the partition of node i.
func (v *View) Routers(i int) int { return v.router[v.m.Nodes[i].Partition].count }

// IDSequence is the router id sequence that node i is at.
func (v *View) IDSequence(i int) uint8 { return v.Leader(i).IDSequence - v.m.Nodes[i].SequenceLag }

// A ConnectivityRow is TLV 4 of a full Thread device.
type ConnectivityRow struct {
	ParentPriority   int8
	LQ3, LQ2, LQ1    uint8 // neighboring routers, by the worse direction
	LeaderCost       uint8
	IDSequence       uint8
	ActiveRouters    uint8
	SEDBufferSize    uint16
	SEDDatagramCount uint8
}

// Connectivity is TLV 4 of node i; ok is false for a minimal Thread device,
// which has none. A child counts its parent.
func (v *View) Connectivity(i int) (c ConnectivityRow, ok bool) {
	n := &v.m.Nodes[i]
	if !n.Mode.FullThreadDevice {
		return c, false
	}
	p := v.Leader(i)
	c = ConnectivityRow{IDSequence: v.IDSequence(i), ActiveRouters: uint8(v.Routers(i)), SEDBufferSize: 1280, SEDDatagramCount: 1}
	count := func(lq uint8) {
		switch lq {
		case 3:
			c.LQ3++
		case 2:
			c.LQ2++
		case 1:
			c.LQ1++
		}
	}
	for _, e := range v.edges[i] {
		count(min(e.in, e.out))
	}
	if k := v.parent[i]; k.node >= 0 {
		count(min(k.heard.LQ, v.atParent(i).heard.LQ))
		c.LeaderCost = v.childCost(i, int(p.Leader))
	} else if n.RouterID != p.Leader {
		c.LeaderCost = v.router[n.Partition].cost[n.RouterID][p.Leader]
	}
	return c, true
}
