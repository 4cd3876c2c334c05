package icd

// A Mode is how a device sleeps.
type Mode string

// The modes. A short idle time device (SIT) can be reached within 15 s; a long
// idle time device (LIT) only when it wakes, and it then checks in with the
// clients that are registered and have no subscription.
const (
	ModeUnknown   Mode = "unknown"
	ModeShortIdle Mode = "sit"
	ModeLongIdle  Mode = "lit"
)

// findMode takes the newest word on the mode: attribute OperatingMode, or the
// key ICD of the announcement.
func (v *view) findMode() {
	v.mode = ModeUnknown
	when := never
	set := func(at Seconds, m Mode) {
		if at >= when {
			v.mode, when, v.modeAt = m, at, at
		}
	}
	for o, w := range v.announces() {
		if w.TXT == nil || o.Event != "announce" {
			continue
		}
		switch icd, ok := txt(w.TXT, "ICD"); {
		case icd == "1":
			set(o.At, ModeLongIdle)
		case ok:
			set(o.At, ModeShortIdle)
		default:
			if _, sleepy := txt(w.TXT, "SII"); sleepy {
				set(o.At, ModeShortIdle)
			}
		}
	}
	for _, x := range v.values("0/70/8") {
		if n, ok := x.uint(); ok {
			set(x.o.At, map[bool]Mode{true: ModeLongIdle, false: ModeShortIdle}[n == 1])
		}
	}
}

// idle is IdleModeDuration: a device wakes at least that often.
func (v *view) idle() (Seconds, bool) {
	n, _, ok := v.last("0/70/0")
	if !ok || n == 0 || n > 64800 {
		return 0, false
	}
	return Seconds(n) * second, true
}
