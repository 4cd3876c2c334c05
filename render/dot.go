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

// What Graphviz is asked for. Over maxCare nodes neato, fdp, sfdp and twopi take
// minutes to keep nodes apart, and already over maxCurved to lead lines around
// them: 45 s for 250 nodes, where straight lines take 0.2 s. The engine dot does
// both in no time.
const (
	maxCare   = 250
	maxCurved = 100
)

// care says how carefully so many nodes are drawn by an engine; "" may be any.
func care(nodes int, engine string) string {
	switch {
	case engine == "dot":
		return "overlap=false, splines=true"
	case nodes > maxCare:
		return "overlap=true, splines=line"
	case nodes > maxCurved && engine != "":
		return "overlap=false, splines=line"
	}
	return "overlap=false, splines=true"
}

// DOT writes the map as an undirected Graphviz graph: a cluster for each
// network and partition and in it one for each room, router links with
// the quality of both directions, child links from the parent. Each node has the place that
// our own picture gives it: `neato -n2` draws it there, neato and fdp begin
// there, the others don't look at it. The engines dot, fdp and osage draw the
// clusters; dot has the routers in one column and their children beside them,
// since names in a row make a strip of 15,000 points of a hundred devices.
func DOT(w io.Writer, d *Document, o Options) error {
	v := d.view(o.ShowDead)
	b := bufio.NewWriter(w)
	g := dotGraph{b: b, v: v, ids: make(map[*topology.Node]string, len(v.Map.Nodes))}
	places := layout.Place(v)
	g.at, g.height = places.Places(), places.H
	for i, n := range v.Map.Nodes {
		g.ids[n] = dotID(n.ID, i)
	}
	how := care(len(v.Map.Nodes), o.Engine)
	if hasRooms(v.Map.Nodes) {
		// The engine dot ranks clusters one by one if not told otherwise, and gives
		// up where links run to and fro between them ("trouble in init_rank").
		how += ", newrank=true"
	}
	if o.Engine != "" {
		how += ", layout=" + dotText(o.Engine)
	}
	fmt.Fprintf(b, "graph threadmap {\n\tgraph [label=%s, labelloc=t, fontname=\"sans-serif\", inputscale=72, rankdir=LR, %s]\n", dotLines(lines(v.Sentence(), sentenceWidth)...), how)
	fmt.Fprint(b, "\tnode [fontname=\"sans-serif\", fontsize=11, shape=ellipse, style=filled, fillcolor=white]\n\tedge [fontname=\"sans-serif\", fontsize=9]\n")
	for i, x := range v.Groups {
		g.group(i, x)
	}
	if len(v.OffThread) > 0 {
		fmt.Fprintf(b, "\tsubgraph cluster_off {\n\t\tlabel=%s; style=dashed; color=gray\n", dotText(v.OffThreadName()))
		g.rooms("cluster_off", v.OffThread)
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
	g.rooms(fmt.Sprintf("cluster_%d", i), append(all, x.Loose...))
	fmt.Fprint(g.b, "\t}\n")
}

// rooms writes nodes, those of each room in a cluster of their own in the
// cluster outer, and those of no room beside them. Where a child stands in
// another room than its parent, the link runs from the one to the other: links
// belong to no cluster, so none pulls a node into a second one.
func (g dotGraph) rooms(outer string, nodes []*topology.Node) {
	in := map[string][]*topology.Node{}
	var names []string
	for _, n := range nodes {
		room := text.Clean(n.Room)
		if room == "" {
			g.node("\t\t", n)
			continue
		}
		if in[room] == nil {
			names = append(names, room)
		}
		in[room] = append(in[room], n)
	}
	slices.Sort(names)
	for i, room := range names {
		name := text.Truncate(room, 40)
		fmt.Fprintf(g.b, "\t\tsubgraph %s_%d {\n\t\t\tlabel=%s; tooltip=%s; style=\"rounded,filled\"; color=\"#cfd6dd\"; fillcolor=\"#f3f5f7\"; fontsize=11\n",
			outer, i, dotText(name), dotText(name+": "+plural(len(in[room]), "device")))
		for _, n := range in[room] {
			g.node("\t\t\t", n)
		}
		fmt.Fprint(g.b, "\t\t}\n")
	}
}

// hasRooms reports whether a node is in a room.
func hasRooms(nodes []*topology.Node) bool {
	return slices.ContainsFunc(nodes, func(n *topology.Node) bool { return text.Clean(n.Room) != "" })
}

func (g dotGraph) node(indent string, n *topology.Node) {
	shape, style, fill := "ellipse", "filled", "white"
	switch {
	case n.BorderRouter.Or(false):
		shape, fill = "diamond", "lightblue"
	case n.Role.Routes():
		shape, fill = "box", "lightblue"
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
	fmt.Fprintf(g.b, "%s%s [label=%s, tooltip=%s, shape=%s, style=\"%s\", fillcolor=%s%s]\n", indent, g.ids[n], dotLines(label, second), dotText(tip), shape, style, fill, pos)
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

// dotLines quotes lines of a label.
func dotLines(l ...string) string {
	var b strings.Builder
	for i, s := range l {
		if i > 0 {
			b.WriteString(`\n`)
		}
		b.WriteString(dotEscaper.Replace(text.Clean(s)))
	}
	return `"` + b.String() + `"`
}

// sentenceWidth is how many columns a line of the title has at most, if its
// words let it: Graphviz makes a picture as wide as its title.
const sentenceWidth = 90

// lines breaks s at spaces.
func lines(s string, width int) (out []string) {
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && text.Columns(line)+1+text.Columns(word) > width {
			out, line = append(out, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(out, line)
}
