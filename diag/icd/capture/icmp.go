package capture

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"threadmap/diag/icd"
)

// Types of ICMPv6 (RFC 4443, RFC 4861).
const (
	icmpUnreachable = 1
	icmpTimeout     = 3
	icmpEcho        = 128
	icmpEchoReply   = 129
	icmpAdvert      = 134
	icmpNeighbour   = 136
)

// patience is how long a ping may take: a device that sleeps shortly answers
// within its poll period of 15 s.
const patience = int64(20 * time.Second)

type icmp struct {
	pending    map[echo]int // index into pings
	pings      []ping
	errors     []icmpError
	neighbours []neighbour
	owner      map[netip.Addr]mac
}

type echo struct {
	from, to netip.Addr
	id       uint32 // and sequence number
}

type ping struct {
	at, rtt  int64 // rtt < 0: not answered
	from, to netip.Addr
}

// icmpError is a router's or host's word that a packet did not get there.
type icmpError struct {
	at                 int64
	router, from, dest netip.Addr // whose word it is; the packet
	kind, code         uint8
}

type neighbour struct {
	at   int64
	addr netip.Addr
	mac  mac
}

func newICMP() icmp {
	return icmp{pending: map[echo]int{}, owner: map[netip.Addr]mac{}}
}

func (h *home) takeICMP(p *packet, d *datagram, from mac) {
	b := d.payload
	if len(b) < 8 {
		h.counts.Malformed++
		return
	}
	x := &h.icmp
	switch b[0] {
	case icmpEcho:
		e := echo{d.src, d.dst, binary.BigEndian.Uint32(b[4:])}
		if d.dst.IsMulticast() {
			return
		}
		if i, ok := x.pending[e]; ok && p.at-x.pings[i].at < patience {
			return // a copy, or the same number again
		}
		if !h.room(len(x.pings), maxPings, d.src, d.dst) {
			h.counts.Dropped++
			return
		}
		x.pending[e] = len(x.pings)
		x.pings = append(x.pings, ping{p.at, -1, d.src, d.dst})
	case icmpEchoReply:
		if i, ok := x.pending[echo{d.dst, d.src, binary.BigEndian.Uint32(b[4:])}]; ok && x.pings[i].rtt < 0 && p.at >= x.pings[i].at {
			x.pings[i].rtt = p.at - x.pings[i].at
		}
	case icmpUnreachable, icmpTimeout:
		inner := b[8:]
		if len(inner) < 40 || inner[0]>>4 != 6 {
			return
		}
		if len(x.errors) >= maxErrors {
			h.counts.Dropped++
			return
		}
		x.errors = append(x.errors, icmpError{p.at, d.src, netip.AddrFrom16([16]byte(inner[8:24])), netip.AddrFrom16([16]byte(inner[24:40])), b[0], b[1]})
	case icmpAdvert:
		// Only from a neighbour: who is further away can't set the hop limit.
		if d.hops != 255 || !d.src.IsLinkLocalUnicast() || h.copied(p.at, d.src, b) {
			return
		}
		h.machine(d.src, from)
		h.keep(heardLine{at: p.at, from: netip.AddrPortFrom(d.src, 0), iface: p.iface, payload: slices.Clone(b), advert: true})
	case icmpNeighbour:
		h.takeNeighbour(p.at, d)
	}
}

// takeNeighbour reads a neighbour advertisement (RFC 4861, section 4.4): whose
// machine answers for an address. When that changes, a sleep proxy may have
// taken it over.
func (h *home) takeNeighbour(at int64, d *datagram) {
	b := d.payload
	if d.hops != 255 || len(b) < 32 || b[24] != 2 || b[25] != 1 {
		return
	}
	target, m := netip.AddrFrom16([16]byte(b[8:24])), mac(b[26:32])
	x := &h.icmp
	old, known := x.owner[target]
	switch {
	case known && old == m:
		return
	case !known && len(x.owner) >= maxHosts, len(x.neighbours) >= maxErrors:
		h.counts.Dropped++
		return
	}
	x.owner[target] = m
	x.neighbours = append(x.neighbours, neighbour{at, target, m})
}

// pingsOf are the pings to the device's addresses. One that was not answered
// counts only where the capture goes on long enough, and sees what is sent to
// its sender.
func (h *home) pingsOf(dev *device, add func(int64, icd.Observation)) {
	heard := map[netip.Addr]bool{}
	for _, p := range h.icmp.pings {
		if p.rtt >= 0 {
			heard[p.from] = true
		}
	}
	for a := range h.talks.to {
		heard[a] = true
	}
	for _, p := range h.icmp.pings {
		if !dev.has(p.to) {
			continue
		}
		w := &icd.Ping{To: p.to.String(), From: p.from.String(), Sent: 1}
		switch {
		case p.rtt >= 0:
			ms := float64(p.rtt/int64(time.Microsecond)) / 1000
			w.Received, w.RTT = 1, &ms
			add(p.at+p.rtt, icd.Observation{By: icd.ByICMP, Event: "ping", What: w})
		case h.end-p.at >= patience && heard[p.from]:
			add(p.at+patience, icd.Observation{By: icd.ByICMP, Event: "ping", What: w})
		}
	}
}
