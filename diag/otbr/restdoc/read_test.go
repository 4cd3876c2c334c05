package restdoc

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

var now = time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func context() Context {
	return Context{Source: "otbr", Via: "http://br:8081", Session: "s", At: now, Network: diag.Network{
		ExtPANID: 0xdead00beef00cafe, Name: "ThreadMapLab", MeshLocalPrefix: netip.MustParsePrefix("fd00:db8:a0::/64")}}
}

// decode wants no problem.
func decode(t testing.TB, body []byte) []diag.Report {
	t.Helper()
	reports, problems := Decode(body, context())
	for _, p := range problems {
		t.Errorf("problem: %v", p)
	}
	return reports
}

func by(t testing.TB, reports []diag.Report, r uint16) diag.Report {
	t.Helper()
	for _, x := range reports {
		if x.RLOC16 == diag.MakeRLOC16(r) {
			return x
		}
	}
	t.Fatalf("no report of 0x%04x", r)
	return diag.Report{}
}

func TestSniff(t *testing.T) {
	for name, want := range map[string]Kind{
		"2025-node.json": KindNode, "2025-diagnostics.json": KindDiagnostics, "2025-dataset.json": KindDataset,
		"2026-node.json": KindNode, "2026-node-disabled.json": KindNode, "2026-api-node.json": KindNode, "2026-api-node-disabled.json": KindNode,
		"2026-api-devices.json": KindDevices, "2026-api-devices-bare.json": KindDevices, "2026-api-devices-stale.json": KindDevices,
		"2026-api-diagnostics.json": KindDiagnostics, "2026-api-diagnostics-bare.json": KindDiagnostics, "2026-api-diagnostics-empty.json": KindEmpty,
		"2026-api-actions.json": KindActions, "2026-api-actions-update.json": KindActions, "2026-post-netdiag.json": KindActions,
		"2026-dataset.json": KindDataset, "2026-wellknown.json": KindVersion, "2026-error-422.json": KindError,
		"esp-diagnostics.json": KindDiagnostics, "esp-topology.json": KindDiagnostics,
	} {
		if got := Sniff(file(t, name)); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for _, c := range []struct {
		body string
		want Kind
	}{
		{"", KindUnknown}, {"[]", KindEmpty}, {"[", KindUnknown}, {"{}", KindUnknown}, {"null", KindUnknown}, {`"router"`, KindValue}, {"26624", KindValue},
		{`"rou`, KindUnknown}, {`{"data":[]}`, KindUnknown}, {`{"data":[{"id":1}]}`, KindUnknown}, {`{"nodes":[{"extAddress":"0e01010101010101"}]}`, KindUnknown},
		{`[[[{"extAddress":"0e01010101010101","rloc16":1}]]]`, KindUnknown}, {`{"error":0,"result":[]}`, KindEmpty},
		{strings.Repeat("[", 100000), KindUnknown}, {strings.Repeat(`{"data":`, 100000), KindUnknown},
	} {
		if got := Sniff([]byte(c.body)); got != c.want {
			t.Errorf("%.60s: %v, want %v", c.body, got, c.want)
		}
	}
}

func TestNodeOfAllGenerations(t *testing.T) {
	gen2 := `{"baId":"ad08de9eef6e693440c458db9ca3b007","baState":"","state":"router","routerCount":6,"rlocAddress":"fd00:db8:a0::ff:fe00:6800",
		"extAddress":"0e01010101010101","networkName":"ThreadMapLab","rloc16":"0x6800","routerId":26,"leaderData":{"partitionId":97983411,"weighting":65,
		"dataVersion":230,"stableDataVersion":81,"leaderRouterId":23},"extPanId":"dead00beef00cafe"}` // by OTBR's source, unproved
	for name, c := range map[string]struct {
		body               []byte
		version, stable    uint8
		addresses, network string
	}{
		"1":           {file(t, "2025-node.json"), 241, 88, "", ""},
		"2, unproved": {[]byte(gen2), 230, 81, "", ""},
		"3":           {file(t, "2026-node.json"), 230, 81, "", ""},
		"3, /api":     {file(t, "2026-api-node.json"), 230, 81, " fd00:db8:a0:0:b11d:ca07:83a0:6f69 fdef:7c1e:f8fc:1:b0bc:94c1:7448:d200", ""},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context()
			ctx.Network = diag.Network{}
			reports, problems := Decode(c.body, ctx)
			if len(problems) > 0 || len(reports) != 1 {
				t.Fatalf("%d reports, problems %v", len(reports), problems)
			}
			want := diag.Report{
				Source: "otbr", Via: "http://br:8081", Session: "s", At: now, Transport: diag.TransportThread,
				Own:    []diag.AddrClaim{{ExtAddr: 0x0e01010101010101, Witness: diag.WitnessDiagnostic}},
				RLOC16: diag.MakeRLOC16(0x6800), BorderAgentID: "ad08de9eef6e693440c458db9ca3b007", Role: diag.RoleRouter, BorderRouter: diag.Some(true),
				RouterCount: diag.Some[uint8](6),
				Network:     diag.Network{ExtPANID: 0xdead00beef00cafe, Name: "ThreadMapLab", MeshLocalPrefix: netip.MustParsePrefix("fd00:db8:a0::/64")},
				Leader: diag.LeaderData{PartitionID: diag.Some[uint32](97983411), Weighting: diag.Some[uint8](65),
					DataVersion: diag.Some(c.version), StableDataVersion: diag.Some(c.stable), RouterID: diag.Some[uint8](23)},
			}
			for _, s := range strings.Fields("fd00:db8:a0::ff:fe00:6800" + c.addresses) {
				want.Addresses = append(want.Addresses, netip.MustParseAddr(s))
			}
			if !reflect.DeepEqual(reports[0], want) {
				t.Errorf("got  %+v\nwant %+v", reports[0], want)
			}
		})
	}
}

// With its Thread interface off, a border router shows the stack's defaults.
func TestDisabledNodeSaysOnlyWhoItIs(t *testing.T) {
	for _, name := range []string{"2026-node-disabled.json", "2026-api-node-disabled.json"} {
		ctx := context()
		ctx.Network = diag.Network{}
		reports, problems := Decode(file(t, name), ctx)
		want := []diag.Report{{Source: "otbr", Via: "http://br:8081", Session: "s", At: now, Transport: diag.TransportThread,
			Own:           []diag.AddrClaim{{ExtAddr: 0x12e2f8607cda76d1, Witness: diag.WitnessDiagnostic}},
			BorderAgentID: "ad08de9eef6e693440c458db9ca3b007", BorderRouter: diag.Some(true)}}
		if !reflect.DeepEqual(reports, want) || problems != nil {
			t.Errorf("%s: %+v, %v", name, reports, problems)
		}
	}
}

type edge struct {
	id, out, in, cost uint8
}

func edges(r diag.Report) (out []edge) {
	for _, x := range r.Routes {
		out = append(out, edge{x.RouterID, x.LinkQualityOut.Or(99), x.LinkQualityIn.Or(99), x.PathCost.Or(99)})
	}
	return out
}

func TestGeneration1Diagnostics(t *testing.T) {
	reports := decode(t, file(t, "2025-diagnostics.json"))
	nodes := map[diag.RLOC16]bool{}
	for _, r := range reports {
		nodes[r.RLOC16] = true
		for _, c := range r.Children {
			nodes[c.RLOC16] = true
			if c.ExtAddr != 0 || c.Timeout.Or(0) != 256*time.Second || c.LinkQualityIn.Known() {
				t.Errorf("child %+v", c)
			}
		}
	}
	// 23 rows of children, six routers; one child answered for itself as well.
	if len(reports) != 7 || len(nodes) != 29 {
		t.Errorf("%d reports of %d nodes, want 7 of 29", len(reports), len(nodes))
	}
	r := by(t, reports, 0x4000)
	if got, want := edges(r), []edge{{16, 0, 0, 1}, {22, 0, 0, 5}, {23, 3, 3, 1}, {26, 2, 3, 2}, {33, 0, 0, 5}, {48, 2, 1, 4}}; !slices.Equal(got, want) {
		t.Errorf("routes of 0x4000: %v, want %v", got, want)
	}
	if r.Children == nil || len(r.Children) != 0 || r.Neighbors != nil {
		t.Errorf("0x4000 has no child and said nothing of neighbors: %v, %v", r.Children, r.Neighbors)
	}
	if c := by(t, reports, 0x8400).Children; len(c) != 1 || c[0].RLOC16 != diag.MakeRLOC16(0x8401) || c[0].Mode != diag.Some(diag.Mode{}) {
		t.Errorf("children of 0x8400: %+v", c)
	}
	if c := by(t, reports, 0x5c02); c.Children != nil {
		t.Errorf("an end device said nothing of children, got %v", c.Children)
	}
	br := by(t, reports, 0x6800)
	if br.BorderRouter != diag.Some(true) || !slices.Equal(br.Network.BorderRouters, []diag.RLOC16{diag.MakeRLOC16(0x6800)}) ||
		!slices.Equal(br.Network.OMRPrefixes, []netip.Prefix{netip.MustParsePrefix("fdef:7c1e:f8fc:1::/64")}) {
		t.Errorf("border router: %v, network %+v", br.BorderRouter, br.Network)
	}
	if x := by(t, reports, 0x8400); x.BorderRouter.Known() {
		t.Errorf("0x8400 did not say whether it is a border router: %v", x.BorderRouter)
	}
	if c := by(t, reports, 0x8400); c.Counters[diag.IfInUcastPkts] != 2771 || c.MaxChildTimeout.Or(0) != 240*time.Second || c.Connectivity.Or(diag.Connectivity{}).LeaderCost != 6 {
		t.Errorf("0x8400: %+v", c)
	}
}

func TestGeneration3Diagnostics(t *testing.T) {
	for _, name := range []string{"2026-api-diagnostics.json", "2026-api-diagnostics-bare.json"} {
		t.Run(name, func(t *testing.T) {
			reports := decode(t, file(t, name))
			if len(reports) != 3 {
				t.Fatalf("%d reports, want 3", len(reports))
			}
			r := by(t, reports, 0xc000)
			if r.Vendor != "RD:" || r.Product != "Sim-FTD" || r.Firmware != "1.0.4" || r.EUI64 != 0x18b4300000000004 || r.ThreadVersion != diag.Some[uint16](5) {
				t.Errorf("who made it: %+v", r)
			}
			if r.Counters[diag.TrackedMillis] != 990192 || r.Counters[diag.DisabledMillis] != 118220 || len(r.Counters) != 24 {
				t.Errorf("counters %v", r.Counters)
			}
			if len(r.Children) != 20 {
				t.Fatalf("%d children, want 20: three tables make one", len(r.Children))
			}
			want := diag.Neighbor{
				ExtAddr: 0x0e0a0a0a0a0a0a0a, RLOC16: diag.MakeRLOC16(0xc003), Mode: diag.Some(diag.Mode{RxOnWhenIdle: true, FullNetworkData: true}),
				ThreadVersion: diag.Some[uint16](5), LinkQualityIn: diag.Some[uint8](3), AverageRSSI: diag.Some[int8](-50), LastRSSI: diag.Some[int8](-50),
				LinkMargin: diag.Some[uint8](50), FrameErrorRate: diag.Some[diag.Rate](0), MessageErrorRate: diag.Some[diag.Rate](0), Age: diag.Some(97 * time.Second),
				ConnectedFor: diag.Some(485 * time.Second), Timeout: diag.Some(240 * time.Second), QueuedMessages: diag.Some[uint16](0), CSLSynchronized: diag.Some(false),
				Addresses: []netip.Addr{netip.MustParseAddr("fd00:db8:a0:0:5650:d926:d640:3413"), netip.MustParseAddr("fdef:7c1e:f8fc:1:af3f:76fe:bc67:3a91"),
					netip.MustParseAddr("fdf0:27d3:e9ad:1:8e5d:e665:2616:aed2")},
			}
			if !reflect.DeepEqual(r.Children[0], want) {
				t.Errorf("first child\n got %+v\nwant %+v", r.Children[0], want)
			}
			if len(r.Neighbors) != 3 || r.Neighbors[0].LinkMargin != diag.Some[uint8](15) || r.Neighbors[0].FrameErrorRate != diag.Some[diag.Rate](530) ||
				r.Neighbors[0].ConnectedFor != diag.Some(868*time.Second) || r.Neighbors[0].Age.Known() {
				t.Errorf("neighbors %+v", r.Neighbors)
			}
			if r.BorderRouter != diag.Some(false) {
				t.Errorf("border router %v: both its flag and its network data say no", r.BorderRouter)
			}
			sed := by(t, reports, 0x8401)
			if sed.Timeout.Or(0) != 240*time.Second || sed.Mode != diag.Some(diag.Mode{}) || sed.Children != nil || sed.Routes != nil || sed.BorderRouter.Known() {
				t.Errorf("the sleepy one: %+v", sed)
			}
		})
	}
}

func TestDevices(t *testing.T) {
	for _, name := range []string{"2026-api-devices.json", "2026-api-devices-bare.json"} {
		t.Run(name, func(t *testing.T) {
			reports := decode(t, file(t, name))
			if len(reports) != 29 {
				t.Errorf("%d reports, want 29: the border router is listed twice, the stale one says nothing", len(reports))
			}
			seen := map[diag.ExtAddr]bool{}
			routers := 0
			for _, r := range reports {
				seen[r.Own[0].ExtAddr] = true
				if r.Mode.Known() || !r.Cached {
					t.Errorf("mode %v, cached %v: its mode flags are swapped, and it is a cache", r.Mode, r.Cached)
				}
				if r.Role == diag.RoleRouter {
					routers++
				} else if r.Role != diag.RoleUnknown {
					t.Errorf("role %q", r.Role)
				}
				if len(r.Addresses) < 2 {
					t.Errorf("%v: addresses %v", r.Own[0].ExtAddr, r.Addresses)
				}
			}
			if len(seen) != 29 || routers != 6 {
				t.Errorf("%d nodes, %d routers, want 29 and 6", len(seen), routers)
			}
		})
	}
}

func TestESP(t *testing.T) {
	for name, routers := range map[string][]uint16{"esp-diagnostics.json": {0x4400, 0x1c00, 0x9800}, "esp-topology.json": {0x4400, 0x3000, 0x0800}} {
		reports, problems := Decode(file(t, name), Context{Source: "dump", Via: name})
		for _, p := range problems {
			t.Errorf("%s: %v", name, p)
		}
		for _, r := range routers {
			x := by(t, reports, r)
			if len(x.Routes) != 3 || x.Children == nil || len(x.Children) != 0 || !x.At.IsZero() {
				t.Errorf("%s: %+v", name, x)
			}
		}
		br := by(t, reports, 0x4400)
		if br.Own[0].ExtAddr != 0x7a64fd2b41e75415 || br.BorderRouter != diag.Some(true) {
			t.Errorf("%s: %+v", name, br)
		}
	}
}

func TestDatasetGivesNoKey(t *testing.T) {
	for _, name := range []string{"2025-dataset.json", "2026-dataset.json"} {
		ctx := context()
		ctx.Network = diag.Network{}
		body := file(t, name)
		for n := range len(body) + 1 {
			reports, problems := Decode(body[:n], ctx)
			out := strings.ToLower(fmt.Sprintf("%+v %+v", reports, problems))
			for _, key := range []string{"00112233", "82bd6699", "networkkey", "pskc"} {
				if strings.Contains(out, key) {
					t.Fatalf("first %d octets of %s: %q comes out: %s", n, name, key, out)
				}
			}
		}
		reports := decode(t, body)
		want := diag.Network{ExtPANID: 0xdead00beef00cafe, Name: "ThreadMapLab", PANID: diag.Some[uint16](0xface), Channel: diag.Some[uint8](15),
			MeshLocalPrefix: netip.MustParsePrefix("fd00:db8:a0::/64"), ActiveTimestamp: diag.Some[uint64](0x10000)}
		if len(reports) != 1 || !reflect.DeepEqual(reports[0].Network, want) || reports[0].Own != nil {
			t.Errorf("%s: %+v", name, reports)
		}
	}
	// Keys in the wrong shape or place stay out of messages too.
	for _, body := range []string{
		`{"networkKey":{"x":"00112233445566778899aabbccddeeff"},"extPanId":"00112233445566778899aabbccddeeff","panId":"00112233445566778899aabbccddeeff"}`,
		`{"activeTimestamp":"00112233445566778899aabbccddeeff","pskc":7,"extPanId":1}`,
	} {
		if _, problems := Decode([]byte(body), Context{}); len(problems) != 1 || strings.Contains(fmt.Sprint(problems), "001122") {
			t.Errorf("%s: %v", body, problems)
		}
	}
}

// Whatever stands before a cut is kept, and the cut is told.
func TestCutDocument(t *testing.T) {
	for _, name := range []string{"2025-diagnostics.json", "2026-api-diagnostics.json", "2026-api-devices.json", "esp-topology.json"} {
		body := bytes.TrimSpace(file(t, name))
		whole := decode(t, body)
		n := 0
		for cut := 0; cut < len(body); cut = min(cut+61, max(cut+1, len(body)-1)) {
			reports, problems := Decode(body[:cut], context())
			if len(problems) == 0 {
				t.Fatalf("%s cut at %d: no problem", name, cut)
			}
			if len(reports) < n && !strings.HasPrefix(name, "2026-api-devices") {
				t.Fatalf("%s cut at %d: %d reports, had %d before", name, cut, len(reports), n)
			}
			n = len(reports)
		}
		if n != len(whole) {
			t.Errorf("%s: %d reports before the last octet, want %d", name, n, len(whole))
		}
	}
}

func BenchmarkDecode25kB(b *testing.B) {
	body := file(b, "2026-api-diagnostics.json")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if r, p := Decode(body, Context{}); len(r) != 3 || p != nil {
			b.Fatal(r, p)
		}
	}
}
