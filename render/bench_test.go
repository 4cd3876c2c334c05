package render

import (
	"fmt"
	"io"
	"testing"

	"threadmap/render/internal/fixture"
	"threadmap/topology"
)

func benchMaps() map[int]*topology.Map {
	return map[int]*topology.Map{50: fixture.Spread(7, 8, 7, 7, 8, 7), 1000: fixture.Big(1, 32, 30), 16000: fixture.Big(16, 32, 30)}
}

func benchFormat(b *testing.B, write func(io.Writer, *Document, Options) error) {
	maps := benchMaps()
	for _, n := range []int{50, 1000, 16000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := &Document{Map: maps[n], Scan: fixture.Scan()}
			b.ReportAllocs()
			for b.Loop() {
				if err := write(io.Discard, d, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSVG(b *testing.B)  { benchFormat(b, SVG) }
func BenchmarkJSON(b *testing.B) { benchFormat(b, JSON) }
func BenchmarkTree(b *testing.B) { benchFormat(b, Tree) }
func BenchmarkDOT(b *testing.B)  { benchFormat(b, DOT) }
func BenchmarkCSV(b *testing.B)  { benchFormat(b, CSV) }
