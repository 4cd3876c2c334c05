package matternode

import (
	"context"
	"sync"
	"time"

	"threadmap/tlv"
)

// Reboot is a node that was switched off and on. Sessions, subscriptions and
// events are gone without a word; fabrics, registered clients, resumption records
// and, by Options.Resumption, subscriptions that it will resume are not.
//
// It returns when the node is off, and with neither Down nor Boot when it is on
// again. It must not be called from the functions in Options.
func (n *Node) Reboot(o RebootOptions) {
	n.restart.Lock()
	defer n.restart.Unlock()
	n.reboot(o)
}

// reboot is Reboot for who holds restart.
func (n *Node) reboot(o RebootOptions) {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return
	}
	if o.Orderly && !n.off {
		n.mu.Unlock()
		n.farewell()
		n.mu.Lock()
	}
	n.off = true
	n.endLife()
	for _, s := range n.subs {
		n.drop(s)
	}
	clear(n.parties) // who is among them is not told
	n.rollBack()
	old := n.ep
	n.mu.Unlock()
	n.gate.restart(func() { old.Close() }) // and with it all handshakes
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.parties)
	clear(n.versions)
	n.events = nil
	n.forgets(o)
	n.gate.off.Store(true)
	life := n.begin()
	n.listen()
	if o.Down <= 0 && o.Boot <= 0 {
		n.powerOn(o)
		n.attached(life, o)
		return
	}
	n.running.Go(func() {
		if !n.during(life, o.Down, func() { n.powerOn(o) }) {
			return
		}
		n.during(life, o.Boot, func() { n.attached(life, o) })
	})
}

// forgets is what of the lasting memory does not outlive this restart. The lock
// is held.
func (n *Node) forgets(o RebootOptions) {
	if o.LoseSubscriptions || o.Orderly || n.o.Resumption.Persistence == Forgets {
		clear(n.stored)
	}
	if o.LoseRecords || n.o.Resumption.ForgetRecords {
		n.records = nil
	}
	if o.LoseClients && len(n.clients) > 0 {
		before := n.operatingMode()
		n.clients = nil
		n.modeChanged(before)
	}
}

// begin begins a life: what the node does between two restarts. The lock is
// held, or nobody else has the node yet.
func (n *Node) begin() context.Context {
	n.life, n.endLife = context.WithCancel(n.ctx)
	n.gate.lives(n.life.Done())
	n.lost = make(chan struct{}, 1)
	n.resumed, n.retries = false, 0
	return n.life
}

// during does something with the lock held after a part of a life; false: the
// life has ended by then.
func (n *Node) during(life context.Context, d time.Duration, f func()) bool {
	if !pauseIn(life, d) {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if life.Err() != nil {
		return false
	}
	f()
	return true
}

// pauseIn waits; false where ctx ended before.
func pauseIn(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// eventEpoch is how many numbers of events are reserved at once in the lasting
// memory.
const eventEpoch = 0x10000

// powerOn is the first thing that the program does. The lock is held.
func (n *Node) powerOn(o RebootOptions) {
	n.reboots++
	n.booted = time.Now()
	n.bootReason = o.Reason
	if n.bootReason == 0 {
		n.bootReason = PowerOnReboot
	}
	if n.o.Resumption.RestartEvents {
		n.lastEvent = 0
	} else {
		n.lastEvent += eventEpoch - n.lastEvent%eventEpoch
	}
	n.icdCount = n.icdReserved
	n.icdReserved += counterEpoch
	n.position = 0
	n.happened(0, basicInformation, startUpEvent, critical, startUp)
	n.happened(0, generalDiagnostics, 3, critical, bootReason)
	if o.Again > 0 {
		n.running.Go(n.again(n.life, o))
	}
}

// again is a start that does not last.
func (n *Node) again(life context.Context, o RebootOptions) func() {
	return func() {
		if !pauseIn(life, o.Again) {
			return
		}
		n.restart.Lock()
		defer n.restart.Unlock()
		if life.Err() != nil { // somebody was faster
			return
		}
		o.Reason, o.Orderly = BrownOutReset, false
		switch o.Times {
		case 0:
		case 1:
			o.Again, o.Times = 0, 0
		default:
			o.Times--
		}
		n.reboot(o)
	}
}

// attached is a node that has found its network and registered its names. The
// lock is held.
func (n *Node) attached(life context.Context, _ RebootOptions) {
	n.off = false
	if s := n.gate.sleep; s != nil {
		s.reset(time.Now())
	}
	n.gate.off.Store(false)
	if n.o.Registers != nil {
		n.running.Go(n.o.Registers)
	}
	n.checkIns(life)
	n.lives(life)
}

// lives starts what a node does by itself. The lock is held, or nobody else has
// the node yet.
func (n *Node) lives(life context.Context) {
	if d := &n.device; d.ICD != nil && d.ICD.LIT && d.ICD.Idle > 0 {
		n.running.Go(func() { n.wakes(life) })
	}
	if n.o.Resumption.Persistence != Forgets {
		lost := n.lost
		n.running.Go(func() { n.resumes(life, lost) })
	}
}

// farewellTimeout is how long a program that is stopped waits for answers.
const farewellTimeout = 5 * time.Second

// farewell tells subscribers of the end, and then ends the sessions.
func (n *Node) farewell() {
	ctx, cancel := context.WithTimeout(n.ctx, farewellTimeout)
	defer cancel()
	n.mu.Lock()
	var subs []*subscription
	for _, s := range n.subs {
		subs = append(subs, s)
		n.drop(s)
	}
	n.happened(0, basicInformation, shutDownEvent, critical, func(*Node, *tlv.Encoder) {})
	n.mu.Unlock()
	var all sync.WaitGroup
	for _, s := range subs {
		all.Go(func() { _ = n.tell(ctx, s, true) }) // who does not answer is not waited for
	}
	all.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dismiss(func(*party) bool { return true })
}

// Up reports whether the node is running and attached to its network.
func (n *Node) Up() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.off && !n.closed
}

// Evict is a node that forgets its sessions without a word to anybody, and is
// not restarted: its table was too small, or its memory.
func (n *Node) Evict() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.parties {
		n.stats.evicted.Add(1)
		n.forget(p)
	}
}
