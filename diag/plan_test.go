package diag

import (
	"slices"
	"testing"
	"time"
)

// listed is a source that has its probes ready.
type listed []Probe

func (listed) Name() string           { return "listed" }
func (l listed) Probes(Known) []Probe { return l }

func TestPlan(t *testing.T) {
	probe := func(source, target string, within time.Duration) Probe {
		return Probe{Source: source, Target: target, Within: within}
	}
	own := listed{probe("a", "z", 1), probe("a", "x", 2), probe("a", "y", 3), probe("a", "x", 4)}
	sources := []Source{own, listed(nil), listed{probe("b", "x", 5)}, listed{probe("a", "z", 6), probe("a", "w", 7)}}
	for range 3 {
		var got []time.Duration
		for _, p := range Plan(sources, Known{}) {
			got = append(got, p.Within)
		}
		// by source in the order given, by target inside of one; the first of equals stays
		if want := []time.Duration{2, 3, 1, 5, 7}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if own[0].Target != "z" || own[3].Within != 4 {
		t.Error("the source's own list was changed")
	}
	if p := Plan(nil, Known{}); len(p) != 0 {
		t.Error(p)
	}
}
