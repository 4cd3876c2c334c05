package homeassistant

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// datasetTLVs is a network's active dataset, keys included (Thread 8.10.1).
func datasetTLVs(m *mesh.Mesh) string {
	prefix := m.MeshLocalPrefix.Addr().As16()
	var b []byte
	add := func(typ byte, v []byte) { b = append(append(b, typ, byte(len(v))), v...) }
	add(14, binary.BigEndian.AppendUint64(nil, m.ActiveTimestamp))
	add(0, []byte{0, 0, m.Channel})
	add(53, []byte{0, 4, 0, 0x1f, 0xff, 0xe0})
	add(2, binary.BigEndian.AppendUint64(nil, uint64(m.ExtPANID)))
	add(7, prefix[:8])
	add(5, m.NetworkKey[:])
	add(3, []byte(m.Name))
	add(1, binary.BigEndian.AppendUint16(nil, m.PANID))
	add(4, m.PSKc[:])
	add(12, []byte{2, 0xa0, 0xf7, 0xf8})
	return hex.EncodeToString(b)
}

func datasetID(m *mesh.Mesh) string { return fmt.Sprintf("01DATASET0%016X", uint64(m.ExtPANID)) }

func (s *Server) datasets() object {
	out := []object{}
	for i, m := range s.home.Networks {
		out = append(out, object{"dataset_id": datasetID(m), "channel": m.Channel, "created": "2026-03-01T10:00:00+00:00", "extended_pan_id": m.ExtPANID.String(),
			"network_name": m.Name, "pan_id": fmt.Sprintf("%04x", m.PANID), "preferred": i == 0, "preferred_border_agent_id": nil, "preferred_extended_address": nil, "source": "otbr"})
	}
	return object{"datasets": out}
}

// otbrInfo shows the first border router with a REST interface as Home
// Assistant's own.
func (s *Server) otbrInfo() object {
	for _, m := range s.home.Networks {
		for i := range m.Nodes {
			n := &m.Nodes[i]
			if n.OTBR == 0 {
				continue
			}
			if s.o.Old {
				return object{"url": "http://core-openthread-border-router:8081", "active_dataset_tlvs": datasetTLVs(m)}
			}
			return object{n.ExtAddr.String(): object{"active_dataset_tlvs": datasetTLVs(m), "border_agent_id": n.BorderAgentID, "channel": m.Channel,
				"extended_address": n.ExtAddr.String(), "extended_pan_id": m.ExtPANID.String(), "url": "http://core-openthread-border-router:8081"}}
		}
	}
	return object{}
}

// routers are the events about border routers that Home Assistant hears.
func (s *Server) routers() []object {
	out := []object{}
	for _, m := range s.home.Networks {
		for i := range m.Nodes {
			n := &m.Nodes[i]
			if !n.BorderRouter {
				continue
			}
			addresses := []string{}
			for _, a := range lanAddresses(n) {
				addresses = append(addresses, a.String())
			}
			out = append(out, object{"type": "router_discovered", "key": n.ExtAddr.String(), "data": object{
				"instance_name": n.Name + "._meshcop._udp.local.", "addresses": addresses, "border_agent_id": n.BorderAgentID, "brand": nil,
				"extended_address": n.ExtAddr.String(), "extended_pan_id": m.ExtPANID.String(), "model_name": n.Model, "network_name": m.Name,
				"server": "br" + n.ExtAddr.String() + ".local.", "thread_version": diag.ThreadVersionName(n.ThreadVersion) + ".0", "unconfigured": nil, "vendor_name": n.Vendor,
			}})
		}
	}
	return append(out, object{"type": "router_removed", "key": "0000000000000001"})
}

// lanAddresses are what a border router announces.
func lanAddresses(n *mesh.Node) []netip.Addr {
	b := binary.BigEndian.AppendUint64(nil, uint64(n.ExtAddr))
	v6, ll := [16]byte{0xfd, 0, 0, 2}, [16]byte{0xfe, 0x80}
	copy(v6[8:], b)
	copy(ll[8:], b)
	ll[8] ^= 0x55 // the LAN's interface is not the radio
	return []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, 1 + b[7]%250}), netip.AddrFrom16(v6), netip.AddrFrom16(ll)}
}
