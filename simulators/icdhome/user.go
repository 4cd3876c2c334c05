package icdhome

import (
	"time"

	"threadmap/diag/icd"
)

// press is a person who presses the button, says whether it worked, and
// complains if not.
func (h *Home) press() bool {
	before := h.hub.c.Pressed(DeviceNode)
	h.dev.node.Press()
	look, complain := 5*time.Second, 20*time.Second
	if h.o.Quick {
		look, complain = 1500*time.Millisecond, 500*time.Millisecond
	}
	if !h.pause(look) {
		return false
	}
	works := h.hub.c.Pressed(DeviceNode) > before
	h.see(icd.ByUser, "press", &icd.Press{Works: &works, Controller: h.hub.name})
	if !works && h.pause(complain) {
		h.see(icd.ByUser, "complaint", &icd.Complaint{Text: "the button does nothing", Controller: h.hub.name})
	}
	return works
}
