package icd

import (
	"iter"
	"slices"
	"time"
)

// A Timeline is what was observed around one device. The zero Timeline is no
// use: see [NewTimeline] and [ReadTimeline].
type Timeline struct {
	Node  NodeName  // the device, by its extended address
	Start time.Time // what observations count their seconds from

	all    []Observation
	sorted bool
}

// NewTimeline is an empty timeline.
func NewTimeline(node NodeName, start time.Time) *Timeline {
	return &Timeline{Node: node, Start: start, sorted: true}
}

// Add adds an observation; they need not come in order.
func (t *Timeline) Add(o Observation) {
	if n := len(t.all); n > 0 && t.sorted && t.all[n-1].compare(&o) > 0 {
		t.sorted = false
	}
	t.all = append(t.all, o)
}

// Len is the number of observations.
func (t *Timeline) Len() int { return len(t.all) }

// End is the time of the last observation.
func (t *Timeline) End() Seconds {
	t.sort()
	if len(t.all) == 0 {
		return 0
	}
	return t.all[len(t.all)-1].At
}

// All goes through the observations in order of time.
func (t *Timeline) All() iter.Seq[*Observation] {
	t.sort()
	return func(yield func(*Observation) bool) {
		for i := range t.all {
			if !yield(&t.all[i]) {
				return
			}
		}
	}
}

func (t *Timeline) sort() {
	if !t.sorted {
		slices.SortStableFunc(t.all, func(a, b Observation) int { return a.compare(&b) })
		t.sorted = true
	}
}
