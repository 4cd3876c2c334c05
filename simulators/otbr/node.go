package otbr

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// leaderData is the leader data in the words of generations 2 and 3.
func leaderData(p mesh.Partition) object {
	return object{
		{"partitionId", p.ID}, {"weighting", p.Weighting}, {"dataVersion", p.DataVersion}, {"stableDataVersion", p.StableDataVersion}, {"leaderRouterId", p.Leader},
	}
}

// pascal is o with its keys, at all depths, in generation 1's case. Keys that
// it spells in other ways are written where they are made.
func pascal(o object) object {
	out := make(object, 0, len(o))
	for _, f := range o {
		v := f.Value
		if inner, ok := v.(object); ok {
			v = pascal(inner)
		}
		out = append(out, field{strings.ToUpper(f.Key[:1]) + f.Key[1:], v})
	}
	return out
}

// state is the border router's role in the words of "ot-ctl state".
func state(v *mesh.View, i int) string {
	switch r := v.Role(i); {
	case r == diag.RoleLeader:
		return "leader"
	case r == diag.RoleRouter:
		return "router"
	}
	return "child"
}

// node is GET /node.
func (s *Server) node() reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, n, m := s.view, s.view.Node(s.self), s.view.Mesh()
	leader := leaderData(v.Leader(s.self))
	rloc := s.addr(v.RLOC(s.self))
	if s.gen == 1 {
		return s.ok(object{
			{"BaId", s.hex(n.BorderAgentID)}, {"State", state(v, s.self)}, {"NumOfRouter", v.Routers(s.self)}, {"RlocAddress", rloc},
			{"ExtAddress", s.hex(n.ExtAddr.String())}, {"NetworkName", m.Name}, {"Rloc16", n.RLOC16()}, {"LeaderData", pascal(leader)},
			{"ExtPanId", s.hex(m.ExtPANID.String())},
		})
	}
	return s.ok(object{
		{"baId", n.BorderAgentID}, {"baState", ""}, {"state", state(v, s.self)}, {"routerCount", v.Routers(s.self)}, {"rlocAddress", rloc},
		{"extAddress", n.ExtAddr.String()}, {"networkName", m.Name}, {"rloc16", rloc16(n.RLOC16())}, {"routerId", n.RouterID}, {"leaderData", leader},
		{"extPanId", m.ExtPANID.String()},
	})
}

func rloc16(v uint16) string { return fmt.Sprintf("0x%04x", v) }

// addr writes an address as the generation does: Espressif's never shortens
// runs of zeros.
func (s *Server) addr(a netip.Addr) string {
	if !s.o.ESP {
		return a.String()
	}
	b := a.As16()
	parts := make([]string, 8)
	for i := range parts {
		parts[i] = fmt.Sprintf("%x", uint16(b[2*i])<<8|uint16(b[2*i+1]))
	}
	return strings.Join(parts, ":")
}

// value is GET /node/…: one value, alike in all generations but for the case.
func (s *Server) value(name string, r *http.Request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, n, m := s.view, s.view.Node(s.self), s.view.Mesh()
	switch name {
	case "ba-id":
		return s.ok(s.hex(n.BorderAgentID))
	case "state":
		return s.ok(state(v, s.self))
	case "rloc":
		return s.ok(s.addr(v.RLOC(s.self)))
	case "rloc16":
		return s.ok(n.RLOC16())
	case "ext-address":
		return s.ok(s.hex(n.ExtAddr.String()))
	case "ext-panid":
		return s.ok(s.hex(m.ExtPANID.String()))
	case "network-name":
		return s.ok(m.Name)
	case "num-of-router":
		return s.ok(v.Routers(s.self))
	case "leader-data":
		d := leaderData(v.Leader(s.self))
		if s.gen == 1 {
			d = pascal(d)
		}
		return s.ok(d)
	case "coprocessor/version":
		return s.ok(n.Stack)
	case "commissioner/state":
		return s.ok("disabled")
	case "dataset/active":
		return s.dataset(m, r)
	case "dataset/pending":
		return reply{status: http.StatusNoContent, headers: s.gen > 1}
	}
	return s.fail(http.StatusNotFound)
}

// dataset is the active operational dataset with its keys, which every
// generation hands to whoever asks.
func (s *Server) dataset(m *mesh.Mesh, r *http.Request) reply {
	if strings.Contains(r.Header.Get("Accept"), "text/plain") {
		text := strings.ToUpper(hex.EncodeToString(datasetTLVs(m)))
		return reply{http.StatusOK, "text/plain", []byte(text), s.gen > 1}
	}
	d := object{
		{"activeTimestamp", object{{"seconds", m.ActiveTimestamp >> 16}, {"ticks", m.ActiveTimestamp >> 1 & 0x7fff}, {"authoritative", m.ActiveTimestamp&1 == 1}}},
		{"networkKey", s.hex(hex.EncodeToString(m.NetworkKey[:]))}, {"networkName", m.Name}, {"extPanId", s.hex(m.ExtPANID.String())},
		{"meshLocalPrefix", m.MeshLocalPrefix.String()}, {"panId", m.PANID}, {"channel", m.Channel}, {"pskc", s.hex(hex.EncodeToString(m.PSKc[:]))},
		{"securityPolicy", object{
			{"rotationTime", 672}, {"obtainNetworkKey", true}, {"nativeCommissioning", true}, {"routers", true}, {"externalCommissioning", true},
			{"commercialCommissioning", false}, {"autonomousEnrollment", false}, {"networkKeyProvisioning", false}, {"tobleLink", true}, {"nonCcmRouters", false},
		}},
		{"channelMask", 134215680},
	}
	if s.gen == 1 {
		d = pascal(d)
		for i := range d {
			if d[i].Key == "Pskc" {
				d[i].Key = "PSKc"
			}
		}
	}
	return s.ok(d)
}

// datasetTLVs are the MeshCoP TLVs of the dataset, in the captured order.
func datasetTLVs(m *mesh.Mesh) []byte {
	var b []byte
	tlv := func(kind byte, value ...byte) { b = append(append(b, kind, byte(len(value))), value...) }
	be64 := func(v uint64) []byte {
		out := make([]byte, 8)
		for i := range out {
			out[i] = byte(v >> (56 - 8*i))
		}
		return out
	}
	prefix := m.MeshLocalPrefix.Addr().As16()
	tlv(14, be64(m.ActiveTimestamp)...)
	tlv(0, 0, 0, m.Channel)
	tlv(53, 0, 4, 0x00, 0x1f, 0xff, 0xe0)
	tlv(2, be64(uint64(m.ExtPANID))...)
	tlv(7, prefix[:8]...)
	tlv(5, m.NetworkKey[:]...)
	tlv(3, []byte(m.Name)...)
	tlv(1, byte(m.PANID>>8), byte(m.PANID))
	tlv(4, m.PSKc[:]...)
	tlv(12, 0x02, 0xa0, 0xf7, 0xf8)
	return b
}
