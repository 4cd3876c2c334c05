package layout

import "threadmap/topology"

// bend gives the control point of the curve for a link: a straight line, or
// where that would run over another hub's mark or over the label of an outer
// hub, the least bent curve that does not, first to the middle of the oval.
func (p *Panel) bend(l *topology.Link, a, b Point) Point {
	mid := Point{(a.X + b.X) / 2, (a.Y + b.Y) / 2}
	if len(p.Hubs) > maxImproved || len(p.Links) > maxImproved*maxImproved/2 {
		return p.pull(a, b, mid)
	}
	across := Point{-(b.Y - a.Y), b.X - a.X}
	if int64(across.X)*int64(p.Center.X-mid.X)+int64(across.Y)*int64(p.Center.Y-mid.Y) < 0 {
		across = Point{-across.X, -across.Y}
	}
	best, least := mid, -1
	for _, percent := range [...]int{0, 8, -8, 16, -16, 26, -26, 38, 50} {
		m := Point{mid.X + across.X/100*percent, mid.Y + across.Y/100*percent}.round()
		hits := 4*p.hits(l, a, m, b) + p.covers(a, m, b)
		if hits == 0 {
			return m
		}
		if least < 0 || hits < least {
			best, least = m, hits
		}
	}
	return best
}

// hits counts the marks of other hubs that a curve runs over.
func (p *Panel) hits(l *topology.Link, a, m, b Point) int {
	const pieces, near = 8, HubRadius + 5*Px
	n, from := 0, a
	for i := 1; i <= pieces; i++ {
		u := pieces - i
		to := Point{
			(u*u*a.X + 2*u*i*m.X + i*i*b.X) / (pieces * pieces),
			(u*u*a.Y + 2*u*i*m.Y + i*i*b.Y) / (pieces * pieces),
		}
		for k := range p.Hubs {
			if h := &p.Hubs[k]; h.Node != l.A && h.Node != l.B && passes(from, to, h.At, near) {
				n++
			}
		}
		from = to
	}
	return n
}

// covers counts the labels of outer hubs that a curve runs through. Those of
// inner hubs stand among the links anyhow.
func (p *Panel) covers(a, m, b Point) int {
	const pieces = 24
	n := 0
	for k := range p.Hubs {
		h := &p.Hubs[k]
		top := h.At.Y + HubRadius + 6*Px
		if h.Side == 0 || max(a.Y, b.Y) < top || min(a.Y, b.Y) > h.Box.Y+h.Box.H {
			continue
		}
		for i := 1; i < pieces; i++ {
			u := pieces - i
			x := (u*u*a.X + 2*u*i*m.X + i*i*b.X) / (pieces * pieces)
			y := (u*u*a.Y + 2*u*i*m.Y + i*i*b.Y) / (pieces * pieces)
			if y >= top && y <= h.Box.Y+h.Box.H && (x-h.LabelX)*h.Side > -3*Px && x > h.Box.X && x < h.Box.X+h.Box.W {
				n++
				break
			}
		}
	}
	return n
}

// pull is the bend among very many hubs: to the middle of the oval, a long one
// farther, so that links along one side pass beside the hubs between.
func (p *Panel) pull(a, b, mid Point) Point {
	far := isqrt(square(a.X-b.X) + square(a.Y-b.Y))
	dx, dy := (p.Center.X-mid.X)/10*6, (p.Center.Y-mid.Y)/10*2
	limit := far / 100 * 45
	return Point{mid.X + min(max(dx, -limit), limit), mid.Y + min(max(dy, -limit), limit)}
}
