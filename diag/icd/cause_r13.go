package icd

import "slices"

var causeR13 = &Cause{
	ID: "R13", Link: L7, Party: DeviceFirmware,
	Title: "An old message keeps it busy for a minute",
	About: "The parent kept a controller's old attempt for the device; when it wakes it works on that one, and can't take a new session for about a minute.",
	examine: func(x *exam) {
		var queued *Observation
		for o, w := range ours[Child](x.view, "tmf child") {
			if w.Queued != nil && *w.Queued > 0 && o.At >= x.t0-minute && o.At <= x.t0+2*minute {
				queued = o
			}
		}
		var failed, worked *Observation
		cases := slices.Concat(x.by["canary case"], x.by["capture case"])
		slices.SortStableFunc(cases, (*Observation).compare)
		for _, o := range cases {
			w, ok := o.What.(*CASE)
			if !ok || !x.isOurs(o) || o.At < x.t0-slack || w.OpenedBy == "device" {
				continue
			}
			if w.Result == "failed" && worked == nil && o.At <= x.t0+3*minute {
				failed = o
			} else if w.Result != "failed" && failed != nil && worked == nil {
				worked = o
			}
		}
		if failed != nil && worked != nil && worked.At-failed.At <= 2*minute {
			x.sign(because(failed, "a session after it woke failed"))
			x.sign(because(worked, "the next succeeded "+(worked.At-failed.At).String()+" later"))
		} else if failed != nil && x.at-failed.At < 2*minute {
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
