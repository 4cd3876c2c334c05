package capture

import (
	"hash/maphash"
	"net/netip"
	"time"
)

// What is kept of a file, at most. A home has a fraction of it in a day.
const (
	maxHosts     = 8192
	maxPerHost   = 16
	maxSightings = 200_000 // of mDNS and router advertisements
	maxAttempts  = 20_000
	maxTalks     = 8192
	maxSpokes    = 50_000
	maxPings     = 20_000
	maxErrors    = 4096
	maxDevices   = 1024
	maxTries     = 100_000 // of our own keys on foreign handshakes
)

// Ports that are never Matter's.
const (
	portMDNS = 5353
	minPort  = 1024
)

// twice is how long after a packet its copy comes where one capture has two
// interfaces of a bridge. A repeated message of Matter or mDNS comes later.
const twice = int64(50 * time.Millisecond)

// home gathers what the packets of a file tell. What a packet means may become
// clear only later, when a name is announced, so everything is kept as it was
// seen until the end, within bounds.
type home struct {
	o           Options
	counts      Counts
	start, end  int64
	last, shift int64 // see [home.clock]
	book        book
	heard       []heardLine
	heardOctets int
	icmp        icmp
	handshakes  handshakes
	talks       talks
	recent      [64]recently
	recentNext  int
	seed        maphash.Seed
	fabrics     map[netip.AddrPort]string // see [home.fabric]
	tries       int
	machines    map[netip.Addr]mac // who sends from an address, on this link
}

type recently struct {
	sum uint64
	at  int64
}

func newHome(o Options) *home {
	h := &home{
		o: o, book: newBook(), icmp: newICMP(), handshakes: newHandshakes(), talks: newTalks(), seed: maphash.MakeSeed(),
		machines: map[netip.Addr]mac{}, fabrics: map[netip.AddrPort]string{},
	}
	for _, a := range o.Addresses {
		h.book.thread[a.WithZone("")] = true
	}
	return h
}

// take looks at one packet.
func (h *home) take(p *packet) {
	c := &h.counts
	c.Packets++
	c.Octets += int64(len(p.data))
	h.clock(p)
	if c.Packets == 1 {
		h.start, h.end = p.at, p.at
	}
	h.start, h.end = min(h.start, p.at), max(h.end, p.at)
	ip, from := network(p.link, p.data)
	if ip == nil {
		return
	}
	var d datagram
	switch unpack(ip, &d) {
	case ipOther:
		return
	case ipFragment:
		c.Fragments++
		return
	case ipBad:
		c.Malformed++
		return
	}
	if d.proto == protoICMPv6 {
		h.takeICMP(p, &d, from)
		return
	}
	src, dst, payload, ok := d.udp()
	switch {
	case !ok:
		c.Malformed++
	case src.Port() == portMDNS || dst.Port() == portMDNS:
		if !h.copied(p.at, src.Addr(), payload) {
			h.takeMDNS(p, src, dst, payload, from)
		}
	case src.Port() < minPort || dst.Port() < minPort || d.dst.IsMulticast():
	case len(payload) >= 8 && payload[0]&0xf0 == 0 && payload[3] == 0:
		h.takeMatter(p.at, src, dst, payload)
	}
}

// clockSet is a step of time that no pause of a LAN explains.
const clockSet = int64(30 * 24 * time.Hour)

// clock takes out the steps of a clock that is set while it captures, as that of
// a router that learns the time after it has started: packets before the step
// count back from it.
func (h *home) clock(p *packet) {
	if step := p.at - h.last; h.counts.Packets > 1 && (step > clockSet || step < -clockSet) {
		h.shift += step
	}
	h.last = p.at
	p.at -= h.shift
}

// copied reports whether the packet was captured a moment before.
func (h *home) copied(at int64, from netip.Addr, payload []byte) bool {
	var m maphash.Hash
	m.SetSeed(h.seed)
	a := from.As16()
	_, _ = m.Write(a[:])
	_, _ = m.Write(payload)
	sum := m.Sum64()
	for _, r := range h.recent {
		if r.sum == sum && at-r.at < twice && r.at-at < twice {
			h.counts.Duplicate++
			return true
		}
	}
	h.recent[h.recentNext] = recently{sum, at}
	h.recentNext = (h.recentNext + 1) % len(h.recent)
	return false
}

// room reports whether there is room for one more thing between two addresses:
// what may be of a Thread device's has room beyond that of all else, so that no
// flood crowds it out.
func (h *home) room(n, bound int, a, b netip.Addr) bool {
	return n < bound || n < 2*bound && (h.book.thread[a] || h.book.thread[b])
}

// machine notes who sends from an address. It is asked about multicast only,
// which no router passes on.
func (h *home) machine(a netip.Addr, m mac) {
	if m == (mac{}) {
		return
	}
	if _, known := h.machines[a]; known || len(h.machines) < maxHosts {
		h.machines[a] = m
	}
}

// senders gives each address the name of its machine: a link-local address of
// it, where one was seen. A border router that says the same over IPv4 and IPv6
// is one border router.
func (h *home) senders() map[netip.Addr]netip.Addr {
	best := map[mac]netip.Addr{}
	better := func(a, b netip.Addr) bool {
		if x, y := a.IsLinkLocalUnicast() && a.Is6(), b.IsLinkLocalUnicast() && b.Is6(); x != y {
			return x
		}
		if a.Is6() != b.Is6() {
			return a.Is6()
		}
		return a.Less(b)
	}
	for a, m := range h.machines {
		if old, ok := best[m]; !ok || better(a, old) {
			best[m] = a
		}
	}
	out := make(map[netip.Addr]netip.Addr, len(h.machines))
	for a, m := range h.machines {
		out[a] = best[m]
	}
	return out
}
