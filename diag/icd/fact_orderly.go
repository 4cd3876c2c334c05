package icd

// A device that stops in order ends its subscriptions: nothing is to be resumed.
var factOrderly = circumstance{"orderly-stop", func(v *view, h *history) string {
	if stop := v.orderlyStop(); stop != nil {
		return "The device stopped in order and ended its subscriptions, so it has nothing to resume; the controller has to subscribe anew: " + stop.String()
	}
	return ""
}}
