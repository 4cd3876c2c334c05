package scene

import (
	"fmt"
	"strconv"

	"threadmap/render/internal/text"
	"threadmap/render/layout"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// What a picture can bear.
const (
	maxNumbered   = 9  // findings with a number
	maxBadged     = 12 // nodes of one finding
	maxBadgesEach = 2  // on one node
)

// number gives the worst findings numbers, and the nodes that they are about.
func (d *drawing) number(troubles []doctor.Finding) {
	n := min(len(troubles), maxNumbered)
	d.findings, d.more = troubles[:n], len(troubles)-n
	d.badges = map[*topology.Node][]int{}
	for i, f := range d.findings {
		subjects := f.Subjects()
		for _, node := range subjects[:min(len(subjects), maxBadged)] {
			if l := d.badges[node]; len(l) < maxBadgesEach {
				d.badges[node] = append(l, i)
			}
		}
	}
}

const badgeRadius = 7 * px

// badge draws the numbers of what was found about a node, the first at a place
// and the others beside it in that direction.
func (d *drawing) badge(n *topology.Node, at Point, side int) []Shape {
	var s []Shape
	for _, i := range d.badges[n] {
		s = append(s, badge(d.findings[i].Severity, i+1, at)...)
		at.X += side * (2*badgeRadius + px)
	}
	return s
}

// badge is a disc for what does not work, a ring for what works badly.
func badge(v doctor.Severity, number int, at Point) []Shape {
	return []Shape{
		{Kind: Circle, Class: "badge " + v.String(), P: [4]Point{at}, R: badgeRadius},
		label("number "+v.String(), strconv.Itoa(number), at.X, at.Y+35*px/10, Middle),
	}
}

// list writes the findings out, each with its number. It returns the lower
// edge.
func (d *drawing) list(at layout.Point, width int) (g Group, bottom int) {
	g.Class = "findings"
	y := at.Y + 12*px
	const font, indent = layout.ItemFont, 22 * px
	for i, f := range d.findings {
		g.Shapes = append(g.Shapes, badge(f.Severity, i+1, Point{at.X + badgeRadius, y - 4*px})...)
		g.Shapes = append(g.Shapes, label("item", text.Fit(text.Clean(f.Title), (width-indent)*text.Em/font), at.X+indent, y, Start))
		y += 20 * px
	}
	if d.more > 0 {
		g.Shapes = append(g.Shapes, label("small", fmt.Sprintf("and %d more", d.more), at.X+indent, y, Start))
		y += 20 * px
	}
	return g, y - 8*px
}
