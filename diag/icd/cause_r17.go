package icd

import "fmt"

var causeR17 = &Cause{
	ID: "R17", Link: L2, Party: Mesh,
	Title: "Its parent is gone or full",
	About: "The router that it hung on left the mesh or has no room in its table, and the device did not find another; often several devices at once.",
	examine: func(x *exam) {
		row, _ := x.lastRow()
		if row.o != nil {
			parent := row.o.What.(*Child).Parent
			if s := x.routerSilent(parent, row.o.At); s != nil {
				why := because(s, "its parent "+quote(parent)+" does not answer any more")
				if n := x.lostWith(parent); n > 0 {
					x.proof(why + fmt.Sprintf(", and %d more of its children are lost", n))
				} else {
					x.sign(why)
				}
			} else if x.c.state(L2) == Broken && x.routerLives(parent, x.c.at(L2)) {
				x.against("its parent " + quote(parent) + " still answers")
			}
		}
		if full := x.fullRouter(); full != nil && x.c.state(L2) != Seen {
			x.sign(because(full, "a router's child table is full"))
		}
		if x.c.state(L2) == Broken {
			x.fit(x.c.because(L2))
		} else if x.c.state(L2) == Unknown && x.c.state(L1) != Broken && x.silence() > 2*minute && x.couldHear() {
			x.fit("nothing was heard of the device")
		}
	},
}

// lostWith counts other devices that had that parent and have none now.
func (v *view) lostWith(parent string) int {
	had := map[string]bool{}
	for o, w := range each[Child](v, "tmf child") {
		if !v.isOurs(o) && sameRouter(w.Parent, parent) {
			had[o.Ext.fold()] = true
		} else if !v.isOurs(o) {
			delete(had, o.Ext.fold())
		}
	}
	lost := map[string]bool{}
	for o := range each[NoChild](v, "tmf no-child") {
		if f := o.Ext.fold(); had[f] {
			lost[f] = true
		}
	}
	return len(lost)
}

// fullRouter is a router with as many children as its table holds: ten or more,
// and no more than that in several readings.
func (v *view) fullRouter() (full *Observation) {
	for o, w := range each[Router](v, "tmf router") {
		if w.Children != nil && *w.Children >= fullTable && o.At >= v.t0 {
			full = o
		}
	}
	return full
}

// fullTable is the smallest size of a child table in the field (OpenThread's
// default for routers that are no border routers).
const fullTable = 10
