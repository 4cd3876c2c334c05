package render

import (
	"fmt"
	"strings"

	"threadmap/diag"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// notes says what is unusual about a node: its state and why.
func (t *tree) notes(n *topology.Node) string {
	why := text.Clean(n.Why)
	switch n.State {
	case topology.NodeOK, "":
		return ""
	case topology.NodeUnknown:
		if why == "" {
			why = "nothing more is known"
		}
		return t.paint(dim, why)
	case topology.NodeSilent:
		return t.paint(yellow, join(string(n.State), why))
	}
	s := join(string(n.State), why)
	if ago := view.Ago(n.LastHeard, t.ref); ago != "" && n.State == topology.NodeStale {
		s += " (" + ago + ")"
	}
	return t.paint(dim, s)
}

func join(state, why string) string {
	if why == "" {
		return state
	}
	return state + ": " + why
}

// maxClaims keeps a quarrel of many from filling the screen; JSON has all.
const maxClaims = 4

func (t *tree) conflicts(indent string, l []topology.Conflict) {
	for _, c := range l {
		var claims []string
		for i, x := range c.Claims {
			if i == maxClaims {
				claims = append(claims, fmt.Sprintf("%d more", len(c.Claims)-i))
				break
			}
			value := short(text.Clean(x.Value))
			if n, ok := t.byID[x.Value]; ok {
				value = t.label(n, nameColumns)
			}
			claims = append(claims, value+" ("+short(view.SourceName(x.Evidence.Source))+")")
		}
		t.prose(indent, dim, "disagreement about "+short(text.Clean(c.About))+": "+strings.Join(claims, " against "))
	}
}

func (t *tree) problems(s *diag.Scan) {
	if s == nil || len(s.Problems) == 0 {
		return
	}
	t.line("")
	t.line(t.paint(bold, "Not learnt"))
	for _, p := range s.Problems {
		line := text.Clean(p.Error())
		if h := text.Clean(p.Hint); h != "" {
			line += ": " + h
		}
		t.prose("  ", "", line)
	}
}
