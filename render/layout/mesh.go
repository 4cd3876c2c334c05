package layout

import (
	"slices"
	"strings"

	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// newItem makes the row of a node, without a place.
func newItem(v *view.View, n *topology.Node, l *topology.Link) Item {
	return Item{Node: n, Link: l, Room: roomOf(v, n), Name: labelIn(v, n, ItemFont, nameWidth), Note: fit(note(n, l), SmallFont, noteWidth)}
}

// labelIn cuts a node's label to a width in a font of that size.
func labelIn(v *view.View, n *topology.Node, font, width int) string {
	return v.LabelIn(n, width*text.Em/font, text.Fit, text.Room)
}

// note is what stands behind a name: what is wrong, and the signal.
func note(n *topology.Node, l *topology.Link) string {
	switch n.State {
	case topology.NodeSilent, topology.NodeStale, topology.NodeGhost:
		return string(n.State)
	}
	if l == nil {
		return ""
	}
	word := view.LinkWord(l)
	if word == "good" || word == "fair" {
		word = ""
	}
	if v, ok := view.LinkRSSI(l); ok {
		if word != "" {
			word += " "
		}
		return word + view.DBm(v)
	}
	if g := view.Worst(l); word == "" && g != view.GradeUnknown {
		return g.String()
	}
	return word
}

// width is that of the text of the row.
func (t *Item) width() int {
	w := textRoom(t.Name, ItemFont)
	if t.Note != "" {
		w += 2*textGap + textRoom(t.Note, SmallFont)
	}
	return w
}

func itemsWidth(items []Item) int {
	w := 0
	for i := range items {
		w = max(w, items[i].width())
	}
	return whole(w)
}

// set gives a row its place: the mark at, text of that width beside it.
func (t *Item) set(at Point, side, width int) {
	at = at.round()
	t.At, t.Side = at, side
	t.NameX = at.X + side*(ItemRadius+textGap)
	t.NoteX = t.NameX + side*whole(width)
	t.Box = Rect{at.X - ItemRadius, at.Y - rowHeight/2, ItemRadius*2 + textGap + whole(width), rowHeight}
	if side < 0 {
		t.Box.X = t.NoteX
	}
}

// A cell is a hub with its rows before it has a place.
type cell struct {
	hub    Hub
	items  []Item
	rows   int // of each column
	height int
	width  int // of the fan
	inner  bool
	target Point // where an inner hub would like to stand
	mid    int   // the height at which its rows are centred
}

func newCell(v *view.View, h *view.Hub, inner bool) cell {
	n, width := h.Node, labelWidth
	if inner {
		width = innerLabel
	}
	c := cell{inner: inner, hub: Hub{Node: n, Room: roomOf(v, n), Label: labelIn(v, n, HubFont*11/10, width), Note: fit(hubNote(n), SmallFont, width)}}
	c.items = make([]Item, len(h.Children))
	for i, k := range byRoom(v, h) {
		c.items[i] = newItem(v, k, v.UpLink(k))
	}
	c.measure()
	return c
}

func hubNote(n *topology.Node) string {
	s := view.Role(n)
	switch n.State {
	case topology.NodeSilent, topology.NodeStale, topology.NodeGhost:
		if s != "" {
			s += ", "
		}
		s += string(n.State)
	}
	if room := text.Clean(n.Room); room != "" && !strings.Contains(strings.ToLower(view.Label(n)), strings.ToLower(room)) {
		if s != "" {
			s += " · "
		}
		s += room
	}
	return text.Clean(s)
}

// measure decides about columns: one of up to maxRows rows; many rows are set
// in columns so that the fan is about as wide as high.
func (c *cell) measure() {
	k := len(c.items)
	c.rows = k
	if k > maxRows {
		c.rows = max(maxRows/2+maxRows/4, isqrt(int64(k)*8))
	}
	c.height, c.width = c.rows*rowHeight+10*Px, 0
	if !c.inner {
		c.height = max(c.height, hubHeight)
	}
	for i := 0; i < k; i += c.rows {
		c.width += columnRoom(c.items[i:min(k, i+c.rows)])
	}
	if k > c.rows {
		c.height += 2 * rowHeight // the trunk passes above and below
	}
}

func columnRoom(items []Item) int {
	return branchRoom + 2*ItemRadius + textGap + itemsWidth(items) + tagRoom(items)
}

// mesh places the hubs and their rows, the upper edge at top; the middle of
// the oval is at x 0 and is moved later. It returns the size.
func (p *Panel) mesh(v *view.View, hubs []*view.Hub, top int, r pace) (w, h int) {
	switch n := len(hubs); {
	case n == 0:
		return 0, 0
	case n == 1:
		c := newCell(v, hubs[0], false)
		return p.star(&c, top)
	case n > 3 && n <= maxSlotted:
		if w, h, ok := p.disc(v, hubs, top, r); ok {
			return w, h
		}
	}
	return p.circle(v, hubs, top)
}

// circle places the hubs on an oval.
func (p *Panel) circle(v *view.View, hubs []*view.Hub, top int) (w, h int) {
	cells := make([]cell, len(hubs))
	for i, k := range order(hubs) {
		cells[i] = newCell(v, hubs[k], false)
	}
	cut := halve(cells)
	right, left := cells[:cut:cut], cells[cut:]
	slices.Reverse(left) // the circle goes on upwards on the left
	return p.sides(right, left, top, len(hubs))
}

// sides sets cells beside the oval, from top to bottom.
func (p *Panel) sides(right, left []cell, top, hubs int) (w, h int) {
	high := max(sum(right), sum(left))
	p.Center, p.RY = Point{0, top + high/2}, high/2
	p.RX = min(max(p.RY*9/10, innerRadius+45*Px, hubs*14*Px), 420*Px, (110+45*hubs)*Px)
	p.out = labelsOut(right, left)
	p.column(right, top, high, 1)
	p.column(left, top, high, -1)
	return p.reach(right, 1) + p.reach(left, -1), high
}

// labelsOut is how far the labels of outer hubs reach out of the oval.
func labelsOut(sides ...[]cell) int {
	w := 0
	for _, cells := range sides {
		for i := range cells {
			if h := &cells[i].hub; !cells[i].inner {
				w = max(w, h.labelRoom())
			}
		}
	}
	return whole(w) + 4*Px
}

// column sets the cells of one side.
func (p *Panel) column(cells []cell, top, high, side int) {
	spare, y := high-sum(cells), top
	for i := range cells {
		y += share(spare, len(cells), i)
		p.put(&cells[i], y, side)
		y += cells[i].height
	}
}

// reach is how far a side goes from the middle; the left one is kept, since
// it is where the panel begins.
func (p *Panel) reach(cells []cell, side int) int {
	wide := p.out
	for i := range cells {
		if len(cells[i].items) > 0 {
			wide = max(wide, p.out+cells[i].width)
		}
	}
	if side < 0 {
		p.left = p.RX + wide
	}
	return p.RX + wide
}

// star places the only hub in the middle, its rows on both sides, or on one
// where they are few.
func (p *Panel) star(c *cell, top int) (w, h int) {
	k := len(c.items)
	half := k
	if k > 6 {
		half = (k + 1) / 2
	}
	right, left := *c, *c
	right.items, left.items = c.items[:half], c.items[half:]
	right.measure()
	left.measure()
	high := max(right.height, left.height)
	p.Center = Point{0, top + high/2}
	c.hub.place(hubAt(0, top+high/2, high), 0)
	right.hub, left.hub = c.hub, c.hub
	right.mid, left.mid = c.hub.At.Y, c.hub.At.Y
	right.fan(labelWidth/2, 1, nil)
	left.fan(-labelWidth/2, -1, nil)
	c.hub.Fans = append(right.hub.Fans, left.hub.Fans...)
	p.Hubs = append(p.Hubs, c.hub)
	p.left = labelWidth/2 + left.width
	return labelWidth + left.width + right.width, high
}

// hubAt is the middle of a band of that height, or a little above it where the
// label needs the room below.
func hubAt(x, mid, height int) Point {
	if height < hubHeight+30*Px {
		mid -= 8 * Px
	}
	return Point{x, mid}
}

// put places an outer hub and its fan in the band that begins at y. Of an inner
// hub it keeps where its rows will be.
func (p *Panel) put(c *cell, y, side int) {
	mid := y + c.height/2
	if c.mid = mid; c.inner {
		return
	}
	c.hub.place(hubAt(side*p.edge(mid), mid, c.height), side)
	c.mid = c.hub.At.Y
	c.fan(side*(p.RX+p.out), side, nil)
	p.Hubs = append(p.Hubs, c.hub)
}

// edge is how far the outer hubs stand from the middle at a height. The ends
// of the oval stay open, so that both sides have room.
func (p *Panel) edge(y int) int {
	d, flat := y-p.Center.Y, p.RY*11/10
	return innerRadius + (p.RX-innerRadius)*isqrt(max(0, square(flat)-square(d)))/max(1, flat)
}

func (h *Hub) labelRoom() int {
	return max(boldRoom(h.Label, HubFont), textRoom(h.Note, SmallFont), 2*HubRadius)
}

// place puts the hub's mark at a point and its label below, towards the
// outside, where no links between hubs pass; side 0 is the middle.
func (h *Hub) place(at Point, side int) {
	w := h.labelRoom()
	at = at.round()
	h.At, h.Side, h.LabelX = at, side, at.X-side*2*Px
	h.Box = Rect{at.X - w/2, at.Y - HubRadius - 4*Px, w, hubHeight - 10*Px}
	switch {
	case side > 0:
		h.Box.X = at.X - HubRadius - 3*Px
		h.Box.W = h.LabelX + w - h.Box.X
	case side < 0:
		h.Box.X = h.LabelX - w
		h.Box.W = at.X + HubRadius + 3*Px - h.Box.X
	}
}

// fan places the rows, centred on c.mid: the branches begin at x. The trunk
// goes there by way of the points in between.
func (c *cell) fan(x, side int, between []Point) {
	h := &c.hub
	start := x
	for first := 0; first < len(c.items); first += c.rows {
		items := c.items[first:min(len(c.items), first+c.rows)]
		f := Fan{Side: side, Items: items, Tag: tagRoom(items), Open: Point{x, c.mid}.round(), Comb: first > 0}
		width := itemsWidth(items)
		top := c.mid - len(items)*rowHeight/2
		if first > 0 { // over the columns before
			top = c.mid - c.rows*rowHeight/2
			above := top - rowHeight/2
			f.Open = Point{x + side*16*Px, above}.round()
			f.Trunk = []Point{Point{start, c.mid}.round(), Point{start, above}.round(), f.Open}
		} else {
			f.Trunk = append(append([]Point{h.At}, between...), f.Open)
		}
		for i := range items {
			items[i].set(Point{x + side*(branchRoom+ItemRadius), top + i*rowHeight + rowHeight/2}, side, width)
		}
		h.Fans = append(h.Fans, f)
		x += side * columnRoom(items)
	}
}

func sum(cells []cell) int {
	h := 0
	for i := range cells {
		h += cells[i].height
	}
	return h
}

// share spreads room evenly before, between and after n cells.
func share(room, n, i int) int {
	if i == 0 {
		return room / (2 * n)
	}
	return room / n
}

// halve finds where to cut the circle of cells so that both sides are about
// equally high.
func halve(cells []cell) int {
	all, have := sum(cells), 0
	for i := range cells {
		if next := have + cells[i].height; i > 0 && 2*have >= all-cells[i].height {
			return i
		} else {
			have = next
		}
	}
	return len(cells) - 1
}
