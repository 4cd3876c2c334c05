package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"threadmap/diag/icd"
)

const icdText = `Why a sleepy device does not come back after a reboot: which link of the chain from
its battery to its controller is broken, who has to mend it, what is still awaited,
and what would settle what is open.

"icd replay" judges a file of observations (one JSON object a line, first line
{"format":"threadmap-observations","version":1,…}), as it stood at a time, and about
the controller that the user complains of, or the one that --subscriber names.`

func (a *app) icdCommand() *cobra.Command {
	c := &cobra.Command{Use: "icd", Short: "why a sleepy device does not come back", Long: icdText}
	c.AddCommand(a.icdReplayCommand())
	return c
}

func (a *app) icdReplayCommand() *cobra.Command {
	var l look
	var at float64
	var subscriber string
	c := &cobra.Command{
		Use:   "replay FILE",
		Short: "judge recorded observations",
		Long:  icdText,
		Example: `  threadmap icd replay button.jsonl
  threadmap icd replay button.jsonl --at 300 --json`,
		Args: between(1, 1),
	}
	c.Flags().Float64Var(&at, "at", -1, "judge as of so many `SECONDS` from the start; default: at the end")
	c.Flags().StringVar(&subscriber, "subscriber", "", "about this controller's subscription (`NAME`)")
	l.jsonFlag(c)
	c.RunE = verb(func(c *cobra.Command, args []string) error {
		if c.Flags().Changed("at") && !(at >= 0 && at <= 1e8) {
			return usage(c, "--at: want seconds from the start, 0 to 100000000")
		}
		b, name, _, err := a.readFile(c.Context(), args[0], icd.MaxFile)
		if err != nil {
			return err
		}
		timeline, err := icd.ReadTimeline(bytes.NewReader(b))
		if timeline == nil || timeline.Len() == 0 && err != nil {
			return fail("%s: %w", name, err)
		}
		if err != nil { // what came before it stands
			a.warn(fmt.Errorf("%s: %w", name, err))
			a.partial = true
		}
		when := timeline.End()
		if c.Flags().Changed("at") {
			when = icd.Sec(at)
		}
		verdict, err := icd.Evaluate(timeline, when, subscriber)
		if err != nil {
			return fail("%s: %w", name, err)
		}
		if l.json {
			return a.printJSON(verdict)
		}
		return a.print(func(w io.Writer) error { return writeVerdict(w, verdict) })
	})
	return c
}

// partyWords say who has to mend something.
var partyWords = map[icd.Party]string{
	icd.Nobody: "nobody", icd.UnknownParty: "not known", icd.DeviceFirmware: "the device's maker (firmware)", icd.DevicePower: "the device's power",
	icd.Mesh: "the Thread mesh", icd.BorderRouter: "the border router", icd.LANHost: "this machine or the LAN", icd.Controller: "the controller",
	icd.ControllerHost: "the machine that the controller runs on",
}

// writeVerdict tells a verdict to people.
func writeVerdict(w io.Writer, v *icd.Verdict) error {
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
	line("The chain, at %s, for %s", v.At, clean(v.Subscriber))
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
			line("  %s, between %s and %s", clean(x.What), x.NotBefore, x.NotAfter)
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
