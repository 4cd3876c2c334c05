package icd

import (
	"strings"
)

var causeR11 = &Cause{
	ID: "R11", Link: L7, Party: BorderRouter,
	Title: "The way back to the device is broken",
	About: "The device reaches the controller, but the controller's answers don't reach the device, for example because they leave through another border router.",
	examine: func(x *exam) {
		if o := x.deviceOpened(); o != nil && x.sub.inside != "" {
			x.exclude(because(o, "a session that the device opened succeeded"))
			return
		} else if o != nil {
			x.against(because(o, "a session that the device opened to the canary succeeded"))
		}
		in, out := false, false
		for _, l := range x.h.logs {
			if l.o.At < x.t0-slack {
				continue
			}
			in = in || l.sigma1
			out = out || l.sigma2
			if l.retransmission && in && out {
				x.sign(because(l.o, "the controller's answer is sent again and again, unacknowledged"))
			} else if l.timedOut && l.sigma2 && in {
				x.sign(because(l.o, "the controller's answer is not acknowledged"))
			}
		}
		if f := x.canaryFailed(); f != nil {
			w := f.What.(*CASE)
			if timedOut(w.Error) {
				x.sign(because(f, "the device's session timed out half-way"))
			} else {
				x.fit(because(f, "a session that the device opened failed"))
			}
			if o := x.canaryOpened(); o != nil {
				x.sign(because(o, "a session the other way succeeds"))
			}
		} else if w := x.capturedFailure(); w != nil && timedOut(w.Error) && strings.Contains(w.Error, "did not arrive") {
			x.proof(because(x.h.failed.o, "the controller's answer is sent, and the device repeats its question"))
		} else if w != nil && timedOut(w.Error) && strings.Contains(w.Error, "Sigma2") {
			x.sign(because(x.h.failed.o, "the controller's answer does not arrive at the device"))
		} else if w != nil && !timedOut(w.Error) {
			x.against(because(x.h.failed.o, "the session was refused, and that word arrived"))
		} else if x.h.failed.at >= x.t0-slack {
			x.fit(because(x.h.failed.o, "a session that the device opened failed"))
		}
		if x.c.state(L7) == Unknown && len(x.askedFor()) > 0 && x.c.state(L6) == Seen && x.at > x.attemptsEnd() {
			x.fit("it finds its subscriber, and is not back")
		}
		if n := len(x.borderRouters()); n > 1 && len(x.signs)+len(x.fits) > 0 {
			x.fit("there are several border routers")
		}
	},
}

func timedOut(e string) bool {
	e = strings.ToLower(e)
	return strings.Contains(e, "time") || strings.Contains(e, "no ack") || strings.Contains(e, "no answer")
}

func (x *exam) attemptsEnd() Seconds {
	at := x.attempts(x.h)
	if len(at) == 0 {
		return never
	}
	return at[len(at)-1] + handshake
}

// deviceOpened is a session that the device opened to somebody since t0.
func (v *view) deviceOpened() (found *Observation) {
	for o, w := range ours[CASE](v, "canary case") {
		if o.At >= v.t0-slack && w.OpenedBy == "device" && w.Result != "failed" {
			found = o
		}
	}
	if found == nil {
		found = v.canaryResumed()
	}
	return found
}

// canaryFailed is a session of the device to the canary that failed since t0.
func (v *view) canaryFailed() (found *Observation) {
	for o, w := range ours[CASE](v, "canary case") {
		if o.At >= v.t0-slack && w.OpenedBy == "device" && w.Result == "failed" {
			found = o
		}
	}
	return found
}

// canaryOpened is a session that the canary opened since t0.
func (v *view) canaryOpened() (found *Observation) {
	for o, w := range ours[CASE](v, "canary case") {
		if o.At >= v.t0-slack && w.OpenedBy != "device" && w.Result != "failed" {
			found = o
		}
	}
	return found
}
