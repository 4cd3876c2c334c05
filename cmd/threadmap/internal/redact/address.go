package redact

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"threadmap/diag"
)

// An IPv6 address keeps what Thread makes of it: two of one prefix have one
// prefix again, a unique local one (fd00::/8) stays such a one, a routing locator
// keeps its RLOC16, and a link-local address follows the extended address that
// it is made of. Global prefixes become ones for documentation (3fff::/20, RFC
// 9637). IPv4 addresses are left out: nothing of a mesh follows from them.

// prefix64 redacts the upper half of an address.
func (r *Redactor) prefix64(hi [8]byte) [8]byte {
	p := r.pseudonym("prefix", string(hi[:]))
	out := [8]byte(p[:8])
	if hi[0]&0xfe == 0xfc {
		out[0] = 0xfd
		return out
	}
	out[0], out[1], out[2] = 0x3f, 0xff, out[2]&0x0f
	return out
}

// address redacts an IPv6 address; ok is false for any other.
func (r *Redactor) address(a netip.Addr) (out netip.Addr, ok bool) {
	if !a.Is6() || a.Is4In6() {
		return netip.Addr{}, false
	}
	b := a.WithZone("").As16()
	switch {
	case a.IsUnspecified() || a.IsLoopback() || a.IsMulticast():
		return netip.Addr{}, false
	case a.IsLinkLocalUnicast():
		if x, made := diag.ExtAddrFromLinkLocal(a); made {
			return r.ext(x).LinkLocal(), true
		}
		if !ofShortAddress(b) {
			r.hideInterface(&b)
		}
		return netip.AddrFrom16(b), true
	}
	hi := r.prefix64([8]byte(b[:8]))
	if !ofShortAddress(b) {
		r.hideInterface(&b)
	}
	copy(b[:8], hi[:])
	return netip.AddrFrom16(b), true
}

// ofShortAddress reports whether the lower half is 0000:00ff:fe00:xxxx, a routing
// or anycast locator.
func ofShortAddress(b [16]byte) bool { return [6]byte(b[8:14]) == [6]byte{0, 0, 0, 0xff, 0xfe, 0} }

// hideInterface redacts the lower half of an address.
func (r *Redactor) hideInterface(b *[16]byte) {
	p := r.pseudonym("interface", string(b[:]))
	copy(b[8:], p[:8])
	b[11] &= 0xfe // neither made of a MAC nor a locator
}

func (r *Redactor) addresses(l []netip.Addr) []netip.Addr {
	if l == nil {
		return nil
	}
	out := []netip.Addr{}
	for _, a := range l {
		if b, ok := r.address(a); ok {
			out = append(out, b)
		}
	}
	return out
}

func (r *Redactor) endpoints(l []netip.AddrPort) (out []netip.AddrPort) {
	for _, p := range l {
		if a, ok := r.address(p.Addr()); ok {
			out = append(out, netip.AddrPortFrom(a, p.Port()))
		}
	}
	return out
}

// prefix redacts a prefix so that addresses in it are in it again, where it is
// one of 64 bits, as all of Thread are.
func (r *Redactor) prefix(p netip.Prefix) netip.Prefix {
	if !p.IsValid() || !p.Addr().Is6() || p.Addr().Is4In6() {
		return netip.Prefix{}
	}
	b := p.Masked().Addr().As16()
	hi := r.prefix64([8]byte(b[:8]))
	b = [16]byte{}
	copy(b[:], hi[:])
	return netip.PrefixFrom(netip.AddrFrom16(b), min(p.Bits(), 64)).Masked()
}

// host redacts a host label: of a Thread node it is its extended address.
func (r *Redactor) host(s string) string {
	if x, ok := r.hexOf(s); ok {
		return x
	}
	return r.word("host", strings.ToLower(s))
}

// instance redacts the name of a DNS-SD instance: of a Matter node it is
// FABRIC-NODE, of others an extended address or free text.
func (r *Redactor) instance(s string) string {
	if x, ok := r.hexOf(s); ok {
		return x
	}
	if fabric, node, ok := strings.Cut(s, "-"); ok {
		f, isFabric := number(fabric)
		n, isNode := number(node)
		if isFabric && isNode {
			m := r.matter(diag.MatterID{Fabric: f, Node: n})
			return fmt.Sprintf("%016X-%016X", m.Fabric, m.Node)
		}
	}
	return r.word("instance", s)
}

// hexOf redacts 16 hexadecimal digits as an extended address, in their case.
func (r *Redactor) hexOf(s string) (string, bool) {
	v, ok := number(s)
	if !ok {
		return "", false
	}
	x := r.ext(diag.ExtAddr(v)).String()
	if strings.ContainsAny(s, "ABCDEF") {
		x = strings.ToUpper(x)
	}
	return x, true
}

// number reads 16 hexadecimal digits.
func number(s string) (uint64, bool) {
	if len(s) != 16 {
		return 0, false
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return 0, false
	}
	return binary.BigEndian.Uint64(b), true
}

// borderAgent redacts a border agent id.
func (r *Redactor) borderAgent(s string) string {
	if s == "" {
		return ""
	}
	p := r.pseudonym("border agent", s)
	return hex.EncodeToString(p[:16])
}

// hap redacts a HomeKit pairing id.
func (r *Redactor) hap(s string) string {
	if s == "" {
		return ""
	}
	p := r.pseudonym("pairing", s)
	octets := make([]string, 6)
	for i := range octets {
		octets[i] = hex.EncodeToString(p[i : i+1])
	}
	return strings.Join(slices.Clip(octets), ":")
}
