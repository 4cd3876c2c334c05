package icd

import "fmt"

// Numbers of the stacks in the field. Sources: connectedhomeip e9fd78e
// (CHIPConfig.h, SubscriptionResumptionSessionEstablisher, ReadClient),
// matter.js b851ce0 (PhysicalDeviceProperties), the Matter framework of Darwin.
const (
	lookUp       = 45 * second // a device's DNS-SD look-up of its subscriber
	handshake    = 60 * second // Sigma1 with its retransmissions towards a sleepy network
	attachTime   = 30 * second // attach, register, start the server
	capCHIP      = 5538 * second
	capDarwin    = hour
	capResume    = 6 * hour
	mrpMargin    = 38 * second // what a subscriber adds to MaxInterval: the report's worst case
	graceMJS     = 3 * minute
	maxIntCHIP   = hour // of a publisher that is no ICD, or whose IdleModeDuration is less
	minIntDarwin = 10 * minute
	leaseSRP     = 2 * hour
	longestIdle  = 18 * hour // IdleModeDuration at most
)

// resumeRetry is how long a device waits after its n-th failed attempt to
// resume (n from 0), where it tries more than once.
func resumeRetry(n int) Seconds {
	a, b := 0, 1
	for range min(n, 40) {
		a, b = b, a+b
	}
	return min(300*second+Seconds(a)*300*second, capResume)
}

// fibonacciBackOff is the longest wait of the CHIP SDK's controller before its
// n-th attempt to subscribe anew; the shortest is 30 % of it.
func fibonacciBackOff(n int) Seconds {
	a, b := 0, 1
	for range min(n, 40) {
		a, b = b, a+b
	}
	return min(Seconds(a)*10*second, capCHIP)
}

// A window is when something is due.
type window struct{ from, to Seconds }

// resumeDue is when a device that keeps its subscriptions must have tried to
// open a session: its timer is the largest MinInterval of all it keeps.
func (v *view) resumeDue() window {
	largest := Seconds(0)
	for _, by := range []string{ByCanary, ByHA, ByController} {
		for o, w := range ours[Subscribed](v, by+" subscribed") {
			if o.At <= v.t0 && w.Min != nil {
				largest = max(largest, *w.Min)
			}
		}
	}
	return window{v.t0 + largest, v.t0 + largest + attachTime + lookUp + handshake}
}

// livenessDue is when the subscriber notices the silence by itself.
func (v *view) livenessDue(h *history) window {
	lo, hi := 3*minute, maxIntCHIP // MaxInterval
	margin := window{mrpMargin, mrpMargin}
	switch v.sub.kind {
	case darwinController:
		lo, hi = minIntDarwin, maxIntCHIP
	case matterJSController:
		lo, hi = 3*minute, 11*minute
		margin = window{0, graceMJS}
	}
	if idle, ok := v.idle(); ok {
		// A sleepy device of the CHIP SDK takes its IdleModeDuration for MaxInterval,
		// whatever less the subscriber asks for; others do as they are asked.
		lo, hi = min(idle, lo), max(idle, hi)
		if v.sub.kind != matterJSController {
			hi = max(idle, lo)
		}
	} else if v.mode == ModeLongIdle {
		hi = max(hi, maxIntCHIP)
	}
	if h.max >= 0 {
		lo, hi = h.max, h.max
	}
	// Its clock began at the last report: where that is not known, at most one
	// MaxInterval before the start.
	from, to := v.t0-lo, v.t0
	if s := h.served(); s.at > never && s.o.By != ByUser {
		from, to = s.at, max(s.at, v.t0)
	}
	return window{from + lo + margin.from, to + hi + margin.to}
}

// recoveryDue is when the subscriber must have subscribed anew.
func (v *view) recoveryDue(h *history) window {
	for i := len(h.logs) - 1; i >= 0; i-- {
		if l := h.logs[i]; l.retryIn > 0 && l.o.At > h.anew.at {
			// The wait that it names is drawn already: what follows it is the attempt.
			if w := (window{l.o.At + l.retryIn, l.o.At + l.retryIn + handshake}); w.to >= v.at || h.down().at == never {
				return w
			}
			break // that attempt was in vain
		}
	}
	limit := Seconds(capCHIP)
	if v.sub.kind == darwinController {
		limit = capDarwin
	}
	if d := h.down(); d.at > never {
		return window{d.at, d.at + limit + handshake}
	}
	w := v.livenessDue(h)
	first := fibonacciBackOff(2)
	if v.sub.kind == darwinController {
		first = 2 * second
	}
	return window{w.from, w.to + first + handshake}
}

// await lists what may still happen by itself.
func (v *view) await(h *history, c *chain) []Await {
	out := []Await{}
	add := func(what string, w window) {
		if w.to > v.at {
			out = append(out, Await{what, max(w.from, v.at), w.to})
		}
	}
	name := v.sub.name
	if name == "" {
		name = "the controller"
	}
	if v.rebooted && c.state(L7) == Unknown && v.orderlyStop() == nil {
		add("the device looks its subscriber up and opens a session to it", v.resumeDue())
	}
	if n, last := v.retries(h); n > 0 && (c.state(L7) == Broken || c.state(L6) == Broken) {
		wait := resumeRetry(n - 1)
		add(fmt.Sprintf("the device tries again (attempt %d), if its firmware tries more than once", n+1), window{last + wait, last + wait + lookUp + handshake})
	}
	if v.mode == ModeLongIdle && h.checkIn.at < v.t0 {
		what := "the device wakes and checks in with a registered client that has no subscription"
		if byFabric, _, known := v.registrations(); known {
			if index, ok := v.fabricIndex(); ok && byFabric[index] == 0 || len(byFabric) == 0 {
				what = "the device wakes (to check in with nobody: no client of this controller is registered)"
			}
		}
		if idle, ok := v.idle(); ok {
			add(what, window{v.t0, v.t0 + idle + attachTime + minute})
		} else {
			add(what, window{v.t0, v.t0 + longestIdle + attachTime + minute})
		}
	}
	if c.state(L4) == Broken {
		add("the device registers with the border router again, near the end of its lease", window{v.at, c.at(L4) + leaseSRP})
	}
	if h.down().at == never && c.state(L9) != Seen {
		add(fmt.Sprintf("%s notices the silence (MaxInterval and margin, as for %s)", name, kindNames[v.sub.kind]), v.livenessDue(h))
	}
	if c.state(L9) != Seen {
		add(name+" subscribes anew", v.recoveryDue(h))
	}
	return out
}

// retries counts the attempts of the device to reach the subscriber since t0
// that were seen and did not succeed, and when the last was.
func (v *view) retries(h *history) (n int, last Seconds) {
	last = never
	for _, at := range v.attempts(h) {
		n, last = n+1, at
	}
	return n, last
}
