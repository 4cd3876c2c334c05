package scene

import (
	"strings"
	"testing"

	"threadmap/render/internal/fixture"
	"threadmap/render/internal/view"
	"threadmap/render/layout"
	"threadmap/topology"
)

func all(gs []Group, visit func(*Group)) {
	for i := range gs {
		visit(&gs[i])
		all(gs[i].Groups, visit)
	}
}

func drawn(m *topology.Map) *Scene {
	return Draw(layout.Place(view.New(m, true)), Caption{At: fixture.At})
}

func TestEveryNodeIsDrawnOnce(t *testing.T) {
	hostile, _ := fixture.Hostile()
	for name, m := range map[string]*topology.Map{"home": fixture.Home(), "split": fixture.Split(), "hostile": hostile, "big": fixture.Big(3, 20, 9)} {
		seen := map[string]int{}
		all(drawn(m).Groups, func(g *Group) {
			if g.ID != "" {
				seen[g.ID]++
			}
		})
		for _, n := range m.Nodes {
			if seen[n.ID] != 1 {
				t.Errorf("%s: %s drawn %d times", name, n.ID, seen[n.ID])
			}
		}
	}
}

// TestArrow: the arrow of a one-way link points at the end that hears
// something, whichever end that is.
func TestArrow(t *testing.T) {
	for _, c := range []struct {
		ab, ba uint8
		toB    bool
	}{{2, 0, true}, {0, 2, false}} {
		b := &fixture.Builder{}
		net := b.Network("x", 1, 11)
		from, to := b.Router(net, "from", 1), b.Router(net, "to", 2)
		b.Link(from, to, c.ab, c.ba)
		pic := layout.Place(view.New(b.Done(), true))
		l := pic.Panels[0].Links[0]
		var arrow []Point
		all(Draw(pic, Caption{}).Groups, func(g *Group) {
			if g.Class == "link one-way" && g.Title != "" {
				arrow = g.Shapes[1].Poly
			}
		})
		if len(arrow) != 3 {
			t.Fatalf("no arrow")
		}
		right := arrow[0].X > arrow[1].X
		if bIsRight := l.B.X > l.A.X; right != (bIsRight == c.toB) {
			t.Errorf("quality %d there and %d back: the arrow points the wrong way: %v", c.ab, c.ba, arrow)
		}
	}
}

func TestLegendShowsWhatIsThere(t *testing.T) {
	words := func(m *topology.Map) string {
		var s []string
		all(drawn(m).Groups, func(g *Group) {
			if g.Class == "legend" {
				for _, x := range g.Shapes {
					s = append(s, x.S)
				}
			}
		})
		return strings.Join(s, ", ")
	}
	if got, want := words(fixture.Line(3)), "router, leader, good link"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := words(fixture.Home()), "border router, router, leader, listens all the time, sleeps, could become a router, did not answer, only others tell of it, good link, fair, weak, one-way, dying, old news, dead, each end's half: what it hears, nobody told what this end hears, cheapest way to a border router"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTitles(t *testing.T) {
	titles := map[string]string{}
	all(drawn(fixture.Home()).Groups, func(g *Group) {
		first, rest, _ := strings.Cut(g.Title, "\n")
		titles[first] = rest
	})
	for first, want := range map[string]string{
		"Kitchen HomePod":              "border router, leader, 0x0000, 86c42aee00009e37\nApple, HomePod mini, 18.1, Kitchen\ntold by OTBR 4 s ago",
		"Hall button":                  "sleepy, 0x0001, 86c42aee00062e26\nchild of Kitchen HomePod, confirmed\nstatements disagree about parent\ntold by OTBR 4 s ago",
		"Garden plug":                  "router, 0xd000, 86c42aee00045381\nsilent: its neighbors hear it, but it did not answer\ntold by OTBR 4 s ago",
		"Desk plug – 86c42aee0004f1b8": "86c42aee0004f1b8 hears: not known\nDesk plug hears: quality 1 of 3\nlink ok, one-sided, heard 12 s before it was read\ntold by OTBR 4 s ago",
	} {
		if got := titles[first]; got != want {
			t.Errorf("%s:\ngot  %q\nwant %q", first, got, want)
		}
	}
}

func TestUnit(t *testing.T) {
	for _, c := range []struct {
		d    Point
		x, y int
	}{{Point{0, 0}, 1000, 0}, {Point{30, 40}, 600, 800}, {Point{-2000000000, 0}, -1000, 0}} {
		if x, y := unit(c.d); x != c.x || y != c.y {
			t.Errorf("unit(%v) = %d, %d", c.d, x, y)
		}
	}
}
