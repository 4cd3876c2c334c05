package icd

var causeR1 = &Cause{
	ID: "R1", Link: L7, Party: DeviceFirmware,
	Title: "The firmware forgets its subscriptions when it restarts",
	About: "After a restart the device waits to be asked; a controller that does not notice the restart waits for the device.",
	examine: func(x *exam) {
		if x.excludeNoReboot() {
			return
		}
		if asked := x.askedForAny(); len(asked) > 0 {
			x.exclude(because(asked[0], "it looked a subscriber up after it started, so it keeps subscriptions"))
		}
		for o := range ours[Sigma1](x.view, "canary sigma1") {
			if o.At >= x.t0-slack {
				x.exclude(because(o, "it opened a session by itself after it started"))
			}
		}
		if o := x.canaryResumed(); o != nil {
			x.exclude(because(o, "it went on with the canary's subscription"))
		}
		for o, w := range ours[CASE](x.view, "canary case") {
			if o.At >= x.t0-slack && w.OpenedBy == "device" {
				x.exclude(because(o, "it opened a session by itself after it started"))
				break
			}
		}
		if o := x.capturedSigma1(); o != nil {
			x.exclude(because(o, "it opened a session by itself after it started"))
		}
		if r, anew := x.h.resumed, x.h.anew.at; x.rebooted && r.o != nil && r.at >= x.since(x.h) && (anew < x.since(x.h) || anew > r.at) {
			x.exclude(because(r.o, "it went on with its subscription after it started"))
		}
		if len(x.attempts(x.h)) > 0 {
			x.exclude("it tried to reach its subscriber after it started")
		}
		if stop := x.orderlyStop(); stop != nil {
			x.exclude(because(stop, "it stopped in order, which ends subscriptions whatever the firmware"))
		}
		if x.mode == ModeLongIdle {
			x.against("it sleeps for long: it is to check in, not to resume")
		}
		why := x.neverTried()
		if why == nil {
			why = x.captureSawNone()
		}
		if why != nil {
			for _, w := range why {
				x.sign(w)
			}
			return
		}
		if x.rebooted || x.claimed {
			if x.at >= x.resumeDue().to {
				x.fit("it started, and no attempt to reach a subscriber was seen")
			}
		}
	},
}

// excludeNoReboot rules a cause out that needs a start of the device.
func (x *exam) excludeNoReboot() bool {
	if x.rebooted || x.claimed {
		return false
	}
	// Only what counts starts can say that there was none.
	vs := x.values("0/51/1")
	if len(vs) > 1 {
		a, okA := vs[0].uint()
		b, okB := vs[len(vs)-1].uint()
		if okA && okB && a == b && x.bad.at > vs[0].o.At {
			x.exclude(because(vs[len(vs)-1].o, "it has not restarted"))
			return true
		}
	}
	if n, o, ok := x.last("0/51/2"); ok && Seconds(min(n, maxSeconds))*second > o.At {
		x.exclude(because(o, "it has been up since before"))
		return true
	}
	return true
}
