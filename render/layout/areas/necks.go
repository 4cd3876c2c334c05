package areas

import (
	"cmp"
	"slices"

	"threadmap/render/layout"
	"threadmap/topology"
)

// root finds the block that stands for the patch of another.
func (s *plan) root(i int) int {
	for s.group[i] != i {
		i = s.group[i]
	}
	return i
}

func (s *plan) join(a, b int) { s.group[max(a, b)] = min(a, b) }

// trunks keeps the ways from routers to their children of the same room.
func (s *plan) trunks(x *layout.Panel) {
	at := map[*topology.Node]int{}
	for i := range s.blocks {
		at[s.blocks[i].nodes[0]] = i
	}
	for i := range x.Hubs {
		h := &x.Hubs[i]
		hub, ok := at[h.Node]
		if !ok {
			continue
		}
		for k := range h.Fans {
			f := &h.Fans[k]
			if f.Comb { // its trunk passes over the columns before
				continue
			}
			layout.Runs(f.Items, func(rows []layout.Item) {
				if rows[0].Room == h.Room {
					s.ways = append(s.ways, way{hub, at[rows[0].Node], f})
				}
			})
		}
	}
}

// A way leads from a router to a block of its children.
type way struct {
	hub, rows int
	fan       *layout.Fan
}

// connect finds the necks: along trunks first, then between blocks that stand near
// each other, the nearest first.
func (s *plan) connect() {
	for _, w := range s.ways {
		s.follow(w)
	}
	type pair struct{ a, b, gap int }
	var pairs []pair
	byRoom := map[string][]int{}
	for i := range s.blocks {
		room := s.blocks[i].room
		for _, k := range byRoom[room] {
			if _, gap := between(s.blocks[k].outer, s.blocks[i].outer); gap >= 0 {
				pairs = append(pairs, pair{k, i, gap})
			}
		}
		byRoom[room] = append(byRoom[room], i)
	}
	slices.SortFunc(pairs, func(x, y pair) int {
		return cmp.Or(cmp.Compare(x.gap, y.gap), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	for _, x := range pairs {
		if s.root(x.a) == s.root(x.b) {
			continue
		}
		r, _ := between(s.blocks[x.a].outer, s.blocks[x.b].outer)
		n := neck{of: x.a, room: s.blocks[x.a].room, part: corners(grow(r, -Radius, -Radius)), outer: corners(r)}
		if s.free(&n) {
			s.necks = append(s.necks, n)
			s.join(s.root(x.a), s.root(x.b))
		}
	}
}

// follow lays a neck along the trunk to the rows, where nothing strange is in its
// way.
func (s *plan) follow(w way) {
	rows, side := s.blocks[w.rows].outer, w.fan.Side
	edge := rows.X // of the rows, where the branches come in
	if side < 0 {
		edge = rows.X + rows.W
	}
	points := slices.Clone(w.fan.Trunk)
	y := min(max(points[len(points)-1].Y, rows.Y+Radius), rows.Y+rows.H-Radius)
	points = straight(append(points, layout.Point{X: edge - side*12*px, Y: y}, layout.Point{X: edge + side*2*Radius, Y: y}))
	var necks []neck
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		if a == b {
			continue
		}
		n := neck{of: w.hub, room: s.blocks[w.hub].room, part: []layout.Point{a, b}, outer: band(a, b)}
		if !s.free(&n) {
			return
		}
		necks = append(necks, n)
	}
	s.necks = append(s.necks, necks...)
	s.join(s.root(w.hub), s.root(w.rows))
}

// straight leaves out points on a level line.
func straight(points []layout.Point) []layout.Point {
	out := points[:1:1]
	for _, p := range points[1:] {
		if k := len(out); k > 1 && out[k-1].Y == out[k-2].Y && p.Y == out[k-1].Y {
			out[k-1] = p
		} else {
			out = append(out, p)
		}
	}
	return out
}

// free reports whether a neck touches nothing that is not of its room.
func (s *plan) free(n *neck) bool {
	near := bounds(n.outer)
	for _, r := range s.strange {
		if near.Overlaps(r) && touches(n.outer, corners(r)) {
			return false
		}
	}
	for i := range s.blocks {
		if b := &s.blocks[i]; b.room != n.room && near.Overlaps(b.outer) && touches(n.outer, corners(b.outer)) {
			return false
		}
	}
	for i := range s.necks {
		if o := &s.necks[i]; o.room != n.room && touches(n.outer, o.outer) {
			return false
		}
	}
	return true
}

// between is the box between two others that lie beside or above each other, and
// touches both; the gap is negative where there is none.
func between(a, b layout.Rect) (r layout.Rect, gap int) {
	left, right := max(a.X, b.X), min(a.X+a.W, b.X+b.W)
	top, bottom := max(a.Y, b.Y), min(a.Y+a.H, b.Y+b.H)
	switch {
	case right-left >= overlap && top >= bottom && top-bottom <= nearby:
		return layout.Rect{X: left, Y: bottom - 2*Radius, W: right - left, H: top - bottom + 4*Radius}, top - bottom
	case bottom-top >= overlap && left >= right && left-right <= nearby:
		return layout.Rect{X: right - 2*Radius, Y: top, W: left - right + 4*Radius, H: bottom - top}, left - right
	}
	return r, -1
}
