package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/render"
)

const diffText = `Say what changed from one scan to another, what matters most first: devices that
are gone or new, parents and links that were lost or made, links that got worse or
better, partitions, leaders, border routers, versions.

Without FILE the last saved scan is compared with a new one, which asks all that is
logged in to and is saved as any scan is; --interface, --ask, --otbr, --source,
--quick and --timeout are as for "threadmap scan". With one FILE that is compared
with a new scan, with two the first with the second. --since compares the oldest
scan that was saved in that time with the newest, and asks nobody.

What was not asked the second time is not called gone, and what was not asked the
first time is not called new: sources that told only one of the two are listed.`

type diffFlags struct {
	*scanFlags
	since sinceFlag
}

func (a *app) diffCommand() *cobra.Command {
	f := &diffFlags{scanFlags: newScanFlags()}
	c := &cobra.Command{
		Use:   "diff [A] [B]",
		Short: "what changed from one scan to another",
		Long:  diffText,
		Example: `  threadmap diff
  threadmap diff --since 24h
  threadmap diff monday.cbor tuesday.cbor --json`,
		Args: atMost(2),
	}
	c.Flags().Var(&f.since, "since", "compare the oldest saved scan of this `TIME` (24h, 7d) with the newest")
	f.otbr.kind = "URL"
	c.Flags().Var(&f.otbr, "otbr", "ask this OpenThread border router, too, once; may be repeated")
	c.Flags().BoolVar(&f.quick, "quick", false, "only listen to mDNS, 5 s at most")
	f.lanFlags.add(c)
	sourceFlag(c, &f.source)
	c.Flags().Var(&f.timeout, "timeout", "end the new scan after this time")
	f.called.add(c)
	f.jsonFlag(c)
	c.Flags().StringVar(&f.expect, "expect", "", "`FILE` of nodes that must be there in the newer scan, else exit status 3")
	f.colorFlag(c)
	c.RunE = verb(func(c *cobra.Command, args []string) error { return a.diff(c, f, args) })
	return c
}

// ofNewScans are the flags that only a new scan heeds.
var ofNewScans = []string{"otbr", "quick", "interface", "ask", "source", "timeout"}

func (a *app) diff(c *cobra.Command, f *diffFlags, files []string) error {
	anew := f.since == 0 && len(files) < 2
	if i := slices.IndexFunc(ofNewScans, c.Flags().Changed); i >= 0 && !anew {
		return usage(c, "--%s is for a new scan, and nobody is asked here", ofNewScans[i])
	}
	if f.since > 0 && len(files) > 0 {
		return usage(c, "--since compares saved scans: leave out FILE")
	}
	if len(files) == 2 && files[0] == "-" && files[1] == "-" {
		return usage(c, "standard input can be read once")
	}
	var q questions
	if anew {
		var err error
		if q, err = f.questions(c); err != nil {
			return err
		}
	}
	expected, err := a.readExpected(c.Context(), f.expect)
	if err != nil {
		return err
	}
	called, err := f.called.read(c, a)
	if err != nil {
		return err
	}
	before, after, err := a.twoScans(c, f, q, files)
	if err != nil {
		return err
	}
	older := a.document(before, called)
	newer := a.document(after, called)
	result := render.Compare(older, newer)
	write := func(w io.Writer) error { return render.Diff(w, result, a.options(f.look)) }
	if f.json {
		write = func(w io.Writer) error { return render.DiffJSON(w, result) }
	}
	if err := a.print(write); err != nil {
		return err
	}
	if anew {
		a.tellPartial(after)
	}
	a.checkExpected(newer.Map, expected)
	if c.Context().Err() != nil {
		a.hint("Stopped: this is what was known by then.")
	}
	return nil
}

// twoScans gives the scans to compare, the older one first.
func (a *app) twoScans(c *cobra.Command, f *diffFlags, q questions, files []string) (before, after *diag.Scan, err error) {
	if f.since > 0 {
		return a.savedSince(c, time.Duration(f.since))
	}
	// What can't be read is said before anybody is asked.
	if before, _, err = a.load(c, files[:min(1, len(files))]); err != nil {
		return nil, nil, err
	}
	if len(files) == 2 {
		after, _, err = a.load(c, files[1:])
		return before, after, err
	}
	l, err := a.learn(c, f.scanFlags, q)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case l.saveErr != nil:
		a.warn(fmt.Errorf("the scan is not saved: %w", l.saveErr))
		a.failed = true
	case l.saved.File == "":
		return nil, nil, errors.Join(fail("the new scan learnt nothing, so there is nothing to compare"), problemsOf(l.scan))
	default:
		a.hint("The new scan is saved as %s.", localTime(l.saved.At))
	}
	return before, l.scan, nil
}

// problemsOf are what a scan asked for and did not learn.
func problemsOf(scan *diag.Scan) error {
	var out []error
	for _, p := range scan.Problems {
		if p.Partial {
			out = append(out, errors.New(lineOf(p)))
		}
	}
	return errors.Join(out...)
}

// savedSince gives the oldest scan that was saved in that time, and the newest.
func (a *app) savedSince(c *cobra.Command, since time.Duration) (before, after *diag.Scan, err error) {
	store, err := a.store()
	if err != nil {
		return nil, nil, err
	}
	have, err := store.Scans()
	if err != nil {
		return nil, nil, err
	}
	begin := time.Now().Add(-since)
	in := slices.DeleteFunc(slices.Clone(have), func(s state.SavedScan) bool { return s.At.Before(begin) })
	switch {
	case len(have) == 0:
		return nil, nil, fail(`%w: make one with "threadmap scan"`, state.ErrNoScan)
	case len(in) == 0:
		return nil, nil, fail("no scan was saved in that time, the last one is of %s: give a longer time", localTime(have[len(have)-1].At))
	case len(in) == 1:
		return nil, nil, fail("one scan was saved in that time, of %s, and a comparison needs two: give a longer time, or scan again", localTime(in[0].At))
	}
	first, last := in[0], in[len(in)-1]
	if before, err = a.loadFile(c.Context(), first.File); err != nil {
		return nil, nil, err
	}
	if after, err = a.loadFile(c.Context(), last.File); err != nil {
		return nil, nil, err
	}
	a.hint("Scans of %s and %s.", localTime(first.At), localTime(last.At))
	return before, after, nil
}

// A sinceFlag is --since: a time, also in days.
type sinceFlag time.Duration

// maxSince is longer than anybody keeps scans, in days.
const maxSince = 36500

func (f *sinceFlag) String() string {
	if *f == 0 {
		return ""
	}
	return spoken(time.Duration(*f))
}
func (f *sinceFlag) Type() string { return "TIME" }
func (f *sinceFlag) Set(s string) error {
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 32)
		if n > maxSince {
			err = strconv.ErrRange
		}
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d <= 0 {
		return errors.New("want a time such as 24h or 7d")
	}
	*f = sinceFlag(d)
	return nil
}
