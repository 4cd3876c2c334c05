package mdns

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// HomeOptions say what the model does not.
type HomeOptions struct {
	// Address gives the LAN addresses of a border router; default: LANAddresses,
	// made of its extended address, in 192.0.2.0/24, fd00:2::/64 and fe80::/64.
	Address func(*mesh.Node) []netip.Addr
	// BorderAgent is the port of a border router's border agent; default 49152.
	BorderAgent func(*mesh.Node) uint16
	// OtherFabric puts every third Matter node on a second fabric; 0: none.
	OtherFabric uint64
	// HomeKit tells which nodes are HomeKit accessories too; nil: none.
	HomeKit func(*mesh.Node) bool
	// Registered is where a node that registered listens, for Matter; default, and
	// where it is not valid, port 5540 of its addresses in the mesh.
	Registered func(*mesh.Node) netip.AddrPort
	// NoTREL leaves out `_trel._udp`.
	NoTREL bool
}

// FromHome is what the border routers of a home announce: themselves, and the
// nodes that registered with them.
func FromHome(h *mesh.Home, o HomeOptions) []Service {
	var out []Service
	for _, m := range h.Networks {
		v := m.View()
		for i := range v.Mesh().Nodes {
			n := v.Node(i)
			if n.BorderRouter {
				out = append(out, borderRouter(v, i, o)...)
			}
			out = append(out, registered(v, i, o)...)
		}
	}
	return out
}

func borderRouter(v *mesh.View, i int, o HomeOptions) []Service {
	n, m := v.Node(i), v.Mesh()
	x := n.ExtAddr.String()
	port, addrs := uint16(49152), LANAddresses(n)
	if o.BorderAgent != nil {
		port = o.BorderAgent(n)
	}
	if o.Address != nil {
		addrs = o.Address(n)
	}
	id, _ := hex.DecodeString(n.BorderAgentID)
	version := diag.ThreadVersionName(n.ThreadVersion)
	if version != "" {
		version += ".0"
	}
	txt := [][]byte{
		pair("id", id), pair("rv", "1"), pair("sb", be32(state(v, i))), pair("tv", version), pair("xa", be64(uint64(n.ExtAddr))),
		pair("xp", be64(uint64(m.ExtPANID))), pair("nn", m.Name), pair("pt", be32(v.Leader(i).ID)), pair("at", be64(m.ActiveTimestamp)),
		pair("dn", "DefaultDomain"), pair("vn", n.Vendor), pair("mn", n.Model),
	}
	for _, p := range m.OMRPrefixes[:min(len(m.OMRPrefixes), 1)] {
		a := p.Addr().As16()
		txt = append(txt, pair("omr", append([]byte{byte(p.Bits())}, a[:(p.Bits()+7)/8]...)))
	}
	host := "br" + x
	out := []Service{{Kind: "_meshcop._udp", Instance: fmt.Sprintf("%s #%s", n.Name, x[12:]), Host: host, Port: port, TXT: txt, Addrs: addrs}}
	if !o.NoTREL {
		out = append(out, Service{Kind: "_trel._udp", Instance: x, Host: host, Port: 52000, Addrs: addrs,
			TXT: [][]byte{pair("xa", be64(uint64(n.ExtAddr))), pair("xp", be64(uint64(m.ExtPANID)))}})
	}
	return out
}

// state is the bitmap sb of OpenThread of 2026: PSKc, active, high availability,
// backbone router, role, ephemeral keys, no other infrastructure link.
func state(v *mesh.View, i int) uint32 {
	s := uint32(1 | 2<<3 | 1<<5 | 1<<7 | 1<<11 | 1<<12)
	switch v.Role(i) {
	case diag.RoleLeader:
		s |= 3<<9 | 1<<8
	case diag.RoleRouter:
		s |= 2 << 9
	default:
		s |= 1 << 9
	}
	return s
}

// LANAddresses are what a border router announces where nothing else is said:
// addresses for documentation, which nobody reaches.
func LANAddresses(n *mesh.Node) []netip.Addr {
	b := be64(uint64(n.ExtAddr))
	v6, ll := [16]byte{0xfd, 0, 0, 2}, [16]byte{0xfe, 0x80}
	copy(v6[8:], b)
	copy(ll[8:], b)
	ll[8] ^= 0x55 // the LAN's interface is not the radio
	return []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, 1 + b[7]%250}), netip.AddrFrom16(v6), netip.AddrFrom16(ll)}
}

// registered is what a node registers by SRP.
func registered(v *mesh.View, i int, o HomeOptions) []Service {
	n := v.Node(i)
	host := fmt.Sprintf("%016X", uint64(n.ExtAddr))
	addrs := v.OMR(i)
	if len(addrs) == 0 {
		addrs = []netip.Addr{v.MLEID(i)}
	}
	port := uint16(5540)
	if o.Registered != nil {
		if at := o.Registered(n); at.IsValid() {
			port, addrs = at.Port(), []netip.Addr{at.Addr()}
		}
	}
	ids := append([]diag.MatterID{}, n.Matter...)
	if o.OtherFabric != 0 && len(ids) > 0 && i%3 == 0 {
		ids = append(ids, diag.MatterID{Fabric: o.OtherFabric, Node: uint64(n.ExtAddr) >> 8})
	}
	var out []Service
	for _, id := range ids {
		s := Service{Kind: "_matter._tcp", Subtypes: []string{fmt.Sprintf("_I%016X", id.Fabric)}, Instance: fmt.Sprintf("%016X-%016X", id.Fabric, id.Node),
			Host: host, Port: port, Addrs: addrs, TXT: [][]byte{pair("SII", "500"), pair("SAI", "300"), pair("T", "0")}}
		if n.Sleepy() {
			s.TXT = [][]byte{pair("SII", "5000"), pair("SAI", "300"), pair("SAT", "4000"), pair("T", "0"), pair("ICD", "0")}
		}
		out = append(out, s)
	}
	if o.HomeKit != nil && o.HomeKit(n) {
		b := be64(uint64(n.ExtAddr))
		out = append(out, Service{Kind: "_hap._udp", Instance: n.Name, Host: host, Port: 5683, Addrs: addrs, TXT: [][]byte{
			pair("id", fmt.Sprintf("%02X:%02X:%02X:%02X:%02X:%02X", b[0], b[1], b[2], b[3], b[4], b[5])), pair("md", n.Model), pair("pv", "1.2"),
			pair("c#", "3"), pair("s#", "1"), pair("ff", "2"), pair("sf", "0"), pair("ci", strconv.Itoa(5)),
		}})
	}
	return out
}

func pair[T string | []byte](key string, value T) []byte { return append([]byte(key+"="), value...) }

func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
func be64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }
