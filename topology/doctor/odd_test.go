package doctor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// spoil changes a report in some way that a broken or hostile peer might.
func spoil(r *diag.Report, rng *rand.Rand) {
	rloc := diag.MakeRLOC16(uint16(rng.Uint32()))
	switch rng.IntN(22) {
	case 0:
		r.RLOC16 = rloc
	case 1:
		r.Own = nil
	case 2:
		r.Own = append(r.Own[:len(r.Own):len(r.Own)], diag.AddrClaim{ExtAddr: diag.ExtAddr(rng.Uint64N(5)), Witness: diag.Witness(rng.IntN(7))})
	case 3:
		r.Leader.PartitionID = diag.Some(rng.Uint32N(3))
	case 4:
		r.Network = diag.Network{}
	case 5:
		r.At = time.Time{}
	case 6:
		r.At = r.At.Add(time.Duration(rng.Int64()))
	case 7:
		r.Cached, r.Available = true, diag.Some(rng.IntN(2) == 0)
	case 8:
		r.Network.NetworkData = []byte{8, 3, 9, 2, byte(rng.Uint32())}[:rng.IntN(6)]
	case 9:
		r.Children = nil
	case 10:
		r.Children = []diag.Neighbor{{}, {RLOC16: rloc}, {ExtAddr: 1, Age: diag.Some(time.Duration(math.MinInt64))}}
	case 11:
		r.Neighbors = []diag.Neighbor{{}, {RLOC16: rloc, AverageRSSI: diag.Some[int8](-128)}, {ExtAddr: 2, LinkMargin: diag.Some[uint8](255)}}
	case 12:
		r.Routes = []diag.Route{{RouterID: uint8(rng.Uint32()), ExtAddr: 3, LinkQualityIn: diag.Some[uint8](255), LinkQualityOut: diag.Some[uint8](1)}}
	case 13:
		r.Role = []diag.Role{diag.RoleDetached, diag.RoleLeader, diag.RoleSleepyEndDevice, "no role"}[rng.IntN(4)]
	case 14:
		r.BorderRouter, r.BorderAgentID = diag.Some(true), "0"
	case 15:
		r.Network.OMRPrefixes = []netip.Prefix{{}, netip.MustParsePrefix("::/0"), netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("fd01::/64")}
		r.Addresses = append(r.Addresses[:len(r.Addresses):len(r.Addresses)], netip.Addr{}, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("fd02::1%x"))
	case 16:
		r.Counters = map[diag.Counter]uint64{}
		for _, k := range []diag.Counter{diag.ParentChangeCount, diag.LeaderRoleCount, diag.TxTotalCount, diag.TxRetryCount, diag.TxErrCcaCount, diag.TrackedMillis} {
			r.Counters[k] = []uint64{0, 1, 1000, math.MaxUint64}[rng.IntN(4)]
		}
		r.UpTime = diag.Some(time.Duration(rng.Int64()))
	case 17:
		r.Connectivity, r.RouterCount = diag.Some(diag.Connectivity{ParentPriority: -1, ActiveRouters: 255}), diag.Some[uint8](255)
	case 18:
		r.Matter, r.Hosts = []diag.MatterID{{Fabric: 1, Node: 1}}, []string{"", "host"}
	case 19:
		*r = diag.Report{Source: "mdns", Hosts: r.Hosts, Instances: []string{"x"}, Own: r.Own, At: r.At, Addresses: r.Addresses, Transport: diag.TransportThread}
	case 20:
		r.BatteryPercent, r.ThreadVersion = diag.Some[uint8](0), diag.Some[uint16](math.MaxUint16)
	case 21:
		r.EUI64, r.Transport = diag.ExtAddr(rng.Uint64N(3)), diag.TransportWiFi
	}
}

// TestOddReports: whatever was told, the rules end, and what they find is whole:
// it has words, evidence, and nodes of the map.
func TestOddReports(t *testing.T) {
	found := map[string]int{}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 11))
		reports := mesh.Random(seed, mesh.RandomOptions{Faults: 5}).Reports(mesh.ReportOptions{At: at, Names: true, RouteTable: seed%2 == 0})
		for range rng.IntN(3 * len(reports)) {
			spoil(&reports[rng.IntN(len(reports))], rng)
		}
		scan := &diag.Scan{To: at, Reports: reports, Sources: []diag.SourceState{{Name: "mdns", State: diag.StateAnswered}}}
		m := topology.Build(reports)
		in := map[*topology.Node]bool{}
		for _, n := range m.Nodes {
			in[n] = true
		}
		before := fmt.Sprint(evidenceSizes(m))
		for _, f := range Examine(New(m, scan, nil)) {
			found[f.Rule]++
			if f.Title == "" || f.Detail == "" || f.NextStep == "" || len(f.Evidence) == 0 || len(f.Evidence) > maxEvidence || len(f.Nodes) > maxNodes || f.Severity == 0 || f.Confidence == 0 {
				t.Fatalf("seed %d: a finding lacks something: %+v", seed, f)
			}
			for i, n := range f.Nodes {
				if !in[n] {
					t.Fatalf("seed %d: %s: node %d is none of the map", seed, f.Rule, i)
				}
			}
		}
		if fmt.Sprint(evidenceSizes(m)) != before {
			t.Fatalf("seed %d: the rules changed the map", seed)
		}
	}
	t.Log(found)
}

// evidenceSizes tells whether a map's evidence was changed.
func evidenceSizes(m *topology.Map) (out []string) {
	for _, n := range m.Nodes {
		out = append(out, fmt.Sprint(n.Evidence))
	}
	for _, l := range m.Links {
		out = append(out, fmt.Sprint(l.Evidence))
	}
	return out
}

// TestManyOfEverything: what a hostile LAN can announce is examined in a moment,
// and no finding lists it all.
func TestManyOfEverything(t *testing.T) {
	var reports []diag.Report
	for i := range 16000 {
		x := diag.ExtAddr(0x0e00_0000_0000_0000 + uint64(i))
		r := diag.Report{
			Source: "mdns", Via: "eth0", At: at, Own: []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessMeshCoP}}, Transport: diag.TransportThread,
			BorderAgentID: x.String(), BorderRouter: diag.Some(true), Hosts: []string{"same"}, Role: diag.RoleRouter, Vendor: "v", Product: "p", Firmware: x.String(),
			Network:     diag.Network{ExtPANID: home, ActiveTimestamp: diag.Some(uint64(i) << 16), OMRPrefixes: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfd, byte(i >> 8), byte(i)}), 64)}},
			Leader:      diag.LeaderData{PartitionID: diag.Some(uint32(i))},
			BorderAgent: diag.Some(diag.BorderAgent{StateBitmap: diag.Some[uint32](0x10)}),
		}
		if i%2 == 0 {
			r.Network.ExtPANID = diag.PANID64(i + 1)
		}
		reports = append(reports, r)
	}
	for _, f := range find(reports) {
		if len(f.Nodes) > maxNodes || len(f.Evidence) > maxEvidence || len(f.Title) > 500 || len(f.Detail) > 2000 {
			t.Errorf("%s: %d nodes, %d pieces of evidence, a title of %d, a detail of %d", f.Rule, len(f.Nodes), len(f.Evidence), len(f.Title), len(f.Detail))
		}
	}
}
