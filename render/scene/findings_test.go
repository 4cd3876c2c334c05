package scene

import (
	"fmt"
	"slices"
	"testing"

	"threadmap/diag"
	"threadmap/render/internal/fixture"
	"threadmap/render/internal/view"
	"threadmap/render/layout"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// shapes collects the shapes of a class, by the ID of the node they belong to.
func shapes(s *Scene, class string) map[string][]Shape {
	out := map[string][]Shape{}
	all(s.Groups, func(g *Group) {
		for _, x := range g.Shapes {
			if x.Class == class {
				out[g.ID] = append(out[g.ID], x)
			}
		}
	})
	return out
}

func TestFindingsAreBadges(t *testing.T) {
	m := fixture.Home()
	a, b := m.Nodes[0], m.Nodes[1]
	found := []doctor.Finding{
		{Of: doctor.OfLink, Severity: doctor.Error, Title: "first", Nodes: []*topology.Node{a, b}},
		{Severity: doctor.Info, Title: "only news", Nodes: []*topology.Node{b}},
		{Severity: doctor.Warning, Title: "second", Nodes: []*topology.Node{a, b}},
		{Severity: doctor.Warning, Title: "third", Nodes: []*topology.Node{a}},
	}
	for i := range 10 {
		found = append(found, doctor.Finding{Severity: doctor.Warning, Title: fmt.Sprint("more ", i)})
	}
	s := Draw(layout.Place(view.New(m, false).Examined(found)), Caption{})
	numbers := func(class, id string) (out []string) {
		for _, x := range shapes(s, class)[id] {
			out = append(out, x.S)
		}
		return out
	}
	if got := numbers("number error", a.ID); !slices.Equal(got, []string{"1"}) {
		t.Errorf("errors of the first: %q", got)
	}
	if got := numbers("number warning", a.ID); !slices.Equal(got, []string{"2"}) { // a third badge has no room
		t.Errorf("warnings of the first: %q", got)
	}
	if got := numbers("number error", b.ID); !slices.Equal(got, []string{"1"}) {
		t.Errorf("errors of the second: %q", got)
	}
	if got := numbers("number warning", b.ID); len(got) > 0 { // a peer of what it is about
		t.Errorf("warnings of the second: %q", got)
	}
	var list []string
	all(s.Groups, func(g *Group) {
		if g.Class == "findings" {
			for _, x := range g.Shapes {
				if x.Class == "item" || x.Class == "small" {
					list = append(list, x.S)
				}
			}
		}
	})
	if want := []string{"first", "second", "third", "more 0", "more 1", "more 2", "more 3", "more 4", "more 5", "and 4 more"}; !slices.Equal(list, want) {
		t.Errorf("list %q, want %q", list, want)
	}
}

// TestHalves: the half at an end shows what that end hears.
func TestHalves(t *testing.T) {
	lq := func(v uint8) topology.Direction { return topology.Direction{LQ: diag.Some(v)} }
	for _, c := range []struct {
		name       string
		aToB, bToA topology.Direction
		classes    []string
		nearA      bool // the half with a class is at A
	}{
		{"same", lq(2), lq(2), []string{""}, false},
		{"nothing known", topology.Direction{}, topology.Direction{}, []string{""}, false},
		{"A hears better", lq(1), lq(3), []string{"", "half good"}, true},
		{"B hears better", lq(2), lq(1), []string{"", "half fair"}, false},
		{"A did not say", lq(3), topology.Direction{}, []string{"", "half untold"}, true},
		{"B did not say", topology.Direction{}, lq(3), []string{"", "half untold"}, false},
	} {
		d := drawing{used: map[string]bool{}}
		got := d.halves(&topology.Link{AToB: c.aToB, BToA: c.bToA}, Point{0, 0}, Point{50, 20}, Point{100, 0}, Point{50, 10})
		var classes []string
		for _, x := range got {
			classes = append(classes, x.Class)
		}
		if !slices.Equal(classes, c.classes) {
			t.Errorf("%s: %q, want %q", c.name, classes, c.classes)
			continue
		}
		if len(got) == 2 && (got[1].P[0] == Point{0, 0}) != c.nearA {
			t.Errorf("%s: the half is at %v", c.name, got[1].P)
		}
	}
}

// TestWays: in a row with the border router at one end and a weak short cut,
// the ways go along the row.
func TestWays(t *testing.T) {
	b := &fixture.Builder{}
	net := b.Network("x", 1, 11)
	var r []*topology.Node
	for i := range 4 {
		r = append(r, b.Router(net, fmt.Sprint(i), uint8(i)))
	}
	b.Lead(r[0], 1)
	r[0].BorderRouter = diag.Some(true)
	want := map[*topology.Link]bool{}
	for i := range 3 {
		want[b.Link(r[i], r[i+1], 3, 3)] = true
	}
	b.Link(r[0], r[3], 1, 3) // costs 4, the row 3
	got := ways(view.New(b.Done(), false))
	if len(got) != len(want) {
		t.Errorf("%d links, want %d", len(got), len(want))
	}
	for l := range got {
		if !want[l] {
			t.Errorf("%s – %s is on no cheapest way", l.A.Name, l.B.Name)
		}
	}
	r[0].BorderRouter = diag.Some(false)
	if got := ways(view.New(b.Done(), false)); len(got) != 0 {
		t.Errorf("%d ways to no border router", len(got))
	}
}
