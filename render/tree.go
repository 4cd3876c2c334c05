package render

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// Tree writes the map as text: a sentence, then each network with its routers
// and what hangs on them, then what has no known place, then the problems.
func Tree(w io.Writer, d *Document, o Options) error {
	v := d.view(o.ShowDead)
	t := newTree(w, d, v, o)
	t.measure()
	if !o.OnlyMap {
		t.prose("", bold, v.Sentence())
	}
	for i, g := range v.Groups {
		if i > 0 || !o.OnlyMap {
			t.line("")
		}
		t.group(g, d.Scan)
	}
	if len(v.OffThread) > 0 {
		t.line("")
		t.line(t.paint(bold, v.OffThreadName()))
		for _, n := range v.OffThread {
			t.entry(t.columns("○ ", n, wireName(n.Transport), ""), "    ", t.notes(n))
		}
	}
	if t.linksShown {
		t.line("")
		t.prose("", dim, "Links as a/b: a is the quality (0-3) of what the node hears, b of what the other hears of it; - is not known.")
	}
	if !o.OnlyMap {
		t.findings(d.Findings)
		t.problems(d.Scan)
	}
	return t.b.Flush()
}

type tree struct {
	b          *bufio.Writer
	v          *view.View
	o          Options
	ref        time.Time // for "4 min ago"; zero: not known
	name, role int       // columns
	linksShown bool
	byID       map[string]*topology.Node
}

// newTree prepares the writing of text about a document.
func newTree(w io.Writer, d *Document, v *view.View, o Options) *tree {
	if o.Width == 0 {
		o.Width = defaultWidth
	}
	t := &tree{b: bufio.NewWriter(w), v: v, o: o, ref: reference(d), byID: make(map[string]*topology.Node, len(v.Map.Nodes))}
	for _, n := range v.Map.Nodes {
		t.byID[n.ID] = n
	}
	return t
}

// reference is the moment the map shows: the scan's end, else the latest word.
func reference(d *Document) time.Time {
	if d.Scan != nil && !d.Scan.To.IsZero() {
		return d.Scan.To
	}
	var last time.Time
	for _, n := range d.topology().Nodes {
		if n.LastHeard.After(last) {
			last = n.LastHeard
		}
	}
	return last
}

// defaultWidth is for files and pipes, where nobody says how wide they are.
const defaultWidth = 120

// Names get at most so many columns, less on a narrow terminal.
const (
	nameColumns    = 32
	minNameColumns = 12
)

func (t *tree) measure() {
	limit := nameColumns
	if t.o.Width > 0 {
		limit = min(limit, max(minNameColumns, t.o.Width/3))
	}
	for _, g := range t.v.Groups {
		for _, h := range g.Hubs {
			t.fit(2, h.Node, limit)
			for _, c := range h.Children {
				t.fit(4, c, limit)
			}
		}
		for _, n := range g.Loose {
			t.fit(4, n, limit)
		}
	}
	for _, n := range t.v.OffThread {
		t.fit(2, n, limit)
	}
	t.role = min(t.role, 22)
}

func (t *tree) fit(indent int, n *topology.Node, limit int) {
	t.name = min(limit, max(t.name, indent+text.Columns(t.v.Label(n))))
	t.role = max(t.role, len(view.Role(n)))
}

// columns sets one node's line: prefix and name, what it is, the rest.
func (t *tree) columns(prefix string, n *topology.Node, role, rest string) string {
	name := t.label(n, max(minNameColumns, t.name)-text.Columns(prefix))
	s := text.Pad(prefix+name, t.name)
	if n.State == topology.NodeGhost || n.State == topology.NodeUnknown {
		s = t.paint(dim, s)
	}
	return s + "  " + text.Pad(role, t.role) + "  " + rest
}

func (t *tree) label(n *topology.Node, cols int) string {
	return t.v.LabelIn(n, cols, text.Truncate, text.Columns)
}

func wireName(t diag.Transport) string {
	switch t {
	case diag.TransportWiFi:
		return "Wi-Fi"
	case diag.TransportEthernet:
		return "Ethernet"
	}
	return ""
}

func (t *tree) group(g *view.Group, s *diag.Scan) {
	t.header(g, s)
	if g.Network != nil {
		t.conflicts("  ", g.Network.Conflicts)
	}
	for _, h := range g.Hubs {
		t.hub(h)
	}
	if len(g.Loose) == 0 {
		return
	}
	name, same := g.LooseName(), sameWhy(g.Loose)
	if same != "" {
		name += "; " + same
	}
	t.line("  " + t.paint(dim, name+":"))
	for _, n := range g.Loose {
		notes := t.notes(n)
		if same != "" {
			notes = ""
		}
		t.entry(t.columns("  "+mark(n)+" ", n, view.Role(n), ""), "      ", notes)
		t.conflicts("      ", n.Conflicts)
	}
}

// sameWhy is what all of several nodes of unknown state have to say for
// themselves, so that it is said once; "" where they differ.
func sameWhy(nodes []*topology.Node) string {
	why := text.Clean(nodes[0].Why)
	for _, n := range nodes {
		if n.State != topology.NodeUnknown || text.Clean(n.Why) != why || len(nodes) < 3 {
			return ""
		}
	}
	return why
}

// header writes the line of a network: "MyHome   channel 25, 1 partition, …".
func (t *tree) header(g *view.Group, s *diag.Scan) {
	var facts []string
	if g.Network != nil {
		if c, ok := g.Network.Channel.Get(); ok {
			facts = append(facts, fmt.Sprintf("channel %d", c))
		}
		switch p := len(view.KnownPartitions(g.Network)); {
		case p == 1:
			facts = append(facts, "1 partition")
		case p > 1:
			facts = append(facts, fmt.Sprintf("one of %d partitions", p))
		}
	}
	devices, routers := g.Nodes()
	facts = append(facts, plural(devices, "device"))
	if routers > 0 {
		facts = append(facts, plural(routers, "border router"))
	}
	line := t.paint(bold, g.Name()) + "   " + strings.Join(facts, ", ")
	tail := t.sources(g)
	// Merged scans and files span other times than one scan's.
	if s != nil && !s.From.IsZero() && s.To.Sub(s.From) >= 100*time.Millisecond && s.To.Sub(s.From) < 10*time.Minute {
		took := s.To.Sub(s.From)
		tail = append(tail, fmt.Sprintf("%d.%d s", took/time.Second, took%time.Second/(100*time.Millisecond)))
	}
	t.entry(line, "  ", t.paint(dim, strings.Join(tail, ", ")))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// sources names those who told of the group's nodes, in order of the alphabet.
func (t *tree) sources(g *view.Group) []string {
	seen := map[string]bool{}
	add := func(l []topology.Evidence) {
		for _, e := range l {
			seen[e.Source] = true
		}
	}
	if g.Network != nil {
		add(g.Network.Evidence)
	}
	for _, h := range g.Hubs {
		add(h.Node.Evidence)
		for _, c := range h.Children {
			add(c.Evidence)
		}
	}
	for _, n := range g.Loose {
		add(n.Evidence)
	}
	var out []string
	for s := range seen {
		if s = view.SourceName(s); s != "" {
			out = append(out, text.Truncate(s, 30))
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) > 8 {
		out = append(out[:8], fmt.Sprintf("%d more", len(out)-8))
	}
	return out
}

// mark shows the kind of a node: ◆ border router, ● router, ○ another device,
// ? one that only others speak of.
func mark(n *topology.Node) string {
	switch {
	case n.State == topology.NodeGhost || n.State == topology.NodeUnknown && !n.Heard:
		return "?"
	case n.BorderRouter.Or(false):
		return "◆"
	case n.Role.Routes() || n.RLOC16.IsRouter():
		return "●"
	}
	return "○"
}

func (t *tree) hub(h *view.Hub) {
	n := h.Node
	rloc := ""
	if n.RLOC16.Known() {
		rloc = n.RLOC16.String()
	}
	below := "  "
	if len(h.Children) > 0 {
		below = "  │ "
	}
	head := t.columns(mark(n)+" ", n, view.Role(n), text.Pad(rloc, 6))
	indent := t.name + 2 + t.role + 2 + 6 + 2
	notes, links := t.notes(n), t.links(h)
	if len(links) == 0 || notes != "" {
		t.entry(head, below, notes)
		head = strings.Repeat(" ", indent-2)
	}
	if len(links) > 0 {
		t.linksShown = true
		if room := t.o.Width - indent - 7; t.o.Width > 0 && (room < minLinkColumns || total(links) > 2*room) { // too little room beside: below
			if notes == "" {
				t.line(head)
			}
			t.wrap(below+"links: ", below+strings.Repeat(" ", 7), links)
		} else {
			t.wrap(head+"  links: ", strings.Repeat(" ", indent+7), links)
		}
	}
	if p := n.Parent; p != nil && p != n {
		t.line(below + t.paint(dim, "said to hang on "+t.label(p, nameColumns)))
	}
	t.conflicts(below, n.Conflicts)
	for i, c := range h.Children {
		t.child(c, i == len(h.Children)-1)
	}
}

func short(s string) string { return text.Truncate(s, nameColumns) }

// manyLinks is from how many links on a router's good and fair ones are only
// counted: in a dense mesh what matters drowns among them. JSON has them all.
const manyLinks = 7

// links lists the far ends with the quality of both ways, "-" for unknown.
func (t *tree) links(h *view.Hub) []string {
	var out []string
	count := map[string]int{}
	for _, l := range h.Links {
		if w := view.LinkWord(l); len(h.Links) >= manyLinks && (w == "good" || w == "fair") {
			count[w]++
			continue
		}
		far := view.Far(l, h.Node)
		in, out1 := view.Ways(l, h.Node)
		name := t.label(far, nameColumns)
		if mark(far) == "?" {
			name = "? " + name
		}
		s := fmt.Sprintf("%s %s/%s", name, view.LQText(in), view.LQText(out1))
		if rssi, ok := view.LinkRSSI(l); ok && view.LQText(in)+view.LQText(out1) == "--" {
			s = fmt.Sprintf("%s %d dBm", name, rssi) // tables without qualities
		}
		switch w := view.LinkWord(l); w {
		case "good", "":
		case "fair":
		case "weak":
			s = t.paint(yellow, s+" weak")
		case "one-way", "dying":
			s = t.paint(red, s+" "+w)
		default:
			s = t.paint(dim, s+" "+w)
		}
		out = append(out, s)
	}
	if len(count) == 0 {
		return out
	}
	var counted []string
	for _, w := range []string{"good", "fair"} {
		if count[w] > 0 {
			counted = append(counted, fmt.Sprintf("%d %s", count[w], w))
		}
	}
	return append(counted, out...)
}

func (t *tree) child(c *topology.Node, last bool) {
	branch := "  ├ "
	if last {
		branch = "  └ "
	}
	l := t.v.UpLink(c)
	word := view.LinkWord(l)
	rest := text.Pad(word, 7)
	switch word {
	case "good":
		rest = t.paint(green, rest)
	case "weak":
		rest = t.paint(yellow, rest)
	case "one-way", "dying", "dead":
		rest = t.paint(red, rest)
	}
	signal := ""
	if v, ok := view.LinkRSSI(l); ok {
		signal = fmt.Sprintf("%d dBm", v)
	}
	rest += "  " + fmt.Sprintf("%8s", signal) + "  " + text.Pad(childLQ(l, c), 6)
	if c.ParentConfidence == topology.Inferred {
		rest += "  " + t.paint(dim, "parent inferred from its address")
	}
	below := "  │   "
	if last {
		below = "      "
	}
	t.entry(t.columns(branch, c, view.Role(c), rest), below, t.notes(c))
	t.conflicts(below, c.Conflicts)
}

// childLQ is "LQ 3" where one way is known or both are alike, else "LQ 3/1":
// what the child hears, what its parent hears.
func childLQ(l *topology.Link, c *topology.Node) string {
	if l == nil {
		return ""
	}
	in, out := view.Ways(l, c)
	a, b := view.LQText(in), view.LQText(out)
	switch {
	case a == "-" && b == "-":
		return ""
	case a == b || b == "-":
		return "LQ " + a
	case a == "-":
		return "LQ " + b
	}
	return "LQ " + a + "/" + b
}
