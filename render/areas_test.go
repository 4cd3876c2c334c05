package render

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"threadmap/render/internal/fixture"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// TestAreasOfShuffledReports: reports in any order give the same picture, byte for
// byte, its areas too.
func TestAreasOfShuffledReports(t *testing.T) {
	reports := mesh.HomeOf50(7).Reports(mesh.ReportOptions{At: fixture.At, Names: true})
	picture := func() []byte { return draw(t, Formats[2], &Document{Map: topology.Build(reports)}, Options{}) }
	want := picture()
	if n := bytes.Count(want, []byte(`<g class="areas">`)); n < 3 {
		t.Fatalf("%d panels have areas", n)
	}
	random := rand.New(rand.NewPCG(5, 5))
	for range 8 {
		reports = slices.Clone(reports)
		random.Shuffle(len(reports), func(i, k int) { reports[i], reports[k] = reports[k], reports[i] })
		if !bytes.Equal(picture(), want) {
			t.Fatal("the picture differs")
		}
	}
}
