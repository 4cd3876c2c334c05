package icd

var causeN7 = &Cause{
	ID: "N7", Link: L9, Party: Controller,
	Title: "A registration sent it to sleep for long",
	About: "When any controller registers for Check-Ins, a device that can sleeps for long from then on, for all controllers, also for those that are not ready for it.",
	examine: func(x *exam) {
		if o := x.flipped(); o != nil {
			x.proof(because(o, "its mode changed from short to long idle times"))
		} else if x.mode == ModeShortIdle && x.modeAt >= x.bad.at-recently {
			x.exclude("it still sleeps for short times only")
		}
	},
}

// flipped is the first word of the long idle mode after one of the short.
func (v *view) flipped() *Observation {
	short, was := never, false
	for o, w := range v.announces() {
		icd, ok := txt(w.TXT, "ICD")
		switch {
		case icd == "1" && was && o.At > short:
			return o
		case ok && icd == "0":
			short, was = o.At, true
		}
	}
	was = false
	for _, x := range v.values("0/70/8") {
		switch n, ok := x.uint(); {
		case ok && n == 1 && was:
			return x.o
		case ok && n == 0:
			was = true
		}
	}
	return nil
}
