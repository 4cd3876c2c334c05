package icd

import (
	"fmt"
	"slices"
)

var causeR8 = &Cause{
	ID: "R8", Link: L2, Party: Mesh,
	Title: "The mesh has split in two",
	About: "One Thread network works as two separate halves, each with its own address prefix; the device is in the other half.",
	examine: func(x *exam) {
		if a, b := x.split(); a != nil {
			x.sign(fmt.Sprintf("two border routers of one network are in different partitions: %s, and %s", a.o, b.o))
			if x.c.state(L2) == Broken {
				x.proof("and no router of this half has the device: " + x.c.because(L2))
			}
		} else if l := x.borderRouters(); len(l) > 1 && !slices.ContainsFunc(l, func(b borderRouter) bool { return b.pt == "" || b.o.At < x.bad.at-recently }) {
			x.exclude("all border routers heard are in one partition")
		}
	},
}

// split finds two border routers of one extended PAN id in different partitions.
func (v *view) split() (a, b *borderRouter) {
	l := v.borderRouters()
	first := map[string]*borderRouter{}
	for i := range l {
		r := &l[i]
		if r.xp == "" || r.pt == "" {
			continue
		}
		if f := first[r.xp]; f == nil {
			first[r.xp] = r
		} else if f.pt != r.pt {
			return f, r
		}
	}
	return nil, nil
}
