package layout

import (
	"cmp"
	"math"
	"slices"

	"threadmap/render/internal/view"
	"threadmap/topology"
)

// A pace says how much may be tried to untangle a panel: the more networks there
// are, the less time each gets. A picture that big is looked at from afar.
type pace struct{ networks int }

// What counts as many networks, and as a crowd of them.
const (
	manyNetworks  = 6
	crowdNetworks = 24
)

// steps is how many moves may be tried.
func (r pace) steps(hubs int) int {
	switch {
	case r.networks > crowdNetworks:
		return 20 * hubs
	case r.networks > manyNetworks:
		return 120 * hubs
	}
	return 400 * hubs
}

// looks is how many places are looked at for an inner hub: all near its target, or
// where there are several networks fewer the more links there are, since each look
// takes as long as there are links.
func (r pace) looks(links int) int {
	switch {
	case r.networks > manyNetworks:
		return 1
	case r.networks == 1:
		return len(spiral)
	}
	return min(len(spiral), max(9, len(spiral)*64/max(links, 1)))
}

// starts is how often untangling begins anew where there is one network: the less
// one start costs, the more often.
func (r pace) starts(hubs, links int) int {
	if r.networks > 1 {
		return 1
	}
	links = min(links, hubs*hubs) // a hostile file may name a link any number of times
	return min(max(startWork/(hubs*hubs*(links+hubs)), 1), maxStarts)
}

// What all starts together may cost, and how many there are at most.
const (
	startWork = 1_000_000
	maxStarts = 12
	maxStood  = 3 // of them that are placed, where the best finds no room
)

// disc places hubs on the oval and inside it, so that few links cross: the best
// of several starts. Where none finds room for the labels, it reports false.
func (p *Panel) disc(v *view.View, hubs []*view.Hub, top int, r pace) (w, h int, ok bool) {
	s, seq := slotsFor(len(hubs)), order(hubs)
	links := 0
	for _, h := range hubs {
		links += len(h.Links)
	}
	type try struct {
		at    []int
		knots int
	}
	var tries []try
	for start := range r.starts(len(hubs), links/2) {
		at, knots := untangle(s, hubs, seq, r.steps(len(hubs)), start)
		if tries = append(tries, try{at, knots}); knots == 0 {
			break
		}
	}
	// What counts is how they stand on the slots, not the places that they get: these
	// move a little with every child.
	slices.SortStableFunc(tries, func(a, b try) int { return cmp.Compare(a.knots, b.knots) })
	for _, t := range tries[:min(len(tries), maxStood)] {
		if w, h, ok = p.stand(v, hubs, s, t.at, top, r); ok {
			return w, h, true
		}
	}
	return 0, 0, false
}

// stand places hubs that have slots. Where that finds no room for a label, it
// reports false.
func (p *Panel) stand(v *view.View, hubs []*view.Hub, s *slots, at []int, top int, r pace) (w, h int, ok bool) {
	all := make([]int, len(hubs))
	for i := range all {
		all[i] = i
	}
	slices.SortFunc(all, func(a, b int) int {
		x, y := s.at[at[a]], s.at[at[b]]
		return cmp.Or(cmp.Compare(x.Y, y.Y), cmp.Compare(a, b))
	})
	var right, left, inside []cell
	for _, i := range all {
		x := s.at[at[i]]
		c := newCell(v, hubs[i], !x.outer)
		c.target = x.Point
		switch {
		case !x.outer && len(c.items) == 0:
			inside = append(inside, c)
		case x.side > 0:
			right = append(right, c)
		default:
			left = append(left, c)
		}
	}
	inner := len(inside)
	for _, side := range [2][]cell{right, left} {
		for i := range side {
			if side[i].inner {
				inner++
			}
		}
	}
	if inner == 0 {
		w, h = p.sides(right, left, top, len(hubs))
		return w, h, true
	}
	high, swaps := max(sum(right), sum(left), 5*hubHeight), 0
	out := labelsOut(right, left)
	for try := 0; try < 6; {
		q := Panel{RX: min(max(high*45/100, (330+12*inner)*Px), 640*Px), RY: high / 2, Center: Point{0, top + high/2}, out: out}
		// Each try has cells of its own, since placing fills them in.
		east, west := slices.Clone(right), slices.Clone(left)
		q.column(east, top, high, 1)
		q.column(west, top, high, -1)
		switch filled := q.fill(hubs, east, west, slices.Clone(inside), r, swaps > 0); {
		case !filled:
			try, high = try+1, high*115/100
		case uncross(right, q.Hubs) || uncross(left, q.Hubs):
			if swaps++; swaps > 2*len(hubs) {
				return 0, 0, false
			}
			for _, cells := range [][]cell{right, left, inside} {
				q.keep(cells)
			}
		default:
			p.Center, p.RX, p.RY, p.Hubs, p.out = q.Center, q.RX, q.RY, q.Hubs, out
			return p.reach(east, 1) + p.reach(west, -1), high, true
		}
	}
	return 0, 0, false
}

// keep makes the places that inner hubs have got those where they would like
// to stand.
func (p *Panel) keep(cells []cell) {
	for i := range cells {
		if c := &cells[i]; c.inner {
			k := slices.IndexFunc(p.Hubs, func(h Hub) bool { return h.Node == c.hub.Node })
			at := p.Hubs[k].At
			c.target = Point{at.X * unit / p.RX, (at.Y - p.Center.Y) * unit / p.RY}
		}
	}
}

// uncross swaps the rows of two hubs whose trunks cross, and reports whether it
// did.
func uncross(cells []cell, hubs []Hub) bool {
	trunk := map[*topology.Node][]Point{}
	for i := range hubs {
		for _, f := range hubs[i].Fans {
			if !f.Comb {
				trunk[hubs[i].Node] = f.Trunk
			}
		}
	}
	for i := range cells {
		for k := i + 1; k < len(cells); k++ {
			if pathsCross(trunk[cells[i].hub.Node], trunk[cells[k].hub.Node]) {
				cells[i], cells[k] = cells[k], cells[i]
				return true
			}
		}
	}
	return false
}

// pathsCross reports whether two ways of straight pieces cross.
func pathsCross(a, b []Point) bool {
	for i := 1; i < len(a); i++ {
		for k := 1; k < len(b); k++ {
			if crosses(a[i-1], a[i], b[k-1], b[k]) {
				return true
			}
		}
	}
	return false
}

// fill gives the inner hubs a place near where they would like to stand: the
// best, or quickly the nearest that is free.
func (p *Panel) fill(hubs []*view.Hub, right, left, inside []cell, r pace, quick bool) bool {
	type guest struct {
		c    *cell
		side int
	}
	var guests []guest
	for i := range right {
		if right[i].inner {
			guests = append(guests, guest{&right[i], 1})
		}
	}
	for i := range left {
		if left[i].inner {
			guests = append(guests, guest{&left[i], -1})
		}
	}
	for i := range inside {
		guests = append(guests, guest{&inside[i], 0})
	}
	where := map[*topology.Node]Point{}
	for i := range p.Hubs {
		where[p.Hubs[i].Node] = p.Hubs[i].At
	}
	for _, g := range guests {
		t := g.c.target
		where[g.c.hub.Node] = Point{t.X * p.RX / unit, p.Center.Y + t.Y*p.RY/unit}
	}
	lines := newLines(hubs, where)
	for _, g := range guests {
		if g.side != 0 {
			lines.trunk(g.c.hub.Node, Point{g.side * p.edge(g.c.mid), g.c.mid})
		}
	}
	looks := r.looks(len(lines.all))
	if quick {
		looks = 1
	}
	for _, g := range guests {
		if !p.settle(g.c, lines, looks) {
			return false
		}
	}
	for _, g := range guests {
		if g.side != 0 {
			g.c.fan(g.side*(p.RX+p.out), g.side, []Point{Point{g.side * p.edge(g.c.mid), g.c.mid}.round()})
		}
		// it was put there before it had its fan
		for i := range p.Hubs {
			if p.Hubs[i].Node == g.c.hub.Node {
				p.Hubs[i] = g.c.hub
			}
		}
	}
	return true
}

// settle finds the best free place round the target of an inner hub: one that
// its label has room at, with few crossings, among so many as are looked at.
func (p *Panel) settle(c *cell, lines *lines, looks int) bool {
	n := lines.index[c.hub.Node]
	target := lines.at[n]
	best, least := Point{}, math.MaxInt
	for i, d := range spiral {
		if i >= looks && least < math.MaxInt {
			break
		}
		at := Point{target.X + d.X, target.Y + d.Y}
		c.hub.place(at, 0)
		if !p.free(c.hub.Box) {
			continue
		}
		if looks == 1 { // nothing to choose from
			best, least = at, 0
			break
		}
		cost := isqrt(square(d.X)+square(d.Y)) / (5 * Px)
		if cost += lines.cost(n, at, least); cost < least {
			best, least = at, cost
		}
	}
	if least == math.MaxInt {
		return false
	}
	c.hub.place(best, 0)
	lines.at[n] = best
	p.Hubs = append(p.Hubs, c.hub)
	return true
}

// free reports whether a box lies inside the oval and on no other hub.
func (p *Panel) free(r Rect) bool {
	for _, y := range [2]int{r.Y, r.Y + r.H} {
		if y < p.Center.Y-p.RY || y > p.Center.Y+p.RY {
			return false
		}
		if room := p.edge(y) - HubRadius - 8*Px; r.X < -room || r.X+r.W > room {
			return false
		}
	}
	wide := Rect{r.X - 4*Px, r.Y - 4*Px, r.W + 8*Px, r.H + 8*Px}
	for i := range p.Hubs {
		if wide.Overlaps(p.Hubs[i].Box) {
			return false
		}
	}
	return true
}

// spiral is where to look for a place, the nearest first.
var spiral = func() []Point {
	out := []Point{{}}
	for _, r := range [...]int{24, 48, 80, 120, 170} {
		for _, d := range [...]Point{{10, 0}, {7, 7}, {0, 10}, {-7, 7}, {-10, 0}, {-7, -7}, {0, -10}, {7, -7}} {
			out = append(out, Point{d.X * r * Px / 10, d.Y * r * Px / 10})
		}
	}
	return out
}()
