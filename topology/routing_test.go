package topology_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"threadmap/diag"
	"threadmap/topology"
)

// A net is a mesh of routers for a test: who is a border router, and the links.
type net struct {
	routers int
	borders []int
	links   []wire
}

// A wire joins routers a and b; q are the qualities that b and a receive.
type wire struct {
	a, b   int
	ab, ba uint8
}

// build gives the map of the mesh, by what each router says of its neighbors.
// The nodes' IDs are in the order of their numbers.
func (w net) build(t testing.TB) *topology.Map {
	t.Helper()
	reports := make([]diag.Report, w.routers)
	for i := range reports {
		r := says(address(i), uint16(i)<<10)
		r.Role = diag.RoleRouter
		r.Network.ExtPANID = 0xdead
		if slices.Contains(w.borders, i) {
			r.BorderRouter = diag.Some(true)
		}
		reports[i] = r
	}
	for _, l := range w.links {
		reports[l.b].Neighbors = append(reports[l.b].Neighbors, neighbor(address(l.a), uint16(l.a)<<10, l.ab))
		reports[l.a].Neighbors = append(reports[l.a].Neighbors, neighbor(address(l.b), uint16(l.b)<<10, l.ba))
	}
	m := topology.Build(reports)
	if len(m.Nodes) != w.routers {
		t.Fatalf("%d nodes of %d routers", len(m.Nodes), w.routers)
	}
	return m
}

func address(i int) diag.ExtAddr { return diag.ExtAddr(0x1000_0000_0000_0000 + i) }

// randomNet draws a mesh of up to 9 routers.
func randomNet(r *rand.Rand) net {
	w := net{routers: 1 + r.IntN(9)}
	for i := range w.routers {
		if r.IntN(3) == 0 {
			w.borders = append(w.borders, i)
		}
		for j := range i {
			if r.IntN(3) == 0 {
				w.links = append(w.links, wire{j, i, uint8(1 + r.IntN(3)), uint8(1 + r.IntN(3))})
			}
		}
	}
	return w
}

// reach walks the mesh without one router (-1: none) and one link, over links of
// a least quality, and tells which routers have a way to one of the borders.
func (w net) reach(borders []int, without, cut int, least uint8) []bool {
	in := make([]bool, w.routers)
	for _, b := range borders {
		in[b] = b != without
	}
	for range w.routers {
		for i, l := range w.links {
			if i == cut || l.a == without || l.b == without || min(l.ab, l.ba) < least {
				continue
			}
			in[l.a], in[l.b] = in[l.a] || in[l.b], in[l.a] || in[l.b]
		}
	}
	return in
}

// costs are the least costs to one border router, by relaxing until nothing
// changes; -1: no way.
func (w net) costs(border int) []int {
	out := slices.Repeat([]int{-1}, w.routers)
	out[border] = 0
	for range w.routers {
		for _, l := range w.links {
			c := []int{0, 4, 2, 1}[min(l.ab, l.ba)]
			for _, e := range [][2]int{{l.a, l.b}, {l.b, l.a}} {
				if from := out[e[0]]; from >= 0 && (out[e[1]] < 0 || from+c < out[e[1]]) {
					out[e[1]] = from + c
				}
			}
		}
	}
	return out
}

// TestWays compares the ways through random meshes with a search that tries
// everything.
func TestWays(t *testing.T) {
	for seed := range uint64(500) {
		w := randomNet(rand.New(rand.NewPCG(seed, 1)))
		m := w.build(t)
		ways := m.Routing()
		for i, n := range m.Nodes {
			cheapest, widest := map[*topology.Node]topology.Path{}, map[*topology.Node]topology.Path{}
			for _, p := range ways.Cheapest(n) {
				cheapest[p.To] = p
			}
			for _, p := range ways.Widest(n) {
				widest[p.To] = p
			}
			for _, border := range w.borders {
				want := w.costs(border)[i]
				p, ok := cheapest[m.Nodes[border]]
				if ok != (want >= 0) {
					t.Fatalf("seed %d: a way from %d to %d: %v, want cost %d", seed, i, border, ok, want)
				}
				if !ok {
					continue
				}
				if cost, known := p.Cost.Get(); !known || int(cost) != want {
					t.Fatalf("seed %d: the way from %d to %d costs %v, want %d", seed, i, border, p.Cost, want)
				}
				w.walk(t, m, p, i, border)
				best := uint8(3)
				for ; !w.reach([]int{border}, -1, -1, best)[i]; best-- {
				}
				q := widest[m.Nodes[border]]
				w.walk(t, m, q, i, border)
				if worst, known := q.Worst.Get(); known && worst != best || known != (i != border) {
					t.Fatalf("seed %d: the widest way from %d to %d has %v, want %d", seed, i, border, q.Worst, best)
				}
			}
		}
	}
}

// walk checks that a path leads along links and adds up.
func (w net) walk(t *testing.T, m *topology.Map, p topology.Path, from, to int) {
	t.Helper()
	cost, worst := 0, uint8(3)
	for k := 1; k < len(p.Hops); k++ {
		i := slices.IndexFunc(w.links, func(l wire) bool {
			return m.Nodes[l.a] == p.Hops[k-1] && m.Nodes[l.b] == p.Hops[k] || m.Nodes[l.b] == p.Hops[k-1] && m.Nodes[l.a] == p.Hops[k]
		})
		if i < 0 {
			t.Fatalf("no link on the way at hop %d", k)
		}
		lq := min(w.links[i].ab, w.links[i].ba)
		cost += []int{0, 4, 2, 1}[lq]
		worst = min(worst, lq)
	}
	if p.Hops[0] != m.Nodes[from] || p.Hops[len(p.Hops)-1] != m.Nodes[to] || int(p.Cost.Or(0)) != cost || p.Worst.Or(worst) != worst || !p.Confirmed {
		t.Fatalf("the path from %d to %d is not what it says: %+v", from, to, p)
	}
}

// TestCuts compares the single points of failure of random meshes with what
// taking away each router and each link does.
func TestCuts(t *testing.T) {
	for seed := range uint64(500) {
		w := randomNet(rand.New(rand.NewPCG(seed, 2)))
		m := w.build(t)
		ways := m.Routing()
		whole := w.reach(w.borders, -1, -1, 1)
		want := map[string]string{}
		lost := func(in []bool, but int) string {
			var ids []string
			for i := range in {
				if whole[i] && !in[i] && i != but {
					ids = append(ids, m.Nodes[i].ID)
				}
			}
			if ids == nil {
				return ""
			}
			return fmt.Sprint(ids)
		}
		for i := range w.routers {
			if l := lost(w.reach(w.borders, i, -1, 1), i); l != "" {
				want[m.Nodes[i].ID] = l
			}
		}
		for i, e := range w.links {
			if l := lost(w.reach(w.borders, -1, i, 1), -1); l != "" {
				want[m.Nodes[e.a].ID+" "+m.Nodes[e.b].ID] = l
			}
		}
		got := map[string]string{}
		for _, c := range ways.Cuts() {
			key := ""
			if c.Router != nil {
				key = c.Router.ID
			} else {
				key = c.Link.A.ID + " " + c.Link.B.ID
			}
			var ids []string
			for _, n := range c.Routers {
				ids = append(ids, n.ID)
			}
			got[key] = fmt.Sprint(ids)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("seed %d: %+v\ngot  %v\nwant %v", seed, w, got, want)
		}
		var alone []string
		for i, in := range whole {
			if !in && len(w.borders) > 0 {
				alone = append(alone, m.Nodes[i].ID)
			}
		}
		var unreached []string
		for _, n := range ways.Unreached() {
			unreached = append(unreached, n.ID)
		}
		if !slices.Equal(alone, unreached) {
			t.Fatalf("seed %d: unreached %v, want %v", seed, unreached, alone)
		}
	}
}

// TestChildWay has a child whose link to its parent is the worst of its way.
func TestChildWay(t *testing.T) {
	parent := says(address(1), 1<<10)
	parent.Network.ExtPANID = 0xdead
	parent.Children = []diag.Neighbor{child(0xc0ffee, 1<<10|5, 1)}
	parent.Neighbors = []diag.Neighbor{neighbor(address(0), 0, 3)}
	border := says(address(0), 0)
	border.Network.ExtPANID = 0xdead
	border.BorderRouter = diag.Some(true)
	border.Neighbors = []diag.Neighbor{neighbor(address(1), 1<<10, 2)}
	m := topology.Build([]diag.Report{parent, border})
	c := find(t, m, "0000000000c0ffee")
	p := m.Routing().Cheapest(c)
	if len(p) != 1 || len(p[0].Hops) != 3 || p[0].Cost != diag.Some(uint32(2)) || p[0].Worst != diag.Some(uint8(1)) || p[0].Confirmed {
		t.Fatalf("the way is %+v", p)
	}
}

// TestUnknownQualityIsNoCost: a way over a link whose quality nobody told has
// no cost, rather than one of zero.
func TestUnknownQualityIsNoCost(t *testing.T) {
	a, b := says(address(0), 0), says(address(1), 1<<10)
	for _, r := range []*diag.Report{&a, &b} {
		r.Network.ExtPANID = 0xdead
	}
	a.BorderRouter = diag.Some(true)
	a.Neighbors = []diag.Neighbor{{ExtAddr: address(1), RLOC16: diag.RouterRLOC16(1)}}
	b.Neighbors = []diag.Neighbor{{ExtAddr: address(0), RLOC16: diag.RouterRLOC16(0)}}
	m := topology.Build([]diag.Report{a, b})
	p := m.Routing().Cheapest(m.Nodes[1])
	if len(p) != 1 || p[0].Cost.Known() || p[0].Worst.Known() {
		t.Fatalf("the way is %+v", p)
	}
}

// TestNoBorderRouterNoVerdict: without a border router there is neither a way
// nor a point of failure, and nobody is called unreached.
func TestNoBorderRouterNoVerdict(t *testing.T) {
	w := net{routers: 3, links: []wire{{0, 1, 3, 3}, {1, 2, 3, 3}}}
	r := w.build(t).Routing()
	if r.Cuts() != nil || r.Unreached() != nil {
		t.Errorf("cuts %v, unreached %v", r.Cuts(), r.Unreached())
	}
}
