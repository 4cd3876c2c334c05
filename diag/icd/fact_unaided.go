package icd

import "strings"

// That the canary's subscription is served again does not tell that the device
// came back: the canary may have opened the session. What a controller that waits
// would have seen is lost with that, unless it is said.
var factUnaided = circumstance{"unaided", func(v *view, h *history) string {
	if v.sub.inside != ByCanary || !v.rebooted && !v.claimed || v.mode == ModeLongIdle || h.served().at <= v.t0 {
		return ""
	}
	why := v.neverTried()
	if why == nil {
		return ""
	}
	return "The device did not come back to the canary by itself after its restart, the canary opened the session: " + strings.Join(why, "; ") + ". A controller that waits for it sees nothing of it."
}}
