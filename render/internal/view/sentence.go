package view

import (
	"fmt"
	"slices"
	"strings"

	"threadmap/render/internal/text"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// labelRoom keeps one long name from pushing the rest of a sentence away.
const labelRoom = 40

func short(s string) string { return text.Truncate(s, labelRoom) }

func (v *View) short(n *topology.Node) string {
	return v.LabelIn(n, labelRoom, text.Truncate, text.Columns)
}

// Examined adds what a doctor found to the view; nil: nobody looked. The titles
// of findings that are trouble, not just news, make its sentence.
func (v *View) Examined(findings []doctor.Finding) *View {
	if findings == nil {
		return v
	}
	v.findings, v.headlines = findings, []string{}
	for _, f := range findings {
		if f.Severity >= doctor.Warning {
			v.headlines = append(v.headlines, text.Truncate(text.Clean(f.Title), 3*labelRoom))
		}
	}
	return v
}

// Troubles are the findings that are trouble, not just news, worst first.
func (v *View) Troubles() []doctor.Finding {
	return slices.DeleteFunc(slices.Clone(v.findings), func(f doctor.Finding) bool { return f.Severity < doctor.Warning })
}

// maxHeadlines keeps the sentence one that is read.
const maxHeadlines = 3

// Sentence says in one line how the mesh does. It counts only what the map
// shows: where nobody told of links it does not praise them. Where no doctor
// looked, the map speaks for itself.
func (v *View) Sentence() string {
	devices, routers, named := 0, 0, ""
	counted := map[*topology.Network]bool{}
	networks := 0
	for _, g := range v.Groups {
		d, b := g.Nodes()
		devices, routers = devices+d, routers+b
		if g.Network != nil && !counted[g.Network] {
			counted[g.Network] = true
			networks++
			named = short(NetworkLabel(g.Network))
		}
	}
	if networks == 0 && devices == 0 {
		if n := len(v.OffThread); n > 0 {
			if v.OffThreadName() == "Not on Thread" {
				return fmt.Sprintf("No Thread network found; %s on Wi-Fi or Ethernet.", count(n, "device"))
			}
			return fmt.Sprintf("No Thread network found; %s that may be on Wi-Fi or Ethernet.", count(n, "device"))
		}
		return "No Thread network found."
	}
	is, its := "is", "its"
	if networks > 1 {
		named, is, its = fmt.Sprintf("%d Thread networks", networks), "are", "their"
	}
	troubles := v.troubles(networks)
	if v.headlines != nil {
		troubles = problems(v.headlines)
	}
	size := count(devices, "device")
	if routers > 0 {
		size += ", " + count(routers, "border router")
	}
	links, placed := v.seen()
	switch {
	case len(troubles) > 0 && links == 0 && devices > 1:
		return strings.Join(troubles, "; ") + "; " + size + " in all; too little is known of their links to judge them."
	case len(troubles) > 0:
		return strings.Join(troubles, "; ") + "; " + size + " in all."
	case networks == 0:
		return fmt.Sprintf("%s, but nobody told of a network.", size)
	case links == 0 || devices > 1 && placed*4 < devices*3:
		return fmt.Sprintf("%s: %s; too little is known of %s links to judge them.", named, size, its)
	}
	if told, all := v.told(); 2*told < all {
		what := "what they told is good"
		if told == 0 { // somebody did who does not say who it is, or a device that is no router
			what = "what is known of them is good"
		}
		if weak := v.weak(); weak > 0 {
			what = count(weak, "link") + " of those told of " + map[bool]string{true: "is", false: "are"}[weak == 1] + " weak"
		}
		if told == 0 {
			return fmt.Sprintf("%s: %s; of %s none is known to have told of its links: %s.", named, size, count(all, "router"), what)
		}
		return fmt.Sprintf("%s: %s; %d of %s told of their links, the others were not asked or did not answer: %s.", named, size, told, count(all, "router"), what)
	}
	return fmt.Sprintf("%s %s in good shape: %s.", named, is, size)
}

// told counts the routers that are known, and those that told of their links
// themselves. A link has two ends, so half of the routers know of most links.
func (v *View) told() (told, all int) {
	for _, n := range v.Map.Nodes {
		if n.State == topology.NodeGhost || n.State == topology.NodeStale || n.Network == nil || !n.Role.Routes() && !n.RLOC16.IsRouter() {
			continue
		}
		all++
		if n.RouterTable || n.ChildTable {
			told++
		}
	}
	return told, all
}

// weak counts the links that are plainly weak.
func (v *View) weak() (weak int) {
	for _, l := range v.Map.Links {
		if l.State == topology.LinkDead || l.State == topology.LinkStale {
			continue
		}
		g := Worst(l)
		rssi, known := LinkRSSI(l)
		if g == GradeWeak || g == GradeNone || g == GradeUnknown && known && rssi <= plainlyWeak {
			weak++
		}
	}
	return weak
}

// A signal without a quality judges a link only where no usual noise (-95 to
// -100 dBm) leaves a doubt: the margin of the quality 3 is 20 dB, of 1 it is 10.
const (
	plainlyGood = -70 // dBm, and above
	plainlyWeak = -92 // dBm, and below
)

// problems counts the headlines and gives the first of them.
func problems(headlines []string) []string {
	n := len(headlines)
	if n == 0 {
		return nil
	}
	out := slices.Clone(headlines[:min(n, maxHeadlines)])
	if n > 1 {
		out[0] = fmt.Sprintf("%d problems: %s", n, out[0])
	}
	if n > maxHeadlines {
		out = append(out, fmt.Sprintf("and %d more", n-maxHeadlines))
	}
	return out
}

// seen counts the links that can be judged and the nodes whose place is known.
func (v *View) seen() (links, placed int) {
	for _, l := range v.Map.Links {
		rssi, known := LinkRSSI(l)
		if Worst(l) != GradeUnknown || known && (rssi >= plainlyGood || rssi <= plainlyWeak) {
			links++
		}
	}
	for _, g := range v.Groups {
		for _, h := range g.Hubs {
			if len(h.Links)+len(h.Children) > 0 {
				placed++
			}
			placed += len(h.Children)
		}
	}
	return links, placed
}

// troubles lists what is wrong, the widest first.
func (v *View) troubles(networks int) []string {
	var out []string
	if networks > 1 {
		out = append(out, fmt.Sprintf("%d separate Thread networks", networks))
	}
	var split tally[*topology.Network]
	for _, n := range v.Map.Networks {
		if len(KnownPartitions(n)) > 1 {
			split.add(n)
		}
	}
	if split.n == 1 {
		out = append(out, fmt.Sprintf("%s is split into %d partitions", short(NetworkLabel(split.first)), len(KnownPartitions(split.first))))
	} else if split.n > 1 {
		out = append(out, fmt.Sprintf("%d networks are split into partitions", split.n))
	}
	var silent, ghosts, detached tally[*topology.Node]
	for _, n := range v.Map.Nodes {
		switch {
		case n.State == topology.NodeSilent:
			silent.add(n)
		case n.State == topology.NodeGhost:
			ghosts.add(n)
		case n.Role == "detached":
			detached.add(n)
		}
	}
	var oneWay, dying, weak tally[*topology.Link]
	for _, l := range v.Map.Links {
		switch g := Worst(l); {
		case l.A == nil || l.B == nil || l.State == topology.LinkDead || l.State == topology.LinkStale:
		case l.State == topology.LinkOneWay:
			oneWay.add(l)
		case l.State == topology.LinkDying:
			dying.add(l)
		case g == GradeWeak || g == GradeNone:
			weak.add(l)
		}
	}
	node := func(t tally[*topology.Node], one, many string) {
		if t.n == 1 {
			out = append(out, v.short(t.first)+" "+one)
		} else if t.n > 1 {
			out = append(out, fmt.Sprintf("%d devices %s", t.n, many))
		}
	}
	link := func(t tally[*topology.Link], what string) {
		if t.n == 1 {
			out = append(out, fmt.Sprintf("1 %s link (%s, %s)", what, v.short(t.first.A), v.short(t.first.B)))
		} else if t.n > 1 {
			out = append(out, fmt.Sprintf("%d %s links", t.n, what))
		}
	}
	link(dying, "dying")
	link(oneWay, "one-way")
	link(weak, "weak")
	node(silent, "does not answer", "do not answer")
	node(detached, "is detached", "are detached")
	if ghosts.n > 0 {
		out = append(out, count(ghosts.n, "ghost")+" (others still list what is gone)")
	}
	return out
}

type tally[T any] struct {
	n     int
	first T
}

func (t *tally[T]) add(x T) {
	if t.n == 0 {
		t.first = x
	}
	t.n++
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
