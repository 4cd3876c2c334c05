package icd

var causeN3 = &Cause{
	ID: "N3", Link: L7, Party: ControllerHost,
	Title: "The controller's computer is asleep",
	About: "Another machine (a sleep proxy) answers in the name of the controller's computer, but the device can't open a session to one that sleeps.",
	examine: func(x *exam) {
		answer, proxy := x.answered()
		if answer == nil {
			return
		}
		if !proxy {
			x.exclude(because(answer, "the subscriber's host answers for itself"))
			return
		}
		x.proof(because(answer, "a sleep proxy answers for the subscriber's host"))
	},
}
