package layout

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"threadmap/diag"
	"threadmap/render/internal/fixture"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// floors visits homes as radio makes them, up to 250 devices, each laid out.
func floors(visit func(name string, m *topology.Map, p *Picture)) {
	for _, x := range allFloors() {
		visit(x.name, x.m, x.p)
	}
}

type floor struct {
	name string
	m    *topology.Map
	p    *Picture
}

var allFloors = sync.OnceValue(func() (out []floor) {
	seed := uint64(0)
	for _, routers := range []int{2, 3, 4, 6, 8, 12, 20, 31} {
		for _, per := range []int{0, 2, 7} {
			for _, reach := range []int{250, 450, 1300} {
				if seed++; routers*(per+1) <= 256 {
					m := fixture.Floor(seed, routers, per*routers, reach)
					out = append(out, floor{fmt.Sprintf("floor %d: %d routers, %d children, reach %d", seed, routers, per*routers, reach), m, Place(view.New(m, true))})
				}
			}
		}
	}
	return out
})

func TestNothingOverlapsOnFloors(t *testing.T) {
	floors(func(name string, m *topology.Map, p *Picture) { checkPicture(t, name, m, p) })
}

// trunks are the lines from hubs to where their branches begin.
func trunks(p *Panel) (all [][]Point) {
	for _, h := range p.Hubs {
		for _, f := range h.Fans {
			if !f.Comb {
				all = append(all, f.Trunk)
			}
		}
	}
	return all
}

// TestChildrenNeverCross: no child's line crosses that of another router's
// child, so that nobody seems to hang on another parent.
func TestChildrenNeverCross(t *testing.T) {
	floors(func(name string, m *topology.Map, p *Picture) {
		for _, p := range p.Panels {
			all := trunks(p)
			for i, a := range all {
				for _, b := range all[i+1:] {
					if pathsCross(a, b) {
						t.Errorf("%s: the trunks %v and %v cross", name, a, b)
					}
				}
			}
		}
	})
}

// TestLinksPassBesideHubs: hardly any link runs over a router that is not at
// its end, since that reads as two links.
func TestLinksPassBesideHubs(t *testing.T) {
	hits, links := 0, 0
	floors(func(name string, m *topology.Map, p *Picture) {
		for _, p := range p.Panels {
			for _, l := range p.Links {
				links++
				if p.hits(l.Link, l.A, l.Bend, l.B) > 0 {
					hits++
				}
			}
		}
	})
	if hits*100 > links {
		t.Errorf("%d of %d links run over a hub", hits, links)
	}
}

// places are the hubs' marks, in thousandths of their oval.
func places(m *topology.Map) map[string]Point {
	out := map[string]Point{}
	for _, p := range Place(view.New(m, true)).Panels {
		for _, h := range p.Hubs {
			out[h.Node.ID] = Point{(h.At.X - p.Center.X) * 1000 / max(p.RX, 1), (h.At.Y - p.Center.Y) * 1000 / max(p.RY, 1)}
		}
	}
	return out
}

// TestOneMoreDeviceMovesLittle: when a device joins, the routers stay where
// they were: the median moves less than a fiftieth of the oval's radius, and
// in nine homes of ten on average less than a fifth of it.
func TestOneMoreDeviceMovesLittle(t *testing.T) {
	var mean, median []int
	for seed := range uint64(40) {
		routers := 5 + int(seed)%20
		before := fixture.Floor(seed, routers, 3*routers, 450)
		after := fixture.Floor(seed, routers, 3*routers, 450)
		parent := after.Nodes[int(seed)%len(after.Nodes)]
		if parent.Parent != nil {
			parent = parent.Parent
		}
		child := &topology.Node{ID: "new", Name: "New sensor", Role: diag.RoleSleepyEndDevice, Parent: parent, Network: parent.Network, Partition: parent.Partition, State: topology.NodeOK}
		parent.Children = append(parent.Children, child)
		after.Nodes = append(after.Nodes, child)
		was, is := places(before), places(after)
		var moved []int
		sum := 0
		for id, p := range was {
			q := is[id]
			d := isqrt(square(p.X-q.X) + square(p.Y-q.Y))
			moved = append(moved, d)
			sum += d
		}
		slices.Sort(moved)
		mean, median = append(mean, sum/len(moved)), append(median, moved[len(moved)/2])
	}
	slices.Sort(mean)
	slices.Sort(median)
	t.Logf("mean move: %v", mean)
	t.Logf("median move: %v", median)
	if m := mean[len(mean)*9/10]; m > 200 {
		t.Errorf("in a tenth of the homes, routers move by more than %d thousandths of the radius", m)
	}
	if m := median[len(median)/2]; m > 20 {
		t.Errorf("the median router moves by %d thousandths of the radius", m)
	}
}

// TestLeaderIsAnchored: the leader stands at the upper right of the
// oval, whatever else there is.
func TestLeaderIsAnchored(t *testing.T) {
	for seed := range uint64(12) {
		m := fixture.Floor(seed, 5+int(seed)*2, 20, 450)
		p := Place(view.New(m, true)).Panels[0]
		for _, h := range p.Hubs {
			if h.Node.Role != diag.RoleLeader {
				continue
			}
			if h.At.X <= p.Center.X || h.At.Y > p.Center.Y-p.RY/3 {
				t.Errorf("floor %d: the leader stands at %v of %v", seed, h.At, p.Box)
			}
		}
	}
}

// TestSlotTables checks the tables of bits against the geometry.
func TestSlotTables(t *testing.T) {
	s := makeSlots(9)
	for a := range s.at {
		for b := range a {
			for c := range s.at {
				for d := range c {
					if a == c || a == d || b == c || b == d {
						continue
					}
					want := crosses(s.at[a].Point, s.at[b].Point, s.at[c].Point, s.at[d].Point)
					if got := has(s.rows[s.seg(a, b)], s.seg(d, c)); got != want {
						t.Fatalf("lines %d–%d and %d–%d: %v, want %v", a, b, c, d, got, want)
					}
				}
			}
		}
	}
}

func TestCrosses(t *testing.T) {
	for _, c := range []struct {
		a, b, c, d Point
		want       bool
	}{
		{Point{0, 0}, Point{10, 10}, Point{0, 10}, Point{10, 0}, true},
		{Point{0, 0}, Point{10, 10}, Point{0, 0}, Point{10, 0}, false}, // a common end
		{Point{0, 0}, Point{10, 0}, Point{5, 0}, Point{5, 9}, false},   // it only touches
		{Point{0, 0}, Point{10, 0}, Point{0, 1}, Point{10, 1}, false},
		{Point{0, 0}, Point{10, 0}, Point{2, 0}, Point{8, 0}, false}, // on each other
		{Point{-1 << 30, 0}, Point{1 << 30, 1}, Point{0, -1 << 30}, Point{1, 1 << 30}, true},
	} {
		if got := crosses(c.a, c.b, c.c, c.d); got != c.want {
			t.Errorf("%v: %v", c, got)
		}
	}
}

func TestPasses(t *testing.T) {
	for _, c := range []struct {
		a, b, p Point
		want    bool
	}{
		{Point{0, 0}, Point{100, 0}, Point{50, 9}, true},
		{Point{0, 0}, Point{100, 0}, Point{50, 11}, false},
		{Point{0, 0}, Point{100, 0}, Point{105, 0}, true},
		{Point{0, 0}, Point{100, 0}, Point{-11, 0}, false},
		{Point{0, 0}, Point{100, 100}, Point{60, 50}, true},
		{Point{0, 0}, Point{100, 100}, Point{70, 50}, false},
		{Point{3, 3}, Point{3, 3}, Point{3, 12}, true},
	} {
		if got := passes(c.a, c.b, c.p, 10); got != c.want {
			t.Errorf("%v: %v", c, got)
		}
	}
}
