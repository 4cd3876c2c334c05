package topology

import "slices"

// A Cut is a single point of failure: a router or a link without which others
// have no way to any border router.
type Cut struct {
	Router *Node // nil: the cut is a link
	Link   *Link // nil: the cut is a router
	// Routers are the routers that lose every way, by ID; their children lose
	// theirs too. A router's own children are not counted: they look for another
	// parent, and whether they hear one is not known.
	Routers []*Node
}

// Loses counts the nodes that a cut takes away from the border routers: the
// routers and their children.
func (c Cut) Loses() int {
	n := len(c.Routers)
	for _, r := range c.Routers {
		n += len(r.Children)
	}
	return n
}

// maxCutList bounds how many routers all cuts of a map may list together. A
// real partition has at most 32 routers; a chain of thousands, which no mesh
// forms, would list them all at each of its links.
const maxCutList = 1 << 20

// Cuts lists the single points of failure, worst first. Border routers count as
// joined by the LAN, so the loss of one of several cuts off only what hangs on
// it alone. Where no border router is known there is no telling, and no Cut.
//
// The search is Tarjan's for cut vertices and bridges, with the LAN as the root.
func (r *Routing) Cuts() []Cut {
	s := cutSearch{r: r, found: make([]int32, len(r.nodes)), low: make([]int32, len(r.nodes))}
	for _, border := range r.borders {
		if s.found[border] == 0 {
			s.from(border)
		}
	}
	slices.SortStableFunc(s.cuts, func(a, b Cut) int { return b.Loses() - a.Loses() })
	return s.cuts
}

// Unreached lists the routers that have no way to any border router, by ID; nil
// where no border router is known.
func (r *Routing) Unreached() []*Node {
	s := cutSearch{r: r, found: make([]int32, len(r.nodes)), low: make([]int32, len(r.nodes))}
	networks := map[*Network]bool{}
	for _, border := range r.borders {
		networks[r.nodes[border].Network] = true
		if s.found[border] == 0 {
			s.from(border)
		}
	}
	var out []*Node
	for i, n := range r.nodes {
		if s.found[i] == 0 && forwards(n) && networks[n.Network] {
			out = append(out, n)
		}
	}
	return out
}

type cutSearch struct {
	r     *Routing
	clock int32
	found []int32 // when a node was found, from 1; 0: not yet
	low   []int32 // the earliest node that its subtree has a link to
	order []int32 // nodes in the order in which they were found
	cuts  []Cut
	spent int
}

// lan stands for the earliest time of all: that of the LAN, the root.
const lan = 0

// A visit is a node on the way from the border router to the one looked at.
type visit struct {
	node, edge int32   // edge: the one by which it was found, -1 for the first
	next       int32   // the edge to look at next
	cut        []int32 // starts of the subtrees that hang on this node alone, as positions in order
}

func (s *cutSearch) from(border int32) {
	r := s.r
	isBorder := func(n int32) bool { _, ok := slices.BinarySearch(r.borders, n); return ok }
	open := func(n, edge int32) visit {
		s.clock++
		s.found[n] = s.clock
		s.low[n] = s.clock
		if isBorder(n) {
			s.low[n] = lan
		}
		s.order = append(s.order, n)
		return visit{node: n, edge: edge, next: r.first[n]}
	}
	// ends[i] is where the subtree that begins at position i of order ends.
	ends := map[int32]int32{}
	stack := []visit{open(border, -1)}
	for len(stack) > 0 {
		v := &stack[len(stack)-1]
		if v.next < r.first[v.node+1] {
			k := v.next
			v.next++
			e := &r.edges[k]
			switch {
			case v.edge >= 0 && k == r.edges[v.edge].back: // the way it came
			case s.found[e.to] == 0:
				stack = append(stack, open(e.to, k))
			default:
				s.low[v.node] = min(s.low[v.node], s.found[e.to])
			}
			continue
		}
		done := *v
		stack = stack[:len(stack)-1]
		if len(done.cut) > 0 {
			c := Cut{Router: r.nodes[done.node]}
			for _, start := range done.cut {
				c.Routers = append(c.Routers, s.named(start, ends[start])...)
			}
			s.add(c)
		}
		if len(stack) == 0 {
			break
		}
		start := s.found[done.node] - 1
		ends[start] = int32(len(s.order))
		up := &stack[len(stack)-1]
		s.low[up.node] = min(s.low[up.node], s.low[done.node])
		if s.low[done.node] >= s.found[up.node] {
			up.cut = append(up.cut, start)
		}
		if s.low[done.node] > s.found[up.node] {
			s.add(Cut{Link: r.edges[done.edge].link, Routers: s.named(start, ends[start])})
		}
	}
}

func (s *cutSearch) named(start, end int32) []*Node {
	if s.spent += int(end - start); s.spent > maxCutList {
		return nil
	}
	out := make([]*Node, 0, end-start)
	for _, k := range s.order[start:end] {
		out = append(out, s.r.nodes[k])
	}
	return out
}

func (s *cutSearch) add(c Cut) {
	if len(c.Routers) == 0 {
		return // over the bound
	}
	slices.SortFunc(c.Routers, compareByID)
	s.cuts = append(s.cuts, c)
}

func compareByID(a, b *Node) int {
	switch {
	case a.ID < b.ID:
		return -1
	case a.ID > b.ID:
		return 1
	}
	return 0
}
