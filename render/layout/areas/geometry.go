package areas

import "threadmap/render/layout"

// grow makes a box larger on all sides, by so much each.
func grow(r layout.Rect, dx, dy int) layout.Rect {
	return layout.Rect{X: r.X - dx, Y: r.Y - dy, W: r.W + 2*dx, H: r.H + 2*dy}
}

// corners are those of a box, clockwise; of a flat one, its ends.
func corners(r layout.Rect) []layout.Point {
	if r.H == 0 || r.W == 0 {
		return []layout.Point{{X: r.X, Y: r.Y}, {X: r.X + r.W, Y: r.Y + r.H}}
	}
	return []layout.Point{{X: r.X, Y: r.Y}, {X: r.X + r.W, Y: r.Y}, {X: r.X + r.W, Y: r.Y + r.H}, {X: r.X, Y: r.Y + r.H}}
}

// bounds is the box around points.
func bounds(p []layout.Point) layout.Rect {
	low, high := p[0], p[0]
	for _, q := range p[1:] {
		low.X, low.Y, high.X, high.Y = min(low.X, q.X), min(low.Y, q.Y), max(high.X, q.X), max(high.Y, q.Y)
	}
	return layout.Rect{X: low.X, Y: low.Y, W: high.X - low.X, H: high.Y - low.Y}
}

// band is all that a neck along a line takes up, clockwise, and a little more.
func band(a, b layout.Point) []layout.Point {
	const half = Radius + px
	dx, dy := int64(b.X-a.X), int64(b.Y-a.Y)
	n := dx*dx + dy*dy
	r := n // whole part of the square root
	for q := (r + 1) / 2; q < r; q = (r + n/r) / 2 {
		r = q
	}
	if r == 0 {
		return corners(layout.Rect{X: a.X - half, Y: a.Y - half, W: 2 * half, H: 2 * half})
	}
	u, v := int(dx*half/r), int(dy*half/r) // along the line; (-v, u) is to its right
	a, b = layout.Point{X: a.X - u, Y: a.Y - v}, layout.Point{X: b.X + u, Y: b.Y + v}
	return []layout.Point{{X: a.X + v, Y: a.Y - u}, {X: b.X + v, Y: b.Y - u}, {X: b.X - v, Y: b.Y + u}, {X: a.X - v, Y: a.Y + u}}
}

// inward makes a box smaller, to whole pixels.
func inward(r layout.Rect) layout.Rect {
	left, top := r.X/px*px, r.Y/px*px
	if left < r.X {
		left += px
	}
	if top < r.Y {
		top += px
	}
	return layout.Rect{X: left, Y: top, W: (r.X + r.W - left) / px * px, H: (r.Y + r.H - top) / px * px}
}

// touches reports whether two convex shapes have more than an edge in common.
func touches(a, b []layout.Point) bool { return !parted(a, b) && !parted(b, a) }

// parted reports whether an edge of a, which is clockwise, parts it from b.
func parted(a, b []layout.Point) bool {
	for i, p := range a {
		q := a[(i+1)%len(a)]
		if p == q {
			continue
		}
		out := true
		for _, c := range b {
			// clockwise where y points down: what is inside is to the right
			if int64(q.X-p.X)*int64(c.Y-p.Y)-int64(q.Y-p.Y)*int64(c.X-p.X) > 0 {
				out = false
				break
			}
		}
		if out {
			return true
		}
	}
	return false
}
