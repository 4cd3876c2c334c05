package svg

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// rules reads the style: class selector -> property -> colour.
func rules(css string) map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, r := range regexp.MustCompile(`([^{}]+)\{([^{}]*)\}`).FindAllStringSubmatch(css, -1) {
		for selector := range strings.SplitSeq(r[1], ",") {
			selector = strings.TrimPrefix(strings.TrimSpace(selector), ".threadmap ")
			if out[selector] == nil {
				out[selector] = map[string]string{}
			}
			for p := range strings.SplitSeq(r[2], ";") {
				if k, v, ok := strings.Cut(p, ":"); ok {
					out[selector][k] = v
				}
			}
		}
	}
	return out
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	v, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil || len(colour) != 7 {
		t.Fatalf("colour %q", colour)
	}
	part := func(shift uint) float64 {
		c := float64(v>>shift&255) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast: text has the contrast that WCAG 2.2 AA asks for (4.5), lines
// and marks that of 1.4.11 (3), on light and on dark.
func TestContrast(t *testing.T) {
	light, dark, ok := strings.Cut(style, "@media (prefers-color-scheme:dark){")
	if !ok {
		t.Fatal("no dark style")
	}
	for name, css := range map[string]string{"light": light, "dark": dark} {
		r := rules(css)
		page, card, disc := r[".page"]["fill"], r[".card"]["fill"], r[".disc"]["fill"]
		for _, c := range []struct {
			selector, property string
			ground             []string
			want               float64
		}{
			{"text", "fill", []string{page, card, disc}, 4.5},
			{".small", "fill", []string{page, card}, 4.5},
			{".note", "fill", []string{card, disc}, 4.5},
			{".bad", "fill", []string{card}, 4.5},
			{".sign", "fill", []string{card}, 4.5},
			{".node.unknown text", "fill", []string{card, disc}, 4.5},
			{".number.warning", "fill", []string{r[".badge.warning"]["fill"]}, 4.5},
			{".number.error", "fill", []string{r[".badge.error"]["fill"]}, 4.5},
			{".good path", "stroke", []string{card, disc}, 3},
			{".fair path", "stroke", []string{card, disc}, 3},
			{".weak path", "stroke", []string{card, disc}, 3},
			{".one-way path", "stroke", []string{card, disc}, 3},
			{".dying path", "stroke", []string{card, disc}, 3},
			{".stale path", "stroke", []string{card, disc}, 3},
			{".link .half.good", "stroke", []string{card, disc}, 3},
			{".link .half.fair", "stroke", []string{card, disc}, 3},
			{".link .half.untold", "stroke", []string{card, disc}, 3},
			{".border .mark", "fill", []string{card, disc}, 3},
			{".router .mark", "fill", []string{card, disc}, 3},
			{".device .mark", "fill", []string{card}, 3},
			{".reed .mark", "fill", []string{card}, 3},
			{".sleepy .mark", "stroke", []string{card}, 3},
			{".silent .mark", "stroke", []string{card, disc}, 3},
			{".ghost .mark", "stroke", []string{card, disc}, 3},
		} {
			colour := r[c.selector][c.property]
			if colour == "" && name == "dark" {
				colour = rules(light)[c.selector][c.property]
			}
			for _, g := range c.ground {
				if got := contrast(t, colour, g); got < c.want {
					t.Errorf("%s: %s %s on %s has contrast %.2f, want %.1f", name, c.selector, colour, g, got, c.want)
				}
			}
		}
	}
}
