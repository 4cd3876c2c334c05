package topology_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// announcedRouter is what a border router announces.
func announcedRouter(xp diag.PANID64, x diag.ExtAddr, omr ...string) diag.Report {
	r := diag.Report{Source: "mdns", Via: "LAN", At: at, Own: []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessMeshCoP}}, Transport: diag.TransportThread,
		BorderRouter: diag.Some(true), Role: diag.RoleRouter, Network: diag.Network{ExtPANID: xp, Name: fmt.Sprint("net ", xp)}}
	for _, p := range omr {
		r.Network.OMRPrefixes = append(r.Network.OMRPrefixes, netip.MustParsePrefix(p))
	}
	return r
}

// registered is what a name service has of a Thread node.
func registered(x diag.ExtAddr, addrs ...string) diag.Report {
	r := diag.Report{Source: "mdns", Via: "LAN", At: at, Own: []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessHost}}, Transport: diag.TransportThread,
		Hosts: []string{x.String()}, Matter: []diag.MatterID{{Fabric: 1, Node: uint64(x)}}}
	for _, a := range addrs {
		r.Addresses = append(r.Addresses, netip.MustParseAddr(a))
	}
	return r
}

// TestNetworkByOMRPrefix: a registered node is in the one network that has the
// prefix of its address.
func TestNetworkByOMRPrefix(t *testing.T) {
	const x = diag.ExtAddr(0x0e00000000000009)
	a, b := announcedRouter(1, 0x0e00000000000001, "fd00:1::/64"), announcedRouter(2, 0x0e00000000000002, "fd00:2::/64")
	wifi := registered(x, "fd00:1::9")
	wifi.Transport, wifi.Own, wifi.Hosts = diag.TransportUnknown, nil, []string{"aabbccddeeff"}
	hap := registered(x, "fd00:1::9")
	hap.Own, hap.Hosts, hap.Matter = nil, []string{"Lamp"}, nil
	for name, tt := range map[string]struct {
		reports []diag.Report
		want    string // the network's id
	}{
		"one":                                    {[]diag.Report{a, b, registered(x, "fd00:1::9")}, "0000000000000001"},
		"the other":                              {[]diag.Report{a, b, registered(x, "fe80::1", "fd00:2::9")}, "0000000000000002"},
		"none":                                   {[]diag.Report{a, b, registered(x, "fd00:3::9")}, ""},
		"no address":                             {[]diag.Report{a, b, registered(x)}, ""},
		"both":                                   {[]diag.Report{a, b, registered(x, "fd00:1::9", "fd00:2::9")}, ""},
		"two with one prefix":                    {[]diag.Report{a, announcedRouter(2, 0x0e00000000000002, "fd00:1::/64"), registered(x, "fd00:1::9")}, ""},
		"a prefix of two, one else":              {[]diag.Report{a, announcedRouter(2, 0x0e00000000000002, "fd00:1::/64", "fd00:2::/64"), registered(x, "fd00:1::9", "fd00:2::9")}, ""},
		"a prefix that is too short":             {[]diag.Report{announcedRouter(1, 0x0e00000000000001, "fd00::/16"), registered(x, "fd00:1::9")}, ""},
		"no sign of Thread":                      {[]diag.Report{a, wifi}, ""},
		"Thread without an address of the radio": {[]diag.Report{a, hap}, "0000000000000001"},
		"known to a router of the other": {[]diag.Report{a, {Source: "otbr", Session: "s", At: at, RLOC16: diag.MakeRLOC16(0x0400), Own: []diag.AddrClaim{{ExtAddr: 0x0e00000000000003, Witness: diag.WitnessDiagnostic}},
			Network: diag.Network{ExtPANID: 2}, Children: []diag.Neighbor{{ExtAddr: x, RLOC16: diag.MakeRLOC16(0x0401)}}}, registered(x, "fd00:7::9")}, "0000000000000002"},
	} {
		t.Run(name, func(t *testing.T) {
			m := topology.Build(tt.reports)
			for _, n := range m.Nodes {
				if n.ExtAddr != x && (n.ExtAddr != 0 || len(n.Hosts) == 0) {
					continue
				}
				got := ""
				if n.Network != nil {
					got = n.Network.ID
				}
				if got != tt.want {
					t.Errorf("%s is in %q, want %q", n.ID, got, tt.want)
				}
				if tt.want == "" && (n.State != topology.NodeUnknown || n.Why != "announced, not asked") {
					t.Errorf("%s: %s, %q", n.ID, n.State, n.Why)
				}
			}
			for _, net := range m.Networks {
				if net.ExtPANID == 0 {
					t.Errorf("a network %s was made up", net.ID)
				}
			}
		})
	}
}

// TestRegistrationsChangeNothing: what a name service has of the nodes of a mesh
// adds names and changes neither who hangs where nor who is up, in whatever
// order it is told.
func TestRegistrationsChangeNothing(t *testing.T) {
	for seed := range uint64(100) {
		h := mesh.Random(seed, mesh.RandomOptions{Faults: 4})
		reports := h.Reports(mesh.ReportOptions{At: at, RoutersOnly: seed%2 == 0})
		var more []diag.Report
		for _, net := range h.Networks {
			v := net.Truth()
			for i := range net.Nodes {
				r := registered(net.Nodes[i].ExtAddr)
				r.At = at.Add(time.Duration(seed%3-1) * time.Second)
				r.Addresses = append(r.Addresses, v.OMR(i)...)
				more = append(more, r)
			}
		}
		was, is := topology.Build(reports), topology.Build(append(append([]diag.Report{}, reports...), more...))
		now := map[string]*topology.Node{}
		for _, n := range is.Nodes {
			now[n.ID] = n
		}
		parent := func(n *topology.Node) string {
			if n.Parent == nil {
				return ""
			}
			return n.Parent.ID
		}
		for _, n := range was.Nodes {
			o := now[n.ID]
			if o == nil || o.State != n.State || o.Role != n.Role || o.RLOC16 != n.RLOC16 || parent(o) != parent(n) || o.Network.ID != n.Network.ID || o.Partition != n.Partition {
				t.Errorf("seed %d: %s was %s %s %s of %q, is now %+v", seed, n.ID, n.State, n.Role, n.RLOC16, parent(n), o)
			}
		}
		if len(is.Links) != len(was.Links) || len(is.Networks) != len(was.Networks) {
			t.Errorf("seed %d: %d links and %d networks, were %d and %d", seed, len(is.Links), len(is.Networks), len(was.Links), len(was.Networks))
		}
		all := append(append([]diag.Report{}, more...), reports...)
		rand.New(rand.NewPCG(seed, 3)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if !reflect.DeepEqual(topology.Build(all), is) {
			t.Errorf("seed %d: another order gave another map", seed)
		}
		if t.Failed() {
			return
		}
	}
}
