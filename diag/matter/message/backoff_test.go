package message

import (
	"math"
	"testing"
	"time"
)

// TestBackoff has the waits of the standard for three intervals, in
// milliseconds, without and with all chance.
func TestBackoff(t *testing.T) {
	for _, v := range []struct {
		base     time.Duration
		from, to [MaxTransmissions]float64
		sum      time.Duration
	}{
		{300 * time.Millisecond, [...]float64{330, 330, 528, 844.8, 1351.68}, [...]float64{412.5, 412.5, 660, 1056, 1689.6}, 4230600 * time.Microsecond},
		{500 * time.Millisecond, [...]float64{550, 550, 880, 1408, 2252.8}, [...]float64{687.5, 687.5, 1100, 1760, 2816}, 7051 * time.Millisecond},
		{5 * time.Second, [...]float64{5500, 5500, 8800, 14080, 22528}, [...]float64{6875, 6875, 11000, 17600, 28160}, 70510 * time.Millisecond},
	} {
		for n := range MaxTransmissions {
			for random, want := range map[float64]float64{0: v.from[n], 1: v.to[n], 0.5: (v.from[n] + v.to[n]) / 2} {
				if got := Backoff(n, v.base, random); got != time.Duration(math.Round(want*1e6)) {
					t.Errorf("Backoff(%d, %v, %v) = %v, want %v ms", n, v.base, random, got, want)
				}
			}
		}
		if got := GivesUpAfter(v.base); got != v.sum {
			t.Errorf("gives up after %v, want %v", got, v.sum)
		}
	}
	// What is out of range stays finite and never negative.
	for _, d := range []time.Duration{-1, 0, 1 << 62} {
		for _, n := range []int{-1, 0, 4, 5, 1000} {
			for _, r := range []float64{-1, 0, 2} {
				if got := Backoff(n, d, r); got < 0 || got > 24*time.Hour {
					t.Errorf("Backoff(%d, %v, %v) = %v", n, d, r, got)
				}
			}
		}
	}
	if a, b := Backoff(4, time.Second, 0), Backoff(5, time.Second, 0); b <= a || Backoff(6, time.Second, 0) != b {
		t.Error("the power has no limit of 4")
	}
}
