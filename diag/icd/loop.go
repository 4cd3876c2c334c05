package icd

import (
	"fmt"
	"slices"
	"strings"
)

// A crash loop is that many starts within that time.
const (
	loopBoots = 3
	loopTime  = 10 * minute
)

// Whether a loop has ended is open for longer than it takes to call it one: the
// start that was last seen need not have been the last.
const loopOver = 2 * loopTime

// A person takes the battery out and puts it in again more than once to get a
// device back, and tells of each about when it happens. Those starts are no loop.
const personSaid = minute

// unaided counts those of some starts, which are in order, that no person says to
// have made. One word explains one start.
func (v *view) unaided(starts []Seconds) (own int) {
	claims := slices.Clone(v.claims)
	for _, at := range starts {
		i := slices.IndexFunc(claims, func(c boot) bool { return at >= c.at-slack && at <= c.at+personSaid })
		if i < 0 {
			own++
			continue
		}
		claims = slices.Delete(claims, 0, i+1)
	}
	return own
}

// loops says that the device starts again and again, or that it may; ok is false
// where nothing hints at that.
func (v *view) loops() (f finding, ok bool) {
	life := v.lastLife().at
	if n, counted, first := v.starts(); n >= loopBoots {
		last := &v.boots[len(v.boots)-1]
		what := fmt.Sprintf("it started %d times within %s", n, last.at-first.begun())
		switch lived := life - last.at; {
		case n-counted >= loopBoots && !last.outlived(last.at-first.begun()) && lived <= loopTime && (v.at-last.at <= loopTime || v.mode != ModeLongIdle && v.couldHear()):
			return broken(last.at, what, first.because[0], last.because[0]), true
		case lived <= loopOver:
			return unknown(what+", and whether it goes on is not known", first.because[0], last.because[0]), true
		}
		return f, false
	}
	// What is left of a start whose other half nobody heard.
	all := v.traces()
	if len(all) > 0 && life-all[len(all)-1].at <= loopOver {
		last := all[len(all)-1]
		recent := all
		for len(recent) > 0 && last.at-recent[0].at > loopTime {
			recent = recent[1:]
		}
		at := make([]Seconds, len(recent))
		for i, b := range recent {
			at[i] = b.at
		}
		if n := len(recent); n >= loopBoots && v.unaided(at) >= loopBoots-1 {
			return unknown(fmt.Sprintf("it may have started %d times within %s", n, last.at-recent[0].at), recent[0].because[0], last.because[0]), true
		}
	}
	if n := len(v.boots); n > 1 {
		// Whether a third start follows is open until it has lived long enough: longer
		// than it did the last time where a person made one of the two.
		enough := Seconds(loopOver)
		between := v.boots[n-1].at - v.boots[n-2].at
		if v.boots[n-1].outlived(between) || v.unaided([]Seconds{v.boots[n-2].at, v.boots[n-1].at}) < 2 {
			enough = between + slack
		}
		if between <= loopTime && life-v.boots[n-1].at <= enough {
			return unknown("it started twice within "+between.String(), v.boots[n-2].because[0], v.boots[n-1].because[0]), true
		}
	}
	return f, false
}

// outlived reports whether the device's own clock says that it ran for longer than
// that after its start, so that no other start can have been missed meanwhile.
func (b *boot) outlived(t Seconds) bool { return b.exact && b.told-b.dated > t+slack }

// starts counts those of the last minutes of the device's starts that make a
// loop, from first on, and how many of them only its own counter tells of, which
// is one line's word; 0: they make none.
func (v *view) starts() (n, counted int, first *boot) {
	var at []Seconds
	last := Seconds(0)
	for i := len(v.boots) - 1; i >= 0; i-- {
		b := &v.boots[i]
		if last == 0 {
			last = b.at
		}
		if last-b.begun() > loopTime {
			break
		}
		n, counted, first = n+1+b.more, counted+b.more, b
		for range 1 + b.more {
			at = append(at, b.at)
		}
		if n >= loopBoots {
			slices.Reverse(at)
			if v.unaided(at) >= loopBoots-1 {
				return n, counted, first
			}
		}
	}
	return 0, 0, nil
}

// begun is since when the starts lie that b stands for.
func (b *boot) begun() Seconds {
	if b.more > 0 {
		return min(b.at, b.from)
	}
	return b.at
}

// traces are the starts that were seen, and what may be half of one, in order:
// a withdrawal after which no announcement was heard, or an announcement as a
// device makes it that starts. A border router announces the device also when
// somebody asks for it, and with all others when it restarts itself.
func (v *view) traces() []boot {
	if len(v.boots) == 0 {
		return nil // a name that comes and goes is no start by itself
	}
	all := slices.Clone(v.boots)
	said := v.index.announced
	for i, o := range said {
		if v.ofBoot(o) || v.withOthers(o) {
			continue
		}
		if o.Event == "announce" && (v.onDemand(o) || !v.saidTwice(said[i:]) && !v.thenLooksUp(o.At)) {
			continue
		}
		all = append(all, boot{at: o.At, because: []string{o.String()}})
	}
	slices.SortStableFunc(all, func(a, b boot) int { return int(min(max(a.at-b.at, -1), 1)) })
	out := all[:0]
	for _, b := range all {
		if n := len(out); n == 0 || b.at-out[n-1].at > oneBoot {
			out = append(out, b)
		}
	}
	return out
}

// onDemand reports whether somebody asked for the device's name right before it was
// announced: then that was the answer.
func (v *view) onDemand(o *Observation) bool {
	return within(v.index.wanted, o.At-slack, o.At)
}

// saidTwice reports whether the first of some announcements is repeated by the
// same sender after about a second: so a name is announced that is new (RFC 6762,
// section 8.3).
func (v *view) saidTwice(said []*Observation) bool {
	first := said[0].What.(*Announce)
	for _, o := range said[1:] {
		gap := o.At - said[0].At
		if gap > 2*second {
			return false
		}
		if w := o.What.(*Announce); gap >= second/2 && o.Event == "announce" && w.From == first.From && instanceOf(w.Instance) == instanceOf(first.Instance) {
			return true
		}
	}
	return false
}

// thenLooksUp reports whether the device's subscriber was looked up right after
// a moment, which a device does when it has started.
func (v *view) thenLooksUp(at Seconds) bool {
	return within(v.index.lookUps, at, at+signature)
}

// ofBoot reports whether the device's name was announced or withdrawn at a start
// that is known anyway, or announced before all of them, as in answer to the
// listener's own first question.
func (v *view) ofBoot(o *Observation) bool {
	at := o.At
	if at < v.boots[0].at {
		return o.Event == "announce"
	}
	i, found := slices.BinarySearchFunc(v.boots, at, func(b boot, at Seconds) int { return int(min(max(b.at-at, -1), 1)) })
	return found || at-v.boots[i-1].at <= oneBoot || v.boots[i-1].exact && at-v.boots[i-1].at <= oneBoot+attachTime
}

// withOthers reports whether who announced or withdrew the device's name did so
// with other devices' names as well: then it is the border router's doing.
func (v *view) withOthers(o *Observation) bool {
	return within(v.index.others[o.Event+" "+strings.ToLower(o.What.(*Announce).From)], o.At-slack, o.At+slack)
}
