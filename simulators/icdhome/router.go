package icdhome

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"threadmap/discovery"
	"threadmap/simulators/mdns"
)

// A borderRouter takes the registrations of the mesh's devices (SRP), announces
// them (advertising proxy) and looks names up for them (discovery proxy).
type borderRouter struct {
	h     *Home
	name  string
	addr  netip.Addr
	voice *voice
	// Guarded by Home.mu.
	alive      bool
	omr        netip.Prefix
	partition  uint32
	txt        bool // its announcements of devices are whole
	replicates bool // announces what another has registered, too
	noLookUp   bool // it has no discovery proxy
	noSRP      bool // it takes no registrations (any more)
}

func (h *Home) addRouter(name string) (*borderRouter, error) {
	b := &borderRouter{h: h, name: name, addr: lan(0xa1 + uint8(len(h.routers))), alive: true, omr: prefixA, partition: 0x1f2e3d4c, txt: true}
	var err error
	if b.voice, err = newVoice(h.net, b.addr); err != nil {
		return nil, err
	}
	b.voice.hear = func(s said) { h.heard(b.addr, s) }
	h.mu.Lock()
	defer h.mu.Unlock()
	h.routers = append(h.routers, b)
	return b, nil
}

// announceSelf announces its border agent.
func (b *borderRouter) announceSelf() {
	b.h.mu.Lock()
	omr, partition := b.omr.Addr().As16(), binary.BigEndian.AppendUint32(nil, b.partition)
	b.h.mu.Unlock()
	xp, _ := hex.DecodeString("1122334455667788")
	txt := [][]byte{
		append([]byte("xp="), xp...), append([]byte("pt="), partition...), append([]byte("omr=\x40"), omr[:8]...),
		[]byte("rv=1"), []byte("nn=MyHome"), []byte("tv=1.3.0"), append([]byte("sb="), 0, 0, 1, 0xb1),
	}
	b.voice.put(mdns.Service{Kind: "_meshcop._udp", Instance: b.name, Host: b.name, Port: 49191, Addrs: []netip.Addr{b.addr}, TXT: txt})
}

// announce announces the device as it registered.
func (b *borderRouter) announce(services []mdns.Service) {
	b.h.mu.Lock()
	whole := b.txt
	b.h.mu.Unlock()
	for _, s := range services {
		if !whole {
			s.TXT = nil
		}
		b.voice.put(s)
	}
}

func (b *borderRouter) announced(instance string) (mdns.Service, bool) {
	b.voice.mu.Lock()
	defer b.voice.mu.Unlock()
	for _, s := range b.voice.services {
		if s.Instance == instance {
			return s, true
		}
	}
	return mdns.Service{}, false
}

// siblings are other devices of the mesh.
func (h *Home) siblings() (out []mdns.Service) {
	for i := range 3 {
		out = append(out, mdns.Service{
			Kind: operational, Instance: h.hub.instanceOf(0x77 + uint64(i)), Host: fmt.Sprintf("00FF00FFB800000%d", i), Port: 5540,
			Addrs: []netip.Addr{netip.AddrFrom16([16]byte{0xfd, 0x11, 0x22, 0x33, 0x44, 0x55, 0, 1, 0, 0xff, 15: byte(i + 1)})}, TXT: [][]byte{[]byte("SII=5000"), []byte("SAI=300"), []byte("SAT=4000")},
		})
	}
	return out
}

// restart is a border router that restarts: it withdraws everything, is away,
// and comes back without the registrations that it had in memory. Other devices
// register anew soon; the device only when its lease ends.
func (b *borderRouter) restart(down time.Duration) {
	b.goDown()
	if !b.h.pause(down) {
		return
	}
	b.goUp()
	if b.h.pause(5 * time.Second) {
		for _, s := range b.h.siblings() {
			b.voice.put(s)
		}
	}
}

func (b *borderRouter) goDown() {
	b.voice.mu.Lock()
	all := append([]mdns.Service(nil), b.voice.services...)
	b.voice.mu.Unlock()
	for _, s := range all {
		b.voice.take(s.Instance)
	}
	b.h.with(func() { b.alive = false })
}

func (b *borderRouter) goUp() {
	b.h.with(func() { b.alive = true })
	b.announceSelf()
	b.advertise()
}

// advertise is its router advertisement: the route into the mesh.
func (b *borderRouter) advertise() {
	b.h.mu.Lock()
	omr := b.omr
	b.h.mu.Unlock()
	b.route(omr, 1800*time.Second)
}

// withdraw takes a route back.
func (b *borderRouter) withdraw(p netip.Prefix) { b.route(p, 0) }

func (b *borderRouter) route(p netip.Prefix, lifetime time.Duration) {
	a := discovery.Advert{At: time.Now(), From: b.addr, Interface: "lan", Prefixes: []discovery.AdvertPrefix{{Prefix: p, Route: true, Lifetime: lifetime}}}
	select {
	case b.h.adverts <- a:
	default: // nobody listens
	}
}

// advertise is what all border routers do every few minutes.
func (h *Home) advertise() {
	h.mu.Lock()
	var up []*borderRouter
	for _, b := range h.routers {
		if b.alive {
			up = append(up, b)
		}
	}
	h.mu.Unlock()
	for _, b := range up {
		b.advertise()
	}
}

// serving is the border router that takes the device's registration; nil: none.
func (h *Home) serving() *borderRouter {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, b := range h.routers {
		if b.alive && !b.noSRP {
			return b
		}
	}
	return nil
}
