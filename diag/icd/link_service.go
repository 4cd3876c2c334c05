package icd

// A controller that knows of the loss, and could reach the device, has had time
// enough after that.
const promptly = minute

// recovers is L9: the subscriber's own recovery made a new subscription.
func (v *view) recovers(c *chain, h *history) finding {
	down := h.down()
	if h.anew.at >= v.since(h) && h.anew.at > down.at && h.anew.at > h.had.at && (v.rebooted || v.claimed || v.fresh(h, h.anew.at)) {
		return seen(h.anew.at, h.anew.o.String())
	}
	if c.state(L8) == Seen && c.at(L8) >= down.at {
		return seen(c.at(L8), "not needed, the device came by itself: "+c.because(L8))
	}
	if t := h.selfOpen; t.at >= v.since(h) && t.at > down.at && t.o.By == ByCapture {
		return unknown(t.o.String() + ": the controller came back; what it asked for is sealed")
	}
	if early := c.first(Broken); early != 0 && early <= L6 {
		return unknown("the controller can't: " + early.String() + " is broken")
	}
	if gone := v.withdrawn(); gone != nil && c.state(L3) != Seen {
		return unknown("the controller may not find it: " + gone.String() + ", and not announced since")
	}
	life := v.lastLife()
	if down.at > never && down.at > h.served().at {
		// Reachable, and the controller knows that it lost the device.
		since := max(down.at, v.t0)
		if p := v.pings(); p.fail.o != nil && v.mode != ModeLongIdle && p.fail.at > max(p.ok.at, v.lastTalk().at) {
			return unknown("whether the controller could reach it is not known: nobody else on the LAN does: " + p.fail.o.String())
		}
		if life.at > since+slack && v.at-since >= promptly {
			return broken(down.at, down.o.String(), "the device lives: "+life.o.String())
		}
	}
	for i := len(h.logs) - 1; i >= 0; i-- {
		if l := h.logs[i]; l.retryIn >= 2*promptly && l.o.At > h.served().at && l.o.At >= v.t0-slack && l.o.At+l.retryIn > v.at {
			if life.at > l.o.At+slack {
				return broken(l.o.At, l.o.String()+": it waits", "the device lives: "+life.o.String())
			}
			break
		}
	}
	if h.checkIn.at >= v.t0-slack && h.checkIn.at > h.anew.at && v.at-h.checkIn.at >= promptly {
		return broken(h.checkIn.at, h.checkIn.o.String()+", and no subscription since")
	}
	if bad, is := h.complaint(); is && v.rebooted && bad.at >= v.recoveryDue(h).to && life.at > v.t0 {
		return broken(bad.at, bad.o.String(), "the controller should have noticed and come back by "+v.recoveryDue(h).to.String())
	}
	return unknown()
}

// pressSaid is how long a person may take to say how a press went: the line may
// come that long after the press.
const pressSaid = 30 * second

// eventsArrive is L10: presses reach the subscriber.
func (v *view) eventsArrive(c *chain, h *history) finding {
	if o := v.numbersFellBack(); o != nil && (h.event.at < o.At || h.unhappy.at > h.event.at) {
		return broken(o.At, o.String()+": event numbers went backwards, subscribers that filter by number miss all")
	}
	if late, o := v.lateEvent(); o != nil {
		return broken(o.At, o.String()+": "+late.String()+" after the press")
	}
	if got, press := v.gotInVain(); got != nil {
		return broken(press.At, press.String(), "though the controller got the event: "+got.String())
	}
	if h.event.at >= v.t0-slack && (h.unhappy.at < v.t0-slack || h.event.at > h.unhappy.at && h.event.o.By == ByUser) {
		return seen(h.event.at, h.event.o.String())
	}
	live := c.state(L8) == Seen || c.state(L9) == Seen
	if press := v.failedPress(); press != nil && live && press.At > h.event.at && h.served().o == nil {
		return broken(press.At, press.String())
	} else if press != nil && live && press.At > h.event.at {
		return broken(press.At, press.String(), "though its values arrive: "+h.served().o.String())
	}
	return unknown()
}

// pressTook is how long after a press its event may arrive and still be prompt.
const pressTook = 10 * second

// gotInVain is the event of the last press that a person says did nothing, where
// the subscriber's own inside shows that it got it.
func (v *view) gotInVain() (got, press *Observation) {
	press = v.failedPress()
	if press == nil || v.sub.inside == "" || v.sub.inside == ByCanary {
		return nil, nil
	}
	for o, w := range ours[DeviceEvent](v, v.sub.inside+" event") {
		if !isBootEvent(w) && o.At >= press.At-slack && o.At <= press.At+pressTook {
			return o, press
		}
	}
	return nil, nil
}

// failedPress is the last press that did not arrive at the subscriber.
func (v *view) failedPress() (last *Observation) {
	for o, w := range each[Press](v, "user press") {
		if w.Works != nil && v.about(w.Controller) {
			last = o
			if *w.Works {
				last = nil
			}
		}
	}
	return last
}

// numbersFellBack is the first event after t0 whose number is lower than one
// from before: the device forgot how far it had counted.
func (v *view) numbersFellBack() *Observation {
	for _, by := range []string{ByCanary, ByHA, ByController} {
		var top uint64
		topAt := never
		for o, w := range ours[DeviceEvent](v, by+" event") {
			switch {
			case v.rebooted && o.At >= v.t0-slack:
				if w.Number < top {
					return o
				}
			case !v.rebooted && w.Number < top/2 && o.At > topAt+slack:
				return o // nobody saw the start; so far back is no disorder of arrival
			default:
				if w.Number > top {
					top, topAt = w.Number, o.At
				}
			}
		}
		if by != ByCanary || !v.rebooted {
			continue
		}
		for o, w := range ours[ReadEvents](v, "canary read-events") {
			for _, e := range w.Events {
				if o.At < v.t0-slack {
					top = max(top, e.Number)
				} else if e.Number < top && (w.EventMin == nil || *w.EventMin == 0) && isBootEvent(&e) && e.EventID == eventStartUp && !v.index.before[e.Number] {
					return o
				}
			}
		}
	}
	return nil
}

// lateEvent finds a press whose event came only much later.
func (v *view) lateEvent() (late Seconds, o *Observation) {
	presses := v.by["user press"]
	for _, by := range []string{ByCanary, ByHA, ByController} {
		events := v.by[by+" event"]
		i := 0
		for n, p := range presses {
			if p.At < v.t0-slack {
				continue
			}
			// The first event at about the time of the press or after it: is it of
			// this press? Only where no other press lies between.
			for i < len(events) && (events[i].At < p.At-pressSaid || !v.isOurs(events[i]) || isBootEvent(events[i].What.(*DeviceEvent))) {
				i++
			}
			if i == len(events) {
				break
			}
			e := events[i]
			if e.At-p.At >= 20*second && (n+1 == len(presses) || presses[n+1].At >= e.At) {
				return e.At - p.At, e
			}
		}
	}
	return 0, nil
}
