package layout

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"threadmap/render/internal/fixture"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

type box struct {
	Rect
	who string
}

// boxes lists all that must not lie on one another: panels against panels, and
// nodes with their text against each other.
func boxes(p *Picture) (panels, nodes []box) {
	for _, x := range p.Panels {
		panels = append(panels, box{x.Box, x.Name})
		for _, h := range x.Hubs {
			nodes = append(nodes, box{h.Box, h.Label})
			for _, f := range h.Fans {
				for _, t := range f.Items {
					nodes = append(nodes, box{t.Box, t.Name})
				}
			}
		}
		for _, t := range x.Loose {
			nodes = append(nodes, box{t.Box, t.Name})
		}
	}
	return panels, nodes
}

func inside(r, in Rect) bool {
	return r.X >= in.X && r.Y >= in.Y && r.X+r.W <= in.X+in.W && r.Y+r.H <= in.Y+in.H
}

func check(t *testing.T, name string, m *topology.Map) {
	t.Helper()
	checkPicture(t, name, m, Place(view.New(m, true)))
}

func checkPicture(t *testing.T, name string, m *topology.Map, p *Picture) {
	t.Helper()
	panels, nodes := boxes(p)
	if len(nodes) != len(m.Nodes) {
		t.Errorf("%s: %d of %d nodes have a place", name, len(nodes), len(m.Nodes))
	}
	for _, set := range [][]box{panels, nodes} {
		for i, a := range set {
			if !inside(a.Rect, Rect{0, 0, p.W, p.Legend.Y}) {
				t.Errorf("%s: %s %v is outside of the picture %d × %d", name, a.who, a.Rect, p.W, p.Legend.Y)
			}
			for _, b := range set[i+1:] {
				if a.Overlaps(b.Rect) {
					t.Errorf("%s: %s %v lies on %s %v", name, a.who, a.Rect, b.who, b.Rect)
				}
			}
		}
	}
	for _, x := range p.Panels {
		in := Rect{x.Box.X, x.Box.Y + panelHead - 10*Px, x.Box.W, x.Box.H - panelHead + 10*Px} // the heading is above
		one := Picture{Panels: []*Panel{x}}
		_, own := boxes(&one)
		for _, b := range own {
			if !inside(b.Rect, in) {
				t.Errorf("%s: %s %v is outside of its panel %v", name, b.who, b.Rect, in)
			}
		}
	}
}

// TestNothingOverlaps draws homes of 1 to 60 devices with few, some and many
// routers, the children spread in several ways.
func TestNothingOverlaps(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for devices := 1; devices <= 60; devices++ {
		for routers := 1; routers <= devices; routers++ {
			if routers > 8 && routers%7 != 0 && routers < devices-1 || devices > 24 && devices%6 != 0 {
				continue
			}
			children := devices - routers
			even, first, last, any := make([]int, routers), make([]int, routers), make([]int, routers), make([]int, routers)
			for i := range children {
				even[i%routers]++
				any[random.IntN(routers)]++
			}
			first[0], last[routers-1] = children, children
			for i, d := range [][]int{even, first, last, any} {
				check(t, fmt.Sprintf("%d devices, %d routers, way %d", devices, routers, i), fixture.Spread(d...))
				if t.Failed() {
					return
				}
			}
		}
	}
}

func TestNothingOverlapsElsewhere(t *testing.T) {
	hostile, _ := fixture.Hostile()
	for name, m := range map[string]*topology.Map{
		"home": fixture.Home(), "split": fixture.Split(), "tongues": fixture.Tongues(), "line": fixture.Line(8), "hostile": hostile,
		"nets": fixture.Big(11, 3, 4), "crowd": fixture.Spread(500), "routers": fixture.Line(300), "empty": {},
	} {
		check(t, name, m)
	}
}

// TestNeighborsStandTogether: a chain that the map lists in no order comes out
// as a chain.
func TestNeighborsStandTogether(t *testing.T) {
	b := &fixture.Builder{}
	net := b.Network("Chain", 1, 11)
	var r []*topology.Node
	for i := range 12 {
		r = append(r, b.Router(net, fmt.Sprint(i), uint8(i)))
	}
	shuffled := rand.New(rand.NewPCG(3, 4)).Perm(12)
	for i := range 11 {
		b.Link(r[shuffled[i]], r[shuffled[i+1]], 3, 3)
	}
	hubs := view.New(b.Done(), false).Groups[0].Hubs
	seq := order(hubs)
	at := map[*topology.Node]int{}
	for i, k := range seq {
		at[hubs[k].Node] = i
	}
	for i := range 11 {
		d := at[r[shuffled[i]]] - at[r[shuffled[i+1]]]
		if d = max(d, -d); min(d, 12-d) != 1 {
			t.Errorf("neighbors %d and %d of the chain stand %d apart", i, i+1, min(d, 12-d))
		}
	}
}

func TestOrderKeepsEverybody(t *testing.T) {
	for _, n := range []int{1, 2, 3, 12, 64, 65, 200} {
		hubs := view.New(fixture.Line(n), false).Groups[0].Hubs
		seen := map[int]bool{}
		for _, k := range order(hubs) {
			seen[k] = true
		}
		if len(seen) != n {
			t.Errorf("%d hubs came out as %d", n, len(seen))
		}
	}
}

func TestOverview(t *testing.T) {
	if p := Place(view.New(fixture.Big(2, 2, 1), false)); p.Panels[0].Group == nil {
		t.Error("two networks need no overview")
	}
	p := Place(view.New(fixture.Big(3, 2, 1), false))
	o := p.Panels[0]
	if o.Group != nil || o.Name != "3 Thread networks" || len(o.Rows) != 3 || len(p.Panels) != 4 {
		t.Fatalf("%d panels, the first %+v", len(p.Panels), o)
	}
	if r := o.Rows[1]; r.Name != "Net 1" || r.Facts != "channel 11 · 4 devices · 1 border router" {
		t.Errorf("row %+v", r)
	}
	many := Place(view.New(fixture.Big(40, 1, 0), false)).Panels[0]
	if n := len(many.Rows); n != maxOverviewRows+1 || many.Rows[n-1].Name != "and 16 more" {
		t.Errorf("%d rows, the last %+v", n, many.Rows[n-1])
	}
	for _, o := range []*Panel{o, many} {
		for _, r := range o.Rows {
			if !inside(Rect{r.At.X, r.At.Y - 10*Px, r.FactsX - r.At.X + textRoom(r.Facts, SmallFont), 12 * Px}, o.Box) {
				t.Errorf("%+v is outside of %v", r, o.Box)
			}
		}
	}
}

func TestIsqrt(t *testing.T) {
	for _, n := range []int64{0, 1, 2, 3, 4, 8, 9, 1 << 40, 1<<40 - 1, 1 << 60} {
		r := int64(isqrt(n))
		if r*r > n || (r+1)*(r+1) <= n {
			t.Errorf("isqrt(%d) = %d", n, r)
		}
	}
}

func BenchmarkPlace(b *testing.B) {
	m := fixture.Big(16, 32, 31)
	v := view.New(m, false)
	for b.Loop() {
		Place(v)
	}
}
