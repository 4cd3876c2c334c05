package raster

import (
	"fmt"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// fonts are the two weights of the Go typeface: Latin, Greek and Cyrillic. For
// what they lack a box is drawn.
type fonts struct {
	weight [2]*sfnt.Font
	buf    sfnt.Buffer
	glyphs map[glyphKey]glyph
}

type glyphKey struct {
	r    rune
	bold bool
	size fixed.Int26_6
}

// A glyph has its places around the origin of its base line.
type glyph struct {
	outline []line
	advance float64
	missing bool
}

// maxGlyphs bounds what is kept of glyphs: a hostile home may have every
// character there is.
const maxGlyphs = 4096

func loadFonts() (*fonts, error) {
	f := &fonts{glyphs: map[glyphKey]glyph{}}
	for i, ttf := range [][]byte{goregular.TTF, gobold.TTF} {
		var err error
		if f.weight[i], err = sfnt.Parse(ttf); err != nil {
			return nil, fmt.Errorf("the built-in font: %w", err)
		}
	}
	return f, nil
}

func (f *fonts) glyph(r rune, bold bool, size float64) glyph {
	k := glyphKey{r, bold, fixed.Int26_6(size * 64)}
	if g, ok := f.glyphs[k]; ok {
		return g
	}
	g := f.load(k)
	if len(f.glyphs) >= maxGlyphs {
		clear(f.glyphs)
	}
	f.glyphs[k] = g
	return g
}

func (f *fonts) load(k glyphKey) glyph {
	if unicode.In(k.r, unicode.Mn, unicode.Me) {
		return glyph{missing: true} // it sits on the letter before: no room of its own
	}
	face := f.weight[0]
	if k.bold {
		face = f.weight[1]
	}
	size := float64(k.size) / 64
	i, err := face.GlyphIndex(&f.buf, k.r)
	if err != nil || i == 0 {
		w := 0.62
		if k.r >= 0x1100 { // most of those are as wide as high
			w = 0.95
		}
		return glyph{outline: notdef(size, w*size), advance: (w + 0.08) * size, missing: true}
	}
	advance, err := face.GlyphAdvance(&f.buf, i, k.size, font.HintingNone)
	if err != nil {
		return glyph{missing: true}
	}
	g := glyph{advance: float64(advance) / 64}
	segments, err := face.LoadGlyph(&f.buf, i, k.size, nil)
	if err != nil {
		g.missing = true
		return g
	}
	at := func(p fixed.Point26_6) pt { return pt{float64(p.X) / 64, float64(p.Y) / 64} }
	for _, s := range segments {
		if s.Op == sfnt.SegmentOpMoveTo {
			g.outline = append(g.outline, line{p: []pt{at(s.Args[0])}, closed: true})
			continue
		}
		l := &g.outline[len(g.outline)-1]
		from := l.p[len(l.p)-1]
		switch s.Op {
		case sfnt.SegmentOpLineTo:
			l.p = append(l.p, at(s.Args[0]))
		case sfnt.SegmentOpQuadTo:
			l.p = quad(l.p, from, at(s.Args[0]), at(s.Args[1]))
		case sfnt.SegmentOpCubeTo:
			l.p = cubic(l.p, from, at(s.Args[0]), at(s.Args[1]), at(s.Args[2]))
		}
	}
	return g
}

// notdef is a box as wide as that: its inner edge turns the other way.
func notdef(size, width float64) []line {
	frame := size * 0.06
	outer := box(pt{size * 0.04, -0.7 * size}, pt{width - 0.08*size, 0.7 * size}, 0)
	inner := box(pt{size*0.04 + frame, -0.7*size + frame}, pt{width - 0.08*size - 2*frame, 0.7*size - 2*frame}, 0)
	inner[1], inner[3] = inner[3], inner[1]
	return []line{{p: outer, closed: true}, {p: inner, closed: true}}
}

// width is the room that a text takes, in pixels.
func (f *fonts) width(s string, bold bool, size float64) float64 {
	w := 0.0
	for _, r := range s {
		w += f.glyph(r, bold, size).advance
	}
	return w
}

// lacks reports whether a text has characters that the fonts lack.
func (f *fonts) lacks(s string) bool {
	for _, r := range s {
		if r < 0x7f && r >= ' ' {
			continue
		}
		if f.glyph(r, false, 16).missing {
			return true
		}
	}
	return false
}

// outline is a text as closed lines; the base line begins at a place.
func (f *fonts) outline(s string, at pt, bold bool, size float64) []line {
	var out []line
	for _, r := range s {
		g := f.glyph(r, bold, size)
		for _, l := range g.outline {
			p := make([]pt, len(l.p))
			for i, q := range l.p {
				p[i] = q.add(at)
			}
			out = append(out, line{p: p, closed: true})
		}
		at.x += g.advance
	}
	return out
}
