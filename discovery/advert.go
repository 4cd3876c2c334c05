package discovery

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// An Advert is a router advertisement (RFC 4861, section 4.2): how a border
// router tells the LAN which prefixes of its mesh it routes.
type Advert struct {
	At             time.Time
	From           netip.Addr // link-local, with zone
	Interface      string
	RouterLifetime time.Duration // 0: no default router
	Prefixes       []AdvertPrefix
}

// An AdvertPrefix is a prefix option of an advertisement.
type AdvertPrefix struct {
	Prefix netip.Prefix
	// Route: a route information option (RFC 4191), the way to a mesh; else a
	// prefix information option, a prefix of the LAN itself.
	Route      bool
	Lifetime   time.Duration // 0: withdrawn; Forever: infinite
	Preferred  time.Duration // of prefix information
	OnLink     bool
	Autonomous bool
	Preference int8 // of a route: -1 low, 0 medium, 1 high
}

// Forever is the infinite lifetime, 0xffffffff.
const Forever = time.Duration(1<<32-1) * time.Second

// maxAdvertPrefixes bounds the prefixes of one packet; no link has as many.
const maxAdvertPrefixes = 64

var errAdvert = errors.New("no well-formed router advertisement")

// ParseAdvert reads an ICMPv6 message of type 134, without its IP header.
// Options of other types are passed over.
func ParseAdvert(b []byte) (Advert, error) {
	if len(b) < 16 || b[0] != 134 || b[1] != 0 {
		return Advert{}, errAdvert
	}
	a := Advert{RouterLifetime: time.Duration(binary.BigEndian.Uint16(b[6:])) * time.Second}
	for o := b[16:]; len(o) > 0; {
		n := 0
		if len(o) >= 2 {
			n = 8 * int(o[1])
		}
		if n == 0 || n > len(o) {
			return Advert{}, errAdvert
		}
		if p, ok := advertPrefix(o[:n]); ok && len(a.Prefixes) < maxAdvertPrefixes {
			a.Prefixes = append(a.Prefixes, p)
		}
		o = o[n:]
	}
	return a, nil
}

func advertPrefix(o []byte) (p AdvertPrefix, ok bool) {
	seconds := func(at int) time.Duration { return time.Duration(binary.BigEndian.Uint32(o[at:])) * time.Second }
	var a [16]byte
	switch {
	case o[0] == 3 && len(o) == 32: // prefix information, RFC 4861 section 4.6.2
		p = AdvertPrefix{OnLink: o[3]&0x80 != 0, Autonomous: o[3]&0x40 != 0, Lifetime: seconds(4), Preferred: seconds(8)}
		copy(a[:], o[16:])
	case o[0] == 24 && len(o) <= 24: // route information, RFC 4191 section 2.3
		if int(o[2]) > 8*(len(o)-8) {
			return p, false
		}
		p = AdvertPrefix{Route: true, Lifetime: seconds(4)}
		switch o[3] >> 3 & 3 {
		case 1:
			p.Preference = 1
		case 3:
			p.Preference = -1
		case 2: // reserved: such an option is ignored
			return p, false
		}
		copy(a[:], o[8:])
	default:
		return p, false
	}
	if o[2] > 128 {
		return p, false
	}
	p.Prefix = netip.PrefixFrom(netip.AddrFrom16(a), int(o[2])).Masked()
	return p, true
}
