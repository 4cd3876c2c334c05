package scenario

import (
	"fmt"

	"threadmap/diag/icd"
)

type kind int

const (
	chip kind = iota
	darwin
	matterJS
)

// A hub is the controller that the user complains about.
type hub struct {
	w        *World
	name     string
	kind     kind
	max      int
	own      string // its host name
	alive    bool
	asleep   bool // a sleep proxy speaks for it
	way      bool // its packets reach the device
	back     bool // its answers to sessions that the device opens reach the device
	refuses  bool // knows no session or resumption of the device's
	hangs    bool // sends one old attempt for ever
	drops    bool // does nothing with events
	filters  int  // ignores events with lower numbers
	onRouter bool // is the border router, and answers the device itself
	unlucky  bool // its random waits are the longest
	waits    bool // waits for a Check-In

	active   bool
	lastSeen float64
	gotPress int
	attempts int
	lostAt   float64
	goneAt   float64
	epoch    int
}

func (h *hub) by() string {
	if h.kind == matterJS {
		return icd.ByHA
	}
	return icd.ByController
}

func (h *hub) log(format string, args ...any) {
	h.w.say(h.by(), "log", &icd.Log{Text: fmt.Sprintf(format, args...)})
}

func (h *hub) start() {
	h.active, h.goneAt = true, -1
	h.filters = h.w.dev.number
	from := "fe80::77"
	if h.onRouter {
		from, h.own = h.w.routers[0].addr, h.w.routers[0].hostName()
	}
	if h.alive && !h.asleep {
		h.w.announce("announce", &icd.Announce{Instance: hubFabric + "-" + hubNode + "._matter._tcp.local", Service: "_matter._tcp", Host: h.own, Addresses: []string{"fe80::77"}, Port: 5541, TXT: map[string]string{}, From: from})
	}
	h.w.say(h.by(), "subscribed", &icd.Subscribed{ID: 4711, Max: ptr(icd.Sec(float64(h.max)))})
	h.w.say(h.by(), "available", &icd.Available{Value: ptr(true)})
	h.w.after(60, h.watch)
}

// watch notices silence.
func (h *hub) watch() {
	h.w.after(10, h.watch)
	grace := 40.0
	if h.kind == matterJS {
		grace = 180
	}
	if h.alive && h.active && h.w.now-h.lastSeen > float64(h.max)+grace {
		h.lose()
	}
}

func (h *hub) lose() {
	h.active, h.lostAt, h.attempts = false, h.w.now, 0
	h.epoch++
	h.w.say(h.by(), "subscription-lost", &icd.Lost{Reason: "liveness timeout"})
	h.w.say(h.by(), "available", &icd.Available{Value: ptr(false)})
	h.try()
}

// try subscribes anew, and waits longer after each failure.
func (h *hub) try() {
	if h.active || h.waits {
		return
	}
	if h.hangs {
		h.retransmit()
		return
	}
	w := h.w
	if h.alive && h.way && w.reach() && !w.dev.unknownAddress && !w.dev.busy && w.dev.idle <= 15 && h.finds() {
		h.subscribe()
		return
	}
	if h.alive && h.way && h.finds() && w.wired(h) {
		w.sees("sigma1", &icd.Sigma1{OpenedBy: "controller", Resumption: true})
		w.after(10, func() {
			w.sees("case", &icd.CASE{OpenedBy: "controller", Result: "failed", Error: "timed out: no answer to Sigma1, sent 5 times"})
		})
	}
	h.attempts++
	a, b := 0, 1
	for range min(h.attempts, 14) {
		a, b = b, a+b
	}
	wait := min(float64(a)*10, 5538) * (0.3 + 0.7*w.rng.Float64())
	if h.unlucky {
		wait = min(float64(a)*10, 5538)
	}
	if h.kind == darwin {
		wait = min(float64(int(1)<<min(h.attempts, 12)), 3600)
	}
	h.log("will resubscribe in %d ms", int(wait*1000))
	epoch := h.epoch
	w.after(wait+5, func() {
		if h.epoch == epoch {
			h.try()
		}
	})
}

// finds reports whether it can look the device up.
func (h *hub) finds() bool {
	for _, b := range h.w.routers {
		if b.alive && b.registered && b.txt {
			return true
		}
	}
	return false
}

func (h *hub) retransmit() {
	h.log("retransmission of message on exchange 4242 to %s", h.w.dev.address)
	if h.w.wired(h) {
		h.w.sees("spoke", &icd.Spoke{OpenedBy: "controller", Sent: 2})
	}
	h.w.after(30, func() {
		if h.hangs && !h.active {
			h.retransmit()
		}
	})
}

func (h *hub) subscribe() {
	h.active, h.lastSeen = true, h.w.now
	s := h.w.dev.subs["hub"]
	s.id, s.live, s.stored, s.tries = s.id+1, true, true, 0
	if h.w.wired(h) {
		h.w.deviceSends()
		h.w.sees("sigma1", &icd.Sigma1{OpenedBy: "controller", Resumption: true})
		h.w.sees("case", &icd.CASE{OpenedBy: "controller", Result: "full"})
	}
	h.w.say(h.by(), "subscribed", &icd.Subscribed{ID: uint32(s.id), Max: ptr(icd.Sec(float64(h.max)))})
	h.w.say(h.by(), "available", &icd.Available{Value: ptr(true)})
	h.w.dev.keepAlive("hub")
}

func (h *hub) heardGoodbye() { h.goneAt = h.w.now }

// heardAnnounce is the kick: a name that newly appears. Apple's controller
// cancels a recovery that has just begun when the name is announced again.
func (h *hub) heardAnnounce(fabric string) {
	if fabric != hubFabric || h.kind != darwin || h.active || h.goneAt < 0 || h.w.now-h.goneAt < 1 {
		return
	}
	epoch := h.epoch
	if h.w.now-h.lostAt < 0.9 {
		return
	}
	if h.attempts < 0 { // a recovery that the first announcement started
		h.epoch++
		h.log("recovery cancelled: node announced again")
		return
	}
	h.attempts = -1
	h.w.after(1.2, func() {
		if h.epoch == epoch {
			h.attempts = 0
			h.try()
		}
	})
}

func (h *hub) listens() (answers, proxy, onRouter bool) {
	return h.alive || h.asleep, h.asleep, h.onRouter
}

func (h *hub) sigma1(done func(bool)) {
	sees := func(result, err string) {
		if h.w.wired(h) {
			h.w.sees("case", &icd.CASE{OpenedBy: "device", Result: result, Error: err})
		}
	}
	if !h.alive {
		h.w.after(13, func() { sees("failed", "timed out: no answer to Sigma1, sent 5 times") })
		h.w.after(30, func() { done(false) })
		return
	}
	h.log("received Sigma1 from node 0x42")
	if h.refuses {
		h.log("Sigma2Resume rejected: InvalidParam")
		sees("failed", "refused: invalid parameter")
		done(false)
		return
	}
	h.log("sent Sigma2")
	if !h.back {
		for i := range 4 {
			h.w.after(float64(2+3*i), func() { h.log("retransmission %d of Sigma2, no ack", i+1) })
		}
		h.w.after(14, func() {
			sees("failed", "timed out: no answer to Sigma2, sent 5 times; it did not arrive, Sigma1 was repeated meanwhile")
		})
		h.w.after(30, func() { h.log("CASE with node 0x42 timed out"); done(false) })
		return
	}
	h.w.after(0.5, func() { h.log("CASE session established"); sees("resumed", ""); done(true) })
}

func (h *hub) report(s *subscription, boot bool) bool {
	known := h.active
	if h.w.wired(h) {
		h.w.deviceSends()
		if !boot {
			h.w.sees("spoke", &icd.Spoke{OpenedBy: "device", Sent: 1, Answered: true})
		}
	}
	h.w.say(h.by(), "report", &icd.Report{ID: uint32(s.id), Known: ptr(known)})
	if known {
		h.lastSeen = h.w.now
	}
	return known
}

func (h *hub) event(number int, press bool) {
	if number < h.filters {
		return
	}
	h.filters = number
	if press && !h.drops {
		h.gotPress = number
		h.w.say(h.by(), "event", &icd.DeviceEvent{Number: uint64(number), Cluster: 59, EventID: 1, Name: "InitialPress"})
	}
	if !press {
		h.w.say(h.by(), "event", &icd.DeviceEvent{Number: uint64(number), Cluster: 40, EventID: 0, Name: "StartUp"})
	}
}

func (h *hub) takesKeepAlive() bool { return h.alive && h.way && h.active }
