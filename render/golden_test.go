package render

import (
	"bytes"
	"testing"

	"threadmap/render/internal/fixture"
	"threadmap/simulators/golden"
)

// documents are drawn in every format and kept in testdata. UPDATE=1 writes
// them anew; look at the difference before you commit it.
func documents() map[string]*Document {
	return map[string]*Document{
		"empty":   {},
		"home":    {Map: fixture.Home(), Scan: fixture.Scan()},
		"line":    {Map: fixture.Line(8)},
		"split":   {Map: fixture.Split(), Scan: fixture.Scan()},
		"spread":  {Map: fixture.Spread(7, 8, 7, 7, 8, 7), Scan: fixture.Scan()},
		"tongues": {Map: fixture.Tongues()},
	}
}

func draw(t testing.TB, f Format, d *Document, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b, d, o); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	for name, d := range documents() {
		for _, f := range Formats {
			if f.Name == "html" || f.Name == "png" {
				continue // made of what is compared here; render/page and render/raster look at them
			}
			golden.Same(t, name+f.Ext, draw(t, f, d, Options{}))
		}
	}
	home := documents()["home"]
	golden.Same(t, "home-color.txt", draw(t, Formats[0], home, Options{Color: true}))
	golden.Same(t, "home-80.txt", draw(t, Formats[0], home, Options{Width: 80}))
	golden.Same(t, "home-dead.txt", draw(t, Formats[0], home, Options{ShowDead: true}))
	golden.Same(t, "home-dead.svg", draw(t, Formats[2], home, Options{ShowDead: true}))
}

// TestSameBytes: nothing depends on the order of a Go map.
func TestSameBytes(t *testing.T) {
	hostile, scan := fixture.Hostile()
	all := documents()
	all["hostile"] = &Document{Map: hostile, Scan: scan}
	for name, d := range all {
		for _, f := range Formats {
			times := 20
			if f.Name == "png" { // a bitmap takes its time
				if name != "line" {
					continue
				}
				times = 1
			}
			first := draw(t, f, d, Options{})
			for range times {
				if !bytes.Equal(first, draw(t, f, d, Options{})) {
					t.Errorf("%s as %s came out differently", name, f.Name)
					break
				}
			}
		}
	}
}

func TestByExt(t *testing.T) {
	for file, want := range map[string]string{"mesh.svg": "svg", "a.b/MESH.JSON": "json", "x.txt": "tree", "x.dot": "dot", "x.csv": "csv", "x.pdf": "", ".svg": "", "svg": ""} {
		if f, ok := ByExt(file); f.Name != want || ok != (want != "") {
			t.Errorf("ByExt(%q) = %q, %v", file, f.Name, ok)
		}
	}
}

func TestWriteErrorsAreTold(t *testing.T) {
	big := &Document{Map: fixture.Big(2, 32, 10)}
	for _, f := range Formats {
		for _, room := range []int{0, 1000, 50_000} {
			if err := f.Write(&fixture.Narrow{Room: room}, big, Options{}); err == nil {
				t.Errorf("%s: no error after %d bytes", f.Name, room)
			}
		}
	}
}
