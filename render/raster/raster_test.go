package raster_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"threadmap/render"
	"threadmap/render/internal/fixture"
	"threadmap/render/internal/view"
	"threadmap/render/layout"
	"threadmap/render/raster"
	"threadmap/render/scene"
	"threadmap/render/svg"
)

const px = 10

// swatch has every kind of shape.
func swatch() *scene.Scene {
	at := func(x, y int) scene.Point { return scene.Point{X: x * px, Y: y * px} }
	text := func(class, s string, x, y int, a scene.Anchor) scene.Shape {
		return scene.Shape{Kind: scene.Text, Class: class, S: s, P: [4]scene.Point{at(x, y)}, Anchor: a}
	}
	link := func(class string, s scene.Shape) scene.Group {
		return scene.Group{Class: "link " + class, Shapes: []scene.Shape{s}}
	}
	node := func(class string, s ...scene.Shape) scene.Group {
		return scene.Group{Class: "node " + class, Shapes: s}
	}
	return &scene.Scene{W: 300 * px, H: 160 * px, Groups: []scene.Group{
		{Shapes: []scene.Shape{
			{Kind: scene.Rect, Class: "card", P: [4]scene.Point{at(10, 10), at(280, 140)}, R: 12 * px},
			{Kind: scene.Ellipse, Class: "disc", P: [4]scene.Point{at(220, 80), at(60, 40)}},
			text("sentence", "Ägypten 12", 20, 34, scene.Start), text("small", "end", 280, 34, scene.End), text("item", "客 x", 150, 34, scene.Middle)}},
		link("good", scene.Shape{Kind: scene.Line, P: [4]scene.Point{at(20, 50), at(140, 50)}}),
		link("weak", scene.Shape{Kind: scene.Quad, P: [4]scene.Point{at(20, 60), at(80, 90), at(140, 60)}}),
		link("stale", scene.Shape{Kind: scene.Cubic, P: [4]scene.Point{at(20, 90), at(60, 60), at(100, 130), at(140, 90)}}),
		{Class: "trunk", Shapes: []scene.Shape{{Kind: scene.Path, Poly: []scene.Point{at(20, 110), at(60, 130), at(140, 110)}}}},
		node("border", scene.Shape{Kind: scene.Polygon, Class: "mark", Poly: []scene.Point{at(220, 64), at(236, 80), at(220, 96), at(204, 80)}}, text("hub", "Hub", 220, 116, scene.Middle)),
		node("router unknown", scene.Shape{Kind: scene.Circle, Class: "mark", P: [4]scene.Point{at(180, 80)}, R: 12 * px}),
		node("sleepy", scene.Shape{Kind: scene.Circle, Class: "mark", P: [4]scene.Point{at(260, 80)}, R: 5 * px}),
	}}
}

func draw(t testing.TB, s *scene.Scene) (*raster.Picture, *image.RGBA) {
	t.Helper()
	p, err := raster.New(s, svg.Style())
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewRGBA(p.Bounds())
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Set(x, y, p.At(x, y))
		}
	}
	return p, out
}

// TestSwatch compares with a drawing that was looked at. UPDATE=1 draws it anew.
// Other processors may round otherwise, so a few steps of brightness are
// forgiven.
func TestSwatch(t *testing.T) {
	p, got := draw(t, swatch())
	if p.Bounds() != image.Rect(0, 0, 600, 320) || p.Lacking() != 1 || p.ScaledTo() != 2 {
		t.Errorf("%v at %v with %d texts of boxes", p.Bounds(), p.ScaledTo(), p.Lacking())
	}
	file := filepath.Join("testdata", "swatch.png")
	if os.Getenv("UPDATE") == "1" {
		var b bytes.Buffer
		if err := png.Encode(&b, got); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if want.Bounds() != got.Bounds() {
		t.Fatalf("%v, want %v", got.Bounds(), want.Bounds())
	}
	wrong := 0
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			if far(got.At(x, y), want.At(x, y)) > 6 {
				wrong++
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d pixels differ from %s (UPDATE=1 draws it anew)", wrong, file)
	}
}

// far is the largest difference of a channel, 0..255.
func far(a, b color.Color) int {
	x, y := color.RGBAModel.Convert(a).(color.RGBA), color.RGBAModel.Convert(b).(color.RGBA)
	d := func(p, q uint8) int { return max(int(p)-int(q), int(q)-int(p)) }
	return max(d(x.R, y.R), d(x.G, y.G), d(x.B, y.B), d(x.A, y.A))
}

func rgb(v uint32) color.Color { return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255} }

// TestLooks: what the style sheet says is what is painted, for each kind of
// shape, whatever colours it has today.
func TestLooks(t *testing.T) {
	css := `.threadmap .page{fill:#010203}
.threadmap .link path,.threadmap .trunk path{fill:none;stroke-linecap:round}
.threadmap .good path{stroke:#00ff00;stroke-width:4px}
.threadmap .card{fill:#ffffff;stroke:#ff0000;stroke-width:2}
.threadmap .half{opacity:.5}
.threadmap .mark{fill:#0000ff}
.threadmap .unknown .mark{fill:none;stroke:#00f;stroke-width:2;stroke-dasharray:3 2.5}
@media (prefers-color-scheme:dark){
.threadmap .mark{fill:#999999}
}
.mark{fill:#123456}
`
	s := &scene.Scene{W: 100 * px, H: 100 * px, Groups: []scene.Group{
		{Shapes: []scene.Shape{{Kind: scene.Rect, Class: "card", P: [4]scene.Point{{X: 100, Y: 100}, {X: 800, Y: 800}}}}},
		{Class: "link good", Shapes: []scene.Shape{
			{Kind: scene.Line, P: [4]scene.Point{{X: 200, Y: 200}, {X: 800, Y: 200}}},
			{Kind: scene.Path, Class: "half", Poly: []scene.Point{{X: 200, Y: 300}, {X: 800, Y: 300}, {X: 800, Y: 400}}}}},
		{Class: "node", Shapes: []scene.Shape{{Kind: scene.Circle, Class: "mark", P: [4]scene.Point{{X: 300, Y: 600}}, R: 80}}},
		{Class: "node unknown", Shapes: []scene.Shape{{Kind: scene.Circle, Class: "mark", P: [4]scene.Point{{X: 600, Y: 600}}, R: 80}}},
	}}
	p, err := raster.New(s, css)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		x, y int
		want uint32
	}{
		{"the page", 5, 5, 0x010203}, {"the card's edge", 20, 100, 0xff0000}, {"the card", 100, 170, 0xffffff},
		{"a link", 100, 40, 0x00ff00}, {"beside it", 100, 46, 0xffffff}, {"its round end", 37, 40, 0x00ff00}, {"past its end", 34, 40, 0xffffff},
		{"half of it shows", 100, 60, 0x80ff80}, {"its second piece", 160, 75, 0x80ff80}, {"inside of its corner", 140, 70, 0xffffff},
		{"a mark", 60, 120, 0x0000ff}, {"inside of a ring", 120, 120, 0xffffff},
	} {
		if got := p.At(c.x, c.y); far(got, rgb(c.want)) > 2 {
			t.Errorf("%s is %v, want #%06x", c.what, got, c.want)
		}
	}
	on, off := 0, 0
	for x := range 200 {
		if y := 120; x > 100 && far(p.At(x, y), rgb(0x0000ff)) < 10 {
			on++
		}
		if far(p.At(x, 104), rgb(0x0000ff)) > 200 {
			off++
		}
	}
	if on == 0 || off == 0 {
		t.Errorf("the ring has %d coloured pixels in its middle row", on)
	}
}

func TestStyleThatIsNotUnderstood(t *testing.T) {
	for _, css := range []string{"a", ".a{", ".a{fill:red}", ".a{fill:#12}", ".a{margin:1px}", ".a>b{fill:none}", ".a:hover{fill:none}", "@media x{.a{fill:none}", ".a{stroke-width:1em}", ".a{stroke-dasharray:1 x}"} {
		if _, err := raster.New(&scene.Scene{}, css); err == nil || !strings.HasPrefix(err.Error(), "style: ") {
			t.Errorf("%q: %v", css, err)
		}
	}
}

// TestBands: however many bands a picture is drawn in, and in whatever order, it
// is the same picture.
func TestBands(t *testing.T) {
	s := swatch()
	s.W = 30000 * px // so wide that a band has few rows
	p, err := raster.New(s, svg.Style())
	if err != nil {
		t.Fatal(err)
	}
	_, want := draw(t, swatch())
	scale := p.ScaledTo() / 2
	if scale == 1 { // compare at the same scale only
		t.Fatal("not wide enough to be scaled")
	}
	s.W = 10000 * px
	wide, err := raster.New(s, svg.Style())
	if err != nil {
		t.Fatal(err)
	}
	for y := 319; y >= 0; y-- { // from below: each band again and again
		for x := 10; x < 560; x += 7 {
			if d := far(wide.At(x, y), want.At(x, y)); d > 1 {
				t.Fatalf("pixel %d, %d differs by %d", x, y, d)
			}
		}
	}
}

// TestLimits: no scene is too large to be drawn.
func TestLimits(t *testing.T) {
	for _, c := range []struct{ w, h int }{{0, 0}, {-5, 10}, {1 << 40, 1 << 40}, {1 << 40, 1}, {1, 1 << 40}, {60000 * px, 60000 * px}, {4000 * px, 4000 * px}} {
		s := swatch()
		s.W, s.H = c.w, c.h
		p, err := raster.New(s, svg.Style())
		if err != nil {
			t.Fatal(err)
		}
		b := p.Bounds()
		if b.Dx() < 1 || b.Dy() < 1 || b.Dx()*b.Dy() > raster.MaxPixels || b.Dx() > 30000 || b.Dy() > 30000 {
			t.Errorf("%v: %v", c, b)
		}
		p.At(b.Max.X-1, b.Max.Y-1)
		p.At(0, 0)
	}
	far := &scene.Scene{W: 100, H: 100}
	for k := range scene.Text + 1 { // shapes far out, and none at all
		far.Groups = append(far.Groups, scene.Group{Class: "link weak", Shapes: []scene.Shape{
			{Kind: k, P: [4]scene.Point{{X: -1 << 45, Y: -1 << 45}, {X: 1 << 45, Y: 1 << 45}, {X: 1 << 40}, {Y: 1 << 40}}, R: 1 << 40, S: "x", Poly: []scene.Point{{X: -1 << 45}, {X: 1 << 45}}},
			{Kind: k}}})
	}
	draw(t, far)
}

func bitmap(t testing.TB, d *render.Document, o render.Options) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := render.PNG(&b, d, o); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("THREADMAP_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(t.Name())+".png"), b.Bytes(), 0o644); err != nil {
			t.Error(err)
		}
	}
	return img
}

// TestHome draws whole homes: as large as the SVG, twice, and not blank.
func TestHome(t *testing.T) {
	var notes []string
	o := render.Options{Note: func(s string) { notes = append(notes, s) }}
	img := bitmap(t, &render.Document{Map: fixture.Home(), Scan: fixture.Scan()}, o)
	if len(notes) > 0 {
		t.Errorf("notes: %q", notes)
	}
	colors := map[color.Color]int{}
	for y := 0; y < img.Bounds().Dy(); y += 2 {
		for x := 0; x < img.Bounds().Dx(); x += 2 {
			colors[img.At(x, y)]++
		}
	}
	if len(colors) < 100 {
		t.Errorf("%d colors only", len(colors))
	}
	if _, err := raster.New(&scene.Scene{}, svg.Style()); err != nil {
		t.Errorf("the style of the SVG: %v", err)
	}
}

// TestLacking: characters without a glyph are said, in the picture and beside
// it.
func TestLacking(t *testing.T) {
	var notes []string
	o := render.Options{Note: func(s string) { notes = append(notes, s) }}
	img := bitmap(t, &render.Document{Map: fixture.Tongues()}, o)
	if len(notes) != 1 || notes[0] != "PNG: 6 names have characters the built-in font lacks; SVG and HTML show them" {
		t.Errorf("notes: %q", notes)
	}
	foot := 0 // dark pixels in the added foot
	for x := range img.Bounds().Dx() {
		for y := img.Bounds().Dy() - 60; y < img.Bounds().Dy(); y++ {
			if r, _, _, _ := img.At(x, y).RGBA(); r < 0x9000 {
				foot++
			}
		}
	}
	if foot < 200 {
		t.Errorf("the foot has %d dark pixels", foot)
	}
	hostile, _ := fixture.Hostile()
	p, err := raster.New(scene.Draw(layout.Place(view.New(hostile, true)), scene.Caption{}), svg.Style())
	if err != nil {
		t.Fatal(err)
	}
	for y := 0; y < p.Bounds().Dy(); y += 16 { // every band is drawn
		p.At(0, y)
	}
	if p.Lacking() == 0 {
		t.Error("the font has every character of the hostile names")
	}
	bitmap(t, &render.Document{}, o)
}

func BenchmarkPNG(b *testing.B) {
	for name, d := range map[string]*render.Document{"50": {Map: fixture.Spread(7, 8, 7, 7, 8, 7)}, "1000": {Map: fixture.Big(1, 32, 30)}, "16000": {Map: fixture.Big(16, 32, 30)}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := render.PNG(io.Discard, d, render.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
