package icdhome

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"threadmap/diag"
	"threadmap/diag/icd"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
	"threadmap/discovery"
	"threadmap/simulators/mdns"
	"threadmap/simulators/simnet"
)

// Who is where on the LAN, and which prefixes the mesh has.
var (
	prefixA = netip.MustParsePrefix("fd11:2233:4455:1::/64")
	prefixB = netip.MustParsePrefix("fd11:2233:4455:2::/64")
)

const (
	// DeviceExt is the extended address of the device that restarts.
	DeviceExt diag.ExtAddr = 0x1a2b3c4d5e6f7081
	// DeviceNode is its node id in all fabrics.
	DeviceNode uint64 = 0x42
)

func lan(n uint8) netip.Addr {
	return netip.AddrFrom16([16]byte{0xfd, 0, 0, 1, 15: n})
}

// deviceAddr is the device's address in a prefix.
func deviceAddr(p netip.Prefix) netip.Addr {
	b := p.Addr().As16()
	copy(b[8:], []byte{0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01})
	return netip.AddrFrom16(b)
}

// Options say which home it is.
type Options struct {
	Seed uint64
	// Quick has a short life: what takes a device some seconds takes it less, for
	// a demo that somebody waits for.
	Quick bool
}

// A Home is one that is being simulated. Set its fields before Start.
type Home struct {
	// Observe takes what the wire does not carry.
	Observe icd.Observe

	before func() // what happened before the story begins

	o       Options
	net     *simnet.Net
	began   time.Time
	adverts chan discovery.Advert
	ctx     context.Context
	stop    context.CancelFunc
	going   sync.WaitGroup

	ours    *fabric.Authority // threadmap's own fabric
	routers []*borderRouter
	hub     *hub
	more    []*hub // other controllers
	dev     *device

	randMu sync.Mutex
	rand   *rand.Rand

	// mu guards what Home.fate looks at, and the mesh. It is never held while
	// something is sent.
	mu      sync.Mutex
	mesh    mesh
	asleep  map[netip.Addr]bool
	lost    map[netip.Addr]bool // LAN hosts that the mesh's packets don't come from
	noRoute map[netip.Prefix]bool
	dropped map[netip.Prefix]bool // prefixes into which nobody forwards
	cut     bool                  // nothing passes between mesh and LAN
}

// New makes a home with one border router, one controller and one device, in
// which all is well.
func New(o Options) (*Home, error) {
	h := &Home{
		o: o, rand: rand.New(rand.NewPCG(o.Seed, 0x1cd)), Observe: func(time.Time, icd.Observation) {},
		asleep: map[netip.Addr]bool{}, lost: map[netip.Addr]bool{}, noRoute: map[netip.Prefix]bool{}, dropped: map[netip.Prefix]bool{},
	}
	h.net, h.adverts = &simnet.Net{Fate: h.fate}, make(chan discovery.Advert, 64)
	h.ctx, h.stop = context.WithCancel(context.Background())
	h.mesh = newMesh()
	var err error
	if h.ours, err = fabric.New(fabric.Config{}); err != nil {
		return nil, err
	}
	if _, err = h.addRouter("Kitchen"); err != nil {
		return nil, err
	}
	h.hub = h.newHub("Living room hub")
	h.dev = newDevice(h)
	return h, nil
}

// Start starts everything. On an error nothing is left running.
func (h *Home) Start() error {
	h.began = time.Now()
	if err := h.start(); err != nil {
		h.Close()
		return fmt.Errorf("simulated home: %w", err)
	}
	return nil
}

func (h *Home) start() error {
	for _, b := range h.routers {
		b.voice.start()
		b.announceSelf()
	}
	if err := h.dev.start(); err != nil {
		return err
	}
	h.dev.attach()
	h.mesh.connected = h.began.Add(-5000 * time.Second)
	h.dev.register(true)
	for _, u := range append([]*hub{h.hub}, h.more...) {
		if err := u.start(); err != nil {
			return err
		}
	}
	if h.before != nil {
		h.before()
	}
	often := time.Minute
	if h.o.Quick {
		often = 4 * time.Second
	}
	h.every(often, h.pollMesh)
	h.every(200*time.Second, h.advertise)
	return nil
}

// Close ends everything and waits for it.
func (h *Home) Close() error {
	h.stop()
	for _, u := range append([]*hub{h.hub}, h.more...) {
		u.close()
	}
	h.dev.close()
	for _, b := range h.allRouters() {
		b.voice.close()
	}
	h.going.Wait()
	return nil
}

// Name is what observations call the device.
func (h *Home) Name() icd.NodeName { return icd.NodeName(fmt.Sprintf("%016x", uint64(DeviceExt))) }

// Fabric is the observer's own fabric, which the device is on.
func (h *Home) Fabric() *fabric.Authority { return h.ours }

// Host is the n-th address of the observer's machine.
func (h *Home) Host(n uint8) netip.Addr { return lan(0x10 + n) }

// Listen opens a socket of the observer's machine.
func (h *Home) Listen(at netip.AddrPort) (*simnet.Conn, error) { return h.net.ListenPacket(at) }

// Socket opens a socket of multicast DNS on the observer's machine.
func (h *Home) Socket(n uint8) (*simnet.Conn, error) {
	c, err := h.net.ListenPacket(netip.AddrPortFrom(h.Host(n), mdns.Port))
	if err != nil {
		return nil, err
	}
	return c, c.JoinGroup(group)
}

// Adverts are the router advertisements of the LAN, which simnet does not carry.
func (h *Home) Adverts() <-chan discovery.Advert { return h.adverts }

// Group is where multicast DNS is spoken.
func Group() netip.AddrPort { return group }

// Place is where the device is, as the LAN's border routers announce it now;
// false: they don't.
func (h *Home) Place() (addrs []netip.AddrPort, p message.SessionParameters, longIdle, ok bool) {
	instance := h.ours.Member().InstanceName(DeviceNode)
	for _, b := range h.allRouters() {
		if s, ok := b.announced(instance); ok {
			place := placeOf(s.Addrs, s.Port, s.TXT)
			return place.Addresses, place.Parameters, place.LongIdle, true
		}
	}
	return nil, p, false, false
}

// allRouters are the border routers of now: one may come during a story.
func (h *Home) allRouters() []*borderRouter {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.routers)
}

func (h *Home) see(by, event string, what any) { h.Observe.See(time.Now(), by, event, what) }

func (h *Home) seeOf(ext, by, event string, what any) {
	h.Observe(time.Now(), icd.Observation{By: by, Event: event, Ext: icd.NodeName(ext), What: what})
}

func (h *Home) random() float64 {
	h.randMu.Lock()
	defer h.randMu.Unlock()
	return h.rand.Float64()
}

// seconds is a time of some seconds; a quick home takes less.
func (h *Home) seconds(least, more float64) time.Duration {
	s := least + more*h.random()
	if h.o.Quick {
		s = min(s, 1.3)
	}
	return time.Duration(s * float64(time.Second))
}

// pause waits; false: the home is closed.
func (h *Home) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return h.ctx.Err() == nil
	case <-h.ctx.Done():
		return false
	}
}

// Go runs a part of a story beside the others, until the home is closed.
func (h *Home) Go(f func()) { h.going.Go(f) }

// After runs f later.
func (h *Home) After(d time.Duration, f func()) {
	h.going.Go(func() {
		if h.pause(d) {
			f()
		}
	})
}

// at runs f so long after the start, in seconds.
func (h *Home) at(s float64, f func()) { h.After(time.Duration(s*float64(time.Second)), f) }

func (h *Home) every(d time.Duration, f func()) {
	h.going.Go(func() {
		for f(); h.pause(d); {
			f()
		}
	})
}

// fate is what becomes of a packet; see the package comment.
func (h *Home) fate(p simnet.Packet) []time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	from, to := p.From.Addr(), p.To.Addr()
	if h.asleep[from] || h.asleep[to] {
		return nil
	}
	if p.Group.IsValid() {
		return []time.Duration{time.Millisecond}
	}
	mesh, host := from, to
	if inMesh(to) {
		mesh, host = to, from
	}
	if !inMesh(mesh) {
		return []time.Duration{time.Millisecond}
	}
	prefix, _ := mesh.Prefix(64)
	inward := inMesh(to)
	switch {
	case !h.reachable(prefix), inward && (h.noRoute[prefix] && slices.Contains(h.observers(), host) || h.dropped[prefix]), inward && h.lost[host]:
		return nil
	}
	return []time.Duration{20 * time.Millisecond}
}

func (h *Home) observers() []netip.Addr {
	return []netip.Addr{h.Host(0), h.Host(1), h.Host(2), h.Host(3), h.hub.addr}
}

func inMesh(a netip.Addr) bool { return prefixA.Contains(a) || prefixB.Contains(a) }

// reachable reports whether packets pass between the LAN and the device at an
// address of a prefix. mu is held.
func (h *Home) reachable(p netip.Prefix) bool {
	m := &h.mesh
	if h.cut || !m.attached() || m.parent.otherHalf || m.unknownAddress || !slices.Contains(m.prefixes, p) {
		return false
	}
	return slices.ContainsFunc(h.routers, func(b *borderRouter) bool { return b.alive })
}

// with changes something that fate looks at.
func (h *Home) with(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

// session are the parameters that TXT tells.
func session(txt [][]byte) (p message.SessionParameters, longIdle bool) {
	s := discovery.ParseSession(discovery.TXT(txt))
	return message.SessionParameters{Idle: s.Idle.Value, Active: s.Active.Value, ActiveThreshold: s.Threshold.Value}, s.LIT.Value
}
