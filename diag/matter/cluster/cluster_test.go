package cluster_test

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/cluster/wsjson"
)

// on is an attribute on endpoint 0.
func on(c, a uint32) cluster.Path { return cluster.Path{Cluster: c, Attribute: a} }

func thread(a uint32) cluster.Path { return on(cluster.ThreadNetworkDiagnostics, a) }

// row makes a struct with fields 0, 1, 2, …; absent values are left out.
func row(values ...cluster.Value) cluster.Value {
	var f []cluster.Field
	for i, v := range values {
		if v.Kind() != cluster.KindAbsent {
			f = append(f, cluster.Field{ID: uint32(i), Value: v})
		}
	}
	return cluster.Struct(f...)
}

var (
	u       = cluster.Uint
	yes, no = cluster.Bool(true), cluster.Bool(false)
	null    = cluster.Null()
	absent  = cluster.Value{}
)

func neighbor(x uint64, rloc uint64, child cluster.Value) cluster.Value {
	return row(u(x), u(43), u(rloc), u(1495029), u(149726), u(1), cluster.Int(-78), cluster.Int(-87), u(2), u(4), yes, yes, no, child)
}

func TestNeighborTable(t *testing.T) {
	rows := cluster.List(neighbor(1<<64-59, 0, no), neighbor(2, 0x2c01, yes))
	for _, c := range []struct {
		name                string
		role                cluster.Value
		table               cluster.Value
		children, neighbors int // -1: not told
	}{
		{"router", u(5), rows, 1, 1},
		{"leader without children", u(6), cluster.List(neighbor(1, 0, no)), 0, 1},
		{"leader, empty", u(6), cluster.List(), 0, 0},
		{"reed", u(4), cluster.List(neighbor(1, 0, no)), 0, 1},
		{"sleepy: its parent, no child table", u(2), cluster.List(neighbor(1, 0, no)), -1, 1},
		{"end device: may be either", u(3), cluster.List(neighbor(1, 0, no)), -1, 1},
		{"end device that shows a child", u(3), rows, 1, 1},
		{"role not told", absent, cluster.List(neighbor(1, 0, no)), -1, 1},
		{"null", u(5), null, -1, -1},
		{"absent", u(5), absent, -1, -1},
		{"no list", u(5), u(7), -1, -1},
	} {
		r, _ := cluster.Report(cluster.Attributes{thread(1): c.role, thread(7): c.table})
		if got := count(r.Children); got != c.children {
			t.Errorf("%s: %d children, want %d", c.name, got, c.children)
		}
		if got := count(r.Neighbors); got != c.neighbors {
			t.Errorf("%s: %d neighbors, want %d", c.name, got, c.neighbors)
		}
	}
	r, problems := cluster.Report(cluster.Attributes{thread(1): u(5), thread(7): rows})
	if len(problems) != 0 {
		t.Error(problems)
	}
	// the extended address is above 2^53, where a float would round
	want := "{ffffffffffffffc5 0x0000 rd ? 1 -78 -87 ? 2.0% 4.0% 43s ? ? ? ? ? 1495029 149726 []}"
	if got := fmt.Sprint(r.Neighbors[0]); got != want {
		t.Errorf("row\n got %s\nwant %s", got, want)
	}
}

func count(l []diag.Neighbor) int {
	if l == nil {
		return -1
	}
	return len(l)
}

// What a row does not say stays unknown, and a wrong field costs itself only.
func TestNeighborQuirks(t *testing.T) {
	of := func(v ...cluster.Value) (diag.Report, []string) {
		return cluster.Report(cluster.Attributes{thread(1): u(5), thread(7): cluster.List(row(v...))})
	}
	r, p := of(u(9), absent, u(0), absent, absent, u(200), null, cluster.Int(127), u(101), u(100), yes, absent, yes, no)
	n := r.Neighbors[0]
	if n.LinkQualityIn.Known() || n.AverageRSSI.Known() || n.LastRSSI.Known() || n.Age.Known() || n.Mode.Known() || n.FrameErrorRate.Known() || n.MessageErrorRate != diag.Some(diag.Rate(65535)) {
		t.Errorf("%+v", n)
	}
	if want := []string{"0/53/7 NeighborTable row 1: LQI is no number of 0..3: left out", "0/53/7 NeighborTable row 1: FrameErrorRate is no number of 0..100: left out"}; !slices.Equal(p, want) {
		t.Errorf("%q", p)
	}
	for name, v := range map[string][]cluster.Value{
		"nobody":          {u(0), u(1), u(0xfffe), absent, absent, absent, absent, absent, absent, absent, yes, yes, yes, no},
		"IsChild missing": {u(9), u(1), u(0)},
		"no struct":       nil,
	} {
		rows := cluster.List(row(v...))
		if v == nil {
			rows = cluster.List(u(5))
		}
		r, p := cluster.Report(cluster.Attributes{thread(1): u(5), thread(7): rows})
		if len(r.Neighbors)+len(r.Children) != 0 || len(p) != 1 || !strings.Contains(p[0], "row 1") {
			t.Errorf("%s: %+v %q", name, r.Neighbors, p)
		}
	}
}

func TestRouteTable(t *testing.T) {
	r, p := cluster.Report(cluster.Attributes{thread(8): cluster.List(
		row(u(4533327041861999629), u(11264), u(11), u(63), u(0), u(0), u(0), u(0), yes, no),
		row(u(0), u(0), u(0), u(11), u(3), u(0), u(0), u(255), yes, no),
		row(u(7), u(0x0800), u(2), u(2), u(1), u(3), u(0), u(17), yes, yes),
		row(u(7), u(0x0800), u(3), u(2), u(1), u(3), u(3), u(17), yes, yes), // RLOC16 of another router
		row(u(7), u(0xfc00), u(63), u(2), u(1), u(3), u(3), u(17), yes, yes),
		row(u(8), absent, u(62), u(64), absent, u(4), absent, absent, absent, absent),
	)})
	var got []string
	for _, x := range r.Routes {
		got = append(got, fmt.Sprint(x))
	}
	want := []string{
		"{11 3ee99ced0cdb5c0d 63 0 0 0 0s false true}",
		"{0  11 3 0 0 4m15s false true}",
		"{2 0000000000000007 2 1 3 0 17s true true}",
		"{62 0000000000000008 ? ? ? ? ? ? ?}",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(p) != 5 {
		t.Errorf("%q", p)
	}
	if r, _ := cluster.Report(cluster.Attributes{thread(8): cluster.List()}); r.Routes == nil {
		t.Error("an empty table was told")
	}
}

func TestRoles(t *testing.T) {
	for v, want := range []diag.Role{"", diag.RoleDetached, diag.RoleSleepyEndDevice, diag.RoleEndDevice, diag.RoleREED, diag.RoleRouter, diag.RoleLeader, ""} {
		r, _ := cluster.Report(cluster.Attributes{thread(1): u(uint64(v))})
		if r.Role != want {
			t.Errorf("RoutingRole %d: %q, want %q", v, r.Role, want)
		}
	}
}

func TestNetworkAttributes(t *testing.T) {
	r, p := cluster.Report(cluster.Attributes{
		thread(0): u(25), thread(2): cluster.Text("MyHome"), thread(3): u(0xface), thread(4): u(16045481867444538110),
		thread(9): u(1<<32 - 1), thread(10): u(64), thread(11): u(142), thread(12): u(87), thread(13): u(0), thread(0x38): u(1<<64 - 1),
		thread(0x3f): u(1 << 63), thread(0x40): u(0),
	})
	if len(p) != 0 {
		t.Error(p)
	}
	got := fmt.Sprint(r.Network.Channel, " ", r.Network.Name, " ", r.Network.PANID, " ", r.Network.ExtPANID, " ", r.Network.ActiveTimestamp, " ", r.Leader, " ", r.RLOC16, " ", r.Own)
	if want := "25 MyHome 64206 dead00beef00cafe 18446744073709551615 {4294967295 64 142 87 0} 0x0000 [{8000000000000000 ExtAddress attribute}]"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	nulls := cluster.Attributes{}
	for a := range uint32(0x41) {
		nulls[thread(a)] = null
	}
	r, p = cluster.Report(nulls)
	if s := fmt.Sprintf("%+v", r); s != fmt.Sprintf("%+v", diag.Report{}) || len(p) != 0 {
		t.Errorf("a node without a network said %s, %q", s, p)
	}
}

func TestMeshLocalPrefix(t *testing.T) {
	for in, want := range map[string]string{
		"40fd0db8a5c3e70000":                 "fd0d:b8a5:c3e7::/64",
		"fd0db8a5c3e70000":                   "fd0d:b8a5:c3e7::/64", // bare
		"40fd0db8a5c3e700000000000000000000": "fd0d:b8a5:c3e7::/64",
		"30fd0db8a5c3e7":                     "fd0d:b8a5:c3e7::/48",
		"40fd0db8a5c3e7":                     "", // too short for 64 bits
		"81fd0db8a5c3e70000":                 "",
		"00":                                 "",
		"":                                   "",
		"400000000000000000":                 "",
	} {
		b, _ := hex.DecodeString(in)
		r, p := cluster.Report(cluster.Attributes{thread(5): cluster.Octets(b)})
		got := ""
		if r.Network.MeshLocalPrefix.IsValid() {
			got = r.Network.MeshLocalPrefix.String()
		}
		if got != want || (len(p) == 0) != (want != "") {
			t.Errorf("%s: %q, want %q; %q", in, got, want, p)
		}
	}
}

// Every counter of the specification stands at its own attribute id.
func TestCounters(t *testing.T) {
	attrs := cluster.Attributes{thread(6): u(6)}
	for a := uint32(0x0e); a <= 0x37; a++ {
		attrs[thread(a)] = u(uint64(a))
	}
	r, _ := cluster.Report(attrs)
	if len(r.Counters) != 43 {
		t.Errorf("%d counters", len(r.Counters))
	}
	for name, id := range map[diag.Counter]uint64{ // the ends, and one in each block (Matter 1.6 data model)
		diag.OverrunCount: 0x06, diag.DetachedRoleCount: 0x0e, diag.PartitionIDChangeCount: 0x13, diag.ParentChangeCount: 0x15,
		diag.TxTotalCount: 0x16, diag.TxDataPollCount: 0x1d, diag.TxRetryCount: 0x21, diag.TxErrCcaCount: 0x24, diag.TxErrBusyChannelCount: 0x26,
		diag.RxTotalCount: 0x27, diag.RxOtherCount: 0x2e, diag.RxAddressFilteredCount: 0x2f, diag.RxDuplicatedCount: 0x31,
		diag.RxErrSecCount: 0x35, diag.RxErrFcsCount: 0x36, diag.RxErrOtherCount: 0x37,
	} {
		if r.Counters[name] != id {
			t.Errorf("%s is attribute 0x%02x, want 0x%02x", name, r.Counters[name], id)
		}
	}
	if r, _ := cluster.Report(cluster.Attributes{thread(1): u(5)}); r.Counters != nil {
		t.Error("counters that were not told")
	}
}

func TestInterfacesAndTransport(t *testing.T) {
	x := binary.BigEndian.AppendUint64(nil, 0x3ee99ced0cdb5c0d)
	ll := netip.MustParseAddr("fe80::3ce9:9ced:cdb:5c0d").As16()
	iface := func(kind uint64, hw []byte, up cluster.Value) cluster.Value {
		return row(cluster.Text("if"), up, null, null, cluster.Octets(hw), cluster.List(), cluster.List(cluster.Octets(ll[:]), cluster.Octets(make([]byte, 16))), u(kind))
	}
	interfaces := func(v ...cluster.Value) cluster.Attributes {
		return cluster.Attributes{on(cluster.GeneralDiagnostics, 0): cluster.List(v...)}
	}
	r, p := cluster.Report(interfaces(iface(4, x, yes)))
	if len(p) != 0 || r.Transport != diag.TransportThread || fmt.Sprint(r.Own, r.Addresses) != "[{3ee99ced0cdb5c0d network interface}] [fe80::3ce9:9ced:cdb:5c0d]" {
		t.Errorf("%s %v %v %q", r.Transport, r.Own, r.Addresses, p)
	}
	if r, _ := cluster.Report(interfaces(iface(1, make([]byte, 6), yes), iface(4, x, no))); r.Transport != diag.TransportWiFi || len(r.Own) != 1 {
		t.Errorf("a Thread radio that is switched off: %s", r.Transport)
	}
	if r, _ := cluster.Report(interfaces(iface(2, make([]byte, 6), yes), iface(4, x, yes))); r.Transport != diag.TransportUnknown {
		t.Errorf("two kinds that run: %s", r.Transport)
	}
	if r, p := cluster.Report(interfaces(iface(4, make([]byte, 6), yes))); len(r.Own) != 0 || len(p) != 1 {
		t.Errorf("6 octets: %v %q", r.Own, p)
	}
	if r, _ := cluster.Report(interfaces(iface(4, make([]byte, 8), yes))); len(r.Own) != 0 {
		t.Errorf("zero: %v", r.Own)
	}
	for bit, want := range map[uint64]diag.Transport{1: diag.TransportWiFi, 2: diag.TransportThread, 4: diag.TransportEthernet, 0: diag.TransportThread} {
		a := interfaces(iface(4, x, yes))
		a[on(cluster.NetworkCommissioning, 0xfffc)] = u(bit)
		if r, _ := cluster.Report(a); r.Transport != want {
			t.Errorf("FeatureMap %d: %s", bit, r.Transport)
		}
	}
}

func TestOtherClusters(t *testing.T) {
	r, p := cluster.Report(cluster.Attributes{
		on(cluster.Descriptor, 0):                                  cluster.List(row(u(0x16), u(4)), row(u(0x91), u(1))),
		{Endpoint: 1, Cluster: cluster.Descriptor}:                 cluster.List(row(u(0x10a), u(4)), row(u(0x16), u(4))),
		on(cluster.BasicInformation, 1):                            cluster.Text("Acme"),
		on(cluster.BasicInformation, 3):                            cluster.Text("Plug"),
		on(cluster.BasicInformation, 5):                            cluster.Text("Hall plug \x00"),
		on(cluster.BasicInformation, 10):                           cluster.Text("1.3.0"),
		on(cluster.GeneralDiagnostics, 1):                          u(7),
		on(cluster.GeneralDiagnostics, 2):                          u(90),
		on(cluster.GeneralDiagnostics, 4):                          u(1),
		on(cluster.NetworkCommissioning, 10):                       u(5),
		on(cluster.ICDManagement, 0):                               u(3600),
		on(cluster.ICDManagement, 1):                               u(1000),
		on(cluster.ICDManagement, 2):                               u(5000),
		on(cluster.ICDManagement, 3):                               cluster.List(row(), row()),
		on(cluster.ICDManagement, 8):                               u(1),
		on(cluster.ICDManagement, 0xfffc):                          u(7),
		{Endpoint: 2, Cluster: cluster.PowerSource, Attribute: 12}: u(199),
		{Endpoint: 2, Cluster: cluster.PowerSource, Attribute: 11}: u(2950),
		on(cluster.ThreadBorderRouterManagement, 1):                cluster.Octets(make([]byte, 15)),
	})
	icd, _ := r.ICD.Get()
	got := []string{
		fmt.Sprint(r.DeviceTypes, r.BorderRouter), fmt.Sprint(r.Names), r.Vendor + "|" + r.Product + "|" + r.Firmware,
		fmt.Sprintln(r.RebootCount, r.UpTime, r.BootReason, r.ThreadVersion, r.BatteryPercent, r.SupplyMillivolt),
		fmt.Sprintln(icd.LIT, icd.CheckIn, icd.IdleModeDuration, icd.ActiveModeDuration, icd.ActiveModeThreshold, icd.RegisteredClients, icd.FeatureMap),
		fmt.Sprint(p),
	}
	want := []string{
		"[22 145 266] true", "[{Hall plug label} {Acme Plug product}]", "Acme|Plug|1.3.0", "7 1m30s 1 5 99 2950\n",
		"true true 1h0m0s 1s 5s 2 7\n", "[0/1106/1 BorderAgentID is not 16 octets: left out]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// Of a bridge, other endpoints' batteries are other devices'.
func TestBatteryOfABridge(t *testing.T) {
	r, _ := cluster.Report(cluster.Attributes{
		{Endpoint: 1, Cluster: cluster.Descriptor}:                 cluster.List(row(u(0x0e), u(1))),
		{Endpoint: 5, Cluster: cluster.PowerSource, Attribute: 12}: u(40),
	})
	if r.BatteryPercent.Known() {
		t.Errorf("%v", r.BatteryPercent)
	}
}

// The cluster is looked for on every endpoint.
func TestThreadOnAnotherEndpoint(t *testing.T) {
	r, _ := cluster.Report(cluster.Attributes{{Endpoint: 3, Cluster: cluster.ThreadNetworkDiagnostics, Attribute: 0x40}: u(0x5c00)})
	if r.RLOC16 != diag.MakeRLOC16(0x5c00) {
		t.Errorf("%v", r.RLOC16)
	}
}

// The captured server told its compressed fabric id beside the root key.
func TestCompressedFabricID(t *testing.T) {
	for _, n := range sampleNodes(t) {
		attrs, p := wsjson.Attributes(n.Attributes)
		r, p2 := cluster.Report(attrs)
		if len(p)+len(p2) != 0 {
			t.Error(p, p2)
		}
		if want := (diag.MatterID{Fabric: 9459049951292553703, Node: n.ID}); len(r.Matter) != 1 || r.Matter[0] != want {
			t.Errorf("node %d is %+v", n.ID, r.Matter)
		}
	}
	if _, err := cluster.CompressedFabricID(make([]byte, 65), 1); err == nil {
		t.Error("no point, but a fabric")
	}
}

type sampleNode struct {
	ID         uint64                     `json:"node_id"`
	Attributes map[string]json.RawMessage `json:"attributes"`
}

func sampleNodes(t testing.TB) []sampleNode {
	t.Helper()
	b, err := os.ReadFile("testdata/matter-get_nodes.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Result []sampleNode }
	if err := json.Unmarshal(b, &doc); err != nil || len(doc.Result) != 14 {
		t.Fatal(err, len(doc.Result))
	}
	return doc.Result
}

// Any value in any place makes a bounded report and bounded complaints.
func TestAnyValueAnywhere(t *testing.T) {
	deep := cluster.Uint(1)
	for range 100 {
		deep = cluster.List(cluster.Struct(cluster.Field{ID: 0, Value: deep}))
	}
	values := []cluster.Value{
		absent, null, u(0), u(math.MaxUint64), cluster.Int(math.MinInt64), yes, cluster.Float(math.NaN()), cluster.Text(strings.Repeat("\xff😀", 200)),
		cluster.Octets(make([]byte, 1000)), cluster.List(), cluster.List(make([]cluster.Value, 5000)...), row(), deep,
		cluster.List(slices.Repeat([]cluster.Value{neighbor(1, 2, yes)}, 3000)...), cluster.List(slices.Repeat([]cluster.Value{deep}, 3000)...),
	}
	clusters := []uint32{0x1d, 0x28, 0x2f, 0x31, 0x33, 0x35, 0x3e, 0x46, 0x452}
	for _, v := range values {
		attrs := cluster.Attributes{}
		for _, c := range clusters {
			for a := range uint32(0x41) {
				attrs[on(c, a)] = v
			}
			attrs[on(c, 0xfffc)] = v
		}
		r, p := cluster.Report(attrs)
		if len(p) > 51 || len(r.Children) > 1024 || len(r.Neighbors) > 1024 || len(r.Routes) > 1024 || len(r.Addresses) > 64 || len(r.Vendor) > 128 {
			t.Errorf("kind %d: %d problems, %d children", v.Kind(), len(p), len(r.Children))
		}
		for _, s := range p {
			if len(s) > 200 || strings.Contains(s, "\n") {
				t.Errorf("%q", s)
			}
		}
	}
}

func BenchmarkReport(b *testing.B) {
	nodes := sampleNodes(b)
	attrs, _ := wsjson.Attributes(nodes[1].Attributes) // a router with 9 neighbors and 7 routes
	b.ReportAllocs()
	for b.Loop() {
		cluster.Report(attrs)
	}
}
