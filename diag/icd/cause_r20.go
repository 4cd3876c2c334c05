package icd

var causeR20 = &Cause{
	ID: "R20", Link: L2, Party: Mesh,
	Title: "Its parent dropped it, and it did not notice",
	About: "The parent forgot the device, but its radio still acknowledges the device's polls, so the device believes that all is well.",
	examine: func(x *exam) {
		row, age := x.lastRow()
		if x.c.state(L2) == Broken && row.o != nil {
			w := row.o.What.(*Child)
			no := x.firstNoChildAfter(row.o.At)
			switch {
			case !x.routerLives(w.Parent, no.At):
				x.against("its parent does not answer either")
			case age <= w.timeout()/2 && no.At-row.at < w.timeout():
				x.proof(because(no, "its parent dropped it "+(no.At-row.at).String()+" after its last frame, before its time-out of "+w.timeout().String()))
			default:
				x.fit(because(no, "its parent lives and has it no more"))
			}
		}
		if x.c.state(L2) == Unknown && x.c.state(L1) != Broken && x.silence() > 2*minute && x.couldHear() && !x.rebooted {
			x.fit("nothing was heard of the device")
		}
	},
}
