package main

import (
	"fmt"
	"strings"

	"threadmap/diag/icd"
)

// tellChosen says whose subscription it is about, where the user left that open.
// Who is known by digits only may be known by name in a moment.
func (w *icdWatch) tellChosen(t *icd.Timeline, v *icd.Verdict) {
	if w.f.subscriber != "" && !w.unheard {
		w.chosen = v.Subscriber
		return
	}
	_, digits := hex16(v.Subscriber)
	if soon := v.At-w.began < icd.Seconds(nameWait); v.Subscriber == w.chosen || soon && (digits || w.unheard || v.Subscriber == icd.ByCanary) {
		return
	}
	w.chosen = v.Subscriber
	if s := chosenWords(t, v, w.words); s != "" {
		if w.unheard {
			s = fmt.Sprintf("Nothing is heard yet of the %q of --subscriber. Until then: %s", clean(w.f.subscriber), s)
		}
		w.show.tell("%s", s)
	}
}

// chosenWords say whose subscription a verdict is about where the user named none,
// why that one, and how to choose another; "" where there is none.
func chosenWords(t *icd.Timeline, v *icd.Verdict, names *icdNames) string {
	if v.Subscriber == "" {
		return ""
	}
	why := "it is known by name"
	switch _, digits := hex16(v.Subscriber); {
	case complained(t, v):
		why = "you said so of it"
	case v.Subscriber == icd.ByCanary:
		why = "of the others not more than digits is known"
		if len(v.Others) == 0 {
			why = "no other controller is known"
		}
	case digits:
		why = "no controller with a name is known"
	case insider(t, v.Subscriber):
		why = "it tells what it sees"
	}
	s := fmt.Sprintf("This is about the subscription of %s: %s.", subscriberWords(v.Subscriber, names), why)
	known := map[string]bool{v.Subscriber: true}
	for _, o := range v.Others {
		known[o.Subscriber] = true
	}
	var others []string
	for _, o := range v.Others {
		if id, digits := hex16(o.Subscriber); digits && (id == names.own && id != 0 || known[names.fabrics[id]]) {
			continue // the canary's, or that of one who is there by name
		}
		if name := clean(o.Subscriber); name != "" {
			if strings.ContainsAny(name, " \"'") {
				name = `"` + name + `"`
			}
			others = append(others, name)
		}
	}
	if len(others) > 0 {
		s += fmt.Sprintf(" --subscriber NAME chooses another: %s.", list(others, "or"))
	}
	return s
}

// subscriberWords are a subscriber's name for people.
func subscriberWords(name string, names *icdNames) string {
	if name == icd.ByCanary {
		return "threadmap itself (canary)"
	}
	return clean(names.say(name))
}

// complained reports whether somebody said of a controller that it has lost the
// device, or that a press did not arrive there.
func complained(t *icd.Timeline, v *icd.Verdict) bool {
	for o := range t.All() {
		if o.At > v.At {
			continue
		}
		switch w := o.What.(type) {
		case *icd.Complaint:
			if strings.EqualFold(w.Controller, v.Subscriber) {
				return true
			}
		case *icd.Press:
			if w.Works != nil && !*w.Works && strings.EqualFold(w.Controller, v.Subscriber) {
				return true
			}
		}
	}
	return false
}

// insider reports whether a subscriber is one that tells of its inside.
func insider(t *icd.Timeline, name string) bool {
	for o := range t.All() {
		if o.By == icd.ByHA && name == "Home Assistant" || o.By == icd.ByController {
			return true
		}
	}
	return false
}
