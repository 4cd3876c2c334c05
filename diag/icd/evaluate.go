package icd

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Evaluate says what is known at a moment (seconds from the start; what was
// observed later is not looked at) about the device and one subscriber: its
// name or compressed fabric id, or "" for the one that the user complains about.
// The other subscribers stand under Others.
//
// It sorts the timeline where that is not in order; apart from that it changes
// nothing.
func Evaluate(t *Timeline, at Seconds, subscriber string) (*Verdict, error) {
	if t == nil {
		return nil, errors.New("icd: no observations")
	}
	v := newView(t, at)
	if !v.choose(subscriber) {
		names := []string{}
		for _, s := range v.subs {
			names = append(names, quote(s.name))
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("icd: nothing is known of a subscriber %q, nor of any other", quote(subscriber))
		}
		return nil, fmt.Errorf("icd: nothing is known of a subscriber %q: there are %s", quote(subscriber), strings.Join(names, ", "))
	}
	chosen := v.sub
	out := v.verdict(t)
	const maxOthers = 8 // a device has few fabrics; the file may claim many
	for _, s := range v.subs {
		if s == chosen || len(out.Others) >= maxOthers {
			continue
		}
		v.sub = s
		o := v.verdict(t)
		out.Others = append(out.Others, o)
	}
	return &out, nil
}

// verdict concludes for the subscriber at hand.
func (v *view) verdict(t *Timeline) Verdict {
	h := v.history()
	c := v.walk(h)
	first := c.first(Broken)
	out := Verdict{Node: t.Node, At: v.at, Rung: v.rung(), Subscriber: v.sub.name, Mode: v.mode, Link: first}
	for l := L1; l <= lastLink; l++ {
		out.Chain = append(out.Chain, LinkState{l, c.links[l].state, c.links[l].because})
	}
	_, unhappy := h.complaint()
	switch {
	case first != 0:
		out.Healthy = new(bool)
	case c.first(Unknown) == 0:
		yes := true
		out.Healthy = &yes
	}
	out.Causes, out.Excluded = v.causes(h, c, first)
	out.Party = party(out.Causes, first, unhappy, out.Healthy)
	out.Parties = out.parties()
	if out.Healthy == nil || !*out.Healthy {
		out.Await = v.await(h, c)
	}
	out.Facts = v.facts(h)
	out.Next = v.next(&out, h)
	return out
}

// party is whose the first broken link is: that of the causes that stand first
// where they agree, else what the link alone says.
func party(causes []CauseFound, first Link, unhappy bool, healthy *bool) Party {
	if first == 0 {
		if healthy != nil && *healthy && !unhappy {
			return Nobody
		}
		return UnknownParty
	}
	who := Party("")
	for _, c := range causes {
		if c.Confidence != causes[0].Confidence || c.Confidence == Low {
			break
		}
		cause := CauseByID(c.ID)
		switch {
		case cause.Link != first: // it explains something that comes later
		case who != "" && cause.Party != who:
			return linkParty(first)
		default:
			who = cause.Party
		}
	}
	if who != "" {
		return who
	}
	return linkParty(first)
}

// parties are those of the causes that stand first, where they stand on more
// than that nothing speaks against them; else the party alone, where it is known.
func (v *Verdict) parties() (out []Party) {
	if v.Party != UnknownParty {
		return []Party{v.Party}
	}
	for _, c := range v.Causes {
		if c.Confidence != v.Causes[0].Confidence || c.Confidence == Low {
			break
		}
		if p := CauseByID(c.ID).Party; !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// linkParty is whose a link is where its causes don't say.
func linkParty(first Link) Party {
	switch first {
	case L1:
		return DevicePower
	case L2:
		return Mesh
	case L4, L5:
		return BorderRouter
	case L9:
		return Controller
	}
	return UnknownParty
}

// standsOn reports whether there is an observer of a rung, or a higher one that
// sees all that one does. A packet capture is high up, and sees nothing of what
// those below do.
func (v *view) standsOn(rung int) bool {
	return slices.ContainsFunc(v.all, func(o *Observation) bool {
		switch o.By {
		case ByICMP:
			return rung == 1
		case ByTMF:
			return rung == 2
		case ByCanary:
			return rung <= 3
		case ByHA, ByController:
			return rung <= 4
		}
		return false
	})
}

// rung is the highest rung of the evidence ladder that the observations stand
// on: what was listened to, touched, asked with the mesh's credential, seen by
// a canary, or told from inside a controller or by a packet capture.
func (v *view) rung() int {
	rung := 0
	for _, o := range v.all {
		if n := slices.Index([]string{ByICMP, ByTMF, ByCanary, ByHA}, o.By); n >= 0 {
			rung = max(rung, n+1)
		} else if o.By == ByController || o.By == ByCapture {
			rung = max(rung, 4)
		}
	}
	return rung
}
