package render

import (
	"bytes"
	"testing"

	"threadmap/render/internal/fixture"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// examined is a map with what the doctor says of it.
func examined(m *topology.Map) *Document {
	scan := fixture.Scan()
	return &Document{Map: m, Scan: scan, Findings: doctor.Examine(doctor.New(m, scan, nil))}
}

// TestGoldenHomes keeps pictures of homes beside those of TestGolden. UPDATE=1
// writes them anew; look at them before you commit them.
func TestGoldenHomes(t *testing.T) {
	building := fixture.Big(5, 4, 2)
	for name, d := range map[string]*Document{
		"sick":     examined(fixture.Home()),
		"dense":    {Map: fixture.Floor(4, 12, 38, 1300), Scan: fixture.Scan()},
		"rooms":    {Map: fixture.Floor(5, 16, 34, 350), Scan: fixture.Scan()},
		"building": {Map: building, Scan: fixture.Scan()},
	} {
		var b bytes.Buffer
		if err := SVG(&b, d, Options{}); err != nil {
			t.Fatal(err)
		}
		golden(t, "home-"+name+".svg", b.Bytes())
	}
}

// TestSizeOfAPicture: 50 devices are under 60 KB, however dense their mesh is
// but for one where all twelve routers hear each other.
func TestSizeOfAPicture(t *testing.T) {
	for _, c := range []struct {
		m     *topology.Map
		limit int
	}{
		{fixture.Spread(7, 8, 7, 7, 8, 7), 60_000},
		{fixture.Floor(2, 8, 42, 400), 60_000},
		{fixture.Floor(5, 16, 34, 350), 60_000},
		{fixture.Floor(4, 12, 38, 1300), 70_000},
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
