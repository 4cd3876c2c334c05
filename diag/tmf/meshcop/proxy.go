package meshcop

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"threadmap/diag/tmf/netdiag"
)

// PortTMF is the UDP port of Thread management. Answers to queries always come
// to it, so it is our source port as well.
const PortTMF = 61631

// A Proxied is a datagram in the UDP proxy: the payload of UDP_TX.ntf (c/ut)
// and UDP_RX.ntf (c/ur), TLVs 48 and 49.
type Proxied struct {
	Peer     netip.Addr // TLV 49: the mesh node
	From, To uint16     // UDP ports
	Payload  []byte
}

// AppendProxied appends the two TLVs.
func AppendProxied(b []byte, p Proxied) []byte {
	v := make([]byte, 0, 4+len(p.Payload))
	v = binary.BigEndian.AppendUint16(v, p.From)
	v = binary.BigEndian.AppendUint16(v, p.To)
	b = netdiag.AppendTLV(b, TypeUDPEncapsulation, append(v, p.Payload...))
	a := p.Peer.As16()
	return netdiag.AppendTLV(b, TypeIPv6Address, a[:])
}

var errProxied = errors.New("UDP proxy: TLVs 48 and 49 are not as they must be")

// ParseProxied reads the two TLVs, in any order and with either form of length
// (border routers of 2025 always write the long one). Payload is a part of b.
func ParseProxied(b []byte) (Proxied, error) {
	tlvs, err := netdiag.SplitTLVs(b)
	if err != nil {
		return Proxied{}, err
	}
	udp, ok := netdiag.Find(tlvs, TypeUDPEncapsulation)
	addr, both := netdiag.Find(tlvs, TypeIPv6Address)
	if !ok || !both || len(udp) < 4 || len(addr) != 16 {
		return Proxied{}, errProxied
	}
	p := Proxied{Peer: netip.AddrFrom16([16]byte(addr)), From: binary.BigEndian.Uint16(udp), To: binary.BigEndian.Uint16(udp[2:]), Payload: udp[4:]}
	if p.From == 0 || p.To == 0 {
		return Proxied{}, errProxied
	}
	return p, nil
}

// Anycast and multicast destinations of Thread management.
const (
	LeaderALOC16 = 0xfc00
	commissioner = 0xfc30 // and the seven after it
)

// AllRouters is the multicast address of all full Thread devices of the mesh,
// children among them (realm-local, RFC 4291 and Thread 5.3.2).
var AllRouters = netip.MustParseAddr("ff03::2")

// Locator is the mesh-local address of an RLOC16 or ALOC16 (Thread 5.3.2).
func Locator(meshLocal netip.Prefix, locator uint16) netip.Addr {
	a := meshLocal.Addr().As16()
	copy(a[8:], []byte{0, 0, 0, 0xff, 0xfe, 0, byte(locator >> 8), byte(locator)})
	return netip.AddrFrom16(a)
}

// LocatorOf reads the RLOC16 or ALOC16 out of a mesh-local address.
func LocatorOf(meshLocal netip.Prefix, a netip.Addr) (locator uint16, ok bool) {
	if !meshLocal.IsValid() || !meshLocal.Contains(a) {
		return 0, false
	}
	b := a.As16()
	if [6]byte(b[8:14]) != [6]byte{0, 0, 0, 0xff, 0xfe, 0} {
		return 0, false
	}
	return binary.BigEndian.Uint16(b[14:]), true
}
