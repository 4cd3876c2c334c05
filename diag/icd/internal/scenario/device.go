package scenario

import "threadmap/diag/icd"

// A subscription as the device has it.
type subscription struct {
	id, max      int
	fabric, node string
	live         bool // with a session, in memory
	stored       bool // in flash
	to           subscriber
	tries        int
}

// A subscriber takes what the device sends.
type subscriber interface {
	// listens reports whether its name is answered, and whether by a sleep proxy.
	listens() (answers, proxy, onRouter bool)
	// sigma1 is the device's attempt, done is called with its outcome.
	sigma1(done func(ok bool))
	report(s *subscription, boot bool) (known bool)
	event(number int, press bool)
	takesKeepAlive() bool
}

type device struct {
	w *World
	// The firmware.
	persists   bool // keeps subscriptions over a restart
	retries    bool // tries to resume again, after five minutes and more
	forgets    bool // numbers its events from the beginning after a restart
	urgent     bool // sends a press at once
	txt        map[string]string
	timeout    float64
	poll       float64
	idle       float64 // longest sleep; above 15 it can't be reached meanwhile
	regGap     float64 // between removing its registration and making a new one
	busy       bool    // works on a stale Sigma1
	mode       *int
	registered []map[string]any // ICD clients
	bootReason int

	// What it is now.
	up             bool
	parent         *router
	lastFrame      float64
	connected      float64
	booted         float64
	rebootCount    int
	number         int
	queued         int
	address        string
	unknownAddress bool // its parent does not answer for its address
	subs           map[string]*subscription
}

func (d *device) attached() bool {
	return d.up && d.parent != nil && d.parent.alive && d.parent.has
}

// age is how long its parent has not heard it.
func (d *device) age() float64 {
	if d.attached() {
		return min(d.w.now, d.w.rng.Float64()*d.poll)
	}
	return max(0, d.w.now-d.lastFrame)
}

func (d *device) attach(r *router) {
	d.up, d.parent, d.connected = true, r, d.w.now
	r.has = true
}

// powerOff takes the battery out, powerOn puts it in.
func (d *device) powerOff() {
	d.up, d.lastFrame = false, d.w.now
	p := d.parent
	d.w.after(d.timeout, func() {
		if p != nil && !d.up && d.w.now-d.lastFrame >= d.timeout-0.01 {
			p.has = false
		}
	})
	for _, s := range d.subs {
		s.live = false
	}
}

// stopPolling is a device that hangs: as powerOff, for those outside.
func (d *device) stopPolling() { d.powerOff() }

func (d *device) powerOn() {
	w := d.w
	d.up, d.booted = true, w.now
	d.rebootCount++
	d.number += 0x10000
	if d.forgets {
		d.number = 3
	}
	if !d.persists {
		for _, s := range d.subs {
			s.stored = false
		}
	}
	for _, s := range d.subs {
		s.live = false
	}
	boot := d.rebootCount
	still := func() bool { return d.up && d.rebootCount == boot }
	w.after(1+3*w.rng.Float64(), func() {
		if !still() {
			return
		}
		for _, r := range w.mesh.routers {
			if r.alive && !r.full {
				d.attach(r)
				break
			}
		}
		if !d.attached() {
			return
		}
		w.after(0.5, func() {
			if still() {
				d.register()
			}
		})
		w.after(d.regGap+2+2*w.rng.Float64(), func() {
			if still() {
				d.resumeAll()
			}
		})
	})
}

// register removes the SRP host and makes it anew.
func (d *device) register() {
	b := d.w.serving()
	if b == nil {
		return
	}
	if b.registered {
		b.goodbyeDevice()
	}
	d.w.after(d.regGap, func() {
		b.registered = true
		d.w.canary.heard = d.w.now
		b.announceDevice()
		for _, other := range d.w.routers {
			if other != b && other.alive && other.replicates {
				d.w.after(0.4, other.announceDevice)
			}
		}
	})
}

func (d *device) resumeAll() {
	for _, name := range []string{"hub", "canary"} {
		if s := d.subs[name]; s.stored && !s.live {
			d.resume(s, true)
		}
	}
}

// resume looks the subscriber up and opens a session to it.
func (d *device) resume(s *subscription, boot bool) {
	w := d.w
	b := w.serving()
	if d.busy || b == nil {
		return
	}
	answers, proxy, onRouter := s.to.listens()
	name := s.fabric + "-" + s.node + "._matter._tcp.local"
	ask := func() {
		if !onRouter {
			b.asks(name)
		}
	}
	ask()
	if b.blind && !onRouter {
		w.after(45, func() { d.failed(s, boot) })
		return
	}
	if !answers {
		for _, d := range []float64{1, 3, 7, 15, 31, 44} {
			w.after(d, ask)
		}
		w.after(45, func() { d.failed(s, boot) })
		return
	}
	w.after(0.1, func() {
		if !onRouter {
			w.say(icd.ByMDNS, "answer", &icd.Answer{Name: name, Addresses: []string{"fe80::77"}, From: "fe80::77", Owner: proxy})
		}
	})
	w.after(0.6, func() {
		wired := w.wired(s.to) && !w.mesh.cut
		if wired {
			w.sees("sigma1", &icd.Sigma1{OpenedBy: "device", Resumption: true})
			w.deviceSends()
		}
		if wired && proxy {
			w.after(13, func() {
				w.sees("case", &icd.CASE{OpenedBy: "device", Result: "failed", Error: "timed out: no answer to Sigma1, sent 5 times"})
			})
		}
		if proxy || w.mesh.cut {
			w.after(30, func() { d.failed(s, boot) })
			return
		}
		s.to.sigma1(func(ok bool) {
			if !ok {
				d.failed(s, boot)
				return
			}
			if s.to.report(s, boot) {
				s.live, s.tries = true, 0
				d.events(boot, s)
				d.keepAlive(nameOf(d, s))
			} else {
				s.stored = false
			}
		})
	})
}

func nameOf(d *device, s *subscription) string {
	if s == d.subs["canary"] {
		return "canary"
	}
	return "hub"
}

// events sends StartUp on a resumed subscription.
func (d *device) events(boot bool, s *subscription) {
	if boot {
		s.to.event(d.number, false)
	}
}

func (d *device) failed(s *subscription, boot bool) {
	if !d.retries {
		s.stored = false
		return
	}
	a, b := 0, 1
	for range s.tries {
		a, b = b, a+b
	}
	s.tries++
	d.w.after(300+300*float64(a), func() {
		if d.up && s.stored && !s.live {
			d.resume(s, boot)
		}
	})
}

// keepAlive sends the regular reports of a subscription.
func (d *device) keepAlive(name string) {
	s := d.subs[name]
	boot := d.rebootCount
	period := 0.9 * float64(s.max)
	var tick func()
	tick = func() {
		if d.rebootCount != boot || !s.live || !d.up {
			return
		}
		if d.w.reach() && !d.unknownAddress && s.to.takesKeepAlive() && !d.w.mesh.cut {
			s.to.report(s, false)
			d.w.after(period, tick)
			return
		}
		// Unanswered: the device gives up the session and, where its firmware
		// can, tries to resume later.
		s.live = false
		d.w.after(40, func() { d.failed(s, false) })
	}
	d.w.after(period*d.w.rng.Float64(), tick)
}

// press is a press of the button.
func (d *device) press() {
	d.number++
	n := d.number
	for _, name := range []string{"hub", "canary"} {
		s := d.subs[name]
		if !s.live || !d.w.reach() {
			continue
		}
		if d.urgent {
			d.w.after(0.3, func() { s.to.event(n, true) })
		} else {
			d.w.after(0.5*float64(s.max)+30, func() { s.to.event(n, true) })
		}
	}
}
