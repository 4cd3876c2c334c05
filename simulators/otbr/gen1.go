package otbr

import (
	"encoding/hex"
	"net/http"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// diagnosticsOfGen1 is GET /diagnostics: what the full Thread devices of the
// partition answered to one multicast, children that are ones included. topology
// puts Espressif's envelope around it.
func (s *Server) diagnosticsOfGen1(r *http.Request, topology bool) reply {
	if s.o.DiagnosticsTime > 0 {
		t := time.NewTimer(s.o.DiagnosticsTime)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.view
	docs := []object{}
	for i := range v.Mesh().Nodes {
		n := v.Node(i)
		if n.Partition == v.Node(s.self).Partition && n.Mode.FullThreadDevice && (v.Answers(i) && v.Delay(i) <= answerWindow || i == s.self) {
			docs = append(docs, s.nodeOfGen1(i))
		}
	}
	if topology {
		return s.ok(object{{"error", 0}, {"result", docs}, {"message", "Topology: Success"}})
	}
	return s.ok(docs)
}

// nodeOfGen1 is what one node answered.
func (s *Server) nodeOfGen1(i int) object {
	v, n := s.view, s.view.Node(i)
	c, _ := v.Connectivity(i)
	routes := []object{}
	for _, r := range v.Route64(i) {
		routes = append(routes, object{{"RouteId", r.RouterID}, {"LinkQualityOut", r.LQOut}, {"LinkQualityIn", r.LQIn}, {"RouteCost", r.Cost}})
	}
	addresses := []string{}
	for _, a := range v.Addresses(i) {
		addresses = append(addresses, s.addr(a))
	}
	d := object{
		{"ExtAddress", s.hex(n.ExtAddr.String())}, {"Rloc16", n.RLOC16()}, {"Mode", modeOfGen1(n.Mode)},
		{"Connectivity", object{
			{"ParentPriority", c.ParentPriority}, {"LinkQuality3", c.LQ3}, {"LinkQuality2", c.LQ2}, {"LinkQuality1", c.LQ1}, {"LeaderCost", c.LeaderCost},
			{"IdSequence", c.IDSequence}, {"ActiveRouters", c.ActiveRouters}, {"SedBufferSize", c.SEDBufferSize}, {"SedDatagramCount", c.SEDDatagramCount},
		}},
		{"Route", object{{"IdSequence", c.IDSequence}, {"RouteData", routes}}},
		{"LeaderData", pascal(leaderData(v.Leader(i)))},
		{"NetworkData", s.hex(hex.EncodeToString(v.NetworkData(n.Partition)))},
		{"IP6AddressList", addresses},
		{"MACCounters", pascal(macCounters(n))},
	}
	if n.IsRouter() {
		children := []object{}
		rows := v.Children(i)
		for k := range rows {
			children = append(children, object{{"ChildId", rows[k].RLOC16 & 0x1ff}, {"Timeout", rows[k].TimeoutExponent()}, {"Mode", modeOfGen1(rows[k].Mode)}})
		}
		d = append(d, field{"ChildTable", children})
	}
	d = append(d, field{"ChannelPages", "00"})
	if t := v.MaxChildTimeout(i); n.IsRouter() && t > 0 {
		d = append(d, field{"MaxChildTimeout", int(t / time.Second)})
	}
	return d
}

func modeOfGen1(m diag.Mode) object {
	bit := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return object{{"RxOnWhenIdle", bit(m.RxOnWhenIdle)}, {"DeviceType", bit(m.FullThreadDevice)}, {"NetworkData", bit(m.FullNetworkData)}}
}

// macCounters are counters that stand still: the mesh has no traffic. They
// differ from node to node.
func macCounters(n *mesh.Node) object {
	x := uint64(n.ExtAddr)
	at := func(shift int) uint64 { return x >> shift & 0xfff }
	return object{
		{"ifInUnknownProtos", 0}, {"ifInErrors", at(0) & 0x3f}, {"ifOutErrors", 0}, {"ifInUcastPkts", at(4)}, {"ifInBroadcastPkts", at(8)},
		{"ifInDiscards", at(12) & 0xff}, {"ifOutUcastPkts", at(16)}, {"ifOutBroadcastPkts", at(20)}, {"ifOutDiscards", 0},
	}
}
