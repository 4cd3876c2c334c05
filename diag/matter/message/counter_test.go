package message

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestCounter(t *testing.T) {
	for _, random := range []uint32{0, 1, MaxInitialCounter - 1, MaxInitialCounter, math.MaxUint32} {
		c := NewCounter(random)
		if n, ok := c.Next(); !ok || n < 1 || n > MaxInitialCounter {
			t.Errorf("from %d: began with %d", random, n)
		}
	}
	c := Counter{math.MaxUint32 - 1}
	for _, want := range []uint32{math.MaxUint32 - 1, math.MaxUint32} {
		if n, ok := c.Next(); !ok || n != want {
			t.Errorf("%d, %v, want %d", n, ok, want)
		}
	}
	for range 2 {
		if n, ok := c.Next(); ok {
			t.Errorf("%d after the last one", n)
		}
	}
	if n := c.NextRolling(); n != 1 {
		t.Errorf("began again with %d", n)
	}
	if n := c.NextRolling(); n != 2 {
		t.Errorf("then %d", n)
	}
	if _, ok := new(Counter).Next(); ok {
		t.Error("the zero counter counts")
	}
}

func TestWindow(t *testing.T) {
	type step struct {
		n     uint32
		fresh bool
	}
	for _, v := range []struct {
		name      string
		unsecured bool
		steps     []step
	}{
		{"in order", false, []step{{5, true}, {5, false}, {6, true}, {6, false}, {5, false}}},
		{"zero never comes", false, []step{{0, false}, {1, true}, {0, true}}},
		{"late ones", false, []step{{100, true}, {99, true}, {68, true}, {68, false}, {67, false}, {99, false}, {98, true}}},
		{"a jump clears", false, []step{{100, true}, {132, true}, {100, false}, {101, true}, {165, true}, {132, false}, {133, true}}},
		{"a jump of 33", false, []step{{100, true}, {133, true}, {100, false}, {101, true}}},
		{"no rolling over", false, []step{{5, true}, {math.MaxUint32, true}, {math.MaxUint32, false}, {1, false}, {5, false}, {math.MaxUint32 - 1, true}}},
		{"unsecured, in order", true, []step{{0, true}, {0, false}, {1, true}, {1, false}}},
		{"unsecured, started anew", true, []step{{1000, true}, {967, true}, {967, false}, {966, true}, {1000, true}}},
		{"unsecured, late", true, []step{{1000, true}, {968, true}, {968, false}, {999, true}, {1000, false}}},
		{"unsecured, rolls over", true, []step{{math.MaxUint32, true}, {0, true}, {math.MaxUint32, false}, {math.MaxUint32 - 1, true}, {math.MaxUint32 - 1, false}}},
	} {
		w := Window{Unsecured: v.unsecured}
		for i, s := range v.steps {
			if got := w.Fresh(s.n); got != s.fresh {
				t.Errorf("%s, step %d: %d is fresh: %v", v.name, i, s.n, got)
			}
			if w.Fresh(s.n) {
				w.Mark(s.n)
			}
		}
	}
}

// A secure window never takes a counter twice, takes all newer ones, and all of
// the last 32 that did not come.
func TestWindowProperty(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var w Window
		seen, top := map[uint32]bool{}, uint32(0)
		base := []uint32{1, 1 << 20, math.MaxUint32 - 300}[seed%3]
		for range 400 {
			n := base + r.Uint32N(300)
			want := !seen[n] && (n > top || top-n <= windowSize)
			if got := w.Fresh(n); got != want {
				t.Fatalf("seed %d: %d after %d is fresh: %v", seed, n, top, got)
			}
			if newest := n > top; want && w.Newest(n) != newest {
				t.Fatalf("seed %d: %d after %d is the newest: %v", seed, n, top, !newest)
			}
			if want {
				w.Mark(n)
				seen[n], top = true, max(top, n)
			}
		}
	}
}
