package icd

import "fmt"

// The observer's own effects on the device.
var factEffects = circumstance{"observer", func(v *view, h *history) string {
	subscriptions, sessions, reads := 0, 0, 0
	for _, o := range v.all {
		if o.By != ByCanary || !v.isOurs(o) {
			continue
		}
		switch w := o.What.(type) {
		case *Subscribed:
			subscriptions++
		case *CASE:
			if w.OpenedBy != "device" {
				sessions++
			}
		case *Read, *ReadEvents:
			reads++
		}
	}
	if subscriptions+sessions+reads == 0 {
		return ""
	}
	return fmt.Sprintf("The canary takes one fabric and one subscription of the device; it subscribed %d times, opened %d sessions and read %d times.", subscriptions, sessions, reads)
}}
