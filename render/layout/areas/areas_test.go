package areas

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"threadmap/diag"
	"threadmap/render/internal/fixture"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/render/layout"
	"threadmap/topology"
)

// homes visits hundreds of generated homes with rooms, each laid out: as radio makes
// them, with rooms as they lie on the floor, and with rooms at random.
func homes(visit func(name string, m *topology.Map, p *layout.Picture)) {
	for _, x := range allHomes() {
		visit(x.name, x.m, x.p)
	}
}

type home struct {
	name string
	m    *topology.Map
	p    *layout.Picture
}

var allHomes = sync.OnceValue(func() (out []home) {
	rooms := []string{"Kitchen", "Hall", "Bedroom", "Office", "Bathroom", "Living room", "Attic", "Cellar", "Garage", "Garden", "客厅", "حمام"}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 11))
		routers := 1 + random.IntN(20)
		children := random.IntN(5 * routers)
		m := fixture.Floor(seed, routers, children, 250+random.IntN(1000))
		kind := seed % 4
		of := 1 + random.IntN(len(rooms))
		for _, n := range m.Nodes {
			switch kind {
			case 1: // some are not known
				if random.IntN(4) == 0 {
					n.Room = ""
				}
			case 2: // any
				n.Room = rooms[random.IntN(of)]
			case 3: // any, and some are not known; names say nothing
				if n.Name = fmt.Sprintf("Device %d", random.IntN(1000)); random.IntN(3) == 0 {
					n.Room = ""
				} else {
					n.Room = rooms[random.IntN(of)]
				}
			}
		}
		if kind >= 2 {
			for range random.IntN(12) {
				n := &topology.Node{ID: fmt.Sprint("off", len(m.Nodes)), Name: "Lamp", Transport: diag.TransportWiFi, Room: rooms[random.IntN(of)], State: topology.NodeOK}
				m.Nodes = append(m.Nodes, n)
			}
		}
		out = append(out, home{fmt.Sprintf("home %d: %d routers, %d children, %d rooms", seed, routers, children, of), m, layout.Place(view.New(m, true))})
	}
	return out
})

// A spot is a node in a panel, with its box.
type spot struct {
	node *topology.Node
	room string
	box  layout.Rect
	mark layout.Point
}

func spots(x *layout.Panel) (all []spot) {
	item := func(t *layout.Item) { all = append(all, spot{t.Node, t.Room, t.Box, t.At}) }
	for i := range x.Hubs {
		h := &x.Hubs[i]
		all = append(all, spot{h.Node, h.Room, h.Box, h.At})
		for k := range h.Fans {
			for n := range h.Fans[k].Items {
				item(&h.Fans[k].Items[n])
			}
		}
	}
	for i := range x.Loose {
		item(&x.Loose[i])
	}
	return all
}

// covers reports whether a point is in a patch: not farther than Radius from one of
// its parts. It is worked out with another rule than the areas are.
func covers(p *Patch, at layout.Point) bool {
	for _, part := range p.Parts {
		inside := len(part) > 2
		for i, a := range part {
			b := part[(i+1)%len(part)]
			if distance(a, b, at) <= float64(Radius)*float64(Radius) {
				return true
			}
			if int64(b.X-a.X)*int64(at.Y-a.Y)-int64(b.Y-a.Y)*int64(at.X-a.X) < 0 {
				inside = false
			}
		}
		if inside {
			return true
		}
	}
	return false
}

// distance is the square of that from a point to a line.
func distance(a, b, p layout.Point) float64 {
	ax, ay, bx, by, px, py := float64(a.X), float64(a.Y), float64(b.X), float64(b.Y), float64(p.X), float64(p.Y)
	t := 0.0
	if n := (bx-ax)*(bx-ax) + (by-ay)*(by-ay); n > 0 {
		t = min(max(((px-ax)*(bx-ax)+(py-ay)*(by-ay))/n, 0), 1)
	}
	x, y := ax+t*(bx-ax)-px, ay+t*(by-ay)-py
	return x*x + y*y
}

// grid are points all over a box, its corners and edges a hair inside.
func grid(r layout.Rect) (out []layout.Point) {
	steps := func(from, size int) (l []int) {
		n := max(size/(6*px), 1)
		for i := range n + 1 {
			l = append(l, min(max(from+size*i/n, from+1), from+size-1))
		}
		return l
	}
	for _, x := range steps(r.X, r.W) {
		for _, y := range steps(r.Y, r.H) {
			out = append(out, layout.Point{X: x, Y: y})
		}
	}
	return out
}

// TestNoStrangerIsInAnArea: no area covers any of the box of a node that is not of
// its room, and each node is in an area of its room, its whole mark and label, but
// for those that stand alone and say their room.
func TestNoStrangerIsInAnArea(t *testing.T) {
	patches, joined, alone := 0, 0, 0
	homes(func(name string, m *topology.Map, p *layout.Picture) {
		for i, list := range Of(p) {
			all := spots(p.Panels[i])
			of := map[string]int{}
			for _, s := range all {
				of[s.room]++
			}
			in := map[*topology.Node]int{}
			for _, a := range list {
				for k := range a.Patches {
					patch := &a.Patches[k]
					patches++
					if len(patch.Parts) > len(patch.Nodes) {
						joined++
					}
					for _, n := range patch.Nodes {
						in[n]++
					}
					for _, s := range all {
						if s.room == a.Room {
							if covers(patch, s.mark) != slices.Contains(patch.Nodes, s.node) {
								t.Errorf("%s: %s at %v: covered by the wrong patch of %s", name, s.node.Name, s.mark, a.Room)
							}
							continue
						}
						for _, at := range grid(s.box) {
							if covers(patch, at) {
								t.Fatalf("%s: the area of %q covers %v of %s of %q, in %v", name, a.Room, at, s.node.Name, s.room, s.box)
							}
						}
					}
				}
			}
			for _, s := range all {
				switch {
				case s.room == "":
					if in[s.node] != 0 {
						t.Errorf("%s: %s has no room, and is in an area", name, s.node.Name)
					}
				case in[s.node] == 1:
				case in[s.node] == 0 && of[s.room] == 1:
					alone++
				default:
					t.Errorf("%s: %s of %q is in %d areas", name, s.node.Name, s.room, in[s.node])
				}
			}
		}
	})
	t.Logf("%d patches, %d of them with necks, %d devices alone", patches, joined, alone)
	if patches < 2000 || joined < 300 || alone == 0 {
		t.Errorf("%d patches, %d of them with necks, %d devices alone: the homes show too little", patches, joined, alone)
	}
}

// TestAreasKeepApart: areas of different rooms never touch, those side by side have
// different tints, and a room has the same tint in all panels.
func TestAreasKeepApart(t *testing.T) {
	near := 0
	homes(func(name string, m *topology.Map, p *layout.Picture) {
		tint := map[string]int{}
		for _, list := range Of(p) {
			for i, a := range list {
				if k, ok := tint[a.Room]; ok && k != a.Tint || a.Tint < 0 || a.Tint >= Tints {
					t.Errorf("%s: %q has tint %d, and %d", name, a.Room, a.Tint, k)
				}
				tint[a.Room] = a.Tint
				for _, b := range list[:i] {
					d := apart(a, b)
					if d <= 2*float64(Radius) {
						t.Errorf("%s: %q and %q touch", name, a.Room, b.Room)
					}
					if d <= 2*float64(Radius)+float64(4*px) {
						if near++; a.Tint == b.Tint {
							t.Errorf("%s: %q and %q are side by side, with the same tint", name, a.Room, b.Room)
						}
					}
				}
			}
		}
	})
	if near < 500 {
		t.Errorf("%d areas stand side by side: the homes show too little", near)
	}
}

// apart is how far the parts of two areas are from each other.
func apart(a, b Area) float64 {
	least := math.Inf(1)
	for _, x := range a.Patches {
		for _, y := range b.Patches {
			for _, p := range x.Parts {
				for _, q := range y.Parts {
					if touches(p, q) && len(p) > 2 && len(q) > 2 {
						return 0
					}
					for i := range p {
						for k := range q {
							p1, p2, q1, q2 := p[i], p[(i+1)%len(p)], q[k], q[(k+1)%len(q)]
							if turn(p1, p2, q1)*turn(p1, p2, q2) < 0 && turn(q1, q2, p1)*turn(q1, q2, p2) < 0 {
								return 0
							}
							least = min(least, distance(p1, p2, q1), distance(q1, q2, p1))
						}
					}
				}
			}
		}
	}
	return math.Sqrt(least)
}

func turn(a, b, c layout.Point) int {
	return cmp.Compare(int64(b.X-a.X)*int64(c.Y-a.Y), int64(b.Y-a.Y)*int64(c.X-a.X))
}

// TestNamesHaveRoom: the name of a patch lies in it, on no mark and no label, and in
// its panel; a patch of two and more rows has one, and no name stands twice in a patch.
func TestNamesHaveRoom(t *testing.T) {
	names := 0
	homes(func(name string, m *topology.Map, p *layout.Picture) {
		for i, list := range Of(p) {
			x := p.Panels[i]
			all := spots(x)
			for _, a := range list {
				for k := range a.Patches {
					patch := &a.Patches[k]
					if patch.Name == "" {
						continue
					}
					names++
					w := text.Width(patch.Name, true) * layout.SmallFont / text.Em
					box := layout.Rect{X: patch.At.X, Y: patch.At.Y - 9*px, W: w, H: 12 * px}
					if patch.End {
						box.X -= w
					}
					for _, s := range all {
						if box.Overlaps(s.box) {
							t.Errorf("%s: the name %q lies on %s", name, patch.Name, s.node.Name)
						}
					}
					for _, at := range corners(box) {
						if !covers(patch, at) {
							t.Errorf("%s: the name %q at %v goes out of its area", name, patch.Name, box)
						}
					}
					if box.X < x.Box.X || box.X+box.W > x.Box.X+x.Box.W {
						t.Errorf("%s: the name %q is outside of its panel", name, patch.Name)
					}
				}
			}
			// rows of one room beside each other carry its name
			named := map[*topology.Node]string{}
			for _, a := range list {
				for _, patch := range a.Patches {
					for _, n := range patch.Nodes {
						named[n] = patch.Name
					}
				}
			}
			check := func(items []layout.Item) {
				layout.Runs(items, func(rows []layout.Item) {
					if layout.Tagged(rows) && named[rows[0].Node] != rows[0].Room {
						t.Errorf("%s: rows of %q have the name %q", name, rows[0].Room, named[rows[0].Node])
					}
				})
			}
			for h := range x.Hubs {
				for _, f := range x.Hubs[h].Fans {
					check(f.Items)
				}
			}
			for i := 0; i < len(x.Loose); { // column by column
				k := i + 1
				for k < len(x.Loose) && x.Loose[k].At.X == x.Loose[i].At.X {
					k++
				}
				check(x.Loose[i:k])
				i = k
			}
		}
	})
	if names < 300 {
		t.Errorf("%d names: the homes show too little", names)
	}
}

// TestChildrenStandByRoom: the children of a router stand room by room, those of its
// own room in the middle, and all of them are there.
func TestChildrenStandByRoom(t *testing.T) {
	middle, whole := 0, 0
	homes(func(name string, m *topology.Map, p *layout.Picture) {
		for _, x := range p.Panels {
			for h := range x.Hubs {
				hub := &x.Hubs[h]
				var rows []layout.Item
				for _, f := range hub.Fans {
					rows = append(rows, f.Items...)
				}
				runs, first, last := map[string]int{}, -1, -1
				for i := range rows {
					if i == 0 || rows[i].Room != rows[i-1].Room {
						runs[rows[i].Room]++
					}
					if rows[i].Room == hub.Room && hub.Room != "" {
						if first < 0 {
							first = i
						}
						last = i
					}
				}
				for room, n := range runs {
					if n > 1 {
						t.Errorf("%s: rows of %q stand in %d places beside %s", name, room, n, hub.Label)
					}
				}
				if len(rows) != len(hub.Node.Children) {
					t.Errorf("%s: %d of %d children of %s", name, len(rows), len(hub.Node.Children), hub.Label)
				}
				if first >= 0 && len(runs) > 1 {
					whole++
					if 2*first <= len(rows) && 2*(last+1) >= len(rows) {
						middle++
					}
				}
			}
		}
	})
	t.Logf("%d of %d in the middle", middle, whole)
	if middle*4 < whole*3 || whole < 50 {
		t.Errorf("in %d of %d fans the router's own room is in the middle", middle, whole)
	}
}

// TestNoRooms: where no room is known, or the map is too large, there are no areas,
// and nothing stands elsewhere than it would.
func TestNoRooms(t *testing.T) {
	for name, m := range map[string]*topology.Map{"none": fixture.Spread(7, 8, 7), "many": fixture.Floor(3, 30, layout.MaxRoomed-29, 500), "empty": {}} {
		for i, list := range Of(layout.Place(view.New(m, true))) {
			if len(list) > 0 {
				t.Errorf("%s: panel %d has areas", name, i)
			}
		}
	}
	m := fixture.Floor(3, 30, layout.MaxRoomed-30, 500)
	if list := Of(layout.Place(view.New(m, true)))[0]; len(list) < 3 {
		t.Errorf("%d devices: %d areas", len(m.Nodes), len(list))
	}
}

// TestSameAreas: the areas don't depend on the order in which the map lists the
// children of its links, nor on that of Go's maps.
func TestSameAreas(t *testing.T) {
	m := fixture.Floor(6, 20, 80, 400)
	want := Of(layout.Place(view.New(m, true)))
	random := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		random.Shuffle(len(m.Links), func(i, k int) { m.Links[i], m.Links[k] = m.Links[k], m.Links[i] })
		slices.SortFunc(m.Links, func(x, y *topology.Link) int {
			return cmp.Or(cmp.Compare(x.A.ID, y.A.ID), cmp.Compare(x.B.ID, y.B.ID))
		})
		if got := Of(layout.Place(view.New(m, true))); !reflect.DeepEqual(got, want) {
			t.Fatal("the areas differ")
		}
	}
}

// TestTintsRunOut: where each of eight rooms stands beside each other, six tints don't
// do: rooms side by side never share one, and a room without has no area at all.
func TestTintsRunOut(t *testing.T) {
	b := &fixture.Builder{}
	net := b.Network("Crowd", 1, 11)
	var last *topology.Node
	for i := range 8 {
		for k := range i {
			r := b.Router(net, "Router", uint8(i*(i-1)/2+k))
			if last == nil {
				b.Lead(r, 1)
			} else {
				b.Link(last, r, 3, 3)
			}
			last = r
			for _, room := range []int{i, k} {
				for range 2 {
					b.Child(r, "Lamp", 3, -50).Room = fmt.Sprint("Room ", room)
				}
			}
		}
	}
	tints := map[int]string{}
	list := Of(layout.Place(view.New(b.Done(), true)))[0]
	for _, a := range list {
		if tints[a.Tint] != "" {
			t.Errorf("%s and %s have the same tint", a.Room, tints[a.Tint])
		}
		tints[a.Tint] = a.Room
	}
	if len(list) != Tints {
		t.Errorf("%d rooms have areas, want %d", len(list), Tints)
	}
}
