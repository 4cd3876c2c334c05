// Package svg writes a scene as SVG: one file without scripts, fonts or
// anything fetched, readable on light and dark pages.
//
// The reader is behind package scene; it is the last step of a picture.
package svg

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"threadmap/render/scene"
)

// Write writes s. The same scene gives the same bytes everywhere: coordinates
// are integers, printed with one decimal.
func Write(w io.Writer, s *scene.Scene) error { return writeScene(w, s, false) }

// WriteForPage writes s with attributes by which a script finds nodes and links:
// data-id of a node, data-a and data-b of a link, data-room of an area.
func WriteForPage(w io.Writer, s *scene.Scene) error { return writeScene(w, s, true) }

func writeScene(w io.Writer, s *scene.Scene, handles bool) error {
	o := &writer{w: w, buf: make([]byte, 0, chunk+4096), handles: handles}
	o.add(`<svg xmlns="http://www.w3.org/2000/svg" width="`).px(s.W).add(`" height="`).px(s.H)
	o.add(`" viewBox="0 0 `).px(s.W).add(" ").px(s.H).add(`" role="img" aria-labelledby="threadmap-title threadmap-desc" class="threadmap">`)
	o.add("\n<title id=\"threadmap-title\">").text(s.Title).add("</title>\n<desc id=\"threadmap-desc\">").text(s.Desc).add("</desc>\n<style>\n").add(style)
	if handles || hasAreas(s.Groups) { // all pictures of a page have the same style, which it allows by its hash
		o.add(areaStyle)
	}
	o.add("</style>\n")
	o.add(`<rect class="page" width="100%" height="100%"/>` + "\n")
	for i := range s.Groups {
		o.group(&s.Groups[i])
	}
	o.add("</svg>\n")
	o.flush()
	return o.err
}

// hasAreas reports whether any of the groups has an area.
func hasAreas(groups []scene.Group) bool {
	return slices.ContainsFunc(groups, func(g scene.Group) bool {
		return slices.ContainsFunc(g.Shapes, func(s scene.Shape) bool { return s.Kind == scene.Area }) || hasAreas(g.Groups)
	})
}

const chunk = 32 << 10

type writer struct {
	w   io.Writer
	buf []byte
	err error

	handles bool // write those attributes
}

func (o *writer) flush() {
	if o.err == nil {
		_, o.err = o.w.Write(o.buf)
	}
	o.buf = o.buf[:0]
}

func (o *writer) add(s string) *writer {
	o.buf = append(o.buf, s...)
	return o
}

// px writes tenths of a pixel.
func (o *writer) px(v int) *writer {
	if v < 0 {
		o.buf, v = append(o.buf, '-'), -v
	}
	o.buf = strconv.AppendInt(o.buf, int64(v/10), 10)
	if f := v % 10; f != 0 {
		o.buf = append(o.buf, '.', byte('0'+f))
	}
	return o
}

// at writes a place.
func (o *writer) at(p scene.Point) *writer {
	o.px(p.X)
	if p.Y >= 0 { // a sign parts numbers, too
		o.add(" ")
	}
	return o.px(p.Y)
}

// by writes where p is seen from the place from, which takes fewer digits.
func (o *writer) by(from, p scene.Point) *writer {
	return o.at(scene.Point{X: p.X - from.X, Y: p.Y - from.Y})
}

// rings writes closed lines, each of which ends where it began. One there and back
// is written one way.
func (o *writer) rings(p []scene.Point) *writer {
	start, pen := 0, scene.Point{}
	for i, at := range p {
		switch {
		case i == start && i == 0:
			o.add("M").at(at)
		case i == start:
			o.add("m").by(pen, at)
		case at == p[start]:
			start = i + 1
			if pen = at; i > 1 && p[i-2] == at {
				pen = p[i-1]
			} else {
				o.add("Z")
			}
		case at.Y == p[i-1].Y:
			o.add("h").px(at.X - p[i-1].X)
		case at.X == p[i-1].X:
			o.add("v").px(at.Y - p[i-1].Y)
		default:
			o.add("l").by(p[i-1], at)
		}
	}
	return o
}

// text escapes character data and attribute values (XML 1.0, 2.2 and 2.4).
// Characters that XML can't hold, and broken UTF-8, become U+FFFD.
func (o *writer) text(s string) *writer {
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			i += n
			switch {
			case r == 0xfffe || r == 0xffff:
				o.buf = utf8.AppendRune(o.buf, utf8.RuneError)
			case unicode.IsGraphic(r):
				o.buf = utf8.AppendRune(o.buf, r)
			default: // faithful, but nothing that a terminal or an editor acts on
				o.add("&#x")
				o.buf = strconv.AppendInt(o.buf, int64(r), 16)
				o.add(";")
			}
			continue
		}
		switch {
		case c == '<':
			o.add("&lt;")
		case c == '>':
			o.add("&gt;")
		case c == '&':
			o.add("&amp;")
		case c == '"':
			o.add("&quot;")
		case c == '\n':
			o.add("&#10;")
		case c < ' ' || c == 0x7f:
			o.add("\ufffd")
		default:
			o.buf = append(o.buf, c)
		}
		i++
	}
	return o
}

func (o *writer) group(g *scene.Group) {
	if len(g.Shapes) == 0 && len(g.Groups) == 0 {
		return
	}
	o.add("<g")
	o.class(g.Class)
	if o.handles && g.ID != "" {
		o.add(` data-id="`).text(g.ID).add(`"`)
	}
	for i, id := range g.Ends {
		if o.handles && id != "" {
			o.add([...]string{` data-a="`, ` data-b="`}[i]).text(id).add(`"`)
		}
	}
	o.add(">")
	if g.Title != "" {
		o.add("<title>")
		for line := range strings.Lines(g.Title) {
			line, more := strings.CutSuffix(line, "\n")
			if o.text(line); more {
				o.add("\n") // as it is: shorter, and there is no attribute around it
			}
		}
		o.add("</title>")
	}
	for i := range g.Shapes {
		o.shape(&g.Shapes[i])
	}
	if len(g.Groups) > 0 {
		o.add("\n")
	}
	for i := range g.Groups {
		o.group(&g.Groups[i])
	}
	o.add("</g>\n")
	if len(o.buf) > chunk {
		o.flush()
	}
}

func (o *writer) class(c string) *writer {
	if c != "" {
		o.add(` class="`).text(c).add(`"`)
	}
	return o
}

func (o *writer) shape(s *scene.Shape) {
	switch s.Kind {
	case scene.Line:
		o.add(`<path`).class(s.Class)
		o.add(` d="M`).at(s.P[0]).add("l").by(s.P[0], s.P[1]).add(`"/>`)
	case scene.Quad:
		o.add(`<path`).class(s.Class)
		o.add(` d="M`).at(s.P[0]).add("q").by(s.P[0], s.P[1]).add(" ").by(s.P[0], s.P[2]).add(`"/>`)
	case scene.Cubic:
		o.add(`<path`).class(s.Class)
		o.add(` d="M`).at(s.P[0]).add("c").by(s.P[0], s.P[1]).add(" ").by(s.P[0], s.P[2]).add(" ").by(s.P[0], s.P[3]).add(`"/>`)
	case scene.Path, scene.Polygon:
		o.add(`<path`).class(s.Class)
		o.add(` d="`)
		for i, p := range s.Poly {
			if i == 0 {
				o.add("M").at(p)
			} else {
				o.add("l").by(s.Poly[i-1], p)
			}
		}
		if s.Kind == scene.Polygon {
			o.add("Z")
		}
		o.add(`"/>`)
	case scene.Area:
		o.add(`<path`).class(s.Class)
		if o.handles && s.S != "" {
			o.add(` data-room="`).text(s.S).add(`"`)
		}
		o.add(` d="`).rings(s.Poly).add(`"/>`)
	case scene.Circle:
		o.add(`<circle`).class(s.Class)
		o.add(` cx="`).px(s.P[0].X).add(`" cy="`).px(s.P[0].Y).add(`" r="`).px(s.R).add(`"/>`)
	case scene.Ellipse:
		o.add(`<ellipse`).class(s.Class)
		o.add(` cx="`).px(s.P[0].X).add(`" cy="`).px(s.P[0].Y).add(`" rx="`).px(s.P[1].X).add(`" ry="`).px(s.P[1].Y).add(`"/>`)
	case scene.Rect:
		o.add(`<rect`).class(s.Class)
		o.add(` x="`).px(s.P[0].X).add(`" y="`).px(s.P[0].Y).add(`" width="`).px(s.P[1].X).add(`" height="`).px(s.P[1].Y).add(`" rx="`).px(s.R).add(`"/>`)
	case scene.Text:
		o.add(`<text`)
		// The anchor is a class, too: it is told of half of all texts.
		if c := s.Class + [...]string{"", " mid", " end"}[s.Anchor]; c != "" {
			o.class(strings.TrimPrefix(c, " "))
		}
		o.add(` x="`).px(s.P[0].X).add(`" y="`).px(s.P[0].Y)
		if s.Len > 0 {
			o.add(`" textLength="`).px(s.Len)
		}
		o.add(`">`).text(s.S).add(`</text>`)
	}
}
