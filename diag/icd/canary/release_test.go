package canary

import (
	"context"
	"fmt"
	"testing"
	"time"

	"threadmap/diag/icd"
	"threadmap/simulators/matternode"
)

// crashAt runs a canary that is killed after its n-th datagram (0: after d):
// nothing of it arrives any more and none of its code is run. It reports whether
// that happened.
func (h *home) crashAt(n int, d time.Duration) bool {
	h.t.Helper()
	cfg := h.config(nothing)
	w, err := newWatcher(cfg)
	must(h.t, err)
	must(h.t, w.adopt())
	ctx, cancel := context.WithCancel(h.t.Context())
	killed := make(chan struct{})
	h.mu.Lock()
	h.cutAt, h.snap = h.toIt+n, func() { close(killed) }
	if n == 0 {
		h.cutAt = 0
	}
	h.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.run(ctx)
	}()
	timer := time.NewTimer(d)
	happened := true
	select {
	case <-killed:
	case <-timer.C:
		happened = n == 0
	}
	timer.Stop()
	h.mu.Lock()
	h.dead, h.cutAt = true, 0
	h.mu.Unlock()
	cancel()
	w.cancel()
	w.ep.Close()
	<-ended
	w.running.Wait()
	h.mu.Lock()
	h.dead = false
	h.mu.Unlock()
	return happened
}

// workOff is `icd cleanup`, for as long as it takes.
func (h *home) workOff() {
	h.t.Helper()
	if h.saved().Empty() {
		return
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), 3*time.Hour)
	defer cancel()
	cfg := h.config(nil)
	left, err := Cleanup(ctx, cfg)
	must(h.t, err)
	if !left.Empty() {
		h.t.Errorf("left after the clean-up: %+v", left)
	}
}

// TestCtrlC ends the canary after each of its messages.
func TestCtrlC(t *testing.T) { endings(t, 16, false) }

// TestCrash kills it after each of its messages; the clean-up is another run's.
func TestCrash(t *testing.T) { endings(t, 16, true) }

func endings(t *testing.T, messages int, crash bool) {
	for _, long := range []bool{false, true} {
		for n := 1; n <= messages; n++ {
			t.Run(fmt.Sprintf("long %v, message %d", long, n), func(t *testing.T) {
				idle := 20 * time.Minute
				in(t, aSwitch(idle, long), sleeping(matternode.TriesOnce), func(h *home) {
					registered := 0
					if long {
						h.register()
						registered = 1
					}
					h.device.Wake()
					if crash {
						h.crashAt(n, time.Minute)
					} else {
						cut := make(chan struct{})
						h.mu.Lock()
						h.cutAt, h.snap = n, func() { close(cut) }
						h.mu.Unlock()
						c := h.start(nil)
						select {
						case <-cut:
						case <-time.After(time.Minute):
						}
						c.stop()
					}
					h.workOff()
					h.clean(registered)
				})
			})
		}
	}
}

// TestCleanupGivesUp: what can't be removed stays in the State.
func TestCleanupGivesUp(t *testing.T) {
	in(t, aSwitch(20*time.Minute, false), sleeping(matternode.TriesOnce), func(h *home) {
		h.crashAt(0, time.Minute)
		h.device.GoSilent(true)
		ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Minute)
		defer cancel()
		left, err := Cleanup(ctx, h.config(func(time.Time, icd.Observation) {}))
		if err != nil || left.Empty() || left.Pending == "" || left.Owner != "test" || !left.Expires.After(left.Made) {
			t.Errorf("%+v, %v", left, err)
		}
		h.device.GoSilent(false)
		h.workOff()
		h.clean(0)
	})
}

// TestEndInBetween: Ctrl-C while the canary waits whether the device comes back.
// The session that it had is of no use, and it does not wait for it.
func TestEndInBetween(t *testing.T) {
	for _, p := range []matternode.Persistence{matternode.Forgets, matternode.TriesOnce} {
		in(t, aSwitch(20*time.Minute, false), sleeping(p), func(h *home) {
			c := h.start(nil)
			time.Sleep(time.Minute)
			h.mu.Lock()
			h.found = false // so that it does not come back by itself
			h.mu.Unlock()
			c.reboot(matternode.RebootOptions{Boot: time.Second})
			time.Sleep(30 * time.Second)
			c.stop()
			if s := h.saved(); !s.Empty() {
				t.Errorf("left: %+v", s)
			}
			h.clean(0)
		})
	}
}
