package topology

import (
	"cmp"
	"slices"

	"threadmap/diag"
)

// A Routing is what the links of a map say about the ways through the mesh:
// from each device to each border router, and what breaks when a router or a
// link goes.
//
// Only links in state ok count, and no router that is a ghost or stale: a way
// over a doubtful link would be a promise that nobody made. A Routing computes
// what it is asked for and keeps it, so it is for one goroutine.
type Routing struct {
	nodes   []*Node
	index   map[*Node]int32
	borders []int32   // border routers, in the order of nodes
	first   []int32   // node -> its first edge of edges; one more than nodes
	edges   []edge    // between routers
	parents []*Link   // node -> the link to its parent, nil: none
	trees   [][3]tree // border router -> by the least quality of links, from 1 on
	near    [][]int32 // node -> the border routers, by their place in borders, that it has any way to; shared
}

// An edge is one end of a usable link between two routers.
type edge struct {
	to    int32
	lq    uint8 // of the worse direction, 1..3; 1 where nobody said
	known bool
	back  int32 // the same link, from its other end
	link  *Link
}

// A Path is a way from a node to a border router.
type Path struct {
	To *Node
	// Hops are the nodes on the way: the node itself first, To last. The way of a
	// border router to itself has one.
	Hops []*Node
	// Cost is the route cost between the routers of the way, as Thread counts it:
	// links of quality 3, 2, 1 cost 1, 2, 4. A child's link to its parent, beside
	// which it has no other, is not in it. Unknown where a quality is.
	Cost diag.Opt[uint32]
	// Worst is the worst link quality on the way, of both directions, the child's
	// link to its parent included. Unknown where a quality is, and where there is
	// no link on the way.
	Worst diag.Opt[uint8]
	// Confirmed tells whether both ends of every link spoke of it.
	Confirmed bool
}

// Routing prepares the questions about ways.
func (m *Map) Routing() *Routing {
	r := &Routing{
		nodes: m.Nodes, index: make(map[*Node]int32, len(m.Nodes)),
		first: make([]int32, len(m.Nodes)+1), parents: make([]*Link, len(m.Nodes)),
	}
	for i, n := range m.Nodes {
		r.index[n] = int32(i)
		if n.BorderRouter.Or(false) && forwards(n) {
			r.borders = append(r.borders, int32(i))
		}
	}
	r.trees = make([][3]tree, len(r.borders))
	var usable []*Link
	for _, l := range m.Links {
		switch {
		case l.Kind == LinkChild && l.A.Parent == l.B:
			r.parents[r.index[l.A]] = l
		case l.Kind == LinkChild && l.B.Parent == l.A:
			r.parents[r.index[l.B]] = l
		case l.Kind == LinkRouter && l.State == LinkOK && forwards(l.A) && forwards(l.B):
			usable = append(usable, l)
			r.first[r.index[l.A]+1]++
			r.first[r.index[l.B]+1]++
		}
	}
	for i := range m.Nodes {
		r.first[i+1] += r.first[i]
	}
	r.edges = make([]edge, 2*len(usable))
	next := slices.Clone(r.first)
	for _, l := range usable {
		lq, known := l.Quality()
		a, b := r.index[l.A], r.index[l.B]
		i, j := next[a], next[b]
		r.edges[i] = edge{to: b, lq: max(lq, 1), known: known, back: j, link: l}
		r.edges[j] = edge{to: a, lq: max(lq, 1), known: known, back: i, link: l}
		next[a]++
		next[b]++
	}
	r.findNear()
	return r
}

// findNear walks each part of the mesh once, so that nodes need not ask about
// the border routers of other networks.
func (r *Routing) findNear() {
	r.near = make([][]int32, len(r.nodes))
	part := make([]int32, len(r.nodes)) // node -> the border router it was found from, from 1 on
	found := map[int32][]int32{}
	for i, border := range r.borders {
		if p := part[border]; p != 0 {
			found[p] = append(found[p], int32(i))
			continue
		}
		p := int32(i) + 1
		part[border], found[p] = p, []int32{int32(i)}
		for open := []int32{border}; len(open) > 0; {
			n := open[len(open)-1]
			open = open[:len(open)-1]
			for _, e := range r.edgesOf(n) {
				if part[e.to] == 0 {
					part[e.to] = p
					open = append(open, e.to)
				}
			}
		}
	}
	for n, p := range part {
		if p != 0 {
			r.near[n] = found[p]
		}
	}
}

// forwards reports whether ways may lead over n.
func forwards(n *Node) bool {
	return n.Role.Routes() && n.State != NodeGhost && n.State != NodeStale
}

// Quality is the link quality of the worse direction, 0..3, as Thread counts it
// for routing; where one direction is known only, of that.
func (l *Link) Quality() (lq uint8, known bool) {
	ab, a := l.AToB.LQ.Get()
	ba, b := l.BToA.LQ.Get()
	switch {
	case a && b:
		return min(ab, ba), true
	case a:
		return ab, true
	}
	return ba, b
}

// linkCost is Thread's cost of a link of that quality.
func linkCost(lq uint8) uint32 {
	switch lq {
	case 3:
		return 1
	case 2:
		return 2
	}
	return 4
}

// BorderRouters lists the border routers that ways may lead to, by ID.
func (r *Routing) BorderRouters() []*Node {
	out := make([]*Node, len(r.borders))
	for i, k := range r.borders {
		out[i] = r.nodes[k]
	}
	return out
}

// Routers lists the routers that n has a usable link with, by ID.
func (r *Routing) Routers(n *Node) []*Node {
	var out []*Node
	for _, e := range r.edgesOf(r.index[n]) {
		out = append(out, r.nodes[e.to])
	}
	slices.SortFunc(out, func(a, b *Node) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func (r *Routing) edgesOf(n int32) []edge { return r.edges[r.first[n]:r.first[n+1]] }

// Cheapest lists the ways of least cost from n: one for each border router that
// it reaches, the cheapest first. It is empty where no way is known.
func (r *Routing) Cheapest(n *Node) []Path {
	out := r.paths(n, 1)
	slices.SortStableFunc(out, comparePaths)
	return out
}

// Widest is Cheapest for the ways whose worst link between routers is best, the
// best way first.
func (r *Routing) Widest(n *Node) []Path {
	out := r.paths(n, 3)
	slices.SortStableFunc(out, func(p, q Path) int {
		return cmp.Or(cmp.Compare(q.Worst.Or(0), p.Worst.Or(0)), comparePaths(p, q))
	})
	return out
}

func comparePaths(p, q Path) int {
	return cmp.Or(cmp.Compare(p.Cost.Or(^uint32(0)), q.Cost.Or(^uint32(0))), cmp.Compare(len(p.Hops), len(q.Hops)))
}

// paths finds the ways over links of that quality or, where there is none, of
// the best that leads there.
func (r *Routing) paths(n *Node, least int) []Path {
	from := r.entry(n)
	if from < 0 {
		return nil
	}
	var out []Path
	for _, i := range r.near[from] {
		for lq := least; lq >= 1; lq-- {
			if t := r.tree(int(i), lq); t.reaches(from) {
				out = append(out, r.path(n, from, r.borders[i], t))
				break
			}
		}
	}
	return out
}

// entry is the router by which n enters the mesh, itself or its parent; -1:
// none known.
func (r *Routing) entry(n *Node) int32 {
	if n.Parent != nil {
		n = n.Parent
	}
	if i, ok := r.index[n]; ok && forwards(n) {
		return i
	}
	return -1
}

func (r *Routing) path(n *Node, from, to int32, t *tree) Path {
	p := Path{To: r.nodes[to], Confirmed: true}
	worst, worstKnown := uint8(3), true
	if n != r.nodes[from] { // a child
		p.Hops = append(p.Hops, n)
		p.Confirmed = n.ParentConfidence == Confirmed
		worst, worstKnown = 0, false
		if l := r.parents[r.index[n]]; l != nil {
			worst, worstKnown = l.Quality()
		}
	}
	p.Hops = append(p.Hops, r.nodes[from])
	cost, costKnown := uint32(0), true
	for at := from; at != to; {
		e := r.edges[t.edge[at]]
		cost += linkCost(e.lq)
		worst = min(worst, e.lq)
		costKnown, worstKnown = costKnown && e.known, worstKnown && e.known
		p.Confirmed = p.Confirmed && e.link.Confidence == Confirmed
		at = e.to
		p.Hops = append(p.Hops, r.nodes[at])
	}
	if costKnown {
		p.Cost = diag.Some(cost)
	}
	if worstKnown && len(p.Hops) > 1 {
		p.Worst = diag.Some(worst)
	}
	return p
}
