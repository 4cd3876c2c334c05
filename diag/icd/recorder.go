package icd

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// An Observe takes an observation that was made at a time of the wall clock:
// At of the observation is set from it. It does not wait and may be called from
// any goroutine, so an observer needs no channel of its own.
type Observe func(at time.Time, o Observation)

// See is o with the fields that every observation of a kind has.
func (o Observe) See(at time.Time, by, event string, what any) {
	o(at, Observation{By: by, Event: event, What: what})
}

// A Recorder gathers what observers see into a timeline, and writes each line
// as it comes into a file, if there is one: what was learnt outlives a crash.
// Its methods are safe for concurrent use.
type Recorder struct {
	mu      sync.Mutex
	t       *Timeline
	file    io.Writer
	err     error
	written int
	octets  int
	over    int
	changed chan struct{}
}

// NewRecorder begins a timeline. The file may be nil; its first line is written
// at once. Use the time's wall clock and monotonic reading as time.Now gives
// them: a clock that is set while the observers watch then moves nothing.
func NewRecorder(node NodeName, start time.Time, file io.Writer) (*Recorder, error) {
	r := &Recorder{t: NewTimeline(node, start), file: file, changed: make(chan struct{})}
	if file != nil {
		if err := WriteHeader(file, node, start); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Observe is an [Observe]. What was seen before the start counts as seen at
// the start. A timeline is as long as a file may be, MaxLines and MaxFile;
// what comes after that is counted and not kept.
func (r *Recorder) Observe(at time.Time, o Observation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o.At, o.raw = Seconds(min(max(at.Sub(r.t.Start), 0), maxSeconds*time.Second).Round(time.Microsecond)), nil
	line, err := o.MarshalJSON()
	if err != nil {
		r.fail(fmt.Errorf("observations: %s %s: %w", o.By, o.Event, err))
		return
	}
	if len(line) >= MaxLine || r.t.Len() >= MaxLines-1 || r.octets+len(line)+1 > MaxFile-4096 {
		r.over++
		return
	}
	r.octets += len(line) + 1
	r.t.Add(o)
	if r.file != nil && r.err == nil {
		if _, err := r.file.Write(append(line, '\n')); err != nil {
			r.fail(fmt.Errorf("observations: after line %d: %w", r.written+1, err))
		} else {
			r.written++
		}
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *Recorder) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Changed is closed by the next observation.
func (r *Recorder) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// Timeline is what was seen until now, a copy for [Evaluate].
func (r *Recorder) Timeline() *Timeline {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := NewTimeline(r.t.Node, r.t.Start)
	t.all, t.sorted = append(t.all, r.t.all...), r.t.sorted
	return t
}

// Err is why the file is not whole, nil where it is; the timeline goes on.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil && r.over > 0 {
		return fmt.Errorf("observations: %d more than a file may hold were not kept", r.over)
	}
	return r.err
}
