package mesh

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"threadmap/diag"
)

// row is what node i says of the path to router id.
func row(t *testing.T, v *View, i int, id uint8) RouteRow {
	t.Helper()
	for _, r := range v.Route64(i) {
		if r.RouterID == id {
			return r
		}
	}
	t.Fatalf("node %d has no row for router %d", i, id)
	return RouteRow{}
}

func faulty(f ...Fault) *Mesh {
	m := Lab(0)
	m.Faults = f
	return m
}

func mustView(t *testing.T, m *Mesh) *View {
	t.Helper()
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	return m.View()
}

func TestLinkFaults(t *testing.T) {
	type side struct{ out, in, cost uint8 }
	for _, c := range []struct {
		kind       FaultKind
		at2, at3   side // node 2 (router 23) of router 16, node 3 of router 23
		rows2      int  // router neighbors of node 2
		rows3      int
		cost3leads uint8 // leader cost of node 3
	}{
		// Without the link, 2 and 3 reach each other over 1: cost 1 + 2.
		{FaultOneWay, side{0, 3, 3}, side{3, 0, 3}, 2, 2, 3},
		{FaultDying, side{0, 3, 3}, side{0, 3, 3}, 2, 3, 3},
		{FaultDead, side{0, 0, 3}, side{0, 0, 3}, 2, 3, 3},
	} {
		v := mustView(t, faulty(Fault{Kind: c.kind, Node: labAddr(2), Peer: labAddr(3)}))
		i2, i3 := v.Find(labAddr(2)), v.Find(labAddr(3))
		r2, r3 := row(t, v, i2, 16), row(t, v, i3, 23)
		if got := (side{r2.LQOut, r2.LQIn, r2.Cost}); got != c.at2 {
			t.Errorf("%s: node 2 says %v, want %v", c.kind, got, c.at2)
		}
		if got := (side{r3.LQOut, r3.LQIn, r3.Cost}); got != c.at3 {
			t.Errorf("%s: node 3 says %v, want %v", c.kind, got, c.at3)
		}
		if got := len(v.RouterNeighbors(i2)); got != c.rows2 {
			t.Errorf("%s: node 2 has %d neighbors, want %d", c.kind, got, c.rows2)
		}
		if got := len(v.RouterNeighbors(i3)); got != c.rows3 {
			t.Errorf("%s: node 3 has %d neighbors, want %d", c.kind, got, c.rows3)
		}
		if got, _ := v.Connectivity(i3); got.LeaderCost != c.cost3leads {
			t.Errorf("%s: leader cost %d, want %d", c.kind, got.LeaderCost, c.cost3leads)
		}
		if r := row(t, v.Mesh().Truth(), i2, 16); r.LQIn != 3 || r.LQOut != 3 || r.Cost != 1 {
			t.Errorf("%s: the truth changed: %+v", c.kind, r)
		}
	}
}

func TestStaleChildIsInTwoTables(t *testing.T) {
	v := mustView(t, faulty(Fault{Kind: FaultStaleChild, Node: labAddr(7), Peer: labAddr(6), ChildID: 9, Age: 33 * time.Second}))
	old := v.Children(v.Find(labAddr(6)))
	if len(old) != 2 || !old[1].Stale || old[1].ExtAddr != labAddr(7) || old[1].RLOC16 != 0x5809 || old[1].Age != 33*time.Second {
		t.Errorf("the old parent has %+v", old)
	}
	now := v.Children(v.Find(labAddr(5)))
	if len(now) != 1 || now[0].Stale || now[0].RLOC16 != 0x8401 {
		t.Errorf("the parent has %+v", now)
	}
	if v.Parent(v.Find(labAddr(7))) != v.Find(labAddr(5)) {
		t.Error("the child's parent is not its parent")
	}
}

func TestGhostIsOneNodesWord(t *testing.T) {
	const ghost = diag.ExtAddr(0x86c42aee25485123)
	v := mustView(t, faulty(Fault{Kind: FaultGhost, Node: labAddr(4), Peer: ghost, RouterID: 5, LQ: 1}))
	for i := range v.Mesh().Nodes {
		listed := slices.ContainsFunc(v.RouterNeighbors(i), func(r NeighborRow) bool { return r.ExtAddr == ghost && r.RLOC16 == 0x1400 && r.Node == -1 })
		routed := slices.ContainsFunc(v.Route64(i), func(r RouteRow) bool { return r.RouterID == 5 && r.LQIn == 1 && r.LQOut == 0 && r.Cost == 0 })
		if want := v.Node(i).ExtAddr == labAddr(4); listed != want || routed != want {
			t.Errorf("node %s: lists it %v, has a route row %v, want %v", v.Node(i).ExtAddr, listed, routed, want)
		}
	}
}

func TestOverhearingChild(t *testing.T) {
	v := mustView(t, faulty(Fault{Kind: FaultOverhears, Node: labAddr(9), Peer: labAddr(1), LQ: 2}))
	i := v.Find(labAddr(9))
	if r := row(t, v, i, 26); r.LQIn != 2 || r.LQOut != 2 {
		t.Errorf("overheard router: %+v", r)
	}
	if r := row(t, v, i, 23); r.LQIn != 0 || r.LQOut != 0 || r.Cost != 1 {
		t.Errorf("own parent: %+v", r)
	}
}

func TestSplit(t *testing.T) {
	m := faulty(Fault{Kind: FaultSplit, Node: labAddr(4), Nodes: []diag.ExtAddr{labAddr(5), labAddr(6)}})
	v := mustView(t, m)
	if err := v.Mesh().Validate(); err != nil {
		t.Fatal(err)
	}
	if len(m.Partitions) != 1 || len(v.Mesh().Partitions) != 2 {
		t.Fatal("the split must be in the view only")
	}
	far := v.Find(labAddr(7)) // child of 5
	if v.Node(far).Partition != 1 || v.Role(v.Find(labAddr(4))) != diag.RoleLeader || v.Role(v.Find(labAddr(2))) != diag.RoleLeader {
		t.Error("the far side has no leader of its own, or its children stayed behind")
	}
	if v.Routers(far) != 3 || len(v.Route64(v.Find(labAddr(1)))) != 3 {
		t.Error("each side has three routers")
	}
	if v.Leader(far).ID == v.Leader(0).ID {
		t.Error("both sides have one partition id")
	}
	if rs := m.Reports(ReportOptions{From: labAddr(1)}); len(rs) != 4 { // 1, 2, 3 and child 9
		t.Errorf("the border router's side has %d nodes, want 4", len(rs))
	}
	if v.BorderRouters(1) != nil || v.NetworkData(1) != nil {
		t.Error("the far side has no border router")
	}
}

func TestSilentHiddenLost(t *testing.T) {
	m := faulty(Fault{Kind: FaultSilent, Node: labAddr(3)}, Fault{Kind: FaultHidden, Node: labAddr(5)}, Fault{Kind: FaultLostLists, Node: labAddr(6)},
		Fault{Kind: FaultSlow, Node: labAddr(2), Delay: time.Second})
	v := mustView(t, m)
	if d := v.Delay(v.Find(labAddr(2))); d != time.Second {
		t.Errorf("delay %v", d)
	}
	rs := m.Reports(ReportOptions{})
	if len(rs) != 7 {
		t.Fatalf("%d reports, want 7 of 9", len(rs))
	}
	for _, r := range rs {
		switch r.Own[0].ExtAddr {
		case labAddr(3), labAddr(5):
			t.Errorf("%s answered", r.Own[0].ExtAddr)
		case labAddr(6):
			if len(r.Children) != 1 || r.Children[0].ExtAddr != 0 || r.Neighbors == nil || len(r.Neighbors) != 0 {
				t.Errorf("lost lists: children %+v, neighbors %+v", r.Children, r.Neighbors)
			}
		case labAddr(4):
			if len(r.Neighbors) != 3 {
				t.Errorf("a silent neighbor must still be listed: %+v", r.Neighbors)
			}
		}
	}
}

// Captured from OpenThread (2026-08): network data and addresses of the lab,
// without and with the services of a border router.
func TestNetworkDataAndAddresses(t *testing.T) {
	m := Lab(0)
	m.NoServices = true
	m.Partitions[0].CommissionerSession = 0x30c1
	v := m.View()
	if got, want := hexOf(v.NetworkData(0)), "08040b0230c103140040fdf027d3e9ad000105046800f1000702114003080007fc0103680010"; got != want {
		t.Errorf("network data\n%s, captured\n%s", got, want)
	}
	for _, c := range []struct {
		node int
		want []string
	}{
		{1, []string{"fdf0:27d3:e9ad:1:1b92:1134:65d8:9336", "fd00:db8:a0::ff:fe00:6800", "fd00:db8:a0:0:5ccc:5085:9a09:e097", "fe80::c01:101:101:101"}},
		{2, []string{"fdf0:27d3:e9ad:1:5a29:fd6e:f1cd:f61", "fd00:db8:a0::ff:fe00:fc00", "fd00:db8:a0::ff:fe00:5c00", "fd00:db8:a0:0:f3be:6f38:690d:c4b9", "fe80::c02:202:202:202"}},
	} {
		if got := stringsOf(v.Addresses(c.node - 1)); !slices.Equal(got, c.want) {
			t.Errorf("node %d: %v, captured %v", c.node, got, c.want)
		}
	}

	m = Lab(0)
	m.OMRPrefixes = []netip.Prefix{netip.MustParsePrefix("fdef:7c1e:f8fc:1::/64")}
	m.Partitions[0].DataVersion = 0x3f
	m.Nodes[0].MLEIID = 0xb11dca0783a06f69
	v = m.View()
	// The same TLVs as in /diagnostics of OTBR 2025-09, in another order, and
	// without its commissioning data and context id.
	for _, tlv := range []string{"0b0e8001010d0968003f000500000e10", "03080007fc0103680010", "0b1981015d0d146800fd000db800a00000b11dca0783a06f69d120", "03140040fdef7c1ef8fc000105046800f100"} {
		if !contains(hexOf(v.NetworkData(0)), tlv) {
			t.Errorf("network data %s lacks the captured %s", hexOf(v.NetworkData(0)), tlv)
		}
	}
	if got := stringsOf(v.Addresses(0))[:3]; !slices.Equal(got, []string{"fd00:db8:a0::ff:fe00:fc11", "fd00:db8:a0::ff:fe00:fc10", "fd00:db8:a0::ff:fe00:fc38"}) {
		t.Errorf("anycast locators %v", got)
	}
}
