package icd

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// A boot is a start of the device.
type boot struct {
	at      Seconds
	because []string
	gap     Seconds // between the withdrawal and the announcement of its name, 0: not seen
	exact   bool    // by the device's own UpTime
	dated   Seconds // when that says that it was, the last time that it was told
	told    Seconds // when that was
	more    int     // starts beside this one since from, that only RebootCount tells of
	from    Seconds
}

// same reports whether c, which is not before b, is the same start.
func (b *boot) same(c *boot) bool {
	if b.exact && c.exact {
		elapsed := max(c.told-b.told, b.told-c.told)
		return c.at-b.dated <= oneUpTime+elapsed/100
	}
	return c.at-b.at <= oneBoot
}

// The signature of a start on Thread: the firmware removes its SRP host and
// registers anew, 0.5 to 3 s later; a border router may take a little longer.
const signature = 10 * second

// What belongs to one start: the device registers some time after it. Its own
// UpTime is exacter than that: whole seconds and the observers' clocks blur it, and
// a cheap oscillator goes wrong by less than a hundredth.
const (
	oneBoot   = 20 * second
	oneUpTime = 5 * second
)

// Clusters and events of the Matter specification.
const (
	clusterBasic       = 0x28
	clusterDiagnostics = 0x33
	eventStartUp       = 0
	eventShutDown      = 1
	eventBootReason    = 3
)

// findBoots dates the starts of the device.
func (v *view) findBoots() {
	var found []boot

	for gone, o := range v.returns() {
		if gap := o.At - gone.At; gap <= signature && !v.allWent(gone) {
			found = append(found, boot{at: gone.At, because: []string{gone.String() + ", announced again after " + gap.String()}, gap: gap})
		}
	}
	for _, x := range v.values("0/51/2") { // UpTime
		if up, ok := x.uint(); ok && up < maxSeconds {
			if at := x.o.At - Seconds(up)*second; at > 0 {
				because := x.o.String() + ": up for " + (Seconds(up) * second).String()
				found = append(found, boot{at: at, because: []string{because}, exact: true, dated: at, told: x.o.At})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b boot) int { return int(min(max(a.at-b.at, -1), 1)) })
	found = found[max(0, len(found)-16*maxBoots):]
	for _, b := range found {
		if n := len(v.boots); n > 0 && v.boots[n-1].same(&b) {
			last := &v.boots[n-1]
			if b.exact {
				last.exact, last.dated, last.told = true, b.at, b.told
			}
			if len(last.because) < maxBecause {
				last.because = append(last.because, b.because...)
			}
			if last.gap == 0 {
				last.gap = b.gap
			}
			continue
		}
		v.boots = append(v.boots, b)
	}

	v.boots = v.boots[max(0, len(v.boots)-maxBoots):]

	// What says that there was a start, but not exactly when.
	between := func(from, to Seconds, n int, because string) {
		in := func(b boot) bool { return b.at >= from-slack && b.at <= to+slack }
		known, last := 0, -1
		for i, b := range v.boots {
			if in(b) {
				known, last = known+1, i
			}
		}
		if last < 0 {
			if len(v.boots) >= 2*maxBoots {
				return
			}
			last = slices.IndexFunc(v.boots, func(b boot) bool { return b.at > to })
			if last < 0 {
				last = len(v.boots)
			}
			v.boots = slices.Insert(v.boots, last, boot{at: to, because: []string{because}})
			known = 1
		} else if b := &v.boots[last]; len(b.because) < maxBecause {
			b.because = append(b.because, because)
		}
		if b := &v.boots[last]; n > known && to-from <= loopTime { // over hours it is no loop
			b.more, b.from = n-known, from
		}
	}
	for _, key := range []string{ByCanary, ByHA, ByController} {
		seen := map[uint64]bool{}
		for o, w := range ours[DeviceEvent](v, key+" event") {
			if w.Cluster == clusterBasic && w.EventID == eventStartUp && !seen[w.Number] {
				seen[w.Number] = true
				between(max(0, o.At-10*minute), o.At, 1, o.String())
			}
		}
	}
	var before value
	for _, x := range v.values("0/51/1") { // RebootCount
		n, ok := x.uint()
		if !ok {
			continue
		}
		if m, known := before.uint(); known && before.o != nil && n > m {
			because := x.o.String() + ": RebootCount went up"
			if n-m > 1 {
				because += fmt.Sprintf(" by %d", n-m)
			}
			between(before.o.At, x.o.At, int(min(n-m, maxBoots)), because)
		}
		before = x
	}

	for _, key := range []string{"user reboot", "user power-on"} {
		for _, o := range v.by[key] {
			v.claims = append(v.claims, boot{at: o.At, because: []string{o.String()}})
		}
	}
	slices.SortStableFunc(v.claims, func(a, b boot) int { return int(min(max(a.at-b.at, -1), 1)) })

	if n := len(v.boots); n > 0 {
		v.t0, v.rebooted = v.boots[n-1].at, true
	}
	if n := len(v.claims); n > 0 {
		if c := v.claims[n-1]; !v.rebooted || c.at > v.t0+slack {
			v.t0, v.rebooted, v.claimed = c.at, false, true
			// A device that attached right after it was told to start has started.
			for o, w := range ours[Child](v, "tmf child") {
				if w.Connected != nil && o.At-*w.Connected >= c.at-slack && o.At-*w.Connected <= c.at+10*minute {
					v.rebooted, v.claimed = true, false
					v.boots = append(v.boots, boot{at: c.at, because: []string{c.because[0], o.String() + ": attached since then"}})
					break
				}
			}
		}
	}
}

// returns goes through the withdrawals of the device's names and the
// announcements that followed them.
func (v *view) returns() iter.Seq2[*Observation, *Observation] {
	return func(yield func(gone, back *Observation) bool) {
		gone := map[string]*Observation{}
		for o, w := range v.announces() {
			name := instanceOf(w.Instance)
			if o.Event == "goodbye" {
				if g := gone[name]; g == nil || o.At-g.At > 5*second { // it is said more than once
					gone[name] = o
				}
			} else if g := gone[name]; g != nil {
				delete(gone, name)
				if !yield(g, o) {
					return
				}
			}
		}
	}
}

// allWent reports whether other devices' names were withdrawn together with the
// device's: then it was the border router that withdrew them.
func (v *view) allWent(gone *Observation) bool {
	from := strings.ToLower(gone.What.(*Announce).From)
	return within(v.index.gone[from], gone.At-slack, gone.At+slack)
}

// orderlyStop is the device's own word, in the last thing it said before t0,
// that it is going down: it then gives up its subscriptions.
func (v *view) orderlyStop() *Observation {
	var stop *Observation
	for _, by := range []string{ByCanary, ByHA, ByController} {
		for o, w := range ours[DeviceEvent](v, by+" event") {
			if w.Cluster == clusterBasic && w.EventID == eventShutDown && o.At <= v.t0+slack && o.At > v.t0-10*minute {
				stop = o
			}
		}
	}
	return stop
}
