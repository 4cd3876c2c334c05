package doctor

import (
	"fmt"
	"strings"

	"threadmap/topology"
)

// weakRSSI is the signal, in dBm, below which 802.15.4 radios begin to lose
// frames: receivers are specified to about -100 dBm, and a home's noise floor
// lies near -95.
const weakRSSI = -85

// weakLink finds devices whose link to their parent is of the lowest quality or
// has a signal near the floor. Links between routers have a rule of their own,
// because a router has more than one.
var weakLink = Rule{
	Name:  "weak-link",
	About: "a device that hangs on a weak link to its parent",
	Of:    OfLink,
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, l := range c.Map.Links {
			child, parent, _, _ := childLink(l)
			if child == nil || l.State != topology.LinkOK {
				continue
			}
			signs := weakSigns(l)
			if signs == nil {
				continue
			}
			f := Finding{
				Severity: Warning, Confidence: Medium,
				Title:    fmt.Sprintf("%s hangs on a weak link", child.Label()),
				Detail:   fmt.Sprintf("Its parent is %s: %s.", parent.Label(), strings.Join(signs, ", ")),
				Nodes:    []*topology.Node{child, parent},
				NextStep: fmt.Sprintf("Move %s nearer to %s, or put a mains-powered Thread device between them.", child.Label(), parent.Label()),
				Evidence: l.Evidence,
			}
			if b := c.betterParent(child, l); b != nil {
				f.Detail += fmt.Sprintf(" %s would be a better parent: %s.", b.node.Label(), b.how)
				f.NextStep = fmt.Sprintf("Switch %s off and on, so that it looks for a parent again; %s is near. Else move it, or put a mains-powered Thread device between it and %s.", child.Label(), b.node.Label(), parent.Label())
				f.Nodes = append(f.Nodes, b.node)
				f.Evidence = append(f.Evidence[:len(f.Evidence):len(f.Evidence)], b.evidence)
			}
			if len(signs) > 1 {
				f.Confidence = High
			}
			out = append(out, f)
		}
		return out
	},
}

// weakSigns says in words why a link is weak, at either end; nil: it is not, or
// nobody said.
func weakSigns(l *topology.Link) []string {
	var signs []string
	for _, d := range []struct {
		topology.Direction
		by *topology.Node
	}{{l.AToB, l.B}, {l.BToA, l.A}} {
		if lq, known := d.LQ.Get(); known && lq == 1 && !d.SecondHand {
			signs = append(signs, fmt.Sprintf("link quality 1 of 3 at %s", d.by.Label()))
		}
		if rssi, known := d.RSSI.Get(); known && rssi < weakRSSI {
			signs = append(signs, fmt.Sprintf("%d dBm at %s", rssi, d.by.Label()))
		}
	}
	return signs
}

// childLink names the ends of a link between a child and its present parent,
// and its directions: up is what the parent receives. child is nil for other
// links.
func childLink(l *topology.Link) (child, parent *topology.Node, up, down topology.Direction) {
	switch {
	case l.Kind != topology.LinkChild:
		return nil, nil, up, down
	case l.A.Parent == l.B:
		return l.A, l.B, l.AToB, l.BToA
	case l.B.Parent == l.A:
		return l.B, l.A, l.BToA, l.AToB
	}
	return nil, nil, up, down
}
