package icd

import "slices"

// A question that a border router asks for `<fabric>-<controller node>` comes
// from a Thread device that looks its subscriber up. Within that time of a
// start of the device it is taken to be the device's own; later it may be
// another's of the same fabric, unless the device is known to have none.
const lookUpAfterStart = 10 * minute

// askedFor lists the questions for the subscriber's name since t0 that are the
// device's, by what is known, oldest first. Foreign fabrics' questions are told
// apart by the compressed fabric id alone.
func (v *view) askedFor() []*Observation {
	var out []*Observation
	if v.sub.fabric == "" {
		return nil
	}
	for _, q := range v.index.questions {
		if q.fabric == v.sub.fabric && q.o.At >= v.t0-slack {
			out = append(out, q.o)
		}
	}
	return out
}

// askedForAny are the questions for a subscriber in any fabric of the device,
// shortly after it started: each proves that it kept a subscription.
func (v *view) askedForAny() []*Observation {
	var out []*Observation
	if !v.rebooted {
		return nil
	}
	for _, q := range v.index.questions {
		if q.o.At >= v.t0-slack && q.o.At <= v.t0+lookUpAfterStart && slices.Contains(v.fabrics, q.fabric) {
			out = append(out, q.o)
		}
	}
	return out
}

// attempts are the times at which the device began to look for the subscriber,
// or to open a session to it, since t0. What lies within one look-up and
// handshake is one attempt.
func (v *view) attempts(h *history) []Seconds {
	var at []Seconds
	for _, o := range v.askedFor() {
		at = append(at, o.At)
	}
	for o, w := range each[Answer](v, "mdns answer") {
		if fabric, _, ok := splitInstance(instanceOf(w.Name)); ok && fabric == v.sub.fabric && fabric != "" && o.At >= v.t0-slack && !v.own[instanceOf(w.Name)] {
			at = append(at, o.At)
		}
	}
	if v.sub.inside == ByCanary {
		for o := range ours[Sigma1](v, "canary sigma1") {
			if o.At >= v.t0-slack {
				at = append(at, o.At)
			}
		}
	}
	for o, w := range ours[Sigma1](v, "capture sigma1") {
		if w.OpenedBy == byDevice && o.At >= v.t0-slack && v.captured(o) {
			at = append(at, o.At)
		}
	}
	for _, l := range h.logs {
		if l.sigma1 && l.o.At >= v.t0-slack {
			at = append(at, l.o.At)
		}
	}
	slices.Sort(at)
	var out []Seconds
	last := never
	for _, t := range at {
		if t > last+lookUp+handshake {
			out = append(out, t)
		}
		last = t
	}
	return out
}

// tries counts the times at which the device began to look for any of its
// subscribers since t0.
func (v *view) tries() (n int) {
	last := never
	var at []Seconds
	for _, key := range []string{"mdns question", "mdns answer"} {
		for _, o := range v.by[key] {
			name := ""
			switch w := o.What.(type) {
			case *Question:
				name = w.Name
			case *Answer:
				name = w.Name
			}
			if fabric, _, ok := splitInstance(instanceOf(name)); ok && slices.Contains(v.fabrics, fabric) && !v.own[instanceOf(name)] && o.At >= v.t0-slack {
				at = append(at, o.At)
			}
		}
	}
	for o, w := range ours[Sigma1](v, "capture sigma1") {
		if w.OpenedBy == byDevice && o.At >= v.t0-slack {
			at = append(at, o.At)
		}
	}
	slices.Sort(at)
	for _, t := range at {
		if t > last+lookUp+handshake {
			n++
		}
		last = t
	}
	return n
}

// answered is the last answer to one of the questions for the subscriber.
func (v *view) answered() (answer *Observation, proxy bool) {
	for _, key := range []string{"mdns answer", "mdns announce"} {
		for _, o := range v.by[key] {
			name, owner := "", false
			switch w := o.What.(type) {
			case *Answer:
				name, owner = w.Name, w.Owner
			case *Announce:
				name, owner = w.Instance, w.Owner
			}
			fabric, _, ok := splitInstance(instanceOf(name))
			if !ok || fabric != v.sub.fabric || v.own[instanceOf(name)] || o.At < v.t0-slack {
				continue
			}
			if key == "mdns announce" && !v.askedAbout(instanceOf(name), o.At) || !v.asked(instanceOf(name)) { // another node of the fabric
				continue
			}
			if answer == nil || o.At >= answer.At {
				answer, proxy = o, owner
			}
		}
	}
	return answer, proxy
}
