package icd

var causeR19 = &Cause{
	ID: "R19", Link: L3, Party: Mesh,
	Title: "A router does not know its address",
	About: "The device hangs on its parent, but the parent or a router on the way does not know its address, so packets for it go nowhere.",
	examine: func(x *exam) {
		addrs, _ := x.addresses()
		p := x.pings()
		if x.c.state(L2) != Seen || x.c.at(L2) <= p.firstFail.at || p.failed < manyPings || x.mode == ModeLongIdle {
			return
		}
		if x.noRoute(addrs) != nil || x.stale(addrs) != "" {
			x.against("the way into the mesh is broken already")
			return
		}
		if len(addrs) == 0 || x.lastUse(addrs) <= p.firstFail.at {
			return // whether its address is of a prefix in use nobody said since
		}
		x.fit(because(p.fail.o, "its address does not answer, though it hangs on its parent"))
		// Another way to it works: the fault is this address's, inside the mesh.
		if o := x.otherAddressAnswers(p.firstFail.at); o != nil {
			x.proof(because(o, "another of its addresses answers inside the mesh"))
		}
	},
}
