package scene

import (
	"threadmap/render/internal/view"
	"threadmap/render/layout"
	"threadmap/topology"
)

// ways finds the links over which the routers reach their nearest border
// router at the least cost.
func ways(v *view.View) map[*topology.Link]bool {
	for _, l := range v.Map.Links {
		if l.A == nil || l.B == nil {
			return nil // no map that topology made
		}
	}
	out := map[*topology.Link]bool{}
	routing := v.Map.Routing()
	if len(routing.BorderRouters()) == 0 {
		return out
	}
	type pair struct{ a, b *topology.Node }
	for _, g := range v.Groups {
		between := map[pair]*topology.Link{}
		for _, h := range g.Hubs {
			for _, l := range h.Links {
				between[pair{l.A, l.B}], between[pair{l.B, l.A}] = l, l
			}
		}
		for _, h := range g.Hubs {
			paths := routing.Cheapest(h.Node)
			if len(paths) == 0 {
				continue
			}
			hops := paths[0].Hops
			for i := 1; i < len(hops); i++ {
				if l := between[pair{hops[i-1], hops[i]}]; l != nil {
					out[l] = true
				}
			}
		}
	}
	return out
}

// bands are drawn under the links that are ways.
func (d *drawing) bands(l []layout.Link) Group {
	g := Group{Class: "ways"}
	for _, x := range l {
		if d.ways[x.Link] {
			d.used["way"] = true
			g.Shapes = append(g.Shapes, Shape{Kind: Quad, P: [4]Point{pt(x.A), pt(x.Bend), pt(x.B)}})
		}
	}
	return g
}

// halves draws a link whose ends hear different things: the half at each end
// shows what that end hears. The worse one is drawn over the whole length and
// the better one over it; a half of which nobody told is drawn by itself.
func (d *drawing) halves(l *topology.Link, a, m, b, mid Point) []Shape {
	toA := Shape{Kind: Quad, P: [4]Point{a, {(a.X + m.X) / 2, (a.Y + m.Y) / 2}, mid}}
	toB := Shape{Kind: Quad, P: [4]Point{mid, {(b.X + m.X) / 2, (b.Y + m.Y) / 2}, b}}
	whole := Shape{Kind: Quad, P: [4]Point{a, m, b}}
	hearsA, hearsB := view.Quality(l.BToA), view.Quality(l.AToB)
	switch {
	case hearsA == hearsB:
		return []Shape{whole}
	case hearsA == view.GradeUnknown:
		d.used["untold"] = true
		toA.Class = "half untold"
		return []Shape{toB, toA}
	case hearsB == view.GradeUnknown:
		d.used["untold"] = true
		toB.Class = "half untold"
		return []Shape{toA, toB}
	case hearsA > hearsB:
		toA.Class = "half " + hearsA.String()
		d.used["half"] = true
		return []Shape{whole, toA}
	}
	toB.Class = "half " + hearsB.String()
	d.used["half"] = true
	return []Shape{whole, toB}
}

// slash strikes out the mark of a node that does not answer.
func slash(at Point, r int) Shape {
	return Shape{Kind: Line, Class: "slash", P: [4]Point{{at.X - r*7/10, at.Y + r*7/10}, {at.X + r*7/10, at.Y - r*7/10}}}
}

func square(at Point, r int) Shape {
	return Shape{Kind: Rect, Class: "mark", P: [4]Point{{at.X - r, at.Y - r}, {2 * r, 2 * r}}, R: px}
}
