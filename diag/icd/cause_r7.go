package icd

var causeR7 = &Cause{
	ID: "R7", Link: L3, Party: BorderRouter,
	Title: "Its address is of a prefix that is no more",
	About: "The border routers changed the mesh's address prefix, and the device is still announced with its old address.",
	examine: func(x *exam) {
		addrs, o := x.addresses()
		if len(addrs) == 0 {
			return
		}
		if why := x.stale(addrs); why != "" {
			if x.c.state(L3) == Broken {
				x.proof(because(o, why))
			} else {
				x.sign(because(o, why))
			}
			return
		}
		if o, why := x.unrouted(addrs); o != nil && x.c.state(L3) == Broken {
			x.sign(why)
			return
		}
		if dead, alive := x.oneDead(); dead != nil && x.bad.o != nil {
			x.sign(because(dead, "one of its addresses is dead"))
			x.fit(because(alive, "another of them answers"))
			x.partial = true
			return
		}
		if in, known, _ := x.prefixes(); known {
			bad, good := 0, 0
			for _, a := range addrs {
				if in(a) {
					good++
				} else {
					bad++
				}
			}
			switch {
			case bad > 0:
				x.sign(because(o, "one of its addresses is of a prefix that is not in use"))
			case good > 0 && x.lastUse(addrs) >= x.bad.at-recently:
				x.exclude(because(o, "its address is of a prefix in use"))
			}
		}
	},
}
