package raster

import (
	"fmt"
	"image/color"
	"slices"
	"strconv"
	"strings"
)

// The looks of a picture are those of the style sheet that its SVG has: there
// is one. What is understood of CSS is what that uses: classes and elements,
// descendants, specificity and order, colours as #rgb and currentColor, lengths in px. Rules for
// a medium (dark pages) are passed over.

// A look is what the style sheet makes of one shape.
type look struct {
	fill, stroke color.RGBA // alpha 0: none
	width        float64    // of the stroke, in px
	dash         []float64  // in px; nil: solid
	roundCap     bool
	opacity      float64
	font         float64 // px
	bold         bool
	strokeFirst  bool // the stroke goes under the fill

	color                      color.RGBA
	fillIsColor, strokeIsColor bool
}

var plain = look{fill: color.RGBA{A: 255}, width: 1, opacity: 1, font: 16}

// A sheet is a style sheet.
type sheet struct{ rules []rule }

type rule struct {
	steps  []step // the last is about the shape, those before about its ancestors
	weight int    // specificity
	set    []declaration
}

type step struct {
	element string // "": any
	classes []string
}

type declaration struct{ name, value string }

// parse reads a style sheet. An error names what is not understood.
func parse(css string) (*sheet, error) {
	s := &sheet{}
	for css = strings.TrimSpace(css); css != ""; css = strings.TrimSpace(css) {
		selectors, rest, ok := strings.Cut(css, "{")
		if !ok {
			return nil, fmt.Errorf("style: no rule in %.40q", css)
		}
		if strings.HasPrefix(selectors, "@media") {
			var err error
			if css, err = pastBlock(rest); err != nil {
				return nil, err
			}
			continue
		}
		body, after, ok := strings.Cut(rest, "}")
		if !ok {
			return nil, fmt.Errorf("style: no end of %.40q", css)
		}
		css = after
		var set []declaration
		for d := range strings.SplitSeq(body, ";") {
			if d = strings.TrimSpace(d); d == "" {
				continue
			}
			name, value, _ := strings.Cut(d, ":")
			set = append(set, declaration{strings.TrimSpace(name), strings.TrimSpace(value)})
		}
		if err := new(look).apply(set); err != nil {
			return nil, err
		}
		for selector := range strings.SplitSeq(selectors, ",") {
			r := rule{set: set}
			for word := range strings.FieldsSeq(selector) {
				if strings.ContainsAny(word, "#:[>+~*@()") {
					return nil, fmt.Errorf("style: selector %q is not understood", selector)
				}
				parts := strings.Split(word, ".")
				r.steps = append(r.steps, step{parts[0], parts[1:]})
				r.weight += 100 * (len(parts) - 1)
				if parts[0] != "" {
					r.weight++
				}
			}
			if len(r.steps) > 0 {
				s.rules = append(s.rules, r)
			}
		}
	}
	slices.SortStableFunc(s.rules, func(a, b rule) int { return a.weight - b.weight })
	return s, nil
}

// pastBlock skips to behind the end of a block that has begun.
func pastBlock(css string) (string, error) {
	depth := 1
	for i := range len(css) {
		switch css[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return css[i+1:], nil
			}
		}
	}
	return "", fmt.Errorf("style: no end of a block: %.40q", css)
}

// An ancestry is the classes of the elements around a shape, outermost first.
type ancestry [][]string

// of computes the look of an element with those classes.
func (s *sheet) of(around ancestry, element string, classes []string) look {
	l := plain
	for i := range s.rules {
		if r := &s.rules[i]; r.fits(around, element, classes) {
			l.apply(r.set) // it was understood when read
		}
	}
	if l.fillIsColor {
		l.fill = l.color
	}
	if l.strokeIsColor {
		l.stroke = l.color
	}
	return l
}

func (r *rule) fits(around ancestry, element string, classes []string) bool {
	last := len(r.steps) - 1
	if t := r.steps[last]; t.element != "" && t.element != element || !hasAll(classes, t.classes) {
		return false
	}
	// From the inside out, each step takes the first ancestor that fits.
	k := last - 1
	for i := len(around) - 1; i >= 0 && k >= 0; i-- {
		if t := r.steps[k]; t.element == "" && hasAll(around[i], t.classes) {
			k--
		}
	}
	return k < 0
}

func hasAll(have, want []string) bool {
	for _, w := range want {
		if !slices.Contains(have, w) {
			return false
		}
	}
	return true
}

func (l *look) apply(set []declaration) error {
	for _, d := range set {
		var err error
		switch d.name {
		case "color":
			l.color, err = readColor(d.value)
		case "fill":
			l.fillIsColor = d.value == "currentColor"
			if !l.fillIsColor {
				l.fill, err = readColor(d.value)
			}
		case "stroke":
			l.strokeIsColor = d.value == "currentColor"
			if !l.strokeIsColor {
				l.stroke, err = readColor(d.value)
			}
		case "stroke-width":
			l.width, err = readPx(d.value)
		case "opacity":
			l.opacity, err = readPx(d.value)
		case "font-size":
			l.font, err = readPx(d.value)
		case "font-weight":
			var w float64
			w, err = readPx(d.value)
			l.bold = w >= 600
		case "stroke-linecap":
			l.roundCap = d.value == "round"
		case "stroke-dasharray":
			l.dash = nil
			for f := range strings.FieldsSeq(d.value) {
				if f == "none" {
					break
				}
				var v float64
				if v, err = readPx(f); err != nil {
					break
				}
				l.dash = append(l.dash, v)
			}
		case "paint-order":
			l.strokeFirst = d.value == "stroke"
		case "font-family", "stroke-linejoin", "text-anchor": // there is one face, joins are round, and scenes have their anchors
		default:
			err = fmt.Errorf("not understood")
		}
		if err != nil {
			return fmt.Errorf("style: %s:%s: %w", d.name, d.value, err)
		}
	}
	return nil
}

func readPx(s string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSuffix(s, "px"), 64)
	if err == nil && (v < 0 || v > 1e4) {
		err = strconv.ErrRange
	}
	return v, err
}

func readColor(s string) (color.RGBA, error) {
	if s == "none" || s == "transparent" {
		return color.RGBA{}, nil
	}
	hex, ok := strings.CutPrefix(s, "#")
	if ok && len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	v, err := strconv.ParseUint(hex, 16, 32)
	if !ok || len(hex) != 6 || err != nil {
		return color.RGBA{}, fmt.Errorf("no colour as #rgb or #rrggbb")
	}
	return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}, nil
}
