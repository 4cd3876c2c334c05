package main

import (
	"fmt"
	"io"
	"strings"

	"threadmap/diag/icd"
)

// An unaided is how things stood after a restart until threadmap opened a session
// itself. After that its subscription is served, and a verdict about it can't tell
// any more that the device had not come back.
type unaided struct {
	restarted, opened icd.Seconds
	then              *icd.Verdict // as of when it was opened
}

// unaidedOf finds it in a timeline for a verdict about threadmap's own
// subscription that has nothing broken; nil: the device came back by itself, did
// not restart, or was not given the time.
func unaidedOf(t *icd.Timeline, v *icd.Verdict) *unaided {
	if v.Link != 0 || v.Subscriber != icd.ByCanary {
		return nil
	}
	at, ok := t.Restarted(v.At)
	if !ok {
		return nil
	}
	u := &unaided{restarted: at}
	for o := range t.All() {
		if o.By != icd.ByCanary || o.At <= at || o.At > v.At {
			continue
		}
		switch w := o.What.(type) {
		case *icd.Sigma1, *icd.CheckIn:
			return nil // it came
		case *icd.CASE:
			switch {
			case w.OpenedBy == "device":
				return nil
			case w.OpenedBy == icd.ByCanary && w.Result != "failed" && u.opened == 0:
				u.opened = o.At
			}
		}
		if u.opened != 0 {
			break
		}
	}
	if u.opened == 0 {
		return nil
	}
	then, err := icd.Evaluate(t, u.opened, icd.ByCanary)
	if err != nil || then.Link == 0 {
		return nil
	}
	u.then = then
	return u
}

// write tells it.
func (u *unaided) write(w io.Writer, when func(icd.Seconds) string, names *icdNames) error {
	var b strings.Builder
	fmt.Fprintf(&b, "It did not come back to threadmap's subscription by itself: it restarted at %s, and threadmap opened a session at %s. Until then\n", when(u.restarted), when(u.opened))
	fmt.Fprintf(&b, "  broken: %s. Whose matter it is: %s.\n", brokenWords[u.then.Link], partyWords[u.then.Party])
	if words := likely(u.then); words != "" {
		fmt.Fprintf(&b, "  Most likely: %s.\n", words)
	}
	for _, s := range u.then.Chain {
		if s.Link == u.then.Link && len(s.Because) > 0 {
			fmt.Fprintf(&b, "  Because %s.\n", clean(names.say(clocked(strings.Join(s.Because, "; "), when))))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// likely names the causes that stand first, unless they are many or only possible.
func likely(v *icd.Verdict) string {
	top := v.TopCauses()
	if len(top) == 0 || len(top) > 3 || v.Causes[0].Confidence <= icd.Low {
		return ""
	}
	for i, id := range top {
		top[i] = fmt.Sprintf("%s (%s)", lower(icd.CauseByID(id).Title), id)
	}
	return list(top, "or")
}
