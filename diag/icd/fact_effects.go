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
	switch {
	case subscriptions > 0:
		return fmt.Sprintf("The canary takes one fabric and one subscription of the device; subscribed: %d, sessions opened: %d, reads: %d.", subscriptions, sessions, reads)
	case sessions+reads > 0:
		return fmt.Sprintf("The observer takes one fabric of the device; sessions opened: %d, reads: %d.", sessions, reads)
	}
	return ""
}}
