package icd

import (
	"encoding/json"
	"fmt"
)

var causeR15 = &Cause{
	ID: "R15", Link: L7, Party: Controller,
	Title: "The controller did not register for its Check-Ins",
	About: "A device that sleeps for long reports in (Check-In) only with controllers that registered for that; this one did not, or waits in vain.",
	examine: func(x *exam) {
		if x.mode != ModeLongIdle {
			if x.mode == ModeShortIdle {
				x.exclude("it sleeps for short times only, there are no Check-Ins")
			}
			return
		}
		if x.h.checkIn.at >= x.t0-slack {
			x.exclude(because(x.h.checkIn.o, "its Check-In arrived"))
			return
		}
		indexes, o, known := x.registrations()
		if !known {
			x.fit("it sleeps for long; who is registered was not read")
			return
		}
		index, foundIndex := x.fabricIndex()
		switch {
		case len(indexes) == 0:
			x.proof(because(o, "no client is registered at all"))
		case x.flipped() != nil || !x.rebooted && !x.claimed:
			x.fit(because(o, "it may have begun to sleep for long when somebody else registered"))
		case foundIndex && indexes[index] == 0:
			x.proof(because(o, fmt.Sprintf("none of the registered clients is of the controller's fabric (index %d)", index)))
		case foundIndex:
			x.against(because(o, "a client of the controller's fabric is registered"))
		default:
			x.fit(because(o, "others are registered; the controller's fabric index is not known"))
		}
	},
}

// registrations counts the registered clients by fabric index, from an
// unfiltered read of attribute RegisteredClients.
func (v *view) registrations() (byFabric map[uint64]int, from *Observation, known bool) {
	for o, w := range ours[Read](v, "canary read") {
		raw, ok := w.Values["0/70/3"]
		if !ok || w.FabricFiltered == nil || *w.FabricFiltered {
			continue
		}
		var rows []map[string]json.RawMessage
		if json.Unmarshal(raw, &rows) != nil {
			continue
		}
		byFabric, from, known = map[uint64]int{}, o, true
		for _, r := range rows {
			var index uint64
			if json.Unmarshal(r["254"], &index) == nil {
				byFabric[index]++
			}
		}
	}
	return byFabric, from, known
}

// fabricIndex is the subscriber's fabric index on the device, from its Fabrics list.
func (v *view) fabricIndex() (uint64, bool) {
	vendors := v.fabricRows()
	for fabric, index := range vendors {
		if fabric == v.sub.fabric && fabric != "" {
			return index, true
		}
	}
	return 0, false
}
