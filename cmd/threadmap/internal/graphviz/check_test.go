package graphviz

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const frame = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"
 "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<!-- Generated -->
<svg width="8pt" height="8pt" viewBox="0 0 8 8" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">
`

const oneNode = `<g id="node1" class="node"><title>a</title><g id="a_node1"><a xlink:title="url(what it says)"><ellipse fill="none" stroke="black" cx="4" cy="4" rx="2" ry="2"/><text text-anchor="middle" x="4" y="4">a&#45;b</text></a></g></g>`

func TestCheckSVG(t *testing.T) {
	for what, c := range map[string]struct {
		svg   string
		nodes int
		want  string // of the error; "": none
	}{
		"as Graphviz does":   {frame + oneNode + "</svg>\n", 1, ""},
		"no nodes":           {frame + "</svg>", 0, ""},
		"a node is missing":  {frame + oneNode + "</svg>", 2, "1 nodes of 2"},
		"a node too many":    {frame + oneNode + oneNode + "</svg>", 1, "2 nodes of 1"},
		"nothing":            {"", 0, "no whole SVG"},
		"text":               {"Error: <stdin>: syntax error", 0, "text around"},
		"HTML":               {"<html></html>", 0, "no SVG"},
		"cut short":          {frame + oneNode, 1, "no whole SVG"},
		"ends do not match":  {frame + "<g></svg></g>", 0, "did not begin"},
		"two":                {frame + "</svg><svg></svg>", 0, "no SVG"},
		"one in the other":   {frame + "<svg></svg></svg>", 0, "more than one"},
		"a script":           {frame + "<script>alert(1)</script></svg>", 0, `element "script"`},
		"a foreign element":  {frame + "<foreignObject></foreignObject></svg>", 0, `element "foreignObject"`},
		"a prefix":           {frame + "<svg:script></svg:script></svg>", 0, `element "svg:script"`},
		"a handler":          {frame + `<g onload="alert(1)"></g></svg>`, 0, `attribute "onload"`},
		"a link":             {frame + `<a xlink:href="javascript:alert(1)"></a></svg>`, 0, `attribute "xlink:href"`},
		"a picture":          {frame + `<image></image></svg>`, 0, `element "image"`},
		"a style":            {frame + `<g style="background:url(http://example.com)"></g></svg>`, 0, `attribute "style"`},
		"a paint elsewhere":  {frame + `<g fill="URL(http://example.com/#a)"></g></svg>`, 0, "outside"},
		"another namespace":  {frame + `<g xmlns="http://www.w3.org/1999/xhtml"></g></svg>`, 0, "namespace"},
		"an entity":          {`<!DOCTYPE svg PUBLIC "a" "b" [<!ENTITY x "y">]><svg></svg>`, 0, "declaration"},
		"an unknown entity":  {frame + "<text>&x;</text></svg>", 0, "no SVG"},
		"a style sheet":      {`<?xml-stylesheet href="http://example.com/a.css"?><svg></svg>`, 0, "instruction"},
		"much too deep":      {frame + strings.Repeat("<g>", 1000) + strings.Repeat("</g>", 1000) + "</svg>", 0, "too deep"},
		"bytes that no text": {frame + "<text>\xff\x00</text></svg>", 0, "no SVG"},
	} {
		err := checkPicture([]byte(c.svg), "svg", c.nodes)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}

// TestCheckRealPictures: what the programs draw passes. The files are drawn from
// a graph of two nodes by Graphviz 2.43 (dot -Ksfdp) and by go-graphviz 0.2.10.
func TestCheckRealPictures(t *testing.T) {
	for _, name := range []string{"sfdp-2.43.svg", "dot-12.1.2.svg"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := checkPicture(b, "svg", 2); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for end := range len(bytes.TrimSpace(b)) {
			if checkPicture(b[:end], "svg", 2) == nil {
				t.Errorf("%s: %d bytes of %d pass as a whole picture", name, end, len(b))
				break
			}
		}
	}
}

func TestCheckPNG(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	if err := checkPicture(whole, "png", 1); err != nil {
		t.Errorf("a small one: %v", err)
	}
	for end := range whole {
		if checkPicture(whole[:end], "png", 1) == nil {
			t.Errorf("%d bytes of %d pass as a whole picture", end, len(whole))
		}
	}
	for i := range whole {
		bent := bytes.Clone(whole)
		bent[i] ^= 0x40
		if checkPicture(bent, "png", 1) == nil {
			t.Errorf("byte %d changed, and nothing is noticed", i)
		}
	}
	if checkPicture(append(bytes.Clone(whole), 0), "png", 1) == nil {
		t.Error("what follows the end is not noticed")
	}
	huge := bytes.Clone(whole)
	binary.BigEndian.PutUint32(huge[16:], 1<<20)
	binary.BigEndian.PutUint32(huge[20:], 1<<20)
	fixSum(huge)
	if err := checkPicture(huge, "png", 1); err == nil || !strings.Contains(err.Error(), "pixels") {
		t.Errorf("2^40 pixels: %v", err)
	}
}

func FuzzCheckPicture(f *testing.F) {
	f.Add([]byte(frame+oneNode+"</svg>"), true)
	f.Add([]byte(pngHead), false)
	f.Fuzz(func(t *testing.T, b []byte, svg bool) {
		format := "png"
		if svg {
			format = "svg"
		}
		if checkPicture(b, format, 1) != nil {
			return
		}
		if !svg {
			return
		}
		for d := xml.NewDecoder(bytes.NewReader(b)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatalf("%q passes and is no XML: %v", b, err)
			}
			x, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			if slices.Contains([]string{"script", "style", "image", "use", "foreignobject", "iframe", "set", "animate"}, strings.ToLower(x.Name.Local)) {
				t.Errorf("%q passes", b)
			}
			for _, y := range x.Attr {
				if low := strings.ToLower(y.Name.Local); strings.HasPrefix(low, "on") || low == "href" || low == "style" {
					t.Errorf("%q passes", b)
				}
			}
		}
	})
}
