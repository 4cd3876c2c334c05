package scene

import (
	"strconv"

	"threadmap/render/layout/areas"
)

// AreaRadius is how far the round edge of an area goes beyond its lines.
const AreaRadius = areas.Radius

// rooms draws the areas of a panel, below all that is drawn later: for each room one
// shape for all patches, and after it their names.
func (d *drawing) rooms(list []areas.Area) Group {
	g := Group{Class: "areas"}
	for _, a := range list {
		var names []Shape
		s := Shape{Kind: Area, Class: tint(a.Tint), S: a.Room}
		for _, p := range a.Patches {
			for _, part := range p.Parts {
				s.Poly = append(append(s.Poly, points(part)...), pt(part[0]))
			}
			if p.Name != "" {
				anchor := Start
				if p.End {
					anchor = End
				}
				name := label("room", p.Name, p.At.X, p.At.Y, anchor)
				name.Class = "" // it is known by its group
				names = append(names, name)
			}
		}
		g.Shapes = append(append(g.Shapes, s), names...)
		d.used["areas"] = true
	}
	return g
}

func tint(i int) string { return "t" + strconv.Itoa(i) }

// sampleArea is a piece of an area.
func sampleArea(at Point) []Shape {
	a, b := Point{at.X/px*px - px, at.Y}, Point{at.X/px*px + px, at.Y}
	return []Shape{{Kind: Area, Class: tint(0), Poly: []Point{a, b, a}}}
}
