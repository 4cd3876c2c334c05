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
		case x.lostAndLives():
			x.fit(because(down.o, "the controller lost it"))
			x.fit(because(life.o, "the device lives"))
			if over, _ := x.overdue(); over != "" {
				x.against(over)
			}
		case x.bad.o != nil && life.at >= x.bad.at-10*minute && x.c.state(L3) == Seen:
			x.fit(because(life.o, "the device lives and has not restarted"))
			x.vague = life.at < x.bad.at
		case x.bad.o != nil && life.o != nil:
			x.fit("the controller may be waiting")
			x.vague = true
		}
	},
}

// lostAndLives reports whether the controller knows that it lost the device, which
// lives: then it waits (R4), or hangs (R6). Which of the two is to be seen inside
// of it, or by how long it takes.
func (x *exam) lostAndLives() bool {
	down := x.h.down()
	return down.o != nil && down.at > x.h.served().at && x.lastLife().at > down.at+slack
}

// overdue says that the controller has been silent for longer than any waits
// between two attempts, though nothing says that the device could not be reached from the
// LAN in that time; "" where it has not.
func (x *exam) overdue() (why string, reached *Observation) {
	limit := Seconds(capCHIP)
	if x.sub.kind == darwinController {
		limit = capDarwin
	}
	down, p := x.h.down(), x.pings()
	if reachable := max(down.at, p.fail.at); down.o != nil && p.ok.o != nil && p.ok.at > reachable+limit+handshake {
		return "no controller waits longer than " + limit.String() + " between attempts, and it is silent since " + down.at.String(), p.ok.o
	}
	return "", nil
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
