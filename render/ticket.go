package render

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// An Environment is what a ticket tells of where it was made.
type Environment struct {
	Version  string // of threadmap
	System   string // operating system and processor
	Redacted bool   // the document's scan was redacted
	Picture  string // the name of a picture beside the ticket; "": none
}

// Ticket writes one block of Markdown to paste into a ticket: the sentence, where
// and when, the networks, the findings, the tree, who told it and what failed.
func Ticket(w io.Writer, d *Document, e Environment) error {
	t := ticket{bufio.NewWriter(w), d, d.view(false)}
	t.line("### Thread meshes of a home, as threadmap sees them")
	t.line("")
	t.line("%s", Verbatim(t.v.Sentence()))
	t.line("")
	t.environment(e)
	t.networks()
	t.findings()
	if err := t.tree(); err != nil {
		return err
	}
	if e.Picture != "" {
		t.line("")
		t.line("![The map as a picture](<%s>)", strings.NewReplacer("<", "%3C", ">", "%3E", "\\", "%5C", "\n", "").Replace(text.Clean(e.Picture)))
	}
	t.sources()
	t.problems()
	return t.b.Flush()
}

type ticket struct {
	b *bufio.Writer
	d *Document
	v *view.View
}

func (t *ticket) line(format string, args ...any) { fmt.Fprintf(t.b, format+"\n", args...) }

func (t *ticket) head(s string) {
	t.line("")
	t.line("#### %s", s)
	t.line("")
}

// quoted is a stranger's text in a table or a line.
func quoted(s string) string {
	if s = text.Clean(s); s == "" {
		return "?"
	}
	return Verbatim(text.Truncate(s, 80))
}

func (t *ticket) environment(e Environment) {
	t.line("- threadmap %s on %s", Verbatim(text.Clean(e.Version)), Verbatim(text.Clean(e.System)))
	if at := reference(t.d); !at.IsZero() {
		s := "state of " + at.UTC().Format("2006-01-02 15:04 MST")
		if x := t.d.Scan; x != nil && !x.From.IsZero() && x.To.After(x.From) {
			s += ", learnt in " + view.For(x.To.Sub(x.From))
		}
		t.line("- %s", s)
	}
	if t.d.Scan != nil && !t.d.Scan.Complete {
		t.line("- incomplete: not everybody who was asked answered")
	}
	if e.Redacted {
		t.line("- redacted: names are gone; addresses, ids, prefixes and places are pseudonyms, the same in every redacted report of this user")
	}
}

func (t *ticket) networks() {
	t.head("Networks")
	if len(t.v.Map.Networks) == 0 {
		t.line("None is known.")
		return
	}
	t.line("| network | channel | partitions | devices | routers | border routers | prefixes |")
	t.line("|---|---|---|---|---|---|---|")
	for _, n := range t.v.Map.Networks {
		devices, borders, routers := 0, 0, 0
		for _, g := range t.v.Groups {
			if g.Network == n {
				d, b := g.Nodes()
				devices, borders = devices+d, borders+b
			}
		}
		for _, x := range t.v.Map.Nodes {
			if x.Network == n && x.Role.Routes() && x.State != topology.NodeGhost {
				routers++
			}
		}
		prefixes := make([]string, len(n.OMRPrefixes))
		for i, p := range n.OMRPrefixes {
			prefixes[i] = p.String()
		}
		parts := "?"
		if k := len(view.KnownPartitions(n)); k > 0 {
			parts = fmt.Sprint(k)
		}
		t.line("| %s | %s | %s | %d | %d | %d | %s |", quoted(view.NetworkLabel(n)), n.Channel, parts, devices, routers, borders, quoted(strings.Join(prefixes, ", ")))
	}
}

func (t *ticket) findings() {
	t.head("Findings")
	switch {
	case t.d.Findings == nil:
		t.line("Nobody looked for trouble.")
	case len(t.d.Findings) == 0:
		t.line("None.")
	}
	for _, f := range t.d.Findings {
		t.line("- **%s** (%s, %s confidence) %s", f.Severity, Verbatim(f.Rule), f.Confidence, Verbatim(text.Clean(f.Title)))
		t.line("  %s *Next:* %s", Verbatim(text.Clean(f.Detail)), Verbatim(text.Clean(f.NextStep)))
	}
}

// tree sets the map in a code fence that no name can end.
func (t *ticket) tree() error {
	t.head("Map")
	var b bytes.Buffer
	if err := Tree(&b, t.d, Options{OnlyMap: true}); err != nil {
		return err
	}
	fence := "```"
	for bytes.Contains(b.Bytes(), []byte(fence)) {
		fence += "`"
	}
	t.line("%stext", fence)
	t.b.Write(b.Bytes())
	t.line("%s", fence)
	return nil
}

func (t *ticket) sources() {
	if t.d.Scan == nil || len(t.d.Scan.Sources) == 0 {
		return
	}
	t.head("Sources")
	t.line("| source | through | state |")
	t.line("|---|---|---|")
	for _, s := range t.d.Scan.Sources {
		via := ""
		if s.Via != "" {
			via = quoted(s.Via)
		}
		t.line("| %s | %s | %s |", quoted(view.SourceName(s.Name)), via, word(string(s.State), "failed", "answered", "skipped"))
	}
}

func (t *ticket) problems() {
	if t.d.Scan == nil || len(t.d.Scan.Problems) == 0 {
		return
	}
	t.head("Not learnt")
	var lines []string
	for _, p := range t.d.Scan.Problems {
		lines = append(lines, "- "+Verbatim(text.Truncate(text.Clean(p.Error()), 240)))
	}
	for _, s := range slices.Compact(lines) {
		t.line("%s", s)
	}
}

// TicketJSON writes the document "threadmap-report", version 1: what a ticket
// tells, with the document of the map.
func TicketJSON(w io.Writer, d *Document, e Environment) error {
	j := newJSON(w)
	j.object(func() {
		j.key("format").str("threadmap-report")
		j.key("version").int(1)
		j.key("redacted").bool(e.Redacted)
		j.key("threadmap").str(text.Clean(e.Version))
		j.key("system").str(text.Clean(e.System))
		j.key("sentence").str(Sentence(d))
		j.newline()
		j.key("map").document(d)
	})
	return j.end()
}

// Verbatim makes Markdown show a text as it is. Issue trackers look for
// mentions, references and bare addresses in the text that is left when the
// Markdown is gone, so a backslash does not stop them: a word joiner, which is
// not seen, parts what would call people or make a link.
func Verbatim(s string) string {
	const joiner = '\u2060'
	var b strings.Builder
	letter := false // before it: "GH-12" is a reference
	for i, r := range s {
		rest := s[i:]
		if strings.ContainsRune("\\`*_{}[]<>()#+!|~&@", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		switch {
		case r == '@', r == '#', strings.ContainsRune("!~%&$", r) && digit(rest[1:]), // "@admin", "#12", "!12"
			r == ':' && strings.HasPrefix(rest, "://"), r == '-' && letter && digit(rest[1:]),
			r == '.' && i >= 3 && strings.EqualFold(s[i-3:i], "www"):
			b.WriteRune(joiner)
		}
		letter = 'A' <= r && r <= 'Z'
	}
	return b.String()
}

func digit(s string) bool { return s != "" && '0' <= s[0] && s[0] <= '9' }
