package listen

import (
	"encoding/binary"
	"testing"
)

// entry is a neighbour entry as the kernel sends it.
func entry(state uint16, attrs ...[]byte) []byte {
	b := make([]byte, sizeofNdMsg)
	binary.NativeEndian.PutUint16(b[8:], state)
	for i, a := range attrs {
		b = binary.NativeEndian.AppendUint16(b, uint16(4+len(a)))
		b = binary.NativeEndian.AppendUint16(b, uint16(i+1))
		b = append(b, a...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	return b
}

func TestNeighbour(t *testing.T) {
	ip, mac := append([]byte{0xfe, 0x80}, make([]byte, 14)...), []byte{2, 0, 0, 0, 0, 0x77}
	const reachable = 0x02
	if a, m, ok := neighbour(entry(reachable, ip, mac)); !ok || a.String() != "fe80::" || m != "02:00:00:00:00:77" {
		t.Error(a, m, ok)
	}
	for name, b := range map[string][]byte{
		"not confirmed": entry(nudFailed, ip, mac), "no hardware address": entry(reachable, ip), "of another size": entry(reachable, ip, mac[:5]),
		"none": entry(reachable, ip, make([]byte, 6)), "address of no size": entry(reachable, ip[:3], mac), "short": make([]byte, 11),
		"length of nothing": append(entry(reachable, ip), 0, 0, 2, 0), "beyond the end": append(entry(reachable, ip), 200, 0, 2, 0),
	} {
		if _, _, ok := neighbour(b); ok {
			t.Error(name)
		}
	}
	for n := range 60 { // broken off anywhere
		b := entry(reachable, ip, mac)
		neighbour(b[:min(n, len(b))])
	}
	if _, err := neighbours(); err != nil {
		t.Skip("no netlink here: ", err)
	}
}
