package icd

import (
	"slices"
	"strings"
)

var causeR14 = &Cause{
	ID: "R14", Link: L9, Party: Controller,
	Title: "The controller was moved and knows no addresses",
	About: "After a controller was moved or restored it has no address or session of its devices left, and sleeping devices don't tell; it happens once.",
	examine: func(x *exam) {
		for _, o := range x.by["user changed"] {
			if movedController(o) {
				x.sign(because(o, "the controller was moved"))
			}
		}
	},
}

func movedController(o *Observation) bool {
	w, ok := o.What.(*Changed)
	if !ok {
		return false
	}
	t := strings.ToLower(w.What)
	return slices.ContainsFunc([]string{"migrat", "moved", "restore", "reinstall", "new server", "new controller"}, func(word string) bool { return strings.Contains(t, word) })
}
