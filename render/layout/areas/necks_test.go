package areas

import (
	"testing"

	"threadmap/render/layout"
)

// TestNecks: what stands between members of a room parts them: a strange box, the
// area of another room, a neck of another room; too far apart is apart, too.
func TestNecks(t *testing.T) {
	box := func(x, y, w, h int) layout.Rect {
		return layout.Rect{X: x * px, Y: y * px, W: w * px, H: h * px}
	}
	hall := func(r layout.Rect) block { return block{room: "Hall", outer: r} }
	bath := func(r layout.Rect) block { return block{room: "Bath", outer: r} }
	for name, c := range map[string]struct {
		blocks  []block
		strange []layout.Rect
		joined  bool // the first two blocks
	}{
		"above each other":    {[]block{hall(box(0, 0, 60, 20)), hall(box(10, 50, 60, 20))}, nil, true},
		"beside each other":   {[]block{hall(box(0, 0, 60, 20)), hall(box(90, 2, 60, 20))}, nil, true},
		"touching":            {[]block{hall(box(0, 0, 60, 20)), hall(box(0, 20, 60, 20))}, nil, true},
		"a hair between":      {[]block{hall(box(0, 0, 60, 20)), hall(box(0, 68, 60, 20))}, nil, true},
		"too far":             {[]block{hall(box(0, 0, 60, 20)), hall(box(0, 69, 60, 20))}, nil, false},
		"corner to corner":    {[]block{hall(box(0, 0, 60, 20)), hall(box(50, 30, 60, 20))}, nil, false},
		"other rooms":         {[]block{hall(box(0, 0, 60, 20)), bath(box(0, 30, 60, 20))}, nil, false},
		"a stranger":          {[]block{hall(box(0, 0, 60, 20)), hall(box(0, 60, 60, 20))}, []layout.Rect{box(50, 30, 40, 20)}, false},
		"a stranger beside":   {[]block{hall(box(0, 0, 60, 20)), hall(box(0, 60, 60, 20))}, []layout.Rect{box(60, 30, 40, 20)}, true},
		"another room":        {[]block{hall(box(0, 0, 60, 20)), hall(box(0, 60, 60, 20)), bath(box(59, 22, 20, 20))}, nil, false},
		"another room's neck": {[]block{hall(box(0, 0, 60, 20)), hall(box(0, 60, 60, 20)), bath(box(-30, 22, 24, 30)), bath(box(66, 22, 24, 30))}, nil, true}, // 72 apart: none
	} {
		s := &plan{blocks: c.blocks, strange: c.strange, group: []int{0, 1, 2, 3}[:len(c.blocks)]}
		s.connect()
		if got := s.root(0) == s.root(1); got != c.joined {
			t.Errorf("%s: joined: %v", name, got)
		}
	}
	// Ways that cross: one of the two is joined.
	s := &plan{group: []int{0, 1, 2, 3}, blocks: []block{hall(box(0, 0, 16, 16)), hall(box(0, 60, 16, 16)), bath(box(-22, 30, 20, 16)), bath(box(18, 30, 20, 16))}}
	s.connect()
	if a, b := s.root(0) == s.root(1), s.root(2) == s.root(3); a == b || len(s.necks) != 1 {
		t.Errorf("two necks that cross: %v, %v, %d necks", a, b, len(s.necks))
	}
}

// TestBand: a neck along a line takes up at least all that is Radius from it, and its
// corners go round clockwise.
func TestBand(t *testing.T) {
	for _, c := range [][2]layout.Point{{{X: 0, Y: 0}, {X: 1000, Y: 0}}, {{X: 1000, Y: 0}, {X: 0, Y: 0}}, {{X: 0, Y: 0}, {X: 700, Y: 300}}, {{X: 100, Y: 900}, {X: -300, Y: 30}}, {{X: 5, Y: 5}, {X: 5, Y: 5}}} {
		p := band(c[0], c[1])
		for i := range p {
			a, b, inside := p[i], p[(i+1)%4], p[(i+2)%4]
			if turn(a, b, inside) <= 0 {
				t.Fatalf("%v: %v don't go round clockwise", c, p)
			}
			for _, end := range c {
				if d := distance(a, b, end); d < float64(Radius)*float64(Radius) {
					t.Errorf("%v: %v is %v from the edge %v–%v", c, end, d, a, b)
				}
				if turn(a, b, end) <= 0 {
					t.Errorf("%v: %v is outside", c, end)
				}
			}
		}
	}
}

func TestTouches(t *testing.T) {
	square := corners(layout.Rect{X: 0, Y: 0, W: 100, H: 100})
	for _, c := range []struct {
		b    []layout.Point
		want bool
	}{
		{corners(layout.Rect{X: 99, Y: 99, W: 50, H: 50}), true},
		{corners(layout.Rect{X: 100, Y: 0, W: 50, H: 50}), false}, // an edge
		{corners(layout.Rect{X: 20, Y: 20, W: 5, H: 5}), true},    // inside
		{[]layout.Point{{X: 150, Y: 55}, {X: 210, Y: 115}, {X: 150, Y: 175}, {X: 90, Y: 115}}, false},
		{[]layout.Point{{X: 150, Y: 30}, {X: 210, Y: 90}, {X: 150, Y: 150}, {X: 90, Y: 90}}, true},
	} {
		if touches(square, c.b) != c.want || touches(c.b, square) != c.want {
			t.Errorf("%v: want %v", c.b, c.want)
		}
	}
}
