package netdiag

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"threadmap/diag"
)

// maxAddresses bounds a list of addresses; OpenThread keeps 11 of a node and 4
// of a child.
const maxAddresses = 64

// AppendIPv6Addresses appends TLV 8.
func AppendIPv6Addresses(b []byte, addrs []netip.Addr) []byte {
	return AppendTLV(b, TypeIPv6Addresses, appendAddrs(nil, addrs))
}

// ParseIPv6Addresses reads the value of TLV 8; never nil without an error.
func ParseIPv6Addresses(v []byte) ([]netip.Addr, error) { return parseAddrs(TypeIPv6Addresses, v) }

// AppendBRInfraAddresses appends TLV 39.
func AppendBRInfraAddresses(b []byte, addrs []netip.Addr) []byte {
	return AppendTLV(b, TypeBRInfraAddresses, appendAddrs(nil, addrs))
}

// ParseBRInfraAddresses reads the value of TLV 39: the border router's
// addresses on its LAN.
func ParseBRInfraAddresses(v []byte) ([]netip.Addr, error) {
	return parseAddrs(TypeBRInfraAddresses, v)
}

// ChildAddresses is TLV 30: what one child registered with its parent.
type ChildAddresses struct {
	RLOC16    diag.RLOC16
	Addresses []netip.Addr
}

// AppendChildAddresses appends TLV 30. [AppendListEnd] ends the list.
func AppendChildAddresses(b []byte, c ChildAddresses) []byte {
	return AppendTLV(b, TypeChildIPv6Addresses, appendAddrs(binary.BigEndian.AppendUint16(nil, rloc16Octets(c.RLOC16)), c.Addresses))
}

// ParseChildAddresses reads the value of TLV 30, which is not the empty one
// that ends the list.
func ParseChildAddresses(v []byte) (ChildAddresses, error) {
	if err := length(TypeChildIPv6Addresses, v, 2); err != nil {
		return ChildAddresses{}, err
	}
	addrs, err := parseAddrs(TypeChildIPv6Addresses, v[2:])
	if err != nil {
		return ChildAddresses{}, err
	}
	return ChildAddresses{rloc16(v), addrs}, nil
}

// AppendListEnd appends the empty TLV that ends a list of that type.
func AppendListEnd(b []byte, typ uint8) []byte { return append(b, typ, 0) }

// AppendPrefix64 appends one of the TLVs that hold a /64 (40 to 43); an invalid
// prefix is written as zeros, which is "none".
func AppendPrefix64(b []byte, typ uint8, p netip.Prefix) []byte {
	var a [16]byte
	if p.IsValid() {
		a = p.Addr().As16()
	}
	return AppendTLV(b, typ, a[:8])
}

// ParsePrefix64 reads one of the TLVs that hold a /64 (40 to 43). Zeros give
// the invalid prefix.
func ParsePrefix64(typ uint8, v []byte) (netip.Prefix, error) {
	if err := exactly(typ, v, 8); err != nil {
		return netip.Prefix{}, err
	}
	var a [16]byte
	if copy(a[:], v); a == [16]byte{} {
		return netip.Prefix{}, nil
	}
	return netip.PrefixFrom(netip.AddrFrom16(a), 64), nil
}

func appendAddrs(b []byte, addrs []netip.Addr) []byte {
	for _, a := range addrs {
		o := a.As16()
		b = append(b, o[:]...)
	}
	return b
}

func parseAddrs(typ uint8, v []byte) ([]netip.Addr, error) {
	if len(v)%16 != 0 {
		return nil, fmt.Errorf("%s: %d octets are no whole number of addresses", TypeName(typ), len(v))
	}
	if len(v)/16 > maxAddresses {
		return nil, fmt.Errorf("%s: %d addresses, more than %d", TypeName(typ), len(v)/16, maxAddresses)
	}
	out := make([]netip.Addr, 0, len(v)/16)
	for ; len(v) > 0; v = v[16:] {
		out = append(out, netip.AddrFrom16([16]byte(v[:16])))
	}
	return out, nil
}
