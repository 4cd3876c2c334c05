package topology_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// TestCausesOfWrongMaps holds one test for each cause of wrong maps that users of
// other tools met, by the cause.
func TestCausesOfWrongMaps(t *testing.T) {
	for _, c := range []struct {
		cause string
		test  func(*testing.T)
	}{
		{"neighbor rows kept after a router left", testRowsOfARouterThatLeft},
		{"neighbor rows kept after a router changed its address", TestStaleRowOfAnOldAddress},
		{"children under a ghost", TestChildUnderAGhost},
		{"tables are snapshots of the last subscription", testTablesOfTheLastSubscription},
		{"the hardware address is not the radio's", TestAgreeingWitnesses},
		{"the ExtAddress attribute has its octets reversed", TestReversedExtAddrAttribute},
		{"RLOC16 0x0000 is a router", TestRLOC16ZeroIsARouter},
		{"RLOC16 of a child used again", testChildReattached},
		{"RLOC16 of a router used again", testRouterLeftAndCameBack},
		{"rows with extended address zero", TestZeroAddressesAreNotOneNode},
		{"established without a quality out", testEstablishedWithoutQualityOut},
		{"a route is no link", TestRouteIsNoLink},
		{"radio address random at every restart", TestBorderRouterChangesItsAddress},
		{"border router restarts within the scan", testBorderRouterRestartsDuringTheScan},
		{"64-bit addresses rounded", testAddressesAreNoFloats},
		{"router ids taken for RLOC16s", testRouterIDIsNoRLOC16},
		{"invented identity", testUnnamedIsBetterThanWrong},
		{"Wi-Fi device with Thread in its name", testWiFiByAnyName},
		{"announced on every interface", testAnnouncedOnEveryInterface},
		{"two networks with equal RLOC16s", TestEqualRLOC16sInTwoNetworks},
		{"native routers hidden as phantoms", testNativeRouterIsShown},
	} {
		t.Run(c.cause, c.test)
	}
}

// TestFaultsOfAGraph holds one test for each fault that was reproduced in the graph
// of a Matter server.
func TestFaultsOfAGraph(t *testing.T) {
	t.Run("a stranger with the RLOC16 of another network's leader", TestEqualRLOC16sInTwoNetworks)
	t.Run("a stale entry with the RLOC16 of another router now", TestStaleRowOfAnOldAddress)
	t.Run("a receiver-on minimal child is no router", TestMinimalDeviceIsNoRouter)
	t.Run("an only entry of quality 0", TestQualityZeroIsADeadLink)
	t.Run("a router known from a route table only", TestRouterKnownFromRouteTable)
	t.Run("a stopped node that the cache calls available", TestDeadRouterInACache)
}

// The leader no longer gives out the router id; one router has an old row.
func testRowsOfARouterThatLeft(t *testing.T) {
	leader, r := says(xA, 0x5c00), says(xB, 0x8400)
	leader.Leader, r.Leader = leads(7, 23), leads(7, 23)
	leader.Routes = []diag.Route{route(xA, 23, 0, 0, false), route(xB, 33, 3, 3, true)}
	r.Neighbors = []diag.Neighbor{neighbor(xA, 0x5c00, 3), aged(neighbor(xC, 0xc000, 3), 10*time.Minute)}
	r.Children = []diag.Neighbor{child(xD, 0xc001, 3)}
	m := topology.Build([]diag.Report{leader, r})
	if n := find(t, m, xC.String()); n.State != topology.NodeGhost {
		t.Errorf("state is %s (%s), want ghost", n.State, n.Why)
	}
	if l := linkOf(m, find(t, m, xB.String()), find(t, m, xC.String())); l == nil || l.State != topology.LinkStale {
		t.Errorf("link is %+v, want it stale", l)
	}
	// A table with a row that could not be read does not tell which ids are free.
	leader.RoutesPartial = true
	if n := find(t, topology.Build([]diag.Report{leader, r}), xC.String()); n.State == topology.NodeGhost {
		t.Errorf("a ghost by a table that lacks a row: %s", n.Why)
	}
}

func leads(partition uint32, id uint8) diag.LeaderData {
	return diag.LeaderData{PartitionID: diag.Some(partition), RouterID: diag.Some(id)}
}

// What a cache kept of a device that works goes before nothing, and after what
// anybody says now.
func testTablesOfTheLastSubscription(t *testing.T) {
	kept := cached(says(xC, 0x5c01))
	kept.Role, kept.Neighbors = diag.RoleSleepyEndDevice, []diag.Neighbor{neighbor(xA, 0x5c00, 1)}
	a, b := says(xA, 0x5c00), says(xB, 0x8400)
	a.Children, b.Children = []diag.Neighbor{}, []diag.Neighbor{aged(child(xC, 0x8403, 3), time.Second)}
	m := topology.Build([]diag.Report{a, b, kept})
	if c := find(t, m, xC.String()); c.Parent == nil || c.Parent.ExtAddr != xB || c.RLOC16 != diag.MakeRLOC16(0x8403) || c.State != topology.NodeOK {
		t.Errorf("parent is %v under %v, %s; want the router that hears it now", c.Parent, c.RLOC16, c.State)
	}
	m = topology.Build([]diag.Report{a, kept}) // its former parent does not have it any more
	if c := find(t, m, xC.String()); c.Parent != nil {
		t.Errorf("parent is %s, whose child table of now does not list it", c.Parent.ID)
	}
	some := a // of its children one was asked for: who is not there may be its child all the same
	some.Children, some.ChildrenPartial = []diag.Neighbor{child(xD, 0x5c02, 3)}, true
	m = topology.Build([]diag.Report{some, kept})
	for _, x := range []diag.ExtAddr{xC, xD} {
		if c := find(t, m, x.String()); c.Parent == nil || c.Parent.ExtAddr != xA {
			t.Errorf("parent of %s is %v, of whose children only one was told of", x, c.Parent)
		}
	}
	if find(t, m, xA.String()).ChildTable {
		t.Error("some rows were taken for a table")
	}
	earlier := a
	earlier.Children = []diag.Neighbor{child(xC, 0x5c01, 3)}
	m = topology.Build([]diag.Report{earlier, some})
	for _, x := range []diag.ExtAddr{xC, xD} {
		if c := find(t, m, x.String()); c.Parent == nil || c.Parent.ExtAddr != xA {
			t.Errorf("parent of %s is %v: the later row hides the table", x, c.Parent)
		}
	}
	m = topology.Build([]diag.Report{cached(a), kept})
	if c := find(t, m, xC.String()); c.Parent == nil || c.Parent.ExtAddr != xA || c.State != topology.NodeOK {
		t.Errorf("parent is %v, %s; want what the cache kept, where nobody says otherwise", c.Parent, c.State)
	}
}

// A child came back under another id, and its first one went to another child.
func testChildReattached(t *testing.T) {
	before, now := says(xA, 0x9800), says(xA, 0x9800)
	before.At = at.Add(-time.Hour)
	before.Children = []diag.Neighbor{child(xB, 0x9801, 3)}
	now.Children = []diag.Neighbor{child(xB, 0x9803, 3), child(xC, 0x9801, 2)}
	m := topology.Build([]diag.Report{before, now})
	b, c := find(t, m, xB.String()), find(t, m, xC.String())
	if len(m.Nodes) != 3 || b.RLOC16 != diag.MakeRLOC16(0x9803) || c.RLOC16 != diag.MakeRLOC16(0x9801) {
		t.Errorf("%d nodes, %v and %v", len(m.Nodes), b.RLOC16, c.RLOC16)
	}
}

// A router was a child for a while, and is a router again under its first id,
// which another one had in between.
func testRouterLeftAndCameBack(t *testing.T) {
	var reports []diag.Report
	for hours, rlocs := range map[int][2]uint16{3: {0x7800, 0xe800}, 2: {0xe804, 0xe800}, 1: {0xe804, 0x7800}, 0: {0x7800, 0xe800}} {
		for i, x := range []diag.ExtAddr{xA, xB} {
			r := says(x, rlocs[i])
			r.At = at.Add(-time.Duration(hours) * time.Hour)
			reports = append(reports, r)
		}
	}
	m := topology.Build(reports)
	a, b := find(t, m, xA.String()), find(t, m, xB.String())
	if len(m.Nodes) != 2 || a.RLOC16 != diag.MakeRLOC16(0x7800) || b.RLOC16 != diag.MakeRLOC16(0xe800) || a.Role != diag.RoleRouter || a.Parent != nil {
		t.Errorf("%d nodes: %v %s under %v and %v", len(m.Nodes), a.RLOC16, a.Role, a.Parent, b.RLOC16)
	}
}

// "Established" with a quality out of 0 is a link that carries one way only;
// between a sleepy device and its parent it says nothing.
func testEstablishedWithoutQualityOut(t *testing.T) {
	a, b, c := says(xA, 0x5c00), says(xB, 0x8400), says(xC, 0x5c01)
	a.Routes = []diag.Route{route(xB, 33, 3, 0, true)}
	a.Children = []diag.Neighbor{child(xC, 0x5c01, 3)}
	c.Role, c.Mode = diag.RoleSleepyEndDevice, diag.Some(diag.Mode{})
	c.Routes = []diag.Route{route(xA, 23, 2, 0, true)}
	m := topology.Build([]diag.Report{a, b, c})
	if l := linkOf(m, find(t, m, xA.String()), find(t, m, xB.String())); l == nil || l.State != topology.LinkOneWay {
		t.Errorf("between routers: %+v, want it one-way", l)
	}
	if l := linkOf(m, find(t, m, xA.String()), find(t, m, xC.String())); l == nil || l.State != topology.LinkOK || l.AToB.LQ.Or(9) != 2 || l.BToA.LQ.Or(9) != 3 {
		t.Errorf("of the sleepy device: %+v, want it ok with 2 and 3", l)
	}
}

// The border router's own report is of before its restart; its neighbors hear the
// new radio under the same RLOC16.
func testBorderRouterRestartsDuringTheScan(t *testing.T) {
	before, r := says(xA, 0x5c00), says(xB, 0x8400)
	before.At = at.Add(-2 * time.Minute)
	r.Neighbors = []diag.Neighbor{aged(neighbor(xC, 0x5c00, 3), 4*time.Second)}
	kid := says(xD, 0x5c01)
	m := topology.Build([]diag.Report{before, r, kid})
	if n := find(t, m, xC.String()); n.State == topology.NodeGhost {
		t.Errorf("the radio that is heard now is a ghost: %s", n.Why)
	}
	if d := find(t, m, xD.String()); d.Parent == nil || d.Parent.ExtAddr != xC {
		t.Errorf("parent is %v, want the radio that has 0x5c00 now", d.Parent)
	}
}

// Two addresses that are one number in a float64, and one that a float64 changes.
func testAddressesAreNoFloats(t *testing.T) {
	const x, y = diag.ExtAddr(7992705159264415015), diag.ExtAddr(7992705159264415016)
	if float64(x) != float64(y) {
		t.Fatal("the addresses do not test this")
	}
	m := topology.Build([]diag.Report{says(x, 0x5c00), says(y, 0x8400)})
	if n := find(t, m, "6eebcafec4632d27"); len(m.Nodes) != 2 || n.ExtAddr != x {
		t.Errorf("%d nodes, %v", len(m.Nodes), n.ExtAddr)
	}
}

// Router id 23 is RLOC16 0x5c00, and nothing else is: not 0x0017, not 0x2300.
func testRouterIDIsNoRLOC16(t *testing.T) {
	r := says(xA, 0x8400)
	r.Routes = []diag.Route{{RouterID: 23, LinkQualityIn: diag.Some(uint8(3)), LinkQualityOut: diag.Some(uint8(3))}}
	m := topology.Build([]diag.Report{r, says(xB, 0x5c00), says(xC, 0x0017), says(xD, 0x2300)})
	if l := linkOf(m, find(t, m, xA.String()), find(t, m, xB.String())); l == nil {
		t.Error("router id 23 is not 0x5c00")
	}
	for _, x := range []diag.ExtAddr{xC, xD} {
		if l := linkOf(m, find(t, m, xA.String()), find(t, m, x.String())); l != nil {
			t.Errorf("router id 23 was taken for %s", x)
		}
	}
}

// A node is not called after what leads, nor after digits of its address.
func testUnnamedIsBetterThanWrong(t *testing.T) {
	r := says(xA, 0x5c00)
	r.Role, r.Leader = diag.RoleLeader, leads(1, 23)
	r.Children = []diag.Neighbor{child(0x001788aabbccddee, 0x5c01, 3)}
	named := diag.Report{Source: "names", At: at, Names: []diag.Name{{Value: "SkyConnect", Kind: diag.NameHome}}, Matter: []diag.MatterID{{Fabric: 1, Node: 1}}}
	for _, n := range topology.Build([]diag.Report{r, named}).Nodes {
		if n.ExtAddr != 0 && (n.Name != "" || n.Vendor != "" || n.Product != "") {
			t.Errorf("%s was called %q, of %q", n.ID, n.Name, n.Vendor)
		}
	}
}

// Whatever it is called, a device on Wi-Fi or Ethernet is in no Thread network.
func testWiFiByAnyName(t *testing.T) {
	for _, tr := range []diag.Transport{diag.TransportWiFi, diag.TransportEthernet} {
		r := diag.Report{Source: "test", At: at, Transport: tr, Matter: []diag.MatterID{{Fabric: 1, Node: 5}}, Hosts: []string{"0e01010101010101"},
			Names: []diag.Name{{Value: "Thread lamp", Kind: diag.NameHome}}, Product: "Thread Border Router"}
		m := topology.Build([]diag.Report{r, says(xB, 0x5c00)})
		for _, n := range m.Nodes {
			if n.Transport == tr && (n.Network != nil || n.Role != diag.RoleUnknown || n.ExtAddr != 0) {
				t.Errorf("%s: %+v", tr, n)
			}
		}
		if len(m.Nodes) != 2 || len(m.Networks[0].Partitions) != 1 {
			t.Errorf("%s: %d nodes", tr, len(m.Nodes))
		}
	}
}

// A border router announced on three interfaces is one.
func testAnnouncedOnEveryInterface(t *testing.T) {
	var reports []diag.Report
	for _, via := range []string{"eth0", "wlan0", "veth12"} {
		r := announcedRouter(netOne, xA)
		r.Via, r.BorderAgentID = via, "ad08de9eef6e693440c458db9ca3b007"
		r.Instances = []string{"OTBR " + via}
		reports = append(reports, r)
	}
	if m := topology.Build(reports); len(m.Nodes) != 1 || len(m.Nodes[0].Instances) != 3 {
		t.Errorf("%d nodes", len(m.Nodes))
	}
}

// A router that one live table has and that says nothing to any source is shown,
// and why it is uncertain.
func testNativeRouterIsShown(t *testing.T) {
	r := says(xA, 0x5c00)
	r.Neighbors = []diag.Neighbor{aged(neighbor(xB, 0x8400, 3), 5*time.Second)}
	late := says(xA, 0x5c00)
	late.Neighbors = []diag.Neighbor{aged(neighbor(xB, 0x8400, 3), 4*time.Minute)}
	n := find(t, topology.Build([]diag.Report{r}), xB.String())
	if n.State == topology.NodeGhost || n.Why == "" || n.Role != diag.RoleRouter {
		t.Errorf("%s %s: %q", n.Role, n.State, n.Why)
	}
	n = find(t, topology.Build([]diag.Report{late}), xB.String())
	if n.State != topology.NodeUnknown || n.Why == "" {
		t.Errorf("heard 4 min ago: %s, %q", n.State, n.Why)
	}
}

// TestFewerReportsSayLess: of a home that stands still, told by several sources, a
// part of the reports says no parent, RLOC16, role or link that all of them don't
// say, and nothing with more certainty.
func TestFewerReportsSayLess(t *testing.T) {
	compared := 0
	for seed := range uint64(80) {
		h := mesh.Random(seed, mesh.RandomOptions{})
		reports := h.Reports(mesh.ReportOptions{At: at, RoutersOnly: seed%2 == 0})
		for _, net := range h.Networks {
			v := net.Truth()
			reports = append(reports, v.MatterReports(mesh.MatterOptions{ReportOptions: mesh.ReportOptions{Source: "matter-server", At: at}, Cached: true, Old: func(n *mesh.Node) bool { return n.ThreadVersion < 5 }})...)
			reports = append(reports, v.Announcements(mesh.ReportOptions{At: at}, nil)...)
			reports = append(reports, net.Registry(mesh.ReportOptions{At: at})...)
		}
		all := map[string]*topology.Node{}
		m := topology.Build(reports)
		for _, n := range m.Nodes {
			all[n.ID] = n
		}
		links := map[string]*topology.Link{}
		for _, l := range m.Links {
			links[l.A.ID+" "+l.B.ID] = l
		}
		r := rand.New(rand.NewPCG(seed, 5))
		for keep := len(reports) * 3 / 4; keep > 0; keep = keep * 2 / 3 {
			var part []diag.Report
			for _, x := range r.Perm(len(reports))[:keep] {
				part = append(part, reports[x])
			}
			less := topology.Build(part)
			for _, n := range less.Nodes {
				o := all[n.ID]
				if n.ExtAddr == 0 || o == nil {
					continue // under another name, where the better one is missing
				}
				compared++
				what := fmt.Sprintf("seed %d, %d of %d reports: %s", seed, keep, len(reports), n.ID)
				if n.RLOC16.Known() && n.RLOC16 != o.RLOC16 {
					t.Errorf("%s: RLOC16 %v, with all it is %v", what, n.RLOC16, o.RLOC16)
				}
				if n.Role.Routes() != o.Role.Routes() && n.Role != diag.RoleUnknown {
					t.Errorf("%s: role %s, with all it is %s", what, n.Role, o.Role)
				}
				if n.Network != nil && n.Network.ExtPANID != 0 && n.Network.ExtPANID != o.Network.ExtPANID {
					t.Errorf("%s: network %s, with all it is %s", what, n.Network.ID, o.Network.ID)
				}
				if n.Parent != nil && (o.Parent == nil || n.Parent.ExtAddr != 0 && n.Parent.ExtAddr != o.Parent.ExtAddr || n.Parent.ExtAddr == 0 && n.Parent.RLOC16 != o.Parent.RLOC16) {
					t.Errorf("%s: parent %s, with all it is %v", what, n.Parent.ID, o.Parent)
				}
				if n.ParentConfidence > o.ParentConfidence {
					t.Errorf("%s: parent %s, with all it is %s", what, n.ParentConfidence, o.ParentConfidence)
				}
			}
			for _, l := range less.Links {
				o := links[l.A.ID+" "+l.B.ID]
				if l.A.ExtAddr == 0 || l.B.ExtAddr == 0 || l.State == topology.LinkStale {
					continue
				}
				if o == nil || o.Kind != l.Kind || o.Confidence < l.Confidence {
					t.Errorf("seed %d, %d of %d reports: link %s - %s (%s, %s), with all it is %+v", seed, keep, len(reports), l.A.ID, l.B.ID, l.Kind, l.Confidence, o)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	if compared < 1000 {
		t.Errorf("compared %d nodes: the homes do not test it", compared)
	}
}
