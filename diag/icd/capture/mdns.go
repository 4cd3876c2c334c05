package capture

import (
	"net/netip"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/icd/listen/heard"
	"threadmap/discovery"
	"threadmap/discovery/mdns"
)

// maxHeard bounds the octets of the messages that are kept.
const maxHeard = 64 << 20

// A heardLine is an mDNS message or a router advertisement. Whether it says
// anything of the device is known at the end of the file only, so it is kept as
// it came.
type heardLine struct {
	at      int64
	from    netip.AddrPort
	iface   string
	payload []byte
	advert  bool
}

func (h *home) takeMDNS(p *packet, src, dst netip.AddrPort, payload []byte, from mac) {
	h.counts.MDNS++
	if dst.Addr().IsMulticast() {
		h.machine(src.Addr(), from)
	}
	m, err := mdns.Parse(payload)
	if err != nil {
		h.counts.Malformed++
	}
	if m == nil || !h.book.learn(m, p.at, src.Addr()) {
		return
	}
	h.keep(heardLine{at: p.at, from: src, iface: p.iface, payload: append([]byte(nil), payload...)})
}

func (h *home) keep(l heardLine) {
	if len(h.heard) >= maxSightings || h.heardOctets+len(l.payload) > maxHeard {
		h.counts.Dropped++
		return
	}
	h.heardOctets += len(l.payload)
	h.heard = append(h.heard, l)
}

// tellHeard says what the LAN's messages say of the device, as they would have
// been heard by somebody who knew its fabrics from the start.
func (h *home) tellHeard(node icd.NodeName, fabrics []uint64, add func(int64, icd.Observation)) {
	s := heard.NewScope(node, fabrics...)
	senders := h.senders()
	var last int64
	for _, l := range h.heard {
		last = max(last, l.at) // interfaces' packets may not be in order
		at := time.Unix(0, last)
		from := l.from
		if a, ok := senders[from.Addr()]; ok {
			from = netip.AddrPortFrom(a, from.Port())
		}
		var seen []icd.Observation
		if l.advert {
			if a, err := discovery.ParseAdvert(l.payload); err == nil {
				a.At, a.From, a.Interface = at, from.Addr(), l.iface
				seen = heard.RA(a, s)
			}
		} else if m, err := mdns.Parse(l.payload); m != nil {
			_ = err // what was read before it broke off is as good
			if m.Owner {
				from = l.from // whether the host itself speaks is told by its address
			}
			seen = heard.MDNS(m, discovery.Origin{At: at, From: from, Interface: l.iface}, s)
		}
		for _, o := range seen {
			add(last, o)
		}
	}
	h.counts.Dropped += s.Dropped()
}
