package icd

import "fmt"

// R5: until MaxInterval is over a controller shows a device as there, whatever happened.
var factR5 = circumstance{"R5", func(v *view, h *history) string {
	due := v.livenessDue(h)
	if v.at >= due.to || !v.rebooted && !v.claimed || h.served().at > v.t0 {
		return ""
	}
	name := v.sub.name
	if name == "" {
		name = "A controller"
	}
	when := "between " + due.from.String() + " and " + due.to.String()
	if due.from == due.to {
		when = "at " + due.to.String()
	}
	return fmt.Sprintf("%s notices a silent device only when MaxInterval is over, %s; until then it may show the device as working.", name, when)
}}
