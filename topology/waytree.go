package topology

import (
	"cmp"
	"container/heap"
)

// A tree holds the cheapest ways of all routers to one border router.
type tree struct {
	edge map[int32]int32 // node -> the edge of Routing.edges to follow; -1 at the border router
}

func (t *tree) reaches(n int32) bool {
	_, ok := t.edge[n]
	return ok
}

// tree is the one of a border router over links of a least quality, 1..3.
func (r *Routing) tree(border, least int) *tree {
	t := &r.trees[border][least-1]
	if t.edge == nil {
		r.grow(t, r.borders[border], uint8(least))
	}
	return t
}

// grow is Dijkstra's algorithm from the border router outwards. Ways of equal
// cost are told apart by their length, then by the IDs of their nodes, so that
// the answer does not depend on the order of anything.
func (r *Routing) grow(t *tree, border int32, least uint8) {
	t.edge = map[int32]int32{border: -1}
	best := map[int32]front{border: {node: border}}
	done := map[int32]bool{}
	queue := fronts{{node: border}}
	for len(queue) > 0 {
		at := heap.Pop(&queue).(front)
		if done[at.node] {
			continue
		}
		done[at.node] = true
		for k := r.first[at.node]; k < r.first[at.node+1]; k++ {
			e := &r.edges[k]
			if e.lq < least || done[e.to] {
				continue
			}
			way := front{node: e.to, cost: at.cost + linkCost(e.lq), hops: at.hops + 1, next: at.node}
			if have, ok := best[e.to]; ok && have.compare(way) <= 0 {
				continue
			}
			best[e.to] = way
			heap.Push(&queue, way)
			t.edge[e.to] = e.back
		}
	}
}

// A front is a way that has been found so far, from a node to the border router.
type front struct {
	node, next int32
	cost       uint32
	hops       int32
}

func (f front) compare(g front) int {
	return cmp.Or(cmp.Compare(f.cost, g.cost), cmp.Compare(f.hops, g.hops), cmp.Compare(f.next, g.next), cmp.Compare(f.node, g.node))
}

// fronts is a heap of them, the cheapest on top.
type fronts []front

func (q fronts) Len() int           { return len(q) }
func (q fronts) Less(i, j int) bool { return q[i].compare(q[j]) < 0 }
func (q fronts) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *fronts) Push(x any)        { *q = append(*q, x.(front)) }
func (q *fronts) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
