package icd

var causeR6 = &Cause{
	ID: "R6", Link: L9, Party: Controller,
	Title: "The controller hangs in an old attempt",
	About: "The controller keeps sending one old attempt to the right address, for hours, until something makes it start anew, such as the device's name appearing.",
	examine: func(x *exam) {
		n := 0
		var last *Observation
		for _, l := range x.h.logs {
			if l.retransmission && !l.sigma1 && !l.sigma2 && l.o.At >= x.h.served().at {
				n++
				last = l.o
			}
		}
		if n >= 3 && x.lastLife().at > x.h.down().at && x.c.state(L3) != Broken {
			x.proof(because(last, "one attempt is sent again and again while the device answers others"))
		} else if n > 0 {
			x.sign(because(last, "an attempt is sent again"))
		}
		if early := x.c.first(Broken); (early == 0 || early >= L7) && x.lostAndLives() && !x.rebooted && !x.claimed {
			if why, reached := x.overdue(); why != "" {
				x.sign(because(reached, why+", though the device answers"))
			} else if len(x.h.logs) == 0 && n == 0 {
				x.fit("the controller lost it and does not come back though it lives: one that waits (R4) shows the same until " + x.recoveryDue(x.h).to.String())
			}
		}
		if back := x.absentAndBack(); back != nil && !x.rebooted && !x.claimed && x.bad.o != nil {
			if x.bad.at < back.At {
				x.sign(because(back, "its record was absent for a while and came back with the same address"))
			} else {
				x.against(because(x.bad.o, "its name appeared anew, and that did not help"))
			}
		}
	},
}

// absentAndBack is the announcement with which the device's record came back
// with the same address after more than a minute.
func (v *view) absentAndBack() (back *Observation) {
	var gone, before *Observation
	for o, w := range v.announces() {
		switch {
		case o.Event == "goodbye":
			gone = o
		case gone != nil && before != nil && o.At-gone.At > minute:
			b := before.What.(*Announce)
			if len(b.Addresses) > 0 && len(w.Addresses) > 0 && b.Addresses[0] == w.Addresses[0] {
				back = o
			}
			before, gone = o, nil
		default:
			before, gone = o, nil
		}
	}
	return back
}
