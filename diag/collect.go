package diag

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Bounds of a collection.
const (
	// maxAtOnce probes run side by side: enough to hide the latency of a home's
	// border routers, few enough not to flood its LAN.
	maxAtOnce = 16
	// grace is how long a probe may take to return after its deadline. One that
	// does not is left behind and its later words are not heard.
	grace = 2 * time.Second
	// maxReports bounds what one probe may make of a hostile peer: more than
	// the nodes of the largest Thread network (32 routers of 511 children).
	maxReports = 32 * 512
	// maxProblems bounds the problems of one probe.
	maxProblems = 1000
)

// A Sink takes what a probe learns. It is safe for concurrent use and deaf
// once the probe's time is over.
type Sink struct {
	mu       sync.Mutex
	closed   bool
	reports  []Report
	problems []Problem
	tell     func()
}

// Report keeps a report.
func (s *Sink) Report(r Report) {
	s.mu.Lock()
	full := s.closed || len(s.reports) >= maxReports
	if !full {
		s.reports = append(s.reports, r)
	}
	s.mu.Unlock()
	if !full && s.tell != nil {
		s.tell()
	}
}

// Problem keeps a problem.
func (s *Sink) Problem(p Problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && len(s.problems) < maxProblems {
		s.problems = append(s.problems, p)
	}
}

func (s *Sink) close() ([]Report, []Problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.reports, s.problems
}

// A Progress tells how a collection is getting on.
type Progress struct {
	Probe   Probe
	Reports int  // made by this probe so far
	Done    bool // the probe is over
}

// Collect runs probes side by side, those of one group one after the other,
// and returns what they learnt in the order of the probes, whatever the order
// in which they ended. It returns once all are over, at the latest when the
// last deadline and a short grace have passed, and soon after ctx ends; what was
// learnt until then is kept. tell, when not nil, is called from several
// goroutines, one call at a time.
func Collect(ctx context.Context, probes []Probe, tell func(Progress)) ([]Report, []Problem) {
	sinks := make([]*Sink, len(probes))
	gate := make(chan struct{}, maxAtOnce)
	var telling sync.Mutex
	say := func(p Progress) {
		if tell != nil {
			telling.Lock()
			defer telling.Unlock()
			tell(p)
		}
	}
	var all sync.WaitGroup
	for _, group := range groups(probes) {
		for _, i := range group {
			p, s := probes[i], &Sink{}
			s.tell = func() { say(Progress{Probe: p, Reports: s.count()}) }
			sinks[i] = s
		}
		all.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			for _, i := range group {
				runOne(ctx, probes[i], sinks[i])
				say(Progress{Probe: probes[i], Reports: sinks[i].count(), Done: true})
			}
		})
	}
	all.Wait()
	reports, problems := []Report{}, []Problem(nil)
	for _, s := range sinks {
		r, p := s.close()
		reports, problems = append(reports, r...), append(problems, p...)
	}
	return reports, problems
}

func (s *Sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.reports)
}

// runOne runs p in a goroutine of its own, so that a probe that ignores its
// context costs its deadline and the grace, not more.
func runOne(ctx context.Context, p Probe, to *Sink) {
	if ctx.Err() != nil {
		to.Problem(Problem{Source: p.Source, Target: p.Target, Stage: StageConnect, Text: "not asked: the scan was stopped", Partial: true})
		to.close()
		return
	}
	inner, cancel := context.WithTimeout(ctx, p.Within)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil { // a fault of ours must not cost what the others learnt
				to.Problem(Problem{Source: p.Source, Target: p.Target, Stage: StageParse, Text: fmt.Sprintf("internal error: %v", r), Hint: "please report this", Partial: true})
			}
		}()
		p.Run(inner, to)
	}()
	select {
	case <-done:
	case <-inner.Done():
		late := time.NewTimer(grace)
		defer late.Stop()
		select {
		case <-done:
		case <-late.C:
			to.Problem(Problem{Source: p.Source, Target: p.Target, Stage: StageAsk, Text: fmt.Sprintf("did not stop %v after its deadline of %v", grace, p.Within), Partial: true})
		}
	}
	to.close()
}

// groups lists the indexes of probes that must not run side by side, in the
// order in which the groups first appear.
func groups(probes []Probe) [][]int {
	at := map[string]int{}
	var out [][]int
	for i, p := range probes {
		g := p.Group
		if g == "" {
			g = p.Target
		}
		k, ok := at[g]
		if !ok {
			k = len(out)
			at[g] = k
			out = append(out, nil)
		}
		out[k] = append(out[k], i)
	}
	return slices.Clip(out)
}
