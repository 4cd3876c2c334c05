package icd

// R16: a device that sleeps shortly and has no Check-In protocol.
var factR16 = circumstance{"R16", func(v *view, h *history) string {
	if features, o, ok := v.last("0/70/65532"); ok && features&1 == 0 {
		return "The device has no Check-In protocol, so there is nothing to wait for but its own session: " + o.String()
	}
	says := ""
	for o, w := range v.announces() {
		if w.TXT == nil || o.Event != "announce" {
			continue
		}
		says = ""
		_, icd := txt(w.TXT, "ICD")
		if _, sleepy := txt(w.TXT, "SII"); sleepy && !icd {
			says = "The device sleeps for short times and announces no long idle times, so no Check-In will come: " + o.String()
		}
	}
	return says
}}
