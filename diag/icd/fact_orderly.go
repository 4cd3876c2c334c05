package icd

// A device that stops in order ends its subscriptions, and then nothing is to be
// resumed; some stacks keep them all the same.
var factOrderly = circumstance{"orderly-stop", func(v *view, h *history) string {
	stop := v.orderlyStop()
	if stop == nil {
		return ""
	}
	for _, back := range []*Observation{v.canaryResumed(), h.resumed.o} {
		if back != nil && back.At > stop.At {
			return "The device stopped in order (" + stop.String() + "), and kept its subscriptions over it: " + back.String()
		}
	}
	return "The device stopped in order and ended its subscriptions, so it has nothing to resume; the controller has to subscribe anew: " + stop.String()
}}
