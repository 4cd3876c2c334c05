package controller

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
)

// Clusters and events that a controller wants to hear of.
const (
	basicInformation   = 0x28
	generalDiagnostics = 0x33
	icdManagement      = 0x46
	switchCluster      = 0x3B
)

// A follower keeps one node subscribed.
type follower struct {
	r    *run
	node uint64

	kicks chan time.Duration // holds the pause before an attempt that something asks for

	mu         sync.Mutex
	sub        *client.Subscription
	seen       names
	recovering bool
	kicked     time.Time // when a name's appearing began a recovery
	stop       context.CancelFunc
	checkedIn  bool
	cancelled  bool // the recovery that is about to begin
}

func (r *run) follow(node uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.followers[node] != nil || r.ctx.Err() != nil {
		return
	}
	f := &follower{r: r, node: node, kicks: make(chan time.Duration, 1)}
	r.followers[node] = f
	r.going.Go(f.loop)
}

func (r *run) follower(node uint64) *follower {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.followers[node]
}

// knows reports whether a subscription is one of now.
func (f *follower) knows(id uint32) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sub != nil && f.sub.ID == id && f.sub.Err() == nil
}

// kick asks for an attempt after a pause, if one is being waited for.
func (f *follower) kick(after time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.recovering {
		return
	}
	select {
	case f.kicks <- after:
	default:
	}
}

// loop subscribes, listens until the subscription is over, and begins again.
func (f *follower) loop() {
	c := f.r.c
	for first := true; ; first = false {
		sub := f.recover(first)
		if sub == nil {
			return
		}
		c.say(f.node, &Subscribed{ID: sub.ID, MinInterval: c.o.MinInterval, MaxInterval: sub.MaxInterval})
		c.say(f.node, &Available{true})
		f.take(sub.Priming, true)
		for {
			report, err := sub.Next(f.r.ctx)
			if f.r.ctx.Err() != nil {
				return
			}
			if err != nil {
				reason := err.Error()
				if errors.Is(err, client.ErrSilent) {
					reason = "liveness timeout"
				}
				c.say(f.node, &Lost{reason})
				c.say(f.node, &Available{false})
				break
			}
			f.take(report, false)
		}
	}
}

// take gives what a report holds to the automations. Events that have been
// before are left out, by their numbers; those of a first report are old.
func (f *follower) take(r *client.Report, priming bool) {
	c := f.r.c
	if r == nil {
		return
	}
	for _, e := range r.Events {
		c.mu.Lock()
		old := e.Number <= c.last[f.node] && c.last[f.node] != 0
		if !old {
			c.last[f.node] = e.Number
		}
		drop := old || priming || c.faults.DropsEvents && e.Cluster == switchCluster
		if !drop && e.Cluster == switchCluster {
			c.pressed[f.node] = e.Number
		}
		c.mu.Unlock()
		if !drop {
			c.say(f.node, &Event{Number: e.Number, Cluster: e.Cluster, ID: e.Event})
		}
	}
}

// recover makes a subscription, however many attempts it takes; nil: the
// controller is stopped.
func (f *follower) recover(first bool) *client.Subscription {
	c := f.r.c
	f.mu.Lock()
	f.recovering, f.checkedIn = true, false
	select {
	case <-f.kicks: // of before
	default:
	}
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.recovering, f.stop = false, nil
		f.mu.Unlock()
	}()
	for n := 1; ; n++ {
		faults := c.fault()
		if !first && faults.Hangs {
			if !f.hang() {
				return nil
			}
		} else if faults.AwaitsCheckIn && f.longIdle() && !f.heardCheckIn() {
			c.log(f.node, "the device sleeps for long: the subscription waits until it wakes")
			if !f.wait(-1) {
				return nil
			}
		}
		sub, cancelled, err := f.attempt()
		switch {
		case f.r.ctx.Err() != nil:
			return nil
		case err == nil:
			f.mu.Lock()
			f.sub = sub
			f.mu.Unlock()
			return sub
		case cancelled:
			c.log(f.node, "recovery cancelled: node announced again")
			if !f.wait(-1) { // until its name appears anew
				return nil
			}
			continue
		}
		c.mu.Lock()
		random := c.rand.Float64()
		c.mu.Unlock()
		if faults.Unlucky {
			random = 1
		}
		wait := c.o.Policy.backOff(n, random)
		c.log(f.node, "%v; will resubscribe in %d ms", err, wait.Milliseconds())
		if !f.wait(wait) {
			return nil
		}
	}
}

// wait waits for d, or for ever where d is negative, or until something kicks;
// false: the controller is stopped.
func (f *follower) wait(d time.Duration) bool {
	var timer <-chan time.Time
	if d >= 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-timer:
		return true
	case pause := <-f.kicks:
		if pause == 0 {
			return f.r.ctx.Err() == nil
		}
		t := time.NewTimer(pause)
		defer t.Stop()
		select {
		case <-t.C:
			return true
		case <-f.r.ctx.Done():
			return false
		}
	case <-f.r.ctx.Done():
		return false
	}
}

// hang sends one old attempt again and again, until something kicks.
func (f *follower) hang() bool {
	for {
		f.r.c.log(f.node, "retransmission of message on exchange %d, no ack", 4242)
		t := time.NewTimer(30 * time.Second)
		select {
		case <-t.C:
		case <-f.kicks:
			t.Stop()
			return f.r.ctx.Err() == nil
		case <-f.r.ctx.Done():
			t.Stop()
			return false
		}
	}
}

// attempt looks the node up, opens a session and subscribes.
func (f *follower) attempt() (sub *client.Subscription, cancelled bool, err error) {
	ctx, cancel := context.WithTimeout(f.r.ctx, attemptLimit)
	defer cancel()
	var stopped atomic.Bool
	f.mu.Lock()
	if f.cancelled {
		f.cancelled = false
		f.mu.Unlock()
		return nil, true, errCancelled
	}
	f.stop = func() { stopped.Store(true); cancel() }
	f.mu.Unlock()
	sub, err = f.subscribe(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stop = nil
	f.kicked = time.Time{}
	return sub, stopped.Load() && err != nil, err
}

var errCancelled = errors.New("recovery cancelled")

func (f *follower) subscribe(ctx context.Context) (*client.Subscription, error) {
	c := f.r.c
	if c.fault().NoAddress {
		return nil, errNoAddress
	}
	place, err := c.o.Resolve(ctx, f.node)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.seen.longIdle = place.LongIdle
	f.mu.Unlock()
	config := session.CASEConfig{
		Member: c.ca.Member(), Node: f.node, Addresses: place.Addresses, Parameters: place.Parameters, Margin: margin, Time: c.o.Time(),
	}
	c.mu.Lock()
	if r, ok := c.records[f.node]; ok && !c.faults.ForgetsRecords {
		config.Record = &r
	}
	c.mu.Unlock()
	s, err := session.CASE(ctx, f.r.ep, config)
	if err != nil {
		return nil, err
	}
	c.remember(f.node, s.Record)
	request := im.SubscribeRequest{MinFloor: c.o.MinInterval, MaxCeiling: c.o.MaxInterval}
	request.Attributes = []im.AttributePath{im.One(0, generalDiagnostics, 1), im.One(0, icdManagement, 8)}
	request.Events = []im.EventPath{
		{Endpoint: im.Some[uint16](0), Cluster: im.Some[uint32](basicInformation)},
		{Endpoint: im.Some[uint16](0), Cluster: im.Some[uint32](generalDiagnostics)},
		{Cluster: im.Some[uint32](switchCluster), Urgent: true},
	}
	return f.r.subs.Subscribe(ctx, s, request)
}

// Session opens a session with a node, for a test or a story that wants
// something of it.
func (c *Controller) Session(ctx context.Context, node uint64, at []netip.AddrPort) (*session.Secure, error) {
	c.mu.Lock()
	r := c.run
	c.mu.Unlock()
	if r == nil {
		return nil, errors.New("simulated controller: it is stopped")
	}
	return session.CASE(ctx, r.ep, session.CASEConfig{Member: c.ca.Member(), Node: node, Addresses: at, Margin: margin, Time: c.o.Time()})
}
