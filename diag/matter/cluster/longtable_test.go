package cluster_test

import (
	"reflect"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/cluster"
	"threadmap/tlv"
)

// TestLongTable has more rows than are kept before they are parted, of both
// kinds by turns, and each is found where it belongs, in its order.
func TestLongTable(t *testing.T) {
	for _, rows := range []int{0, 1, 63, 64, 65, 128, 200} {
		var e tlv.Encoder
		e.Array(tlv.Anonymous)
		for i := range rows {
			e.Struct(tlv.Anonymous)
			e.PutUint(tlv.Context(0), uint64(i+1))
			if i%3 == 0 { // not of the row that stood in its place before
				e.PutUint(tlv.Context(1), uint64(i))
			}
			e.PutBool(tlv.Context(13), i%2 == 0)
			e.End()
		}
		e.End()
		element, err := e.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		children, neighbors, problems, err := cluster.DecodeNeighborTable(element)
		if err != nil || len(problems) > 0 || len(children) != (rows+1)/2 || len(neighbors) != rows/2 || children == nil || neighbors == nil {
			t.Fatalf("%d rows: %d children, %d neighbors, %v, %v", rows, len(children), len(neighbors), problems, err)
		}
		for i := range rows {
			n := children
			if i%2 == 1 {
				n = neighbors
			}
			want := diag.Neighbor{ExtAddr: diag.ExtAddr(i + 1)}
			if i%3 == 0 {
				want.Age = diag.Some(time.Duration(i) * time.Second)
			}
			if !reflect.DeepEqual(n[i/2], want) {
				t.Fatalf("row %d of %d: %+v, want %+v", i, rows, n[i/2], want)
			}
		}
	}
}
