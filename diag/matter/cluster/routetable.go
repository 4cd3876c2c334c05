package cluster

import (
	"time"

	"threadmap/diag"
)

// Fields of RouteTableStruct.
const (
	routeExtAddress = iota
	routeRloc16
	routeRouterID
	routeNextHop
	routePathCost
	routeLQIIn
	routeLQIOut
	routeAge
	routeAllocated
	routeLinkEstablished
)

// noNextHop is written for "no next hop".
const noNextHop = 63

// routeTable reads RouteTable (0x0008): one row per router id in use, the
// node's own included; on an MTD one row, its parent. An ext address of zero
// is a router without a direct link. Age is seconds modulo 256.
func routeTable(r *reader, rep *diag.Report) {
	val, p := r.value(threadRouteTable)
	table := p.String() + " RouteTable"
	rows := r.list(val, maxRows, table)
	if rows == nil {
		return
	}
	rep.Routes = []diag.Route{}
	for i, row := range rows {
		if row.Kind() != KindStruct {
			r.problem("%s row %d is no struct: skipped", table, i+1)
			continue
		}
		id, known := r.rowNumber(row, routeRouterID, diag.MaxRouterID, table, i, "RouterId")
		if !known {
			r.problem("%s row %d names no router: skipped", table, i+1)
			continue
		}
		if v, known := r.rowNumber(row, routeRloc16, 1<<16-1, table, i, "Rloc16"); known && v != id<<10 {
			r.problem("%s row %d: Rloc16 0x%04x is not that of router id %d: skipped", table, i+1, v, id)
			continue
		}
		t := diag.Route{RouterID: uint8(id)}
		if v, known := r.rowNumber(row, routeExtAddress, 1<<64-1, table, i, "ExtAddress"); known {
			t.ExtAddr = diag.ExtAddr(v)
		}
		if v, known := r.rowNumber(row, routeNextHop, noNextHop, table, i, "NextHop"); known {
			t.NextHop = diag.Some(uint8(v))
		}
		if v, known := r.rowNumber(row, routePathCost, 255, table, i, "PathCost"); known {
			t.PathCost = diag.Some(uint8(v))
		}
		if v, known := r.rowNumber(row, routeLQIIn, 3, table, i, "LQIIn"); known {
			t.LinkQualityIn = diag.Some(uint8(v))
		}
		if v, known := r.rowNumber(row, routeLQIOut, 3, table, i, "LQIOut"); known {
			t.LinkQualityOut = diag.Some(uint8(v))
		}
		if v, known := r.rowNumber(row, routeAge, 255, table, i, "Age"); known {
			t.Age = diag.Some(time.Duration(v) * time.Second)
		}
		if v, ok := row.Field(routeAllocated).Bool(); ok {
			t.Allocated = diag.Some(v)
		}
		if v, ok := row.Field(routeLinkEstablished).Bool(); ok {
			t.LinkEstablished = diag.Some(v)
		}
		rep.Routes = append(rep.Routes, t)
	}
}
