package icd

import "slices"

var causeR13 = &Cause{
	ID: "R13", Link: L7, Party: DeviceFirmware,
	Title: "An old message keeps it busy for a minute",
	About: "The parent kept a controller's old attempt for the device; when it wakes it works on that one, and can't take a new session for about a minute.",
	examine: func(x *exam) {
		queued, failed, worked := x.staleSigma1()
		switch {
		case failed != nil && worked != nil && worked.At-failed.At <= 2*minute && (x.mode != ModeLongIdle || queued != nil):
			x.sign(because(failed, "a session after it woke failed"))
			x.sign(because(worked, "the next succeeded "+(worked.At-failed.At).String()+" later"))
		case x.mode == ModeLongIdle: // whoever calls while it sleeps fails
		case failed != nil && (x.at-failed.At < 2*minute || x.lastLife().at > failed.At):
			x.fit(because(failed, "the first session after it woke failed"))
		}
		if queued != nil {
			if len(x.signs) > 0 {
				x.proof(because(queued, "its parent had frames waiting for it"))
			} else {
				x.fit(because(queued, "its parent had frames waiting for it"))
			}
		}
	},
}

// staleSigma1 is what an old message does that the parent has kept: it waits at
// the start, and the first session that somebody opens to the device after that
// fails, while one later works. Each is nil where it was not seen.
func (v *view) staleSigma1() (queued, failed, worked *Observation) {
	for o, w := range ours[Child](v, "tmf child") {
		if w.Queued != nil && *w.Queued > 0 && o.At >= v.t0-minute && o.At <= v.t0+2*minute {
			queued = o
		}
	}
	cases := slices.Concat(v.by["canary case"], v.by["capture case"])
	slices.SortStableFunc(cases, (*Observation).compare)
	for _, o := range cases {
		w, ok := o.What.(*CASE)
		if !ok || !v.isOurs(o) || o.At < v.t0-slack || w.OpenedBy == byDevice {
			continue
		}
		if w.Result == "failed" && worked == nil && o.At <= v.t0+3*minute {
			failed = o
		} else if w.Result != "failed" && failed != nil && worked == nil {
			worked = o
		}
	}
	return queued, failed, worked
}

// mayBeBusy reports whether a device that did not try after its start may have
// been busy with an old message instead.
func (v *view) mayBeBusy() bool {
	queued, failed, _ := v.staleSigma1()
	return v.mode != ModeLongIdle && (queued != nil || failed != nil)
}
