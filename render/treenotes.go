package render

import (
	"fmt"
	"strings"

	"threadmap/diag"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
	"threadmap/topology/doctor"
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

// maxFindings is how many findings follow a map; "threadmap doctor" has all.
const maxFindings = 5

// findings lists the worst of what a doctor found.
func (t *tree) findings(found []doctor.Finding) {
	if len(found) == 0 {
		return
	}
	t.line("")
	t.line(t.paint(bold, "Worth a look"))
	for i, f := range found {
		if i == maxFindings {
			t.prose("  ", dim, fmt.Sprintf("and %d more: threadmap doctor", len(found)-i))
			break
		}
		t.finding("  ", &f)
	}
}

// finding is a finding in three parts: what it is, what was seen, what to do.
func (t *tree) finding(indent string, f *doctor.Finding) {
	mark := severityMarks[f.Severity]
	t.prose(indent+mark.sign+" ", mark.paint, text.Clean(f.Title))
	t.prose(indent+"  ", "", text.Clean(f.Detail))
	t.prose(indent+"  ", dim, "→ "+text.Clean(f.NextStep))
}

var severityMarks = map[doctor.Severity]struct {
	sign  string
	paint paint
}{
	doctor.Info:    {"·", ""},
	doctor.Warning: {"!", yellow},
	doctor.Error:   {"✗", red},
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
