package icd

var causeN9 = &Cause{
	ID: "N9", Link: L10, Party: Controller,
	Title: "The controller drops the presses that it gets",
	About: "The device sends its presses, and others get them; the controller's software does nothing with them.",
	examine: func(x *exam) {
		if x.c.state(L10) != Broken {
			return
		}
		if x.numbersFellBack() != nil {
			return
		}
		if got, _ := x.gotInVain(); got != nil && x.c.because(L10) == x.failedPress().String() {
			x.proof(because(got, "the controller got the event, and the press showed no effect"))
		} else if o := x.canaryGotPress(); o != nil && x.sub.inside != ByCanary {
			if x.rebooted && !x.numbersWentOn() {
				x.sign(because(o, "the canary got the press"))
			} else {
				x.proof(because(o, "the canary got the press"))
			}
		} else {
			x.fit(x.c.because(L10))
		}
	},
}
