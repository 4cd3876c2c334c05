package icd

import "slices"

// How long after a withdrawal a name must stay away before that means anything.
const awayFor = 5 * minute

// published is L4 and L5: the device is registered with a border router, and
// announced with all that a controller needs.
func (v *view) published(c *chain, h *history) (registered, announced finding) {
	var a, g *Observation
	for o := range v.announces() {
		if o.Event == "announce" {
			a = o
		} else {
			g = o
		}
	}
	if n, o := v.noSRP(); n && (a == nil || o.At > a.At+slack) {
		registered = broken(o.At, o.String()+": Network Data names no SRP server")
		return registered, unknown(registered.because...)
	}
	switch {
	case g != nil && (a == nil || a.At < g.At):
		// Withdrawn. A device that lives on is one that is not registered; of one
		// that is not heard the record may have ended with its lease.
		// Nor is one missed announcement a proof: the border router must have lost
		// more than this name.
		life := v.lastLife()
		if other := v.allWithdrawn(g); other != nil && !v.startedAbout(g.At) && v.at-other.At >= awayFor && life.at > g.At+awayFor && c.state(L2) == Seen {
			registered = broken(g.At, g.String()+", and not announced since", "nor under its other name: "+other.String(), "but it lives: "+life.o.String())
			return registered, unknown(registered.because...)
		}
		if restart := v.routerRestarted(g.At); restart != nil && v.at-g.At >= awayFor && life.at > g.At+slack && c.state(L2) != Broken {
			registered = broken(g.At, g.String()+", and not announced since", "with others: "+restart.String(), "but it lives: "+life.o.String())
			return registered, unknown(registered.because...)
		}
		return unknown(g.String()), unknown(g.String())
	case a == nil:
		return unknown(), unknown()
	}
	w := a.What.(*Announce)
	if w.TXT != nil && len(w.TXT) == 0 {
		registered = unknown()
		if a.At >= v.t0-slack {
			registered = seen(a.At, a.String())
		}
		// A device that needs no other than the standard's intervals may announce an
		// empty record (RFC 6763 section 6.1), so only one that was not empty at some
		// other time, or by another border router, is known to lack something.
		whole := v.announcedWithTXT()
		if s := h.served(); whole == nil && registered.state == Seen && s.at > a.At && s.at > h.down().at && s.at > h.unhappy.at {
			return registered, seen(a.At, a.String()+": without TXT, which is all that it has", s.o.String())
		}
		if whole == nil {
			return registered, unknown(a.String() + ": without TXT, which may be all that it has")
		}
		return registered, broken(a.At, a.String()+": without TXT", "it has some: "+whole.String())
	}
	if v.rebooted && a.At < v.t0-slack {
		// The record of before; whether the device came back to it nobody said.
		return unknown(a.String() + ": from before the start"), unknown(a.String() + ": from before the start")
	}
	if bad, is := h.complaint(); is && a.At < bad.at-recently {
		// What was announced long before the trouble may have changed unheard.
		return unknown(a.String() + ": long ago"), unknown(a.String() + ": long ago")
	}
	return seen(a.At, a.String()), seen(a.At, a.String())
}

// startedAbout reports whether the device itself dated a start to right before
// that: it withdrew its names as it does at each start, and will have registered
// them anew.
func (v *view) startedAbout(at Seconds) bool {
	return slices.ContainsFunc(v.boots, func(b boot) bool { return b.exact && at >= b.at-slack && at <= b.at+oneBoot })
}

// allWithdrawn is the withdrawal of another name of the device, at the time of
// g, where none of its names was announced since: that one announcement was
// missed can be, that all were is no chance.
func (v *view) allWithdrawn(g *Observation) (other *Observation) {
	name := instanceOf(g.What.(*Announce).Instance)
	last := map[string]*Observation{}
	for o, w := range v.announces() {
		last[instanceOf(w.Instance)] = o
	}
	for n, o := range last {
		if o.Event != "goodbye" {
			return nil
		}
		if n != name && o.At >= g.At-slack && (other == nil || o.compare(other) < 0) {
			other = o
		}
	}
	return other
}

// announcedWithTXT is an announcement of the device, under whatever name, that
// had something in its TXT record; nil where none was heard.
func (v *view) announcedWithTXT() (whole *Observation) {
	for o, w := range v.announces() {
		if o.Event == "announce" && len(w.TXT) > 0 {
			whole = o
		}
	}
	return whole
}

// noSRP reports whether the newest Network Data names no SRP server.
func (v *view) noSRP() (bool, *Observation) {
	var last *Observation
	for o, w := range each[Netdata](v, "tmf netdata") {
		if w.SRP != nil {
			last = o
		}
	}
	return last != nil && len(last.What.(*Netdata).SRP) == 0, last
}
