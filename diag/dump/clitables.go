package dump

import (
	"threadmap/diag"
)

// routerTable reads "router table":
//
//	| ID | RLOC16 | Next Hop | Path Cost | LQ In | LQ Out | Age | Extended MAC     | Link |
//
// Written from Home Assistant add-ons 4671 and an article on two ESP border
// routers. Next Hop is a router id, 63 for none. Older versions have no
// column Link, the oldest say "LQI In" and "LQI Out".
func (c *cli) routerTable(t *cliTable) {
	routes := []diag.Route{}
	for _, r := range t.rows {
		id, ok1 := r.number("ID", diag.MaxRouterID)
		rloc, ok2 := r.rloc16()
		x, ok3 := r.extAddr()
		if !ok1 || !ok2 || !ok3 || rloc != diag.RouterRLOC16(uint8(id)) {
			c.problem(r.line, "row of %q has an ID, RLOC16 and Extended MAC that make no router: skipped", tableRouter)
			continue
		}
		route := diag.Route{RouterID: uint8(id), ExtAddr: x}
		route.NextHop = small(r.cell("Next Hop"), 63)
		route.PathCost = small(r.cell("Path Cost"), 255)
		route.LinkQualityIn = small(r.cell("LQ In"), 3)
		route.LinkQualityOut = small(r.cell("LQ Out"), 3)
		route.Age = r.seconds("Age")
		if on, ok := r.flag("Link"); ok {
			route.LinkEstablished = diag.Some(on)
		} else if none := diag.Some(uint8(0)); route.LinkQualityIn == none && route.LinkQualityOut == none {
			route.LinkEstablished = diag.Some(false) // a link that hears nothing either way is none
		}
		routes = append(routes, route)
	}
	if len(routes) == 0 && !t.whole {
		return // cut before its first row: says nothing
	}
	if c.linksToItself(routes) {
		c.flush()
	}
	c.begin(tableRouter, c.ownRow(routes))
	c.me.rep.Routes = routes
}

// ownRow finds the speaker's extended address in its own router table: the
// only row without a next hop, a cost and a link that has an address. It is
// used to tell speakers apart; what it proves is for package topology to say.
func (c *cli) ownRow(routes []diag.Route) diag.ExtAddr {
	if c.me.kid || c.me.rep.Role == diag.RoleDetached {
		return 0 // a child's table has no such row
	}
	var own diag.ExtAddr
	for _, r := range routes {
		if r.ExtAddr == 0 || r.NextHop != diag.Some(uint8(63)) || r.PathCost != diag.Some(uint8(0)) || r.LinkEstablished != diag.Some(false) {
			continue
		}
		if r.ExtAddr == c.me.ext {
			return r.ExtAddr
		}
		if own != 0 {
			return 0
		}
		own = r.ExtAddr
	}
	return own
}

// neighborTable reads "neighbor table", of any column set:
//
//	| Role | RLOC16 | Age | Avg RSSI | Last RSSI |R|S|D|N| Extended MAC     |
//	| Role | RLOC16 | Age | Avg RSSI | Last RSSI |R|D|N| Extended MAC     | Version |
//	| Role | RLOC16 | Age | Avg RSSI | Last RSSI | LQ In |R|D|N| Extended MAC     | Version |
//
// Written from OpenThread 3094 (the first) and 8726 (the second). Role C is a
// child of the speaker, R a router it hears.
func (c *cli) neighborTable(t *cliTable) {
	var children []diag.Neighbor
	neighbors := []diag.Neighbor{}
	for _, r := range t.rows {
		rloc, ok1 := r.rloc16()
		x, ok2 := r.extAddr()
		role := r.cell("Role")
		if !ok1 || !ok2 || role != "C" && role != "R" || x == 0 && !rloc.Known() {
			c.problem(r.line, "row of %q has a Role, RLOC16 or Extended MAC that is none: skipped", tableNeighbor)
			continue
		}
		n := diag.Neighbor{
			ExtAddr: x, RLOC16: rloc, Mode: r.mode(), ThreadVersion: version(r.cell("Version")),
			LinkQualityIn: small(r.cell("LQ In"), 3), AverageRSSI: dBm(r.cell("Avg RSSI")), LastRSSI: dBm(r.cell("Last RSSI")),
			Age: r.seconds("Age"),
		}
		if role == "C" {
			children = append(children, n)
		} else {
			neighbors = append(neighbors, n)
		}
	}
	if len(t.rows) == 0 && !t.whole {
		return
	}
	if c.strangers(children) {
		c.flush()
	}
	c.begin(tableNeighbor, 0)
	c.me.rep.Neighbors = merged(neighbors, c.me.rep.Neighbors)
	if children != nil {
		c.me.rep.Children = merged(c.me.rep.Children, children)
	}
}

// childTable reads "child table", of any column set:
//
//	| ID  | RLOC16 | Timeout    | Age        | LQ In | C_VN |R|S|D|N| Extended MAC     |
//	| ID  | RLOC16 | Timeout    | Age        | LQ In | C_VN |R|S|D|VER| Extended MAC     |
//	| ID  | RLOC16 | Timeout    | Age        | LQ In | C_VN |R|D|N|Ver|CSL|QMsgCnt|Suprvsn| Extended MAC     |
//
// The first is from OpenThread's CLI reference of an earlier age, the second from
// one of its codelabs, the third is proved on a command line of 2026. Timeout, Age and Suprvsn are seconds.
func (c *cli) childTable(t *cliTable) {
	children := []diag.Neighbor{}
	for _, r := range t.rows {
		rloc, ok1 := r.rloc16()
		x, ok2 := r.extAddr()
		if !ok1 || !ok2 || x == 0 && !rloc.Known() {
			c.problem(r.line, "row of %q has an RLOC16 or Extended MAC that is none: skipped", tableChild)
			continue
		}
		n := diag.Neighbor{
			ExtAddr: x, RLOC16: rloc, Mode: r.mode(), ThreadVersion: first(version(r.cell("Ver")), version(r.cell("VER"))),
			LinkQualityIn: small(r.cell("LQ In"), 3), Timeout: r.seconds("Timeout"), Age: r.seconds("Age"), Supervision: r.seconds("Suprvsn"),
		}
		if v, ok := r.number("QMsgCnt", 1<<16-1); ok {
			n.QueuedMessages = diag.Some(uint16(v))
		}
		if on, ok := r.flag("CSL"); ok {
			n.CSLSynchronized = diag.Some(on)
		}
		children = append(children, n)
	}
	if len(children) == 0 && !t.whole {
		return
	}
	if c.strangers(children) {
		c.flush()
	}
	c.begin(tableChild, 0)
	c.me.rep.Children = merged(children, c.me.rep.Children)
}

// linksToItself reports whether the routes hold a link to the speaker: the table
// is another node's, as where a page shows "rloc16" of one node and the router
// table of the next.
func (c *cli) linksToItself(routes []diag.Route) bool {
	if !c.me.rep.RLOC16.IsRouter() {
		return false
	}
	for _, r := range routes {
		if lq, _ := r.LinkQualityIn.Get(); diag.RouterRLOC16(r.RouterID) == c.me.rep.RLOC16 && (lq > 0 || r.LinkEstablished == diag.Some(true)) {
			return true
		}
	}
	return false
}

// strangers reports whether these can't be the speaker's children, since it is
// a child itself or they hang on another router id: the table is another node's.
func (c *cli) strangers(children []diag.Neighbor) bool {
	if len(children) > 0 && (c.me.kid || c.me.rep.RLOC16.Known() && !c.me.rep.RLOC16.IsRouter()) {
		return true
	}
	if !c.me.rep.RLOC16.Known() {
		return false
	}
	for _, n := range children {
		if n.RLOC16.Known() && n.RLOC16.Router() != c.me.rep.RLOC16.Router() {
			return true
		}
	}
	return false
}

// merged joins two tables of one speaker about the same nodes: rows of more
// fill what rows of base don't say, the others follow. nil stays nil only
// when both are.
func merged(base, more []diag.Neighbor) []diag.Neighbor {
	type name struct {
		x    diag.ExtAddr
		rloc diag.RLOC16
	}
	at := make(map[name]int, len(base))
	for i, n := range base {
		at[name{n.ExtAddr, n.RLOC16}] = i
		if _, taken := at[name{0, n.RLOC16}]; !taken && n.RLOC16.Known() {
			at[name{0, n.RLOC16}] = i // a list gives no more than that
		}
	}
	for _, m := range more {
		i, ok := at[name{m.ExtAddr, m.RLOC16}]
		if !ok {
			i, ok = at[name{0, m.RLOC16}]
			ok = ok && base[i].ExtAddr == 0
		}
		if ok {
			base[i] = filled(base[i], m)
		} else {
			base = append(base, m)
		}
	}
	if base == nil && more != nil {
		base = []diag.Neighbor{}
	}
	return base
}

// filled adds to a what only b says.
func filled(a, b diag.Neighbor) diag.Neighbor {
	if a.ExtAddr == 0 {
		a.ExtAddr = b.ExtAddr
	}
	a.Mode = first(a.Mode, b.Mode)
	a.ThreadVersion = first(a.ThreadVersion, b.ThreadVersion)
	a.LinkQualityIn = first(a.LinkQualityIn, b.LinkQualityIn)
	a.AverageRSSI = first(a.AverageRSSI, b.AverageRSSI)
	a.LastRSSI = first(a.LastRSSI, b.LastRSSI)
	a.Age = first(a.Age, b.Age)
	a.Timeout = first(a.Timeout, b.Timeout)
	a.Supervision = first(a.Supervision, b.Supervision)
	a.QueuedMessages = first(a.QueuedMessages, b.QueuedMessages)
	a.CSLSynchronized = first(a.CSLSynchronized, b.CSLSynchronized)
	if a.Addresses == nil {
		a.Addresses = b.Addresses
	}
	return a
}

func first[T any](a, b diag.Opt[T]) diag.Opt[T] {
	if a.Known() {
		return a
	}
	return b
}
