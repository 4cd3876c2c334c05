package icd

// Restarted is when the device last started, by all that was seen until a
// moment, or that somebody said that it did; ok is false where there was
// neither. It is what [Evaluate] counts from.
func (t *Timeline) Restarted(until Seconds) (at Seconds, ok bool) {
	if t == nil {
		return 0, false
	}
	v := newView(t, until)
	return v.t0, v.rebooted || v.claimed
}
