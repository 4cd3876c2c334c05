package icd

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// watchedLong is how long a border router is listened to before a start of the
// device until it counts that it looked nothing up in that time.
const watchedLong = 10 * minute

// A device that does not even try and one whose look-ups its border router
// does not pass on show the same: nothing. That border routers look names up is
// the rule, so the device is taken not to have tried, unless there is reason for
// doubt; see quietRouter.

// lookUpSeen is what shows that the look-ups of Thread devices get anywhere: a
// question that their border router asked for a controller's name, at any time
// and for whomever, or a session or Check-In that the device began itself.
func (v *view) lookUpSeen(h *history) *Observation {
	if v.index.lookedUp != nil {
		return v.index.lookedUp
	}
	for o, w := range ours[CASE](v, "canary case") {
		if w.OpenedBy == byDevice {
			return o
		}
	}
	for o, w := range ours[Sigma1](v, "canary sigma1") {
		if w.OpenedBy != "controller" {
			return o
		}
	}
	for o, w := range ours[Sigma1](v, "capture sigma1") {
		if w.OpenedBy == byDevice {
			return o
		}
	}
	for _, key := range []string{"canary checkin", "capture checkin"} {
		for o := range ours[CheckIn](v, key) {
			return o
		}
	}
	return latest(h.sigma1, h.opened, h.checkIn).o
}

// findLookUp is the first question for a controller's name that may be one that
// the border router asks which announces the device: it is not known to be
// another's, or a controller's own.
func (v *view) findLookUp() *Observation {
	speaks := v.index.speaker
	own, others := map[string]bool{speaks: true}, map[string]bool{}
	for _, b := range v.borderRouters() {
		w := b.o.What.(*Announce)
		addrs := []string{link(b.from)}
		for _, a := range w.Addresses[:min(len(w.Addresses), maxAddresses)] {
			addrs = append(addrs, link(a))
		}
		set := others
		if speaks == "" || slices.Contains(addrs, speaks) {
			set = own
		}
		for _, a := range addrs {
			set[a] = true
		}
	}
	for _, q := range v.index.questions {
		from := link(q.o.What.(*Question).From)
		if !v.index.thread[q.name] && (from == "" || own[from] || !others[from] && !v.index.hubs[from]) {
			return q.o
		}
	}
	return nil
}

// quietRouter says why it is doubtful that look-ups of the device get anywhere:
// the border router that announces it was listened to since long before the
// start, its controller is on another machine, and it never asked for anybody. "" where there is no reason for doubt.
func (v *view) quietRouter(h *history) string {
	from := v.index.speaker
	if !v.rebooted || from == "" || v.lookUpSeen(h) != nil {
		return ""
	}
	if is, known := v.hubIsBorderRouter(); is || !known {
		return "" // which would ask nobody but itself
	}
	first, ok := v.index.heard[from]
	if !ok || first > v.t0-watchedLong {
		return ""
	}
	return fmt.Sprintf("the border router at %s, listened to since %s, was never heard to look a controller up, for whatever device", quote(from), first)
}

// indexSpeakers notes who speaks: since when each sender was heard, which
// addresses are those of machines with a controller, which operational names are
// Thread devices' other than this one, and which border router speaks for it.
func (v *view) indexSpeakers() {
	x := &v.index
	x.heard, x.hubs, x.thread = map[string]Seconds{}, map[string]bool{}, map[string]bool{}
	heard := func(from string, at Seconds) {
		from = link(from)
		if last, known := x.heard[from]; from != "" && (known || len(x.heard) < maxLines) && (!known || at < last) {
			x.heard[from] = at
		}
	}
	for _, key := range []string{"mdns announce", "mdns goodbye"} {
		for o, w := range each[Announce](v, key) {
			heard(w.From, o.At)
			name := instanceOf(w.Instance)
			if !isInstance(name) || v.own[name] || w.Host == "" {
				continue
			}
			label, _, _ := strings.Cut(w.Host, ".")
			switch {
			case isHex16(label) && len(x.thread) < maxLines:
				x.thread[name] = true
			case len(x.hubs) < maxLines && !isHex16(label):
				for _, a := range w.Addresses[:min(len(w.Addresses), maxAddresses)] {
					if _, err := netip.ParseAddr(a); err == nil {
						x.hubs[link(a)] = true
					}
				}
			}
		}
	}
	for o, w := range each[Advert](v, "ra advert") {
		heard(w.From, o.At)
	}
	for o, w := range v.announces() {
		if o.Event == "announce" && w.From != "" {
			x.speaker = link(w.From)
		}
	}
	x.lookedUp = v.findLookUp()
}
