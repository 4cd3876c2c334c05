// Package layout gives every node of a map a place in a picture.
//
// Each network, or each partition of one that is split, gets a panel. Its
// routers stand on an oval, those that hear each other near each other; the
// children of a router fan out from it to the outside, each on a row of its
// own, so that no name lies on another. What has no known place stands below,
// in rows. Panels are set in lines like words.
//
// All arithmetic is done in integers, in tenths of a pixel, so that every
// machine draws the same picture; the work is linear in nodes and links but
// for sorting.
//
// The reader is between the view of a map and package scene, which makes
// shapes of the places.
package layout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"threadmap/diag"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// Px is one pixel in the unit of all coordinates.
const Px = 10

// Sizes of fonts and marks.
const (
	TitleFont   = 19 * Px
	PanelFont   = 15 * Px
	HubFont     = 13 * Px
	ItemFont    = 12 * Px
	SmallFont   = 105 * Px / 10
	HubRadius   = 14 * Px
	ItemRadius  = 5 * Px
	lineHeight  = 26 * Px
	Margin      = 24 * Px
	panelPad    = 20 * Px
	panelHead   = 54 * Px
	panelGap    = 18 * Px
	rowHeight   = 20 * Px
	hubHeight   = 78 * Px  // a hub with its two lines of label
	labelWidth  = 200 * Px // of a hub's label, at most
	innerLabel  = 150 * Px // of the label of a hub inside the oval, at most
	nameWidth   = 190 * Px // of a row's name, at most
	noteWidth   = 110 * Px // of a row's note, at most
	branchRoom  = 64 * Px  // in which the fan opens
	columnGap   = 28 * Px
	textGap     = 6 * Px
	minWidth    = 640 * Px // of the picture
	lineWidth   = 960 * Px // of a line of panels, at least before a break
	maxRows     = 24       // rows of a fan before it gets a second column
	innerRadius = 95 * Px
)

// A Point is a place.
type Point struct{ X, Y int }

// round moves a point to whole pixels, which are shorter to write.
func (p Point) round() Point { return Point{whole(p.X - Px/2), whole(p.Y - Px/2)} }

// whole rounds up to whole pixels.
func whole(v int) int {
	if r := v % Px; r > 0 {
		return v - r + Px
	} else {
		return v - r
	}
}

// A Rect is a box: its upper left corner and its size.
type Rect struct{ X, Y, W, H int }

// Overlaps reports whether the boxes share more than an edge.
func (r Rect) Overlaps(o Rect) bool {
	return r.X < o.X+o.W && o.X < r.X+r.W && r.Y < o.Y+o.H && o.Y < r.Y+r.H
}

// A Picture is a whole map with places.
type Picture struct {
	View   *view.View
	W, H   int
	Title  []string // the sentence, in lines
	Panels []*Panel
	Legend Point  // its upper left corner; it may be as wide as the picture
	Across []Link // links between panels
	where  map[*topology.Node]place
}

type place struct {
	panel int
	at    Point
}

// A Panel is the place of one group, or of the devices that are not on Thread
// (then Group is nil).
type Panel struct {
	Box         Rect
	Group       *view.Group
	Name, Facts string
	Center      Point // of the oval on which the hubs stand
	RX, RY      int   // its radii; 0: none
	Hubs        []Hub
	Links       []Link
	out         int    // how far the labels of outer hubs reach out of the oval
	left        int    // from the left edge of the hubs' part to Center.X
	Rows        []Row  // of the overview: a line for each other panel
	LooseName   string // heading over Loose
	LooseAt     Point  // of that heading's base line
	Loose       []Item
	LooseTag    int // as in a fan
}

// A Row is a line of the overview.
type Row struct {
	At          Point // where the base line begins
	Name, Facts string
	FactsX      int
}

// A Hub is a router, or whatever others hang on.
type Hub struct {
	Node        *topology.Node
	At          Point // the middle of its mark
	Side        int   // the label begins (+1), ends (-1) or has its middle (0) at LabelX
	LabelX      int
	Label, Note string
	Room        string // "": not known, or not shown
	Box         Rect   // of mark and label
	Fans        []Fan
}

// A Fan is a column of rows beside a hub.
type Fan struct {
	Side  int     // +1: to the right, -1: to the left
	Trunk []Point // a line from the hub to where the fan opens
	Open  Point   // where the branches begin
	Comb  bool    // branches leave a straight spine, for the columns behind the first
	Tag   int     // width behind the rows that is kept for the names of rooms
	Items []Item
}

// An Item is a device on a row of its own.
type Item struct {
	Node       *topology.Node
	Link       *topology.Link // to its parent; nil: none known
	At         Point          // the middle of its mark
	Side       int            // the text stands at this side of the mark
	Name, Note string
	Room       string // "": not known, or not shown
	NameX      int    // where the name begins (Side +1) or ends (-1)
	NoteX      int    // where the note ends (+1) or begins (-1)
	Box        Rect
}

// A Link is a curve between two hubs.
type Link struct {
	Link       *topology.Link
	A, Bend, B Point // of a quadratic Bézier curve
}

// Place lays a map out.
func Place(v *view.View) *Picture {
	p := &Picture{View: v, where: map[*topology.Node]place{}}
	groups := slices.Clone(v.Groups)
	size := func(g *view.Group) int {
		d, _ := g.Nodes()
		return d
	}
	slices.SortStableFunc(groups, func(a, b *view.Group) int {
		if (a.Network == nil) != (b.Network == nil) { // the homeless last
			if a.Network == nil {
				return 1
			}
			return -1
		}
		return cmp.Compare(size(b), size(a))
	})
	if o := overview(groups); o != nil {
		p.Panels = append(p.Panels, o)
	}
	r := pace{networks: len(groups)}
	for _, g := range groups {
		p.Panels = append(p.Panels, groupPanel(v, g, r))
	}
	if len(v.OffThread) > 0 {
		p.Panels = append(p.Panels, offPanel(v, v.OffThread))
	}
	p.pack()
	p.title(v.Sentence())
	p.link(v)
	return p
}

// Places tells where the mark of each node is.
func (p *Picture) Places() map[*topology.Node]Point {
	out := make(map[*topology.Node]Point, len(p.View.Map.Nodes))
	for _, x := range p.Panels {
		for i := range x.Hubs {
			h := &x.Hubs[i]
			out[h.Node] = h.At
			for _, f := range h.Fans {
				for k := range f.Items {
					out[f.Items[k].Node] = f.Items[k].At
				}
			}
		}
		for i := range x.Loose {
			out[x.Loose[i].Node] = x.Loose[i].At
		}
	}
	return out
}

// textRoom is the width of s in a font of that size.
func textRoom(s string, font int) int { return text.Room(s) * font / text.Em }

// fit cuts s to a width in a font of that size.
func fit(s string, font, width int) string { return text.Fit(s, width*text.Em/font) }

// bold letters are wider.
func boldRoom(s string, font int) int { return textRoom(s, font) * 11 / 10 }

func groupPanel(v *view.View, g *view.Group, r pace) *Panel {
	p := &Panel{Group: g, Name: fit(g.Name(), PanelFont*11/10, 420*Px), Facts: facts(g)}
	top := panelHead
	wide, h := p.mesh(v, g.Hubs, top, r)
	if h > 0 {
		top += h + 8*Px
	}
	w := max(wide, boldRoom(p.Name, PanelFont), textRoom(p.Facts, SmallFont))
	if len(g.Loose) > 0 {
		p.LooseName = "P" + strings.TrimPrefix(g.LooseName(), "p")
		w = max(w, textRoom(p.LooseName, SmallFont))
		p.loose(v, g.Loose, w, &w, &top)
	} else if len(g.Hubs) == 0 {
		p.LooseName, p.LooseAt = "Nothing is known of its nodes.", Point{panelPad, top + 8*Px}
		w, top = max(w, textRoom(p.LooseName, SmallFont)), top+16*Px
	}
	p.Box = Rect{W: whole(w) + 2*panelPad, H: whole(top) + panelPad}
	p.center(wide, w)
	return p
}

func offPanel(v *view.View, nodes []*topology.Node) *Panel {
	p := &Panel{Name: v.OffThreadName()}
	if !slices.ContainsFunc(nodes, func(n *topology.Node) bool { return n.Transport == diag.TransportUnknown }) {
		p.Facts = "Wi-Fi and Ethernet"
	}
	w, top := max(boldRoom(p.Name, PanelFont), textRoom(p.Facts, SmallFont)), panelHead
	p.loose(v, nodes, w, &w, &top)
	p.Box = Rect{W: whole(w) + 2*panelPad, H: whole(top) + panelPad}
	return p
}

func facts(g *view.Group) string {
	var s []string
	if g.Network != nil {
		if c, ok := g.Network.Channel.Get(); ok {
			s = append(s, fmt.Sprintf("channel %d", c))
		}
	}
	devices, routers := g.Nodes()
	s = append(s, plural(devices, "device"))
	if routers > 0 {
		s = append(s, plural(routers, "border router"))
	}
	return strings.Join(s, " · ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// loose sets nodes in a grid below top, as wide as the panel or as needed.
func (p *Panel) loose(v *view.View, nodes []*topology.Node, have int, width, top *int) {
	items := make([]Item, len(nodes))
	for i, n := range slices.Concat(sorted(v, nodes)...) {
		items[i] = newItem(v, n, nil)
	}
	p.LooseTag = tagRoom(items)
	cell := itemsWidth(items) + 2*ItemRadius + textGap + p.LooseTag
	columns := max(have/(cell+columnGap), isqrt(int64(len(items))*rowHeight*16/10/int64(cell+columnGap))+1)
	columns = min(max(columns, 1), len(items))
	rows := (len(items) + columns - 1) / columns
	if p.LooseName != "" {
		p.LooseAt = Point{panelPad, *top + 12*Px}
		*top += lineHeight
	}
	for i := range items {
		x := panelPad + i/rows*(cell+columnGap)
		items[i].set(Point{x + ItemRadius, *top + i%rows*rowHeight + rowHeight/2}, 1, cell-2*ItemRadius-textGap-p.LooseTag)
	}
	used := (len(items) + rows - 1) / rows
	*width = max(*width, used*(cell+columnGap)-columnGap)
	*top += rows * rowHeight
	p.Loose = items
}

// title breaks the sentence to the width of the picture, in lines of about the
// same length.
func (p *Picture) title(s string) {
	room, all := p.W-2*Margin, boldRoom(s, TitleFont)
	p.Title = breakLines(s, room)
	if n := len(p.Title); n > 1 {
		if even := breakLines(s, min(room, all/n+60*Px)); len(even) == n {
			p.Title = even
		}
	}
	down := Margin + len(p.Title)*lineHeight + 26*Px
	for _, x := range p.Panels {
		x.move(0, down)
	}
	p.Legend.Y += down
	p.H += down
}

func breakLines(s string, limit int) []string {
	var out []string
	line := ""
	for word := range strings.SplitSeq(s, " ") {
		longer := strings.TrimPrefix(line+" "+word, " ")
		if line != "" && boldRoom(longer, TitleFont) > limit {
			out = append(out, line)
			longer = word
		}
		line = fit(longer, TitleFont*11/10, limit)
	}
	return append(out, line)
}

// pack sets the panels in lines, as wide as gives the best shape: somewhat
// wider than high.
func (p *Picture) pack() {
	widest := lineWidth
	for _, x := range p.Panels {
		widest = max(widest, x.Box.W)
	}
	best, limit := 0, widest
	for columns := 1; columns <= 24; columns = columns + 1 + columns/4 {
		try := widest*columns + panelGap*(columns-1)
		w, h := p.lines(try, false)
		if side := max(w, h*3/2); best == 0 || side < best {
			best, limit = side, try
		}
	}
	w, h := p.lines(limit, true)
	p.W = max(minWidth, w) + 2*Margin
	p.H = h + panelGap
	p.Legend = Point{Margin, p.H}
}

// lines measures the lines of panels that are not wider than limit, and moves
// the panels there where asked.
func (p *Picture) lines(limit int, move bool) (w, h int) {
	x, y, high := 0, 0, 0
	for _, b := range p.Panels {
		if x > 0 && x+b.Box.W > limit {
			x, y, high = 0, y+high+panelGap, 0
		}
		if move {
			b.move(Margin+x, y)
		}
		x += b.Box.W + panelGap
		high = max(high, b.Box.H)
		w = max(w, x-panelGap)
	}
	return w, y + high
}

// move shifts a panel and all that is in it.
func (p *Panel) move(dx, dy int) {
	p.Box.X, p.Box.Y = p.Box.X+dx, p.Box.Y+dy
	p.Center.add(dx, dy)
	p.LooseAt.add(dx, dy)
	for i := range p.Rows {
		p.Rows[i].At.add(dx, dy)
		p.Rows[i].FactsX += dx
	}
	for i := range p.Hubs {
		p.Hubs[i].move(dx, dy)
	}
	for i := range p.Loose {
		p.Loose[i].move(dx, dy)
	}
}

// center moves the hubs, which are wide, to the middle of the inner width w.
func (p *Panel) center(wide, w int) {
	dx := whole(panelPad + (w-wide)/2 + p.left - p.Center.X)
	p.Center.X += dx
	for i := range p.Hubs {
		p.Hubs[i].move(dx, 0)
	}
}

func (p *Point) add(dx, dy int) { p.X, p.Y = p.X+dx, p.Y+dy }

func (h *Hub) move(dx, dy int) {
	h.At.add(dx, dy)
	h.LabelX += dx
	h.Box.X, h.Box.Y = h.Box.X+dx, h.Box.Y+dy
	for i := range h.Fans {
		f := &h.Fans[i]
		f.Open.add(dx, dy)
		for k := range f.Trunk {
			f.Trunk[k].add(dx, dy)
		}
		for k := range f.Items {
			f.Items[k].move(dx, dy)
		}
	}
}

func (t *Item) move(dx, dy int) {
	t.At.add(dx, dy)
	t.NameX, t.NoteX = t.NameX+dx, t.NoteX+dx
	t.Box.X, t.Box.Y = t.Box.X+dx, t.Box.Y+dy
}

// isqrt is the whole part of the square root. It takes 64 bits, since squares
// of places don't fit the int of small machines.
func isqrt(n int64) int {
	if n < 2 {
		return int(max(n, 0))
	}
	x := n
	for y := (x + 1) / 2; y < x; y = (x + n/x) / 2 {
		x = y
	}
	return int(x)
}

func square(n int) int64 { return int64(n) * int64(n) }
