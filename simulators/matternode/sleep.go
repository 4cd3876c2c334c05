package matternode

import (
	"errors"
	"sync"
	"time"
)

// A Sleep is how a node's radio sleeps. A sleepy node hears nothing: its parent
// keeps what is for it until it polls.
type Sleep struct {
	Slow      time.Duration // between polls when idle; what it says as its idle interval
	Fast      time.Duration // between polls when active, likewise
	Threshold time.Duration // how long it is active after a message
	// WakeUp is how long a node that was idle takes until it hears, when somebody
	// wakes it (Node.Wake, Node.Press).
	WakeUp time.Duration
	// Hold is how long the parent keeps a message; 0: a child timeout of 240 s.
	Hold time.Duration
}

const defaultHold = 240 * time.Second

func (s *Sleep) check() error {
	if s.Slow <= 0 || s.Fast <= 0 || s.Threshold < 0 || s.Hold < 0 || s.WakeUp < 0 || s.Slow > time.Hour || s.Fast > s.Slow {
		return errors.New("simulated Matter node: a sleepy node polls at least every hour, and not less often when it is active")
	}
	return nil
}

// burst is how long after a poll everything that waits at the parent comes.
const burst = 10 * time.Millisecond

// A sleeper knows when the node polls.
type sleeper struct {
	Sleep
	mu     sync.Mutex
	start  time.Time     // of its cycle
	period time.Duration // between polls when idle, now
	awake  time.Duration // for which it stays active after such a poll
	until  time.Time     // when it stops being active
	ready  time.Time     // from when it hears, after it woke
	polled time.Time     // when it last polled with success
	woke   chan struct{} // closed and replaced when it becomes active
}

func newSleeper(s Sleep, now time.Time) *sleeper {
	if s.Hold == 0 {
		s.Hold = defaultHold
	}
	return &sleeper{Sleep: s, start: now, period: s.Slow, woke: make(chan struct{})}
}

// next is when the node polls, at or after now. The lock is held.
func (s *sleeper) next(now time.Time) time.Time {
	if now.Sub(s.polled) < burst && !s.polled.IsZero() {
		return now
	}
	period := s.period
	if now.Before(s.until) {
		period = s.Fast
	}
	since := now.Sub(s.start)
	if since%s.period < s.awake {
		period = s.Fast
	}
	at := s.start.Add((since + period - 1) / period * period)
	if at.Before(s.ready) {
		return s.ready
	}
	return at
}

// await waits until the node polls and so gets a message that came just now. It
// is false where the parent has thrown the message away by then, or done ends.
func (s *sleeper) await(done <-chan struct{}) bool {
	begin := time.Now()
	var due time.Time // the poll that was waited for; a real clock wakes a little after it
	for {
		s.mu.Lock()
		now := time.Now()
		at, woke := s.next(now), s.woke
		if !at.After(now) || !due.IsZero() {
			s.polled = now
			s.active(now)
			s.mu.Unlock()
			return true
		}
		s.mu.Unlock()
		if at.Sub(begin) > s.Hold {
			return false
		}
		timer := time.NewTimer(at.Sub(now))
		select {
		case <-timer.C:
			due = at
		case <-woke:
			timer.Stop()
		case <-done:
			timer.Stop()
			return false
		}
	}
}

// idles reports whether the node sleeps between its slow polls. The lock is
// held.
func (s *sleeper) idles(now time.Time) bool {
	return !now.Before(s.until) && now.Sub(s.start)%s.period >= s.awake
}

// active makes the node active from now on. The lock is held.
func (s *sleeper) active(now time.Time) {
	fresh := !now.Before(s.until)
	s.until = now.Add(s.Threshold)
	if fresh {
		close(s.woke)
		s.woke = make(chan struct{})
	}
}

// touch is active for those without the lock: the node has sent something.
func (s *sleeper) touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active(time.Now())
}

// wake is a node that was woken, and whether it slept before.
func (s *sleeper) wake() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	slept := s.idles(now)
	if slept {
		s.ready = now.Add(s.WakeUp)
	}
	s.active(now)
	if until := s.ready.Add(s.awake); until.After(s.until) {
		s.until = until
	}
	return slept
}

// reset is a node that was switched on: its cycle begins, and it is active.
func (s *sleeper) reset(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start, s.until, s.ready, s.polled = now, time.Time{}, time.Time{}, time.Time{}
	s.active(now)
}

// idle sets the time between polls when idle, and for how long each of them
// makes the node active.
func (s *sleeper) idle(period, awake time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.period, s.awake = period, awake
}

// stay keeps the node active for d, or for longer where it is so already, and
// returns for how long.
func (s *sleeper) stay(d time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.active(now)
	if until := now.Add(d); until.After(s.until) {
		s.until = until
	}
	return s.until.Sub(now)
}
