package icd

var causeR10 = &Cause{
	ID: "R10", Link: L5, Party: BorderRouter,
	Title: "The border router announces it badly",
	About: "The border router speaks for the device, but leaves out what controllers need, or does not answer when asked.",
	examine: func(x *exam) {
		if x.c.state(L5) == Broken {
			x.proof(x.c.because(L5))
		}
	},
}
