package dump

import (
	"strconv"
	"strings"

	"threadmap/diag"
)

// logRouterTable marks the lines of the log in which OpenThread tells its
// router table, each time that it changes.
const logRouterTable = "] RouterTable---: "

// logTable reads one such table, of a border router's log:
//
//	00:01:25.464 [I] RouterTable---: Route table
//	00:01:25.464 [I] RouterTable---:     26 0x6800 - neigh{lq[i/o]:3/3 cost:1} - nexthop{54 cost:2}
//	00:01:25.464 [I] RouterTable---:     34 0x8800 - nexthop{54 cost:2} - leader
//	00:01:25.464 [I] RouterTable---:     41 0xa400 - me
//
// Written from OpenThread's pull request 8189, which introduced it. A log tells
// of one node; the last table in it counts. What the costs are counted from is
// not said, so they are left out.
func (c *cli) logTable(head cliLine) bool {
	if _, title, _ := strings.Cut(head.text, logRouterTable); strings.TrimSpace(title) != "Route table" {
		return false // the rest of a table whose beginning is missing
	}
	c.next()
	r := diag.Report{Routes: []diag.Route{}}
	for {
		l, ok := c.peek()
		if !ok {
			r.RoutesPartial = true // the log may end in the middle of it
			break
		}
		_, row, ours := strings.Cut(l.text, logRouterTable)
		if l.long || !ours || strings.TrimSpace(row) == "Route table" || len(r.Routes) > diag.MaxRouterID {
			break
		}
		c.next()
		if !logRow(strings.TrimSpace(row), &r) {
			r.RoutesPartial = true
			c.problem(l, "row of the router table in the log is cut off: skipped")
		}
	}
	if len(r.Routes) == 0 {
		return true
	}
	if c.logged > 0 {
		old := &c.out.reports[c.logged-1]
		r.Source, r.Session, r.Transport, r.Via, r.At = old.Source, old.Session, old.Transport, old.Via, old.At
		*old = r
		return true
	}
	n := len(c.out.reports)
	if c.report(r); len(c.out.reports) > n {
		c.logged = n + 1
	}
	return true
}

// logRow reads "26 0x6800 - neigh{lq[i/o]:3/3 cost:1} - nexthop{54 cost:2}".
func logRow(t string, r *diag.Report) bool {
	words := strings.Split(t, " - ")
	f := strings.Fields(words[0])
	if len(f) != 2 || len(words) < 2 {
		return false
	}
	id, err := strconv.ParseUint(f[0], 10, 8)
	rloc, ok := parseRLOC16(f[1])
	if err != nil || !ok || id > diag.MaxRouterID || rloc != diag.RouterRLOC16(uint8(id)) {
		return false
	}
	none := diag.Some(uint8(0))
	route := diag.Route{RouterID: uint8(id), NextHop: diag.Some(uint8(63)), LinkQualityIn: none, LinkQualityOut: none, LinkEstablished: diag.Some(false)}
	me, leader := false, false
	for _, w := range words[1:] {
		body, closed := strings.CutSuffix(strings.TrimSpace(w), "}")
		switch {
		case w == "me":
			me = true
			route.PathCost = none
		case w == "leader":
			leader = true
		case closed && strings.HasPrefix(body, "neigh{lq[i/o]:"):
			lq, _, _ := strings.Cut(strings.TrimPrefix(body, "neigh{lq[i/o]:"), " ")
			in, out, _ := strings.Cut(lq, "/")
			route.LinkQualityIn, route.LinkQualityOut = small(in, 3), small(out, 3)
			route.LinkEstablished = diag.Some(true)
		case closed && strings.HasPrefix(body, "nexthop{"):
			hop, _, _ := strings.Cut(strings.TrimPrefix(body, "nexthop{"), " ")
			route.NextHop = small(hop, diag.MaxRouterID)
		default:
			return false
		}
	}
	if me {
		r.RLOC16, r.Role = rloc, diag.RoleRouter
		if leader {
			r.Role = diag.RoleLeader
		}
	}
	if leader {
		r.Leader.RouterID = diag.Some(uint8(id))
	}
	r.Routes = append(r.Routes, route)
	return true
}
