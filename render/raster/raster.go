// Package raster draws a scene as a bitmap: the same shapes with the same looks
// as the SVG has on a light page, with the two weights of a built-in font.
//
// A picture is drawn in bands while it is read from top to bottom, so that even
// the largest takes little memory.
//
// The reader is behind package scene, beside package svg.
package raster

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strings"

	"golang.org/x/image/vector"

	"threadmap/render/scene"
)

// Scale is how many pixels make one pixel of the scene, where that fits.
const Scale = 2

// Limits of a picture. Larger scenes are drawn smaller.
const (
	MaxPixels = 100_000_000
	maxSide   = 30_000 // what viewers still open
)

// A Picture is an image that is drawn as it is read: its rows in order, each
// once, are cheapest. It is for one goroutine.
type Picture struct {
	w, h    int
	scale   float64
	back    color.RGBA
	ops     []op
	fonts   *fonts
	lacking int
	band    *image.RGBA // the part that is drawn
	mask    vector.Rasterizer
	// Most pixels have the color of the one before: an interface that holds it
	// need not be made again.
	last     color.Color
	lastRGBA color.RGBA
}

// An op is a shape to draw, and where it shows.
type op struct {
	shape  *scene.Shape
	look   *look
	bounds image.Rectangle
}

// New prepares the picture of s with the looks of a style sheet.
func New(s *scene.Scene, css string) (*Picture, error) {
	sheet, err := parse(css)
	if err != nil {
		return nil, err
	}
	f, err := loadFonts()
	if err != nil {
		return nil, err
	}
	w, h := max(float64(s.W)/10, 1), max(float64(s.H)/10, 1)
	p := &Picture{fonts: f, scale: min(Scale, maxSide/w, maxSide/h, math.Sqrt(MaxPixels/w/h))}
	p.w, p.h = max(int(w*p.scale), 1), max(int(h*p.scale), 1)
	p.back = sheet.of(ancestry{{"threadmap"}}, "rect", []string{"page"}).fill
	p.back.A = 255
	c := collector{p: p, sheet: sheet, looks: map[string]*look{}}
	c.groups(s.Groups, ancestry{{"threadmap"}}, "")
	return p, nil
}

// ScaledTo is how many pixels make one of the scene: [Scale], or less where the
// picture would be too large.
func (p *Picture) ScaledTo() float64 { return p.scale }

// Lacking is how many texts have characters that the built-in font lacks. Boxes
// stand for them.
func (p *Picture) Lacking() int { return p.lacking }

// A collector makes ops of groups. Shapes with the same classes around them
// have the same look.
type collector struct {
	p     *Picture
	sheet *sheet
	looks map[string]*look
}

func (c *collector) groups(groups []scene.Group, around ancestry, key string) {
	for i := range groups {
		g := &groups[i]
		inside := append(around[:len(around):len(around)], strings.Fields(g.Class))
		key := key + "/" + g.Class
		for k := range g.Shapes {
			c.shape(&g.Shapes[k], inside, key)
		}
		c.groups(g.Groups, inside, key)
	}
}

func (c *collector) shape(s *scene.Shape, around ancestry, key string) {
	element := "path"
	switch s.Kind {
	case scene.Circle:
		element = "circle"
	case scene.Ellipse:
		element = "ellipse"
	case scene.Rect:
		element = "rect"
	case scene.Text:
		element = "text"
	}
	key += "/" + element + " " + s.Class
	l := c.looks[key]
	if l == nil {
		v := c.sheet.of(around, element, strings.Fields(s.Class))
		l = &v
		c.looks[key] = l
	}
	o := op{shape: s, look: l}
	if o.bounds = c.p.bounds(&o); !o.bounds.Empty() {
		c.p.ops = append(c.p.ops, o)
	}
	if s.Kind == scene.Text && c.p.fonts.lacks(s.S) {
		c.p.lacking++
	}
}

func (p *Picture) at(q scene.Point) pt {
	return pt{float64(q.X) / 10 * p.scale, float64(q.Y) / 10 * p.scale}
}

// bounds is a box around all that a shape paints, within the picture.
func (p *Picture) bounds(o *op) image.Rectangle {
	low, high := pt{math.Inf(1), math.Inf(1)}, pt{math.Inf(-1), math.Inf(-1)}
	take := func(q pt) {
		low, high = pt{min(low.x, q.x), min(low.y, q.y)}, pt{max(high.x, q.x), max(high.y, q.y)}
	}
	s := o.shape
	pad := 2 + o.look.width*p.scale
	switch s.Kind {
	case scene.Line:
		take(p.at(s.P[0]))
		take(p.at(s.P[1]))
	case scene.Quad, scene.Cubic: // a curve stays within its points
		for _, q := range s.P[:int(s.Kind-scene.Quad)+3] {
			take(p.at(q))
		}
	case scene.Path, scene.Polygon, scene.Area:
		for _, q := range s.Poly {
			take(p.at(q))
		}
	case scene.Circle:
		take(p.at(s.P[0]))
		pad += float64(s.R) / 10 * p.scale
	case scene.Ellipse:
		take(p.at(scene.Point{X: s.P[0].X - s.P[1].X, Y: s.P[0].Y - s.P[1].Y}))
		take(p.at(scene.Point{X: s.P[0].X + s.P[1].X, Y: s.P[0].Y + s.P[1].Y}))
	case scene.Rect:
		take(p.at(s.P[0]))
		take(p.at(scene.Point{X: s.P[0].X + s.P[1].X, Y: s.P[0].Y + s.P[1].Y}))
	case scene.Text:
		from := p.textStart(o)
		take(from)
		take(pt{from.x + p.fonts.width(s.S, o.look.bold, o.look.font*p.scale), from.y})
		pad += o.look.font * p.scale * 1.2
	}
	clamp := func(v float64, most int) int { return int(min(max(v, -1), float64(most)+1)) }
	r := image.Rect(clamp(low.x-pad, p.w), clamp(low.y-pad, p.h), clamp(high.x+pad+1, p.w), clamp(high.y+pad+1, p.h))
	return r.Intersect(p.Bounds())
}

func (p *Picture) textStart(o *op) pt {
	at := p.at(o.shape.P[0])
	switch w := p.fonts.width(o.shape.S, o.look.bold, o.look.font*p.scale); o.shape.Anchor {
	case scene.Middle:
		at.x -= w / 2
	case scene.End:
		at.x -= w
	}
	return at
}

// lines are the lines of a shape.
func (p *Picture) lines(o *op) []line {
	s := o.shape
	switch s.Kind {
	case scene.Line:
		return []line{{p: []pt{p.at(s.P[0]), p.at(s.P[1])}}}
	case scene.Quad:
		a := p.at(s.P[0])
		return []line{{p: quad([]pt{a}, a, p.at(s.P[1]), p.at(s.P[2]))}}
	case scene.Cubic:
		a := p.at(s.P[0])
		return []line{{p: cubic([]pt{a}, a, p.at(s.P[1]), p.at(s.P[2]), p.at(s.P[3]))}}
	case scene.Path, scene.Polygon:
		l := line{closed: s.Kind == scene.Polygon}
		for _, q := range s.Poly {
			l.p = append(l.p, p.at(q))
		}
		return []line{l}
	case scene.Area:
		var out []line
		for start, i := 0, 0; i < len(s.Poly); i++ {
			if i > start && s.Poly[i] == s.Poly[start] {
				l := line{closed: i > start+2}
				for _, q := range s.Poly[start:i] {
					l.p = append(l.p, p.at(q))
				}
				out = append(out, l)
				start = i + 1
			}
		}
		return out
	case scene.Circle:
		r := float64(s.R) / 10 * p.scale
		return []line{{p: ellipse(p.at(s.P[0]), r, r), closed: true}}
	case scene.Ellipse:
		r := p.at(s.P[1])
		return []line{{p: ellipse(p.at(s.P[0]), r.x, r.y), closed: true}}
	case scene.Rect:
		return []line{{p: box(p.at(s.P[0]), p.at(s.P[1]), float64(s.R)/10*p.scale), closed: true}}
	}
	return p.fonts.outline(s.S, p.textStart(o), o.look.bold, o.look.font*p.scale)
}

// ColorModel, Bounds, At and Opaque make it an image.
func (p *Picture) ColorModel() color.Model { return color.RGBAModel }

// Bounds is its size in pixels.
func (p *Picture) Bounds() image.Rectangle { return image.Rect(0, 0, p.w, p.h) }

// Opaque is always true: nothing of the page below shows through.
func (p *Picture) Opaque() bool { return true }

// At draws the band around y where that is not drawn yet.
func (p *Picture) At(x, y int) color.Color {
	if p.band == nil || y < p.band.Rect.Min.Y || y >= p.band.Rect.Max.Y {
		p.draw(y)
	}
	if c := p.band.RGBAAt(x, y); p.last == nil || c != p.lastRGBA {
		p.last, p.lastRGBA = c, c
	}
	return p.last
}

// bandPixels is about how many pixels are held at once.
const bandPixels = 4 << 20

func (p *Picture) draw(y int) {
	rows := min(max(bandPixels/p.w, 16), p.h)
	r := image.Rect(0, y-y%rows, p.w, min(y-y%rows+rows, p.h))
	if p.band == nil || p.band.Rect.Dx() != r.Dx() || p.band.Rect.Dy() != r.Dy() {
		p.band = image.NewRGBA(r)
	}
	p.band.Rect = r
	draw.Draw(p.band, r, image.NewUniform(p.back), image.Point{}, draw.Src)
	for i := range p.ops {
		if o := &p.ops[i]; o.bounds.Overlaps(r) {
			p.paint(o)
		}
	}
}

func (p *Picture) paint(o *op) {
	lines := p.lines(o)
	if o.shape.Kind == scene.Area {
		p.room(o, lines)
		return
	}
	fill := func() {
		if o.look.fill.A > 0 {
			areas := make([][]pt, len(lines))
			for i, l := range lines {
				areas[i] = l.p
			}
			p.area(o, areas, o.look.fill)
		}
	}
	if !o.look.strokeFirst {
		fill()
	}
	if width := o.look.width * p.scale; o.look.stroke.A > 0 && width > 0 {
		var areas [][]pt
		dash := make([]float64, len(o.look.dash))
		for i, d := range o.look.dash {
			dash[i] = d * p.scale
		}
		for _, l := range lines {
			parts := []line{l}
			if len(dash) > 0 {
				parts = dashed(l, dash)
			}
			for _, part := range parts {
				areas = append(areas, stroked(part, width, o.look.roundCap)...)
			}
		}
		p.area(o, areas, o.look.stroke)
	}
	if o.look.strokeFirst {
		fill()
	}
}

// room paints an area of a room and its broad edge at once: it lets the ground
// through, which would show where two layers lie on each other.
func (p *Picture) room(o *op, lines []line) {
	var areas [][]pt
	for _, l := range lines {
		areas = append(areas, turned(l.p))
		for _, e := range stroked(l, o.look.width*p.scale, true) {
			areas = append(areas, turned(e))
		}
	}
	p.area(o, areas, o.look.fill)
}

// stripRows is how many rows are painted at once. A slanting line has a large
// box around it and little in it: in strips the boxes are small.
const stripRows = 64

// area paints closed lines in the band.
func (p *Picture) area(o *op, areas [][]pt, c color.RGBA) {
	r := o.bounds.Intersect(p.band.Rect)
	src := image.NewUniform(color.NRGBA{c.R, c.G, c.B, uint8(float64(c.A)*o.look.opacity + 0.5)})
	for y := r.Min.Y - r.Min.Y%stripRows; y < r.Max.Y; y += stripRows {
		strip := image.Rect(r.Min.X, y, r.Max.X, y+stripRows).Intersect(r)
		if strip = strip.Intersect(reach(areas, strip)); !strip.Empty() {
			p.strip(strip, areas, src)
		}
	}
}

// reach is how far areas go to the left and to the right within some rows.
func reach(areas [][]pt, rows image.Rectangle) image.Rectangle {
	top, bottom := float64(rows.Min.Y), float64(rows.Max.Y)
	low, high := math.Inf(1), math.Inf(-1)
	for _, a := range areas {
		for i, q := range a {
			from := a[(i+len(a)-1)%len(a)]
			if from.y > q.y {
				from, q = q, from
			}
			if q.y < top || from.y > bottom {
				continue
			}
			x0, x1 := from.x, q.x
			if from.y < top {
				x0 = between(from, q, (top-from.y)/(q.y-from.y)).x
			}
			if q.y > bottom {
				x1 = between(from, q, (bottom-from.y)/(q.y-from.y)).x
			}
			low, high = min(low, x0, x1), max(high, x0, x1)
		}
	}
	if low > high {
		return image.Rectangle{}
	}
	left, right := float64(rows.Min.X), float64(rows.Max.X)
	rows.Min.X, rows.Max.X = int(min(max(low-1, left), right)), int(max(min(high+2, right), left))
	return rows
}

func (p *Picture) strip(r image.Rectangle, areas [][]pt, src image.Image) {
	p.mask.Reset(r.Dx(), r.Dy())
	for _, a := range areas {
		for i, q := range a {
			x, y := float32(q.x-float64(r.Min.X)), float32(q.y-float64(r.Min.Y))
			if i == 0 {
				p.mask.MoveTo(x, y)
			} else {
				p.mask.LineTo(x, y)
			}
		}
		p.mask.ClosePath()
	}
	p.mask.Draw(p.band, r, src, image.Point{})
}
