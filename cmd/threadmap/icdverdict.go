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

// writeVerdict tells a verdict to people, with times from the start.
func writeVerdict(w io.Writer, v *icd.Verdict) error {
	return writeVerdictAt(w, v, icd.Seconds.String)
}

// writeVerdictToday is writeVerdict with the clock times of a timeline.
func writeVerdictToday(w io.Writer, t *icd.Timeline, v *icd.Verdict) error {
	return writeVerdictAt(w, v, func(s icd.Seconds) string { return clockOrDay(t.Start.Add(time.Duration(s)), t.Start) })
}

// headline is a verdict in a sentence, for a picture.
func headline(v *icd.Verdict) string {
	s := timeline.Headline(v)
	if v.Link != 0 {
		s += " Whose matter it is: " + partyWords[v.Party] + "."
	}
	return s
}

func writeVerdictAt(w io.Writer, v *icd.Verdict, when func(icd.Seconds) string) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	switch {
	case v.Healthy != nil && *v.Healthy:
		line("It is back: every link holds.")
	case v.Link != 0:
		line("Broken: %s. Whose matter it is: %s.", lower(v.Link.Title()), partyWords[v.Party])
		line("%s", v.Link.About())
	default:
		line("Nothing is seen to be broken, but not every link was seen to hold.")
	}
	line("")
	whom := "no controller in particular"
	if v.Subscriber != "" {
		whom = clean(v.Subscriber)
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
		line("  fact: %s (%s)", clean(f.Says), clean(f.ID))
	}
	if len(v.Await) > 0 {
		line("")
		line("What may still happen by itself")
		for _, x := range v.Await {
			line("  %s, between %s and %s", clean(x.What), when(x.NotBefore), when(x.NotAfter))
		}
	}
	if v.Next != nil {
		line("")
		line("→ %s", clean(v.Next.Do))
		line("  %s", clean(v.Next.Because))
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
