package diag

import "time"

// A Scan is all that one run (or one file) learnt: what a snapshot stores and
// what a map is drawn from. Scans are merged by [Merge].
type Scan struct {
	From     time.Time     `cbor:"from,omitzero"`
	To       time.Time     `cbor:"to,omitzero"`
	Probe    string        `cbor:"probe,omitempty"` // the user's name for the place it was made from (--via)
	Complete bool          `cbor:"complete"`        // every source that was asked for answered
	Sources  []SourceState `cbor:"sources,omitzero"`
	Reports  []Report      `cbor:"reports"`
	Problems []Problem     `cbor:"problems,omitzero"`
}

// A SourceState says what became of one source.
type SourceState struct {
	Name  string `cbor:"name"`
	Via   string `cbor:"via,omitempty"`
	State State  `cbor:"state"`
	Hint  string `cbor:"hint,omitempty"` // what it would add, or what to do
}

// A State is what became of a source.
type State string

// The states of a source.
const (
	StateAnswered State = "answered"
	StateFailed   State = "failed"
	StateSkipped  State = "skipped"
)

// Merge puts scans together: reports are facts, so merging is concatenation.
// The result is complete when all of them are and there is at least one.
func Merge(scans ...*Scan) *Scan {
	m := &Scan{Complete: len(scans) > 0, Reports: []Report{}}
	for _, s := range scans {
		if s == nil {
			m.Complete = false
			continue
		}
		if !s.From.IsZero() && (m.From.IsZero() || s.From.Before(m.From)) {
			m.From = s.From
		}
		if s.To.After(m.To) {
			m.To = s.To
		}
		m.Complete = m.Complete && s.Complete
		m.Sources = append(m.Sources, s.Sources...)
		m.Reports = append(m.Reports, s.Reports...)
		m.Problems = append(m.Problems, s.Problems...)
		if len(scans) == 1 {
			m.Probe = s.Probe
		}
	}
	return m
}
