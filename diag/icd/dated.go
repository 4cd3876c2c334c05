package icd

import (
	"slices"
	"time"
)

// A Dated is an observation with the time of the wall clock at which it was
// made: what observers of something that is past give, which know no start of
// a timeline. At of the observation is not set.
type Dated struct {
	At time.Time
	Observation
}

// SortDated puts dated observations in order of time; those of one time stay in
// the order in which they came.
func SortDated(list []Dated) {
	slices.SortStableFunc(list, func(a, b Dated) int { return a.At.Compare(b.At) })
}

// Tell hands dated observations to an observer.
func (o Observe) Tell(list []Dated) {
	for _, d := range list {
		o(d.At, d.Observation)
	}
}
