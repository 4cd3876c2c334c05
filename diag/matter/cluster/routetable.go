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
	if routes, told := r.routes(val, p.String()+" RouteTable"); told {
		rep.Routes = routes
	}
}

// DecodeRouteTable reads RouteTable as it stands in an Interaction Model report.
func DecodeRouteTable(element []byte) (routes []diag.Route, problems []string, err error) {
	if err := checkTable(element); err != nil {
		return nil, nil, err
	}
	var r reader
	routes, _ = r.routes(Value{kind: KindList, raw: element}, "RouteTable")
	return routes, r.problems, nil
}

// routes reads the rows of a table; told is false where there is none.
func (r *reader) routes(val Value, table string) (routes []diag.Route, told bool) {
	routes = make([]diag.Route, 0, rowsIn(val, 30))
	told = r.eachRow(val, table, func(i int, w *row) {
		id, known := r.rowNumber(w[routeRouterID], diag.MaxRouterID, table, i, "RouterId")
		if !known {
			r.problem("%s names no router: skipped", rowName(table, i))
			return
		}
		if v, known := r.rowNumber(w[routeRloc16], 1<<16-1, table, i, "Rloc16"); known && v != id<<10 {
			r.problem("%s: Rloc16 0x%04x is not that of router id %d: skipped", rowName(table, i), v, id)
			return
		}
		var t *diag.Route
		routes, t = more(routes)
		t.RouterID = uint8(id)
		r.route(t, w, table, i)
	})
	return routes, told
}

// route fills in what a row says besides whom it is about.
func (r *reader) route(t *diag.Route, w *row, table string, i int) {
	if v, known := r.rowNumber(w[routeExtAddress], 1<<64-1, table, i, "ExtAddress"); known {
		t.ExtAddr = diag.ExtAddr(v)
	}
	if v, known := r.rowNumber(w[routeNextHop], noNextHop, table, i, "NextHop"); known {
		t.NextHop = diag.Some(uint8(v))
	}
	if v, known := r.rowNumber(w[routePathCost], 255, table, i, "PathCost"); known {
		t.PathCost = diag.Some(uint8(v))
	}
	if v, known := r.rowNumber(w[routeLQIIn], 3, table, i, "LQIIn"); known {
		t.LinkQualityIn = diag.Some(uint8(v))
	}
	if v, known := r.rowNumber(w[routeLQIOut], 3, table, i, "LQIOut"); known {
		t.LinkQualityOut = diag.Some(uint8(v))
	}
	if v, known := r.rowNumber(w[routeAge], 255, table, i, "Age"); known {
		t.Age = diag.Some(time.Duration(v) * time.Second)
	}
	if v, ok := boolean(w[routeAllocated]); ok {
		t.Allocated = diag.Some(v)
	}
	if v, ok := boolean(w[routeLinkEstablished]); ok {
		t.LinkEstablished = diag.Some(v)
	}
}
