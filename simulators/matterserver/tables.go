package matterserver

import (
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// neighbors is the NeighborTable of node i: children and routers of a router,
// the parent of a child.
func neighbors(v *mesh.View, i int) []object {
	out := []object{}
	row := func(x diag.ExtAddr, age time.Duration, rloc16 uint16, heard mesh.Direction, mode diag.Mode, child bool) {
		out = append(out, object{
			{"0", uint64(x)}, {"1", int(age / time.Second)}, {"2", rloc16}, {"3", uint32(x)}, {"4", uint32(x>>32) % 200000},
			{"5", heard.LQ}, {"6", heard.RSSI}, {"7", heard.LastRSSI}, {"8", percent(heard.FrameError)}, {"9", percent(heard.MessageError)},
			{"10", mode.RxOnWhenIdle}, {"11", mode.FullThreadDevice}, {"12", mode.FullNetworkData}, {"13", child},
		})
	}
	router := diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}
	for _, w := range v.RouterNeighbors(i) {
		row(w.ExtAddr, w.Age, w.RLOC16, w.Heard, router, false)
	}
	for _, c := range v.Children(i) {
		row(c.ExtAddr, c.Age, c.RLOC16, c.Heard, c.Mode, true)
	}
	if w, ok := v.ParentRow(i); ok {
		row(w.ExtAddr, w.Age, w.RLOC16, w.Heard, router, false)
	}
	return out
}

// routes is the RouteTable of node i.
func (s *Server) routes(v *mesh.View, i int) []object {
	out := []object{}
	row := func(x diag.ExtAddr, id, next, cost, in, via uint8, age time.Duration, linked bool) {
		out = append(out, object{
			{"0", uint64(x)}, {"1", uint16(id) << 10}, {"2", id}, {"3", next}, {"4", cost}, {"5", in}, {"6", via},
			{"7", int(age/time.Second) % 256}, {"8", true}, {"9", linked},
		})
	}
	for _, w := range v.Route64(i) {
		cost := w.Cost
		if w.Self {
			cost = 0
		}
		row(w.ExtAddr, w.RouterID, w.NextHop, cost, w.LQIn, w.LQOut, w.Age, w.HasLink)
	}
	if w, ok := v.ParentRow(i); ok && s.o.ParentRoute && !v.Node(i).Mode.FullThreadDevice {
		id := uint8(w.RLOC16 >> 10)
		row(w.ExtAddr, id, id, 0, w.Heard.LQ, w.Heard.LQ, w.Age, true)
	}
	return out
}
