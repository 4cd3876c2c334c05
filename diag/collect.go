package diag

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	// What came beyond the bounds.
	lostReports, lostProblems int
	tell                      func()
}

// Report keeps a report.
func (s *Sink) Report(r Report) {
	if s.keep(r) && s.tell != nil {
		s.tell()
	}
}

func (s *Sink) keep(r Report) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return false
	case len(s.reports) >= maxReports:
		s.lostReports++
		return false
	}
	s.reports = append(s.reports, r)
	return true
}

// Problem keeps a problem.
func (s *Sink) Problem(p Problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
	case len(s.problems) >= maxProblems:
		s.lostProblems++
	default:
		s.problems = append(s.problems, p)
	}
}

// close makes the sink deaf. A sink that was full gets one last problem that
// says so: p names the probe.
func (s *Sink) close(p Probe) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	if s.lostReports > 0 {
		s.problems = append(s.problems, p.problem(StageParse, fmt.Sprintf("%d reports beyond the first %d were dropped", s.lostReports, maxReports)))
	}
	if s.lostProblems > 0 {
		s.problems = append(s.problems, p.problem(StageParse, fmt.Sprintf("%d problems beyond the first %d were dropped", s.lostProblems, maxProblems)))
	}
}

func (s *Sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.reports)
}

// problem is a problem of the whole probe.
func (p Probe) problem(at Stage, text string) Problem {
	return Problem{Source: p.Source, Target: p.Target, Stage: at, Text: text, Partial: true}
}

// A Progress tells how a collection is getting on.
type Progress struct {
	Probe   Probe
	Reports int  // made by this probe so far
	Done    bool // the probe is over; its last Progress
}

// Collect runs probes side by side, those of one group one after the other,
// and returns what they learnt in the order of the probes, whatever the order
// in which they ended. It returns once all are over: each takes at most its
// deadline and a short grace from when it is started, and soon after ctx ends
// all are over. What was learnt until then is kept. tell, when not nil, is called from several
// goroutines, one call at a time, and not after Collect has returned.
func Collect(ctx context.Context, probes []Probe, tell func(Progress)) ([]Report, []Problem) {
	sinks := make([]*Sink, len(probes))
	over := make([]bool, len(probes)) // guarded by telling
	var telling sync.Mutex
	say := func(i int, done bool) {
		if tell == nil {
			return
		}
		telling.Lock()
		defer telling.Unlock()
		if over[i] { // a probe that was left behind is heard no more
			return
		}
		over[i] = done
		tell(Progress{Probe: probes[i], Reports: sinks[i].count(), Done: done})
	}
	for i := range probes {
		sinks[i] = &Sink{tell: func() { say(i, false) }}
	}
	gate := make(chan struct{}, maxAtOnce)
	var all sync.WaitGroup
	for _, group := range groups(probes) {
		all.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			for _, i := range group {
				runOne(ctx, probes[i], sinks[i])
				say(i, true)
			}
		})
	}
	all.Wait()
	reports, problems := []Report{}, []Problem(nil)
	for _, s := range sinks {
		reports, problems = append(reports, s.reports...), append(problems, s.problems...)
	}
	return reports, problems
}

// runOne runs p in a goroutine of its own, so that a probe that ignores its
// context costs its deadline and the grace, not more.
func runOne(ctx context.Context, p Probe, to *Sink) {
	defer to.close(p)
	if ctx.Err() != nil {
		to.Problem(p.problem(StageConnect, "not asked: "+whyOver(ctx)))
		return
	}
	inner, cancel := context.WithTimeout(ctx, p.Within)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil { // a fault of ours must not cost what the others learnt
				fault := p.problem(StageParse, "internal error: "+oneLine(fmt.Sprint(r)))
				fault.Hint = "please report this"
				to.Problem(fault)
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
			why := fmt.Sprintf("its deadline of %v", p.Within)
			if ctx.Err() != nil {
				why = whyOver(ctx)
			}
			to.Problem(p.problem(StageAsk, fmt.Sprintf("did not stop within %v after %s", grace, why)))
		}
	}
}

// whyOver says in words why a whole collection ended.
func whyOver(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "the scan's time was over"
	}
	return "the scan was stopped"
}

// oneLine makes a short line of a text that may quote a peer.
func oneLine(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
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
