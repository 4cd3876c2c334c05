package view

import (
	"strings"

	"threadmap/render/internal/text"
	"threadmap/topology"
)

// Label is what a drawing calls a node: its name, else its product, else its
// extended address, else its RLOC16. A name is never made up. Several nodes
// may have the same; [View.Label] tells them apart.
func Label(n *topology.Node) string {
	if s := text.Clean(n.Name); s != "" {
		return s
	}
	if s := product(n); s != "" {
		return s
	}
	if n.ExtAddr != 0 {
		return n.ExtAddr.String()
	}
	if n.RLOC16.Known() {
		return n.RLOC16.String()
	}
	if s := text.Clean(n.Label()); s != "" {
		return s
	}
	return "nameless"
}

// product is "Vendor Product": a vendor that its product already names is not
// said twice, and its legal form is left out.
func product(n *topology.Node) string {
	p, v := text.Clean(n.Product), text.Clean(n.Vendor)
	if p == "" {
		return ""
	}
	words := strings.Fields(v)
	for len(words) > 1 && legalForm[strings.Trim(words[len(words)-1], ".,")] {
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return p
	}
	words[len(words)-1] = strings.TrimRight(words[len(words)-1], ",")
	if first, _, _ := strings.Cut(p, " "); strings.EqualFold(first, words[0]) {
		return p
	}
	return strings.Join(words, " ") + " " + p
}

var legalForm = map[string]bool{"Inc": true, "Ltd": true, "LLC": true, "GmbH": true, "AG": true, "Corp": true, "Co": true, "Limited": true, "Corporation": true}

// twins finds nodes that share a label, and gives each the end of its extended
// address, or its RLOC16, in brackets.
func twins(nodes []*topology.Node) map[*topology.Node]string {
	first := make(map[string]*topology.Node, len(nodes))
	out := map[*topology.Node]string{}
	mark := func(n *topology.Node) {
		switch {
		case n.ExtAddr != 0:
			out[n] = " (" + n.ExtAddr.String()[12:] + ")"
		case n.RLOC16.Known():
			out[n] = " (" + n.RLOC16.String() + ")"
		}
	}
	for _, n := range nodes {
		if n.Name == "" && n.Product == "" {
			continue // an address is its label
		}
		l := Label(n)
		if other, ok := first[l]; ok {
			mark(other)
			mark(n)
		} else {
			first[l] = n
		}
	}
	return out
}

// Label is [Label], with the end of the address where others have the same.
func (v *View) Label(n *topology.Node) string { return Label(n) + v.twins[n] }

// LabelIn is [View.Label] cut to a width in the unit of cut and measure; what
// tells twins apart stays.
func (v *View) LabelIn(n *topology.Node, width int, cut func(string, int) string, measure func(string) int) string {
	twin := v.twins[n]
	return cut(Label(n), width-measure(twin)) + twin
}
