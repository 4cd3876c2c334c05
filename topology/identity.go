package topology

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"threadmap/diag"
)

// An ident is a name, or after joining, the node that has it.
type ident int32

func (b *builder) newIdent() ident {
	b.up = append(b.up, ident(len(b.up)))
	return ident(len(b.up) - 1)
}

func (b *builder) root(i ident) ident {
	for b.up[i] != i {
		b.up[i] = b.up[b.up[i]]
		i = b.up[i]
	}
	return i
}

func (b *builder) join(i, j ident) ident {
	i, j = b.root(i), b.root(j)
	if i > j {
		i, j = j, i
	}
	b.up[j] = i
	return i
}

// identOf is the ident of a name of one kind.
func identOf[K comparable](b *builder, names map[K]ident, name K) ident {
	i, ok := names[name]
	if !ok {
		i = b.newIdent()
		names[name] = i
	}
	return i
}

func (b *builder) extIdent(x diag.ExtAddr) ident { return identOf(b, b.byExt, x) }

func (b *builder) keyIdent(k string) ident { return identOf(b, b.byKey, k) }

// Ranks of the witnesses that are not said outright, between those of package
// diag (doubled there to leave room).
const (
	rankOwnRow    = 2*int(diag.WitnessDiagnostic) + 1
	rankLinkLocal = 2*int(diag.WitnessMeshCoP) + 1
)

type addrClaim struct {
	x     diag.ExtAddr
	rank  int // smaller is believed first
	field string
}

// ownAddresses settles each speaker's own extended address: the value that
// most witnesses agree on, among equals the one that other nodes' tables know,
// then the best witness's. A witness that two others contradict loses, and the
// disagreement is kept.
func (b *builder) ownAddresses() {
	var heard map[diag.ExtAddr]bool // built only when somebody disagrees, or has but the attribute
	var room [8]addrClaim
	for i, r := range b.reps {
		claims := addrClaims(r, room[:0])
		if len(claims) == 0 {
			continue
		}
		if j := loneAttribute(claims); j >= 0 {
			if heard == nil {
				heard = b.heardAddresses()
			}
			if c := &claims[j]; !heard[c.x] && heard[c.x.Swapped()] {
				c.x, c.field = c.x.Swapped(), c.field+octetsReversed
			}
		}
		if same := !slices.ContainsFunc(claims, func(c addrClaim) bool { return c.x != claims[0].x }); same {
			b.said[i].own = claims[0].x
			continue
		}
		if heard == nil {
			heard = b.heardAddresses()
		}
		votes := map[diag.ExtAddr]int{}
		for _, c := range claims {
			votes[c.x]++
		}
		known := func(x diag.ExtAddr) int {
			if heard[x] {
				return 0
			}
			return 1
		}
		slices.SortStableFunc(claims, func(p, q addrClaim) int {
			return cmp.Or(cmp.Compare(votes[q.x], votes[p.x]), cmp.Compare(known(p.x), known(q.x)), cmp.Compare(p.rank, q.rank), cmp.Compare(p.x, q.x))
		})
		b.said[i].own = claims[0].x
		for _, c := range claims {
			b.said[i].conflicts = append(b.said[i].conflicts, Claim{
				Value:    c.x.String(),
				Evidence: Evidence{Source: r.Source, Via: r.Via, At: r.At, Field: c.field, Cached: r.Cached},
			})
		}
	}
}

// addrClaims appends the witnesses of one report to out.
func addrClaims(r *diag.Report, out []addrClaim) []addrClaim {
	for _, c := range r.Own {
		if c.ExtAddr != 0 {
			out = append(out, addrClaim{c.ExtAddr, 2 * int(c.Witness), c.Witness.String()})
		}
	}
	if x := ownRow(r); x != 0 {
		out = append(out, addrClaim{x, rankOwnRow, "own row of the route table"})
	}
	if r.Transport == diag.TransportThread || r.RLOC16.Known() || r.Transport == diag.TransportUnknown {
		var ll unique[diag.ExtAddr]
		for _, a := range r.Addresses {
			x, ok := diag.ExtAddrFromLinkLocal(a)
			ll.add(x, ok)
		}
		if x, ok := ll.get(); ok { // several: another interface's are among them
			out = append(out, addrClaim{x, rankLinkLocal, "link-local address"})
		}
	}
	// Matter stacks before SDK 1.4.2 send the attribute with its octets reversed:
	// where only the reversed value agrees with another witness, that is meant.
	for i, c := range out {
		if c.rank != 2*int(diag.WitnessAttribute) {
			continue
		}
		agrees := func(x diag.ExtAddr) bool {
			return slices.ContainsFunc(out, func(d addrClaim) bool { return d.rank != c.rank && d.x == x })
		}
		if !agrees(c.x) && agrees(c.x.Swapped()) {
			out[i].x, out[i].field = c.x.Swapped(), c.field+octetsReversed
		}
	}
	return out
}

const octetsReversed = " (octets reversed)"

// loneAttribute is the index of the ExtAddress attribute among claims where no
// other witness agrees with it, else -1: then only those who hear the node can
// tell in which order its octets are.
func loneAttribute(claims []addrClaim) int {
	j := slices.IndexFunc(claims, func(c addrClaim) bool { return c.rank == 2*int(diag.WitnessAttribute) })
	if j >= 0 && slices.ContainsFunc(claims, func(c addrClaim) bool { return c.rank != claims[j].rank && c.x == claims[j].x }) {
		return -1
	}
	return j
}

// ownRow finds the speaker's own row in its route table: no next hop, no cost,
// no link, an address, and no other row like it.
func ownRow(r *diag.Report) diag.ExtAddr {
	id, known := r.RLOC16.RouterID()
	var x unique[diag.ExtAddr]
	for _, row := range r.Routes {
		if row.ExtAddr == 0 || row.NextHop.Or(0) != 63 || row.PathCost.Or(1) != 0 || row.LinkEstablished.Or(true) {
			continue
		}
		if known && r.RLOC16.IsRouter() && row.RouterID != id {
			continue
		}
		x.add(row.ExtAddr, true)
	}
	v, _ := x.get()
	return v
}

// heardAddresses is the set of addresses that stand in anybody's tables.
func (b *builder) heardAddresses() map[diag.ExtAddr]bool {
	out := map[diag.ExtAddr]bool{}
	for _, r := range b.reps {
		for i := range r.Children {
			out[r.Children[i].ExtAddr] = true
		}
		for i := range r.Neighbors {
			out[r.Neighbors[i].ExtAddr] = true
		}
		own := ownRow(r)
		for i := range r.Routes {
			if x := r.Routes[i].ExtAddr; x != own {
				out[x] = true
			}
		}
	}
	return out
}

// joinNames learns which names belong to one node: all names that one report
// gives its speaker. A row of a table names its node by extended address only.
func (b *builder) joinNames() {
	for i, r := range b.reps {
		s := &b.said[i]
		s.id = b.newIdent()
		named := false
		add := func(j ident) { s.id, named = b.join(s.id, j), true }
		if s.own != 0 {
			add(b.extIdent(s.own))
		}
		if r.BorderAgentID != "" {
			add(b.keyIdent("ba " + r.BorderAgentID))
		}
		for _, m := range r.Matter {
			if m.Fabric != 0 {
				add(identOf(b, b.byMatter, m))
			} else {
				add(b.keyIdent(fmt.Sprintf("matter via %s %s %d", r.Source, r.Via, m.Node)))
			}
		}
		if r.EUI64 != 0 {
			add(identOf(b, b.byEUI64, r.EUI64))
		}
		if r.HAPID != "" { // beside the host, which a radio has alone
			s.id = b.join(s.id, b.keyIdent("hap "+r.HAPID))
		}
		if r.BorderAgent.Known() && r.BorderAgentID == "" {
			// Some makers announce no id and take a new radio address at each restart;
			// the host keeps its name.
			for _, h := range r.Hosts {
				s.id = b.join(s.id, b.keyIdent("agent's host "+b.scopeKey(s.scope)+" "+strings.ToLower(h)))
			}
		}
		if !named && !r.RLOC16.Known() {
			// A host name is shared by all that runs on one host, so it names a
			// node only where nothing better does.
			for _, h := range r.Hosts {
				add(b.keyIdent("host " + b.scopeKey(s.scope) + " " + strings.ToLower(h)))
			}
		}
		for j := range r.Children {
			if x := r.Children[j].ExtAddr; x != 0 {
				b.extIdent(x)
			}
		}
		for j := range r.Neighbors {
			if x := r.Neighbors[j].ExtAddr; x != 0 {
				b.extIdent(x)
			}
		}
		for j := range r.Routes {
			// An own row that the other witnesses outvoted names nobody.
			if x := r.Routes[j].ExtAddr; x != 0 && (x == s.own || x != ownRow(r)) {
				b.extIdent(x)
			}
		}
	}
}

func (b *builder) scopeKey(scope int32) string {
	if scope < 0 {
		return ""
	}
	return b.scopeKeys[scope]
}

// joinAddresses joins a report that names its speaker by nothing but IP
// addresses or a host (an SRP host list) with the one node that has such an
// address. Routing and anycast locators and link-local addresses name no node.
func (b *builder) joinAddresses() {
	weak := func(i int) bool {
		r := b.reps[i]
		return b.said[i].own == 0 && r.BorderAgentID == "" && len(r.Matter) == 0 && r.EUI64 == 0 && !b.said[i].rloc16.Known() && len(r.Addresses) > 0
	}
	any := false
	for i := range b.reps {
		any = any || weak(i)
	}
	if !any {
		return
	}
	owner := map[netip.Addr]*unique[ident]{}
	note := func(addrs []netip.Addr, id ident) {
		for _, a := range addrs {
			if !namesNode(a) {
				continue
			}
			if owner[a] == nil {
				owner[a] = &unique[ident]{}
			}
			owner[a].add(b.root(id), true)
		}
	}
	for i, r := range b.reps {
		if !weak(i) {
			note(r.Addresses, b.said[i].id)
		}
		for j := range r.Children {
			if id, ok := b.rowIdent(i, r.Children[j].ExtAddr, r.Children[j].RLOC16); ok {
				note(r.Children[j].Addresses, id)
			}
		}
	}
	for i, r := range b.reps {
		if !weak(i) {
			continue
		}
		var to unique[ident]
		for _, a := range r.Addresses {
			if u := owner[a]; u != nil && namesNode(a) {
				id, ok := u.get()
				to.add(b.root(id), ok)
			}
		}
		if id, ok := to.get(); ok {
			b.join(b.said[i].id, id)
		}
	}
}

func namesNode(a netip.Addr) bool {
	if !a.Is6() || a.Is4In6() || !a.IsGlobalUnicast() {
		return false
	}
	o := a.As16()
	return [6]byte(o[8:14]) != [6]byte{0, 0, 0, 0xff, 0xfe, 0}
}
