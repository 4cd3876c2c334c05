package scene

import (
	"strings"
	"time"
	"unicode/utf8"

	"threadmap/diag"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/render/layout"
	"threadmap/render/layout/areas"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// A Caption is what stands over and under a picture.
type Caption struct {
	At   time.Time // when the map was learnt; zero: not known
	Line string    // a second line under the sentence
}

const px = layout.Px

// manyLinks in one panel are drawn fainter, the bad ones less so.
const manyLinks = 30

// Draw makes shapes of places.
func Draw(p *layout.Picture, c Caption) *Scene {
	s := &Scene{W: p.W, Title: strings.Join(p.Title, " "), Desc: c.Line}
	d := drawing{at: c.At, view: p.View, used: map[string]bool{}, ways: ways(p.View)}
	d.areas = areas.Of(p)
	d.number(p.View.Troubles())
	d.sources, d.numbers = sourceNumbers(p.View)
	head := Group{Class: "head"}
	y := layout.Margin + 14*px
	for _, line := range p.Title {
		head.Shapes = append(head.Shapes, label("sentence", line, layout.Margin, y, Start))
		y += 26 * px
	}
	if c.Line != "" {
		head.Shapes = append(head.Shapes, label("small", text.Fit(c.Line, min(p.W-2*layout.Margin, 2000*px)*text.Em/layout.SmallFont), layout.Margin, y-4*px, Start))
	}
	s.Groups = append(s.Groups, head)
	for i, x := range p.Panels {
		s.Groups = append(s.Groups, d.panel(x, d.areas[i]))
	}
	if len(p.Across) > 0 {
		s.Groups = append(s.Groups, Group{Class: "links", Groups: d.links(p.Across)})
	}
	if len(p.Panels) > 0 {
		if len(d.findings) > 0 {
			g, bottom := d.list(p.Legend, p.W-2*layout.Margin)
			s.Groups = append(s.Groups, g)
			p.Legend.Y = bottom + 12*px
		}
		g, bottom := d.legend(p.Legend, p.W-2*layout.Margin)
		s.Groups = append(s.Groups, g)
		if len(d.sources) > 0 {
			g, bottom = d.sourceList(p.Legend.X, bottom, p.W-2*layout.Margin)
			s.Groups = append(s.Groups, g)
		}
		s.H = bottom + layout.Margin
	} else {
		s.H = p.H + layout.Margin
	}
	return s
}

type drawing struct {
	at   time.Time
	view *view.View
	used map[string]bool // entries of the legend that the picture needs
	ways map[*topology.Link]bool

	areas [][]areas.Area // by panel

	sources []string       // with a number, in their order; none: they are named everywhere
	numbers map[string]int // of those names

	findings []doctor.Finding
	more     int // findings that have no number
	badges   map[*topology.Node][]int
}

func label(class, s string, x, y int, a Anchor) Shape {
	return Shape{Kind: Text, Class: class, S: s, P: [4]Point{{x, y}}, Anchor: a, Len: textLen(class, s)}
}

// fonts are the classes of text that may come near other text.
var fonts = map[string]struct {
	size int
	bold bool
}{
	"hub":  {layout.HubFont, true},
	"item": {layout.ItemFont, false}, "small": {layout.SmallFont, false}, "note": {layout.SmallFont, false}, "note bad": {layout.SmallFont, true},
	"room": {layout.SmallFont, true},
}

// textLen fixes the width of a text where that is possible: layout leaves room for
// it, so in no font does it run into its neighbor.
func textLen(class, s string) int {
	f, ok := fonts[class]
	if !ok || utf8.RuneCountInString(s) <= 8 { // that short, no font goes far
		return 0
	}
	w := text.Width(s, f.bold) * f.size / text.Em
	return w / px * px
}

func pt(p layout.Point) Point { return Point{p.X, p.Y} }

func (d *drawing) panel(p *layout.Panel, a []areas.Area) Group {
	g := Group{Class: "panel"}
	g.Shapes = append(g.Shapes,
		Shape{Kind: Rect, Class: "card", P: [4]Point{{p.Box.X, p.Box.Y}, {p.Box.W, p.Box.H}}, R: 12 * px},
		label("name", p.Name, p.Box.X+20*px, p.Box.Y+26*px, Start),
		label("small", p.Facts, p.Box.X+20*px, p.Box.Y+42*px, Start))
	if p.RX > 0 {
		g.Shapes = append(g.Shapes, Shape{Kind: Ellipse, Class: "disc", P: [4]Point{pt(p.Center), {p.RX, p.RY}}})
	}
	rows := Group{Class: "rows"}
	for _, r := range p.Rows {
		rows.Shapes = append(rows.Shapes, label("item", r.Name, r.At.X, r.At.Y, Start), label("small", r.Facts, r.FactsX, r.At.Y, Start))
	}
	fans := Group{Class: "fans"}
	for i := range p.Hubs {
		fans.Groups = d.fans(fans.Groups, &p.Hubs[i])
	}
	nodes := Group{Class: "nodes"}
	for i := range p.Hubs {
		h := &p.Hubs[i]
		nodes.Groups = append(nodes.Groups, d.hub(h))
		for k := range h.Fans {
			for n := range h.Fans[k].Items {
				nodes.Groups = append(nodes.Groups, d.item(&h.Fans[k].Items[n], h.Node))
			}
		}
	}
	if p.LooseName != "" {
		nodes.Shapes = append(nodes.Shapes, label("small", p.LooseName, p.LooseAt.X, p.LooseAt.Y, Start))
	}
	for i := range p.Loose {
		nodes.Groups = append(nodes.Groups, d.item(&p.Loose[i], nil))
	}
	class := "links"
	if len(p.Links) > manyLinks {
		class = "links many"
	}
	g.Groups = []Group{d.rooms(a), rows, d.bands(p.Links), {Class: class, Groups: d.links(p.Links)}, fans, nodes}
	return g
}

// LinkClass is the class of a link: "link " and a word on its quality or
// state.
func LinkClass(l *topology.Link) string {
	if w := view.LinkWord(l); w != "" {
		return "link " + w
	}
	return "link unknown"
}

func (d *drawing) links(l []layout.Link) []Group {
	out := make([]Group, len(l))
	for i, x := range l {
		a, m, b := pt(x.A), pt(x.Bend), pt(x.B)
		g := Group{Class: LinkClass(x.Link), Title: d.linkTitle(x.Link), Ends: [2]string{x.Link.A.ID, x.Link.B.ID}}
		d.used[g.Class] = true
		if d.ways[x.Link] {
			g.Class += " main" // does not fade among many
		}
		g.Shapes = []Shape{{Kind: Quad, P: [4]Point{a, m, b}}}
		// the middle of the curve, and the way it goes there
		mid, dir := Point{(a.X + 2*m.X + b.X) / 4, (a.Y + 2*m.Y + b.Y) / 4}, Point{b.X - a.X, b.Y - a.Y}
		switch x.Link.State {
		case topology.LinkOK, "":
			g.Shapes = d.halves(x.Link, a, m, b, mid)
		case topology.LinkOneWay:
			switch better(x.Link) {
			case 1:
				g.Shapes = append(g.Shapes, arrow(mid, dir))
			case -1:
				g.Shapes = append(g.Shapes, arrow(mid, Point{-dir.X, -dir.Y}))
			}
		case topology.LinkDead:
			r := 4 * px
			g.Shapes = append(g.Shapes,
				Shape{Kind: Line, Class: "cross", P: [4]Point{{mid.X - r, mid.Y - r}, {mid.X + r, mid.Y + r}}},
				Shape{Kind: Line, Class: "cross", P: [4]Point{{mid.X - r, mid.Y + r}, {mid.X + r, mid.Y - r}}})
		}
		out[i] = g
	}
	return out
}

// better tells which way of a one-way link carries something: 1 from A to B,
// -1 the other, 0 where that is not known.
func better(l *topology.Link) int {
	a, b := view.Quality(l.AToB), view.Quality(l.BToA)
	switch {
	case a > view.GradeNone && b <= view.GradeNone:
		return 1
	case b > view.GradeNone && a <= view.GradeNone:
		return -1
	}
	return 0
}

// arrow is a triangle at a place that points in a direction.
func arrow(at, dir Point) Shape {
	x, y := unit(dir)
	const long, broad = 8 * px, 5 * px
	tip := func(along, across int) Point {
		return Point{at.X + (along*x-across*y)/1000, at.Y + (along*y+across*x)/1000}
	}
	return Shape{Kind: Polygon, Class: "arrow", Poly: []Point{tip(long, 0), tip(-long/2, broad), tip(-long/2, -broad)}}
}

// unit is a direction of length 1000. Squares of places need 64 bits.
func unit(d Point) (x, y int) {
	dx, dy := int64(d.X), int64(d.Y)
	n := dx*dx + dy*dy
	if n == 0 {
		return 1000, 0
	}
	r := n // whole part of the square root
	for q := (r + 1) / 2; q < r; q = (r + n/r) / 2 {
		r = q
	}
	return int(dx * 1000 / r), int(dy * 1000 / r)
}

// fans draws the branches of a hub: where the link's quality shows.
func (d *drawing) fans(out []Group, h *layout.Hub) []Group {
	for i := range h.Fans {
		f := &h.Fans[i]
		trunk := Group{Class: "trunk", Ends: [2]string{h.Node.ID}, Shapes: []Shape{{Kind: Path, Poly: points(f.Trunk)}}}
		if f.Comb && len(f.Items) > 0 {
			last := f.Items[len(f.Items)-1].At.Y
			trunk.Shapes = append(trunk.Shapes, Shape{Kind: Line, P: [4]Point{pt(f.Open), {f.Open.X, last}}})
		}
		out = append(out, trunk)
		for k := range f.Items {
			t := &f.Items[k]
			g := Group{Class: LinkClass(t.Link), Ends: [2]string{h.Node.ID, t.Node.ID}}
			d.used[g.Class] = true
			if t.Node.ParentConfidence == topology.Inferred {
				g.Class += " inferred"
			}
			if t.Link != nil {
				g.Title = d.linkTitle(t.Link)
			}
			end := Point{t.At.X - f.Side*layout.ItemRadius, t.At.Y}
			switch {
			case f.Comb:
				g.Shapes = []Shape{{Kind: Line, P: [4]Point{{f.Open.X, end.Y}, end}}}
			default:
				half := (end.X - f.Open.X) / 2
				g.Shapes = []Shape{{Kind: Cubic, P: [4]Point{pt(f.Open), {f.Open.X + half, f.Open.Y}, {f.Open.X + half, end.Y}, end}}}
			}
			out = append(out, g)
		}
	}
	return out
}

func points(l []layout.Point) []Point {
	out := make([]Point, len(l))
	for i, p := range l {
		out[i] = pt(p)
	}
	return out
}

// nodeClass names what a node is and how it is.
func (d *drawing) nodeClass(n *topology.Node) string {
	kind := "device"
	switch {
	case n.BorderRouter.Or(false):
		kind = "border"
	case n.Role.Routes() || n.Role == diag.RoleUnknown && n.RLOC16.IsRouter():
		kind = "router"
	case n.Role == diag.RoleSleepyEndDevice:
		kind = "sleepy"
	case n.Role == diag.RoleREED:
		kind = "reed"
	}
	d.used[kind] = true
	d.used["leader"] = d.used["leader"] || n.Role == diag.RoleLeader
	switch n.State {
	case topology.NodeSilent, topology.NodeStale, topology.NodeGhost, topology.NodeUnknown:
		d.used[string(n.State)] = true
		kind += " " + string(n.State)
	}
	return "node " + kind
}

func (d *drawing) hub(h *layout.Hub) Group {
	n := h.Node
	g := Group{Class: d.nodeClass(n), ID: n.ID, Title: d.nodeTitle(n, nil)}
	at := pt(h.At)
	g.Shapes = append(g.Shapes, hubMark(n, at)...)
	anchor := [...]Anchor{End, Middle, Start}[h.Side+1]
	g.Shapes = append(g.Shapes, d.badge(n, Point{at.X + 14*px, at.Y - 12*px}, 1)...)
	g.Shapes = append(g.Shapes, label("hub", h.Label, h.LabelX, at.Y+layout.HubRadius+17*px, anchor))
	if h.Note != "" {
		g.Shapes = append(g.Shapes, label("note", h.Note, h.LabelX, at.Y+layout.HubRadius+31*px, anchor))
	}
	return g
}

func hubMark(n *topology.Node, at Point) []Shape {
	r := layout.HubRadius
	var s []Shape
	if n.BorderRouter.Or(false) {
		s = append(s, diamond(at, r+3*px))
	} else {
		s = append(s, Shape{Kind: Circle, Class: "mark", P: [4]Point{at}, R: r - 2*px})
	}
	switch {
	case n.State == topology.NodeGhost || n.State == topology.NodeUnknown && !n.Heard:
		s = append(s, label("sign", "?", at.X, at.Y+5*px, Middle))
	case n.Role == diag.RoleLeader:
		s = append(s, star(at, 85))
	}
	if n.State == topology.NodeSilent {
		s = append(s, slash(at, r-3*px))
	}
	return s
}

func diamond(at Point, r int) Shape {
	return Shape{Kind: Polygon, Class: "mark", Poly: []Point{{at.X, at.Y - r}, {at.X + r, at.Y}, {at.X, at.Y + r}, {at.X - r, at.Y}}}
}

// star has its corners at 0.1 × r × the unit star's, times 1000.
func star(at Point, r int) Shape {
	s := Shape{Kind: Polygon, Class: "star"}
	for _, c := range [][2]int{{0, -1000}, {225, -309}, {951, -309}, {363, 118}, {588, 809}, {0, 382}, {-588, 809}, {-363, 118}, {-951, -309}, {-225, -309}} {
		s.Poly = append(s.Poly, Point{at.X + c[0]*r/1000, at.Y + c[1]*r/1000})
	}
	return s
}

func (d *drawing) item(t *layout.Item, parent *topology.Node) Group {
	n := t.Node
	g := Group{Class: d.nodeClass(n), ID: n.ID, Title: d.nodeTitle(n, parent)}
	at := pt(t.At)
	switch {
	case n.BorderRouter.Or(false):
		g.Shapes = append(g.Shapes, diamond(at, layout.ItemRadius+px))
	case n.Role == diag.RoleREED:
		g.Shapes = append(g.Shapes, square(at, layout.ItemRadius-px/2))
	default:
		g.Shapes = append(g.Shapes, circle(at, layout.ItemRadius))
	}
	if n.State == topology.NodeSilent {
		g.Shapes = append(g.Shapes, slash(at, layout.ItemRadius-px))
	}
	g.Shapes = append(g.Shapes, d.badge(n, Point{at.X - t.Side*15*px, at.Y}, -t.Side)...)
	anchor, far := Start, End
	if t.Side < 0 {
		anchor, far = End, Start
	}
	g.Shapes = append(g.Shapes, label("item", t.Name, t.NameX, at.Y+4*px, anchor))
	if t.Note != "" {
		class := "note"
		switch view.LinkWord(t.Link) {
		case "weak", "one-way", "dying":
			class = "note bad"
		}
		g.Shapes = append(g.Shapes, label(class, t.Note, t.NoteX, at.Y+4*px, far))
	}
	return g
}
