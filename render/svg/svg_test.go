package svg

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"threadmap/render/scene"
)

func write(t *testing.T, s *scene.Scene) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestShapes(t *testing.T) {
	p := [4]scene.Point{{X: 10, Y: -25}, {X: 30, Y: 40}, {X: 55, Y: 60}, {X: -7, Y: 0}}
	rings := []scene.Point{{X: 100, Y: 200}, {X: 200, Y: 200}, {X: 200, Y: 250}, {X: 190, Y: 270}, {X: 100, Y: 200}, // a closed line
		{X: 150, Y: 100}, {X: -150, Y: 100}, {X: 150, Y: 100}, // and two there and back
		{X: -130, Y: 130}, {X: -130, Y: 230}, {X: -130, Y: 130}}
	tri := []scene.Point{{X: 0, Y: 0}, {X: 10, Y: 0}, {X: 5, Y: 15}}
	for _, c := range []struct {
		s    scene.Shape
		want string
	}{
		{scene.Shape{Kind: scene.Line, P: p}, `<path d="M1-2.5l2 6.5"/>`},
		{scene.Shape{Kind: scene.Quad, P: p}, `<path d="M1-2.5q2 6.5 4.5 8.5"/>`},
		{scene.Shape{Kind: scene.Cubic, P: p, Class: "a b"}, `<path class="a b" d="M1-2.5c2 6.5 4.5 8.5 -1.7 2.5"/>`},
		{scene.Shape{Kind: scene.Path, Poly: tri}, `<path d="M0 0l1 0l-0.5 1.5"/>`},
		{scene.Shape{Kind: scene.Polygon, Poly: tri}, `<path d="M0 0l1 0l-0.5 1.5Z"/>`},
		{scene.Shape{Kind: scene.Area, Class: "t1", S: "Hall", Poly: rings}, `<path class="t1" d="M10 20h10v5l-1 2Zm5-10h-30m2 3v10"/>`},
		{scene.Shape{Kind: scene.Circle, P: p, R: 55}, `<circle cx="1" cy="-2.5" r="5.5"/>`},
		{scene.Shape{Kind: scene.Ellipse, P: p}, `<ellipse cx="1" cy="-2.5" rx="3" ry="4"/>`},
		{scene.Shape{Kind: scene.Rect, P: p, R: 20}, `<rect x="1" y="-2.5" width="3" height="4" rx="2"/>`},
		{scene.Shape{Kind: scene.Text, P: p, S: `a<b>&"c"`}, `<text x="1" y="-2.5">a&lt;b&gt;&amp;&quot;c&quot;</text>`},
		{scene.Shape{Kind: scene.Text, P: p, S: "x", Anchor: scene.Middle}, `<text class="mid" x="1" y="-2.5">x</text>`},
		{scene.Shape{Kind: scene.Text, Class: "item", P: p, S: "x", Anchor: scene.End, Len: 70}, `<text class="item end" x="1" y="-2.5" textLength="7">x</text>`},
		{scene.Shape{Kind: scene.Text, P: p, S: "\x00\x1b\u009b\u202e\ufffe\xff客"}, "<text x=\"1\" y=\"-2.5\">\ufffd\ufffd&#x9b;&#x202e;\ufffd\ufffd客</text>"},
	} {
		got := write(t, &scene.Scene{W: 1000, H: 500, Groups: []scene.Group{{Shapes: []scene.Shape{c.s}}}})
		if !strings.Contains(got, "<g>"+c.want+"</g>") {
			t.Errorf("want %s in\n%s", c.want, got[strings.Index(got, "</style>"):])
		}
	}
}

func TestGroups(t *testing.T) {
	s := &scene.Scene{W: 15, H: 20, Title: "T&T", Desc: "D", Groups: []scene.Group{
		{Class: "empty"},
		{Class: "link", Ends: [2]string{"a\n", "b"}, Shapes: []scene.Shape{{Kind: scene.Line}}},
		{Class: "node", ID: `"><script>`, Title: "one\ntwo", Groups: []scene.Group{{Class: "in", Shapes: []scene.Shape{{Kind: scene.Circle}}}}}}}
	alone := write(t, s)
	for _, want := range []string{`<g class="link">`, "<g class=\"node\"><title>one\ntwo</title>"} {
		if !strings.Contains(alone, want) {
			t.Errorf("no %s in\n%s", want, alone)
		}
	}
	if strings.Contains(alone, "data-") || strings.Contains(alone, "<script") {
		t.Errorf("there is something that only a page needs:\n%s", alone)
	}
	var b bytes.Buffer
	if err := WriteForPage(&b, s); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, want := range []string{`width="1.5" height="2" viewBox="0 0 1.5 2"`, `T&amp;T</title>`, `<g class="link" data-a="a&#10;" data-b="b">`, "<g class=\"node\" data-id=\"&quot;&gt;&lt;script&gt;\"><title>one\ntwo</title>"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, "empty") {
		t.Error("an empty group was written")
	}
}

// TestAreas: a picture that has areas has their style, others don't; those of a page
// all have, since it allows one style; the room is told to a page only.
func TestAreas(t *testing.T) {
	area := scene.Shape{Kind: scene.Area, S: `"Bed" & <Bath>`, Poly: []scene.Point{{}, {X: 10}, {}}}
	without, with := &scene.Scene{}, &scene.Scene{Groups: []scene.Group{{Groups: []scene.Group{{Shapes: []scene.Shape{area}}}}}}
	for name, c := range map[string]struct {
		s           *scene.Scene
		write       func(io.Writer, *scene.Scene) error
		style, room bool
	}{"without": {without, Write, false, false}, "with": {with, Write, true, false}, "page without": {without, WriteForPage, true, false}, "page": {with, WriteForPage, true, true}} {
		var b bytes.Buffer
		if err := c.write(&b, c.s); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), areaStyle); got != c.style {
			t.Errorf("%s: style of areas: %v", name, got)
		}
		if got := strings.Contains(b.String(), `data-room="&quot;Bed&quot; &amp; &lt;Bath&gt;"`); got != c.room || strings.Contains(b.String(), "<Bath") {
			t.Errorf("%s: room: %v in %s", name, got, b.String())
		}
	}
}

// TestNothingIsFetched: the file stands alone.
func TestNothingIsFetched(t *testing.T) {
	for _, bad := range []string{"url(", "@import", "@font-face", "<", "javascript", "http"} {
		if strings.Contains(Style(), bad) {
			t.Errorf("the style has %q", bad)
		}
	}
}

// FuzzText: whatever a name holds, the file is well-formed and the name stays
// text.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a", "</text>", "]]>", "&#0;", "\x00", "\xff", "\ufffe", "<!--", "\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b bytes.Buffer
		g := scene.Group{ID: s, Title: s, Shapes: []scene.Shape{{Kind: scene.Text, S: s}}}
		if err := WriteForPage(&b, &scene.Scene{Title: s, Desc: s, Groups: []scene.Group{g}}); err != nil {
			t.Fatal(err)
		}
		d, n := xml.NewDecoder(&b), 0
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := tok.(xml.StartElement); ok {
				n++
			}
		}
		want := 8 // svg, title, desc, style, rect, g, title, text
		if s == "" {
			want = 7 // a group without a title has no such element
		}
		if n != want {
			t.Errorf("%d elements, want %d", n, want)
		}
	})
}
