package scene

import (
	"slices"
	"strings"
	"testing"

	"threadmap/render/internal/fixture"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/render/layout"
)

// areasOf lists the shapes of areas, and the names of rooms, that a scene has.
func areasOf(s *Scene) (shapes, names []Shape) {
	all(s.Groups, func(g *Group) {
		if g.Class != "areas" {
			return
		}
		for _, x := range g.Shapes {
			if x.Kind == Area {
				shapes = append(shapes, x)
			} else {
				names = append(names, x)
			}
		}
	})
	return shapes, names
}

// TestAreasAreDrawn: one shape for each room of a panel, below all lines and marks,
// made of closed lines; and the legend says what they are where there are any.
func TestAreasAreDrawn(t *testing.T) {
	m := fixture.Floor(5, 16, 34, 350)
	s := drawn(m)
	shapes, names := areasOf(s)
	rooms := map[string]int{}
	for _, x := range shapes {
		rooms[x.S]++
		start, rings := 0, 0
		for i, p := range x.Poly {
			if i > start && p == x.Poly[start] {
				start = i + 1
				rings++
			}
			if p.X%px != 0 || p.Y%px != 0 {
				t.Errorf("area of %s: %v is not in whole pixels", x.S, p)
			}
		}
		if rings == 0 || start != len(x.Poly) {
			t.Errorf("area of %q: %d rings, the last is open", x.S, rings)
		}
	}
	for _, room := range []string{"Kitchen", "Hall", "Bedroom", "Office", "Bathroom", "Living room"} {
		if rooms[room] != 1 || room != "Bathroom" /* each stands alone, and says it */ && !slices.ContainsFunc(names, func(n Shape) bool { return n.S == room }) {
			t.Errorf("%s: %d areas, and names %v", room, rooms[room], names)
		}
	}
	legend := func(s *Scene) (words []string) {
		all(s.Groups, func(g *Group) {
			if g.Class == "legend" {
				for _, x := range g.Shapes {
					words = append(words, x.S)
				}
			}
		})
		return words
	}
	if !slices.Contains(legend(s), "a room") || slices.Contains(legend(drawn(fixture.Spread(3, 3))), "a room") {
		t.Error("the legend is wrong about rooms")
	}
	all(s.Groups, func(g *Group) {
		if g.Class == "panel" {
			if g.Groups[0].Class != "areas" {
				t.Errorf("%s is drawn below the areas", g.Groups[0].Class)
			}
		}
	})
}

// TestHostileRooms: whatever a room is called, its name is cleaned and bounded.
func TestHostileRooms(t *testing.T) {
	for _, hostile := range fixture.HostileNames {
		m := fixture.Floor(5, 6, 20, 350)
		for _, n := range m.Nodes {
			n.Room = hostile
		}
		shapes, names := areasOf(Draw(layout.Place(view.New(m, true)), Caption{}))
		for _, x := range append(shapes, names...) {
			if strings.ContainsAny(x.S, "\x00\x1b\u202e\u2066\u200b\n\r\u2028") || len(x.S) > 1024 {
				t.Errorf("%.40q became %.40q", hostile, x.S)
			}
		}
		for _, x := range names {
			if w := text.Width(x.S, true) * layout.SmallFont / text.Em; w > 120*px {
				t.Errorf("%.40q has a name of %d px: %q", hostile, w/px, x.S)
			}
		}
	}
}
