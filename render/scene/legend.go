package scene

import (
	"slices"
	"strings"

	"threadmap/render/internal/text"
	"threadmap/render/layout"
)

// An entry of the legend: when it is needed, a sample and what it means.
type entry struct {
	needs  string // one of these words, in the words of drawing.used
	class  string
	words  string
	sample func(at Point) []Shape
}

var legendEntries = []entry{
	{"border", "node border", "border router", func(at Point) []Shape { return []Shape{diamond(at, 9*px)} }},
	{"router", "node router", "router", func(at Point) []Shape { return []Shape{circle(at, 7*px)} }},
	{"leader", "node router", "leader", func(at Point) []Shape { return []Shape{circle(at, 7*px), star(at, 50)} }},
	{"device", "node device", "listens all the time", func(at Point) []Shape { return []Shape{circle(at, layout.ItemRadius)} }},
	{"sleepy", "node sleepy", "sleeps", func(at Point) []Shape { return []Shape{circle(at, layout.ItemRadius)} }},
	{"reed", "node reed", "could become a router", func(at Point) []Shape { return []Shape{square(at, layout.ItemRadius-px/2)} }},
	{"silent", "node router silent", "did not answer", func(at Point) []Shape { return []Shape{circle(at, 7*px), slash(at, 7*px)} }},
	{"unknown|ghost|stale", "node router unknown", "only others tell of it", func(at Point) []Shape { return []Shape{circle(at, 7*px)} }},
	{"link good", "link good", "good link", sampleLink},
	{"link fair", "link fair", "fair", sampleLink},
	{"link weak", "link weak", "weak", sampleLink},
	{"link one-way", "link one-way", "one-way", func(at Point) []Shape { return append(sampleLink(at), arrow(at, Point{1, 0})) }},
	{"link dying", "link dying", "dying", sampleLink},
	{"link stale", "link stale", "old news", sampleLink},
	{"link dead", "link dead", "dead", sampleLink},
	{"link unknown", "link unknown", "link of unknown quality", sampleLink},
	{"half", "link weak", "each end's half: what it hears", func(at Point) []Shape {
		return append(sampleLink(at), Shape{Kind: Line, Class: "half good", P: [4]Point{{at.X - 14*px, at.Y}, at}})
	}},
	{"untold", "link good", "nobody told what this end hears", func(at Point) []Shape {
		return []Shape{{Kind: Line, P: [4]Point{{at.X - 14*px, at.Y}, at}}, {Kind: Line, Class: "half untold", P: [4]Point{at, {at.X + 14*px, at.Y}}}}
	}},
	{"way", "link-way ways", "cheapest way to a border router", sampleLink},
	{"areas", "areas", "a room", sampleArea},
}

func circle(at Point, r int) Shape {
	return Shape{Kind: Circle, Class: "mark", P: [4]Point{at}, R: r}
}

func sampleLink(at Point) []Shape {
	return []Shape{{Kind: Line, P: [4]Point{{at.X - 14*px, at.Y}, {at.X + 14*px, at.Y}}}}
}

// legend sets the entries in lines of that width. It returns the lower edge.
func (d *drawing) legend(at layout.Point, width int) (g Group, bottom int) {
	g.Class = "legend"
	x, y := 0, at.Y+10*px
	for _, e := range legendEntries {
		if !slices.ContainsFunc(strings.Split(e.needs, "|"), func(s string) bool { return d.used[s] }) {
			continue
		}
		room := 24 * px
		if e.class[:4] == "link" {
			room = 36 * px
		}
		w := room + text.Room(e.words)*layout.SmallFont/text.Em
		if x > 0 && x+w > width {
			x, y = 0, y+22*px
		}
		mid := Point{at.X + x + room/2 - 2*px, y}
		g.Groups = append(g.Groups, Group{Class: e.class, Shapes: e.sample(mid)})
		g.Shapes = append(g.Shapes, label("small", e.words, at.X+x+room, y+4*px, Start))
		x += w + 14*px
	}
	return g, y + 10*px
}
