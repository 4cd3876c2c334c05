package icd

import "strings"

var causeR12 = &Cause{
	ID: "R12", Link: L7, Party: Controller,
	Title: "One side lost the session, the other did not",
	About: "The controller refuses the device's session or does not know it any more, while other controllers get on with the device.",
	examine: func(x *exam) {
		if x.sub.inside == ByCanary {
			if f := x.canaryFailed(); f != nil && !timedOut(f.What.(*CASE).Error) && f.What.(*CASE).Error != "" {
				x.sign(because(f, "a session was refused"))
			} else if f != nil {
				x.against(because(f, "it timed out, nobody refused it"))
			}
			return
		}
		for _, l := range x.h.logs {
			if l.stranger && l.o.At >= x.t0-slack {
				x.proof(because(l.o, "the controller refuses the session"))
			}
		}
		if w := x.capturedFailure(); w != nil && strings.HasPrefix(w.Error, "refused") {
			x.proof(because(x.h.failed.o, "the controller refuses the session"))
		} else if w != nil && timedOut(w.Error) && strings.Contains(w.Error, "Sigma2") {
			x.against(because(x.h.failed.o, "the controller takes the session up"))
		}
		if x.h.refused.at >= x.t0-slack {
			x.sign(because(x.h.refused.o, "the controller does not know the subscription any more"))
			x.partial = true // the session opens, and is of no use
			for _, o := range x.by["user changed"] {
				if movedController(o) {
					x.against(because(o, "it has no subscriptions since it was moved"))
				}
			}
		}
		tried := len(x.askedFor()) > 0 && x.c.state(L6) == Seen && x.at > x.attemptsEnd()
		if tried {
			x.fit("it finds its subscriber, and is not back")
			if o := x.deviceOpened(); o != nil {
				x.fit(because(o, "it gets on with another controller"))
			}
		}
		if f := x.canaryFailed(); f != nil && timedOut(f.What.(*CASE).Error) {
			x.against(because(f, "its session to the canary fails as well"))
		}
	},
}
