package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"threadmap/diag"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// Why writes all that is known of one node of the document's map, and how: who
// it is, its parent with what speaks for and against, its links, its ways to
// the border routers, its state, what contradicts it. Plain words come first,
// addresses after them.
func Why(w io.Writer, d *Document, n *topology.Node, o Options) error {
	y := &why{tree: *newTree(w, d, d.view(true), o), d: d, n: n}
	y.line(y.paint(bold, y.label(n, text.MaxLen)))
	y.prose("  ", "", y.summary())
	y.identity()
	y.parent()
	y.children()
	y.links()
	y.ways()
	y.contradictions()
	y.about()
	return y.b.Flush()
}

type why struct {
	tree
	d *Document
	n *topology.Node
}

func (y *why) head(s string) {
	y.line("")
	y.line(y.paint(bold, s))
}

// row writes a fact: what it is in a column, then the fact, then whose word it is.
func (y *why) row(what, fact string, by []topology.Evidence) {
	const column = 14
	if fact == "" {
		return
	}
	items := strings.Split(fact, " ")
	if s := y.told(by); s != "" {
		for _, word := range strings.Split("("+s+")", " ") {
			items = append(items, y.paint(dim, word))
		}
	}
	y.flow("  "+text.Pad(what, column), strings.Repeat(" ", 2+column), " ", items)
}

// maxTold is how many witnesses a line names; JSON has them all.
const maxTold = 4

// told says whose word something is: "border agent 4 s ago, Desk plug by Matter
// 2 h ago, kept".
func (y *why) told(by []topology.Evidence) string {
	var out []string
	for _, e := range by {
		s := view.SourceName(e.Source)
		if speaker := y.byID[e.By]; speaker != nil && speaker != y.n {
			s = y.label(speaker, nameColumns) + " by " + s
		}
		if e.Field != "" && e.Field != "report" {
			s += ", " + text.Truncate(text.Clean(e.Field), 40)
		}
		if ago := view.Ago(e.At, y.ref); ago != "" {
			s += " " + ago
		}
		if e.Cached {
			s += ", kept by it"
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if len(out) > maxTold {
		out = append(out[:maxTold], fmt.Sprintf("%d more", len(out)-maxTold))
	}
	return strings.Join(out, "; ")
}

// summary is one sentence on what the node is and how it does.
func (y *why) summary() string {
	n := y.n
	what := view.Role(n)
	switch {
	case n.Role == diag.RoleSleepyEndDevice:
		what = "A sleepy device"
	case n.Role.IsChild():
		what = "An end device"
	case what != "":
		what = article(what)
	case n.Transport == diag.TransportWiFi || n.Transport == diag.TransportEthernet:
		what = "A device on " + wireName(n.Transport)
	default:
		what = "A device of unknown kind"
	}
	if n.Network != nil {
		what += " in " + view.NetworkLabel(n.Network)
	}
	if r := text.Clean(n.Room); r != "" {
		what += ", " + r
	}
	state := text.Clean(n.Why)
	switch {
	case n.State == topology.NodeOK && state == "":
		state = "it is there"
	case n.State == topology.NodeOK:
		state = "it is there: " + state
	case state == "":
		state = string(n.State)
	case n.State != topology.NodeUnknown:
		state = string(n.State) + ": " + state
	}
	return what + ". State: " + state + "."
}

func article(s string) string {
	if strings.ContainsAny(s[:1], "aeiou") {
		return "An " + s
	}
	return "A " + s
}

func (y *why) identity() {
	n := y.n
	y.head("Who it is")
	for i, x := range n.Names {
		what := ""
		if i == 0 {
			what = "names"
		}
		y.row(what, fmt.Sprintf("%s (%s, %s)", text.Truncate(text.Clean(x.Value), 80), nameWords[x.Kind], view.SourceName(x.Source)), nil)
	}
	y.row("made by", strings.Join(known(n.Vendor, n.Product, n.Firmware), ", "), nil)
	if v := threadVersion(n.ThreadVersion); v != "" {
		y.row("Thread", v, nil)
	}
	if n.ExtAddr != 0 {
		y.row("radio", n.ExtAddr.String(), nil)
	}
	if n.RLOC16.Known() {
		y.row("RLOC16", n.RLOC16.String()+rlocWords(n.RLOC16), nil)
	}
	y.row("border agent", text.Clean(n.BorderAgentID), nil)
	for _, m := range n.Matter {
		fabric := "this controller's fabric"
		if m.Fabric != 0 {
			fabric = "fabric " + hex64(m.Fabric)
		}
		y.row("Matter", fmt.Sprintf("node %d, %s", m.Node, fabric), nil)
	}
	y.row("host", strings.Join(cleaned(n.Hosts), ", "), nil)
	y.row("announced", strings.Join(cleaned(n.Instances), ", "), nil)
	addresses := make([]string, len(n.Addresses))
	for i, a := range n.Addresses {
		addresses[i] = text.Clean(a.String())
	}
	y.row("addresses", strings.Join(addresses, ", "), nil)
	if p, ok := n.Battery.Get(); ok {
		y.row("battery", fmt.Sprintf("%d %%", p), nil)
	}
	y.row("told by", y.told(n.Evidence), nil)
}

// nameWords say who gives names of a kind.
var nameWords = map[diag.NameKind]string{
	diag.NameAlias: "your own name", diag.NameHome: "name given at home", diag.NameLabel: "label in the device",
	diag.NameInstance: "announced name", diag.NameProduct: "product", diag.NameHost: "host name",
}

// rlocWords explain an RLOC16.
func rlocWords(r diag.RLOC16) string {
	id, _ := r.RouterID()
	if child, ok := r.ChildID(); ok && r.IsChild() {
		return fmt.Sprintf(": child %d of router %d", child, id)
	}
	return fmt.Sprintf(": router %d", id)
}

func known(parts ...string) []string {
	var out []string
	for _, p := range parts {
		if p = text.Truncate(text.Clean(p), 60); p != "" {
			out = append(out, p)
		}
	}
	return out
}

func cleaned(l []string) []string {
	out := make([]string, len(l))
	for i, s := range l {
		out[i] = text.Truncate(text.Clean(s), 80)
	}
	return out
}

// parent says who the parent is, how sure that is, and who says so.
func (y *why) parent() {
	n := y.n
	if n.Parent == nil && !n.Role.IsChild() {
		return
	}
	y.head("Its parent")
	if n.Parent == nil {
		y.prose("  ", "", "Not known: no router lists it as a child, and it did not say itself.")
		return
	}
	y.prose("  ", "", y.label(n.Parent, text.MaxLen)+": "+confidenceWords[n.ParentConfidence]+".")
	if n.RLOC16.IsChild() && n.Parent.RLOC16 == n.RLOC16.Router() {
		y.row("for", fmt.Sprintf("its address %s is one that %s gives out", n.RLOC16, n.Parent.RLOC16), nil)
	}
	if l := y.v.UpLink(n); l != nil {
		y.row("for", "the link between them is told", l.Evidence)
	}
	for _, c := range n.Conflicts {
		if c.About != "parent" {
			continue
		}
		for i, claim := range c.Claims {
			if i == 0 {
				y.row("for", "said to be the parent", []topology.Evidence{claim.Evidence})
				continue
			}
			y.row("against", y.named(claim.Value)+" is said to be the parent", []topology.Evidence{claim.Evidence})
		}
	}
}

var confidenceWords = map[topology.Confidence]string{
	topology.Inferred: "follows from its address only; nobody told of the two together", topology.OneSided: "one of the two says so",
	topology.Confirmed: "both say so", topology.NoConfidence: "not founded on anything",
}

// named is a claim's value in words, where it names a node.
func (y *why) named(value string) string {
	if n := y.byID[value]; n != nil {
		return y.label(n, nameColumns)
	}
	return text.Truncate(text.Clean(value), 60)
}

// children lists what hangs on a router.
func (y *why) children() {
	n := y.n
	switch {
	case len(n.Children) > 0:
		y.head("Its children")
		names := make([]string, len(n.Children))
		for i, c := range n.Children {
			names[i] = y.label(c, nameColumns)
		}
		y.wrap("  ", "  ", names)
	case n.Role.Routes() && n.ChildTable:
		y.head("Its children")
		y.prose("  ", "", "None: its child table is empty.")
	case n.Role.Routes():
		y.head("Its children")
		y.prose("  ", "", "Not known: it gave no child table.")
	}
}

// links tells of each link what both ends hear.
func (y *why) links() {
	var links []*topology.Link
	for _, l := range y.v.Map.Links {
		if l.A == y.n || l.B == y.n {
			links = append(links, l)
		}
	}
	if len(links) == 0 {
		y.overheard()
		return
	}
	y.head("Its links")
	for _, l := range links {
		far := view.Far(l, y.n)
		in, out := view.Ways(l, y.n)
		s := fmt.Sprintf("%s: it hears %s, %s hears %s; %s, %s", y.label(far, nameColumns), heard(in), y.label(far, nameColumns), heard(out), linkWords[l.State], endsWords[l.Confidence])
		if age, ok := l.Age.Get(); ok {
			s += fmt.Sprintf(", heard %s before it was read", view.For(age))
		}
		y.prose("  ", "", s+".")
		y.prose("    ", dim, "told by "+y.told(l.Evidence))
	}
}

// overheard tells of the lone neighbor of a node that is in no link: whether it
// is the parent or the other one of two routers is not known, so none is drawn.
func (y *why) overheard() {
	n := y.n
	if n.Parent != nil || n.Role.Routes() || n.Role.IsChild() {
		return
	}
	for _, r := range slices.Backward(n.Reports) {
		if len(r.Neighbors) != 1 {
			continue
		}
		nb := &r.Neighbors[0]
		who := nb.ExtAddr.String()
		if nb.ExtAddr == 0 {
			who = nb.RLOC16.String()
		}
		for _, x := range y.v.Map.Nodes {
			if nb.ExtAddr != 0 && x.ExtAddr == nb.ExtAddr || nb.ExtAddr == 0 && nb.RLOC16.Known() && x.RLOC16 == nb.RLOC16 && x.Network == n.Network {
				who = y.label(x, nameColumns)
			}
		}
		in := topology.Direction{LQ: nb.LinkQualityIn, RSSI: nb.AverageRSSI, Margin: nb.LinkMargin}
		if !in.RSSI.Known() {
			in.RSSI = nb.LastRSSI
		}
		y.head("Its links")
		y.prose("  ", "", fmt.Sprintf("It hears %s with %s; parent or neighbor not known.", who, heard(in)))
		return
	}
}

var linkWords = map[topology.LinkState]string{
	topology.LinkOK: "it works", topology.LinkOneWay: "it carries one way only", topology.LinkDying: "it is dying: neither end hears of itself from the other any more",
	topology.LinkDead: "it is dead", topology.LinkStale: "only old or contradicted rows tell of it",
}

var endsWords = map[topology.Confidence]string{
	topology.Inferred: "which follows from addresses only", topology.OneSided: "by the word of one end", topology.Confirmed: "by the word of both ends", topology.NoConfidence: "by nobody's word",
}

// heard is one direction as its receiver has it: "quality 3 of 3 at −60 dBm".
func heard(d topology.Direction) string {
	s := "a quality that is not known"
	if lq, ok := view.LQ(d); ok {
		s = fmt.Sprintf("quality %d of 3", lq)
		if d.SecondHand {
			s += " (as the other says)"
		}
	}
	if v, ok := d.RSSI.Get(); ok {
		s += " at " + view.DBm(v)
	}
	if v, ok := d.Margin.Get(); ok {
		s += fmt.Sprintf(", %d dB above the noise", v)
	}
	if v, ok := d.FrameError.Get(); ok {
		s += fmt.Sprintf(", %s of frames lost", v)
	}
	if v, ok := d.MessageError.Get(); ok {
		s += fmt.Sprintf(", %s of messages lost", v)
	}
	return s
}

// ways tells how traffic gets from the node to the border routers, and who has
// no way without it.
func (y *why) ways() {
	n := y.n
	if n.Network == nil {
		return
	}
	ways := y.v.Map.Routing()
	if len(ways.BorderRouters()) == 0 {
		return
	}
	cheapest := ways.Cheapest(n)
	y.head("Its ways to the border routers")
	if len(cheapest) == 0 {
		y.prose("  ", "", "None is known.")
	}
	for _, p := range cheapest {
		if len(p.Hops) == 1 {
			y.prose("  ", "", "It is one.")
			continue
		}
		y.prose("  ", "", y.way(p))
	}
	for _, p := range ways.Widest(n) {
		same := slices.ContainsFunc(cheapest, func(c topology.Path) bool { return c.To == p.To && slices.Equal(c.Hops, p.Hops) })
		if !same {
			y.prose("  ", "", "by better links, though longer: "+y.way(p))
		}
	}
	for _, c := range ways.Cuts() {
		if c.Router == n {
			names := make([]string, len(c.Routers))
			for i, r := range c.Routers {
				names[i] = y.label(r, nameColumns)
			}
			y.prose("  ", yellow, fmt.Sprintf("Without it %s no way to a border router: %s.", have(c.Loses()), strings.Join(names, ", ")))
		}
	}
}

func have(n int) string {
	if n == 1 {
		return "1 device has"
	}
	return fmt.Sprintf("%d devices have", n)
}

func (y *why) way(p topology.Path) string {
	hops := make([]string, len(p.Hops)-1)
	for i, h := range p.Hops[1:] {
		hops[i] = y.label(h, nameColumns)
	}
	s := "over " + strings.Join(hops[:len(hops)-1], ", ") + " to " + hops[len(hops)-1]
	if len(hops) == 1 {
		s = "straight to " + hops[0]
	}
	if c, ok := p.Cost.Get(); ok {
		s += fmt.Sprintf(", cost %d", c)
	}
	if lq, ok := p.Worst.Get(); ok {
		s += fmt.Sprintf(", worst link of quality %d", lq)
	}
	return s
}

func (y *why) contradictions() {
	if len(y.n.Conflicts) == 0 {
		return
	}
	y.head("What contradicts it")
	for _, c := range y.n.Conflicts {
		y.prose("  ", "", "about its "+short(text.Clean(c.About))+":")
		for i, x := range c.Claims {
			what := "not"
			if i == 0 {
				what = "believed"
			}
			y.row("  "+what, y.named(x.Value), []topology.Evidence{x.Evidence})
		}
	}
}

// about lists the findings that name the node.
func (y *why) about() {
	found := slices.DeleteFunc(slices.Clone(y.d.Findings), func(f doctor.Finding) bool { return !slices.Contains(f.Nodes, y.n) })
	if len(found) == 0 {
		return
	}
	y.head("Worth a look")
	for i := range found {
		y.finding("  ", &found[i])
	}
}

// WhyJSON writes the document "threadmap-why", version 1: the node and its links
// as in the document of a map, the links that others would lose without it, and
// the findings that name it.
func WhyJSON(w io.Writer, d *Document, n *topology.Node) error {
	j := newJSON(w)
	m := d.topology()
	j.ways = m.Routing()
	j.object(func() {
		j.key("format").str("threadmap-why")
		j.key("version").int(1)
		j.newline()
		j.key("node").node(n)
		j.newline()
		j.key("links").list(func() {
			for _, l := range m.Links {
				if l.A == n || l.B == n {
					j.newline()
					j.link(l)
				}
			}
		})
		j.newline()
		j.key("children").list(func() {
			for _, c := range n.Children {
				j.str(c.ID)
			}
		})
		j.key("cuts_off").list(func() {
			for _, c := range j.ways.Cuts() {
				if c.Router == n {
					for _, r := range c.Routers {
						j.str(r.ID)
					}
				}
			}
		})
		j.newline()
		j.findings(slices.DeleteFunc(slices.Clone(d.Findings), func(f doctor.Finding) bool { return !slices.Contains(f.Nodes, n) }))
	})
	return j.end()
}
