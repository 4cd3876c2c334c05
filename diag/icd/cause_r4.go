package icd

import "fmt"

var causeR4 = &Cause{
	ID: "R4", Link: L9, Party: Controller,
	Title: "The controller waits longer and longer between attempts",
	About: "After failed attempts a controller waits longer each time, up to an hour and a half, even if the device is back meanwhile.",
	examine: func(x *exam) {
		early := x.c.first(Broken)
		if early != 0 && early < L7 {
			return // it waits because the device is out of its reach
		}
		for _, w := range x.by["user changed"] {
			if movedController(w) {
				x.against(because(w, "it knows no address since it was moved"))
			}
		}
		for _, l := range x.h.logs {
			if l.retryIn >= 2*minute && l.o.At > x.h.anew.at && l.o.At+l.retryIn > x.at-minute {
				if o := x.reachedAbout(l.o.At); o != nil {
					x.against(because(o, "its attempt failed while the device could be reached, so it is not the waiting alone"))
				} else {
					x.proof(because(l.o, fmt.Sprintf("the controller waits %s", l.retryIn)))
				}
			}
		}
		down := x.h.down()
		life := x.lastLife()
		if x.rebooted || x.claimed {
			if x.bad.o != nil && x.bad.at > x.t0 && x.at > x.livenessDue(x.h).to {
				x.fit("the controller should have noticed the loss, and may be waiting")
				x.vague = x.c.state(L3) != Seen
			}
			return
		}
		switch {
		case down.o != nil && down.at > x.h.served().at && life.at > down.at+slack:
			x.fit(because(down.o, "the controller lost it"))
			x.fit(because(life.o, "the device lives"))
		case x.bad.o != nil && life.at >= x.bad.at-10*minute && x.c.state(L3) == Seen:
			x.fit(because(life.o, "the device lives and has not restarted"))
			x.vague = life.at < x.bad.at
		case x.bad.o != nil && life.o != nil:
			x.fit("the controller may be waiting")
			x.vague = true
		}
	},
}

// reachedAbout is an observation that the device could be reached from the LAN
// shortly before a moment and after it.
func (v *view) reachedAbout(at Seconds) *Observation {
	var before, after *Observation
	note := func(o *Observation) {
		if o.At <= at && o.At > at-5*minute {
			before = o
		}
		if o.At >= at && o.At < at+5*minute && after == nil {
			after = o
		}
	}
	for o, w := range each[Ping](v, "icmp ping") {
		if w.From != "otbr" && w.Received > 0 {
			note(o)
		}
	}
	for o := range ours[Report](v, "canary report") {
		note(o)
	}
	if before == nil || after == nil {
		return nil
	}
	return before
}
