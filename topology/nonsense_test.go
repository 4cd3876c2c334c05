package topology_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/topology"
)

// nonsense is a few reports that contradict each other and themselves in all that
// they say: everything is drawn from so few values that it collides.
func nonsense(r *rand.Rand) []diag.Report {
	x := func() diag.ExtAddr { return diag.ExtAddr(r.IntN(6)) << 56 }
	rloc := func() diag.RLOC16 {
		if r.IntN(4) == 0 {
			return diag.RLOC16{}
		}
		return diag.MakeRLOC16(uint16(r.IntN(3))<<10 | uint16(r.IntN(3))*0x11)
	}
	lq := func() diag.Opt[uint8] {
		if r.IntN(3) == 0 {
			return diag.Opt[uint8]{}
		}
		return diag.Some(uint8(r.IntN(5)))
	}
	age := func() (a diag.Opt[time.Duration]) {
		if r.IntN(2) == 0 {
			a = diag.Some(time.Duration(r.IntN(400)-20) * time.Second)
		}
		return a
	}
	mode := func() (m diag.Opt[diag.Mode]) {
		if r.IntN(2) == 0 {
			m = diag.Some(diag.ModeFromTLV(byte(r.IntN(16))))
		}
		return m
	}
	rows := func() (out []diag.Neighbor) {
		for range r.IntN(4) {
			out = append(out, diag.Neighbor{ExtAddr: x(), RLOC16: rloc(), LinkQualityIn: lq(), Age: age(), Mode: mode()})
		}
		if out == nil && r.IntN(2) == 0 {
			out = []diag.Neighbor{}
		}
		return out
	}
	roles := []diag.Role{"", "", diag.RoleDetached, diag.RoleSleepyEndDevice, diag.RoleEndDevice, diag.RoleREED, diag.RoleRouter, diag.RoleLeader}
	out := make([]diag.Report, 1+r.IntN(8))
	for i := range out {
		p := &out[i]
		p.Source, p.Via, p.Session = fmt.Sprint("s", r.IntN(3)), fmt.Sprint("v", r.IntN(2)), []string{"", "a", "b"}[r.IntN(3)]
		if r.IntN(5) > 0 {
			p.At = at.Add(time.Duration(r.IntN(5)-2) * []time.Duration{time.Second, time.Minute, time.Hour}[r.IntN(3)])
		}
		p.Cached = r.IntN(3) == 0
		if r.IntN(3) == 0 {
			p.Available = diag.Some(r.IntN(2) == 0)
		}
		for range r.IntN(3) {
			p.Own = append(p.Own, diag.AddrClaim{ExtAddr: x(), Witness: diag.Witness(r.IntN(7))})
		}
		p.RLOC16, p.Role, p.Mode = rloc(), roles[r.IntN(len(roles))], mode()
		p.BorderAgentID = []string{"", "", "ba1", "ba2"}[r.IntN(4)]
		if r.IntN(3) == 0 {
			p.Matter = []diag.MatterID{{Fabric: uint64(r.IntN(2)), Node: uint64(r.IntN(3))}}
		}
		p.EUI64 = diag.ExtAddr(r.IntN(3)) // 0: unknown
		if r.IntN(3) == 0 {
			p.Hosts = []string{"h1", "h2"}[:1+r.IntN(2)]
		}
		for range r.IntN(3) {
			p.Addresses = append(p.Addresses, []netip.Addr{x().LinkLocal(), netip.MustParseAddr("fd00::ff:fe00:400"), netip.MustParseAddr("fd00:1::1"), netip.MustParseAddr("192.0.2.1"), {}}[r.IntN(5)])
		}
		p.Transport = []diag.Transport{"", diag.TransportThread, diag.TransportThread, diag.TransportWiFi}[r.IntN(4)]
		p.Network.ExtPANID = diag.PANID64(r.IntN(3))
		if r.IntN(3) == 0 {
			p.Network.BorderRouters = []diag.RLOC16{rloc()}
			p.Network.OMRPrefixes = []netip.Prefix{netip.MustParsePrefix("fd00:1::/64")}
		}
		if r.IntN(2) == 0 {
			p.Leader.PartitionID = diag.Some(uint32(r.IntN(2)))
			p.Leader.RouterID = diag.Some(uint8([]int{0, 1, 2, 62, 63, 255}[r.IntN(6)]))
		}
		p.Children, p.Neighbors = rows(), rows()
		for range r.IntN(4) {
			p.Routes = append(p.Routes, diag.Route{RouterID: uint8([]int{0, 1, 2, 62, 63, 255}[r.IntN(6)]), ExtAddr: x(), LinkQualityIn: lq(), LinkQualityOut: lq(), NextHop: lq(), PathCost: lq(), Age: age()})
		}
	}
	return out
}

// TestNonsense: whatever is said, there is a map, the same in every order; no node
// is its own parent, nobody's child has children, and what hangs together is named
// on both ends.
func TestNonsense(t *testing.T) {
	for seed := range uint64(8000) {
		r := rand.New(rand.NewPCG(seed, 1))
		reports := nonsense(r)
		m := topology.Build(reports)
		again := append(slices.Clone(reports), reports[r.IntN(len(reports))])
		r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		if !reflect.DeepEqual(topology.Build(again), m) {
			t.Fatalf("seed %d: another order gave another map", seed)
		}
		ids := map[string]bool{}
		for _, n := range m.Nodes {
			if n.ID == "" || ids[n.ID] {
				t.Fatalf("seed %d: two nodes are called %q", seed, n.ID)
			}
			ids[n.ID] = true
			if p := n.Parent; p != nil && (p == n || p.Parent != nil || !slices.Contains(p.Children, n) || n.ParentConfidence == topology.NoConfidence) {
				t.Fatalf("seed %d: %s hangs on %s (%s), which hangs on %v", seed, n.ID, p.ID, n.ParentConfidence, p.Parent)
			}
		}
		for _, l := range m.Links {
			if l.A == nil || l.B == nil || l.A.ID >= l.B.ID || len(l.Evidence) == 0 {
				t.Fatalf("seed %d: link %+v", seed, l)
			}
		}
	}
}
