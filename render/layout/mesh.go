package layout

import (
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// newItem makes the row of a node, without a place.
func newItem(v *view.View, n *topology.Node, l *topology.Link) Item {
	return Item{Node: n, Link: l, Name: labelIn(v, n, ItemFont, nameWidth), Note: fit(note(n, l), SmallFont, noteWidth)}
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
	return w
}

// set gives a row its place: the mark at, text of that width beside it.
func (t *Item) set(at Point, side, width int) {
	t.At, t.Side = at, side
	t.NameX = at.X + side*(ItemRadius+textGap)
	t.NoteX = t.NameX + side*width
	t.Box = Rect{at.X - ItemRadius, at.Y - rowHeight/2, ItemRadius*2 + textGap + width, rowHeight}
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
}

func newCell(v *view.View, h *view.Hub) cell {
	n := h.Node
	c := cell{hub: Hub{Node: n, Label: labelIn(v, n, HubFont*11/10, labelWidth), Note: fit(hubNote(n), SmallFont, labelWidth)}}
	c.items = make([]Item, len(h.Children))
	for i, k := range h.Children {
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
	c.height, c.width = max(hubHeight, c.rows*rowHeight+10*Px), 0
	for i := 0; i < k; i += c.rows {
		c.width += columnRoom(c.items[i:min(k, i+c.rows)])
	}
	if k > c.rows {
		c.height += 2 * rowHeight // the trunk passes above and below
	}
}

func columnRoom(items []Item) int {
	return branchRoom + 2*ItemRadius + textGap + itemsWidth(items)
}

// mesh places the hubs and their rows, the upper edge at top; the middle of
// the oval is at x 0 and is moved later. It returns the size.
func (p *Panel) mesh(v *view.View, hubs []*view.Hub, top int) (w, h int) {
	if len(hubs) == 0 {
		return 0, 0
	}
	cells := make([]cell, len(hubs))
	for i, k := range order(hubs) {
		cells[i] = newCell(v, hubs[k])
	}
	if len(cells) == 1 {
		return p.star(&cells[0], top)
	}
	cut := halve(cells)
	right, left := cells[:cut], cells[cut:]
	rightHeight, leftHeight := sum(right), sum(left)
	high := max(rightHeight, leftHeight)
	p.Center, p.RY = Point{0, top + high/2}, high/2
	p.RX = min(max(p.RY*9/10, innerRadius+45*Px, len(hubs)*14*Px), 420*Px, (110+45*len(hubs))*Px)
	y := top
	for i := range right {
		y += share(high-rightHeight, len(right), i)
		p.put(&right[i], y, 1)
		y += right[i].height
	}
	y = top
	for i := range left { // the circle goes on upwards on the left
		c := &left[len(left)-1-i]
		y += share(high-leftHeight, len(left), i)
		p.put(c, y, -1)
		y += c.height
	}
	return p.reach(right, 1) + p.reach(left, -1), high
}

// reach is how far a side goes from the middle; the left one is kept, since
// it is where the panel begins.
func (p *Panel) reach(cells []cell, side int) int {
	wide := labelOut
	for i := range cells {
		if len(cells[i].items) > 0 {
			wide = max(wide, labelOut+cells[i].width)
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
	right.fan(labelWidth/2, 1)
	left.fan(-labelWidth/2, -1)
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

// put places a hub and its fan in the band that begins at y.
func (p *Panel) put(c *cell, y, side int) {
	mid := y + c.height/2
	d := mid - p.Center.Y
	flat := p.RY * 11 / 10 // the ends of the oval stay open, so that both sides have room
	x := innerRadius + (p.RX-innerRadius)*isqrt(max(0, square(flat)-square(d)))/max(1, flat)
	c.hub.place(hubAt(side*x, mid, c.height), side)
	c.fan(side*(p.RX+labelOut), side)
	p.Hubs = append(p.Hubs, c.hub)
}

// place puts the hub's mark at a point and its label below, towards the
// outside, where no links between hubs pass; side 0 is the middle.
func (h *Hub) place(at Point, side int) {
	w := max(boldRoom(h.Label, HubFont), textRoom(h.Note, SmallFont), 2*HubRadius)
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

// fan places the rows, centred on the hub: the branches begin at x.
func (c *cell) fan(x, side int) {
	h := &c.hub
	start := x
	for first := 0; first < len(c.items); first += c.rows {
		items := c.items[first:min(len(c.items), first+c.rows)]
		f := Fan{Side: side, Items: items, Open: Point{x, h.At.Y}, Comb: first > 0}
		width := itemsWidth(items)
		top := h.At.Y - len(items)*rowHeight/2
		if first > 0 { // over the columns before
			top = h.At.Y - c.rows*rowHeight/2
			above := top - rowHeight/2
			f.Open = Point{x + side*16*Px, above}
			f.Trunk = []Point{{start, h.At.Y}, {start, above}, f.Open}
		} else {
			f.Trunk = []Point{h.At, f.Open}
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
