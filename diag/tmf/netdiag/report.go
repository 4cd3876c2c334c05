package netdiag

import (
	"fmt"
	"slices"
	"time"

	"threadmap/diag"
)

// Report makes a report of what one node said in TLVs, in one answer or in
// several that belong together. from is its RLOC16 as far as its address tells
// it; the node's own word (TLV 1) goes before. Source, Via, Session, At and the
// names of the network are the caller's to add.
//
// A TLV that can't be read is in the errors, the others count. Where a type
// comes several times the last one does, but for the lists:
//
// Children are what the child table (TLV 16) and the lists of children (29) and
// of their addresses (30) say together: the table is short and always arrives,
// and it alone tells link qualities; the lists may get lost. A list without its
// end, or with fewer rows than the table, is not taken for the whole.
func Report(from diag.RLOC16, tlvs []TLV) (diag.Report, []error) {
	p := reporter{r: diag.Report{Transport: diag.TransportThread, RLOC16: from}}
	for _, t := range tlvs {
		if err := p.take(t.Type, t.Value); err != nil {
			p.errs = append(p.errs, err)
		}
	}
	p.finish()
	return p.r, p.errs
}

// A reporter gathers what the TLVs of one node say.
type reporter struct {
	r    diag.Report
	errs []error

	table     []ChildTableRow // nil: not said
	children  []Child
	addresses []ChildAddresses
	neighbors []RouterNeighbor
	ended     [256]bool // lists whose end came
	enhanced  []EnhancedRouteRow
	br        diag.Opt[BRState]
}

// take reads one TLV. Values are assigned only when they are whole.
func (p *reporter) take(typ uint8, v []byte) error {
	r := &p.r
	if IsList(typ) {
		return p.row(typ, v)
	}
	switch typ {
	case TypeExtAddress:
		return put(v, ParseExtAddress, func(x diag.ExtAddr) {
			if r.Own = nil; x != 0 {
				r.Own = []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessDiagnostic}}
			}
		})
	case TypeAddress16:
		return put(v, ParseAddress16, func(x diag.RLOC16) { r.RLOC16 = x })
	case TypeMode:
		return put(v, ParseMode, func(m diag.Mode) { r.Mode = diag.Some(m) })
	case TypeTimeout:
		return put(v, ParseTimeout, func(d time.Duration) { r.Timeout = diag.Some(d) })
	case TypeConnectivity:
		return put(v, ParseConnectivity, func(c diag.Connectivity) {
			r.Connectivity, r.RouterCount = diag.Some(c), diag.Some(c.ActiveRouters)
		})
	case TypeRoute64:
		return put(v, ParseRoute64, p.route64)
	case TypeEnhancedRoute:
		return put(v, ParseEnhancedRoute, func(rows []EnhancedRouteRow) { p.enhanced = rows })
	case TypeLeaderData:
		return put(v, ParseLeaderData, func(l diag.LeaderData) { r.Leader = l })
	case TypeNetworkData:
		return put(v, ParseNetworkData, func(d NetworkData) { d.AddTo(&r.Network, v) })
	case TypeIPv6Addresses:
		var err error
		if r.Addresses, err = ParseIPv6Addresses(v); err != nil {
			return err
		}
		if m, ok := diag.MeshLocalPrefix(r.Addresses); ok {
			r.Network.MeshLocalPrefix = m
		}
	case TypeChildTable:
		return put(v, ParseChildTable, func(rows []ChildTableRow) { p.table = rows })
	case TypeMaxChildTimeout:
		return put(v, ParseMaxChildTimeout, func(d time.Duration) { r.MaxChildTimeout = diag.Some(d) })
	case TypeBRState:
		return put(v, ParseBRState, func(s BRState) { p.br = diag.Some(s) })
	default:
		return p.takeProduct(typ, v)
	}
	return nil
}

// takeProduct reads the TLVs about the thing rather than its mesh.
func (p *reporter) takeProduct(typ uint8, v []byte) error {
	r := &p.r
	text := func(to *string) error {
		s, err := ParseText(typ, v)
		if err == nil {
			*to = s
		}
		return err
	}
	switch typ {
	case TypeEUI64:
		return put(v, ParseEUI64, func(x diag.ExtAddr) { r.EUI64 = x })
	case TypeVersion:
		return put(v, ParseVersion, func(n uint16) { r.ThreadVersion = assigned(n) })
	case TypeVendorName:
		return text(&r.Vendor)
	case TypeVendorModel:
		return text(&r.Product)
	case TypeVendorSWVersion:
		return text(&r.Firmware)
	case TypeThreadStackVersion:
		return text(&r.ThreadStack)
	case TypeBatteryLevel:
		return put(v, ParseBatteryLevel, func(n uint8) { r.BatteryPercent = diag.Some(n) })
	case TypeSupplyVoltage:
		return put(v, ParseSupplyVoltage, func(n uint16) { r.SupplyMillivolt = diag.Some(n) })
	case TypeMACCounters:
		return put(v, ParseMACCounters, func(c MACCounters) {
			for i, n := range c {
				p.count(MACCounterNames[i], uint64(n))
			}
		})
	case TypeMLECounters:
		return put(v, ParseMLECounters, func(c MLECounters) {
			for i, n := range c.Counts {
				p.count(MLECountNames[i], uint64(n))
			}
			for i, n := range c.Millis {
				p.count(MLETimeNames[i], n)
			}
		})
	}
	return nil // what a report has no place for
}

// put parses v and, where that succeeds, hands the value on.
func put[T any](v []byte, parse func([]byte) (T, error), to func(T)) error {
	x, err := parse(v)
	if err == nil {
		to(x)
	}
	return err
}

// assigned is a Thread version; zero is assigned to none.
func assigned(n uint16) diag.Opt[uint16] {
	if n == 0 {
		return diag.Opt[uint16]{}
	}
	return diag.Some(n)
}

func (p *reporter) count(c diag.Counter, n uint64) {
	if p.r.Counters == nil {
		p.r.Counters = map[diag.Counter]uint64{}
	}
	p.r.Counters[c] = n
}

func (p *reporter) route64(t Route64) {
	p.r.RouteIDSequence = diag.Some(t.IDSequence)
	p.r.Routes = make([]diag.Route, 0, len(t.Rows))
	for _, w := range t.Rows {
		p.r.Routes = append(p.r.Routes, diag.Route{
			RouterID: w.RouterID, PathCost: diag.Some(w.Cost), LinkQualityIn: diag.Some(w.LQIn), LinkQualityOut: diag.Some(w.LQOut),
		})
	}
}

// row reads a row of a list, or its end.
func (p *reporter) row(typ uint8, v []byte) error {
	if len(v) == 0 {
		p.ended[typ] = true
		return nil
	}
	switch typ {
	case TypeChild:
		return put(v, ParseChild, func(c Child) { p.children = append(p.children, c) })
	case TypeChildIPv6Addresses:
		return put(v, ParseChildAddresses, func(c ChildAddresses) { p.addresses = append(p.addresses, c) })
	default:
		return put(v, ParseRouterNeighbor, func(n RouterNeighbor) { p.neighbors = append(p.neighbors, n) })
	}
}

func (p *reporter) finish() {
	p.enhance()
	p.childRows()
	p.neighborRows()
	// Whether it is a border router follows from its own network data, or from
	// its border routing being at work. That this is off says nothing.
	named, known := false, p.r.Network.BorderRouters != nil && p.r.RLOC16.Known()
	if known {
		named = slices.Contains(p.r.Network.BorderRouters, p.r.RLOC16)
	}
	switch {
	case p.br == diag.Some(BRRunning) || known && named:
		p.r.BorderRouter = diag.Some(true)
	case known:
		p.r.BorderRouter = diag.Some(false)
	}
}

// enhance lays the rows of an Enhanced Route over those of the Route64. Alone
// it gives no path costs: its costs don't count the link to the next hop.
func (p *reporter) enhance() {
	if p.enhanced == nil {
		return
	}
	if p.r.Routes == nil {
		p.r.Routes = []diag.Route{}
	}
	for _, w := range p.enhanced {
		i := slices.IndexFunc(p.r.Routes, func(r diag.Route) bool { return r.RouterID == w.RouterID })
		if i < 0 {
			i = len(p.r.Routes)
			p.r.Routes = append(p.r.Routes, diag.Route{RouterID: w.RouterID, LinkQualityIn: diag.Some(w.LQIn), LinkQualityOut: diag.Some(w.LQOut)})
		}
		row := &p.r.Routes[i]
		row.LinkEstablished = diag.Some(w.HasLink)
		row.NextHop = diag.Some(w.NextHop)
	}
	slices.SortFunc(p.r.Routes, func(a, b diag.Route) int { return int(a.RouterID) - int(b.RouterID) })
}

// childRows puts the three tables of children together, by RLOC16.
func (p *reporter) childRows() {
	if p.table == nil && len(p.children) == 0 && len(p.addresses) == 0 && !p.ended[TypeChild] {
		return
	}
	rows := make([]diag.Neighbor, 0, max(len(p.table), len(p.children)))
	at := map[diag.RLOC16]int{}
	row := func(r diag.RLOC16) *diag.Neighbor {
		i, ok := at[r]
		if !ok || !r.Known() { // one whose RLOC16 is unknown is a row of its own
			i = len(rows)
			rows = append(rows, diag.Neighbor{RLOC16: r})
			at[r] = i
		}
		return &rows[i]
	}
	for _, c := range p.table {
		var r diag.RLOC16
		if p.r.RLOC16.IsRouter() {
			r = p.r.RLOC16.Child(c.ChildID)
		}
		n := row(r)
		n.Mode, n.Timeout = diag.Some(c.Mode), diag.Some(c.Timeout())
		if c.LQIn != 0 { // zero is also "not told": a child that isn't heard is in no table
			n.LinkQualityIn = diag.Some(c.LQIn)
		}
	}
	for _, c := range p.children {
		n := row(c.RLOC16)
		n.ExtAddr, n.Mode, n.ThreadVersion = c.ExtAddr, diag.Some(c.Mode), assigned(c.ThreadVersion)
		n.Timeout, n.Age, n.ConnectedFor, n.Supervision = diag.Some(c.Timeout), diag.Some(c.Age), diag.Some(c.ConnectedFor), diag.Some(c.Supervision)
		n.QueuedMessages, n.CSLSynchronized = diag.Some(c.QueuedMessages), diag.Some(c.CSLSynchronized)
		signal(n, c.LinkMargin, c.AverageRSSI, c.LastRSSI)
		if c.ErrorRates {
			n.FrameErrorRate, n.MessageErrorRate = diag.Some(c.FrameErrorRate), diag.Some(c.MessageErrorRate)
		}
	}
	for _, c := range p.addresses {
		if c.RLOC16.Known() && len(c.Addresses) > 0 {
			row(c.RLOC16).Addresses = c.Addresses
		}
	}
	// A list that says there is nobody, beside a table that was not asked for.
	p.r.Children = rows
}

// neighborRows takes the list of router neighbors. An empty one beside direct
// links in the route table got lost on the way and says nothing.
func (p *reporter) neighborRows() {
	if len(p.neighbors) == 0 && !p.ended[TypeRouterNeighbor] {
		return
	}
	direct := slices.ContainsFunc(p.r.Routes, func(r diag.Route) bool { return r.LinkQualityIn.Or(0) > 0 && r.LinkQualityOut.Or(0) > 0 })
	if len(p.neighbors) == 0 && direct {
		p.errs = append(p.errs, fmt.Errorf("%s: the list came empty beside direct links in the route table: lost on the way", TypeName(TypeRouterNeighbor)))
		return
	}
	p.r.Neighbors = make([]diag.Neighbor, 0, len(p.neighbors))
	for _, c := range p.neighbors {
		n := diag.Neighbor{ExtAddr: c.ExtAddr, RLOC16: c.RLOC16, ThreadVersion: assigned(c.ThreadVersion), ConnectedFor: diag.Some(c.ConnectedFor)}
		signal(&n, c.LinkMargin, c.AverageRSSI, c.LastRSSI)
		if c.ErrorRates {
			n.FrameErrorRate, n.MessageErrorRate = diag.Some(c.FrameErrorRate), diag.Some(c.MessageErrorRate)
		}
		p.r.Neighbors = append(p.r.Neighbors, n)
	}
}

// signal puts in how well something is heard. The margin comes of the average,
// so without one it is no statement.
func signal(n *diag.Neighbor, margin uint8, average, last int8) {
	if average != NoRSSI {
		n.AverageRSSI, n.LinkMargin = diag.Some(average), diag.Some(margin)
	}
	if last != NoRSSI {
		n.LastRSSI = diag.Some(last)
	}
}
