package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"threadmap/render/internal/fixture"
	"threadmap/render/schema/schematest"
)

func hostile() *Document {
	m, s := fixture.Hostile()
	return &Document{Map: m, Scan: s}
}

var ourColours = regexp.MustCompile("\x1b\\[(0|1|2|31|32|33)m")

// TestHostileTextEverywhere: in no format does a name bring a character that a
// terminal or an editor could act on.
func TestHostileTextEverywhere(t *testing.T) {
	for _, f := range Formats {
		if f.Name == "png" {
			continue // no text
		}
		for _, o := range []Options{{}, {Color: true, Width: 60, ShowDead: true}} {
			got := string(draw(t, f, hostile(), o))
			if !utf8.ValidString(got) {
				t.Errorf("%s: invalid UTF-8", f.Name)
			}
			got = strings.ReplaceAll(got, "\r\n", "\n")
			if o.Color && f.Name == "tree" {
				got = ourColours.ReplaceAllString(got, "")
			}
			for i, r := range got {
				if r != '\n' && !(r == '\t' && f.Name == "dot") && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
					t.Errorf("%s: %U in …%q", f.Name, r, got[max(0, i-40):i])
					break
				}
			}
			if f.Name == "tree" || f.Name == "svg" { // nothing is boundless
				for line := range strings.Lines(got) {
					if len(line) > 12*1024 {
						t.Errorf("%s: a line of %d bytes", f.Name, len(line))
					}
				}
			}
		}
	}
}

func TestHostileTreeKeepsItsLines(t *testing.T) {
	m, _ := fixture.Hostile()
	got := string(draw(t, Formats[0], &Document{Map: m}, Options{}))
	if n := strings.Count(got, "  ├ ") + strings.Count(got, "  └ "); n != len(fixture.HostileNames) {
		t.Errorf("%d children drawn, want %d", n, len(fixture.HostileNames))
	}
}

var svgElements = map[string]bool{"svg": true, "title": true, "desc": true, "style": true, "g": true, "path": true, "circle": true, "ellipse": true, "rect": true, "text": true}
var svgAttributes = map[string]bool{"xmlns": true, "width": true, "height": true, "viewBox": true, "role": true, "aria-labelledby": true, "class": true, "id": true, "textLength": true,
	"d": true, "cx": true, "cy": true, "r": true, "rx": true, "ry": true, "x": true, "y": true}

// TestSVGIsWellFormed: strict XML that holds nothing but drawings; names are
// text and never elements or attributes.
func TestSVGIsWellFormed(t *testing.T) {
	all := documents()
	all["hostile"] = hostile()
	for name, d := range all {
		dec := xml.NewDecoder(bytes.NewReader(draw(t, Formats[2], d, Options{ShowDead: true})))
		texts := map[string]bool{}
		for {
			tok, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			switch tok := tok.(type) {
			case xml.StartElement:
				if !svgElements[tok.Name.Local] {
					t.Errorf("%s: element %q", name, tok.Name.Local)
				}
				for _, a := range tok.Attr {
					if !svgAttributes[a.Name.Local] {
						t.Errorf("%s: attribute %q", name, a.Name.Local)
					}
				}
			case xml.CharData:
				texts[string(tok)] = true
			case xml.Comment, xml.Directive, xml.ProcInst:
				t.Errorf("%s: %T", name, tok)
			}
		}
		if name == "hostile" && !texts["]]>"] {
			t.Errorf("the name ]]> did not survive")
		}
	}
}

func TestJSONOfHostileNames(t *testing.T) {
	got := draw(t, Formats[1], hostile(), Options{})
	schematest.Map(t, got)
	var doc struct {
		Nodes []struct{ ID, Name string }
	}
	if err := json.Unmarshal(got, &doc); err != nil {
		t.Fatal(err)
	}
	m, _ := fixture.Hostile()
	for i, n := range doc.Nodes {
		if n.Name != Clean(m.Nodes[i].Name) {
			t.Errorf("name %q, want %q", n.Name, Clean(m.Nodes[i].Name))
		}
		// ids are kept as they are, so that they stay apart from each other
		if want := string([]rune(m.Nodes[i].ID)); n.ID != want {
			t.Errorf("id %q, want %q", n.ID, want)
		}
	}
}

func TestCSVIsNoSpreadsheetProgram(t *testing.T) {
	for name, d := range map[string]*Document{"hostile": hostile(), "home": documents()["home"]} {
		raw := draw(t, Formats[4], d, Options{})
		if bytes.Count(raw, []byte("\n")) != bytes.Count(raw, []byte("\r\n")) {
			t.Errorf("%s: lines must end in CRLF (RFC 4180)", name)
		}
		rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != len(d.Map.Nodes)+1 {
			t.Errorf("%s: %d rows for %d nodes", name, len(rows), len(d.Map.Nodes))
		}
		for _, row := range rows[1:] {
			for i, c := range row {
				number := strings.HasPrefix(csvHeader[i], "rssi_")
				if c != "" && strings.ContainsRune("=+-@", rune(c[0])) && !number {
					t.Errorf("%s: column %s begins a formula: %q", name, csvHeader[i], c)
				}
			}
		}
	}
}

// TestDOTQuoting reads the file by the rules of the language: outside of
// quoted strings there are only words and signs of ours, and braces pair up.
func TestDOTQuoting(t *testing.T) {
	got := string(draw(t, Formats[3], hostile(), Options{}))
	depth, quoted := 0, false
	for i := 0; i < len(got); i++ {
		c := got[i]
		switch {
		case quoted && c == '\\':
			i++
			if n := got[i]; n != '\\' && n != '"' && n != 'n' {
				t.Fatalf("escape \\%c", n)
			}
		case c == '"':
			quoted = !quoted
		case quoted:
			if c == '&' && !strings.HasPrefix(got[i:], "&amp;") {
				t.Fatalf("entity in %q", got[i:i+10])
			}
		case c == '{':
			depth++
		case c == '}':
			depth--
		case !strings.ContainsRune("\n\t ,;=[]-._", rune(c)) && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z'):
			t.Fatalf("%q outside of quotes: %q", c, got[max(0, i-30):i+10])
		}
	}
	if depth != 0 || quoted {
		t.Errorf("braces %d, in quotes %v", depth, quoted)
	}
}

func TestGraphvizTakesIt(t *testing.T) {
	dot, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("Graphviz is not installed")
	}
	all := documents()
	all["hostile"] = hostile()
	for name, d := range all {
		cmd := exec.Command(dot, "-Tplain")
		cmd.Stdin = bytes.NewReader(draw(t, Formats[3], d, Options{}))
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
		out, err := cmd.Output()
		if err != nil || strings.Contains(complaints.String(), "syntax") {
			t.Errorf("%s: %v: %s", name, err, complaints.String())
		}
		if want := len(d.topology().Nodes); bytes.Count(out, []byte("\nnode ")) != want {
			t.Errorf("%s: Graphviz sees %d nodes, want %d", name, bytes.Count(out, []byte("\nnode ")), want)
		}
	}
}
