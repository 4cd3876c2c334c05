// Package page writes maps as one HTML file that needs nothing else: the
// pictures, the documents as data, and a script of our own that searches,
// filters, explains and exports them. It works from a disk, without a network.
//
// The file trusts nobody. Its Content-Security-Policy lets it load nothing, and
// run only the script and the styles that stand in it, known by their hashes.
// Data is JSON that can't end its element, and the script makes text of it,
// never markup: browsers that know Trusted Types refuse anything else.
//
// The reader is behind package svg and the JSON document; it knows neither
// maps nor layouts.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"io"
	"strings"
)

// The parts of the page. The scripts are set in this order into one element.
var (
	//go:embed page.html
	body string
	//go:embed page.css
	style string
	//go:embed model.js
	modelJS string
	//go:embed picture.js
	pictureJS string
	//go:embed panels.js
	panelsJS string
	//go:embed main.js
	mainJS string
)

// script is a block of its own, so that it leaves no name to the page.
func script() string { return "\"use strict\";\n{\n" + modelJS + pictureJS + panelsJS + mainJS + "}\n" }

// A Scan is one map: what the page shows at one position of its slider.
type Scan struct {
	Sentence string // how the mesh does
	Caption  string // when and by whom it was learnt
	// Map writes the document "threadmap-map".
	Map func(io.Writer) error
	// Picture is it as SVG. Style elements must be the same in all scans.
	Picture []byte
	// Nodes are the label and the role in words of each node, and Links one word
	// on each link, in the order of the document.
	Nodes [][2]string
	Links []string
	// Sources are the sources of the document in the words of people.
	Sources map[string]string
}

// Write writes the page of scans, oldest first; it opens at the last.
func Write(w io.Writer, scans []Scan) error {
	if len(scans) == 0 {
		return errors.New("a page needs a map")
	}
	o := &writer{w: w}
	last := &scans[len(scans)-1]
	code := script()
	o.add("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"")
	o.add(html.EscapeString(policy(code, append(styles(last.Picture), style))))
	o.add("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"generator\" content=\"threadmap\">\n<title>")
	o.add(html.EscapeString(last.Sentence))
	o.add("</title>\n<style>").add(style).add("</style>\n</head>\n<body>\n")

	fill := func(body, mark string) (rest string) {
		before, after, _ := strings.Cut(body, mark)
		o.add(before).add(mark)
		return after
	}
	rest := fill(body, `<h1 id="sentence">`)
	o.add(html.EscapeString(last.Sentence))
	rest = fill(rest, `<p id="caption">`)
	o.add(html.EscapeString(last.Caption))
	before, rest, _ := strings.Cut(rest, `</div>`+"\n"+`<div id="zoom">`)
	o.add(before)
	o.bytes(last.Picture)
	o.add("</div>\n<div id=\"zoom\">").add(rest)
	for i := range scans[:len(scans)-1] {
		o.add("<template class=\"scan\">")
		o.bytes(scans[i].Picture)
		o.add("</template>\n")
	}
	o.add("<script type=\"application/json\" id=\"data\">[")
	for i := range scans {
		if i > 0 {
			o.add(",\n")
		}
		o.scan(&scans[i])
	}
	o.add("]</script>\n<script>").add(code).add("</script>\n</body>\n</html>\n")
	return o.err
}

type writer struct {
	w   io.Writer
	err error
}

func (o *writer) bytes(b []byte) {
	if o.err == nil {
		_, o.err = o.w.Write(b)
	}
}

func (o *writer) add(s string) *writer {
	if o.err == nil {
		_, o.err = io.WriteString(o.w, s)
	}
	return o
}

func (o *writer) scan(s *Scan) {
	words := struct {
		Sentence string            `json:"sentence"`
		Caption  string            `json:"caption"`
		Nodes    [][2]string       `json:"nodes"`
		Links    []string          `json:"links"`
		Sources  map[string]string `json:"sources"`
	}{s.Sentence, s.Caption, s.Nodes, s.Links, s.Sources}
	if words.Nodes == nil {
		words.Nodes = [][2]string{}
	}
	if words.Links == nil {
		words.Links = []string{}
	}
	if words.Sources == nil {
		words.Sources = map[string]string{}
	}
	b, err := json.Marshal(words) // escapes < > & too
	if o.err == nil {
		o.err = err
	}
	if o.err != nil {
		return
	}
	o.bytes(b[:len(b)-1])
	o.add(",\"map\":")
	if o.err == nil {
		o.err = s.Map(&inScript{o.w})
	}
	o.add("}")
}

// inScript keeps JSON from ending the element that it stands in, or from
// beginning a comment there: "<" occurs in strings only, and has an escape.
type inScript struct{ w io.Writer }

func (s *inScript) Write(b []byte) (int, error) {
	done := 0
	for {
		i := bytes.IndexByte(b[done:], '<')
		if i < 0 {
			n, err := s.w.Write(b[done:])
			return done + n, err
		}
		if n, err := s.w.Write(b[done : done+i]); err != nil {
			return done + n, err
		}
		done += i
		if _, err := io.WriteString(s.w, `\u003c`); err != nil {
			return done, err
		}
		done++
	}
}

// policy allows this script and these styles, pictures that the page makes
// itself, and nothing else.
func policy(code string, styles []string) string {
	p := "default-src 'none'; script-src " + hash(code) + "; style-src"
	seen := map[string]bool{}
	for _, s := range styles {
		if h := hash(s); !seen[h] {
			seen[h] = true
			p += " " + h
		}
	}
	return p + "; img-src data: blob:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// styles are the contents of the style elements of a picture. Text of strangers
// can't look like one: its "<" is escaped.
func styles(picture []byte) []string {
	var out []string
	for {
		_, after, ok := bytes.Cut(picture, []byte("<style>"))
		if !ok {
			return out
		}
		var content []byte
		content, picture, _ = bytes.Cut(after, []byte("</style>"))
		out = append(out, string(content))
	}
}
