package svg

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"threadmap/render/layout/areas"
)

// TestAreaContrast: on every tint, on light and on dark, text keeps the contrast that
// WCAG 2.2 AA asks for (4.5), lines and marks that of 1.4.11 (3). In the disc, labels
// but for the names of rooms have a rim in the colour of the card, which TestContrast
// looks at, and lines go over areas for a short way only: there it may be a little less. Tints differ from the
// ground and from each other enough to be told apart, and no more than is soft.
func TestAreaContrast(t *testing.T) {
	light, dark, _ := strings.Cut(style, "@media (prefers-color-scheme:dark){")
	tints := rules(Style())
	opacity, err := strconv.ParseFloat(tints[".areas path"]["opacity"], 64)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tints[".areas path"]["stroke-width"], strconv.Itoa(2*areas.Radius/10); got != want {
		t.Errorf("areas are drawn %s broad, want %s", got, want)
	}
	for name, sheet := range map[string]string{"light": light, "dark": dark} {
		r, plain := rules(sheet), rules(light)
		for ground, fill := range map[string]string{"card": r[".card"]["fill"], "disc": r[".disc"]["fill"]} {
			mixed := map[string]string{}
			for i := range areas.Tints {
				class := ".t" + strconv.Itoa(i)
				mixed[class] = mix(t, long(tints[class]["color"]), fill, opacity)
			}
			for _, class := range slices.Sorted(maps.Keys(mixed)) {
				back := mixed[class]
				for selector, want := range map[string]float64{
					"text fill": 4.5, ".note fill": 4.5, ".bad fill": 4.5, ".node.unknown text fill": 4.5,
					".good path stroke": 3, ".fair path stroke": 3, ".weak path stroke": 3, ".one-way path stroke": 3, ".stale path stroke": 3,
					".border .mark fill": 3, ".router .mark fill": 3, ".device .mark fill": 3, ".sleepy .mark stroke": 3, ".silent .mark stroke": 3,
				} {
					if ground == "disc" && selector != "text fill" {
						want = map[float64]float64{4.5: 4, 3: 2.8}[want]
					}
					k := strings.LastIndexByte(selector, ' ')
					colour := r[selector[:k]][selector[k+1:]]
					if colour == "" {
						colour = plain[selector[:k]][selector[k+1:]]
					}
					if got := contrast(t, colour, back); got < want {
						t.Errorf("%s: %s %s on %s over the %s (%s) has contrast %.2f, want %.1f", name, selector, colour, class, ground, back, got, want)
					}
				}
				if d := apart(t, back, fill); d < 12 || d > 60 {
					t.Errorf("%s: %s over the %s is %.0f from it", name, class, ground, d)
				}
				for other, b := range mixed {
					if d := apart(t, back, b); other != class && d < 8 {
						t.Errorf("%s: %s and %s over the %s are only %.0f apart", name, class, other, ground, d)
					}
				}
			}
		}
	}
}

// parts are the red, green and blue of a colour.
func parts(t *testing.T, colour string) (out [3]float64) {
	t.Helper()
	v, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil || len(colour) != 7 {
		t.Fatalf("colour %q", colour)
	}
	for i := range out {
		out[i] = float64(v >> (16 - 8*i) & 255)
	}
	return out
}

// long writes "#abc" as "#aabbcc".
func long(c string) string {
	if len(c) != 4 {
		return c
	}
	return fmt.Sprintf("#%c%c%c%c%c%c", c[1], c[1], c[2], c[2], c[3], c[3])
}

// mix is a colour over another.
func mix(t *testing.T, over, ground string, opacity float64) string {
	a, b := parts(t, over), parts(t, ground)
	s := "#"
	for i := range a {
		s += fmt.Sprintf("%02x", int(math.Round(a[i]*opacity+b[i]*(1-opacity))))
	}
	return s
}

// apart is how far two colours are from each other in RGB.
func apart(t *testing.T, a, b string) float64 {
	x, y := parts(t, a), parts(t, b)
	return math.Sqrt((x[0]-y[0])*(x[0]-y[0]) + (x[1]-y[1])*(x[1]-y[1]) + (x[2]-y[2])*(x[2]-y[2]))
}
