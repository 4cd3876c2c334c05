package icd

var causeN2 = &Cause{
	ID: "N2", Link: L10, Party: DeviceFirmware,
	Title: "Its events count from the beginning again",
	About: "The device forgot how far it had numbered its events; controllers that wait for higher numbers ignore all of them. Values work, buttons don't.",
	examine: func(x *exam) {
		if o := x.numbersFellBack(); o != nil {
			x.proof(because(o, "the number is lower than one from before the restart"))
			return
		}
		if x.c.state(L10) == Broken && x.rebooted {
			x.fit("presses have been missed since a restart")
		}
		if x.numbersWentOn() {
			x.exclude("event numbers went on after the restart")
		} else if o := x.canaryGotPress(); o != nil && x.rebooted && x.c.state(L10) == Broken && x.sub.inside != ByCanary {
			x.sign(because(o, "the canary, which takes all numbers, got the press"))
		}
	},
}

// numbersWentOn reports whether an event after the last start has a higher
// number than one from before.
func (v *view) numbersWentOn() bool {
	for _, by := range []string{ByCanary, ByHA, ByController} {
		before := false
		for o := range ours[DeviceEvent](v, by+" event") {
			if o.At < v.t0-slack {
				before = true
			} else if before && v.numbersFellBack() == nil {
				return true
			}
		}
	}
	return false
}
