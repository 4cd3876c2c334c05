package diag

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// An ExtAddr is an IEEE 802.15.4 extended address: eight octets in the order
// in which they are printed, read as one big-endian number. Zero is unknown:
// stacks write zero for "not known to me", and no radio owns it.
//
// It is never kept in a float: 53 bits are too few.
type ExtAddr uint64

// String is 16 lower-case hexadecimal digits, or "" for unknown.
func (x ExtAddr) String() string {
	if x == 0 {
		return ""
	}
	const digits = "0123456789abcdef"
	var b [16]byte
	for i := range b {
		b[i] = digits[x>>(60-4*i)&15]
	}
	return string(b[:])
}

// ParseExtAddr reads 16 hexadecimal digits in either case, with or without
// "0x" and with ':' or '-' between octets.
func ParseExtAddr(s string) (ExtAddr, error) {
	v, err := parseHex64(s)
	if err != nil {
		return 0, fmt.Errorf("extended address %q: %w", clip(s), err)
	}
	return ExtAddr(v), nil
}

// Swapped is the address with its octets reversed. Matter stacks before SDK
// 1.4.2 send attribute ExtAddress that way.
func (x ExtAddr) Swapped() ExtAddr {
	var r ExtAddr
	for range 8 {
		r, x = r<<8|x&0xff, x>>8
	}
	return r
}

// LinkLocal is the link-local address that a Thread interface derives from x
// (RFC 4944, section 6: the universal/local bit is flipped). The unknown
// extended address has none: the result is then the invalid Addr.
func (x ExtAddr) LinkLocal() netip.Addr {
	if x == 0 {
		return netip.Addr{}
	}
	var b [16]byte
	b[0], b[1] = 0xfe, 0x80
	iid := uint64(x) ^ 1<<57
	for i := range 8 {
		b[8+i] = byte(iid >> (56 - 8*i))
	}
	return netip.AddrFrom16(b)
}

// ExtAddrFromLinkLocal is the reverse of [ExtAddr.LinkLocal]. ok is false for
// addresses outside fe80::/64 and for ones made of a short address or of a
// 48-bit MAC, which no extended address made.
func ExtAddrFromLinkLocal(a netip.Addr) (x ExtAddr, ok bool) {
	if !a.Is6() || a.Is4In6() {
		return 0, false
	}
	b := a.As16()
	if [8]byte(b[:8]) != [8]byte{0xfe, 0x80} {
		return 0, false
	}
	if b[11] == 0xff && b[12] == 0xfe {
		return 0, false
	}
	var v uint64
	for _, o := range b[8:] {
		v = v<<8 | uint64(o)
	}
	v ^= 1 << 57
	return ExtAddr(v), v != 0
}

// A PANID64 is an extended PAN id, the identity of a Thread network. Zero is
// unknown.
type PANID64 uint64

// String is 16 lower-case hexadecimal digits, or "" for unknown.
func (p PANID64) String() string { return ExtAddr(p).String() }

// ParsePANID64 reads 16 hexadecimal digits as [ParseExtAddr] does.
func ParsePANID64(s string) (PANID64, error) {
	v, err := parseHex64(s)
	if err != nil {
		return 0, fmt.Errorf("extended PAN id %q: %w", clip(s), err)
	}
	return PANID64(v), nil
}

func parseHex64(s string) (uint64, error) {
	t := s
	if len(t) > 2 && t[0] == '0' && (t[1] == 'x' || t[1] == 'X') {
		t = t[2:]
	}
	if len(t) == 23 { // eight octets and seven separators of one kind
		if sep := t[2]; sep == ':' || sep == '-' {
			if octets := strings.Split(t, string(sep)); len(octets) == 8 && !slices.ContainsFunc(octets, func(o string) bool { return len(o) != 2 }) {
				t = strings.Join(octets, "")
			}
		}
	}
	if len(t) != 16 {
		return 0, errNot64
	}
	v, err := strconv.ParseUint(t, 16, 64)
	if err != nil {
		return 0, errNot64
	}
	return v, nil
}

var errNot64 = errors.New("want 16 hexadecimal digits")

// clip keeps error messages short when the input is hostile.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
