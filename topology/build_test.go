package topology_test

import (
	"net/netip"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/topology"
)

var at = time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)

// Addresses of the hand-made cases.
const (
	xA diag.ExtAddr = 0x0e01010101010101
	xB diag.ExtAddr = 0x0e02020202020202
	xC diag.ExtAddr = 0x0e03030303030303
	xD diag.ExtAddr = 0x0e04040404040404
)

const netOne, netTwo diag.PANID64 = 0xdead00beef00cafe, 0xbbbbbbbbbbbbbbbb

// says is what a node with that address and RLOC16 says of itself in netOne.
func says(x diag.ExtAddr, rloc16 uint16) diag.Report {
	return diag.Report{
		Source: "test", At: at, RLOC16: diag.MakeRLOC16(rloc16), Transport: diag.TransportThread,
		Own:     []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessDiagnostic}},
		Network: diag.Network{ExtPANID: netOne},
	}
}

func cached(r diag.Report) diag.Report {
	r.Cached, r.Available = true, diag.Some(true)
	return r
}

func neighbor(x diag.ExtAddr, rloc16 uint16, lq uint8) diag.Neighbor {
	return diag.Neighbor{ExtAddr: x, RLOC16: diag.MakeRLOC16(rloc16), LinkQualityIn: diag.Some(lq), Mode: diag.Some(diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true})}
}

func child(x diag.ExtAddr, rloc16 uint16, lq uint8) diag.Neighbor {
	return diag.Neighbor{ExtAddr: x, RLOC16: diag.MakeRLOC16(rloc16), LinkQualityIn: diag.Some(lq), Mode: diag.Some(diag.Mode{})}
}

func aged(n diag.Neighbor, age time.Duration) diag.Neighbor {
	n.Age = diag.Some(age)
	return n
}

// route is a row of a Matter RouteTable.
func route(x diag.ExtAddr, id, in, out uint8, established bool) diag.Route {
	r := diag.Route{
		RouterID: id, ExtAddr: x, LinkQualityIn: diag.Some(in), LinkQualityOut: diag.Some(out),
		LinkEstablished: diag.Some(established), Allocated: diag.Some(true), NextHop: diag.Some(id), PathCost: diag.Some(uint8(1)),
	}
	if !established {
		r.NextHop, r.PathCost = diag.Some(uint8(63)), diag.Some(uint8(0))
	}
	return r
}

func find(t *testing.T, m *topology.Map, id string) *topology.Node {
	t.Helper()
	for _, n := range m.Nodes {
		if n.ID == id {
			return n
		}
	}
	ids := make([]string, len(m.Nodes))
	for i, n := range m.Nodes {
		ids[i] = n.ID
	}
	t.Fatalf("no node %s; there are %q", id, ids)
	return nil
}

func linkOf(m *topology.Map, a, b *topology.Node) *topology.Link {
	for _, l := range m.Links {
		if l.A == a && l.B == b || l.A == b && l.B == a {
			return l
		}
	}
	return nil
}

func TestBuildOfNothing(t *testing.T) {
	m := topology.Build(nil)
	if m.Networks == nil || m.Nodes == nil || m.Links == nil || len(m.Nodes) != 0 {
		t.Errorf("got %+v, want empty lists", m)
	}
}

// RLOC16 0x0000 is router 0, not a missing value.
func TestRLOC16ZeroIsARouter(t *testing.T) {
	r := says(xA, 0)
	r.Children = []diag.Neighbor{child(xB, 0x0001, 3)}
	m := topology.Build([]diag.Report{r, says(xB, 0x0001)})
	a, b := find(t, m, xA.String()), find(t, m, xB.String())
	if a.Role != diag.RoleRouter || b.Parent != a || b.ParentConfidence != topology.Confirmed {
		t.Errorf("router is %s, parent of its child is %v (%s)", a.Role, b.Parent, b.ParentConfidence)
	}
}

// A missing RLOC16 must not become router 0.
func TestUnknownRLOC16IsNobody(t *testing.T) {
	r := says(xA, 0)
	lost := diag.Report{Source: "test", At: at, Own: []diag.AddrClaim{{ExtAddr: xB, Witness: diag.WitnessHost}}, Network: diag.Network{ExtPANID: netOne}}
	m := topology.Build([]diag.Report{r, lost})
	if b := find(t, m, xB.String()); b.RLOC16.Known() || b.Parent != nil || len(m.Links) != 0 {
		t.Errorf("got RLOC16 %v, parent %v, %d links out of nothing", b.RLOC16, b.Parent, len(m.Links))
	}
}

// Two networks in one home use the same RLOC16s.
func TestEqualRLOC16sInTwoNetworks(t *testing.T) {
	leader, other := says(xA, 0x5c00), says(xB, 0x8400)
	other.Network.ExtPANID = netTwo
	other.Neighbors = []diag.Neighbor{{RLOC16: diag.MakeRLOC16(0x5c00), LinkQualityIn: diag.Some(uint8(3))}}
	m := topology.Build([]diag.Report{leader, other})
	a, b := find(t, m, xA.String()), find(t, m, xB.String())
	if linkOf(m, a, b) != nil {
		t.Error("a link was drawn between two networks")
	}
	if len(m.Networks) != 2 || len(m.Nodes) != 3 || a.Network == b.Network {
		t.Errorf("%d networks, %d nodes, want 2 and 3 (the stranger is its own)", len(m.Networks), len(m.Nodes))
	}
}

// Rows with extended address zero are router ids, not one node named zero.
func TestZeroAddressesAreNotOneNode(t *testing.T) {
	r := says(xA, 0x5c00)
	r.Routes = []diag.Route{route(0, 1, 0, 0, false), route(0, 2, 0, 0, false), route(0, 3, 0, 0, false)}
	m := topology.Build([]diag.Report{r})
	if len(m.Nodes) != 4 || len(m.Links) != 0 {
		t.Errorf("%d nodes and %d links, want router ids 1, 2 and 3 apart, and no link", len(m.Nodes), len(m.Links))
	}
	if c := topology.Build([]diag.Report{cached(r)}); len(c.Nodes) != 1 {
		t.Errorf("%d nodes: one cached table made routers that nobody else knows", len(c.Nodes))
	}
}

// A route without an established link is no link.
func TestRouteIsNoLink(t *testing.T) {
	r := says(xA, 0x5c00)
	r.Routes = []diag.Route{route(xB, 33, 0, 0, false)}
	r.Routes[0].NextHop, r.Routes[0].PathCost = diag.Some(uint8(7)), diag.Some(uint8(4))
	m := topology.Build([]diag.Report{r, says(xB, 0x8400)})
	if len(m.Links) != 0 {
		t.Errorf("got link %+v", m.Links[0])
	}
}

// A neighbor row with quality 0 is a dead link, shown as such.
func TestQualityZeroIsADeadLink(t *testing.T) {
	r := says(xA, 0x5c00)
	r.Neighbors = []diag.Neighbor{neighbor(xB, 0x8400, 0)}
	m := topology.Build([]diag.Report{r})
	if l := linkOf(m, find(t, m, xA.String()), find(t, m, xB.String())); l == nil || l.State != topology.LinkDead {
		t.Errorf("got %+v, want a dead link", l)
	}
}

// A router known only from a route table is there, with both qualities.
func TestRouterKnownFromRouteTable(t *testing.T) {
	r := says(xA, 0x5c00)
	r.Routes = []diag.Route{route(xB, 33, 3, 2, true)}
	m := topology.Build([]diag.Report{r})
	a, b := find(t, m, xA.String()), find(t, m, xB.String())
	l := linkOf(m, a, b)
	if l == nil || l.Kind != topology.LinkRouter || l.Confidence != topology.OneSided || b.Role != diag.RoleRouter {
		t.Fatalf("got link %+v to a %s", l, b.Role)
	}
	out, in := l.AToB, l.BToA // A < B by address
	if out.LQ.Or(9) != 2 || !out.SecondHand || in.LQ.Or(9) != 3 || in.SecondHand {
		t.Errorf("A to B %+v, B to A %+v: want 2 at second hand and 3", out, in)
	}
}

// An rx-on minimal child is an end device, however awake.
func TestMinimalDeviceIsNoRouter(t *testing.T) {
	r := says(xA, 0x5c00)
	kid := child(xB, 0x5c01, 3)
	kid.Mode = diag.Some(diag.Mode{RxOnWhenIdle: true, FullNetworkData: true})
	r.Children = []diag.Neighbor{kid}
	m := topology.Build([]diag.Report{r})
	if b := find(t, m, xB.String()); b.Role != diag.RoleEndDevice || b.Parent == nil {
		t.Errorf("role %q, parent %v", b.Role, b.Parent)
	}
}

// A row kept of a router's former radio address, with an RLOC16 that is another
// router's now, is a ghost and no link to the new owner.
func TestStaleRowOfAnOldAddress(t *testing.T) {
	r := says(xA, 0x5c00)
	r.Neighbors = []diag.Neighbor{neighbor(xC, 0x8400, 3)}
	m := topology.Build([]diag.Report{cached(r), cached(says(xB, 0x8400))})
	ghost := find(t, m, xC.String())
	if ghost.State != topology.NodeGhost {
		t.Errorf("state of %s is %s, want ghost", ghost.ID, ghost.State)
	}
	if linkOf(m, find(t, m, xA.String()), find(t, m, xB.String())) != nil {
		t.Error("the row of the old address became a link to the new owner of its RLOC16")
	}
}

// Children under a ghost belong to whoever else has them.
func TestChildUnderAGhost(t *testing.T) {
	a := says(xA, 0x5c00)
	a.Neighbors = []diag.Neighbor{neighbor(xC, 0x8400, 3)}
	a.Children = []diag.Neighbor{child(xD, 0x5c01, 3)}
	kid := diag.Report{Source: "test", At: at, Role: diag.RoleSleepyEndDevice, Own: []diag.AddrClaim{{ExtAddr: xD, Witness: diag.WitnessInterface}},
		Network: diag.Network{ExtPANID: netOne}, Neighbors: []diag.Neighbor{neighbor(xC, 0x8400, 3)}}
	m := topology.Build([]diag.Report{cached(a), cached(says(xB, 0x8400)), cached(kid)})
	d := find(t, m, xD.String())
	if d.Parent == nil || d.Parent.ExtAddr != xA {
		t.Errorf("parent is %v, want the router that lists it", d.Parent)
	}
	if len(d.Conflicts) == 0 {
		t.Error("the disagreement was not kept")
	}
}

// The interface's hardware address is not the one on the air: two witnesses
// against one.
func TestAgreeingWitnesses(t *testing.T) {
	r := says(0, 0x8400)
	r.Own = []diag.AddrClaim{{ExtAddr: xC, Witness: diag.WitnessInterface}}
	r.Addresses = []netip.Addr{xB.LinkLocal()}
	r.Routes = []diag.Route{route(xB, 33, 0, 0, false), route(xA, 23, 3, 3, true)}
	m := topology.Build([]diag.Report{r, says(xA, 0x5c00)})
	b := find(t, m, xB.String())
	if len(m.Nodes) != 2 {
		t.Errorf("%d nodes, want 2", len(m.Nodes))
	}
	if len(b.Conflicts) != 1 || b.Conflicts[0].About != "ext_addr" || b.Conflicts[0].Claims[0].Value != xB.String() {
		t.Errorf("conflicts are %+v", b.Conflicts)
	}
}

// Among one witness a side, the one whose value stands in other nodes' tables
// is right.
func TestWitnessKnownToOthers(t *testing.T) {
	r := says(0, 0x8400)
	r.Own = []diag.AddrClaim{{ExtAddr: xC, Witness: diag.WitnessInterface}, {ExtAddr: xB, Witness: diag.WitnessHost}}
	a := says(xA, 0x5c00)
	a.Neighbors = []diag.Neighbor{neighbor(xB, 0x8400, 3)}
	m := topology.Build([]diag.Report{r, a})
	find(t, m, xB.String())
	if len(m.Nodes) != 2 {
		t.Errorf("%d nodes, want 2", len(m.Nodes))
	}
}

// Attribute ExtAddress with reversed octets is the same address.
func TestReversedExtAddrAttribute(t *testing.T) {
	r := says(0, 0x8400)
	r.Own = []diag.AddrClaim{{ExtAddr: diag.ExtAddr(0x0123456789abcdef).Swapped(), Witness: diag.WitnessAttribute}, {ExtAddr: 0x0123456789abcdef, Witness: diag.WitnessInterface}}
	m := topology.Build([]diag.Report{r})
	if n := find(t, m, "0123456789abcdef"); len(n.Conflicts) != 0 {
		t.Errorf("conflicts are %+v", n.Conflicts)
	}
}

// Where nothing else of its own agrees with the attribute, those who hear the
// node tell in which order its octets are.
func TestReversedExtAddrAttributeAlone(t *testing.T) {
	const x = diag.ExtAddr(0x0123456789abcdef)
	for _, c := range []struct {
		name   string
		said   diag.ExtAddr
		others []diag.AddrClaim
		lists  diag.ExtAddr
		want   diag.ExtAddr
	}{
		{"reversed", x.Swapped(), nil, x, x},
		{"reversed, and a hardware address that is another's", x.Swapped(), []diag.AddrClaim{{ExtAddr: xC, Witness: diag.WitnessInterface}}, x, x},
		{"as it is", x, nil, x, x},
		{"heard by nobody", x.Swapped(), nil, xC, x.Swapped()},
	} {
		r := says(0, 0x5c01)
		r.Own = append([]diag.AddrClaim{{ExtAddr: c.said, Witness: diag.WitnessAttribute}}, c.others...)
		a := says(xA, 0x5c00)
		a.Children = []diag.Neighbor{child(c.lists, 0x5c01, 3)}
		m := topology.Build([]diag.Report{r, a})
		n := find(t, m, c.want.String())
		if c.lists == c.want && (len(m.Nodes) != 2 || n.Parent == nil || n.Parent.ExtAddr != xA) {
			t.Errorf("%s: %d nodes, parent %v", c.name, len(m.Nodes), n.Parent)
		}
	}
}

// A border router takes a new radio address at its restart: its border agent id
// says that it is the same one.
func TestBorderRouterChangesItsAddress(t *testing.T) {
	before, after := says(xA, 0x5c00), says(xB, 0x5c00)
	before.BorderAgentID, after.BorderAgentID = "ad08de9eef6e693440c458db9ca3b007", "ad08de9eef6e693440c458db9ca3b007"
	before.At = at.Add(-time.Hour)
	m := topology.Build([]diag.Report{after, before})
	if len(m.Nodes) != 1 {
		t.Fatalf("%d nodes, want 1", len(m.Nodes))
	}
	if n := find(t, m, xB.String()); !n.BorderRouter.Or(false) {
		t.Error("it is no border router any more")
	}
}

// TestBorderRouterWithoutIDChangesItsAddress: where a maker announces no id, the
// host's name joins; another host of the network is another border router.
func TestBorderRouterWithoutIDChangesItsAddress(t *testing.T) {
	announced := func(x diag.ExtAddr, host string, when time.Time) diag.Report {
		return diag.Report{Source: "mdns", At: when, Own: []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessMeshCoP}}, Hosts: []string{host},
			Network: diag.Network{ExtPANID: netOne}, BorderRouter: diag.Some(true), BorderAgent: diag.Some(diag.BorderAgent{StateBitmap: diag.Some(uint32(0x31))})}
	}
	m := topology.Build([]diag.Report{announced(xA, "Kitchen", at.Add(-time.Hour)), announced(xB, "kitchen", at), announced(xC, "Hall", at)})
	if len(m.Nodes) != 2 {
		t.Fatalf("%d nodes, want 2", len(m.Nodes))
	}
	find(t, m, xB.String())
	find(t, m, xC.String())
}

// A device that is a child at one moment and a router later is one device, and
// what the newer reports say counts.
func TestNodeOverTime(t *testing.T) {
	old := says(xA, 0x5c00)
	old.At = at.Add(-time.Hour)
	old.Children = []diag.Neighbor{child(xB, 0x5c04, 3)}
	now := says(xA, 0x5c00)
	now.Children = []diag.Neighbor{}
	now.Neighbors = []diag.Neighbor{neighbor(xB, 0x7800, 2)}
	m := topology.Build([]diag.Report{old, now, says(xB, 0x7800)})
	b := find(t, m, xB.String())
	if b.Parent != nil || b.Role != diag.RoleRouter || b.RLOC16 != diag.MakeRLOC16(0x7800) {
		t.Errorf("got role %s, RLOC16 %v, parent %v", b.Role, b.RLOC16, b.Parent)
	}
	if l := linkOf(m, find(t, m, xA.String()), b); l == nil || l.Kind != topology.LinkRouter {
		t.Errorf("link is %+v", l)
	}
}

// A child in two tables belongs to the router that heard it last.
func TestChildInTwoTables(t *testing.T) {
	a, b := says(xA, 0x5c00), says(xB, 0x8400)
	a.Children = []diag.Neighbor{aged(child(xC, 0x5c01, 3), 40*time.Second)}
	b.Children = []diag.Neighbor{aged(child(xC, 0x8407, 1), 3*time.Second)}
	m := topology.Build([]diag.Report{a, b})
	c := find(t, m, xC.String())
	if c.Parent == nil || c.Parent.ExtAddr != xB || c.ParentConfidence != topology.OneSided || c.RLOC16 != diag.MakeRLOC16(0x8407) {
		t.Errorf("parent %v (%s), RLOC16 %v", c.Parent, c.ParentConfidence, c.RLOC16)
	}
	if l := linkOf(m, find(t, m, xA.String()), c); l == nil || l.State != topology.LinkStale {
		t.Errorf("the old link is %+v, want it stale", l)
	}
}

// Between two claims that are equal in all, the parent is unknown.
func TestUndecidedParent(t *testing.T) {
	a, b := says(xA, 0x5c00), says(xB, 0x8400)
	a.Children = []diag.Neighbor{{ExtAddr: xC, LinkQualityIn: diag.Some(uint8(3))}}
	b.Children = []diag.Neighbor{{ExtAddr: xC, LinkQualityIn: diag.Some(uint8(3))}}
	m := topology.Build([]diag.Report{a, b})
	if c := find(t, m, xC.String()); c.Parent != nil || len(c.Conflicts) != 1 {
		t.Errorf("parent is %v, conflicts %+v", c.Parent, c.Conflicts)
	}
}

// What a full child merely overhears is no mesh link.
func TestOverheardRouter(t *testing.T) {
	a, b, c := says(xA, 0x5c00), says(xB, 0x8400), says(xC, 0x5c02)
	a.Children = []diag.Neighbor{neighbor(xC, 0x5c02, 3)}
	c.Routes = []diag.Route{
		{RouterID: 23, LinkQualityIn: diag.Some(uint8(0)), LinkQualityOut: diag.Some(uint8(0))},
		{RouterID: 33, LinkQualityIn: diag.Some(uint8(2)), LinkQualityOut: diag.Some(uint8(2))},
	}
	m := topology.Build([]diag.Report{a, b, c})
	if l := linkOf(m, find(t, m, xB.String()), find(t, m, xC.String())); l != nil {
		t.Errorf("got link %+v", l)
	}
	if n := find(t, m, xC.String()); n.Parent == nil || n.Parent.ExtAddr != xA || n.ParentConfidence != topology.Confirmed {
		t.Errorf("parent is %v (%s)", n.Parent, n.ParentConfidence)
	}
}

// A cache keeps saying that a dead leader leads; the leader data of the living
// says who does.
func TestOldLeader(t *testing.T) {
	old, now := says(xA, 0x5c00), says(xB, 0x8400)
	old.Role, now.Role = diag.RoleLeader, diag.RoleLeader
	old.Leader = diag.LeaderData{PartitionID: diag.Some(uint32(7)), RouterID: diag.Some(uint8(23))}
	now.Leader = diag.LeaderData{PartitionID: diag.Some(uint32(7)), RouterID: diag.Some(uint8(33))}
	old, now = cached(old), cached(now)
	old.Available = diag.Some(false)
	m := topology.Build([]diag.Report{old, now})
	a, b := find(t, m, xA.String()), find(t, m, xB.String())
	if a.Role != diag.RoleRouter || b.Role != diag.RoleLeader || a.State != topology.NodeStale {
		t.Errorf("%s is %s and %s, %s is %s", a.ID, a.Role, a.State, b.ID, b.Role)
	}
	if len(a.Conflicts) != 1 || a.Conflicts[0].About != "role" {
		t.Errorf("conflicts are %+v", a.Conflicts)
	}
}

// A split mesh: one network, two partitions, each with a leader and with RLOC16s
// of its own.
func TestSplitMesh(t *testing.T) {
	in := func(r diag.Report, part uint32, leader uint8) diag.Report {
		r.Leader = diag.LeaderData{PartitionID: diag.Some(part), RouterID: diag.Some(leader)}
		return r
	}
	m := topology.Build([]diag.Report{in(says(xA, 0x5c00), 1, 23), in(says(xB, 0x5c00), 2, 23), in(says(xC, 0x5c01), 2, 23)})
	if len(m.Networks) != 1 || len(m.Networks[0].Partitions) != 2 {
		t.Fatalf("got %d networks, %+v", len(m.Networks), m.Networks[0].Partitions)
	}
	if p := m.Networks[0].Partitions; p[0].Leader.ExtAddr != xA || p[1].Leader.ExtAddr != xB {
		t.Errorf("leaders are %s and %s", p[0].Leader.ID, p[1].Leader.ID)
	}
	if c := find(t, m, xC.String()); c.Parent == nil || c.Parent.ExtAddr != xB {
		t.Errorf("parent is %v, want the router of its own partition", c.Parent)
	}
}

// A device that answers on two fabrics is one device.
func TestTwoFabrics(t *testing.T) {
	r := says(xA, 0x5c00)
	r.Matter = []diag.MatterID{{Fabric: 1, Node: 29}}
	s := says(xA, 0x5c00)
	s.Matter, s.Source = []diag.MatterID{{Fabric: 2, Node: 4}}, "other"
	u := diag.Report{Source: "names", At: at, Matter: []diag.MatterID{{Fabric: 2, Node: 4}}, Names: []diag.Name{{Value: "Desk plug", Kind: diag.NameHome}}}
	m := topology.Build([]diag.Report{r, s, u})
	if len(m.Nodes) != 1 || m.Nodes[0].Name != "Desk plug" || len(m.Nodes[0].Matter) != 2 {
		t.Errorf("got %d nodes, first %+v", len(m.Nodes), m.Nodes[0])
	}
}

// A Wi-Fi device is a node, but of no Thread network.
func TestWiFiNode(t *testing.T) {
	r := diag.Report{Source: "test", At: at, Transport: diag.TransportWiFi, Matter: []diag.MatterID{{Fabric: 1, Node: 5}}}
	m := topology.Build([]diag.Report{r})
	if len(m.Nodes) != 1 || m.Nodes[0].Network != nil || len(m.Networks) != 0 || m.Nodes[0].Transport != diag.TransportWiFi {
		t.Errorf("got %+v in %d networks", m.Nodes[0], len(m.Networks))
	}
}

// An SRP host list names hosts and addresses only; the address joins a host to
// its node.
func TestHostJoinsByAddress(t *testing.T) {
	eid := netip.MustParseAddr("fdcb:67e:9d73:5754:e77:8e63:24ae:3b5f")
	r := says(xA, 0x5c00)
	r.Addresses = []netip.Addr{eid, netip.MustParseAddr("fd00:db8:a0:0:0:ff:fe00:5c00")}
	host := func(name string, a netip.Addr) diag.Report {
		return diag.Report{Source: "test", At: at, Hosts: []string{name}, Addresses: []netip.Addr{a}, Transport: diag.TransportThread, Session: "srp"}
	}
	m := topology.Build([]diag.Report{r, host("kitchen", eid), host("attic", netip.MustParseAddr("fdcb:67e:9d73:5754:dc8f:815e:7f14:6206"))})
	if a := find(t, m, xA.String()); len(a.Hosts) != 1 || a.Hosts[0] != "kitchen" || len(m.Nodes) != 2 {
		t.Errorf("got hosts %q, %d nodes", a.Hosts, len(m.Nodes))
	}
}

// A detached node keeps its name and loses its place.
func TestDetachedNode(t *testing.T) {
	r := says(xA, 0x5c01)
	r.Role, r.RLOC16 = diag.RoleDetached, diag.RLOC16{}
	r.Leader.PartitionID = diag.Some(uint32(9))
	m := topology.Build([]diag.Report{r, says(xB, 0x5c00)})
	if a := find(t, m, xA.String()); a.Role != diag.RoleDetached || a.Parent != nil || a.Partition.Known() {
		t.Errorf("got %s, parent %v, partition %v", a.Role, a.Parent, a.Partition)
	}
}

// The mesh was asked, one router answered nothing: what a cache says of it and
// its neighbors' rows do not make it well, and its links are not one-way but
// dying.
func TestDeadRouterInACache(t *testing.T) {
	in := func(r diag.Report) diag.Report {
		r.Session = "one"
		return r
	}
	a, b, c := in(says(xA, 0x5c00)), in(says(xB, 0x8400)), in(cached(says(xC, 0xc000)))
	a.Routes = []diag.Route{
		{RouterID: 33, LinkQualityIn: diag.Some(uint8(3)), LinkQualityOut: diag.Some(uint8(3))},
		{RouterID: 48, LinkQualityIn: diag.Some(uint8(3)), LinkQualityOut: diag.Some(uint8(0))},
	}
	b.Routes = []diag.Route{{RouterID: 23, LinkQualityIn: diag.Some(uint8(3)), LinkQualityOut: diag.Some(uint8(3))}}
	m := topology.Build([]diag.Report{a, b, c})
	n := find(t, m, xC.String())
	if n.State != topology.NodeSilent {
		t.Errorf("state is %s (%s), want silent", n.State, n.Why)
	}
	if l := linkOf(m, find(t, m, xA.String()), n); l == nil || l.State != topology.LinkDying {
		t.Errorf("link is %+v, want it dying", l)
	}
}

// Two nodes of a large mesh in one paste: the others were not asked.
func TestFewAskedIsNotAllAsked(t *testing.T) {
	a, b := says(xA, 0x0400), says(xB, 0x0800)
	a.Session, b.Session = "paste", "paste"
	for id := uint8(3); id < 10; id++ {
		x := diag.ExtAddr(0x0e00000000000000) + diag.ExtAddr(id)
		a.Neighbors = append(a.Neighbors, neighbor(x, uint16(id)<<10, 3))
	}
	for _, n := range topology.Build([]diag.Report{a, b}).Nodes {
		if n.State == topology.NodeSilent {
			t.Errorf("%s is %s: %s", n.ID, n.State, n.Why)
		}
	}
}

// One table has the quality, another the signal: the link has both.
func TestTablesFillEachOther(t *testing.T) {
	a, b := says(xA, 0x5c00), says(xA, 0x5c00)
	b.Source = "other"
	a.Children = []diag.Neighbor{{ExtAddr: xB, RLOC16: diag.MakeRLOC16(0x5c01), LinkQualityIn: diag.Some(uint8(2))}}
	b.Children = []diag.Neighbor{{ExtAddr: xB, RLOC16: diag.MakeRLOC16(0x5c01), AverageRSSI: diag.Some(int8(-70)), Age: diag.Some(time.Second)}}
	m := topology.Build([]diag.Report{a, b})
	l := linkOf(m, find(t, m, xA.String()), find(t, m, xB.String()))
	if l == nil || l.BToA.LQ.Or(9) != 2 || l.BToA.RSSI.Or(0) != -70 {
		t.Errorf("got %+v", l)
	}
}

// TestHomeKitAccessoryJoinsByItsID: a home system's name for an accessory finds
// the radio that announces the same pairing id, and no other.
func TestHomeKitAccessoryJoinsByItsID(t *testing.T) {
	router := says(xB, 0x0800)
	router.Children = []diag.Neighbor{child(xA, 0x0801, 3)}
	announced := diag.Report{Source: "mdns", At: at, Transport: diag.TransportThread, HAPID: "a1:b2:c3:d4:e5:f6", Hosts: []string{xA.String()},
		Own: []diag.AddrClaim{{ExtAddr: xA, Witness: diag.WitnessHost}}, Network: diag.Network{ExtPANID: netOne}}
	named := diag.Report{Source: "home-assistant", At: at, HAPID: "a1:b2:c3:d4:e5:f6", Room: "Hall", Names: []diag.Name{{Value: "Hall button", Kind: diag.NameHome}}}
	other := diag.Report{Source: "home-assistant", At: at, HAPID: "00:b2:c3:d4:e5:f6", Names: []diag.Name{{Value: "Attic", Kind: diag.NameHome}}}
	m := topology.Build([]diag.Report{router, announced, named, other})
	if n := find(t, m, xA.String()); n.Name != "Hall button" || n.Room != "Hall" || n.Parent == nil {
		t.Errorf("the accessory is %q in %q under %v", n.Name, n.Room, n.Parent)
	}
	if n := find(t, m, "hap-00:b2:c3:d4:e5:f6"); n.Name != "Attic" || n.Network != nil {
		t.Errorf("the other one is %q in %v", n.Name, n.Network)
	}
}
