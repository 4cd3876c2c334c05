package topology

import "slices"

// Around is the part of the map within so many hops of some nodes: over links
// that are not dead and from child to parent. A parent of a node that is drawn
// is drawn too, so that no child seems to be lost. The map itself is not
// changed; the nodes of the part are copies, whose Parent and Children stay
// within it. A leader outside of it is still named, by the node of the whole
// map.
func (m *Map) Around(center []*Node, hops int) *Map {
	next := map[*Node][]*Node{}
	join := func(a, b *Node) {
		next[a] = append(next[a], b)
		next[b] = append(next[b], a)
	}
	for _, l := range m.Links {
		if l.State != LinkDead {
			join(l.A, l.B)
		}
	}
	for _, n := range m.Nodes {
		if n.Parent != nil {
			join(n, n.Parent)
		}
	}
	in := map[*Node]*Node{} // to its copy
	edge := center
	for hop := 0; len(edge) > 0 && hop <= hops; hop++ {
		var beyond []*Node
		for _, n := range edge {
			if in[n] == nil {
				in[n] = new(*n)
				beyond = append(beyond, next[n]...)
			}
		}
		edge = beyond
	}
	for _, n := range m.Nodes {
		if in[n] != nil && n.Parent != nil && in[n.Parent] == nil {
			in[n.Parent] = new(*n.Parent)
		}
	}

	part := &Map{}
	networks := map[*Network]*Network{}
	for _, n := range m.Networks {
		if slices.ContainsFunc(m.Nodes, func(x *Node) bool { return x.Network == n && in[x] != nil }) {
			c := new(*n)
			c.Partitions = slices.Clone(n.Partitions)
			for i, p := range c.Partitions {
				if leader := in[p.Leader]; leader != nil {
					c.Partitions[i].Leader = leader
				}
			}
			networks[n] = c
			part.Networks = append(part.Networks, c)
		}
	}
	for _, n := range m.Nodes {
		c := in[n]
		if c == nil {
			continue
		}
		if c.Network != nil && networks[c.Network] != nil {
			c.Network = networks[c.Network]
		}
		c.Parent = in[n.Parent]
		c.Children = nil
		for _, child := range n.Children {
			if in[child] != nil {
				c.Children = append(c.Children, in[child])
			}
		}
		part.Nodes = append(part.Nodes, c)
	}
	for _, l := range m.Links {
		if in[l.A] != nil && in[l.B] != nil {
			c := new(*l)
			c.A, c.B = in[l.A], in[l.B]
			part.Links = append(part.Links, c)
		}
	}
	return part
}
