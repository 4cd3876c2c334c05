package icd

import (
	"strings"
	"testing"
)

// TestWakeBy: bits and what they take, by the Matter core specification, 9.16.5.
func TestWakeBy(t *testing.T) {
	for _, c := range []struct {
		hint        uint32
		instruction string
		want        []string // a part of each line
	}{
		{0, "", nil},
		{1 << 0, "", []string{"battery out for ten seconds"}},
		{1 << 1, "", []string{"settings"}},
		{1 << 2, "Turn it over", []string{"“Turn it over”"}},
		{1 << 2, " ", []string{"its manual"}},
		{1 << 2, "a\x1b[31mb\nc", []string{"“a [31mb c”"}},
		{1 << 3, "", []string{"manual"}},
		{1 << 4, "", []string{"sensor notice"}},
		{1 << 5, "4", []string{"for 4 seconds"}},
		{1 << 5, "soon", []string{"for some seconds"}},
		{1 << 6, "3", []string{"something 3 times"}},
		{1 << 7, "00ff00", []string{"#00FF00"}},
		{1 << 7, "green", []string{"until its light blinks"}},
		{1 << 8, "", []string{"reset button"}},
		{1 << 9, "FF0000", []string{"reset button until its light blinks in the color #FF0000"}},
		{1 << 10, "5", []string{"reset button for 5 seconds"}},
		{1 << 10, "-5", []string{"for some seconds"}},
		{1 << 10, "99999999999999999999", []string{"for some seconds"}},
		{1 << 11, "2", []string{"reset button 2 times"}},
		{1 << 12, "", []string{"setup button"}},
		{1 << 13, "7", []string{"setup button for 7 seconds"}},
		{1 << 14, "", []string{"setup button until its light blinks"}},
		{1 << 15, "0", []string{"several times"}},
		{1 << 16, "", []string{"its app"}},
		{1 << 17, "", nil}, // not assigned
		{1<<0 | 1<<12, "", []string{"battery", "setup"}},
	} {
		got := WakeBy(c.hint, c.instruction)
		if len(got) != len(c.want) {
			t.Errorf("hint %#x: %q", c.hint, got)
			continue
		}
		for i, w := range c.want {
			if !strings.Contains(got[i], w) || strings.ContainsAny(got[i], "\x1b\n") || strings.Contains(got[i], "%!") {
				t.Errorf("hint %#x %q: %q, want %q in it", c.hint, c.instruction, got[i], w)
			}
		}
	}
}

// TestWakesAreWhole: bit n stands at n, and what takes an instruction has words
// for with and without.
func TestWakesAreWhole(t *testing.T) {
	if len(Wakes) != 17 {
		t.Fatalf("%d ways, want 17", len(Wakes))
	}
	for i, w := range Wakes {
		if int(w.Bit) != i || w.Name == "" || w.do == "" || strings.Contains(w.do, "%") || (w.takes != wakeNothing) != (strings.Count(w.with, "%s") == 1) {
			t.Errorf("%d: %+v", i, w)
		}
	}
}
