package icd

var causeN8 = &Cause{
	ID: "N8", Link: L10, Party: DeviceFirmware,
	Title: "It sends presses only with its next report",
	About: "The device does not treat a press as urgent, so it waits for its regular report, which may be minutes away.",
	examine: func(x *exam) {
		if late, o := x.lateEvent(); o != nil {
			x.proof(because(o, late.String()+" after the press"))
			return
		}
		if x.c.state(L10) != Broken {
			return
		}
		if o := x.canaryGotPress(); o != nil {
			x.exclude(because(o, "it sends a press at once"))
		} else {
			x.fit(x.c.because(L10))
		}
	},
}

// canaryGotPress is an event that the canary got right after a press that the
// subscriber missed.
func (v *view) canaryGotPress() *Observation {
	press := v.failedPress()
	if press == nil {
		return nil
	}
	for o, w := range ours[DeviceEvent](v, "canary event") {
		if !isBootEvent(w) && o.At >= press.At-pressSaid && o.At <= press.At+20*second {
			return o
		}
	}
	return nil
}
