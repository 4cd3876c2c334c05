package parent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"threadmap/diag"
	"threadmap/diag/icd"
)

// An Ask asks the routers with these RLOC16s, and nobody else, for their child
// tables and route tables. Without any it asks one that is asked easily: the
// leader, or the border router. It returns soon after ctx ends.
type Ask func(ctx context.Context, routers []diag.RLOC16) ([]diag.Report, []diag.Problem)

// The pace. A question to a router of a quiet mesh is a few frames of radio.
const (
	// Idle is how often the parent is asked while nothing happens.
	Idle = 5 * time.Minute
	// After a restart the parent is asked at these times since then,
	// and from the last one on each Later until Settled.
	Later   = 2 * time.Minute
	Settled = 10 * time.Minute
	// AskWithin is the deadline of one round of questions.
	AskWithin = 90 * time.Second
	// Batch is how many routers are asked in one go while a lost child is
	// looked for.
	Batch = 8
	// maxRounds is how many rounds in a row may fail before the watch gives up.
	maxRounds = 3
)

var afterRestart = []time.Duration{5 * time.Second, 15 * time.Second, 30 * time.Second, 60 * time.Second}

// A Config says whom to watch and how.
type Config struct {
	Device icd.Device // its extended address is needed
	// Parent is the router that last had the device; unknown where nobody knows.
	Parent diag.RLOC16
	// Routers are others that are known beforehand; more are learnt.
	Routers []diag.RLOC16
	Ask     Ask // required
	// Restarted tells when the device restarted, as it becomes known. It may be
	// nil, and need not be closed.
	Restarted <-chan time.Time
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Note, if set, is told in one line why a round brought nothing.
	Note func(text string)
}

// Watch asks at once, and then at its pace, until ctx ends, which is no error.
// It gives up where three rounds in a row were answered by nobody.
func Watch(ctx context.Context, c Config, observe icd.Observe) error {
	switch {
	case c.Ask == nil:
		return errors.New("parent: nobody to ask: log in to the Thread network or to an OpenThread border router")
	case c.Device.Ext == 0:
		return errors.New("parent: the device's extended address is not known: scan with more sources first")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	w := watcher{Config: c, observe: observe, known: map[uint16]bool{}}
	w.learnRouters(c.Routers...)
	w.setParent(c.Parent)
	failed := 0
	for {
		answered, why := w.round(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if failed++; answered {
			failed = 0
		} else if c.Note != nil {
			c.Note(why)
		}
		if failed == maxRounds {
			return fmt.Errorf("parent: nobody answered in %d rounds: %s", maxRounds, why)
		}
		if !w.wait(ctx) {
			return nil
		}
	}
}

// wait waits until the next round is due. It reports whether there is one.
func (w *watcher) wait(ctx context.Context) bool {
	for {
		due := w.next(w.Now())
		timer := time.NewTimer(due)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
			return true
		case at, open := <-w.Restarted:
			timer.Stop()
			if !open {
				w.Restarted = nil
			} else if at.After(w.restarted) {
				w.restarted = at
			}
		}
	}
}

// next is how long to wait until the next round, never less than a second.
func (w *watcher) next(now time.Time) time.Duration {
	due := w.asked.Add(Idle)
	if !w.restarted.IsZero() && now.Sub(w.restarted) < Settled {
		for _, d := range steps() {
			if at := w.restarted.Add(d); at.After(w.asked) {
				if at.Before(due) {
					due = at
				}
				break
			}
		}
	}
	return max(due.Sub(now), time.Second)
}

// steps are the times since a restart at which the parent is asked.
func steps() []time.Duration {
	out := append([]time.Duration(nil), afterRestart...)
	for d := afterRestart[len(afterRestart)-1] + Later; d <= Settled; d += Later {
		out = append(out, d)
	}
	return out
}
