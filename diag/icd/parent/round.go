package parent

import (
	"cmp"
	"context"
	"slices"
	"time"

	"threadmap/diag"
	"threadmap/diag/icd"
)

// maxRouters bounds the routers of a mesh: there are 63 router ids.
const maxRouters = diag.MaxRouterID + 1

// A watcher is a watch that is going on.
type watcher struct {
	Config
	observe   icd.Observe
	parent    diag.RLOC16
	known     map[uint16]bool // routers by RLOC16
	asked     time.Time       // when the last round began
	restarted time.Time       // the device, as far as told
}

// learnRouters remembers routers. A child's RLOC16 is never kept: children are
// not asked.
func (w *watcher) learnRouters(list ...diag.RLOC16) {
	for _, r := range list {
		if v, _ := r.Get(); r.IsRouter() && len(w.known) < maxRouters {
			w.known[v] = true
		}
	}
}

func (w *watcher) setParent(r diag.RLOC16) {
	if r.Known() {
		w.parent = r.Router()
		w.learnRouters(w.parent)
	}
}

// round asks the parent, and where that has the device no more, the other
// routers, a few at a time until one has it. answered is false where nobody
// answered at all; why says so.
func (w *watcher) round(ctx context.Context) (answered bool, why string) {
	w.asked = w.Now()
	ctx, cancel := context.WithTimeout(ctx, AskWithin)
	defer cancel()
	var reports []diag.Report
	var problems []diag.Problem
	done := map[uint16]bool{}
	ask := func(list []diag.RLOC16) (found bool) {
		r, p := w.Ask(ctx, list)
		w.hear(r)
		for _, k := range list {
			v, _ := k.Get()
			done[v] = true
		}
		for i := range r { // one that was asked as the leader, or that answers unasked
			if v, known := r[i].RLOC16.Get(); known && r[i].Children != nil {
				done[v] = true
			}
		}
		reports, problems = append(reports, r...), append(problems, p...)
		parent, found := w.childOf(r)
		if found {
			w.setParent(parent)
		}
		return found
	}
	found := false
	if w.parent.Known() {
		found = ask([]diag.RLOC16{w.parent})
	}
	if !found && ctx.Err() == nil && (len(w.known) == 0 || len(reports) == 0) {
		found = ask(nil) // to learn whom else there is to ask
	}
	for !found && ctx.Err() == nil && len(reports) > 0 {
		var batch []diag.RLOC16
		for _, v := range w.sorted() {
			if !done[v] && len(batch) < Batch {
				batch = append(batch, diag.MakeRLOC16(v))
			}
		}
		if len(batch) == 0 {
			break
		}
		found = ask(batch)
	}
	if len(reports) == 0 {
		return false, reason(problems)
	}
	w.tell(reports, problems)
	return true, ""
}

// tell observes what a round brought.
func (w *watcher) tell(reports []diag.Report, problems []diag.Problem) {
	for i := range reports {
		reports[i].Session = "" // of one round, and so of one time
		reports[i].Via = ""
	}
	w.observe.Tell(icd.FromReports(reports, problems, w.Device, w.Now()))
}

// hear learns which routers there are: of the route tables, without those that
// nobody reaches.
func (w *watcher) hear(reports []diag.Report) {
	for i := range reports {
		r := &reports[i]
		if r.RLOC16.IsRouter() {
			w.learnRouters(r.RLOC16)
		}
		for _, row := range r.Routes {
			if row.PathCost.Or(0) > 0 {
				w.learnRouters(diag.RouterRLOC16(row.RouterID))
			}
		}
	}
}

// childOf finds the router that has the device as a child.
func (w *watcher) childOf(reports []diag.Report) (diag.RLOC16, bool) {
	for i := range reports {
		r := &reports[i]
		if r.RLOC16.IsRouter() && slices.ContainsFunc(r.Children, func(n diag.Neighbor) bool { return n.ExtAddr == w.Device.Ext }) {
			return r.RLOC16, true
		}
	}
	return diag.RLOC16{}, false
}

func (w *watcher) sorted() []uint16 {
	out := make([]uint16, 0, len(w.known))
	for v := range w.known {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b uint16) int { return cmp.Compare(a, b) })
	return out
}

// reason is why nobody answered, one line.
func reason(problems []diag.Problem) string {
	if len(problems) == 0 {
		return "no router answered"
	}
	p := problems[0]
	if p.Hint != "" {
		return p.Text + ": " + p.Hint
	}
	return p.Text
}
