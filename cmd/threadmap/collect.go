package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"threadmap/diag"
	"threadmap/discovery"
)

// A job is what a scan is to ask.
type job struct {
	lan *lan // listened to first; nil: not at all
	// first, if not nil, asks something beforehand, while the LAN is listened to.
	// What it returns is called before the rest is asked.
	first func(context.Context) func(*diag.Scan)
	// plan lists what is asked then, given what was announced. It is called
	// without services, too, to see whether anything would be asked.
	plan  func([]discovery.Service) []diag.Probe
	limit time.Duration // for all of it
	probe string        // the user's name for the place it is asked from
}

// planned plans the probes of sources that were named endpoints.
func planned(sources []diag.Source, endpoints []diag.Endpoint) func([]discovery.Service) []diag.Probe {
	return func(services []discovery.Service) []diag.Probe {
		return diag.Plan(sources, diag.Known{Endpoints: endpoints, Services: services})
	}
}

// collect does a job and makes a scan of what was learnt, and gives the services
// that were announced. It ends when all is asked, when the limit has passed, or
// soon after ctx ends; what was learnt by then is in the scan.
func (a *app) collect(ctx context.Context, j job) (*diag.Scan, []discovery.Service) {
	limited, cancel := context.WithTimeout(ctx, j.limit)
	defer cancel()
	show := newProgress(a.err, a.getenv("TERM"), j.lan != nil)
	a.notes.begin(a.err, show)
	scan := &diag.Scan{From: time.Now(), Probe: j.probe, Reports: []diag.Report{}, Complete: true}
	var services []discovery.Service
	then := func(*diag.Scan) {}
	var ahead sync.WaitGroup
	if j.first != nil {
		ahead.Go(func() { then = j.first(limited) })
	}
	if j.lan != nil {
		services = listen(limited, j, scan, show)
	}
	ahead.Wait()
	then(scan)
	probes := j.plan(services)
	for i := range probes {
		probes[i].Within = min(probes[i].Within, j.limit)
	}
	show.asking(len(probes))
	ask(limited, probes, scan, show.tell)
	a.notes.end()
	show.end()
	scan.To = time.Now()
	scan.Problems = onceEach(scan.Problems)
	for _, p := range scan.Problems {
		scan.Complete = scan.Complete && !p.Partial
	}
	scan.Complete = scan.Complete && ctx.Err() == nil && len(scan.Sources) > 0
	return scan, services
}

// onceEach leaves out what was said before, of the same place in the same words.
func onceEach(problems []diag.Problem) (out []diag.Problem) {
	seen := map[[3]string]bool{}
	for _, p := range problems {
		if key := [3]string{p.Source, p.Target, p.Text}; !seen[key] {
			seen[key] = true
			out = append(out, p)
		}
	}
	return out
}

// listen is the first stage: what the LAN announces.
func listen(ctx context.Context, j job, scan *diag.Scan, show *progress) []discovery.Service {
	got := make(chan heard, 1)
	p := j.lan.probe(len(j.plan(nil)) == 0, show.announced, got)
	p.Within = min(p.Within, j.limit)
	scan.Reports, scan.Problems = diag.Collect(ctx, []diag.Probe{p}, nil)
	s := diag.SourceState{Name: p.Source, Via: p.Target, State: diag.StateFailed}
	var h heard
	select {
	case h = <-got:
	default: // it was left behind
	}
	if h.anyone || len(scan.Reports) > 0 {
		s.State = diag.StateAnswered
	}
	if len(scan.Problems) > 0 {
		s.Hint = scan.Problems[0].Hint
	}
	scan.Sources = append(scan.Sources, s)
	return h.Services
}

// ask runs the probes and puts what they learn into the scan.
func ask(ctx context.Context, probes []diag.Probe, scan *diag.Scan, tell func(diag.Progress)) {
	type place struct{ source, target string }
	var mu sync.Mutex // a probe that was left behind may still be speaking
	heard := map[place]int{}
	reports, problems := diag.Collect(ctx, probes, func(p diag.Progress) {
		mu.Lock()
		heard[place{p.Probe.Source, p.Probe.Target}] = p.Reports
		mu.Unlock()
		tell(p)
	})
	scan.Reports, scan.Problems = append(scan.Reports, reports...), append(scan.Problems, problems...)
	mu.Lock()
	defer mu.Unlock()
	for _, p := range probes {
		s := diag.SourceState{Name: p.Source, Via: p.Target, State: diag.StateAnswered}
		if heard[place{p.Source, p.Target}] == 0 {
			s.State = diag.StateFailed
			i := slices.IndexFunc(problems, func(x diag.Problem) bool { return x.Source == p.Source && x.Target == p.Target })
			if i >= 0 {
				s.Hint = problems[i].Hint
			}
			// A sleeping device that says nothing leaves no gap that was promised to be
			// filled; its problem says so.
			scan.Complete = scan.Complete && i >= 0 && !problems[i].Partial
		}
		scan.Sources = append(scan.Sources, s)
	}
}
