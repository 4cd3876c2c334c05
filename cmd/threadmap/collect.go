package main

import (
	"context"
	"sync"
	"time"

	"threadmap/diag"
)

// collect runs probes and makes a scan of what they learnt. It ends when all
// are over, when limit has passed, or soon after ctx ends; what was learnt by
// then is in the scan.
func (a *app) collect(ctx context.Context, probes []diag.Probe, limit time.Duration, probe string) *diag.Scan {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for i := range probes {
		probes[i].Within = min(probes[i].Within, limit)
	}
	type place struct{ source, target string }
	var mu sync.Mutex // a probe that was left behind may still be speaking
	heard := map[place]int{}
	show := newProgress(a.err, len(probes), a.getenv("TERM"))
	scan := &diag.Scan{From: time.Now(), Probe: probe}
	scan.Reports, scan.Problems = diag.Collect(limited, probes, func(p diag.Progress) {
		mu.Lock()
		heard[place{p.Probe.Source, p.Probe.Target}] = p.Reports
		mu.Unlock()
		show.tell(p)
	})
	show.end()
	scan.To = time.Now()
	mu.Lock()
	defer mu.Unlock()
	scan.Complete = ctx.Err() == nil && len(probes) > 0
	for _, p := range scan.Problems {
		scan.Complete = scan.Complete && !p.Partial
	}
	for _, p := range probes {
		s := diag.SourceState{Name: p.Source, Via: p.Target, State: diag.StateAnswered}
		if heard[place{p.Source, p.Target}] == 0 {
			s.State = diag.StateFailed
			scan.Complete = false
			for _, problem := range scan.Problems {
				if problem.Source == p.Source && problem.Target == p.Target {
					s.Hint = problem.Hint
					break
				}
			}
		}
		scan.Sources = append(scan.Sources, s)
	}
	return scan
}
