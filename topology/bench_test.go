package topology_test

import (
	"fmt"
	"testing"

	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// BenchmarkBuild infers simulated networks of 250 nodes each from what every
// node says.
func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{50, 1000, 16000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			reports := mesh.ScaleTo(n).Reports(mesh.ReportOptions{At: at})
			b.ReportAllocs()
			for b.Loop() {
				topology.Build(reports)
			}
		})
	}
}
