package render

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"threadmap/diag"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// Findings writes what a doctor found, worst first: of each what it is, what was
// seen, what to do, and whose word it is.
func Findings(w io.Writer, d *Document, o Options) error {
	t := newTree(w, d, d.view(true), o)
	t.prose("", bold, t.v.Sentence())
	switch {
	case d.Findings == nil:
		t.line("")
		t.prose("", "", "Nobody looked for trouble.")
	case len(d.Findings) == 0:
		t.line("")
		t.prose("", "", fmt.Sprintf("Nothing found: %d rules looked. A rule is silent about what nobody told.", len(doctor.Rules)))
	default:
		t.line(t.paint(dim, tally(d.Findings)))
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		t.line("")
		t.finding("", f)
		s := f.Rule
		if c := f.Confidence.String(); c != "" {
			s += ", " + c + " confidence"
		}
		if by := t.toldBy(f.Evidence); by != "" {
			s += "; told by " + by
		}
		t.prose("  ", dim, s)
	}
	t.problems(d.Scan)
	return t.b.Flush()
}

// toldBy are the sources behind a finding, with when each spoke last; JSON has
// every single word.
func (t *tree) toldBy(by []topology.Evidence) string {
	last := map[string]topology.Evidence{}
	for _, e := range by {
		if name := view.SourceName(e.Source); e.At.After(last[name].At) || last[name].Source == "" {
			last[name] = e
		}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(last)) {
		s := short(name)
		if ago := view.Ago(last[name].At, t.ref); ago != "" {
			s += " " + ago
		}
		out = append(out, s)
	}
	if len(out) > maxTold {
		out = append(out[:maxTold], fmt.Sprintf("%d more", len(out)-maxTold))
	}
	return strings.Join(out, ", ")
}

// tally counts findings: "1 error, 2 warnings, 1 note".
func tally(found []doctor.Finding) string {
	var out []string
	for _, k := range []struct {
		severity doctor.Severity
		word     string
	}{{doctor.Error, "error"}, {doctor.Warning, "warning"}, {doctor.Info, "note"}} {
		n := 0
		for _, f := range found {
			if f.Severity == k.severity {
				n++
			}
		}
		if n > 0 {
			out = append(out, plural(n, k.word))
		}
	}
	return strings.Join(out, ", ")
}

// FindingsJSON writes the document "threadmap-findings", version 1: what a doctor
// found, as in the document of a map, and what the nodes are called that it names.
func FindingsJSON(w io.Writer, d *Document) error {
	j := newJSON(w)
	j.object(func() {
		j.key("format").str("threadmap-findings")
		j.key("version").int(1)
		j.key("sentence").str(Sentence(d))
		j.scan(d.Scan)
		j.findings(d.Findings)
		j.newline()
		var nodes []*topology.Node
		for _, f := range d.Findings {
			nodes = append(nodes, f.Nodes...)
		}
		j.named("nodes", d.view(true), nodes)
		j.problems(d.Scan)
	})
	return j.end()
}

// named lists what nodes are called, each once, by ID.
func (j *jsonWriter) named(key string, v *view.View, nodes []*topology.Node) {
	nodes = slices.Clone(nodes)
	slices.SortFunc(nodes, func(a, b *topology.Node) int { return strings.Compare(a.ID, b.ID) })
	nodes = slices.Compact(nodes)
	j.each(key, len(nodes), func(i int) { j.nodeRef(v, nodes[i]) })
}

// nodeRef names a node of another document: its id, its label, its network.
func (j *jsonWriter) nodeRef(v *view.View, n *topology.Node) {
	if n == nil {
		j.null()
		return
	}
	j.object(func() {
		j.key("id").str(n.ID)
		j.key("name").clean(n.Name)
		j.key("label").str(text.Clean(v.Label(n)))
		j.key("network")
		if n.Network != nil {
			j.str(n.Network.ID)
		} else {
			j.null()
		}
	})
}

// Answered lists the sources that told a scan something, in the order of the
// alphabet.
func Answered(s *diag.Scan) []string {
	if s == nil {
		return nil
	}
	var out []string
	for _, x := range s.Sources {
		if x.State == diag.StateAnswered {
			out = append(out, x.Name)
		}
	}
	for i := range s.Reports {
		if n := len(out); n == 0 || out[n-1] != s.Reports[i].Source {
			out = append(out, s.Reports[i].Source)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
