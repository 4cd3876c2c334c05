package canary

import (
	"context"
	"errors"
	"time"

	"threadmap/diag/icd"
)

// Cleanup works off the State of an earlier run: it takes that canary out of the
// device. Config is as for Watch, with that State; Observe may be nil.
//
// A device that can be reached is told at once. One that sleeps for long tells
// itself when it is awake, by a report or a Check-In: until ctx ends Cleanup
// waits for that, as long as Config.Announcement is announced. It can't count on
// it: a run that was killed between writing the State and registering left
// nothing that the device would check in with. So it also knocks, every now and
// then, with a message that waits for the device at its parent. What it returns
// is what is left, with the reason in Pending; the error is of something else.
func Cleanup(ctx context.Context, c Config) (State, error) {
	if c.Observe == nil {
		c.Observe = nothing
	}
	w, err := newWatcher(c)
	if err != nil {
		return c.State, err
	}
	defer w.stop()
	w.refuse()
	again := time.NewTimer(0) // at once
	defer again.Stop()
	knocks := time.NewTicker(knockEvery)
	defer knocks.Stop()
	for {
		knock := false
		select {
		case <-ctx.Done():
			why := errors.New("the device was not reached in time")
			w.pend(why)
			return w.has(), nil
		case <-w.poke:
			if w.has().Empty() {
				return w.has(), nil
			}
			w.mu.Lock()
			awake := w.isAwake()
			w.mu.Unlock()
			if !awake {
				continue
			}
		case <-again.C:
			again.Reset(retries[0])
		case <-knocks.C:
			knock = true
		}
		turn, cancel := context.WithTimeout(ctx, attemptTime)
		why := w.clean(turn, knock)
		cancel()
		if w.has().Empty() {
			return w.has(), nil
		}
		if why != nil {
			w.pend(why)
		}
	}
}

// knockEvery is a time between knocks that shares few divisors with those for
// which devices sleep, so that some knock comes shortly before one wakes. A parent
// keeps a message for its child for 240 s, as OpenThread does by default.
const knockEvery = 23 * time.Minute

func (w *watcher) pend(why error) {
	w.change(func(s *State) {
		if !s.Empty() && s.Pending == "" {
			s.Pending = cut(why.Error())
		}
	})
}

func nothing(time.Time, icd.Observation) {}
