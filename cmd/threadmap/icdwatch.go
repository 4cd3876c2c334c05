package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"threadmap/diag"
	"threadmap/diag/icd"
	"threadmap/topology"
)

// How the watching of a device goes on.
const (
	drawEvery    = 300 * time.Millisecond // at most so often, however much is observed
	nameWait     = 10 * time.Second       // for a controller's name, before it is said that one without is meant
	lookEvery    = time.Second            // and at least so often
	partingFor   = 25 * time.Second       // for observers to end in order
	partingPause = time.Second            // of it, before it is said what is waited for
)

// leastWatch is how long a device is watched after a restart, unless it is back.
// Tests have less time.
var leastWatch = time.Minute

// An icdWatch is one device that is watched.
type icdWatch struct {
	*app
	f        *icdFlags
	home     *icdHome
	node     *topology.Node
	device   icd.Device
	lan      *lan
	start    time.Time   // of the timeline: before now where a scan of just now is on it
	began    icd.Seconds // when the watching began, on the timeline
	rec      *icd.Recorder
	show     *icdShow
	words    *icdNames // of the device, and what it announces
	chosen   string    // whose subscription it was said to be about
	unheard  bool      // nothing is known of the one that the user named
	restarts restarts
	tellMu   sync.Mutex // of lines that observers say
	lines    []string
	missing  map[string]string // observers that don't run, and what would let them
}

// icdNode watches a device.
func (a *app) icdNode(c *cobra.Command, f *icdFlags, query string) error {
	if err := timelineOutputs(c, f.output.names); err != nil {
		return err
	}
	if err := f.ticket.check(c, f.json); err != nil {
		return err
	}
	if query == "" {
		return usage(c, "the NODE is empty: name the device to watch")
	}
	if c.Flags().Changed("subscriber") && f.subscriber == "" {
		return usage(c, "--subscriber: the name is empty")
	}
	if err := checkRecord(c, f.record); err != nil {
		return err
	}
	for _, name := range f.observe.names {
		if name == "" {
			return usage(c, "--observe: the name is empty: want %s", list(observerNames(), "or"))
		}
		if !slices.Contains(observerNames(), name) {
			return usage(c, "--observe %s: there is only %s", clean(name), list(observerNames(), "and"))
		}
	}
	l, err := f.lan(c)
	if err != nil {
		return err
	}
	if err := l.there(); err != nil {
		return err
	}
	home, err := a.icdHome(c, f)
	if err != nil {
		return err
	}
	n, err := one(home.doc.Map, query)
	if err != nil {
		return err
	}
	w := &icdWatch{app: a, f: f, home: home, node: n, lan: l, device: icd.Device{Ext: n.ExtAddr, Matter: n.Matter}}
	if w.device.Name() == "" {
		return fail("%s has neither an extended address nor a Matter node id, so nothing that is heard can be told to be of it: scan again when it is announced", clean(n.ID))
	}
	if !f.json && !f.ticket.on {
		if err := a.print(w.writeKnown); err != nil {
			return err
		}
	}
	if !isSleepy(n) {
		a.hint("It is not known to be a device that sleeps.")
	}
	return w.watch(c)
}

// say takes a line of an observer, to be printed between the observations.
func (w *icdWatch) say(format string, args ...any) {
	w.tellMu.Lock()
	defer w.tellMu.Unlock()
	if line := clean(fmt.Sprintf(format, args...)); len(w.lines) < maxNotices && !slices.Contains(w.lines, line) {
		w.lines = append(w.lines, line)
	}
}

// tellLines prints what observers said.
func (w *icdWatch) tellLines() {
	w.tellMu.Lock()
	lines := w.lines
	w.lines = nil
	w.tellMu.Unlock()
	for _, l := range lines {
		w.show.tell("%s", l)
	}
}

// observe is what observers report to.
func (w *icdWatch) observe(at time.Time, o icd.Observation) {
	w.rec.Observe(at, o)
	w.show.take(at, o)
}

// watch runs the observers until nothing is awaited any more, and concludes.
func (w *icdWatch) watch(c *cobra.Command) error {
	file, err := openRecord(w.f.record)
	if err != nil {
		return err
	}
	var record io.Writer
	if file != nil {
		defer file.Close()
		record = file
	}
	now := time.Now()
	w.start = now
	seeds := w.seeds(now)
	w.began = icd.Seconds(now.Sub(w.start))
	if w.rec, err = icd.NewRecorder(w.device.Name(), w.start, record); err != nil {
		return fail("--record: %w", err)
	}
	w.show = newICDShow(w.err, w.getenv("TERM"))
	w.words = w.names()
	w.show.say = w.words.say
	icd.Observe(w.rec.Observe).Tell(seeds)

	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	keys := make(chan byte, 8)
	restore, typed := func() {}, false
	if w.show.columns > 0 {
		var put func()
		if put, typed = readKeys(ctx, w.in, func(b byte) {
			select {
			case keys <- b:
			default: // somebody holds a key down
			}
		}); typed {
			restore = sync.OnceFunc(put)
			w.show.newline = "\r\n"
			w.show.keys = "keys: r restarted it now, p a press worked, n a press did nothing, c its controller has lost it, q enough"
		}
	}
	defer restore()

	limit := time.Duration(w.f.limit)
	if !c.Flags().Changed("for") && !typed && !w.f.wait {
		limit = icdGlance
	}
	end := now.Add(limit)
	running := w.begin(ctx)
	w.instruct(typed, end)
	interrupted, loopErr := w.loop(ctx, keys, end, running)
	w.show.end()
	restore()
	w.show.newline = "\n"
	cancel()
	if w.leftOn() != nil && len(running.wait(partingPause)) > 0 {
		w.show.tell("Taking threadmap's own subscription out of the device again.")
	}
	if left := running.wait(partingFor); len(left) > 0 {
		w.warn(fmt.Errorf("%s did not end in time", list(left, "and")))
	}
	w.tellLines()
	if loopErr != nil {
		return loopErr
	}
	return w.conclude(c, interrupted)
}

// seeds are what a scan of just now told, at the times at which it was told. What
// is older may have become wrong. The timeline starts with the first of them.
func (w *icdWatch) seeds(now time.Time) []icd.Dated {
	if now.Sub(w.home.scan.To) > sameMachine || w.home.scan.To.After(now) {
		return nil
	}
	all := icd.FromScan(w.home.scan, w.device)
	if len(all) > 0 {
		if since := now.Sub(all[0].At); since > 0 && since < 2*sameMachine {
			w.start = now.Add(-since)
		}
	}
	return all
}

// instruct says what to do now.
func (w *icdWatch) instruct(typed bool, end time.Time) {
	switch {
	case typed:
		w.show.tell("Now take its battery out for 10 s and put it in again, and type r as you do. When it is up, press its button, and type p when that worked, n when nothing happened.")
		for _, s := range w.wakes() {
			w.show.tell("To wake it: %s.", s)
		}
	case w.f.wait:
		w.show.tell("Waiting for it to restart, until %s (%s).", clockOrDay(end, w.start), zone(end))
	default:
		w.show.tell("Looking until %s (%s). --wait waits for a restart; on a terminal you are asked for one.", clockOrDay(end, w.start), zone(end))
	}
}

// loop shows and judges until nothing is awaited, the time is over, or somebody
// has had enough.
func (w *icdWatch) loop(ctx context.Context, keys <-chan byte, end time.Time, running *observers) (interrupted bool, err error) {
	over := time.NewTimer(time.Until(end))
	defer over.Stop()
	for {
		changed := w.rec.Changed()
		if ctx.Err() != nil { // the observers end with it, which is no news
			return true, nil
		}
		t, v, err := w.judge()
		if err != nil {
			return false, err
		}
		w.tellLines()
		w.words.learn(t)
		w.tellChosen(t, v)
		w.show.draw(t, v, time.Now())
		if at, ok := t.Restarted(v.At); ok {
			w.restarts.tell(at)
		}
		if w.settled(t, v) {
			w.show.tell("Nothing is awaited any more.")
			return false, nil
		}
		if running.allOver() && w.show.keys == "" { // a person may still see something
			if ctx.Err() != nil { // which ended them while this was judged
				return true, nil
			}
			w.show.tell("Nothing is left that could be observed.")
			return false, nil
		}
		tick := time.NewTimer(lookEvery)
		select {
		case <-ctx.Done():
			tick.Stop()
			return true, nil
		case <-over.C:
			tick.Stop()
			return false, nil
		case k := <-keys:
			tick.Stop()
			if stop, broke := w.key(k); stop {
				return broke, nil
			}
		case <-changed:
			tick.Stop()
			pause := time.NewTimer(drawEvery)
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
			}
		case <-tick.C:
		}
	}
}

// judge evaluates what is known now.
func (w *icdWatch) judge() (*icd.Timeline, *icd.Verdict, error) {
	t := w.rec.Timeline()
	at := icd.Seconds(time.Since(w.start))
	v, err := icd.Evaluate(t, at, w.f.subscriber)
	w.unheard = false
	if err != nil && w.f.subscriber != "" { // nothing was heard of it yet
		w.unheard = true
		v, err = icd.Evaluate(t, at, "")
	}
	return t, v, err
}

// settled reports whether more time would tell more: not where the device is back,
// nor where a restart was seen and all that was awaited after it is past.
func (w *icdWatch) settled(t *icd.Timeline, v *icd.Verdict) bool {
	at, restarted := t.Restarted(v.At)
	switch {
	case !restarted || at < w.began: // or before somebody watched
		return false
	case v.Healthy != nil && *v.Healthy:
		return true
	}
	return v.At-at > icd.Seconds(leastWatch) && len(v.Await) == 0
}

// key is what somebody typed: what they see and do.
func (w *icdWatch) key(k byte) (stop, interrupted bool) {
	see := func(event string, what any) {
		w.observe(time.Now(), icd.Observation{By: icd.ByUser, Event: event, What: what})
	}
	switch k {
	case 'r', 'R':
		see("reboot", &icd.Reboot{})
	case 'p', 'P':
		see("press", &icd.Press{Works: new(true), Controller: w.f.subscriber})
	case 'n', 'N':
		see("press", &icd.Press{Works: new(false), Controller: w.f.subscriber})
	case 'c', 'C':
		see("complaint", &icd.Complaint{Text: "the controller has lost it", Controller: w.f.subscriber})
	case 'q', 'Q':
		return true, false
	case 3: // Ctrl-C, which a raw terminal gives as a key
		return true, true
	}
	return false, false
}

// conclude prints the verdict, and writes what was asked for.
func (w *icdWatch) conclude(c *cobra.Command, interrupted bool) error {
	t, v, err := w.judge()
	if err != nil {
		return err
	}
	if err := w.rec.Err(); err != nil {
		w.warn(err)
		w.failed = true
	}
	if !w.f.ticket.on {
		w.writeTimelines(w.f.output.names, t, v, w.name())
	}
	switch {
	case w.f.ticket.on:
		err = w.printTicket(c, &w.f.ticket, w.f.output.names, t, w.f.subscriber, v.At, w.subject())
	case w.f.json:
		err = w.printJSON(v)
	default:
		err = w.print(func(out io.Writer) error { return w.writeVerdict(out, t, v) })
	}
	if err != nil {
		return err
	}
	if w.unheard {
		w.hint("Nothing was heard of the %q of --subscriber, so this is about another.", clean(w.f.subscriber))
	}
	if left := w.leftOn(); left != nil {
		w.hint("Something of threadmap's is left on the device (%s). It is remembered; when the device is up and awake: threadmap icd cleanup", plain(left))
	}
	if w.f.record != "" {
		w.hint("Recorded in %s: threadmap icd replay %s", clean(w.f.record), clean(w.f.record))
	}
	if interrupted {
		if c.Context().Err() == nil { // a key, not a signal
			return &failure{exitInterrupted, errors.New("stopped: this is what was known by then")}
		}
		w.hint("Stopped: this is what was known by then.")
	}
	return nil
}

// names are those of the device and its controllers.
func (w *icdWatch) names() *icdNames {
	s := surroundings(w.home.doc.Map, w.home.scan)
	s.own = w.home.ownFabric()
	d := s.sleeper(w.node)
	return icdNamesOf(w.home, &d)
}

// writeVerdict tells the verdict, and what could be seen in addition.
func (w *icdWatch) writeVerdict(out io.Writer, t *icd.Timeline, v *icd.Verdict) error {
	if err := writeVerdictToday(out, t, v, w.names().learn(t)); err != nil {
		return err
	}
	w.tellMu.Lock()
	defer w.tellMu.Unlock()
	for _, r := range rungs {
		if hint := w.missing[r.observer]; hint != "" {
			_, err := fmt.Fprintf(out, "More could be seen: %s: %s\n", r.more, clean(hint))
			return err
		}
	}
	return nil
}

// leftOn says why something of threadmap's is, or may be, on the device; nil where
// nothing is.
func (w *icdWatch) leftOn() error {
	node, ok := matterID(w.node, w.home.ownFabric())
	if !ok || w.home.store == nil {
		return nil
	}
	s, err := canaryStates{w.home.store}.read(w.home.ownFabric(), node)
	switch {
	case err != nil:
		return err
	case s.Empty():
		return nil
	}
	return errors.New(cmp.Or(s.Pending, "it was not reached in time"))
}

// name is what the device is called.
func (w *icdWatch) name() string { return cmp.Or(w.node.Name, w.node.ID) }

// wakes say how a person wakes the device.
func (w *icdWatch) wakes() []string {
	x, _ := w.node.ICD.Get()
	return icd.WakeBy(x.UserActiveModeTriggerHint.Or(0), x.UserActiveModeTriggerInstruction)
}

// matterID is the device's node id on a fabric.
func matterID(n *topology.Node, fabric uint64) (uint64, bool) {
	i := slices.IndexFunc(n.Matter, func(m diag.MatterID) bool { return m.Fabric == fabric })
	if i < 0 || fabric == 0 {
		return 0, false
	}
	return n.Matter[i].Node, true
}
