package icd

var causeN1 = &Cause{
	ID: "N1", Link: L9, Party: Controller,
	Title: "Two announcements at once made the controller give up",
	About: "Two border routers announced the device within a second; Apple's controller may then cancel the recovery that the first one had started.",
	examine: func(x *exam) {
		switch x.sub.kind {
		case darwinController, anyController:
		default:
			x.exclude(kindNames[x.sub.kind] + " is not known to do that")
			return
		}
		a, b := x.twice()
		if a != nil {
			x.sign(because(a, "announced twice within "+(b.At-a.At).String()+", by "+quote(a.What.(*Announce).From)+" and "+quote(b.What.(*Announce).From)))
		}
		for _, l := range x.h.logs {
			if l.cancelled && l.o.At >= x.t0-slack {
				if a != nil {
					x.proof(because(l.o, "the controller cancelled its recovery"))
				} else {
					x.sign(because(l.o, "the controller cancelled its recovery"))
				}
			}
		}
		if a == nil && x.sub.kind == darwinController && len(x.borderRouters()) == 1 {
			x.exclude("there is one border router, nobody else could announce it")
		}
	},
}

// twice finds two announcements of one of the device's instances within about a
// second, by two border routers, since the last start.
func (v *view) twice() (a, b *Observation) {
	lasts := map[string]*Observation{}
	for o, w := range v.announces() {
		if o.Event != "announce" || o.At < v.t0-slack {
			continue
		}
		name := instanceOf(w.Instance)
		if last := lasts[name]; last != nil && o.At-last.At <= second+second/2 && last.What.(*Announce).From != w.From {
			return last, o
		}
		lasts[name] = o
	}
	return nil, nil
}
