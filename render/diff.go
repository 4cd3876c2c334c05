package render

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"threadmap/diag"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// A Comparison is two documents and what changed from one to the other.
type Comparison struct {
	Before, After *Document
	Changes       []topology.Change // what matters most first
}

// Compare compares two documents, the older one first.
func Compare(before, after *Document) *Comparison {
	return &Comparison{before, after, topology.Diff(before.topology(), after.topology(), Answered(before.Scan), Answered(after.Scan))}
}

// Diff writes what changed, in plain words: a sentence, then one change a line,
// then what can't be compared because only one of the two asked for it.
func Diff(w io.Writer, c *Comparison, o Options) error {
	t := &differ{tree: *newTree(w, c.After, c.After.view(true), o), c: c, old: c.Before.view(true)}
	t.prose("", bold, t.sentence())
	for k, class := range classes {
		first := true
		for i := range c.Changes {
			x := &c.Changes[i]
			if classOf(x) != k {
				continue
			}
			if first {
				first = false
				t.line("")
				t.line(t.paint(bold, class.head))
			}
			t.prose("  "+class.sign+" ", class.paint, t.words(x))
		}
	}
	if gaps := c.gaps(); len(gaps) > 0 {
		t.line("")
		t.line(t.paint(bold, "Not compared"))
		for _, s := range gaps {
			t.prose("  ", "", s)
		}
	}
	return t.b.Flush()
}

type differ struct {
	tree
	c   *Comparison
	old *view.View
}

// classes put changes under a heading each, in the order in which they come.
var classes = [...]struct {
	word, head, sign string // word: of the JSON document
	paint            paint
}{
	{"broken", "Gone or broken", "✗", red},
	{"worse", "Worse", "!", yellow},
	{"changed", "Changed", "·", ""},
	{"better", "New or better", "+", green},
	{"told", "Also changed", "·", dim},
}

// classOf is the place of a change's class in classes.
func classOf(x *topology.Change) int {
	switch k := x.Kind; {
	case k == topology.NetworkSplit && more(x.Before, x.After):
		return 3
	case k <= topology.LinkLost:
		return 0
	case k == topology.LinkWorse:
		return 1
	case k <= topology.LeaderChanged:
		return 2
	case k <= topology.LinkBetter:
		return 3
	}
	return 4
}

// more reports whether the first of two numbers is larger.
func more(a, b string) bool { return len(a) > len(b) || len(a) == len(b) && a > b }

// sentence says how many changes there are, in what time, and the first of them.
func (t *differ) sentence() string {
	in := ""
	if a, b := reference(t.c.Before), reference(t.c.After); !a.IsZero() && b.Sub(a) >= time.Second {
		in = " in " + view.For(b.Sub(a).Round(time.Second))
	}
	switch n := len(t.c.Changes); {
	case n == 0 && len(t.c.gaps()) > 0:
		return "Nothing that both scans tell of changed" + in + "."
	case n == 0:
		return "Nothing changed" + in + "."
	case n == 1:
		return "1 change" + in + ": " + t.words(&t.c.Changes[0]) + "."
	default:
		return fmt.Sprintf("%d changes%s, above all: %s.", n, in, t.words(&t.c.Changes[0]))
	}
}

// name is what a node is called, in the map that has it.
func (t *differ) name(n *topology.Node) string {
	if n == nil {
		return "nobody"
	}
	if t.byID[n.ID] == n {
		return t.label(n, nameColumns)
	}
	return t.old.LabelIn(n, nameColumns, text.Truncate, text.Columns)
}

// words say a change in one line.
func (t *differ) words(x *topology.Change) string {
	before, after := short(text.Clean(x.Before)), short(text.Clean(x.After))
	who := t.name(x.Node)
	net := short(view.NetworkLabel(x.Network))
	link := "The link of " + who + " and " + t.name(x.Peer)
	switch x.Kind {
	case topology.NetworkSplit:
		if more(before, after) {
			return fmt.Sprintf("%s has %s left of its %s partitions", net, after, before)
		}
		return fmt.Sprintf("%s fell into %s partitions, it had %s", net, after, before)
	case topology.BorderRouterGone:
		return "Border router " + who + " is gone: " + text.Clean(x.After)
	case topology.NodeGone:
		return who + " is gone: " + text.Clean(x.After)
	case topology.NodeSilenced:
		return who + " does not answer any more"
	case topology.ParentLost:
		return who + " is no child of " + before + " any more, and no other parent is known"
	case topology.LinkLost:
		if after == "no link" {
			return link + " is lost, it had " + before
		}
		return fmt.Sprintf("%s is %s now, it had %s", link, linkWord(x.After), before)
	case topology.LinkWorse:
		return fmt.Sprintf("%s got worse: %s, before %s", link, after, before)
	case topology.ParentChanged:
		return fmt.Sprintf("%s moved from %s to %s", who, before, t.name(x.Peer))
	case topology.LeaderChanged:
		return fmt.Sprintf("%s has a new leader: %s, before %s", net, who, before)
	case topology.NodeCame:
		s := who + " is new"
		if after != "" {
			s += ": " + roleWords(x.After)
		}
		if x.Peer != nil {
			s += ", its parent is " + t.name(x.Peer)
		}
		return s
	case topology.NodeBack:
		return who + " is back, it was " + before
	case topology.LinkCame:
		if before == "" {
			return link + " is new: " + after
		}
		return fmt.Sprintf("%s works again: %s, it was %s", link, after, linkWord(x.Before))
	case topology.LinkBetter:
		return fmt.Sprintf("%s got better: %s, before %s", link, after, before)
	case topology.RoleChanged:
		return fmt.Sprintf("%s is now %s, it was %s", who, roleWords(x.After), roleWords(x.Before))
	case topology.BorderRouterChanged:
		if x.After == "border router" {
			return who + " has become a border router"
		}
		return who + " is no border router any more"
	case topology.NetworkChanged:
		return fmt.Sprintf("%s has %s, before %s", net, text.Truncate(text.Clean(x.After), 80), text.Truncate(text.Clean(x.Before), 80))
	case topology.FirmwareChanged:
		return fmt.Sprintf("%s has firmware %s, before %s", who, after, before)
	case topology.RLOC16Changed:
		return fmt.Sprintf("%s has the short address %s, before %s", who, after, before)
	case topology.NameChanged:
		return fmt.Sprintf("%s is the name now of what was %s", after, before)
	}
	return fmt.Sprintf("%s: %s, before %s: %s", who, after, before, x.Kind)
}

// linkWord is a link's state in words.
func linkWord(state string) string {
	switch topology.LinkState(state) {
	case topology.LinkOneWay:
		return "one-way"
	case topology.LinkDying:
		return "dying"
	case topology.LinkDead:
		return "dead"
	case topology.LinkStale:
		return "only in old rows"
	}
	return short(text.Clean(state))
}

// roleWords are a role with its article.
func roleWords(role string) string {
	switch diag.Role(role) {
	case diag.RoleSleepyEndDevice:
		return "a sleepy device"
	case diag.RoleEndDevice, diag.RoleREED:
		return "an end device"
	case diag.RoleRouter, diag.RoleLeader:
		return "a router"
	case diag.RoleDetached:
		return "detached"
	}
	return "a device of unknown kind"
}

// gaps say what can't be compared: sources that told only one of the two, or less
// of one, and networks that only one was told of.
func (c *Comparison) gaps() []string {
	var out []string
	was, is := answers(c.Before.Scan), answers(c.After.Scan)
	for _, name := range union(was, is) {
		a, b := was[name], is[name]
		s := view.SourceName(name)
		switch {
		case a > 0 && b == 0:
			out = append(out, s+" told the older scan and not the newer one: what only it tells of is not called lost.")
		case a == 0 && b > 0:
			out = append(out, s+" told the newer scan and not the older one: what only it tells of is not called new.")
		case b < a:
			out = append(out, fmt.Sprintf("Of %s, %d places answered the older scan and %d the newer one.", s, a, b))
		case a < b:
			out = append(out, fmt.Sprintf("Of %s, %d places answered the newer scan and %d the older one.", s, b, a))
		}
	}
	for _, side := range []struct {
		has, lacks *topology.Map
		word       string
	}{{c.Before.topology(), c.After.topology(), "older"}, {c.After.topology(), c.Before.topology(), "newer"}} {
		there := map[string]bool{} // networks, and nodes
		for _, n := range side.lacks.Networks {
			there[n.ID] = true
		}
		for _, n := range side.lacks.Nodes {
			there[n.ID] = there[n.ID] || n.Network != nil
		}
		for _, n := range side.has.Networks {
			if !there[n.ID] && !slices.ContainsFunc(side.has.Nodes, func(x *topology.Node) bool { return x.Network == n && there[x.ID] }) {
				out = append(out, fmt.Sprintf("Only the %s scan was told of %s.", side.word, short(view.NetworkLabel(n))))
			}
		}
	}
	return out
}

// union lists the names that either has, in the order of the alphabet.
func union(a, b map[string]int) []string {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return slices.Sorted(maps.Keys(both))
}

// answers count by source the places that answered.
func answers(s *diag.Scan) map[string]int {
	out := map[string]int{}
	for _, name := range Answered(s) {
		for _, x := range s.Sources {
			if x.Name == name && x.State == diag.StateAnswered {
				out[name]++
			}
		}
		out[name] = max(out[name], 1)
	}
	return out
}

// DiffJSON writes the document "threadmap-diff", version 1.
func DiffJSON(w io.Writer, c *Comparison) error {
	j := newJSON(w)
	t := &differ{tree: tree{v: c.After.view(true), byID: map[string]*topology.Node{}}, c: c, old: c.Before.view(true)}
	for _, n := range t.v.Map.Nodes {
		t.byID[n.ID] = n
	}
	ref := func(n *topology.Node) {
		if n != nil && t.byID[n.ID] != n {
			j.nodeRef(t.old, n)
			return
		}
		j.nodeRef(t.v, n)
	}
	j.object(func() {
		j.key("format").str("threadmap-diff")
		j.key("version").int(1)
		j.key("sentence").str(t.sentence())
		j.newline()
		for _, side := range []struct {
			key string
			d   *Document
		}{{"before", c.Before}, {"after", c.After}} {
			j.key(side.key).object(func() {
				j.scan(side.d.Scan)
				j.key("answered").texts(Answered(side.d.Scan))
			})
			j.newline()
		}
		was, is := answers(c.Before.Scan), answers(c.After.Scan)
		only := func(key string, have, lack map[string]int) {
			j.key(key).list(func() {
				for _, name := range union(was, is) {
					if have[name] > 0 && lack[name] == 0 {
						j.str(text.Clean(name))
					}
				}
			})
		}
		only("only_before", was, is)
		only("only_after", is, was)
		j.key("gaps").texts(c.gaps())
		j.newline()
		j.key("changes").open('[')
		for i := range c.Changes {
			x := &c.Changes[i]
			j.newline()
			j.object(func() {
				j.key("kind").str(x.Kind.String())
				j.key("class").str(classes[classOf(x)].word)
				j.key("text").str(t.words(x))
				j.key("node")
				ref(x.Node)
				j.key("peer")
				ref(x.Peer)
				j.key("network")
				if x.Network != nil {
					j.str(x.Network.ID)
				} else {
					j.null()
				}
				j.key("before").clean(x.Before)
				j.key("after").clean(x.After)
			})
		}
		j.close(']')
	})
	return j.end()
}
