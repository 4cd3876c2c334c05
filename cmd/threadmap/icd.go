package main

import (
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/render"
)

const icdText = `Why a sleepy device does not come back after a reboot: which link of the chain from
its battery to its controller is broken, who has to mend it, what is still awaited,
and what would settle what is open.

Without NODE all sleepy devices of the last saved scan are listed, the worst first:
how they sleep, their parent and how it hears them, when, the controllers that they
belong to, and how they do. With NODE that device is watched through a restart: all
that can be heard, asked or touched without harm is put on one timeline, and in the
end the first broken link is named. --from FILE looks at another scan, --fresh makes
one first; where none is saved, one is made.

While it watches, it listens to mDNS and router advertisements, pings a device that
does not sleep for long, and, where there is a credential of its Thread network,
asks its parent. Home Assistant is listened to where there is a login to it. Where
the device is on threadmap's own fabric ("threadmap pair"), threadmap subscribes to
it and sees whether it comes back by itself; it takes that out again in the end.
Nothing of this wakes the device. --observe NAME leaves out all but some of it.

On a terminal it asks you to restart the device; the keys r (I restarted it now), p
(a press worked), n (a press did nothing), c (its controller has lost it) and q
(enough) put what you see on the timeline. Without a terminal it looks for a minute;
--wait makes it wait for a restart, --for TIME says how long. It ends when nothing
is awaited any more. Ctrl-C ends it before, with what is known.

It is about the subscription of one controller, and says of which: the one that a
press or a complaint names, else Home Assistant where that is listened to, else one
that is known by name, else threadmap's own ("canary"), and one of which only digits
are known last. --subscriber NAME chooses another.

--record FILE keeps all that was observed, for "icd replay". -o FILE.svg draws it.
--ticket prints facts for the maker's support, in UTC and with pseudonyms.

--consent allows threadmap to register as a client where it subscribes. That changes
how a device of long idle time sleeps, for all its controllers: it may then be silent
for hours. Without it nothing is registered, unless others are registered anyway.

What a subscription leaves on a device when threadmap is killed is remembered;
"icd cleanup" takes it out.`

// icdLimit is how long a device is watched; icdGlance where there is nobody to
// restart it and no restart is waited for.
const (
	icdLimit  = 30 * time.Minute
	icdGlance = time.Minute
)

type icdFlags struct {
	look
	lanFlags
	otbr, from, observe, output namesFlag
	called                      aliasFlag
	fresh, wait, consent        bool
	record, subscriber          string
	limit                       durationFlag
	ticket                      ticketFlags
}

func (a *app) icdCommand() *cobra.Command {
	f := &icdFlags{limit: durationFlag(icdLimit)}
	c := &cobra.Command{
		Use: "icd [NODE]", Short: "why a sleepy device does not come back", Long: icdText,
		Example: `  threadmap icd
  threadmap icd "hall button" --record button.jsonl
  threadmap icd 86c4 --wait --for 2h -o button.svg
  threadmap icd replay button.jsonl --ticket`,
		Args: atMost(1),
	}
	f.from.kind, f.otbr.kind = "FILE", "URL"
	c.Flags().Var(&f.from, "from", "look at this scan instead of the last saved one; may be repeated")
	c.Flags().BoolVar(&f.fresh, "fresh", false, "scan first")
	c.Flags().Var(&f.otbr, "otbr", "with --fresh: ask this OpenThread border router, too; may be repeated")
	f.lanFlags.add(c)
	f.called.add(c)
	f.jsonFlag(c)
	c.Flags().StringVar(&f.record, "record", "", "write all that is observed to this new `FILE`")
	c.Flags().Var(&f.limit, "for", "watch no longer than this; default 30m, or 1m where nobody is there to restart the device")
	c.Flags().BoolVar(&f.wait, "wait", false, "don't ask for a restart: wait until one is heard")
	c.Flags().BoolVar(&f.consent, "consent", false, "allow to register as a client, which changes how the device sleeps")
	c.Flags().StringVar(&f.subscriber, "subscriber", "", "about this controller's subscription (`NAME`)")
	f.observe.kind = "NAME"
	c.Flags().Var(&f.observe, "observe", "use only this observer ("+list(observerNames(), "or")+"); may be repeated")
	c.RegisterFlagCompletionFunc("observe", cobra.FixedCompletions(observerNames(), cobra.ShellCompDirectiveNoFileComp))
	timelineOutputFlag(c, &f.output)
	f.ticket.add(c)
	c.RunE = verb(func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return a.icdList(c, f)
		}
		return a.icdNode(c, f, args[0])
	})
	c.AddCommand(a.icdReplayCommand(), a.icdCleanupCommand())
	return c
}

// ofWatch are the flags that only the watching of a device heeds.
var ofWatch = []string{"record", "for", "wait", "consent", "subscriber", "observe", "output", "ticket", "no-redact"}

// icdList lists the sleepy devices of a scan.
func (a *app) icdList(c *cobra.Command, f *icdFlags) error {
	if i := slices.IndexFunc(ofWatch, c.Flags().Changed); i >= 0 {
		return usage(c, "--%s needs a NODE to watch", ofWatch[i])
	}
	home, err := a.icdHome(c, f)
	if err != nil {
		return err
	}
	doc := sleepers(home.doc.Map, home.scan, home.ownFabric())
	if f.json {
		return a.printJSON(doc)
	}
	if err := a.print(func(w io.Writer) error { return doc.writeText(w, home.scan.To) }); err != nil {
		return err
	}
	if len(doc.Devices) > 0 {
		a.hint("Watch one through a restart: threadmap icd NODE")
	}
	return nil
}

// icdHome finds the scan that is looked at: that of --from, a fresh one, or the
// last saved one; where there is none, it makes one.
func (a *app) icdHome(c *cobra.Command, f *icdFlags) (*icdHome, error) {
	called, err := f.called.read(c, a)
	if err != nil {
		return nil, err
	}
	if f.fresh && len(f.from.names) > 0 {
		return nil, usage(c, "--fresh makes a scan, --from reads one: leave one of them out")
	}
	if !f.fresh && len(f.otbr.names) > 0 {
		return nil, usage(c, "--otbr is for --fresh")
	}
	h := &icdHome{}
	if h.store, err = a.store(); err == nil {
		h.fabric, err = openFabric(h.store)
		if err != nil {
			a.warn(err)
		}
	}
	switch fresh := f.fresh || len(f.from.names) == 0 && h.store != nil && !hasScan(h.store); {
	case fresh:
		if h.scan, err = a.freshScan(c, f); err != nil {
			return nil, err
		}
	default:
		if h.scan, _, err = a.load(c, f.from.names); err != nil {
			return nil, err
		}
	}
	h.doc = a.document(h.scan, called)
	return h, nil
}

// freshScan makes and saves a scan as "threadmap scan" does.
func (a *app) freshScan(c *cobra.Command, f *icdFlags) (*diag.Scan, error) {
	s := newScanFlags()
	s.lanFlags, s.otbr = f.lanFlags, f.otbr
	q, err := s.questions(c)
	if err != nil {
		return nil, err
	}
	l, err := a.learn(c, s, q)
	if err != nil {
		return nil, err
	}
	a.tellPartial(l.scan)
	if l.saveErr != nil {
		a.warn(l.saveErr)
	}
	return l.scan, nil
}

func hasScan(s *state.Store) bool {
	have, err := s.Scans()
	return err != nil || len(have) > 0
}

// An icdHome is what is known before a device is watched.
type icdHome struct {
	store  *state.Store // nil: there is no folder for it
	fabric *ownFabric   // nil: it can't be read
	scan   *diag.Scan
	doc    *render.Document
}

// ownFabric is the compressed id of threadmap's own fabric, 0: there is none.
func (h *icdHome) ownFabric() uint64 {
	if h.fabric == nil || h.fabric.authority == nil {
		return 0
	}
	return h.fabric.id()
}
