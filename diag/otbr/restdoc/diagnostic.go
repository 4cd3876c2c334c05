package restdoc

import (
	"fmt"
	"math"
	"strconv"

	"threadmap/diag"
	"threadmap/diag/tmf/netdiag"
)

// diagnostics reads what one node answered: an entry of /diagnostics, or the
// attributes of a networkDiagnostics resource. The keys are those of the three
// generations, lower-cased.
func (e *entry) diagnostics(v value) {
	t := tables{e: e}
	var netData value
	var borderRouter, leader diag.Opt[bool]
	e.f.object("entry", v, func(key string, v value) {
		switch key {
		case "extaddress":
			e.own(key, v)
		case "rloc16":
			e.r.RLOC16 = e.f.rloc16(key, v)
			e.said = e.said || e.r.RLOC16.Known()
		case "mode":
			e.mode(key, v, &e.r.Mode)
		case "timeout":
			e.f.seconds(key, v, &e.r.Timeout)
		case "connectivity":
			e.connectivity(key, v)
		case "leaderdata":
			e.leaderData(key, v)
		case "networkdata":
			netData = v
		case "ip6addresslist", "ipv6addresses", "ip6addresses":
			e.address(e.f.addresses(key, v)...)
		case "maccounters":
			e.counters(key, v, macCounters)
		case "mlecounters":
			e.counters(key, v, mleCounters)
		case "batterylevel":
			e.f.optUint8(key, v, 100, &e.r.BatteryPercent)
		case "supplyvoltage":
			e.f.optUint16(key, v, &e.r.SupplyMillivolt)
		case "maxchildtimeout":
			e.f.seconds(key, v, &e.r.MaxChildTimeout)
		case "eui", "eui64":
			e.r.EUI64 = diag.ExtAddr(e.f.hex64(key, v))
		case "threadversion", "version":
			if n, ok := e.f.uint(key, v, math.MaxUint16); ok && n != 0 { // Thread assigns no zero
				e.r.ThreadVersion = diag.Some(uint16(n))
			}
		case "vendorname":
			e.r.Vendor = e.f.string(key, v)
		case "vendormodel":
			e.r.Product = e.f.string(key, v)
		case "vendorswversion":
			e.r.Firmware = e.f.string(key, v)
		case "threadstackversion":
			e.r.ThreadStack = e.f.string(key, v)
		case "isleader":
			if b, ok := e.f.boolean(key, v); ok {
				leader = diag.Some(b)
			}
		case "isborderrouter":
			if b, ok := e.f.boolean(key, v); ok {
				borderRouter = diag.Some(b)
			}
		case "route":
			e.route(key, v)
		case "childtable":
			t.childTable = v
		case "children":
			t.children = v
		case "childipv6addresses", "childip6addresses":
			t.childAddresses = v
		case "routerneighbors":
			t.neighbors = v
		case "created":
			e.created3339(v)
		}
	})
	// The tables need the node's own RLOC16, which may stand behind them.
	t.read()
	if netData != nil {
		e.networkData("networkdata", netData)
	}
	if leader.Or(false) && e.r.RLOC16.IsRouter() {
		e.r.Role = diag.RoleLeader
	}
	e.borderRouter(borderRouter)
}

// borderRouter weighs what the entry says of being a border router. OTBR
// computes isBorderRouter by a walk over its network data that skips rows, so
// its "true" is a fact and its "false" only where the node's own network data
// does not name it.
func (e *entry) borderRouter(flag diag.Opt[bool]) {
	said, known := flag.Get()
	named, couldBe := false, e.r.Network.BorderRouters != nil && e.r.RLOC16.Known()
	for _, r := range e.r.Network.BorderRouters {
		named = named || r == e.r.RLOC16
	}
	switch {
	case known && said, couldBe && named:
		e.r.BorderRouter = diag.Some(true)
	case known && couldBe:
		e.r.BorderRouter = diag.Some(false)
	}
}

func (e *entry) networkData(field string, v value) {
	raw, ok := e.f.hexBytes(field, v, netdiag.MaxNetworkData)
	if !ok {
		return
	}
	d, err := netdiag.ParseNetworkData(raw)
	if err != nil {
		e.f.note(fmt.Sprintf("%s: %v", field, err))
		return
	}
	d.AddTo(&e.r.Network, raw)
}

// mode reads a mode object: numbers in generation 1, booleans later, and the
// full-Thread-device flag under three names.
func (e *entry) mode(field string, v value, to *diag.Opt[diag.Mode]) {
	var m modeFlags
	if e.f.object(field, v, func(key string, v value) { m.read(&e.f, key, v) }) {
		m.put(to)
	}
}

// modeFlags gathers the three flags; a mode counts only when all are there.
type modeFlags struct {
	mode diag.Mode
	have uint8
}

func (m *modeFlags) read(f *faults, key string, v value) (mine bool) {
	var to *bool
	var bit uint8
	switch key {
	case "rxonwhenidle":
		to, bit = &m.mode.RxOnWhenIdle, 1
	case "devicetype", "devicetypeftd", "fullthreaddevice":
		to, bit = &m.mode.FullThreadDevice, 2
	case "networkdata", "fullnetworkdata":
		to, bit = &m.mode.FullNetworkData, 4
	default:
		return false
	}
	if b, ok := f.boolean("mode."+key, v); ok {
		*to = b
		m.have |= bit
	}
	return true
}

func (m *modeFlags) put(to *diag.Opt[diag.Mode]) {
	if m.have == 7 {
		*to = diag.Some(m.mode)
	}
}

// connectivity reads TLV 4. Its numbers stand for themselves, so a part that
// can't be read makes the whole unknown.
func (e *entry) connectivity(field string, v value) {
	var c diag.Connectivity
	have := 0
	u8 := func(key string, v value, to *uint8) {
		if n, ok := e.f.uint(field+"."+key, v, 255); ok {
			*to = uint8(n)
			have++
		}
	}
	e.f.object(field, v, func(key string, v value) {
		switch key {
		case "parentpriority":
			n, err := strconv.ParseInt(string(v), 10, 8)
			if err != nil || n < -1 || n > 1 {
				e.f.add(field+"."+key, "-1, 0 or 1", v)
				return
			}
			c.ParentPriority = int8(n)
			have++
		case "linkquality3":
			u8(key, v, &c.LinkQuality3)
		case "linkquality2":
			u8(key, v, &c.LinkQuality2)
		case "linkquality1":
			u8(key, v, &c.LinkQuality1)
		case "leadercost":
			u8(key, v, &c.LeaderCost)
		case "idsequence":
			u8(key, v, &c.IDSequence)
		case "activerouters":
			u8(key, v, &c.ActiveRouters)
		case "sedbuffersize":
			e.f.optUint16(field+"."+key, v, &c.SEDBufferSize)
		case "seddatagramcount":
			e.f.optUint8(field+"."+key, v, 255, &c.SEDDatagramCount)
		}
	})
	if have == 7 {
		e.r.Connectivity = diag.Some(c)
	}
}

// route reads TLV 5, Route64, as OTBR writes it.
func (e *entry) route(field string, v value) {
	e.f.object(field, v, func(key string, v value) {
		switch key {
		case "idsequence":
			e.f.optUint8(field+"."+key, v, 255, &e.r.RouteIDSequence)
		case "routedata":
			rows := []diag.Route{}
			if e.f.table(field, v, func(v value) {
				if r, ok := e.routeRow(v); ok {
					rows = append(rows, r)
				} else {
					e.r.RoutesPartial = true
				}
			}) {
				e.r.Routes = rows
				e.said = true
			}
		}
	})
}

func (e *entry) routeRow(v value) (r diag.Route, ok bool) {
	e.f.object("route", v, func(key string, v value) {
		switch key {
		case "routeid":
			var n uint64
			if n, ok = e.f.uint("routeid", v, diag.MaxRouterID); ok {
				r.RouterID = uint8(n)
			}
		case "linkqualityout":
			e.f.optUint8(key, v, 3, &r.LinkQualityOut)
		case "linkqualityin":
			e.f.optUint8(key, v, 3, &r.LinkQualityIn)
		case "routecost":
			e.f.optUint8(key, v, 255, &r.PathCost)
		}
	})
	return r, ok
}

// counters puts the counters that names knows into the report.
func (e *entry) counters(field string, v value, names map[string]diag.Counter) {
	e.f.object(field, v, func(key string, v value) {
		c, ok := names[key]
		if !ok {
			return
		}
		if n, ok := e.f.uint(field+"."+key, v, math.MaxUint64); ok {
			if e.r.Counters == nil {
				e.r.Counters = map[diag.Counter]uint64{}
			}
			e.r.Counters[c] = n
		}
	})
}

// macCounters are the names of TLV 9.
var macCounters = map[string]diag.Counter{
	"ifinunknownprotos":  diag.IfInUnknownProtos,
	"ifinerrors":         diag.IfInErrors,
	"ifouterrors":        diag.IfOutErrors,
	"ifinucastpkts":      diag.IfInUcastPkts,
	"ifinbroadcastpkts":  diag.IfInBroadcastPkts,
	"ifindiscards":       diag.IfInDiscards,
	"ifoutucastpkts":     diag.IfOutUcastPkts,
	"ifoutbroadcastpkts": diag.IfOutBroadcastPkts,
	"ifoutdiscards":      diag.IfOutDiscards,
}

// mleCounters are the names of TLV 34; the times are milliseconds.
var mleCounters = map[string]diag.Counter{
	"radiodisabledcount":              diag.DisabledRoleCount,
	"detachedrolecount":               diag.DetachedRoleCount,
	"childrolecount":                  diag.ChildRoleCount,
	"routerrolecount":                 diag.RouterRoleCount,
	"leaderrolecount":                 diag.LeaderRoleCount,
	"attachattemptscount":             diag.AttachAttemptCount,
	"partidchangescount":              diag.PartitionIDChangeCount,
	"betterpartidattachattemptscount": diag.BetterPartitionAttachAttemptCount,
	"newparentcount":                  diag.ParentChangeCount,
	"totaltrackingtime":               diag.TrackedMillis,
	"radiodisabledtime":               diag.DisabledMillis,
	"detachedroletime":                diag.DetachedMillis,
	"childroletime":                   diag.ChildMillis,
	"routerroletime":                  diag.RouterMillis,
	"leaderroletime":                  diag.LeaderMillis,
}
