package scene

import (
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/render/internal/fixture"
	"threadmap/render/internal/text"
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
		"Kitchen HomePod":              "border router, leader, 0x0000, 86c42aee00009e37\nApple, HomePod mini, 18.1\ntold by OTBR 4 s ago",
		"Hall button":                  "sleepy, 0x0001, 86c42aee00062e26\nchild of Kitchen HomePod\nstatements disagree about parent\ntold by OTBR 4 s ago",
		"Garden plug":                  "router, 0xd000, 86c42aee00045381\nsilent: its neighbors hear it, but it did not answer\ntold by OTBR 4 s ago",
		"Desk plug – 86c42aee0004f1b8": "→ not known\n← quality 1/3\none-sided, 12 s old\ntold by OTBR 4 s ago",
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

// TestHeard: what is unknown is not said to be zero, nor zero unknown.
func TestHeard(t *testing.T) {
	zero, some := diag.Some(diag.Rate(0)), diag.Some(diag.Rate(0x1000))
	for _, c := range []struct {
		d    topology.Direction
		want string
	}{
		{topology.Direction{}, "not known"},
		{topology.Direction{LQ: diag.Some(uint8(0))}, "quality 0/3"},
		{topology.Direction{RSSI: diag.Some(int8(-80)), Margin: diag.Some(uint8(20))}, "−80 dBm"},
		{topology.Direction{LQ: diag.Some(uint8(2)), Margin: diag.Some(uint8(20))}, "quality 2/3, margin 20 dB"},
		{topology.Direction{FrameError: zero, MessageError: zero}, "nothing lost"},
		{topology.Direction{FrameError: zero}, "0% of frames lost"},
		{topology.Direction{MessageError: some}, "6.3% of messages lost"},
		{topology.Direction{FrameError: some, MessageError: zero}, "6.3% of frames and 0% of messages lost"},
	} {
		if got := heard(c.d); got != c.want {
			t.Errorf("%+v: %q, want %q", c.d, got, c.want)
		}
	}
}

// TestTold: few sources are named; more have numbers, which the picture explains.
func TestTold(t *testing.T) {
	at := func(source string, ago time.Duration) topology.Evidence {
		return topology.Evidence{Source: source, At: fixture.At.Add(-ago)}
	}
	m := fixture.Line(2)
	m.Nodes[0].Evidence = []topology.Evidence{at("otbr", time.Minute), at("otbr", time.Second), at("matter", time.Hour)}
	list := func() (titles, below []string) {
		all(drawn(m).Groups, func(g *Group) {
			if g.ID != "" {
				titles = append(titles, g.Title[strings.LastIndexByte(g.Title, '\n')+1:])
			}
			for _, s := range g.Shapes {
				if strings.HasPrefix(s.S, "told by") {
					below = append(below, s.S)
				}
			}
		})
		return titles, below
	}
	titles, below := list()
	if !slices.Contains(titles, "told by Matter, OTBR 1 s ago") || len(below) != 0 {
		t.Errorf("two sources: %q, %q", titles, below)
	}
	m.Nodes[1].Evidence = []topology.Evidence{at("homeassistant", time.Second), at("mdns", 2*time.Second), at("otbr", 3*time.Second), at("matter", time.Hour), at("thread", time.Hour)}
	titles, below = list()
	if !slices.Contains(titles, "told by 3, 5, 1 s ago") || !slices.Contains(titles, "told by 1–5, 1 s ago") {
		t.Errorf("five sources: %q", titles)
	}
	if want := "told by: 1 border agent, 2 Home Assistant, 3 Matter, 4 mDNS, 5 OTBR"; len(below) != 1 || below[0] != want {
		t.Errorf("below the picture: %q, want %q", below, want)
	}
}

// TestTextLen: names have the room that layout left for them in any font; what is
// no simple script, and what is short, is left as the font has it.
func TestTextLen(t *testing.T) {
	for _, c := range []struct {
		class, s string
		fixed    bool
	}{
		{"item", "Bathroom thermostat", true}, {"hub", "Kitchen HomePod mini", true}, {"item", "客厅的边界路由器主路由", true}, {"small", "channel 25 · 37 devices", true},
		{"item", "حساس الباب الخارجي", false}, {"item", "Датчик движения", false}, {"item", "Lamp", false}, {"note", "−53 dBm", false}, {"sign", "a sign that is long", false},
	} {
		got := textLen(c.class, c.s)
		if (got > 0) != c.fixed {
			t.Errorf("%s %q: %d", c.class, c.s, got)
		}
		if room := text.Room(c.s) * fonts[c.class].size / text.Em; got > room {
			t.Errorf("%s %q: %d, and layout leaves %d", c.class, c.s, got, room)
		}
	}
}
