// Package svg writes a scene as SVG: one file without scripts, fonts or
// anything fetched, readable on light and dark pages.
//
// The reader is behind package scene; it is the last step of a picture.
package svg

import (
	"io"
	"strconv"
	"unicode"
	"unicode/utf8"

	"threadmap/render/scene"
)

// Write writes s. The same scene gives the same bytes everywhere: coordinates
// are integers, printed with one decimal.
func Write(w io.Writer, s *scene.Scene) error {
	o := &writer{w: w, buf: make([]byte, 0, chunk+4096)}
	o.add(`<svg xmlns="http://www.w3.org/2000/svg" width="`).px(s.W).add(`" height="`).px(s.H)
	o.add(`" viewBox="0 0 `).px(s.W).add(" ").px(s.H).add(`" role="img" aria-labelledby="threadmap-title threadmap-desc" class="threadmap">`)
	o.add("\n<title id=\"threadmap-title\">").text(s.Title).add("</title>\n<desc id=\"threadmap-desc\">").text(s.Desc).add("</desc>\n<style>\n").add(style).add("</style>\n")
	o.add(`<rect class="page" width="100%" height="100%"/>` + "\n")
	for i := range s.Groups {
		o.group(&s.Groups[i])
	}
	o.add("</svg>\n")
	o.flush()
	return o.err
}

const chunk = 32 << 10

type writer struct {
	w   io.Writer
	buf []byte
	err error
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

func (o *writer) at(p scene.Point) *writer { return o.px(p.X).add(" ").px(p.Y) }

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
	if g.ID != "" {
		o.add(` data-id="`).text(g.ID).add(`"`)
	}
	for i, id := range g.Ends {
		if id != "" {
			o.add([...]string{` data-a="`, ` data-b="`}[i]).text(id).add(`"`)
		}
	}
	o.add(">")
	if g.Title != "" {
		o.add("<title>").text(g.Title).add("</title>")
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
		o.add(` d="M`).at(s.P[0]).add("L").at(s.P[1]).add(`"/>`)
	case scene.Quad:
		o.add(`<path`).class(s.Class)
		o.add(` d="M`).at(s.P[0]).add("Q").at(s.P[1]).add(" ").at(s.P[2]).add(`"/>`)
	case scene.Cubic:
		o.add(`<path`).class(s.Class)
		o.add(` d="M`).at(s.P[0]).add("C").at(s.P[1]).add(" ").at(s.P[2]).add(" ").at(s.P[3]).add(`"/>`)
	case scene.Path, scene.Polygon:
		o.add(`<path`).class(s.Class)
		o.add(` d="`)
		for i, p := range s.Poly {
			o.add("ML"[min(i, 1) : min(i, 1)+1]).at(p)
		}
		if s.Kind == scene.Polygon {
			o.add("Z")
		}
		o.add(`"/>`)
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
		o.add(`<text`).class(s.Class)
		o.add(` x="`).px(s.P[0].X).add(`" y="`).px(s.P[0].Y)
		switch s.Anchor {
		case scene.Middle:
			o.add(`" text-anchor="middle`)
		case scene.End:
			o.add(`" text-anchor="end`)
		}
		o.add(`">`).text(s.S).add(`</text>`)
	}
}
