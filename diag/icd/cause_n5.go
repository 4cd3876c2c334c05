package icd

var causeN5 = &Cause{
	ID: "N5", Link: L9, Party: Controller,
	Title: "The controller did not notice that it came back",
	About: "Apple's controller looks after a device when its name newly appears; when the name vanished and came back within a second, or never vanished, nothing happens.",
	examine: func(x *exam) {
		switch x.sub.kind {
		case darwinController, anyController:
		default:
			x.exclude(kindNames[x.sub.kind] + " does not wait for a name to appear")
			return
		}
		if !x.rebooted && !x.claimed {
			return
		}
		if x.at < x.resumeDue().to {
			return
		}
		for _, b := range x.boots {
			if b.at >= x.t0-slack && b.gap > 0 {
				if b.gap <= second {
					x.fit("its name came back after " + b.gap.String() + ", so it did not newly appear")
				} else if x.sub.kind == darwinController {
					x.fit("it restarted, and the controller is not back")
				}
			}
		}
		if len(x.fits) == 0 {
			x.fit("it restarted, and its name was not seen to appear newly")
		}
		if len(x.askedFor()) > 0 {
			x.against(because(x.askedFor()[0], "the device itself tries to come back"))
		}
	},
}
