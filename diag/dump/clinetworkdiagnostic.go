package dump

import (
	"encoding/hex"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"threadmap/diag"
	"threadmap/diag/tmf/netdiag"
)

// networkDiagnostic reads one answer of "networkdiagnostic get", of which a
// multicast query has many:
//
//	DIAG_GET.rsp/ans from fd00:db8:a0:0:0:ff:fe00:5c00: 00080e02…
//	Ext Address: 0e02020202020202
//	Rloc16: 0x5c00
//	Mode:
//	    RxOnWhenIdle: 1
//
// Written from captured command lines of 2025 and 2026; the battery from
// OpenThread's source, without a sample. RouteId and PartitionId
// are hexadecimal, a child's Timeout is an exponent, the speaker's own one is
// seconds.
func (c *cli) networkDiagnostic() {
	head, _ := c.peek()
	c.next()
	c.found = true
	d := &diagnostic{c: c, base: head.indent}
	if _, from, ok := strings.Cut(head.text, " from "); ok {
		word, _, _ := strings.Cut(from, " ")
		if a, err := netip.ParseAddr(strings.TrimSuffix(word, ":")); err == nil {
			d.from, _, _ = diag.RLOC16FromAddr(a)
		}
	}
	for {
		l, ok := c.peek()
		if !ok || l.ends() || strings.HasPrefix(l.text, "DIAG_GET.") {
			break
		}
		if l.text != "" && !d.line(l) {
			break
		}
		c.next()
	}
	d.endChild()
	if !d.any {
		return
	}
	if !d.rep.RLOC16.Known() {
		d.rep.RLOC16 = d.from // the routing locator that it answered from
	}
	// Child ids mean something only with the parent's RLOC16, which may come late.
	if d.children != nil {
		d.rep.Children = []diag.Neighbor{}
		for _, ch := range d.children {
			ch.n.RLOC16 = d.rep.RLOC16.Router().Child(ch.id)
			if !ch.n.RLOC16.Known() {
				c.problem(ch.line, "child has no id, or its parent no RLOC16: skipped")
				continue
			}
			d.rep.Children = append(d.rep.Children, ch.n)
		}
	}
	c.report(d.rep)
}

// A diagnostic is one answer being read.
type diagnostic struct {
	c        *cli
	rep      diag.Report
	from     diag.RLOC16
	base     int    // indent of the top level
	section  string // the top-level key that lines belong to
	any      bool   // something was told
	con      diag.Connectivity
	mode     diag.Mode
	seen     int // fields of the mode at hand
	open     bool
	child    diagChild
	children []diagChild
}

type diagChild struct {
	line cliLine
	id   uint16
	n    diag.Neighbor
}

// line reads a line. It returns false for one that is not of an answer.
func (d *diagnostic) line(l cliLine) bool {
	t, row := strings.CutPrefix(l.text, "- ")
	if a, err := netip.ParseAddr(t); err == nil {
		if d.section == "IP6 Address List" {
			d.rep.Addresses = withAddress(d.rep.Addresses, a)
		}
		return true
	}
	key, v, ok := strings.Cut(t, ":")
	if !ok || len(key) > 40 {
		return false
	}
	v = strings.TrimSpace(v)
	if quoted, ok := strings.CutPrefix(v, "'"); ok { // until 2022; the closing one was missing at times
		v = strings.TrimSuffix(quoted, "'")
	}
	if !row && l.indent <= d.base && d.top(l, key, v) {
		d.any = true
		return true
	}
	return d.nested(l, key, v)
}

// top reads a line of the top level. Indents may have been lost on the way
// here, so it leaves lines that belong to an open row to nested.
func (d *diagnostic) top(l cliLine, key, v string) bool {
	r := &d.rep
	if d.open && (key == "Mode" || key == "Timeout") && l.indent <= d.base && !d.flat(key) {
		d.endChild()
	} else if d.open && (key == "Mode" || key == "Timeout") {
		return false
	}
	switch key {
	case "Ext Address":
		if x, err := diag.ParseExtAddr(v); err == nil && x != 0 {
			r.Own = []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessDiagnostic}}
		}
	case "Rloc16":
		r.RLOC16, _ = parseRLOC16(v)
	case "Timeout":
		r.Timeout = seconds(v)
	case "Max Child Timeout":
		r.MaxChildTimeout = seconds(v)
	case "EUI64":
		r.EUI64, _ = diag.ParseExtAddr(v)
	case "Version":
		r.ThreadVersion = version(v)
	case "Battery Level":
		r.BatteryPercent = small(strings.TrimSuffix(v, "%"), 100)
	case "Supply Voltage":
		if mv, err := strconv.ParseUint(strings.TrimSuffix(v, "mV"), 10, 16); err == nil {
			r.SupplyMillivolt = diag.Some(uint16(mv))
		}
	case "Vendor Name":
		r.Vendor = cleanName(v)
	case "Vendor Model":
		r.Product = cleanName(v)
	case "Vendor SW Version":
		r.Firmware = cleanName(v)
	case "Thread Stack Version":
		r.ThreadStack = cleanName(v)
	case "Network Data":
		if raw, err := hex.DecodeString(v); err == nil && len(raw) > 0 && len(raw) <= 255 {
			if nd, err := netdiag.ParseNetworkData(raw); err == nil {
				nd.AddTo(&r.Network, raw)
			} else {
				d.c.problem(l, "network data is damaged: left out")
			}
		}
	case "Mode", "Connectivity", "Leader Data", "MAC Counters", "MLE Counters":
		d.seen = 0
	case "Route":
		r.Routes = []diag.Route{}
	case "IP6 Address List":
		r.Addresses = []netip.Addr{}
	case "Child Table":
		d.children = []diagChild{}
	case "BR State": // what follows of border routing is listed under it
		if v == "running" {
			r.BorderRouter = diag.Some(true)
		}
	case "Channel Pages", "Vendor App URL", "Type List":
	default:
		return false
	}
	d.endChild()
	d.section = key
	return true
}

// flat reports whether a key at the top level still belongs to the open child,
// because the text lost its indents and the child lacks that key.
func (d *diagnostic) flat(key string) bool {
	if key == "Mode" {
		return !d.child.n.Mode.Known()
	}
	return !d.child.n.Timeout.Known()
}

// nested reads a line of a section.
func (d *diagnostic) nested(l cliLine, key, v string) bool {
	switch d.section {
	case "Mode":
		return d.modeLine(key, v, &d.rep.Mode)
	case "Connectivity":
		return d.connectivity(key, v)
	case "Route":
		return d.route(l, key, v)
	case "Leader Data":
		return d.leader(key, v)
	case "MAC Counters", "MLE Counters":
		return d.counter(key, v)
	case "Child Table":
		return d.childLine(l, key, v)
	}
	return true
}

// modeLine reads the three flags of a mode, which counts when all are there.
func (d *diagnostic) modeLine(key, v string, to *diag.Opt[diag.Mode]) bool {
	if v != "0" && v != "1" {
		return false
	}
	if d.seen == 0 {
		d.mode = diag.Mode{}
	}
	switch on := v == "1"; key {
	case "RxOnWhenIdle":
		d.mode.RxOnWhenIdle = on
		d.seen |= 1
	case "DeviceType":
		d.mode.FullThreadDevice = on
		d.seen |= 2
	case "NetworkData":
		d.mode.FullNetworkData = on
		d.seen |= 4
	default:
		return false
	}
	if d.seen == 7 {
		*to = diag.Some(d.mode)
		d.seen = 0
	}
	return true
}

func (d *diagnostic) connectivity(key, v string) bool {
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil || n < -128 || n > 0xffff || n > 255 && key != "SedBufferSize" {
		return false
	}
	bits := map[string]int{"ParentPriority": 1, "LinkQuality3": 2, "LinkQuality2": 4, "LinkQuality1": 8, "LeaderCost": 16, "IdSequence": 32, "ActiveRouters": 64}
	if d.seen == 0 {
		d.con = diag.Connectivity{}
	}
	switch key {
	case "ParentPriority":
		d.con.ParentPriority = int8(n)
	case "LinkQuality3":
		d.con.LinkQuality3 = uint8(n)
	case "LinkQuality2":
		d.con.LinkQuality2 = uint8(n)
	case "LinkQuality1":
		d.con.LinkQuality1 = uint8(n)
	case "LeaderCost":
		d.con.LeaderCost = uint8(n)
	case "IdSequence":
		d.con.IDSequence = uint8(n)
	case "ActiveRouters":
		d.con.ActiveRouters = uint8(n)
	case "SedBufferSize":
		d.con.SEDBufferSize = diag.Some(uint16(n))
	case "SedDatagramCount":
		d.con.SEDDatagramCount = diag.Some(uint8(n))
	default:
		return false
	}
	d.seen |= bits[key]
	if d.seen == 127 { // all but the two that short TLVs lack
		d.rep.Connectivity = diag.Some(d.con)
	}
	return true
}

func (d *diagnostic) route(l cliLine, key, v string) bool {
	r := &d.rep
	last := len(r.Routes) - 1
	switch key {
	case "IdSequence":
		r.RouteIDSequence = small(v, 255)
	case "RouteData":
	case "RouteId":
		id, ok := hexNumber(v, diag.MaxRouterID)
		if !ok || last >= diag.MaxRouterID {
			d.c.problem(l, "route names no router: what follows is skipped")
			d.section = "" // its qualities must not go to the row before
			return true
		}
		r.Routes = append(r.Routes, diag.Route{RouterID: uint8(id)})
	case "LinkQualityOut", "LinkQualityIn", "RouteCost":
		if last < 0 {
			return false
		}
		switch key {
		case "LinkQualityOut":
			r.Routes[last].LinkQualityOut = small(v, 3)
		case "LinkQualityIn":
			r.Routes[last].LinkQualityIn = small(v, 3)
		case "RouteCost":
			r.Routes[last].PathCost = small(v, 255)
		}
	default:
		return false
	}
	return true
}

func (d *diagnostic) leader(key, v string) bool {
	x := &d.rep.Leader
	switch key {
	case "PartitionId":
		if id, ok := hexNumber(v, math.MaxUint32); ok {
			x.PartitionID = diag.Some(uint32(id))
		}
	case "Weighting":
		x.Weighting = small(v, 255)
	case "DataVersion":
		x.DataVersion = small(v, 255)
	case "StableDataVersion":
		x.StableDataVersion = small(v, 255)
	case "LeaderRouterId":
		if id, ok := hexNumber(v, diag.MaxRouterID); ok {
			x.RouterID = diag.Some(uint8(id))
		}
	default:
		return false
	}
	return true
}

var ifCounters = map[string]diag.Counter{
	"IfInUnknownProtos": diag.IfInUnknownProtos, "IfInErrors": diag.IfInErrors, "IfOutErrors": diag.IfOutErrors,
	"IfInUcastPkts": diag.IfInUcastPkts, "IfInBroadcastPkts": diag.IfInBroadcastPkts, "IfInDiscards": diag.IfInDiscards,
	"IfOutUcastPkts": diag.IfOutUcastPkts, "IfOutBroadcastPkts": diag.IfOutBroadcastPkts, "IfOutDiscards": diag.IfOutDiscards,
	"DisabledRole": diag.DisabledRoleCount, "DetachedRole": diag.DetachedRoleCount, "ChildRole": diag.ChildRoleCount,
	"RouterRole": diag.RouterRoleCount, "LeaderRole": diag.LeaderRoleCount, "AttachAttempts": diag.AttachAttemptCount,
	"PartitionIdChanges": diag.PartitionIDChangeCount, "BetterPartitionAttachAttempts": diag.BetterPartitionAttachAttemptCount,
	"ParentChanges": diag.ParentChangeCount, "TrackedTime": diag.TrackedMillis, "DisabledTime": diag.DisabledMillis,
	"DetachedTime": diag.DetachedMillis, "ChildTime": diag.ChildMillis, "RouterTime": diag.RouterMillis, "LeaderTime": diag.LeaderMillis,
}

func (d *diagnostic) counter(key, v string) bool {
	name, ok := ifCounters[key]
	n, err := strconv.ParseUint(v, 10, 64)
	if ok && err == nil {
		if d.rep.Counters == nil {
			d.rep.Counters = map[diag.Counter]uint64{}
		}
		d.rep.Counters[name] = n
	}
	return true // newer versions may count more
}

func (d *diagnostic) childLine(l cliLine, key, v string) bool {
	switch key {
	case "ChildId":
		d.endChild()
		id, _ := hexNumber(v, diag.MaxChildID) // no number is said below, once
		d.open, d.child, d.seen = true, diagChild{line: l, id: uint16(id)}, 0
	case "Timeout":
		if e, err := strconv.ParseUint(v, 10, 8); err == nil && e < 32 {
			d.child.n.Timeout = diag.Some(exponent(e))
		}
	case "Link Quality":
		d.child.n.LinkQualityIn = small(v, 3)
	case "Mode":
		d.seen = 0
	default:
		return d.modeLine(key, v, &d.child.n.Mode)
	}
	return true
}

// endChild closes the child being read. One without a mode was cut off.
func (d *diagnostic) endChild() {
	if !d.open {
		return
	}
	d.open = false
	switch {
	case !d.child.n.Mode.Known():
		d.c.problem(d.child.line, "row of the child table is cut off: skipped")
	case len(d.children) < maxRows:
		d.children = append(d.children, d.child)
	}
}
