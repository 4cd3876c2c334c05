package render

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"threadmap/diag"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/render/layout"
	"threadmap/topology"
)

// maxCare is the most nodes for which Graphviz is asked to keep nodes apart and
// lines off them: neato, fdp, sfdp and twopi take minutes for more.
const maxCare = 250

// DOT writes the map as an undirected Graphviz graph: a cluster for each
// network and partition and in it a subgraph for each room, router links with
// the quality of both directions, child links from the parent. Each node has the place that
// our own picture gives it: `neato -n2` draws it there, neato and fdp begin
// there, the others don't look at it.
func DOT(w io.Writer, d *Document, o Options) error {
	v := d.view(o.ShowDead)
	b := bufio.NewWriter(w)
	g := dotGraph{b: b, v: v, ids: make(map[*topology.Node]string, len(v.Map.Nodes))}
	places := layout.Place(v)
	g.at, g.height = places.Places(), places.H
	for i, n := range v.Map.Nodes {
		g.ids[n] = dotID(n.ID, i)
	}
	care := "overlap=false, splines=true"
	if len(v.Map.Nodes) > maxCare {
		care = "overlap=true, splines=line"
	}
	if o.Engine != "" {
		care += ", layout=" + dotText(o.Engine)
	}
	fmt.Fprintf(b, "graph threadmap {\n\tgraph [label=%s, labelloc=t, fontname=\"sans-serif\", inputscale=72, %s]\n", dotText(v.Sentence()), care)
	fmt.Fprint(b, "\tnode [fontname=\"sans-serif\", fontsize=11, shape=ellipse, style=filled, fillcolor=white]\n\tedge [fontname=\"sans-serif\", fontsize=9]\n")
	for i, x := range v.Groups {
		g.group(i, x)
	}
	if len(v.OffThread) > 0 {
		fmt.Fprintf(b, "\tsubgraph cluster_off {\n\t\tlabel=%s; style=dashed; color=gray\n", dotText(v.OffThreadName()))
		for _, n := range v.OffThread {
			g.node(n)
		}
		fmt.Fprint(b, "\t}\n")
	}
	for _, x := range v.Groups {
		for _, h := range x.Hubs {
			for _, c := range h.Children {
				g.child(h.Node, c, v.UpLink(c))
			}
			for _, l := range h.Links {
				if l.A == h.Node { // each link once: at its A
					g.link(l)
				}
			}
		}
	}
	fmt.Fprint(b, "}\n")
	return b.Flush()
}

type dotGraph struct {
	b      *bufio.Writer
	v      *view.View
	ids    map[*topology.Node]string
	at     map[*topology.Node]layout.Point
	height int // of our picture
}

func (g dotGraph) group(i int, x *view.Group) {
	label := x.Name()
	if x.Network != nil {
		if c, ok := x.Network.Channel.Get(); ok {
			label += fmt.Sprintf(", channel %d", c)
		}
	}
	fmt.Fprintf(g.b, "\tsubgraph cluster_%d {\n\t\tlabel=%s; style=rounded; color=gray\n", i, dotText(label))
	var all []*topology.Node
	for _, h := range x.Hubs {
		all = append(append(all, h.Node), h.Children...)
	}
	g.rooms(i, append(all, x.Loose...))
	fmt.Fprint(g.b, "\t}\n")
}

// rooms writes nodes, those of each room in a subgraph. It is no cluster: links
// run to and fro between rooms, and over clusters of that kind the engine dot
// stumbles ("trouble in init_rank", Graphviz 2.43).
func (g dotGraph) rooms(group int, nodes []*topology.Node) {
	in := map[string][]*topology.Node{}
	var names []string
	for _, n := range nodes {
		room := text.Clean(n.Room)
		if room == "" {
			g.node(n)
			continue
		}
		if in[room] == nil {
			names = append(names, room)
		}
		in[room] = append(in[room], n)
	}
	slices.Sort(names)
	for i, room := range names {
		fmt.Fprintf(g.b, "\t\tsubgraph room_%d_%d {\n\t\tcomment=%s\n", group, i, dotText(text.Truncate(room, 40)))
		for _, n := range in[room] {
			g.node(n)
		}
		fmt.Fprint(g.b, "\t\t}\n")
	}
}

func (g dotGraph) node(n *topology.Node) {
	shape, style, fill := "ellipse", "filled", "white"
	switch {
	case n.BorderRouter.Or(false):
		shape, fill = "diamond", "lightblue"
	case n.Role.Routes():
		shape, fill = "circle", "lightblue"
	case n.Role == diag.RoleSleepyEndDevice:
		style = "filled,dotted"
	}
	if n.Role == diag.RoleLeader {
		style += ",bold"
	}
	switch n.State {
	case topology.NodeGhost, topology.NodeUnknown:
		style, fill = "dashed", "white"
	case topology.NodeSilent, topology.NodeStale:
		fill = "lightgray"
	}
	label := g.v.LabelIn(n, 40, text.Truncate, text.Columns)
	if !n.Heard && view.Label(n) == n.ExtAddr.String() {
		label = "? " + label
	}
	tip := strings.TrimLeft(view.Role(n)+", "+n.ID, ", ")
	if n.Room != "" {
		tip += ", " + text.Truncate(text.Clean(n.Room), 40)
	}
	if n.Why != "" {
		tip += ": " + n.Why
	}
	second := n.RLOC16.String()
	if r := view.Role(n); r != "" {
		second = r + " " + second
	}
	pos := ""
	if p, ok := g.at[n]; ok { // in points, upwards
		pos = fmt.Sprintf(", pos=\"%d,%d\"", p.X/layout.Px, (g.height-p.Y)/layout.Px)
	}
	fmt.Fprintf(g.b, "\t\t%s [label=%s, tooltip=%s, shape=%s, style=\"%s\", fillcolor=%s%s]\n", g.ids[n], dotLines(label, second), dotText(tip), shape, style, fill, pos)
}

func (g dotGraph) child(p, c *topology.Node, l *topology.Link) {
	var in, out topology.Direction
	if l != nil {
		in, out = view.Ways(l, p)
	}
	tip := "no link known"
	if l != nil {
		tip = view.LinkWord(l)
	}
	color, width, style := dotLink(l)
	fmt.Fprintf(g.b, "\t%s -- %s [label=\"%s/%s\", tooltip=%s, color=%s, penwidth=%s, style=%s]\n",
		g.ids[p], g.ids[c], view.LQText(in), view.LQText(out), dotText(tip), color, width, style)
}

// link labels the quality that A hears, then the one that B hears.
func (g dotGraph) link(l *topology.Link) {
	in, out := view.Ways(l, l.A)
	color, width, style := dotLink(l)
	extra := ""
	if l.State == topology.LinkOneWay {
		lqIn, okIn := view.LQ(in)
		lqOut, okOut := view.LQ(out)
		switch {
		case okIn && okOut && lqIn > lqOut:
			extra = ", dir=back"
		case okIn && okOut && lqIn < lqOut:
			extra = ", dir=forward"
		}
	}
	fmt.Fprintf(g.b, "\t%s -- %s [label=\"%s/%s\", tooltip=%s, color=%s, penwidth=%s, style=%s, constraint=false%s]\n",
		g.ids[l.A], g.ids[l.B], view.LQText(in), view.LQText(out), dotText(view.LinkWord(l)), color, width, style, extra)
}

func dotLink(l *topology.Link) (color, width, style string) {
	color, width, style = "gray", "1", "dotted"
	switch view.LinkWord(l) {
	case "good":
		return "seagreen", "2.5", "solid"
	case "fair":
		return "orange", "2", "solid"
	case "weak":
		return "orangered", "1.5", "dashed"
	case "one-way", "dying":
		return "red", "1.5", "dashed"
	}
	return color, width, style
}

// dotID is the node's own id where Graphviz can take it as it is, else one
// made of its place, which no such id can equal.
func dotID(id string, place int) string {
	for _, c := range id {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune("_-.:/%@", c) {
			id = ""
			break
		}
	}
	if id == "" || len(id) > 200 {
		return fmt.Sprintf(`"#%d"`, place)
	}
	return `"` + id + `"`
}

var dotEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;")

// dotText quotes cleaned text. A backslash would begin an escape (\N is the
// node's name) and an ampersand an entity.
func dotText(s string) string { return `"` + dotEscaper.Replace(text.Clean(s)) + `"` }

func dotLines(a, b string) string {
	return `"` + dotEscaper.Replace(text.Clean(a)) + `\n` + dotEscaper.Replace(text.Clean(b)) + `"`
}
