package render

import (
	"bytes"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/render/internal/fixture"
	"threadmap/render/schema/schematest"
	"threadmap/simulators/golden"
	"threadmap/topology/doctor"
)

var somewhere = Environment{Version: "v0.1.0", System: "linux/amd64", Picture: "ticket.svg"}

// TestVerbatimCallsNobody: issue trackers look for mentions and references in
// the text that is left when backslashes are gone.
func TestVerbatimCallsNobody(t *testing.T) {
	for in, want := range map[string]string{
		"@admin":              "@\u2060admin",
		"me@example.org":      "me@\u2060example.org",
		"#123":                "#\u2060123",
		"GH-12 !7":            "GH-\u206012 !\u20607",
		"https://example.org": "https:\u2060//example.org",
		"WWW.example.org":     "WWW.\u2060example.org",
		"Desk plug-2, 50 %!":  "Desk plug-2, 50 %!",
		"a:b www":             "a:b www",
	} {
		if got := strings.ReplaceAll(Verbatim(in), "\\", ""); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func ticketOf(t *testing.T, d *Document, e Environment) (text, doc string) {
	t.Helper()
	var a, b bytes.Buffer
	if err := Ticket(&a, d, e); err != nil {
		t.Fatal(err)
	}
	if err := TicketJSON(&b, d, e); err != nil {
		t.Fatal(err)
	}
	schematest.Document(t, b.Bytes())
	return a.String(), b.String()
}

func TestTicketGolden(t *testing.T) {
	text, doc := ticketOf(t, withFindings(), somewhere)
	golden.Same(t, "home-ticket.md", []byte(text))
	if strings.Contains(doc, `"redacted":true`) {
		t.Error("nobody redacted it")
	}
	redacted := somewhere
	redacted.Redacted = true
	text, doc = ticketOf(t, withFindings(), redacted)
	if !strings.Contains(text, "- redacted: ") || !strings.Contains(doc, `"redacted":true`) {
		t.Error(text)
	}
}

// TestTicketOfAll: every document makes a ticket whose tree stays in its fence,
// whatever its names are.
func TestTicketOfAll(t *testing.T) {
	hostile, scan := fixture.Hostile()
	docs := documents()
	docs["hostile"] = &Document{Map: hostile, Scan: scan}
	fences := &fixture.Builder{}
	net := fences.Network("``` ````", 1, 11)
	fences.Router(net, "`````text\n# head", 1)
	docs["fences"] = &Document{Map: fences.Done(), Findings: []doctor.Finding{}, Scan: &diag.Scan{Problems: []diag.Problem{{Source: "otbr", Target: "<img src=x>", Text: "![x](http://evil.example/) | `x`"}}}}
	for name, d := range docs {
		text, _ := ticketOf(t, d, somewhere)
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		begin, end := -1, -1
		fence := ""
		for i, line := range lines {
			switch {
			case begin < 0 && strings.HasSuffix(line, "text") && strings.HasPrefix(line, "```"):
				begin, fence = i, strings.TrimSuffix(line, "text")
			case begin >= 0 && end < 0 && strings.HasPrefix(strings.TrimLeft(line, " "), fence):
				end = i
			}
		}
		if begin < 0 || end < 0 || lines[end] != fence {
			t.Errorf("%s: a fence from line %d to %d:\n%s", name, begin, end, text)
			continue
		}
		for i, line := range lines {
			outside := i < begin || i > end
			if outside && (strings.Contains(line, "<img") || strings.Contains(line, "](http")) && !strings.Contains(line, `\<img`) {
				t.Errorf("%s: a name is Markdown: %s", name, line)
			}
			if outside && strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "### Thread") && !strings.HasPrefix(line, "#### ") {
				t.Errorf("%s: a name is a heading: %s", name, line)
			}
		}
	}
}
