package icd

var causeN4 = &Cause{
	ID: "N4", Link: L6, Party: Controller,
	Title: "It looks for a controller that is gone",
	About: "The device kept a subscription of a hub or phone that has been replaced or switched off, and asks for it in vain.",
	examine: func(x *exam) {
		if x.c.state(L6) != Broken {
			return
		}
		if x.subscriberSpeaks() {
			x.sign(x.c.because(L6))
		} else {
			x.proof(x.c.because(L6))
		}
	},
}

// subscriberSpeaks reports whether anybody of the subscriber's fabric that is
// no Thread device was announced: the name asked for may then be a mistake.
func (v *view) subscriberSpeaks() bool {
	for o, w := range each[Announce](v, "mdns announce") {
		fabric, _, ok := splitInstance(instanceOf(w.Instance))
		if ok && fabric == v.sub.fabric && v.isHubHost(w) && o.At >= v.t0-slack && v.asked(instanceOf(w.Instance)) {
			return true
		}
	}
	return false
}
