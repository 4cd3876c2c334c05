package mesh

import (
	"slices"
	"time"

	"threadmap/diag"
)

// A state is a mesh on its way through a history. Nodes keep their indexes.
type state struct {
	m      *Mesh
	gone   []bool // switched off
	adrift []bool // without a parent
	rows   []leftRow
	kids   []leftChild
	ids    []leftID
	now    time.Duration
	serial uint32
}

// A leftRow is what router keeper still has of a router that it lost.
type leftRow struct {
	keeper  int
	about   Node // as it was
	heard   Direction
	out     uint8
	lost    time.Duration // when
	age     time.Duration // since it was last heard, then
	up      time.Duration
	inUntil time.Duration // after which keeper gives it up
}

// A leftChild is a row of the child table of router keeper about a child that it
// lost.
type leftChild struct {
	keeper int
	row    ChildRow // Node is an index of the history
	heard  time.Duration
	until  time.Duration
}

// A leftID is a router id that is not free yet: the leader has it as taken until
// until, and gives it out again after IDReuseDelay more.
type leftID struct {
	partition int
	id        uint8
	until     time.Duration
}

func newState(m *Mesh) *state {
	m = m.Clone()
	m.Faults = nil
	return &state{m: m, gone: make([]bool, len(m.Nodes)), adrift: make([]bool, len(m.Nodes))}
}

// chance is a number below n that is the same whenever the history is replayed.
func (s *state) chance(n uint32) uint32 {
	s.serial++
	x := s.serial * 2654435761
	x ^= x >> 15
	x *= 2246822519
	return (x ^ x>>13) % n
}

func (s *state) attached(i int) bool {
	return i >= 0 && i < len(s.m.Nodes) && !s.gone[i] && !s.adrift[i]
}

func (s *state) router(i int) bool { return s.attached(i) && s.m.Nodes[i].IsRouter() }

func (s *state) leads(i int) bool {
	n := &s.m.Nodes[i]
	return n.IsRouter() && s.m.Partitions[n.Partition].Leader == n.RouterID
}

// apply lets an event happen; false where it can't.
func (s *state) apply(e Event) bool {
	s.now = e.At
	n, p := e.Node, e.Peer
	if n < 0 || n >= len(s.m.Nodes) || p < 0 || p >= len(s.m.Nodes) || s.gone[n] {
		return false
	}
	switch e.Kind {
	case EventCut:
		k := s.link(n, p)
		if k < 0 || !s.router(n) || !s.router(p) {
			return false
		}
		s.unlink(k)
	case EventDie:
		if s.router(n) {
			s.giveBack(n, InLostAfter+idLostAfter+time.Duration(s.chance(inLostSpread))*time.Second)
		}
		s.leave(n, false)
		s.gone[n] = true
	case EventMove:
		if s.router(n) || !s.router(p) || !s.freeChild(p, e.ChildID) {
			return false
		}
		s.leave(n, e.Told)
		s.hang(n, p, e.ChildID)
	case EventDemote:
		if !s.router(n) || !s.router(p) || n == p || s.leads(n) || !s.freeChild(p, e.ChildID) || s.m.Nodes[n].Partition != s.m.Nodes[p].Partition {
			return false
		}
		s.giveBack(n, 0)
		s.leave(n, false)
		s.hang(n, p, e.ChildID)
	case EventPromote:
		x := &s.m.Nodes[n]
		if !s.attached(n) || x.IsRouter() || !x.Mode.FullThreadDevice || !s.freeID(x.Partition, e.RouterID) {
			return false
		}
		parent := s.parent(n)
		s.leave(n, false)
		x.RouterID, x.ChildID, x.REED = e.RouterID, 0, false
		s.newOwner(x)
		s.connect(n, append([]int{parent}, e.Nodes...))
	case EventReaddress:
		x := &s.m.Nodes[n]
		if !s.router(n) || e.ExtAddr == 0 || s.m.Find(e.ExtAddr) >= 0 || e.RouterID != x.RouterID && (!s.freeID(x.Partition, e.RouterID) || s.leads(n)) {
			return false
		}
		peers := s.peers(n)
		if e.RouterID != x.RouterID {
			s.giveBack(n, InLostAfter+idLostAfter)
		}
		s.leave(n, false)
		x.ExtAddr, x.RouterID = e.ExtAddr, e.RouterID
		s.newOwner(x)
		s.connect(n, peers)
	case EventPart:
		return s.part(e)
	case EventJoin:
		return s.joinPartitions(e)
	default:
		return false
	}
	return true
}

// link is the index of the link between two nodes, -1 for none.
func (s *state) link(a, b int) int {
	return slices.IndexFunc(s.m.Links, func(l Link) bool { return l.A == a && l.B == b || l.A == b && l.B == a })
}

func (s *state) parent(i int) int {
	for _, l := range s.m.Links {
		if l.A == i {
			return l.B
		} else if l.B == i {
			return l.A
		}
	}
	return -1
}

// peers are the routers that a router has links with.
func (s *state) peers(i int) []int {
	var out []int
	for _, l := range s.m.Links {
		if o := l.A + l.B - i; (l.A == i || l.B == i) && s.m.Nodes[o].IsRouter() {
			out = append(out, o)
		}
	}
	return out
}

// unlink removes link k between routers; both keep a row of the other.
func (s *state) unlink(k int) {
	l := s.m.Links[k]
	s.m.Links = slices.Delete(s.m.Links, k, k+1)
	s.keep(l.A, l.B, l.BToA, l.AToB.LQ, l)
	s.keep(l.B, l.A, l.AToB, l.BToA.LQ, l)
}

// age is how long ago a link was last used; Up of one that was made since the
// start is the negative of when.
func (s *state) age(l Link) time.Duration { return min(l.Age, l.Up+s.now) }

func (s *state) keep(keeper, about int, heard Direction, out uint8, l Link) {
	s.rows = append(s.rows, leftRow{
		keeper: keeper, about: s.m.Nodes[about], heard: heard, out: out, lost: s.now, age: s.age(l), up: l.Up,
		inUntil: s.now + InLostAfter + time.Duration(s.chance(inLostSpread))*time.Second,
	})
}

// leave takes node i out of the mesh: what it knew is forgotten, the others
// notice later, its children are adrift.
func (s *state) leave(i int, told bool) {
	for k := len(s.m.Links) - 1; k >= 0; k-- {
		l := s.m.Links[k]
		if l.A != i && l.B != i {
			continue
		}
		other := l.A + l.B - i
		heard, out := l.AToB, l.BToA.LQ // heard by the other
		if l.B == i {
			heard, out = l.BToA, l.AToB.LQ
		}
		s.m.Links = slices.Delete(s.m.Links, k, k+1)
		n, o := &s.m.Nodes[i], &s.m.Nodes[other]
		switch {
		case n.IsRouter() && o.IsRouter():
			s.keep(other, i, heard, out, l)
		case n.IsRouter():
			s.adrift[other] = true
		default:
			until := s.now - s.age(l) + n.Timeout
			if told {
				until = s.now + tellsParent
			}
			s.kids = append(s.kids, leftChild{keeper: other, heard: s.now - s.age(l), until: until, row: ChildRow{
				Node: i, Stale: true, RLOC16: n.RLOC16(), ExtAddr: n.ExtAddr, Mode: n.Mode, ThreadVersion: n.ThreadVersion,
				Timeout: n.Timeout, Supervision: n.Supervision, ConnectedFor: l.Up, Heard: heard,
			}})
		}
	}
	s.forget(i)
}

// forget empties the tables of a node that starts anew.
func (s *state) forget(i int) {
	s.rows = slices.DeleteFunc(s.rows, func(r leftRow) bool { return r.keeper == i })
	s.kids = slices.DeleteFunc(s.kids, func(r leftChild) bool { return r.keeper == i })
}

// newOwner makes all forget who had the router id of n before.
func (s *state) newOwner(n *Node) {
	s.rows = slices.DeleteFunc(s.rows, func(r leftRow) bool {
		return r.about.RouterID == n.RouterID && r.about.Partition == n.Partition && r.about.ExtAddr != n.ExtAddr
	})
}

func (s *state) giveBack(i int, after time.Duration) {
	n := &s.m.Nodes[i]
	s.ids = append(s.ids, leftID{n.Partition, n.RouterID, s.now + after})
}

// freeID reports whether the leader would give a router id out.
func (s *state) freeID(partition int, id uint8) bool {
	routers := 0
	for i := range s.m.Nodes {
		if n := &s.m.Nodes[i]; s.router(i) && n.Partition == partition {
			if routers++; n.RouterID == id {
				return false
			}
		}
	}
	return id <= diag.MaxRouterID && routers < MaxRouters && !slices.ContainsFunc(s.ids, func(l leftID) bool {
		return l.partition == partition && l.id == id && s.now < l.until+IDReuseDelay
	})
}

// freeChild reports whether router p has nobody under that child id.
func (s *state) freeChild(p int, id uint16) bool {
	for i := range s.m.Nodes {
		if n := &s.m.Nodes[i]; s.attached(i) && n.Partition == s.m.Nodes[p].Partition && n.RouterID == s.m.Nodes[p].RouterID && n.ChildID == id {
			return false
		}
	}
	rloc16 := uint16(s.m.Nodes[p].RouterID)<<10 | id
	return id >= 1 && id <= MaxChildren && !slices.ContainsFunc(s.kids, func(r leftChild) bool {
		return r.keeper == p && r.row.RLOC16 == rloc16 && s.now < r.until
	})
}

// hang makes node i a child of router p.
func (s *state) hang(i, p int, child uint16) {
	n, r := &s.m.Nodes[i], &s.m.Nodes[p]
	n.RouterID, n.ChildID, n.Partition, n.OTBR = r.RouterID, child, r.Partition, 0
	s.adrift[i] = false
	// The same radio in the same table under another id: stacks replace the row.
	s.kids = slices.DeleteFunc(s.kids, func(r leftChild) bool { return r.keeper == p && r.row.ExtAddr == n.ExtAddr })
	s.connect(i, []int{p})
}

// connect links node i with others, as strong as chance has it.
func (s *state) connect(i int, others []int) {
	for _, o := range others {
		if !s.router(o) || o == i || s.link(i, o) >= 0 || s.m.Nodes[o].Partition != s.m.Nodes[i].Partition {
			continue
		}
		hear := func() Direction { return Hear(int8(-50 - int(s.chance(45)))).withErrors() }
		s.m.Links = append(s.m.Links, Link{A: o, B: i, AToB: hear(), BToA: hear(), Age: time.Duration(1+s.chance(10)) * time.Second, Up: -s.now})
		id := s.m.Nodes[i].RouterID
		s.rows = slices.DeleteFunc(s.rows, func(r leftRow) bool { // one entry a router id
			return r.keeper == o && r.about.RouterID == id || r.keeper == i && r.about.RouterID == s.m.Nodes[o].RouterID
		})
	}
}

func (s *state) part(e Event) bool {
	if !s.router(e.Node) || len(s.m.Partitions) >= 16 || slices.ContainsFunc(s.m.Partitions, func(p Partition) bool { return p.ID == e.PartitionID }) {
		return false
	}
	old, leader := s.m.Nodes[e.Node].Partition, s.m.Nodes[e.Node].RouterID
	in := map[uint8]bool{leader: true}
	for _, i := range e.Nodes {
		if !s.router(i) || s.m.Nodes[i].Partition != old {
			return false
		}
		in[s.m.Nodes[i].RouterID] = true
	}
	part := len(s.m.Partitions)
	p := s.m.Partitions[old]
	p.ID, p.Leader, p.IDSequence = e.PartitionID, leader, 0
	s.m.Partitions = append(s.m.Partitions, p)
	for i := range s.m.Nodes {
		n := &s.m.Nodes[i]
		if n.Partition != old || !in[n.RouterID] || s.gone[i] || s.adrift[i] {
			continue
		}
		if n.IsRouter() {
			s.ids = append(s.ids, leftID{old, n.RouterID, s.now + idLostAfter})
		}
		s.rows = slices.DeleteFunc(s.rows, func(r leftRow) bool { return r.keeper == i })
		n.Partition = part
	}
	for k := len(s.m.Links) - 1; k >= 0; k-- {
		if l := s.m.Links[k]; s.m.Nodes[l.A].Partition != s.m.Nodes[l.B].Partition {
			s.m.Links = slices.Delete(s.m.Links, k, k+1)
		}
	}
	return true
}

func (s *state) joinPartitions(e Event) bool {
	if !s.router(e.Node) || !s.router(e.Peer) {
		return false
	}
	from, to := s.m.Nodes[e.Node].Partition, s.m.Nodes[e.Peer].Partition
	if from == to {
		return false
	}
	ids := map[uint8]uint8{} // old to new
	routers := 0
	taken := func(id uint8) bool {
		for _, v := range ids {
			if v == id {
				return true
			}
		}
		return !s.freeID(to, id)
	}
	for i := range s.m.Nodes {
		n := &s.m.Nodes[i]
		if !s.router(i) || n.Partition != from && n.Partition != to {
			continue
		}
		if routers++; routers > MaxRouters {
			return false
		}
		if n.Partition == to {
			continue
		}
		id := n.RouterID
		for k := 0; taken(id); k++ {
			if k > diag.MaxRouterID {
				return false
			}
			id = (id + 7) % (diag.MaxRouterID + 1)
		}
		ids[n.RouterID] = id
	}
	for i := range s.m.Nodes {
		n := &s.m.Nodes[i]
		if n.Partition != from || s.gone[i] || s.adrift[i] {
			continue
		}
		n.RouterID, n.Partition = ids[n.RouterID], to
		s.forget(i)
		if n.IsRouter() {
			s.newOwner(n)
		}
	}
	s.connect(e.Node, []int{e.Peer})
	return true
}
