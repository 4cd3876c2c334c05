// Package areas finds the tinted areas that show the rooms of a picture.
//
// An area is all patches of one room in one panel. A patch is the boxes of
// members that stand together, and necks between them. It never touches the box of
// a node that is not of the room, nor the patch of another room; members
// between which there is anything else stand in patches of their own. So an area may
// say less than is known, but nothing wrong.
//
// Whatever has a room is in an area of it, but for a device that stands alone: where a
// panel has no other of its room, and its label says the room, an area would add
// nothing but unrest. Where rooms side by side would need more
// tints than there are, which a home of 400 devices can't make happen by chance,
// one of those rooms is left without areas: labels and titles name it anyhow.
//
// All arithmetic is done in integers; the same layout gives the same areas.
//
// The reader is between package layout, which gives nodes their places, and
// package scene, which draws the areas below everything else.
package areas

import (
	"cmp"
	"slices"

	"threadmap/render/layout"
	"threadmap/topology"
)

const px = layout.Px

// Radius is how far an area goes beyond its parts: they are drawn with a broad,
// round edge, which makes a row of a line.
const Radius = 9 * px

// Sizes.
const (
	aside   = 4 * px  // an area begins so far beside a row
	inset   = 1 * px  // rows of two rooms leave so much on both sides
	around  = 1 * px  // an area goes so far around a router
	nearby  = 48 * px // members so far apart still stand together
	overlap = 16 * px // so much of them must lie side by side for a neck
)

// An Area is all of a room in one panel.
type Area struct {
	Room    string
	Tint    int // 0 … Tints-1
	Patches []Patch
}

// A Patch is members of a room that stand together.
type Patch struct {
	Nodes []*topology.Node
	// Parts are boxes, clockwise, or lines (of two points), in whole pixels. The patch
	// is all that is not farther from them than Radius.
	Parts [][]layout.Point
	Name  string // "": the names of its members say it
	At    layout.Point
	End   bool // the name ends at At; else it begins there
}

// Of finds the areas of each panel, by room. All are empty where no room is known.
func Of(p *layout.Picture) [][]Area {
	out := make([][]Area, len(p.Panels))
	if !slices.ContainsFunc(p.Panels, roomed) {
		return out
	}
	shapes := make([]*plan, len(p.Panels))
	for i, x := range p.Panels {
		shapes[i] = newPlan(x)
	}
	for _, s := range shapes {
		s.connect()
	}
	tints := paint(shapes)
	for i, s := range shapes {
		out[i] = s.areas(tints)
	}
	return out
}

// roomed reports whether a panel has a node whose room is known.
func roomed(x *layout.Panel) bool {
	known := func(t layout.Item) bool { return t.Room != "" }
	return slices.ContainsFunc(x.Loose, known) || slices.ContainsFunc(x.Hubs, func(h layout.Hub) bool {
		return h.Room != "" || slices.ContainsFunc(h.Fans, func(f layout.Fan) bool { return slices.ContainsFunc(f.Items, known) })
	})
}

// A plan is a panel while its areas are found.
type plan struct {
	blocks  []block
	strange []layout.Rect // boxes of nodes without a room, and headings
	necks   []neck
	ways    []way
	group   []int // block -> a block of its patch
}

// A block is a router, or rows of one room beside each other.
type block struct {
	room  string
	outer layout.Rect // all that its area takes up
	nodes []*topology.Node
	name  string
	at    layout.Point
	end   bool
	tag   bool // its name stands there
}

// A neck joins two blocks of a room.
type neck struct {
	room  string
	of    int            // one of the blocks
	part  []layout.Point // without the radius
	outer []layout.Point // around all that it takes up
}

func newPlan(x *layout.Panel) *plan {
	s := &plan{}
	for i := range x.Hubs {
		s.hub(&x.Hubs[i])
	}
	for i := range x.Loose {
		if x.Loose[i].Room == "" {
			s.strange = append(s.strange, x.Loose[i].Box)
		}
	}
	for i := 0; i < len(x.Loose); { // column by column
		k := i + 1
		for k < len(x.Loose) && x.Loose[k].At.X == x.Loose[i].At.X {
			k++
		}
		layout.Runs(x.Loose[i:k], func(rows []layout.Item) { s.rows(rows, x.LooseTag) })
		i = k
	}
	s.lone()
	for i := range s.blocks {
		s.group = append(s.group, i)
	}
	s.trunks(x)
	return s
}

// lone takes out rooms of which there is one device that says so itself. Others
// must not touch it all the same.
func (s *plan) lone() {
	devices := map[string]int{}
	for i := range s.blocks {
		devices[s.blocks[i].room] += len(s.blocks[i].nodes)
	}
	s.blocks = slices.DeleteFunc(s.blocks, func(b block) bool {
		alone := devices[b.room] == 1 && !b.tag
		if alone {
			s.strange = append(s.strange, b.outer)
		}
		return alone
	})
}

func (s *plan) hub(h *layout.Hub) {
	if h.Room == "" {
		s.strange = append(s.strange, h.Box)
	} else {
		s.blocks = append(s.blocks, block{room: h.Room, outer: inward(grow(h.Box, around, around)), nodes: []*topology.Node{h.Node}})
	}
	for i := range h.Fans {
		f := &h.Fans[i]
		for k := range f.Items {
			if f.Items[k].Room == "" {
				s.strange = append(s.strange, f.Items[k].Box)
			}
		}
		layout.Runs(f.Items, func(rows []layout.Item) { s.rows(rows, f.Tag) })
	}
}

// rows adds a block of rows, behind which so much is kept for names.
func (s *plan) rows(rows []layout.Item, tag int) {
	first, last := rows[0].Box, rows[len(rows)-1].Box
	b := block{room: rows[0].Room, outer: layout.Rect{X: first.X, Y: first.Y, W: first.W + tag, H: last.Y + last.H - first.Y}}
	side := rows[0].Side
	if side < 0 {
		b.outer.X -= tag
	}
	b.outer = inward(grow(b.outer, aside, -inset))
	for i := range rows {
		b.nodes = append(b.nodes, rows[i].Node)
	}
	if tag > 0 && layout.Tagged(rows) {
		b.name, b.tag, b.end = layout.Tag(b.room), true, side > 0
		b.at = layout.Point{X: b.outer.X + 2*aside, Y: b.outer.Y + b.outer.H/2 + 4*px}
		if b.end {
			b.at.X = b.outer.X + b.outer.W - 2*aside
		}
	}
	s.blocks = append(s.blocks, b)
}

// areas puts the patches of each room together.
func (s *plan) areas(tints map[string]int) []Area {
	var out []Area
	index := map[string]int{} // room -> its place in out
	done := map[int]bool{}    // roots of groups
	for i := range s.blocks {
		room := s.blocks[i].room
		tint, ok := tints[room]
		if !ok {
			continue
		}
		a, ok := index[room]
		if !ok {
			a = len(out)
			index[room] = a
			out = append(out, Area{Room: room, Tint: tint})
		}
		if root := s.root(i); !done[root] {
			done[root] = true
			out[a].Patches = append(out[a].Patches, s.patch(root))
		}
	}
	slices.SortFunc(out, func(a, b Area) int { return cmp.Compare(a.Room, b.Room) })
	return out
}

// patch is the patch of a group of blocks. Its name stands behind the largest of
// those that have room for it.
func (s *plan) patch(root int) Patch {
	var p Patch
	most := 0
	for i := range s.blocks {
		b := &s.blocks[i]
		if s.root(i) != root {
			continue
		}
		p.Nodes = append(p.Nodes, b.nodes...)
		p.Parts = append(p.Parts, corners(grow(b.outer, -Radius, -Radius)))
		if b.tag && len(b.nodes) > most {
			most, p.Name, p.At, p.End = len(b.nodes), b.name, b.at, b.end
		}
	}
	for i := range s.necks {
		if n := &s.necks[i]; s.root(n.of) == root {
			p.Parts = append(p.Parts, n.part)
		}
	}
	return p
}
