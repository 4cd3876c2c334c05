package controller

import (
	"time"
)

// names is what DNS-SD says of one node, as a cache of RFC 6762 keeps it.
type names struct {
	there    bool
	going    time.Time // when it was withdrawn; zero: it was not
	said     time.Time // when it was last announced
	longIdle bool
}

// present reports whether the name is there at a time: a withdrawn one goes
// only after a second (section 10.1).
func (n *names) present(at time.Time) bool {
	return n.there && (n.going.IsZero() || at.Sub(n.going) < stillThere)
}

// Heard is an announcement of a node of the controller's fabric that came by
// multicast, or its withdrawal. longIdle: it says that it sleeps for long.
func (c *Controller) Heard(node uint64, withdrawn, longIdle bool) {
	c.mu.Lock()
	r, cancels := c.run, c.faults.CancelsTwice
	c.mu.Unlock()
	if r == nil {
		return
	}
	if f := r.follower(node); f != nil {
		f.heard(withdrawn, longIdle, cancels)
	}
}

func (f *follower) heard(withdrawn, longIdle, cancels bool) {
	now := time.Now()
	f.mu.Lock()
	n := &f.seen
	if withdrawn {
		if n.present(now) {
			n.going = now
		}
		f.mu.Unlock()
		return
	}
	added := !n.present(now)
	again := !n.said.IsZero() && now.Sub(n.said) <= time.Second
	n.there, n.going, n.said, n.longIdle = true, time.Time{}, now, longIdle
	policy, recovering := f.r.c.o.Policy, f.recovering
	if policy == Darwin && recovering && again && cancels && !f.kicked.IsZero() {
		stop := f.stop
		f.kicked, f.cancelled = time.Time{}, stop == nil // it has not begun yet
		f.mu.Unlock()
		if stop != nil {
			stop()
		}
		return
	}
	if policy == Darwin && added && recovering {
		f.kicked = now
	}
	f.mu.Unlock()
	switch {
	case !recovering:
	case policy == Darwin && added:
		f.kick(kickPause)
	case policy == MatterJS:
		f.kick(kickMatterJS)
	}
}

// longIdle reports whether the node is announced to sleep for long.
func (f *follower) longIdle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen.longIdle
}

// heardCheckIn reports whether a Check-In came since the subscription was lost.
func (f *follower) heardCheckIn() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.checkedIn
}
