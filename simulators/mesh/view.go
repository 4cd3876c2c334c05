package mesh

import (
	"cmp"
	"slices"
	"time"

	"threadmap/diag"
)

// A View is what the nodes of a mesh say, or, for [Mesh.Truth], what is so. It
// is computed once and safe for concurrent use; the mesh must not be changed
// while a View of it is used.
type View struct {
	m      *Mesh // with splits applied
	own    map[diag.ExtAddr]int
	router []routers // by partition
	edges  [][]edge  // of router i, to routers, by router id
	kids   [][]kid   // of router i, by child id
	parent []kid     // of child i; node -1: none

	silent, hidden, lost []bool
	delay                map[int]time.Duration
	ghosts               map[int][]Fault
	stale                map[int][]Fault // by old parent
	overheard            map[int][]Fault // by child

	// What routers still have of nodes that they lost; only a History fills these.
	left    map[int][]NeighborRow // by the router that keeps it
	leftOut map[leftKey]uint8     // what it was last told of how it is heard; absent: 0
	former  map[int][]ChildRow
	held    map[heldID]bool // router ids that are taken and have no node
}

// A leftKey is a router and the address of one that it lost.
type leftKey struct {
	keeper int
	about  diag.ExtAddr
}

// A heldID is a router id of a partition, as the leader or as the others have it.
type heldID struct {
	partition int
	id        uint8
	leader    bool
}

// routers are the router ids of one partition.
type routers struct {
	node  [diag.MaxRouterID + 1]int32 // index, -1: not allocated
	count int
	cost  [diag.MaxRouterID + 1][diag.MaxRouterID + 1]uint8 // path costs, 0: none, or self
	next  [diag.MaxRouterID + 1][diag.MaxRouterID + 1]uint8 // next hop, noRouter: none
}

// noRouter is written for "no next hop".
const noRouter = 63

// An edge is one side of a link between routers, as that side tells it.
type edge struct {
	to      int
	in, out uint8
	heard   Direction
	age, up time.Duration
	listed  bool // the side has a neighbor row for it
}

// A kid is a child's link, seen from the parent or from the child.
type kid struct {
	node    int
	heard   Direction // by whoever's list this is in
	age, up time.Duration
}

// View is what the nodes say, faults included.
func (m *Mesh) View() *View { return newView(m, true) }

// Truth is what is so, as if there were no faults.
func (m *Mesh) Truth() *View { return newView(m, false) }

func newView(m *Mesh, faults bool) *View {
	if faults {
		m = m.split()
	}
	n := len(m.Nodes)
	v := &View{
		m: m, own: make(map[diag.ExtAddr]int, n), router: make([]routers, len(m.Partitions)),
		edges: make([][]edge, n), kids: make([][]kid, n), parent: make([]kid, n),
		silent: make([]bool, n), hidden: make([]bool, n), lost: make([]bool, n),
		delay: map[int]time.Duration{}, ghosts: map[int][]Fault{}, stale: map[int][]Fault{}, overheard: map[int][]Fault{},
	}
	for p := range v.router {
		for r := range v.router[p].node {
			v.router[p].node[r] = -1
		}
	}
	for i := range m.Nodes {
		x := &m.Nodes[i]
		v.own[x.ExtAddr] = i
		v.parent[i].node = -1
		if x.IsRouter() {
			v.router[x.Partition].node[x.RouterID] = int32(i)
			v.router[x.Partition].count++
		}
	}
	for _, l := range m.Links {
		a, b := &m.Nodes[l.A], &m.Nodes[l.B]
		switch {
		case a.IsRouter() && b.IsRouter():
			v.edges[l.A] = append(v.edges[l.A], edge{to: l.B, in: l.BToA.LQ, out: l.AToB.LQ, heard: l.BToA, age: l.Age, up: l.Up, listed: true})
			v.edges[l.B] = append(v.edges[l.B], edge{to: l.A, in: l.AToB.LQ, out: l.BToA.LQ, heard: l.AToB, age: l.Age, up: l.Up, listed: true})
		case a.IsRouter():
			v.addChild(l.A, l.B, l.BToA, l.AToB, l)
		default:
			v.addChild(l.B, l.A, l.AToB, l.BToA, l)
		}
	}
	if faults {
		v.applyFaults()
	}
	for i := range v.edges {
		slices.SortFunc(v.edges[i], func(a, b edge) int { return cmp.Compare(m.Nodes[a.to].RouterID, m.Nodes[b.to].RouterID) })
		slices.SortFunc(v.kids[i], func(a, b kid) int { return cmp.Compare(m.Nodes[a.node].ChildID, m.Nodes[b.node].ChildID) })
	}
	for p := range v.router {
		v.paths(p)
	}
	return v
}

func (v *View) addChild(parent, child int, atParent, atChild Direction, l Link) {
	v.kids[parent] = append(v.kids[parent], kid{child, atParent, l.Age, l.Up})
	v.parent[child] = kid{parent, atChild, l.Age, l.Up}
}

// split is the mesh with the partitions that its split faults make, m itself
// when there are none.
func (m *Mesh) split() *Mesh {
	i := slices.IndexFunc(m.Faults, func(f Fault) bool { return f.Kind == FaultSplit })
	if i < 0 {
		return m
	}
	c := m.Clone()
	for _, f := range c.Faults {
		leader := c.Find(f.Node)
		if f.Kind != FaultSplit || leader < 0 {
			continue
		}
		old := c.Nodes[leader].Partition
		member := map[uint8]bool{c.Nodes[leader].RouterID: true}
		for _, x := range f.Nodes {
			if k := c.Find(x); k >= 0 && c.Nodes[k].Partition == old {
				member[c.Nodes[k].RouterID] = true
			}
		}
		p := c.Partitions[old]
		p.ID = p.ID*2654435761 + 1 // some other id
		p.Leader = c.Nodes[leader].RouterID
		rest := noRouter
		for k := range c.Nodes {
			n := &c.Nodes[k]
			if n.Partition != old {
				continue
			}
			if member[n.RouterID] {
				n.Partition = len(c.Partitions)
			} else if n.IsRouter() {
				rest = min(rest, int(n.RouterID))
			}
		}
		if member[c.Partitions[old].Leader] && rest != noRouter {
			c.Partitions[old].Leader = uint8(rest)
		}
		c.Partitions = append(c.Partitions, p)
		c.Links = slices.DeleteFunc(c.Links, func(l Link) bool { return c.Nodes[l.A].Partition != c.Nodes[l.B].Partition })
	}
	return c
}

func (v *View) applyFaults() {
	for _, f := range v.m.Faults {
		i, ok := v.own[f.Node]
		if !ok {
			continue
		}
		j, peer := v.own[f.Peer]
		switch f.Kind {
		case FaultSilent:
			v.silent[i] = true
		case FaultHidden:
			v.hidden[i] = true
		case FaultSlow:
			v.delay[i] = f.Delay
		case FaultLostLists:
			v.lost[i] = true
		case FaultGhost:
			v.ghosts[i] = append(v.ghosts[i], f)
		case FaultOverhears:
			v.overheard[i] = append(v.overheard[i], f)
		case FaultStaleChild:
			if peer {
				v.stale[j] = append(v.stale[j], f)
			}
		case FaultOneWay, FaultDying, FaultDead:
			a, b := v.edge(i, j), v.edge(j, i)
			if !peer || a == nil || b == nil {
				continue
			}
			switch f.Kind {
			case FaultOneWay:
				a.out = 0
				b.in, b.heard, b.listed = 0, Direction{}, false
			case FaultDying:
				a.in, a.out, b.in, b.out = 3, 0, 3, 0
			case FaultDead:
				gone := Direction{RSSI: noiseFloor, LastRSSI: noiseFloor}
				age := max(f.Age, 3*time.Minute)
				a.in, a.out, a.heard, a.age = 0, 0, gone, age
				b.in, b.out, b.heard, b.age = 0, 0, gone, age
			}
		}
	}
}

func (v *View) edge(from, to int) *edge {
	for k := range v.edges[from] {
		if v.edges[from][k].to == to {
			return &v.edges[from][k]
		}
	}
	return nil
}

// paths finds the cheapest paths between the routers of partition p
// (Dijkstra; of equal ones the one over the smallest next hop).
func (v *View) paths(p int) {
	rs := &v.router[p]
	for from := range rs.node {
		for to := range rs.next[from] {
			rs.next[from][to] = noRouter
		}
		if rs.node[from] < 0 {
			continue
		}
		var done [diag.MaxRouterID + 1]bool
		cost, next := &rs.cost[from], &rs.next[from]
		at := from
		for at >= 0 {
			done[at] = true
			for _, e := range v.edges[rs.node[at]] {
				to := int(v.m.Nodes[e.to].RouterID)
				c := LinkCost(e.in, e.out)
				if c == 0 || done[to] {
					continue
				}
				hop := next[at]
				if at == from {
					hop = uint8(to)
				}
				sum := int(cost[at]) + c
				if sum <= maxPathCost && (cost[to] == 0 || sum < int(cost[to]) || sum == int(cost[to]) && hop < next[to]) {
					cost[to], next[to] = uint8(sum), hop
				}
			}
			at = -1
			for r := range cost {
				if !done[r] && cost[r] != 0 && (at < 0 || cost[r] < cost[at]) {
					at = r
				}
			}
		}
	}
}

// Mesh is the mesh that is viewed, with the partitions that faults made.
func (v *View) Mesh() *Mesh { return v.m }

// Node is node i.
func (v *View) Node(i int) *Node { return &v.m.Nodes[i] }

// Find is the index of the node with that extended address, -1 for none.
func (v *View) Find(x diag.ExtAddr) int {
	if i, ok := v.own[x]; ok {
		return i
	}
	return -1
}

// ByRLOC16 is the index of the node with that short address in a partition, -1
// for none.
func (v *View) ByRLOC16(partition int, rloc16 uint16) int {
	id := rloc16 >> 10
	if partition < 0 || partition >= len(v.router) || id > diag.MaxRouterID || v.router[partition].node[id] < 0 {
		return -1
	}
	r := int(v.router[partition].node[id])
	if rloc16&0x3ff == 0 {
		return r
	}
	for _, k := range v.kids[r] {
		if v.m.Nodes[k.node].RLOC16() == rloc16 {
			return k.node
		}
	}
	return -1
}

// Parent is the index of the parent of child i, -1 for a router.
func (v *View) Parent(i int) int { return v.parent[i].node }

// Role is what node i does.
func (v *View) Role(i int) diag.Role { return v.m.Role(i) }

// Answers reports whether node i answers when it is asked.
func (v *View) Answers(i int) bool { return !v.silent[i] && !v.hidden[i] }

// Hidden reports whether askers don't know of node i.
func (v *View) Hidden(i int) bool { return v.hidden[i] }

// Delay is how long node i takes to answer.
func (v *View) Delay(i int) time.Duration { return v.delay[i] }

// LostLists reports whether the children and router neighbors of node i get
// lost on the way.
func (v *View) LostLists(i int) bool { return v.lost[i] }
