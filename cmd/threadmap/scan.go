package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/dnssd"
	"threadmap/render"
	"threadmap/topology"
)

// scanLimit bounds a whole scan. A border router of the newest kind answers
// for one router of its mesh after the other, some seconds each.
const scanLimit = 3 * time.Minute

const scanText = `Listen to what the LAN announces, ask every source that is known, say in one
sentence how the mesh does, and draw it as a tree.

What is listened to: multicast DNS (mDNS), which tells of every border router,
and of the Matter and HomeKit devices that registered with it, without any
login. --ask sends the questions to a host that multicast does not reach, on
another VLAN, and to the LAN no more, unless --interface names it, too. --quick
listens and asks nobody else: 5 s at most.

What is asked: the border routers of "threadmap login otbr URL", those named
with --otbr, and, of the networks of "threadmap login thread", a border agent
that is announced: it passes a few small questions on to the whole mesh, as long
as nobody else is its commissioner, and gets that role back at the end. Each scan is saved (the last 200); "threadmap render" draws
it again, in other forms, without asking anybody.

A source that was to be asked and did not answer makes the map partial: what is
known is drawn all the same, and the exit status is 3. After Ctrl-C, too, what
is known is drawn and saved; a second Ctrl-C ends the program at once.

--expect FILE names nodes that must be there, one a line, as NODE ("threadmap
help" says what that may be); a line that begins with # is a comment.`

type scanFlags struct {
	look
	lanFlags
	otbr, source, output namesFlag
	timeout              durationFlag
	via, expect          string
	quick                bool
}

func (a *app) scanCommand() *cobra.Command {
	f := &scanFlags{timeout: durationFlag(scanLimit)}
	c := &cobra.Command{
		Use:   "scan",
		Short: "ask every source, draw the mesh, save what was learnt",
		Long:  scanText,
		Example: `  threadmap scan
  threadmap scan --otbr http://otbr.local:8081
  threadmap scan -o mesh.svg -o nodes.csv
  threadmap scan --json --expect must-be-there.txt`,
		Args: atMost(0),
	}
	f.otbr.kind = "URL"
	c.Flags().Var(&f.otbr, "otbr", "ask this OpenThread border router, too, once; may be repeated")
	c.Flags().BoolVar(&f.quick, "quick", false, "only listen to mDNS, 5 s at most")
	f.lanFlags.add(c)
	outputFlag(c, &f.output)
	f.jsonFlag(c)
	sourceFlag(c, &f.source)
	c.Flags().Var(&f.timeout, "timeout", "end the scan after this time")
	c.Flags().StringVar(&f.via, "via", "", "`NAME` of the place that is scanned from, for maps that are merged later")
	c.Flags().StringVar(&f.expect, "expect", "", "`FILE` of nodes that must be there, else exit status 3")
	f.colorFlag(c)
	c.RunE = verb(func(c *cobra.Command, _ []string) error { return a.scan(c, f) })
	return c
}

func (a *app) scan(c *cobra.Command, f *scanFlags) error {
	ctx := c.Context()
	// All that can be wrong with the command line is said before anybody is asked.
	outs, err := outputs(c, f.output.names)
	if err != nil {
		return err
	}
	keys := keyring{}
	lan, srcs, err := f.whom(c, keys)
	if err != nil {
		return err
	}
	if len(f.via) > 100 || clean(f.via) != f.via {
		return usage(c, "--via: want up to 100 letters")
	}
	endpoints, err := namedEndpoints(c, f.otbr.names)
	if err != nil {
		return err
	}
	expected, err := a.readExpected(ctx, f.expect)
	if err != nil {
		return err
	}
	store, err := a.store()
	if err != nil {
		return err
	}
	logins, err := store.Logins()
	if err != nil {
		if errors.Is(err, state.ErrDamaged) {
			err = fmt.Errorf("%w: log in again, which keeps it aside", err)
		}
		if len(endpoints) == 0 && lan == nil {
			return err
		}
		a.warn(err) // the LAN and what was named on the command line can be asked all the same
		a.partial = true
	}
	for _, l := range logins {
		endpoints = append(endpoints, diag.Endpoint{Source: l.Source, URL: l.URL})
	}
	if err := keys.fill(store); err != nil && asksThread(srcs) {
		if errors.Is(err, state.ErrDamaged) {
			err = fmt.Errorf("%w: log in again, which keeps it aside", err)
		}
		a.warn(err)
		a.partial = true
	}
	plan := planned(srcs, endpoints)
	if lan == nil && len(plan(nil)) == 0 {
		return fail(`nothing to ask: name a border router with "threadmap login otbr URL", leave out --source to listen to the LAN, look at a simulated home with "threadmap demo", or draw a file with "threadmap render FILE"`)
	}

	scan, services := a.collect(ctx, job{lan: lan, plan: plan, limit: time.Duration(f.timeout), probe: f.via})
	left := keys.left(srcs, f.quick)
	if len(left) == 0 {
		keys.unheard(scan, services)
	}
	more := wouldAdd(scan, services, endpoints, keys)
	scan.Sources = slices.Concat(scan.Sources, skipped(endpoints, srcs, f.quick), left, more)
	a.partial = a.partial || !scan.Complete
	saved, saveErr := a.save(ctx, store, scan)
	doc := &render.Document{Map: topology.Build(scan.Reports), Scan: scan}
	o := a.options(f.look)
	tellWritten := a.writeOutputs(outs, doc, o)
	if err := a.show(doc, f.look, o); err != nil {
		return err
	}
	tellWritten()
	a.tellMore(more)
	if f.json {
		a.tellPartial(scan)
	}
	a.checkExpected(doc.Map, expected)
	if ctx.Err() != nil {
		a.hint("Stopped: this is what was known by then.")
	}
	switch {
	case saveErr != nil:
		return fmt.Errorf("the scan is not saved: %w", saveErr)
	case saved.File != "":
		a.hint("Saved as %s. Picture: threadmap render -o mesh.svg", localTime(saved.At))
	default:
		a.hint("Nothing was learnt, so nothing is saved.")
	}
	return nil
}

// whom says who is listened to and asked: lan is nil where nobody is listened to.
func (f *scanFlags) whom(c *cobra.Command, keys keyring) (*lan, []diag.Source, error) {
	listen, srcs, err := pickSources(c, f.source.names, keys)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case f.quick && (!listen || len(f.source.names) > 0 && !slices.Contains(f.source.names, dnssd.Name)):
		return nil, nil, usage(c, "--quick asks mDNS only, and --source leaves it out")
	case f.quick && len(f.otbr.names) > 0:
		return nil, nil, usage(c, "--quick asks mDNS only: leave out --otbr")
	case !listen && f.named():
		return nil, nil, usage(c, "--interface and --ask are for mDNS, and --source leaves it out")
	case !listen:
		return nil, srcs, nil
	case f.quick:
		srcs = nil
	}
	l, err := f.lan(c)
	if err != nil {
		return nil, nil, err
	}
	l.explicit = l.explicit || f.quick || len(f.source.names) > 0
	return l, srcs, nil
}

// save keeps a scan, also after Ctrl-C. One that learnt nothing would only hide
// the last that did, and is not kept.
func (a *app) save(ctx context.Context, store *state.Store, scan *diag.Scan) (state.SavedScan, error) {
	if len(scan.Reports) == 0 {
		return state.SavedScan{}, nil
	}
	return store.SaveScan(context.WithoutCancel(ctx), scan)
}

// tellPartial says on standard error what the map lacks, for those whose
// standard output goes to a program.
func (a *app) tellPartial(scan *diag.Scan) {
	for _, p := range scan.Problems {
		if p.Partial {
			a.warnOf(p)
		}
	}
}

// tellProblems says all problems, and notes what was asked for and not learnt.
func (a *app) tellProblems(problems []diag.Problem) {
	for _, p := range problems {
		a.warnOf(p)
		a.partial = a.partial || p.Partial
	}
}

func (a *app) warnOf(p diag.Problem) {
	line := p.Error()
	if p.Hint != "" {
		line += ": " + p.Hint
	}
	a.warn(errors.New(line))
}

// localTime is a time as people write it, without the zone: it is theirs.
func localTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

// skipped lists the places that are known and were not to be asked.
func skipped(endpoints []diag.Endpoint, asked []diag.Source, quick bool) (out []diag.SourceState) {
	for _, e := range endpoints {
		if slices.ContainsFunc(asked, func(s diag.Source) bool { return s.Name() == e.Source }) {
			continue
		}
		s := diag.SourceState{Name: e.Source, Via: e.URL, State: diag.StateSkipped, Hint: "left out by --source"}
		if quick {
			s.Hint = "left out by --quick"
		}
		if !slices.Contains(sourceNames(), e.Source) {
			s.Hint = "a newer threadmap logged in to it, this one does not know it"
		}
		out = append(out, s)
	}
	return out
}

// namesOf lists nodes for people.
func namesOf(nodes []*topology.Node) string {
	const most = 8
	var out []string
	for i, n := range nodes {
		if i == most {
			out = append(out, fmt.Sprintf("%d more", len(nodes)-most))
			break
		}
		if n.Name == "" || n.Name == n.ID {
			out = append(out, n.ID)
		} else {
			out = append(out, fmt.Sprintf("%s (%s)", n.Name, n.ID))
		}
	}
	return strings.Join(out, ", ")
}
