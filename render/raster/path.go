package raster

import (
	"math"
	"slices"
)

// A pt is a place in pixels of the picture. Products are converted before they
// are added: so no machine fuses the two and rounds otherwise.
type pt struct{ x, y float64 }

func (p pt) add(q pt) pt            { return pt{p.x + q.x, p.y + q.y} }
func (p pt) sub(q pt) pt            { return pt{p.x - q.x, p.y - q.y} }
func (p pt) times(k float64) pt     { return pt{p.x * k, p.y * k} }
func (p pt) length() float64        { return math.Sqrt(float64(p.x*p.x) + float64(p.y*p.y)) }
func between(p, q pt, t float64) pt { return p.times(1 - t).add(q.times(t)) }

// A line is a row of places, closed or not.
type line struct {
	p      []pt
	closed bool
}

// quad and cubic break Bézier curves into pieces of a few pixels.
func quad(out []pt, a, m, b pt) []pt {
	n := pieces(m.sub(a).length() + b.sub(m).length())
	for i := 1; i <= n; i++ {
		t := float64(i) / float64(n)
		out = append(out, between(between(a, m, t), between(m, b, t), t))
	}
	return out
}

func cubic(out []pt, a, m, n, b pt) []pt {
	k := pieces(m.sub(a).length() + n.sub(m).length() + b.sub(n).length())
	for i := 1; i <= k; i++ {
		t := float64(i) / float64(k)
		x, y, z := between(a, m, t), between(m, n, t), between(n, b, t)
		out = append(out, between(between(x, y, t), between(y, z, t), t))
	}
	return out
}

// pieces bounds what one curve costs, however large a picture is.
func pieces(length float64) int { return int(min(max(length/4, 3), 64)) }

// ellipse is a closed line around c.
func ellipse(c pt, rx, ry float64) []pt {
	const k = 0.5522847498 // makes four Bézier curves a circle
	e, s, w, n := pt{c.x + rx, c.y}, pt{c.x, c.y + ry}, pt{c.x - rx, c.y}, pt{c.x, c.y - ry}
	out := []pt{e}
	out = cubic(out, e, pt{e.x, e.y + float64(k*ry)}, pt{s.x + float64(k*rx), s.y}, s)
	out = cubic(out, s, pt{s.x - float64(k*rx), s.y}, pt{w.x, w.y + float64(k*ry)}, w)
	out = cubic(out, w, pt{w.x, w.y - float64(k*ry)}, pt{n.x - float64(k*rx), n.y}, n)
	out = cubic(out, n, pt{n.x + float64(k*rx), n.y}, pt{e.x, e.y - float64(k*ry)}, e)
	return out[:len(out)-1]
}

// box is a closed rectangle with round corners.
func box(at, size pt, r float64) []pt {
	r = max(min(r, size.x/2, size.y/2), 0)
	x0, y0, x1, y1 := at.x, at.y, at.x+size.x, at.y+size.y
	if r == 0 {
		return []pt{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}
	}
	out := []pt{{x0 + r, y0}, {x1 - r, y0}}
	out = quad(out, pt{x1 - r, y0}, pt{x1, y0}, pt{x1, y0 + r})
	out = append(out, pt{x1, y1 - r})
	out = quad(out, pt{x1, y1 - r}, pt{x1, y1}, pt{x1 - r, y1})
	out = append(out, pt{x0 + r, y1})
	out = quad(out, pt{x0 + r, y1}, pt{x0, y1}, pt{x0, y1 - r})
	out = append(out, pt{x0, y0 + r})
	return quad(out, pt{x0, y0 + r}, pt{x0, y0}, pt{x0 + r, y0})
}

// dashed cuts a line into its dashes (lengths on and off in turn, an odd number
// counted twice as in SVG). A line of very many dashes stays whole.
func dashed(l line, dash []float64) []line {
	p, total, period := l.p, 0.0, 0.0
	if l.closed && len(p) > 0 {
		p = append(p[:len(p):len(p)], p[0])
	}
	if len(dash)%2 == 1 {
		dash = append(dash[:len(dash):len(dash)], dash...)
	}
	for _, d := range dash {
		period += d
	}
	for i := 1; i < len(p); i++ {
		total += p[i].sub(p[i-1]).length()
	}
	if period <= 0 || total/period > 5000 {
		return []line{l}
	}
	var out []line
	var now []pt
	k, left := 0, dash[0]
	if len(p) > 0 {
		now = []pt{p[0]}
	}
	for i := 1; i < len(p); i++ {
		from, to := p[i-1], p[i]
		length := to.sub(from).length()
		for at := 0.0; at < length; {
			if step := min(left, length-at); step < left {
				left -= step
				at = length
				if k%2 == 0 {
					now = append(now, to)
				}
				continue
			}
			at += left
			place := between(from, to, min(at/length, 1))
			if k%2 == 0 {
				out = append(out, line{p: append(now, place)})
				now = nil
			} else {
				now = []pt{place}
			}
			k = (k + 1) % len(dash)
			left = dash[k]
			if left == 0 { // a dot: a dash of no length with round caps
				left = 1e-3
			}
		}
	}
	if k%2 == 0 && len(now) > 1 {
		out = append(out, line{p: now})
	}
	return out
}

// stroked makes areas of a line, all turning the same way, so that they add up
// to one. Where the line bends a little the area goes on; at a corner it ends,
// and a disc makes it round. Areas that only touch leave no trace; where some
// lie on each other, pixels at the edge get a little too dark.
func stroked(l line, width float64, roundCap bool) [][]pt {
	p := distinct(l.p, l.closed)
	if len(p) < 2 {
		if len(p) == 1 && roundCap {
			return [][]pt{ellipse(p[0], width/2, width/2)}
		}
		return nil
	}
	n := len(p) - 1 // pieces
	if l.closed {
		p = append(p, p[0])
		n++
	}
	r := width / 2
	sides := make([]pt, n) // of each piece, from the line to its right edge
	for i := range sides {
		d := p[i+1].sub(p[i])
		sides[i] = pt{-d.y, d.x}.times(r / d.length())
	}
	var out [][]pt
	var right, left []pt // the edges of the area that is being made
	end := func() {
		area := make([]pt, 0, len(right)+len(left))
		area = append(area, left...)
		for i := len(right) - 1; i >= 0; i-- {
			area = append(area, right[i])
		}
		out = append(out, area)
		right, left = nil, nil
	}
	edge := func(at, side pt) {
		right, left = append(right, at.add(side)), append(left, at.sub(side))
	}
	// joint goes from one piece to the next.
	joint := func(at, before, after pt) {
		if side, ok := bend(before, after, r); ok {
			edge(at, side)
			return
		}
		edge(at, before)
		end()
		if r >= 0.6 { // joints of thin lines don't show
			out = append(out, ellipse(at, r, r))
		}
		edge(at, after)
	}
	first := sides[0]
	if l.closed {
		if side, ok := bend(sides[n-1], sides[0], r); ok {
			first = side
		} else if r >= 0.6 {
			out = append(out, ellipse(p[0], r, r))
		}
	}
	edge(p[0], first)
	for i := 1; i < n; i++ {
		joint(p[i], sides[i-1], sides[i])
	}
	last := sides[n-1]
	if l.closed && first != sides[0] {
		last = first
	}
	edge(p[n], last)
	end()
	if roundCap && !l.closed {
		out = append(out, halfDisc(p[0], sides[0]), halfDisc(p[n], pt{}.sub(sides[n-1])))
	}
	return out
}

// turned makes a closed line go round clockwise: areas that turn the same way add up
// to one where they overlap.
func turned(p []pt) []pt {
	sum := 0.0
	for i, a := range p {
		b := p[(i+1)%len(p)]
		sum += float64(a.x*b.y) - float64(a.y*b.x)
	}
	if sum >= 0 {
		return p
	}
	out := slices.Clone(p)
	slices.Reverse(out)
	return out
}

// distinct leaves out places that are the same as the one before.
func distinct(p []pt, closed bool) []pt {
	out := make([]pt, 0, len(p)+1)
	for _, q := range p {
		if len(out) == 0 || q.sub(out[len(out)-1]).length() > 1e-6 {
			out = append(out, q)
		}
	}
	for closed && len(out) > 1 && out[0].sub(out[len(out)-1]).length() <= 1e-6 {
		out = out[:len(out)-1]
	}
	return out
}

// bend is the side that two pieces share where they meet at a small angle.
func bend(before, after pt, r float64) (pt, bool) {
	m := before.add(after)
	k := m.length() / (2 * r) // cosine of half the angle
	if k < 0.95 {
		return pt{}, false
	}
	return m.times(1 / (2 * k * k)), true
}

// halfDisc is the round cap of a line that begins at a place with that side.
func halfDisc(at, side pt) []pt {
	const k = 0.5522847498
	back := pt{-side.y, side.x}
	out := []pt{at.add(side)}
	out = cubic(out, at.add(side), at.add(side).add(back.times(k)), at.add(back).add(side.times(k)), at.add(back))
	return cubic(out, at.add(back), at.add(back).sub(side.times(k)), at.sub(side).add(back.times(k)), at.sub(side))
}
