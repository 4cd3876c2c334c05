package render

import (
	"bytes"
	"testing"

	"threadmap/render/internal/fixture"
	"threadmap/simulators/golden"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// examined is a map with what the doctor says of it.
func examined(m *topology.Map) *Document {
	scan := fixture.Scan()
	return &Document{Map: m, Scan: scan, Findings: doctor.Examine(doctor.New(m, scan, nil))}
}

// homes are ten homes of all kinds, with what the doctor says of them.
func homes() map[string]*Document {
	return map[string]*Document{
		"sick":     examined(fixture.Home()),
		"dense":    {Map: fixture.Floor(4, 12, 38, 1300), Scan: fixture.Scan()},
		"rooms":    {Map: fixture.Floor(5, 16, 34, 350), Scan: fixture.Scan()},
		"building": {Map: fixture.Big(5, 4, 2), Scan: fixture.Scan()},
		"alone":    {Map: fixture.Line(1), Scan: fixture.Scan()},
		"small":    {Map: fixture.Floor(0, 4, 6, 500), Scan: fixture.Scan()},
		"tree":     {Map: fixture.Trees(1, 8, 5), Scan: fixture.Scan()},
		"ring":     {Map: fixture.Spread(make([]int, 32)...), Scan: fixture.Scan()},
		"office":   {Map: fixture.Floor(6, 20, 80, 400), Scan: fixture.Scan()},
		"floors":   {Map: fixture.Floors(3, 5, 9, 500), Scan: fixture.Scan()},
	}
}

// TestGoldenHomes keeps pictures of homes beside those of TestGolden. UPDATE=1
// writes them anew; look at them before you commit them.
func TestGoldenHomes(t *testing.T) {
	for name, d := range homes() {
		var b bytes.Buffer
		if err := SVG(&b, d, Options{}); err != nil {
			t.Fatal(err)
		}
		golden.Same(t, "home-"+name+".svg", b.Bytes())
	}
}

// TestSizeOfAPicture: 50 devices of which one source tells take less than 45 KB
// (six sources add 14), or 50 where all twelve routers hear each other.
func TestSizeOfAPicture(t *testing.T) {
	for _, c := range []struct {
		m     *topology.Map
		limit int
	}{
		{fixture.Spread(7, 8, 7, 7, 8, 7), 45_000},
		{fixture.Floor(2, 8, 42, 400), 45_000},
		{fixture.Floor(5, 16, 34, 350), 45_000},
		{fixture.Floor(4, 12, 38, 1300), 50_000},
	} {
		var b bytes.Buffer
		if err := SVG(&b, &Document{Map: c.m, Scan: fixture.Scan()}, Options{}); err != nil {
			t.Fatal(err)
		}
		if b.Len() > c.limit {
			t.Errorf("%s: %d bytes", c.m.Networks[0].Name, b.Len())
		}
	}
}
