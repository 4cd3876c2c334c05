package dump

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

// What each sample is known to be; testdata/README.md says where they come from.
//
//   - ot-ctl-diag.txt: a mesh of 9 nodes (ext address of node n = 0e nn … nn).
//     Node 1, 0x6800, is the border router whose command line it was; routers 2
//     (0x5c00, leader), 3 (0x4000), 4 (0xc000), 5 (0x8400), 6 (0x5800); children
//     7 (0x8401, sleepy) of 5, 8 (0x5801, sleepy) of 6 and 9 (0x5c02, full
//     device) of 2. Links 1-2, 1-3, 2-3, 3-4, 4-5, 4-6, 5-6; the weak and
//     asymmetric ones are 1-3 (1 hears 2, 3 hears 3), 3-4 (3 hears 1, 4 hears
//     2) and 5-6 (5 hears 2, 6 hears 1).
//   - addons-4671: seven routers, the last row cut. The speaker's own row is
//     among what is missing, so nobody says who speaks.
//   - openthread-3094: a list of 16 neighbors and a table of the first 11 rows;
//     0x8400 is in the table only, 0xa800 and five more in the list only.
//   - openthread-8726: the speaker is c27df1d1e8bd2418, router 0x9800, with
//     children 0x9802 and 0x9803. The "history" under it is the past: in it
//     12347fa3f8d49383 is still 0x9801.
//   - esp-two-border-routers: one router table, of router 0x5000, in a story
//     that tells of RLOC16s at other times.
//   - esp-diagnostics and esp-topology: the same border router 0x4400 in two
//     partitions (316409599 and 1967314330) at two times.
//   - chip-32853: one row of two, and that cut: nothing that can be believed.
//   - otbr-2074: seven SRP hosts with one address each.
//   - matter-get_nodes: 14 nodes of one Thread network; 34 is border router
//     da5083b64f28dfa0; a second border router 62ff7c2d40eb967e stands only in
//     their tables; node 30 is router 0x0000.

func read(t *testing.T, name string) *diag.Scan {
	t.Helper()
	s, err := Read("some/folder/"+name, sample(t, name), time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range s.Reports {
		if r.Via != name || r.At.IsZero() || r.Source == "" {
			t.Errorf("report %d does not say where it comes from: source %q, via %q, at %v", i, r.Source, r.Via, r.At)
		}
	}
	if !s.Complete || len(s.Sources) == 0 || s.Sources[0].State != diag.StateAnswered {
		t.Errorf("scan: complete %v, sources %v", s.Complete, s.Sources)
	}
	return s
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The printers below show every fact of a row, "?" for unknown.

func who(r diag.Report) string {
	s := r.RLOC16.String()
	for _, o := range r.Own {
		s += fmt.Sprintf(" %s(%d)", o.ExtAddr, o.Witness)
	}
	return strings.TrimSpace(s + " " + string(r.Role))
}

func routes(rows []diag.Route) []string {
	var out []string
	for _, r := range rows {
		out = append(out, fmt.Sprintf("%d [%s] via %v cost %v in %v out %v age %v link %v", r.RouterID, r.ExtAddr, r.NextHop, r.PathCost, r.LinkQualityIn, r.LinkQualityOut, r.Age, r.LinkEstablished))
	}
	return out
}

func neighbors(rows []diag.Neighbor) []string {
	var out []string
	for _, n := range rows {
		out = append(out, fmt.Sprintf("%v [%s] %v v%v in %v rssi %v/%v age %v", n.RLOC16, n.ExtAddr, n.Mode, n.ThreadVersion, n.LinkQualityIn, n.AverageRSSI, n.LastRSSI, n.Age))
	}
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func problems(s *diag.Scan) []string {
	var out []string
	for _, p := range s.Problems {
		out = append(out, p.Text)
	}
	return out
}

func TestRouterTableWithCutRow(t *testing.T) {
	s := read(t, "addons-4671-router-table.txt")
	if len(s.Reports) != 1 {
		t.Fatalf("%d reports", len(s.Reports))
	}
	r := s.Reports[0]
	same(t, "routes", routes(r.Routes), []string{
		"10 [f21e04f683f77ed5] via 32 cost 1 in 3 out 3 age 11s link true",
		"20 [3ea242fb95bc32bd] via 33 cost 1 in 3 out 3 age 2s link true",
		"32 [de3c59b67a8a3ebe] via 10 cost 1 in 3 out 3 age 21s link true",
		"33 [ce11d0f60e4bee0d] via 32 cost 1 in 3 out 3 age 0s link true",
		"42 [6618acebefdf791a] via 10 cost 1 in 3 out 3 age 26s link true",
		"43 [26686968ea6e4e37] via 33 cost 1 in 3 out 3 age 9s link true",
	})
	same(t, "problems", problems(s), []string{`line 16: row of "router table" is cut off or not of the 9 columns of its head: skipped`})
	if who(r) != "?" || r.Children != nil || r.Neighbors != nil {
		t.Errorf("the speaker is not told, and no other table: %s, children %v, neighbors %v", who(r), r.Children, r.Neighbors)
	}
}

func TestNeighborListAndOldNeighborTable(t *testing.T) {
	s := read(t, "openthread-3094-neighbor-table.txt")
	if len(s.Reports) != 1 || len(s.Problems) != 0 {
		t.Fatalf("%d reports, problems %v", len(s.Reports), s.Problems)
	}
	row := func(rloc string, age, ave, last int, x string) string {
		return fmt.Sprintf("%s [%s] rdn v? in ? rssi %d/%d age %ds", rloc, x, ave, last, age)
	}
	listed := func(rloc string) string { return rloc + " [] ? v? in ? rssi ?/? age ?" }
	same(t, "neighbors", neighbors(s.Reports[0].Neighbors), []string{
		row("0x0000", 26, -63, -63, "9299ab86051a2a8a"),
		row("0x1000", 19, -74, -74, "f6821f000821be33"),
		row("0x1400", 25, -60, -60, "be281972f19fe684"),
		row("0x3000", 20, -52, -52, "461baba7c4c5343f"),
		row("0x3800", 27, -77, -77, "c27c35c22540faff"),
		row("0x3c00", 23, -64, -64, "ca68fe2981e9647b"),
		row("0x4400", 24, -70, -70, "daeabd7f10574e09"),
		row("0x5800", 24, -77, -77, "9a59e8fe4b807196"),
		row("0x6c00", 30, -84, -84, "fe0583c48c6f28c1"),
		row("0x7800", 24, -76, -76, "ead4faaa03d8e4ce"),
		row("0x8400", 17, -81, -81, "7a13a4b31e2d3dd0"),
		listed("0xa800"), listed("0xb000"), listed("0xb400"), listed("0xb800"), listed("0xcc00"), listed("0xec00"),
	})
}

func TestSpeakerWithChildren(t *testing.T) {
	s := read(t, "openthread-8726-extaddr-state-neighbor-table.txt")
	if len(s.Reports) != 1 || len(s.Problems) != 0 {
		t.Fatalf("%d reports, problems %v", len(s.Reports), s.Problems)
	}
	r := s.Reports[0]
	if got, want := who(r), "? c27df1d1e8bd2418(1) router"; got != want {
		t.Errorf("speaker %s, want %s", got, want)
	}
	same(t, "children", neighbors(r.Children), []string{
		"0x9802 [b2fa06bf4804b6d2] rn v3 in ? rssi -68/-66 age 37s",
		"0x9803 [12347fa3f8d49383] rn v3 in ? rssi -65/-66 age 54s",
	})
	same(t, "neighbors", neighbors(r.Neighbors), []string{
		"0xac00 [0ebccca7fd3e7b15] rdn v4 in ? rssi -50/-51 age 13s",
		"0xcc00 [9a2f0a4a14746790] rdn v3 in ? rssi -69/-70 age 10s",
	})
}

func TestTableInAStory(t *testing.T) {
	s := read(t, "esp-two-border-routers.md")
	if len(s.Reports) != 1 || len(s.Problems) != 0 {
		t.Fatalf("%d reports, problems %v", len(s.Reports), s.Problems)
	}
	same(t, "routes", routes(s.Reports[0].Routes), []string{
		"13 [5ec05b0978d8e4f6] via 30 cost 1 in 3 out 3 age 5s link true",
		"20 [0e20f845a8602379] via 63 cost 0 in 0 out 0 age 0s link false",
		"26 [d2f815cd0403eb5d] via 13 cost 1 in 3 out 3 age 6s link true",
		"30 [d6e6efc170a1e0e7] via 13 cost 1 in 3 out 3 age 6s link true",
		"58 [ca5ea5c17ffad900] via 30 cost 1 in 3 out 3 age 26s link true",
	})
}

func TestSRPHosts(t *testing.T) {
	s := read(t, "otbr-2074-srp-server-host.txt")
	var got []string
	for _, r := range s.Reports {
		got = append(got, fmt.Sprint(r.Hosts, r.Addresses))
	}
	same(t, "hosts", got, []string{
		"[a0624a52-1df2-4d26-bba8-0aa05c27d2b6] [fdcb:67e:9d73:5754:e77:8e63:24ae:3b5f]",
		"[5f3feffb-af9f-47ca-9b6c-287199d51312] [fdcb:67e:9d73:5754:dc8f:815e:7f14:6206]",
		"[222d9903-7b17-4427-bc93-933f1f790261] [fdcb:67e:9d73:5754:589b:9761:9a38:7970]",
		"[7901f953-2bb4-4a90-9a72-c54106fda61e] [fdcb:67e:9d73:5754:8711:36c8:b07:77f1]",
		"[175560e5-2391-4633-a5bf-2377711fcce5] [fdcb:67e:9d73:5754:dd6f:e100:a6b4:9ee1]",
		"[cd6ccf99-56db-403d-b37c-6eab7729173a] [fdcb:67e:9d73:5754:9db1:945b:6759:9e43]",
		"[6ee5d61c-e8a8-4620-8cd1-8d8b08a08a95] [fdcb:67e:9d73:5754:1a83:e6fa:756f:5958]",
	})
}

func TestMeshdiagAndNetworkDiagnostic(t *testing.T) {
	s := read(t, "ot-ctl-diag.txt")
	if len(s.Problems) != 0 {
		t.Fatal(s.Problems)
	}
	var got []string
	for _, r := range s.Reports {
		if r.Session != s.Reports[0].Session || r.Session == "" {
			t.Error("reports of one paste have different sessions")
		}
		got = append(got, fmt.Sprintf("%s br %v v%v addresses %d children %s neighbors %d routes %d", who(r), r.BorderRouter, r.ThreadVersion, len(r.Addresses), count(r.Children), len(r.Neighbors), len(r.Routes)))
	}
	same(t, "reports", got, []string{
		// meshdiag topology children ip6-addrs
		"0x6800 0e01010101010101(1) router br true v5 addresses 4 children 0 neighbors 0 routes 2",
		"0x4000 0e03030303030303(1) router br ? v5 addresses 4 children 0 neighbors 0 routes 3",
		"0x5c00 0e02020202020202(1) leader br ? v5 addresses 5 children 1 neighbors 0 routes 2",
		"0x5800 0e06060606060606(1) router br ? v5 addresses 4 children 1 neighbors 0 routes 2",
		"0xc000 0e04040404040404(1) router br ? v5 addresses 4 children 0 neighbors 0 routes 3",
		"0x8400 0e05050505050505(1) router br ? v5 addresses 4 children 1 neighbors 0 routes 2",
		// meshdiag childtable 0x5c00, routerneighbortable 0xc000; childip6 found nobody
		"0x5c00 br ? v? addresses 0 children 1 neighbors 0 routes 0",
		"0xc000 br ? v? addresses 0 children ? neighbors 3 routes 0",
		// networkdiagnostic get …:fc00
		"0x5c00 0e02020202020202(1) br ? v? addresses 5 children 1 neighbors 0 routes 6",
		// networkdiagnostic get ff03::2
		"0x6800 0e01010101010101(1) br ? v? addresses 0 children 0 neighbors 0 routes 6",
		"0x5c00 0e02020202020202(1) br ? v? addresses 0 children 1 neighbors 0 routes 6",
		"0x4000 0e03030303030303(1) br ? v? addresses 0 children 0 neighbors 0 routes 6",
		"0x5c02 0e09090909090909(1) br ? v? addresses 0 children ? neighbors 0 routes 6",
		"0xc000 0e04040404040404(1) br ? v? addresses 0 children 0 neighbors 0 routes 6",
		"0x8400 0e05050505050505(1) br ? v? addresses 0 children 1 neighbors 0 routes 6",
		"0x5800 0e06060606060606(1) br ? v? addresses 0 children 1 neighbors 0 routes 6",
	})
	if t.Failed() {
		return
	}
	same(t, "links of 0x4000", routes(s.Reports[1].Routes), []string{
		"23 [] via ? cost ? in 3 out ? age ? link ?",
		"26 [] via ? cost ? in 3 out ? age ? link ?",
		"48 [] via ? cost ? in 1 out ? age ? link ?",
	})
	same(t, "child of 0x5800", neighbors(s.Reports[3].Children), []string{"0x5801 [] - v? in 3 rssi ?/? age ?"})
	child := s.Reports[6].Children[0]
	same(t, "child table", []string{neighbors([]diag.Neighbor{child})[0], fmt.Sprint(child.Timeout, child.Supervision, child.QueuedMessages, child.LinkMargin, child.FrameErrorRate, child.ConnectedFor, child.CSLSynchronized)}, []string{
		"0x5c02 [0e09090909090909] rdn v5 in ? rssi -50/-50 age 1m50s", "4m0s 0s 0 50 0.0% 1m50s false",
	})
	same(t, "router neighbors", neighbors(s.Reports[7].Neighbors), []string{
		"0x4000 [0e03030303030303] ? v5 in ? rssi -85/-85 age ?",
		"0x8400 [0e05050505050505] ? v5 in ? rssi -50/-50 age ?",
		"0x5800 [0e06060606060606] ? v5 in ? rssi -50/-50 age ?",
	})
	full := s.Reports[8]
	same(t, "Route64 of 0x5c00", routes(full.Routes), []string{
		"16 [] via ? cost 1 in 3 out 3 age ? link ?",
		"22 [] via ? cost 6 in 0 out 0 age ? link ?",
		"23 [] via ? cost 1 in 0 out 0 age ? link ?",
		"26 [] via ? cost 1 in 3 out 3 age ? link ?",
		"33 [] via ? cost 6 in 0 out 0 age ? link ?",
		"48 [] via ? cost 5 in 0 out 0 age ? link ?",
	})
	same(t, "rest of 0x5c00", []string{
		fmt.Sprint(full.Mode, full.RouteIDSequence, full.Leader.PartitionID, full.Leader.RouterID, full.Leader.DataVersion, full.Leader.StableDataVersion),
		fmt.Sprintf("%+v", full.Connectivity),
		fmt.Sprint(full.Network.OMRPrefixes, full.Network.BorderRouters),
		fmt.Sprint(neighbors(full.Children), full.Children[0].Timeout),
		strings.Join([]string{full.Vendor, full.Product, full.Firmware, full.ThreadStack}, "|"),
	}, []string{
		"rdn 192 97983411 23 198 78",
		"{0 2 0 0 0 192 6 1280 1}",
		"[fdf0:27d3:e9ad:1::/64] [0x6800]",
		"[0x5c02 [] rdn v? in 3 rssi ?/? age ?] 4m16s",
		"RD:|Sim-FTD|1.0.2|OPENTHREAD/thread-reference-20250612-1416-ga90042774-dirty; SIMU",
	})
	same(t, "asymmetric rows of 0xc000", routes(s.Reports[13].Routes)[:2], []string{
		"16 [] via ? cost 4 in 2 out 1 age ? link ?",
		"22 [] via ? cost 1 in 3 out 3 age ? link ?",
	})
}

// count tells an empty list from one that was not told.
func count(l []diag.Neighbor) string {
	if l == nil {
		return "?"
	}
	return fmt.Sprint(len(l))
}

func TestRESTSamples(t *testing.T) {
	for _, c := range []struct {
		name     string
		source   string
		speakers []string
	}{
		{"esp-diagnostics.json", "otbr", []string{"0x4400 7a64fd2b41e75415(1)", "0x1c00 3e8a175887dbb4e7(1)", "0x9800 1e1b2055963191b3(1)"}},
		{"esp-topology.json", "otbr", []string{"0x4400 7a64fd2b41e75415(1)", "0x3000 f6f7117a6cbc2cf1(1)", "0x0800 ee87506bb564af15(1)"}},
		{"otbr-2025-node.txt", "otbr", []string{"0x6800 0e01010101010101(1) router"}},
		{"otbr-2026-node-rloc16.txt", "otbr", []string{"0x6800"}},
	} {
		s := read(t, c.name)
		var got []string
		for _, r := range s.Reports {
			got = append(got, who(r))
			if r.Source != c.source {
				t.Errorf("%s: source %q", c.name, r.Source)
			}
		}
		same(t, c.name, got, c.speakers)
	}
	if got := read(t, "esp-topology.json").Reports[0].Leader.PartitionID; got != diag.Some(uint32(1967314330)) {
		t.Errorf("partition %v", got)
	}
}

// One transcript of a border router is one session, and what /node says of the
// network holds for the answers after it.
func TestTranscriptOfCurl(t *testing.T) {
	b := slices.Concat(sample(t, "otbr-2025-node.txt"), []byte("\n"), sample(t, "otbr-2025-diagnostics.txt"), []byte("\n"), sample(t, "otbr-2026-node-rloc16.txt"))
	s, err := Read("curl.txt", b, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Reports) < 5 {
		t.Fatalf("%d reports, problems %v", len(s.Reports), s.Problems)
	}
	for _, r := range s.Reports {
		if r.Session != s.Reports[0].Session {
			t.Error("two sessions")
		}
	}
	if xp := s.Reports[2].Network.ExtPANID; xp != 0xdead00beef00cafe {
		t.Errorf("network of a diagnostic answer: %v", xp)
	}
}

// The only row of the sample ends after its tenth field; it still says who was
// heard and how well.
func TestChipToolSample(t *testing.T) {
	const name = "chip-32853-neighbor-table.txt"
	s, err := Read(name, sample(t, name), time.Time{})
	if err != nil || len(s.Reports) != 1 {
		t.Fatal(s, err)
	}
	same(t, "rows", neighbors(s.Reports[0].Neighbors), []string{"0x0c00 [a210e7e145b3d9d0] ? v? in 2 rssi -84/-85 age 8s"})
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"matter-get_network_topology.json", "finished graph"},
		{"matter-get_node_missing.json", "code 5"},
		{"matter-server_info.json", "greeting"},
		{"matter-get_thread_diagnostics.json", "Thread diagnostics"},
		{"otbr-2026-dataset-text.txt", "keep it to yourself"},
		{"README.md", "holds nothing that is known"},
	} {
		s, err := Read(c.name, sample(t, c.name), time.Time{})
		if err == nil {
			t.Errorf("%s: read as %d reports", c.name, len(s.Reports))
			continue
		}
		if !strings.HasPrefix(err.Error(), c.name+": ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
