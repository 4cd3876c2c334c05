package mesh

import (
	"cmp"
	"slices"
	"time"
)

// mesh is the mesh of the nodes that are up and attached, and where each node of
// the history is in it, -1 for nowhere. Partitions without a node are left out.
func (s *state) mesh() (*Mesh, []int) {
	c := s.m.Clone()
	at := make([]int, len(s.m.Nodes))
	parts := make([]int, len(s.m.Partitions)) // new index + 1
	c.Nodes, c.Partitions, c.Links = nil, nil, nil
	for i, n := range s.m.Nodes {
		at[i] = -1
		if !s.attached(i) {
			continue
		}
		if parts[n.Partition] == 0 {
			c.Partitions = append(c.Partitions, s.m.Partitions[n.Partition])
			parts[n.Partition] = len(c.Partitions)
		}
		at[i] = len(c.Nodes)
		n.Partition = parts[n.Partition] - 1
		c.Nodes = append(c.Nodes, n)
	}
	for _, l := range s.m.Links {
		l.A, l.B = at[l.A], at[l.B]
		l.Age = s.age(l)
		l.Up += s.now
		c.Links = append(c.Links, l)
	}
	return c, at
}

func (s *state) view() *View {
	c, at := s.mesh()
	v := newView(c, false)
	v.left, v.former, v.held = map[int][]NeighborRow{}, map[int][]ChildRow{}, map[heldID]bool{}
	v.leftOut = map[leftKey]uint8{}
	for _, r := range s.rows {
		k := at[r.keeper]
		// A node that got a new list of router ids drops the routers that are not in it.
		if k < 0 || s.now >= r.inUntil || !s.holds(s.m.Nodes[r.keeper].Partition, r.about.RouterID, idListLag) {
			continue
		}
		gone := s.now - r.lost
		row := NeighborRow{Node: v.Find(r.about.ExtAddr), RLOC16: r.about.RLOC16(), ExtAddr: r.about.ExtAddr, ThreadVersion: r.about.ThreadVersion,
			Age: gone + r.age, ConnectedFor: r.up + s.now, Heard: r.heard}
		v.left[k] = append(v.left[k], row)
		if gone < OutLostAfter {
			v.leftOut[leftKey{k, r.about.ExtAddr}] = r.out
		}
	}
	for _, r := range s.kids {
		k := at[r.keeper]
		if k < 0 || s.now >= r.until {
			continue
		}
		row := r.row
		row.Node, row.Age = at[row.Node], s.now-r.heard
		row.ConnectedFor += s.now
		v.former[k] = append(v.former[k], row)
	}
	for k := range v.former {
		slices.SortFunc(v.former[k], func(a, b ChildRow) int { return cmp.Compare(a.RLOC16, b.RLOC16) })
	}
	parts := map[int]int{} // of the history to the view
	for i, k := range at {
		if k >= 0 {
			parts[s.m.Nodes[i].Partition] = c.Nodes[k].Partition
		}
	}
	for _, l := range s.ids {
		p, ok := parts[l.partition]
		if !ok || v.router[p].node[l.id] >= 0 {
			continue
		}
		if s.now < l.until {
			if !v.held[heldID{p, l.id, true}] {
				v.router[p].count++
			}
			v.held[heldID{p, l.id, true}] = true
		}
		if s.now < l.until+idListLag {
			v.held[heldID{p, l.id, false}] = true
		}
	}
	return v
}

// holds reports whether a router id is taken in a partition, or was until lag ago.
func (s *state) holds(partition int, id uint8, lag time.Duration) bool {
	for i := range s.m.Nodes {
		if n := &s.m.Nodes[i]; s.router(i) && n.Partition == partition && n.RouterID == id {
			return true
		}
	}
	return slices.ContainsFunc(s.ids, func(l leftID) bool { return l.partition == partition && l.id == id && s.now < l.until+lag })
}

// Reaches reports whether messages of node from get to node i, over links that
// both ends hear.
func (v *View) Reaches(from, i int) bool {
	return v.reachable(v.routerOf(from))[v.routerOf(i)]
}

func (v *View) routerOf(i int) int {
	if p := v.parent[i].node; p >= 0 {
		return p
	}
	return i
}

func (v *View) reachable(from int) map[int]bool {
	seen := map[int]bool{from: true}
	for todo := []int{from}; len(todo) > 0; todo = todo[1:] {
		for _, e := range v.edges[todo[0]] {
			if !seen[e.to] && LinkCost(e.in, e.out) > 0 {
				seen[e.to] = true
				todo = append(todo, e.to)
			}
		}
	}
	return seen
}
