package mesh

import (
	"encoding/binary"
	"net/netip"

	"threadmap/diag"
)

// locator is the mesh-local address whose interface identifier is
// 0000:00ff:fe00:loc16: a routing or an anycast locator.
func (v *View) locator(loc16 uint16) netip.Addr {
	return withIID(v.m.MeshLocalPrefix, 0x000000fffe000000|uint64(loc16))
}

func withIID(p netip.Prefix, iid uint64) netip.Addr {
	b := p.Addr().As16()
	binary.BigEndian.PutUint64(b[8:], iid)
	return netip.AddrFrom16(b)
}

// RLOC is the routing locator of node i.
func (v *View) RLOC(i int) netip.Addr { return v.locator(v.m.Nodes[i].RLOC16()) }

// MLEID is the mesh-local endpoint identifier of node i.
func (v *View) MLEID(i int) netip.Addr { return withIID(v.m.MeshLocalPrefix, v.m.Nodes[i].MLEIID) }

// OMR is the off-mesh-routable addresses of node i, one for each prefix.
func (v *View) OMR(i int) []netip.Addr {
	out := make([]netip.Addr, 0, len(v.m.OMRPrefixes))
	for _, p := range v.m.OMRPrefixes {
		out = append(out, withIID(p, v.m.Nodes[i].OMRIID))
	}
	return out
}

// LinkLocal is the link-local address of node i.
func (v *View) LinkLocal(i int) netip.Addr { return v.m.Nodes[i].ExtAddr.LinkLocal() }

// Addresses are the IPv6 addresses of node i in the order of OpenThread's TLV
// 8: service anycast locators (primary border router), off-mesh-routable,
// leader anycast locator, routing locator, endpoint identifier, link-local.
func (v *View) Addresses(i int) []netip.Addr {
	out := make([]netip.Addr, 0, 8)
	if n := &v.m.Nodes[i]; n.BorderRouter && !v.m.NoServices && v.primary(n.Partition) == i {
		out = append(out, v.locator(0xfc11), v.locator(0xfc10), v.locator(0xfc38))
	}
	out = append(out, v.OMR(i)...)
	if v.m.Role(i) == diag.RoleLeader {
		out = append(out, v.locator(0xfc00))
	}
	return append(out, v.RLOC(i), v.MLEID(i), v.LinkLocal(i))
}

// Registered are the addresses that child i registered with its parent (TLV
// 30): none for a full Thread device, and none that is known of one that is gone
// (-1).
func (v *View) Registered(i int) []netip.Addr {
	if i < 0 || v.m.Nodes[i].Mode.FullThreadDevice {
		return nil
	}
	return append([]netip.Addr{v.MLEID(i)}, v.OMR(i)...)
}

// BorderRouters are the indexes of the border routers of a partition that are
// routers, by router id.
func (v *View) BorderRouters(partition int) []int {
	var out []int
	for _, i := range v.router[partition].node {
		if i >= 0 && v.m.Nodes[i].BorderRouter {
			out = append(out, int(i))
		}
	}
	return out
}

// primary is the border router that runs the backbone and the SRP service: the
// first; -1: none.
func (v *View) primary(partition int) int {
	if br := v.BorderRouters(partition); len(br) > 0 {
		return br[0]
	}
	return -1
}
