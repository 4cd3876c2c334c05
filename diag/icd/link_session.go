package icd

import (
	"fmt"
	"slices"
)

// A question that goes unanswered that long is a look-up that failed; CHIP
// devices ask for up to 45 s.
const unanswered = 20 * second

// resolves is L6: the device finds its subscriber.
func (v *view) resolves(h *history) finding {
	if t := latest(h.sigma1, h.opened, h.resumed, h.refused); t.o != nil && t.at >= v.since(h) && (v.rebooted || v.fresh(h, t.at)) {
		return seen(t.at, t.o.String())
	}
	asked := v.askedFor()
	if answer, _ := v.answered(); answer != nil && len(asked) > 0 {
		return seen(max(answer.At, asked[0].At), asked[0].String(), answer.String())
	}
	for len(asked) > 0 && asked[len(asked)-1].At-asked[0].At > lookUp+slack { // the last look-up only
		asked = asked[1:]
	}
	if n := len(asked); n >= 3 && asked[n-1].At-asked[0].At >= unanswered && v.at >= asked[0].At+lookUp {
		return broken(asked[n-1].At, fmt.Sprintf("%d questions in %s, and no answer", n, asked[n-1].At-asked[0].At), asked[0].String(), asked[n-1].String())
	}
	if doubt := v.quietRouter(h); doubt != "" && v.at >= v.resumeDue().to {
		return unknown(doubt)
	}
	return unknown()
}

// opensSession is L7: the device opened a session to its subscriber. A device
// in long idle time mode may check in instead.
func (v *view) opensSession(c *chain, h *history) finding {
	since := v.since(h)
	if t := latest(h.opened, h.resumed, h.refused); t.at >= since && t.at >= h.failed.at && (v.rebooted || v.fresh(h, t.at)) {
		return seen(t.at, t.o.String())
	}
	if h.checkIn.at >= since {
		return seen(h.checkIn.at, h.checkIn.o.String()+": it checks in, its subscription has ended")
	}
	if h.failed.at >= since {
		because := []string{h.failed.o.String()}
		if h.sigma1.at >= since {
			because = append(because, h.sigma1.o.String())
		}
		return broken(h.failed.at, because...)
	}
	if h.sigma1.at >= since && v.at-h.sigma1.at >= handshake {
		if !h.trouble(h.sigma1.at) { // what came next may be missing from a log
			return unknown(h.sigma1.o.String() + ", and it is not told what became of it")
		}
		return broken(h.sigma1.at, h.sigma1.o.String()+", and no session")
	}
	if answer, proxy := v.answered(); proxy && len(v.askedFor()) > 0 {
		if _, bad := h.complaint(); bad {
			return broken(answer.At, answer.String()+": a sleep proxy speaks for the subscriber's host, which is asleep")
		}
	}
	if stop := v.orderlyStop(); stop != nil {
		return unknown(stop.String() + ": it stopped in order and gave its subscriptions up, so no session is due")
	}
	if c.state(L1) == Broken || c.state(L2) == Broken {
		return unknown(c.because(c.first(Broken)))
	}
	_, unhappy := h.complaint()
	if at := v.attempts(h); len(at) > 1 && h.served().at < at[len(at)-1] && c.state(L6) == Seen {
		return broken(at[len(at)-2], fmt.Sprintf("it tried %d times, the last at %s: the attempts before did not succeed", len(at), at[len(at)-1]))
	}
	if f := v.canaryFailed(); f != nil && unhappy && v.deviceOpened() == nil {
		return broken(f.At, f.String()+": to the canary it did not succeed either")
	}
	if f := v.canaryMissed(); f != nil && unhappy {
		return broken(f.At, f.String()+": it found the canary, and its session did not arrive there either")
	}
	if v.rebooted && unhappy && v.mode == ModeLongIdle {
		if byFabric, o, known := v.registrations(); known {
			if index, ok := v.fabricIndex(); ok && byFabric[index] == 0 || len(byFabric) == 0 {
				return broken(o.At, o.String()+": no client of this controller is registered, so no Check-In will come")
			}
		}
	}
	because := v.captureSawNone()
	if because == nil && len(v.askedFor()) == 0 {
		because = v.neverTried()
	}
	if because != nil {
		if doubt := v.quietRouter(h); doubt != "" {
			return unknown(append([]string{"nothing came, and whether it tried is not known"}, because...)...)
		}
		return broken(v.resumeDue().to, because...)
	}
	return unknown()
}

// trouble reports whether a session that the device began to open at a time is
// seen to fail: by a canary or a capture, which miss nothing, or by a log that
// tells of it.
func (h *history) trouble(began Seconds) bool {
	if h.sigma1.o.By == ByCanary || h.sigma1.o.By == ByCapture {
		return true
	}
	return slices.ContainsFunc(h.logs, func(l logLine) bool {
		return l.o.At >= began && (l.retransmission || l.timedOut || l.failed || l.stranger)
	})
}

// neverTried says why it is sure that the device did not try to resume after a
// start: the canary had a subscription, the device is known to have started and
// to work, the canary noticed that nothing came, and none of the things that
// show an attempt was heard. nil: not sure.
func (v *view) neverTried() []string {
	due := v.resumeDue()
	if !v.rebooted || v.at < due.to || len(v.askedForAny()) > 0 || v.mode == ModeLongIdle {
		return nil
	}
	var had, noticed *Observation
	for o := range ours[Subscribed](v, "canary subscribed") {
		if o.At < v.t0-slack {
			had = o
		}
	}
	if had == nil || v.orderlyStop() != nil {
		return nil
	}
	for _, key := range []string{"canary sigma1", "canary checkin", "capture sigma1", "capture checkin"} {
		for _, o := range v.by[key] {
			if w, ok := o.What.(*Sigma1); ok && w.OpenedBy == "controller" {
				continue
			}
			if o.At >= v.t0-slack {
				return nil
			}
		}
	}
	note := func(o *Observation) {
		if o.At >= due.to-handshake && noticed == nil {
			noticed = o
		}
	}
	for o := range ours[Lost](v, "canary lost") {
		note(o)
	}
	for o := range ours[Read](v, "canary read") {
		note(o) // it is at work, on a session that it opened itself
	}
	for o, w := range ours[CASE](v, "canary case") {
		switch {
		case o.At < v.t0-slack:
		case w.OpenedBy == "device":
			return nil
		case w.Result != "failed":
			note(o)
		}
	}
	if v.canaryResumed() != nil {
		return nil
	}
	if noticed == nil {
		return nil
	}
	return []string{"the canary had a subscription (" + had.String() + ") and the device did not come back to it until " + due.to.String(), noticed.String()}
}

// canaryMissed is the device's last question for the canary's name after which
// no session arrived at the canary, though it was there to answer.
func (v *view) canaryMissed() (asked *Observation) {
	c := v.insider(ByCanary)
	if c == nil || c.fabric == "" {
		return nil
	}
	for _, q := range v.index.questions {
		if q.fabric == c.fabric && q.o.At >= v.t0-slack && q.o.At <= v.at-handshake {
			asked = q.o
		}
	}
	if asked == nil {
		return nil
	}
	for _, key := range []string{"canary sigma1", "canary case", "canary report"} {
		for _, o := range v.by[key] {
			if w, ok := o.What.(*CASE); ok && w.OpenedBy != "device" {
				continue
			}
			if o.At >= asked.At-slack && o.At <= asked.At+handshake+lookUp {
				return nil
			}
		}
	}
	return asked
}

// canaryResumed is a report of the canary's old subscription after t0, before
// the canary made a new one.
func (v *view) canaryResumed() *Observation {
	anew := Seconds(maxSeconds) * second
	for o := range ours[Subscribed](v, "canary subscribed") {
		if o.At > v.t0+slack {
			anew = o.At
			break
		}
	}
	for o, w := range ours[CASE](v, "canary case") {
		if o.At > v.t0+slack && w.OpenedBy != "device" && w.Result != "failed" {
			anew = min(anew, o.At)
			break
		}
	}
	for o := range ours[Lost](v, "canary lost") {
		if o.At > v.t0+slack { // what comes after it is of a subscription that the canary made anew
			anew = min(anew, o.At)
			break
		}
	}
	for o, w := range ours[CASE](v, "canary case") {
		if o.At >= v.t0-slack && w.OpenedBy == "device" && w.Result == "failed" {
			anew = min(anew, o.At) // a later one that succeeds is told of as well
			break
		}
	}
	since := v.t0 + slack // see [view.since]
	for o := range ours[Sigma1](v, "canary sigma1") {
		if o.At >= v.t0-slack {
			since = v.t0 - slack
		}
	}
	for o, w := range ours[CASE](v, "canary case") {
		if o.At >= v.t0-slack && w.OpenedBy == "device" {
			since = v.t0 - slack
		}
	}
	if stop := v.orderlyStop(); stop != nil {
		since = max(since, stop.At+1)
	}
	for o, w := range ours[Report](v, "canary report") {
		if o.At >= since && o.At < anew && w.Known != nil && *w.Known && !w.Priming && v.rebooted {
			return o
		}
	}
	return nil
}

// resumes is L8: a report of the old subscription was accepted.
func (v *view) resumes(c *chain, h *history) finding {
	since := v.since(h)
	switch {
	case h.resumed.at >= since && h.resumed.at >= h.refused.at && (v.rebooted || v.fresh(h, h.resumed.at)):
		return seen(h.resumed.at, h.resumed.o.String())
	case h.refused.at >= since && h.refused.at > h.resumed.at:
		if h.replaced() && v.at-h.refused.at < handshake {
			return unknown(h.refused.o.String() + ": the controller replaced that one, and the newer may follow")
		}
		return broken(h.refused.at, h.refused.o.String())
	case h.checkIn.at >= since:
		return unknown(h.checkIn.o.String() + ": the subscription has ended, the controller must make a new one")
	}
	return unknown()
}

// replaced reports whether the subscription that the subscriber does not know is
// one that it made a newer one for: the device may keep both.
func (h *history) replaced() bool {
	if h.anew.o == nil || h.anew.at > h.refused.at {
		return false
	}
	made, _ := h.anew.o.What.(*Subscribed)
	old, _ := h.refused.o.What.(*Report)
	return made != nil && old != nil && made.ID != old.ID
}

func latest(ts ...trace) trace {
	best := trace{at: never}
	for _, t := range ts {
		if t.at > best.at {
			best = t
		}
	}
	return best
}
