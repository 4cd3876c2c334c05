package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"threadmap/diag/icd"
	"threadmap/render/timeline"
)

// partyWords say who has to mend something.
var partyWords = map[icd.Party]string{
	icd.Nobody: "nobody", icd.UnknownParty: "not known", icd.DeviceFirmware: "the device's maker (firmware)", icd.DevicePower: "the device's power",
	icd.Mesh: "the Thread mesh", icd.BorderRouter: "the border router", icd.LANHost: "this machine or the LAN", icd.Controller: "the controller",
	icd.ControllerHost: "the machine that the controller runs on",
}

// brokenWords say of each link that it does not hold.
var brokenWords = map[icd.Link]string{
	icd.L1: "the device is not up", icd.L2: "it has no parent in the mesh", icd.L3: "its address does not work", icd.L4: "it is not registered with a border router",
	icd.L5: "it is not announced", icd.L6: "it does not find its controller", icd.L7: "no session with its controller comes about", icd.L8: "its report is not accepted",
	icd.L9: "the controller does not look after it", icd.L10: "presses do not arrive",
}

// A rungOf is a rung of the evidence ladder: what is seen from there, and who sees
// more on the next one.
type rungOf struct {
	seen     string
	observer string // that stands on it
	more     string // what it could do
	needs    string
}

var rungs = [...]rungOf{
	{seen: "only listened to the LAN"},
	{seen: "listened and pinged"},
	{"asked the mesh", "parent", "with a Thread credential threadmap could ask its parent", "threadmap login thread"},
	{"with a subscription of threadmap's own on the device", "canary", "on threadmap's own fabric, it could be seen whether it comes back to a subscription", "threadmap pair CODE"},
	{"from inside a controller", "home-assistant", "with a login to Home Assistant, it could be seen what that makes of it", "threadmap login ha"},
}

// writeVerdict tells a verdict to people, with times from the start.
func writeVerdict(w io.Writer, t *icd.Timeline, v *icd.Verdict) error {
	if err := writeVerdictAt(w, t, v, (&icdNames{}).learn(t), icd.Seconds.String); err != nil {
		return err
	}
	if v.Rung+1 < len(rungs) && (v.Healthy == nil || !*v.Healthy) {
		if r := rungs[max(v.Rung+1, 2)]; r.more != "" {
			if _, err := fmt.Fprintf(w, "More could be seen: %s: %s\n", r.more, r.needs); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(w, "Times are seconds from %s.\n", t.Start.Local().Format("2006-01-02 15:04:05 MST"))
	return err
}

// writeVerdictToday is writeVerdict with the clock times of a timeline.
func writeVerdictToday(w io.Writer, t *icd.Timeline, v *icd.Verdict, names *icdNames) error {
	if err := writeVerdictAt(w, t, v, names, clockIn(t)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "Times are %s.\n", zone(t.Start))
	return err
}

// zone names that of clock times.
func zone(t time.Time) string { return t.Local().Format("MST") }

// headline is a verdict in a sentence, for a picture.
func headline(v *icd.Verdict) string {
	s := timeline.Headline(v)
	if v.Link != 0 {
		s += " Whose matter it is: " + partyWords[v.Party] + "."
	}
	return s
}

func writeVerdictAt(w io.Writer, t *icd.Timeline, v *icd.Verdict, names *icdNames, when func(icd.Seconds) string) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	inSeconds := when(0) == icd.Seconds(0).String()
	clean := func(s string) string {
		if !inSeconds {
			s = clocked(s, when)
		}
		return clean(names.say(s))
	}
	helped := unaidedOf(t, v)
	switch {
	case v.Link != 0:
		line("Broken: %s. Whose matter it is: %s.", brokenWords[v.Link], partyWords[v.Party])
		if words := likely(v); words != "" {
			line("Most likely: %s.", words)
		}
		line("%s", v.Link.About())
	default:
		now := timeline.Headline(v)
		if helped != nil {
			if err := helped.write(&b, when, names); err != nil {
				return err
			}
			now = "Since then: " + lower(now)
		}
		line("%s", now)
	}
	if v.Next != nil {
		line("→ %s", clean(v.Next.Do))
		line("  %s", clean(v.Next.Because))
	}
	line("")
	whom := "no controller in particular"
	if v.Subscriber != "" {
		whom = subscriberWords(v.Subscriber, names)
	}
	line("The chain, at %s, for %s", when(v.At), whom)
	for _, s := range v.Chain {
		because := ""
		if len(s.Because) > 0 {
			because = ": " + clean(strings.Join(s.Because, "; "))
		}
		line("  %-3s %-8s %s%s", s.Link, s.State, s.Link.Title(), because)
	}
	if len(v.Causes) > 0 {
		line("")
		line("What may be behind it, the likeliest first")
		for i, c := range v.Causes {
			if i == 8 {
				line("  and %d more: --json has them", len(v.Causes)-i)
				break
			}
			line("  %s (%s, %s)", icd.CauseByID(c.ID).Title, c.ID, c.Confidence)
			for _, f := range c.For {
				line("    for      %s", clean(f))
			}
			for _, f := range c.Against {
				line("    against  %s", clean(f))
			}
		}
	}
	for _, f := range v.Facts {
		if helped != nil && f.ID == "unaided" {
			continue // it was told at the top
		}
		line("  fact: %s (%s)", clean(f.Says), clean(f.ID))
	}
	if len(v.Await) > 0 {
		line("")
		line("What may still happen by itself")
		for _, x := range v.Await {
			line("  %s, between %s and %s", clean(x.What), when(x.NotBefore), when(x.NotAfter))
		}
	}
	line("")
	if v.Rung >= 0 && v.Rung < len(rungs) {
		line("Evidence: %s (rung %d of %d).", rungs[v.Rung].seen, v.Rung, len(rungs)-1)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
