package scenario

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"threadmap/diag/icd"
)

const (
	deviceExt  = "1a2b3c4d5e6f7081"
	hubNode    = "00000000000A0001"
	canaryNode = "000000000000C0DE"
	prefixA    = "fd11:2233:4455:1::/64"
	prefixB    = "fd11:2233:4455:2::/64"
	addressA   = "fd11:2233:4455:1:99aa:bbcc:ddee:ff01"
	meshLocal  = "fd00:db8:0:1:1234:5678:9abc:def0"
)

// A happening is something due at a time.
type happening struct {
	at  float64
	n   int
	run func()
}

// A World is one simulated home. Times are seconds.
type World struct {
	now   float64
	queue []happening
	n     int
	rng   *rand.Rand
	lines []icd.Observation
	said  map[string]int // announcements by name and sender

	dev     device
	mesh    mesh
	routers []*borderRouter
	hub     hub
	canary  canary
	wire    wire
	host    host
}

func newWorld(seed uint64) *World {
	w := &World{said: map[string]int{}, rng: rand.New(rand.NewPCG(seed, 20260822))}
	w.mesh = mesh{routers: []*router{{rloc: "0x5c00", alive: true, others: 3}, {rloc: "0xb800", alive: true, others: 2}}, netdata: []string{prefixA}, srp: true}
	w.routers = []*borderRouter{{w: w, name: "Kitchen", addr: "fe80::aa", alive: true, omr: prefixA, partition: "1f2e3d4c", txt: true}}
	w.dev = device{
		w: w, persists: true, txt: map[string]string{"SII": "5000", "SAI": "300", "SAT": "4000"}, timeout: 240, poll: 5,
		address: addressA, number: 0x10040, rebootCount: 17, booted: -86400 * 3, urgent: true, regGap: 0.6 + 1.8*w.rng.Float64(), bootReason: 1,
	}
	w.hub = hub{w: w, name: "Living room hub", alive: true, way: true, back: true, kind: chip, max: 3600, own: "Livingroom.local"}
	w.canary = canary{w: w, max: 120}
	w.host = host{route: true}
	return w
}

// after runs f after d seconds, with some noise where jitter is given.
func (w *World) after(d float64, f func()) {
	w.n++
	h := happening{w.now + d, w.n, f}
	i, _ := slices.BinarySearchFunc(w.queue, h, func(a, b happening) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.n, b.n)) })
	w.queue = slices.Insert(w.queue, i, h)
}

func (w *World) run(until float64) {
	for len(w.queue) > 0 && w.queue[0].at <= until {
		h := w.queue[0]
		w.queue = w.queue[1:]
		w.now = h.at
		h.run()
	}
	w.now = until
}

// every runs f each d seconds, for ever.
func (w *World) every(d float64, f func()) {
	w.after(d, func() { f(); w.every(d, f) })
}

func (w *World) say(by, event string, what any) { w.sayOf("", by, event, what) }

// announce multicasts a record: twice, a second apart (RFC 6762, section 8.3).
// A goodbye in between ends it.
func (w *World) announce(event string, a *icd.Announce) {
	w.say(icd.ByMDNS, event, a)
	n := w.said[a.Instance+a.From] + 1
	w.said[a.Instance+a.From] = n
	w.after(1, func() {
		if w.said[a.Instance+a.From] == n {
			w.say(icd.ByMDNS, event, a)
		}
	})
}

func (w *World) sayOf(ext, by, event string, what any) {
	w.lines = append(w.lines, icd.Observation{At: icd.Sec(w.now), By: by, Event: event, Ext: icd.NodeName(ext), What: what})
}

// timeline is what observers up to a rung saw.
func (w *World) timeline(rung int) *icd.Timeline {
	t := icd.NewTimeline(deviceExt, time.Date(2026, 8, 22, 10, 0, 0, 0, time.UTC))
	need := map[string]int{icd.ByICMP: 1, icd.ByTMF: 2, icd.ByCanary: 3, icd.ByHA: 4, icd.ByController: 4, icd.ByCapture: 5}
	for _, o := range w.lines {
		if a, ok := o.What.(*icd.Announce); ok && rung < 3 && strings.HasPrefix(a.Instance, ourFabric) {
			continue // without a canary there is no such fabric
		}
		if q, ok := o.What.(*icd.Question); ok && rung < 3 && strings.HasPrefix(q.Name, ourFabric) {
			continue
		}
		if q, ok := o.What.(*icd.Answer); ok && rung < 3 && strings.HasPrefix(q.Name, ourFabric) {
			continue
		}
		if need[o.By] <= rung {
			t.Add(o)
		}
	}
	return t
}

func ptr[T any](v T) *T { return &v }

// host is the machine that the observer runs on.
type host struct{ route bool }

func (w *World) instance(fabric string) string { return fabric + "-0000000000000042" }

func (w *World) fabrics() []string { return []string{hubFabric, ourFabric} }

// start begins a home in which all is well.
func (w *World) start() {
	for _, b := range w.routers {
		b.announceSelf()
		b.advertise()
	}
	w.dev.attach(w.mesh.routers[1])
	w.dev.connected = -5000
	for _, b := range w.routers {
		if b.alive {
			b.registered = true
			b.announceDevice()
			break
		}
	}
	w.dev.subs = map[string]*subscription{
		"hub":    {id: 4711, max: w.hub.max, fabric: hubFabric, node: hubNode, live: true, stored: true, to: &w.hub},
		"canary": {id: 815, max: w.canary.max, fabric: ourFabric, node: canaryNode, live: true, stored: true, to: &w.canary},
	}
	w.hub.start()
	w.canary.start()
	w.every(200, func() {
		for _, b := range w.routers {
			if b.alive {
				b.advertise()
			}
		}
	})
	w.every(60, w.poll)
	w.every(45, w.ping)
	if w.host.route {
		w.say(icd.ByHost, "route", &icd.Route{Prefix: prefixA, Present: ptr(true)})
	}
	for _, s := range []string{"hub", "canary"} {
		w.dev.keepAlive(s)
	}
}

// poll asks the mesh with its credential: each router of the half that the
// first border router is in.
func (w *World) poll() {
	var asked []string
	var parent *router
	for _, r := range w.mesh.routers {
		if r.otherHalf {
			continue
		}
		if !r.alive {
			w.say(icd.ByTMF, "router-silent", &icd.RouterSilent{RLOC16: r.rloc})
			continue
		}
		asked = append(asked, r.rloc)
		w.say(icd.ByTMF, "router", &icd.Router{RLOC16: r.rloc, Children: ptr(r.others + b2i(r == w.dev.parent && r.has))})
		if r == w.dev.parent && r.has {
			parent = r
		}
	}
	for _, r := range w.mesh.routers {
		if r.otherHalf {
			continue
		}
		for i := range r.others {
			ext := fmt.Sprintf("00ff00ff%s%04d", r.rloc[2:], i)
			if r.alive {
				w.sayOf(ext, icd.ByTMF, "child", &icd.Child{Parent: r.rloc, Age: ptr(icd.Sec(w.rng.Float64() * 10)), Timeout: ptr(icd.Sec(240))})
			} else {
				w.sayOf(ext, icd.ByTMF, "no-child", &icd.NoChild{Asked: asked})
			}
		}
	}
	if parent != nil {
		c := &icd.Child{Parent: parent.rloc, RLOC16: "0xb801", Age: ptr(icd.Sec(w.dev.age())), Timeout: ptr(icd.Sec(w.dev.timeout)), Queued: ptr(w.dev.queued)}
		if up := w.now - w.dev.connected; up >= 0 {
			c.Connected = ptr(icd.Sec(up))
		}
		w.sayOf(deviceExt, icd.ByTMF, "child", c)
	} else {
		w.sayOf(deviceExt, icd.ByTMF, "no-child", &icd.NoChild{Asked: asked})
	}
	nd := &icd.Netdata{SRP: []icd.SRPServer{}, Prefixes: []icd.NetdataPrefix{}}
	if w.mesh.srp {
		nd.SRP = append(nd.SRP, icd.SRPServer{Address: "fd00:db8:0:1:0:ff:fe00:5c00", Port: 53535})
	}
	for _, p := range w.mesh.netdata {
		nd.Prefixes = append(nd.Prefixes, icd.NetdataPrefix{Prefix: p, SLAAC: ptr(true)})
	}
	w.say(icd.ByTMF, "netdata", nd)
}

// ping touches the device: from the host to its announced address, from a
// border router to its mesh-local one as well.
func (w *World) ping() {
	p := &icd.Ping{To: w.dev.address, From: "host", Sent: 1}
	switch {
	case !w.host.route:
		p.Error = "connect: Network is unreachable"
	case w.reach() && !w.dev.unknownAddress && w.dev.idle <= 15:
		p.Received, p.RTT = 1, ptr(w.rng.Float64()*w.dev.poll*1000)
	}
	w.say(icd.ByICMP, "ping", p)
	if w.rng.IntN(2) == 0 {
		m := &icd.Ping{To: meshLocal, From: "otbr", Sent: 1}
		if w.dev.attached() && !w.dev.parent.otherHalf && w.dev.idle <= 15 {
			m.Received = 1
		}
		w.say(icd.ByICMP, "ping", m)
		if !w.host.route {
			o := *p
			o.From, o.Error = "otbr", ""
			o.Received = b2i(w.reach() && w.dev.idle <= 15)
			w.say(icd.ByICMP, "ping", &o)
		}
	}
}

// reach reports whether packets from the LAN get to the device's announced address.
func (w *World) reach() bool {
	if !w.dev.attached() || w.dev.parent.otherHalf || !slices.Contains(w.mesh.netdata, prefixA) || w.mesh.cut {
		return false
	}
	return slices.ContainsFunc(w.routers, func(b *borderRouter) bool { return b.alive })
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
