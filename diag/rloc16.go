package diag

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// An RLOC16 is the short address of a node in its Thread partition: router id
// in bits 15..10, child id in bits 8..0. The zero value is unknown; the known
// 0x0000 is router 0. It names a node only within one network, one partition
// and one time.
type RLOC16 struct {
	v     uint16
	known bool
}

// MakeRLOC16 is the known v. The reserved values 0xfffe and 0xffff ("none")
// give the unknown RLOC16, and so do anycast locators (0xfc00 and above),
// which name a service and not a node, and numbers with the reserved bit 9
// set, which no node has.
func MakeRLOC16(v uint16) RLOC16 {
	if v >= 0xfc00 || v&0x200 != 0 {
		return RLOC16{}
	}
	return RLOC16{v, true}
}

// RouterRLOC16 is the RLOC16 of the router with that id (0..62).
func RouterRLOC16(id uint8) RLOC16 {
	if id > MaxRouterID {
		return RLOC16{}
	}
	return RLOC16{uint16(id) << 10, true}
}

// MaxRouterID is the largest router id; 63 is written for "none".
const MaxRouterID = 62

// MaxChildID is the largest child id.
const MaxChildID = 511

// Get returns the number and whether it is known.
func (r RLOC16) Get() (v uint16, known bool) { return r.v, r.known }

// Known reports whether the RLOC16 is known.
func (r RLOC16) Known() bool { return r.known }

// IsZero reports whether the RLOC16 is unknown.
func (r RLOC16) IsZero() bool { return !r.known }

// IsRouter reports whether a known RLOC16 is that of a router.
func (r RLOC16) IsRouter() bool { return r.known && r.v&0x1ff == 0 }

// IsChild reports whether a known RLOC16 is that of a child.
func (r RLOC16) IsChild() bool { return r.known && r.v&0x1ff != 0 }

// RouterID is the id of the router that the address belongs to: the node
// itself, or its parent. Unknown for the unknown RLOC16.
func (r RLOC16) RouterID() (id uint8, known bool) { return uint8(r.v >> 10), r.known }

// ChildID is bits 8..0, zero for a router.
func (r RLOC16) ChildID() (id uint16, known bool) { return r.v & 0x1ff, r.known }

// Router is the RLOC16 of the router part (RLOC16 & 0xfc00): a child's parent,
// a router itself.
func (r RLOC16) Router() RLOC16 { return RLOC16{r.v & 0xfc00, r.known} }

// Child is the RLOC16 of the child with that id (1..511) under this router.
func (r RLOC16) Child(id uint16) RLOC16 {
	if !r.known || id == 0 || id > MaxChildID {
		return RLOC16{}
	}
	return RLOC16{r.v&0xfc00 | id, true}
}

// String is "0x5c00", or "?" for unknown.
func (r RLOC16) String() string {
	if !r.known {
		return "?"
	}
	return fmt.Sprintf("0x%04x", r.v)
}

// MarshalCBOR writes the number, null for unknown.
func (r RLOC16) MarshalCBOR() ([]byte, error) { return Opt[uint16](r).MarshalCBOR() }

// UnmarshalCBOR is the reverse of [RLOC16.MarshalCBOR]. As with [MakeRLOC16],
// a number that is no node's is unknown.
func (r *RLOC16) UnmarshalCBOR(b []byte) error {
	var o Opt[uint16]
	if err := o.UnmarshalCBOR(b); err != nil {
		return err
	}
	*r = RLOC16{}
	if v, known := o.Get(); known {
		*r = MakeRLOC16(v)
	}
	return nil
}

// RLOC16FromAddr reads the RLOC16 out of a routing locator, a mesh-local
// address whose interface identifier is 0000:00ff:fe00:RLOC16. prefix is its
// /64. ok is false for every other address, anycast locators included.
func RLOC16FromAddr(a netip.Addr) (r RLOC16, prefix netip.Prefix, ok bool) {
	prefix, ok = locatorPrefix(a)
	if !ok {
		return RLOC16{}, netip.Prefix{}, false
	}
	b := a.As16()
	r = MakeRLOC16(binary.BigEndian.Uint16(b[14:]))
	if !r.known {
		return RLOC16{}, netip.Prefix{}, false
	}
	return r, prefix, true
}

// MeshLocalPrefix finds the mesh-local /64 among a node's addresses: that of a
// routing or anycast locator. ok is false where there is none.
func MeshLocalPrefix(addrs []netip.Addr) (p netip.Prefix, ok bool) {
	for _, a := range addrs {
		if p, ok = locatorPrefix(a); ok {
			return p, true
		}
	}
	return netip.Prefix{}, false
}

// locatorPrefix is the /64 of a routing or anycast locator. A link-local
// address of that form is made of a short address and tells no prefix.
func locatorPrefix(a netip.Addr) (p netip.Prefix, ok bool) {
	if !a.Is6() || a.Is4In6() || a.IsLinkLocalUnicast() || a.IsMulticast() {
		return netip.Prefix{}, false
	}
	b := a.As16()
	if [6]byte(b[8:14]) != [6]byte{0, 0, 0, 0xff, 0xfe, 0} {
		return netip.Prefix{}, false
	}
	p, err := a.WithZone("").Prefix(64)
	return p, err == nil
}
