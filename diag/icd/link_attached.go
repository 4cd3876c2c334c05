package icd

// attached is L2: a parent has the device in its table.
func (v *view) attached(c *chain) finding {
	row, age := v.lastRow()
	no := v.lastNoChild()
	life := v.lastLife()
	if c.state(L1) == Broken {
		return unknown(c.because(L1))
	}
	quiet := v.quiet()
	since := v.t0 - slack
	if v.claimed { // a trace of right before may be one of before
		since = v.t0 + slack
	}
	switch {
	case no != nil && no.At > life.at+slack && no.At > row.at && (row.o == nil || no.At > row.o.At) && no.At >= v.t0+attachTime:
		because := []string{no.String()}
		if row.o != nil {
			because = append(because, "before: "+row.o.String())
			if s := v.routerSilent(row.o.What.(*Child).Parent, row.o.At); s != nil {
				because = append(because, s.String())
			}
		}
		return broken(no.At, because...)
	case quiet != "":
		return unknown(quiet)
	case row.o != nil && v.parentGone(row.o) != nil && life.at <= row.at:
		return unknown("its parent does not answer any more: " + v.parentGone(row.o).String())
	case row.o != nil && age <= row.o.What.(*Child).timeout() && row.at >= since:
		return seen(row.at, row.o.String())
	case life.at >= since && life.o != nil:
		return seen(life.at, life.o.String())
	}
	return unknown()
}

// parentGone is the word, after a row of the device's, that the router which
// gave it does not answer any more.
func (v *view) parentGone(row *Observation) *Observation {
	if s := v.routerSilent(row.What.(*Child).Parent, row.At); s != nil && s.At > row.At {
		return s
	}
	return nil
}
