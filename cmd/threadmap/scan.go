package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/dnssd"
	"threadmap/diag/homeassistant"
	"threadmap/diag/matter"
	"threadmap/diag/matterserver"
	"threadmap/diag/tmf"
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
as nobody else is its commissioner, and gets that role back at the end. Devices
of "threadmap login matter" are asked, too, a few at a time. Each scan is saved
(the last 200); "threadmap render" draws it again, in other forms, without asking
anybody.

The Home Assistant of "threadmap login ha" tells names and rooms and what it has of
Matter nodes; its Matter server, be it named or found behind it, reads those that
are awake anew, four at a time. Where its token is an administrator's, the
credentials that it has of Thread networks open their border agents for this scan;
--save-credential keeps them.

Names of your own go before all others: --names FILE, or names.yaml beside the
logins, has lines such as "86c42aee25485123: Hall button".

--agent names the border agent to enter by: a part of its name, or, where mDNS
does not reach, HOST:PORT; with /NETWORK behind it where there are credentials of
several networks. Its port may be another after each restart.

--code enters with the one-time code that a border router shows, which is asked
for, read from --code-file, or taken from $` + codeEnv + `. It is good
for one session, so it is used at once, once, and never kept. Of several border
routers that wait for one, --agent says which.

--ask-sleepy asks devices that sleep, too, what only they can tell, their battery
above all. Each answer costs it some of that battery, and takes until it wakes:
for some that is minutes, which are not waited for. All that their parents know
of them is in every scan.

A source that was to be asked and did not answer makes the map partial: what is
known is drawn all the same, and the exit status is 3. After Ctrl-C, too, what
is known is drawn and saved; a second Ctrl-C ends the program at once.

--expect FILE names nodes that must be there, one a line, as NODE ("threadmap
help" says what that may be); a line that begins with # is a comment.`

type scanFlags struct {
	look
	lanFlags
	doorFlags
	otbr, source, output namesFlag
	timeout              durationFlag
	via, expect          string
	called               aliasFlag
	layout               layoutFlag
	quick, askSleepy     bool
	saveCredential       bool
}

func newScanFlags() *scanFlags {
	return &scanFlags{timeout: durationFlag(scanLimit), look: look{color: "auto"}}
}

func (a *app) scanCommand() *cobra.Command {
	f := newScanFlags()
	c := &cobra.Command{
		Use:   "scan",
		Short: "ask every source, draw the mesh, save what was learnt",
		Long:  scanText,
		Example: `  threadmap scan
  threadmap scan --otbr http://otbr.local:8081
  threadmap scan --agent "[fd00::1]:49154"
  threadmap scan --code --agent "Living Room"
  threadmap scan -o mesh.svg -o nodes.csv
  threadmap scan --json --expect must-be-there.txt`,
		Args: noSecret,
	}
	f.otbr.kind = "URL"
	c.Flags().Var(&f.otbr, "otbr", "ask this OpenThread border router, too, once; may be repeated")
	c.Flags().BoolVar(&f.quick, "quick", false, "only listen to mDNS, 5 s at most")
	f.doorFlags.add(c)
	c.Flags().BoolVar(&f.askSleepy, "ask-sleepy", false, "ask sleeping devices, too; costs each some battery")
	c.Flags().BoolVar(&f.saveCredential, "save-credential", false, "keep the credentials of Thread networks that Home Assistant gives for this scan")
	f.lanFlags.add(c)
	outputFlag(c, &f.output)
	f.layout.add(c)
	f.called.add(c)
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
	if err == nil {
		err = writable(c, outs)
	}
	if err != nil {
		return err
	}
	if err := f.layout.over(c, a, outs); err != nil {
		return err
	}
	q, err := f.questions(c)
	if err != nil {
		return err
	}
	expected, err := a.readExpected(ctx, f.expect)
	if err != nil {
		return err
	}
	called, err := f.called.read(c, a)
	if err != nil {
		return err
	}
	l, err := a.learn(c, f, q)
	if err != nil {
		return err
	}
	doc := a.document(l.scan, called)
	a.earlier(outs, doc, called)
	o := a.options(f.look)
	tellWritten := a.writeOutputs(outs, doc, o)
	if err := a.show(doc, f.look, o); err != nil {
		return err
	}
	tellWritten()
	a.tellMore(l.more)
	if f.saveCredential {
		a.saveLent(ctx, l.store, l.lent, l.own)
	}
	if f.json {
		a.tellPartial(l.scan)
	}
	a.checkExpected(doc.Map, expected)
	if ctx.Err() != nil {
		a.hint("Stopped: this is what was known by then.")
	}
	switch {
	case l.saveErr != nil:
		return fmt.Errorf("the scan is not saved: %w", l.saveErr)
	case l.saved.File != "":
		a.hint("Saved as %s. Picture: threadmap render -o mesh.svg", localTime(l.saved.At))
	default:
		a.hint("Nothing was learnt, so nothing is saved.")
	}
	return nil
}

// questions are whom a scan listens to and asks, as the command line says.
type questions struct {
	keys      keyring
	lan       *lan // nil: nobody is listened to
	srcs      []diag.Source
	endpoints []diag.Endpoint
}

func (f *scanFlags) questions(c *cobra.Command) (q questions, err error) {
	q.keys = keyring{}
	if q.lan, q.srcs, err = f.whom(c, q.keys); err != nil {
		return q, err
	}
	if len(f.via) > 100 || clean(f.via) != f.via {
		return q, usage(c, "--via: want up to 100 letters")
	}
	q.endpoints, err = namedEndpoints(c, f.otbr.names)
	return q, err
}

// learnt is what a scan gave.
type learnt struct {
	scan      *diag.Scan
	more      []diag.SourceState // what one more login would add
	lent, own keyring            // credentials that Home Assistant gave, and the user's own
	store     *state.Store
	saved     state.SavedScan // File is "" where nothing was learnt
	saveErr   error
}

// learn asks the questions of a scan, all that is logged in to included, and keeps
// what is learnt.
func (a *app) learn(c *cobra.Command, f *scanFlags, q questions) (*learnt, error) {
	ctx, keys, lan, srcs, endpoints := c.Context(), q.keys, q.lan, q.srcs, q.endpoints
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	logins, err := store.Logins()
	if err != nil {
		if errors.Is(err, state.ErrDamaged) {
			err = fmt.Errorf("%w: log in again, which keeps it aside", err)
		}
		if len(endpoints) == 0 && lan == nil {
			return nil, err
		}
		a.warn(err) // the LAN and what was named on the command line can be asked all the same
		a.partial = true
	}
	for _, l := range logins {
		endpoints = append(endpoints, diag.Endpoint{Source: l.Source, URL: l.URL})
	}
	if err := keys.fill(store); err != nil && (asksThread(srcs) || asks(srcs, homeassistant.Name)) {
		if errors.Is(err, state.ErrDamaged) {
			err = fmt.Errorf("%w: log in again, which keeps it aside", err)
		}
		a.warn(err)
		a.partial = true
	}
	door, named, err := f.doorFlags.open(c, a, keys)
	if err != nil {
		return nil, err
	}
	endpoints = withoutNetworks(endpoints, named)
	endpoints = append(endpoints, named...)
	homes, _ := a.homes(store) // what is wrong with the file is said
	srcs = homes.in(withThread(srcs, func(t *tmf.Source) { t.AskSleepy, t.Note = f.askSleepy, a.notes.tell }), f.askSleepy)
	fabric, srcs := a.fabricIn(store, srcs, lan, f.askSleepy)
	own := maps.Clone(keys)
	st := homes.stage(srcs, endpoints, keys, door.plan)
	if lan == nil && st.first == nil && len(st.plan(nil)) == 0 {
		return nil, fail(`nothing to ask: name a border router with "threadmap login otbr URL", leave out --source to listen to the LAN, look at a simulated home with "threadmap demo", or draw a file with "threadmap render FILE"`)
	}

	scan, services := a.collect(ctx, job{lan: lan, first: st.first, plan: st.plan, limit: time.Duration(f.timeout), probe: f.via})
	if err := fabric.keep(ctx, store); err != nil {
		a.warn(err)
	}
	fabric.called(scan)
	left := own.left(srcs, f.quick)
	if len(left) == 0 {
		own.unheard(scan, services, lan != nil, endpoints)
	}
	more := append(wouldAdd(scan, services, endpoints, keys), wouldName(services, endpoints)...)
	scan.Sources = slices.Concat(scan.Sources, skipped(endpoints, srcs, f.quick), left, fabric.left(srcs, f.quick), more)
	a.partial = a.partial || !scan.Complete
	l := &learnt{scan: scan, more: more, lent: st.said.lent, own: own, store: store}
	l.saved, l.saveErr = a.save(ctx, store, scan)
	return l, nil
}

// whom says who is listened to and asked: lan is nil where nobody is listened to.
func (f *scanFlags) whom(c *cobra.Command, keys keyring) (*lan, []diag.Source, error) {
	listen, srcs, err := pickSources(c, f.source.names, keys, f.addressed() && !f.named())
	if err != nil {
		return nil, nil, err
	}
	switch border := f.given() || f.askSleepy; {
	case border && f.quick:
		return nil, nil, usage(c, "--quick asks mDNS only: leave out --agent, --code and --ask-sleepy")
	case f.given() && !asksThread(srcs):
		return nil, nil, usage(c, "--agent and --code are for border agents, and --source leaves them out")
	case f.askSleepy && !asksThread(srcs) && !asks(srcs, matterserver.Name) && !asks(srcs, matter.Name):
		return nil, nil, usage(c, "--ask-sleepy is for border agents, Matter devices and Matter servers, and --source leaves them out")
	case f.saveCredential && (f.quick || !asksThread(srcs) || !asks(srcs, homeassistant.Name)):
		return nil, nil, usage(c, "--save-credential is for what Home Assistant gives to ask border agents with, and --quick or --source leaves one of them out")
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
	l.explicit = l.explicit || f.quick || slices.Contains(f.source.names, dnssd.Name)
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

func (a *app) warnOf(p diag.Problem) { a.warn(errors.New(lineOf(p))) }

// lineOf is a problem with what to do.
func lineOf(p diag.Problem) string {
	line := p.Error()
	if p.Hint != "" {
		line += ": " + p.Hint
	}
	return line
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
