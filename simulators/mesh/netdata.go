package mesh

import (
	"encoding/binary"
	"net/netip"
)

// NetworkData is the network data of a partition as the leader would hand it
// out (Thread 5.18; Network Diagnostic TLV 7): commissioning data, the prefixes
// with their border routers, a route to the unique local addresses, the
// backbone and SRP services of the first border router.
func (v *View) NetworkData(partition int) []byte {
	var b []byte
	if s := v.m.Partitions[partition].CommissionerSession; s != 0 {
		b = netDataTLV(b, 4, false, func(b []byte) []byte { return binary.BigEndian.AppendUint16(append(b, 11, 2), s) })
	}
	br := v.BorderRouters(partition)
	if len(br) == 0 {
		return b
	}
	for k, p := range v.m.OMRPrefixes {
		b = netDataTLV(b, 1, true, func(b []byte) []byte {
			b = appendPrefix(b, p)
			if k < len(br) { // else nobody publishes it any more, only its context is left
				b = netDataTLV(b, 2, true, func(b []byte) []byte {
					for j := k; j < len(br); j += len(v.m.OMRPrefixes) { // low preference, preferred, SLAAC, default route, on mesh
						b = binary.BigEndian.AppendUint16(b, v.m.Nodes[br[j]].RLOC16())
						b = append(b, 0xf1, 0x00)
					}
					return b
				})
			}
			return netDataTLV(b, 3, true, func(b []byte) []byte { return append(b, 0x11+byte(k), byte(p.Bits())) }) // 6LoWPAN context, compressible
		})
	}
	b = netDataTLV(b, 1, true, func(b []byte) []byte {
		b = appendPrefix(b, netip.MustParsePrefix("fc00::/7"))
		return netDataTLV(b, 0, true, func(b []byte) []byte {
			for _, i := range br {
				b = binary.BigEndian.AppendUint16(b, v.m.Nodes[i].RLOC16())
				b = append(b, 0x10) // medium preference, advertising PIO
			}
			return b
		})
	})
	if v.m.NoServices {
		return b
	}
	first := &v.m.Nodes[br[0]]
	b = netDataTLV(b, 5, true, func(b []byte) []byte { // Thread's own enterprise, service 1: backbone router
		b = append(b, 0x80, 1, 1)
		return netDataTLV(b, 6, true, func(b []byte) []byte {
			b = binary.BigEndian.AppendUint16(b, first.RLOC16())
			return append(b, v.m.Partitions[partition].DataVersion, 0x00, 0x05, 0x00, 0x00, 0x0e, 0x10)
		})
	})
	return netDataTLV(b, 5, true, func(b []byte) []byte { // service 0x5d: DNS/SRP by unicast, address and port 53535
		b = append(b, 0x81, 1, 0x5d)
		return netDataTLV(b, 6, true, func(b []byte) []byte {
			b = binary.BigEndian.AppendUint16(b, first.RLOC16())
			a := v.MLEID(br[0]).As16()
			return append(append(b, a[:]...), 0xd1, 0x20)
		})
	})
}

// netDataTLV appends a TLV of the network data: type and stable flag, length,
// then what value appends.
func netDataTLV(b []byte, kind byte, stable bool, value func([]byte) []byte) []byte {
	head := kind << 1
	if stable {
		head |= 1
	}
	b = append(b, head, 0)
	start := len(b)
	b = value(b)
	b[start-1] = byte(len(b) - start)
	return b
}

func appendPrefix(b []byte, p netip.Prefix) []byte {
	a := p.Masked().Addr().As16()
	b = append(b, 0, byte(p.Bits())) // domain 0
	return append(b, a[:(p.Bits()+7)/8]...)
}
