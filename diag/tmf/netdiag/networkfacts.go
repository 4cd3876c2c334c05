package netdiag

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"threadmap/diag"
)

// OMRPrefixes are the on-mesh prefixes from which nodes make addresses by
// SLAAC, sorted, each once. The list is never nil: network data without one
// says that there is none.
func (d NetworkData) OMRPrefixes() []netip.Prefix {
	out := []netip.Prefix{}
	for _, p := range d.Prefixes {
		if slices.ContainsFunc(p.BorderRouters, func(b BorderRouter) bool { return b.OnMesh && b.SLAAC }) {
			out = append(out, p.Prefix)
		}
	}
	slices.SortFunc(out, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	return slices.Compact(out)
}

// BorderRouters are the nodes that offer an on-mesh prefix or a route, by their
// RLOC16, sorted, each once; never nil. They are the border routers of the
// partition, those included whose announcements can't be seen from here.
func (d NetworkData) BorderRouters() []diag.RLOC16 {
	out := []diag.RLOC16{}
	for _, p := range d.Prefixes {
		for _, b := range p.BorderRouters {
			out = append(out, b.RLOC16)
		}
		for _, h := range p.Routes {
			out = append(out, h.RLOC16)
		}
	}
	out = slices.DeleteFunc(out, diag.RLOC16.IsZero)
	slices.SortFunc(out, func(a, b diag.RLOC16) int {
		x, _ := a.Get()
		y, _ := b.Get()
		return cmp.Compare(x, y)
	})
	return slices.Compact(out)
}

// AddTo puts the facts of d, and its raw octets, into n.
func (d NetworkData) AddTo(n *diag.Network, raw []byte) {
	n.OMRPrefixes = d.OMRPrefixes()
	n.BorderRouters = d.BorderRouters()
	n.NetworkData = clone(raw)
}

// An SRPServer is a DNS-SD registration server that the network data names
// (Thread 14.3.2). Service number 0x5c names one by anycast, 0x5d by address.
type SRPServer struct {
	RLOC16   diag.RLOC16     // who registered it
	Addr     netip.AddrPort  // invalid for an anycast one, which listens on port 53
	Anycast  bool            // reached at the anycast locator of its service id
	Sequence diag.Opt[uint8] // anycast only
}

// SRPServers lists the SRP servers, in the order of the network data.
func (d NetworkData) SRPServers() []SRPServer {
	var out []SRPServer
	for _, s := range d.Services {
		if s.Enterprise != ThreadEnterprise || len(s.Data) == 0 {
			continue
		}
		for _, v := range s.Servers {
			switch {
			case s.Data[0] == 0x5c && len(s.Data) >= 2:
				out = append(out, SRPServer{RLOC16: v.RLOC16, Anycast: true, Sequence: diag.Some(s.Data[1])})
			case s.Data[0] == 0x5d && len(s.Data) >= 19: // the address stands in the service data
				out = append(out, SRPServer{RLOC16: v.RLOC16, Addr: addrPort(s.Data[1:])})
			case s.Data[0] == 0x5d && len(v.Data) >= 18: // … or in the server data
				out = append(out, SRPServer{RLOC16: v.RLOC16, Addr: addrPort(v.Data)})
			}
		}
	}
	return out
}

// addrPort reads 16 octets of address and 2 of port, which the caller has
// checked.
func addrPort(b []byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[:16])), binary.BigEndian.Uint16(b[16:]))
}
