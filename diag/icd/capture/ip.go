package capture

import (
	"encoding/binary"
	"net/netip"
)

// Protocols of IP.
const (
	protoHopByHop = 0
	protoUDP      = 17
	protoRouting  = 43
	protoFragment = 44
	protoAuth     = 51
	protoICMPv6   = 58
	protoDest     = 60
	protoMobility = 135
	protoHIP      = 139
	protoShim6    = 140
)

const maxExtensions = 8

// A datagram is what an IP packet carries.
type datagram struct {
	src, dst netip.Addr
	proto    uint8
	hops     uint8
	payload  []byte
	cut      bool // the capture kept less than was sent
}

// verdicts of unpack.
type ipResult uint8

const (
	ipWhole ipResult = iota
	ipFragment
	ipBad   // malformed
	ipOther // carries nothing that is looked at
)

// unpack reads the headers of an IP packet. Only UDP and ICMPv6 are looked at:
// others are sorted out first, since they are most of what a file has.
func unpack(b []byte, d *datagram) ipResult {
	if b[0]>>4 == 4 {
		return unpack4(b, d)
	}
	return unpack6(b, d)
}

func unpack4(b []byte, d *datagram) ipResult {
	if len(b) < 20 {
		return ipBad
	}
	head, total := int(b[0]&0xf)*4, int(binary.BigEndian.Uint16(b[2:]))
	if head < 20 || head > len(b) {
		return ipBad
	}
	if b[9] != protoUDP {
		return ipOther
	}
	switch {
	case total == 0: // written by the network card later
	case total < head:
		return ipBad
	case total <= len(b):
		b = b[:total]
	}
	if binary.BigEndian.Uint16(b[6:])&0x3fff != 0 { // more fragments, or an offset
		return ipFragment
	}
	*d = datagram{
		src: netip.AddrFrom4([4]byte(b[12:16])), dst: netip.AddrFrom4([4]byte(b[16:20])),
		proto: protoUDP, hops: b[8], payload: b[head:], cut: total > len(b),
	}
	return ipWhole
}

func unpack6(b []byte, d *datagram) ipResult {
	if len(b) < 40 {
		return ipBad
	}
	proto, n := b[6], int(binary.BigEndian.Uint16(b[4:]))
	rest := b[40:]
	cut := n > len(rest)
	if n > 0 && n <= len(rest) {
		rest = rest[:n]
	}
	for range maxExtensions {
		var size int
		switch proto {
		case protoUDP, protoICMPv6:
			*d = datagram{
				src: netip.AddrFrom16([16]byte(b[8:24])), dst: netip.AddrFrom16([16]byte(b[24:40])),
				proto: proto, hops: b[7], payload: rest, cut: cut,
			}
			return ipWhole
		case protoHopByHop, protoRouting, protoDest, protoMobility, protoHIP, protoShim6:
			if len(rest) < 8 {
				return ipBad
			}
			size = 8 * (int(rest[1]) + 1)
		case protoAuth:
			if len(rest) < 8 {
				return ipBad
			}
			size = 4 * (int(rest[1]) + 2)
		case protoFragment:
			if len(rest) < 8 {
				return ipBad
			}
			if binary.BigEndian.Uint16(rest[2:])&0xfff9 != 0 {
				return ipFragment
			}
			size = 8 // an atomic fragment is whole (RFC 6946)
		default:
			return ipOther
		}
		if size > len(rest) {
			return ipBad
		}
		proto, rest = rest[0], rest[size:]
	}
	return ipBad
}

// udp reads the header of a UDP datagram.
func (d *datagram) udp() (src, dst netip.AddrPort, payload []byte, ok bool) {
	b := d.payload
	if len(b) < 8 {
		return src, dst, nil, false
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	payload = b[8:]
	switch {
	case n == 0: // of a segment that the network card cuts up
	case n < 8:
		return src, dst, nil, false
	case n-8 <= len(payload):
		payload = payload[:n-8]
	default:
		d.cut = true
	}
	return netip.AddrPortFrom(d.src, binary.BigEndian.Uint16(b)), netip.AddrPortFrom(d.dst, binary.BigEndian.Uint16(b[2:])), payload, true
}
