package icd

var causeR9 = &Cause{
	ID: "R9", Link: L4, Party: BorderRouter,
	Title: "The border router lost its registration",
	About: "Border routers keep registrations in memory: after a restart the device is not announced until it registers again, up to two hours later.",
	examine: func(x *exam) {
		switch x.c.state(L4) {
		case Broken:
			x.sign(x.c.because(L4))
			if o := x.routerRestarted(x.c.at(L4)); o != nil {
				x.proof(because(o, "the border router restarted"))
			}
		case Unknown:
			if o := x.withdrawn(); o != nil {
				x.fit(because(o, "its record was withdrawn, and it was not announced since"))
				if x.routerRestarted(o.At) != nil {
					x.fit(because(x.routerRestarted(o.At), "the border router restarted"))
				}
			}
		}
	},
}

// withdrawn is the last word on the device's record, if that was a withdrawal.
func (v *view) withdrawn() (gone *Observation) {
	for o := range v.announces() {
		gone = nil
		if o.Event == "goodbye" {
			gone = o
		}
	}
	return gone
}

// routerRestarted is a border router's own withdrawal, or that of other
// devices' records, at the time when the device's went.
func (v *view) routerRestarted(at Seconds) (found *Observation) {
	for o, w := range each[Announce](v, "mdns goodbye") {
		if o.At < at-minute || o.At > at+minute {
			continue
		}
		if isMeshCoP(w) || isOperational(w) && !v.own[instanceOf(w.Instance)] {
			found = o
		}
	}
	return found
}
