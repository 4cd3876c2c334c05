package raster_test

import (
	"image/color"
	"testing"

	"threadmap/render/scene"
)

// TestAreaIsEven: an area of parts that overlap, turned one way and the other, has the
// same soft tint all over, its broad edge and the places where parts lie on each other
// too, and nothing beyond.
func TestAreaIsEven(t *testing.T) {
	at := func(x, y int) scene.Point { return scene.Point{X: x * px, Y: y * px} }
	s := &scene.Scene{W: 200 * px, H: 100 * px, Groups: []scene.Group{{Class: "areas", Shapes: []scene.Shape{{Kind: scene.Area, Class: "t0", Poly: []scene.Point{
		at(30, 30), at(90, 30), at(90, 60), at(30, 60), at(30, 30), // to the right first
		at(80, 30), at(80, 60), at(120, 60), at(120, 30), at(80, 30), // down first
		at(110, 45), at(170, 45), at(110, 45), // a line
		at(150, 45), at(170, 80), at(150, 45),
	}}}}}}
	_, got := draw(t, s)
	page := got.RGBAAt(2, 2)
	tint := got.RGBAAt(2*60, 2*45)
	if tint == page {
		t.Fatal("nothing is drawn")
	}
	if d := int(page.R) - int(tint.R); d < 10 || d > 60 { // 12 % of a colour without red
		t.Errorf("the tint %v is not soft on %v", tint, page)
	}
	near := func(a, b color.RGBA) bool {
		for _, d := range [3]int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B)} {
			if d < -2 || d > 2 {
				return false
			}
		}
		return true
	}
	for _, p := range [][2]int{{60, 31}, {60, 24}, {60, 29}, {60, 30}, {85, 45}, {85, 30}, {85, 22}, {110, 45}, {120, 52}, {121, 45}, {140, 45}, {140, 38}, {140, 52}, {176, 45}, {165, 70}, {160, 45}} {
		if c := got.RGBAAt(2*p[0], 2*p[1]); !near(c, tint) {
			t.Errorf("at %v: %v, want %v", p, c, tint)
		}
	}
	for _, p := range [][2]int{{60, 19}, {19, 45}, {140, 34}, {182, 45}, {131, 70}, {22, 22}} { // the last is a corner: it is round
		if c := got.RGBAAt(2*p[0], 2*p[1]); c != page {
			t.Errorf("at %v: %v, want the page %v", p, c, page)
		}
	}
}
