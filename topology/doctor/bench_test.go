package doctor

import (
	"fmt"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// BenchmarkExamine goes the whole way from reports of simulated networks of 250
// nodes each: the map, the findings, and the ways of every node.
func BenchmarkExamine(b *testing.B) {
	for _, n := range []int{1000, 4000, 16000} {
		reports := mesh.ScaleTo(n).Reports(mesh.ReportOptions{At: at, Names: true})
		scan := &diag.Scan{From: at, To: at.Add(10 * time.Second), Reports: reports}
		b.Run(fmt.Sprintf("doctor/%d", n), func(b *testing.B) {
			m := topology.Build(reports)
			b.ReportAllocs()
			for b.Loop() {
				Examine(New(m, scan, nil))
			}
		})
		b.Run(fmt.Sprintf("all/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m := topology.Build(reports)
				c := New(m, scan, nil)
				Examine(c)
				for _, n := range m.Nodes {
					c.Ways.Cheapest(n)
				}
			}
		})
	}
}
