package canary

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/matter/client"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
)

// How long the canary waits.
const (
	// settle is how long a device that restarted gets to come back by itself,
	// besides the largest MinInterval: attaching, registering its name, looking us
	// up for up to 45 s, a handshake.
	settle    = 135 * time.Second
	leastWait = 150 * time.Second

	resolveTime = 30 * time.Second
	// attemptTime bounds everything that one session of our own is opened for.
	attemptTime    = 3 * time.Minute
	defaultCleanUp = 20 * time.Second
)

// sameRestart is how long after a device came back others may tell that it
// restarted.
const sameRestart = 20 * time.Second

// retries are the waits after sessions of our own that failed; the last one
// repeats.
var retries = []time.Duration{2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}

// never is a time that is not reached.
const never = 100 * 365 * 24 * time.Hour

// A modeOf is how the device sleeps, as far as is known.
type modeOf uint8

const (
	modeUnknown modeOf = iota
	modeShortIdle
	modeLongIdle
)

// A watcher is one canary.
type watcher struct {
	c         Config
	ctx       context.Context // of what runs besides; ends after the clean-up
	cancel    context.CancelFunc
	running   sync.WaitGroup
	ep        *transport.Endpoint
	responder *session.Responder
	subs      client.Subscriptions
	poke      chan struct{} // holds a token when something has changed
	meter     meter
	strangers limiter
	seen      events

	keeping sync.Mutex

	mu       sync.Mutex
	leaving  bool            // everything is refused from now on
	current  *session.Secure // the newest session, either side's
	older    []*session.Secure
	doubted  *session.Secure // the device has perhaps forgotten it: it restarted, or is silent
	came     *session.Secure // the device's, nothing was reported in it yet
	record   sigma.Record
	state    State
	held     []*held // the newest last
	reg      *registration
	mode     modeOf
	setUp    bool      // the first reading and subscription are done
	heardAt  time.Time // when it was last heard: it is awake then
	hinted   time.Time // when a Check-In message came that nobody could open
	backAt   time.Time // when it last resumed a subscription in a session of its own
	due      time.Time
	failures int
	fatal    error
}

// A held subscription is one whose reports are taken.
type held struct {
	sub     *client.Subscription
	id      uint32
	silence time.Duration // after which it is lost
	heard   time.Time
	lost    bool
}

// Watch is the canary on one device. It ends with ctx, without an error, or
// with an error where it can't go on: the device does not know our fabric (any
// more), or the socket is of no use. A device that is silent or asleep is no
// error but what it is here for. Before Watch returns it takes itself out of the
// device, see [Config.CleanUp]; what it could not take out is in the State that
// Keep was last given.
func Watch(ctx context.Context, c Config) error {
	w, err := newWatcher(c)
	if err != nil {
		return err
	}
	defer w.leave() // whatever happens in between
	if err := w.adopt(); err != nil {
		return err
	}
	return w.run(ctx)
}

func newWatcher(c Config) (*watcher, error) {
	if c.Socket == nil {
		return nil, errors.New("canary: it needs a socket")
	}
	if err := c.check(); err != nil {
		c.Socket.Close()
		return nil, err
	}
	if c.CleanUp <= 0 {
		c.CleanUp = defaultCleanUp
	}
	w := &watcher{c: c, poke: make(chan struct{}, 1), record: c.Record, state: c.State.clone()}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.subs.Own = c.Own
	w.responder = &session.Responder{
		Identities: func() []sigma.Identity { return []sigma.Identity{{Member: c.Member}} },
		Record:     w.recordOf, Own: c.Own, Margin: c.Margin, Now: c.now,
	}
	w.ep = transport.New(c.Socket, transport.Options{Accept: w.accept})
	return w, nil
}

func (w *watcher) recordOf(id [16]byte) (sigma.Record, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.record, !w.record.IsZero() && w.record.ID() == id
}

// adopt takes in what an earlier run had.
func (w *watcher) adopt() error {
	for _, h := range w.state.Subscriptions {
		if err := w.hold(h.ID, time.Duration(h.Max)*time.Second, nil); err != nil {
			return err
		}
	}
	return nil
}

// hold takes reports of a subscription from now on, for as long as the canary
// runs: a device that was away for hours may go on with it.
func (w *watcher) hold(id uint32, longest time.Duration, before *client.Subscription) error {
	sub, err := w.subs.Adopt(w.c.Member.CompressedID(), w.c.Node, id)
	if err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	own := w.c.Own.WithDefaults()
	h := &held{sub: sub, id: id, heard: time.Now(), silence: longest + message.GivesUpAfter(max(own.Idle, own.Active)+slowWay) + processing}
	w.mu.Lock()
	for len(w.held) >= maxHeld { // of a device that never resumes: the oldest are refused
		w.held[0].sub.Close()
		w.held = w.held[1:]
	}
	w.held = append(w.held, h)
	w.mu.Unlock()
	w.running.Go(func() {
		if before != nil { // what came before it was handed over
			for r, err := before.Next(w.ctx); err == nil; r, err = before.Next(w.ctx) {
				w.reported(h, r)
			}
		}
		for r, err := sub.Next(w.ctx); err == nil; r, err = sub.Next(w.ctx) {
			w.reported(h, r)
		}
	})
	return nil
}

// What a report may be late: devices on a mesh add something to our intervals,
// and both sides take their time.
const (
	slowWay    = 1500 * time.Millisecond
	processing = 2 * time.Second
)

// wake lets run look at what has changed.
func (w *watcher) wake() {
	select {
	case w.poke <- struct{}{}:
	default:
	}
}

func (w *watcher) see(at time.Time, event string, what any) {
	w.c.Observe.See(at, icd.ByCanary, event, what)
}

func (w *watcher) run(ctx context.Context) error {
	w.mu.Lock()
	w.due = time.Now() // to be set up
	w.mu.Unlock()
	restarted := w.c.Restarted
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-restarted:
			if !ok {
				restarted = nil
				continue
			}
			w.heardRestart()
		case <-w.poke:
		case <-timer.C:
		}
		w.meter.note(time.Now(), w.ep.Stats().Sent)
		w.silent(time.Now())
		if err := w.act(ctx); err != nil {
			return err
		}
		timer.Reset(w.next(time.Now()))
	}
}

// next is how long nothing has to be done.
func (w *watcher) next(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := never
	if !w.due.IsZero() {
		d = min(d, w.due.Sub(now))
	}
	if h := w.newest(); h != nil && !h.lost {
		d = min(d, h.heard.Add(h.silence).Sub(now))
	}
	return max(d, time.Millisecond)
}

func (w *watcher) newest() *held {
	if len(w.held) == 0 {
		return nil
	}
	return w.held[len(w.held)-1]
}

// heardRestart: others heard the device come back.
func (w *watcher) heardRestart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = 0
	if time.Since(w.backAt) < sameRestart {
		return // that was it
	}
	if !w.setUp && len(w.held) == 0 { // there is nothing that it could resume, and now it is awake
		w.due, w.heardAt = time.Now(), time.Now()
		return
	}
	w.due, w.doubted = time.Time{}, w.current // after the last of several restarts
	w.suspect()
}

// suspect plans the one session of our own, after the device had its time. The
// lock is held.
func (w *watcher) suspect() {
	wait := w.c.Patience
	if wait <= 0 {
		wait = max(leastWait, w.c.MinInterval+settle)
	}
	if at := time.Now().Add(wait); w.due.IsZero() || w.due.After(at) {
		w.due = at
	}
}

// silent notes that the subscription's time is over.
func (w *watcher) silent(now time.Time) {
	w.mu.Lock()
	h := w.newest()
	if h == nil || h.lost || now.Before(h.heard.Add(h.silence)) {
		w.mu.Unlock()
		return
	}
	h.lost, w.doubted = true, w.current
	w.suspect()
	w.mu.Unlock()
	w.see(now, "lost", &icd.Lost{Reason: fmt.Sprintf("no report of subscription %d for %v", h.id, now.Sub(h.heard).Round(time.Second))})
}

// act opens the session of our own when its time has come.
func (w *watcher) act(ctx context.Context) error {
	now := time.Now()
	w.mu.Lock()
	if w.fatal != nil || w.due.IsZero() || now.Before(w.due) {
		defer w.mu.Unlock()
		return w.fatal
	}
	if wait := w.meter.wait(now); w.setUp && wait > 0 {
		w.due = now.Add(wait)
		w.mu.Unlock()
		return nil
	}
	// A device that sleeps for long is not looked for: it says when it is awake.
	asleep := w.mode == modeLongIdle && !w.isAwake()
	w.due = time.Time{}
	w.mu.Unlock()
	if asleep {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	err := w.attempt(ctx)
	w.meter.note(time.Now(), w.ep.Stats().Sent)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.failures = 0
		return w.fatal
	case errors.As(err, new(*fatalError)):
		return err
	case w.mode == modeLongIdle:
		return nil
	}
	at := time.Now().Add(retries[min(w.failures, len(retries)-1)])
	w.failures++
	if w.due.IsZero() || w.due.After(at) {
		w.due = at
	}
	return nil
}

// awakeTime is how long a device that was just heard can be expected to listen:
// the least ActiveModeThreshold of one that sleeps for long.
const awakeTime = 5 * time.Second

// isAwake: the device was just heard. The lock is held.
func (w *watcher) isAwake() bool { return time.Since(w.heardAt) < awakeTime }

// A fatalError ends Watch.
type fatalError struct{ err error }

func (e *fatalError) Error() string { return "canary: " + e.err.Error() }
func (e *fatalError) Unwrap() error { return e.err }

// change changes what is on the device, or may be: first in the State, then there.
func (w *watcher) change(f func(*State)) error {
	w.keeping.Lock() // what is kept last is what is so
	defer w.keeping.Unlock()
	w.mu.Lock()
	s := w.state.clone()
	f(&s)
	if s.Format == "" && !s.Empty() {
		now := w.c.now()
		s.Format, s.Version, s.Owner = stateFormat, stateVersion, cut(w.c.Owner)
		s.Fabric, s.Node, s.Client = hex16(w.c.Member.CompressedID()), hex16(w.c.Node), hex16(w.c.Member.NodeID)
		s.Made, s.Expires = now, now.Add(lifetime)
	}
	w.state = s
	w.mu.Unlock()
	if w.c.Keep == nil {
		return nil
	}
	if err := w.c.Keep(s.clone()); err != nil {
		return fmt.Errorf("the canary's state can't be kept: %w", err)
	}
	return nil
}

func (w *watcher) has() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state.clone()
}

func (w *watcher) dropState(id uint32) func(*State) {
	return func(s *State) {
		s.Subscriptions = slices.DeleteFunc(s.Subscriptions, func(h Held) bool { return h.ID == id })
	}
}
