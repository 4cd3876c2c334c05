package topology_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// TestDiffOfTheSame: a map has no difference with itself, built again.
func TestDiffOfTheSame(t *testing.T) {
	for name, h := range homes() {
		reports := h.Reports(mesh.ReportOptions{At: at})
		if got := topology.Diff(topology.Build(reports), topology.Build(reports), nil, nil); len(got) != 0 {
			t.Errorf("%s: %v", name, words(got))
		}
	}
}

// TestDiffOfLess: nodes that were not asked the second time, or only then, are
// neither gone nor new, and lost nothing.
func TestDiffOfLess(t *testing.T) {
	for seed := range uint64(150) {
		h := mesh.Random(seed, mesh.RandomOptions{})
		r := rand.New(rand.NewPCG(seed, 5))
		all := h.Reports(mesh.ReportOptions{At: at, RouteTable: seed%2 == 0})
		some := slices.Clone(all)
		r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		for keep := len(some); keep > 0; keep = keep * 2 / 3 {
			for what, got := range map[string][]topology.Change{
				"less": topology.Diff(topology.Build(all), topology.Build(some[:keep]), []string{"test"}, []string{"test"}),
				"more": topology.Diff(topology.Build(some[:keep]), topology.Build(all), []string{"test"}, []string{"test"}),
			} {
				for _, c := range got {
					switch c.Kind {
					case topology.NetworkChanged, topology.NodeSilenced, topology.NodeBack:
						continue // what was told by one only, or who was left out of a conversation
					}
					t.Errorf("seed %d, %s, %d of %d reports: %s", seed, what, keep, len(some), words([]topology.Change{c}))
				}
			}
		}
		if t.Failed() {
			return
		}
	}
}

func words(changes []topology.Change) string {
	var out []string
	for _, c := range changes {
		s := c.Kind.String()
		for _, n := range []*topology.Node{c.Node, c.Peer} {
			if n != nil {
				s += " " + n.ID
			}
		}
		out = append(out, fmt.Sprintf("%s: %s -> %s", s, c.Before, c.After))
	}
	return strings.Join(out, "; ")
}

// TestDiff makes one change at a time.
func TestDiff(t *testing.T) {
	base := func() []diag.Report {
		a, b, c := says(xA, 0x0400), says(xB, 0x0800), says(xC, 0x0801)
		for _, r := range []*diag.Report{&a, &b} {
			r.Role, r.Leader = diag.RoleRouter, diag.LeaderData{PartitionID: diag.Some(uint32(7)), RouterID: diag.Some(uint8(1))}
			r.Children = []diag.Neighbor{}
			r.Routes = []diag.Route{route(xA, 1, 0, 0, false), route(xB, 2, 0, 0, false)}
		}
		a.Role = diag.RoleLeader
		a.Neighbors = []diag.Neighbor{neighbor(xB, 0x0800, 3)}
		b.Neighbors = []diag.Neighbor{neighbor(xA, 0x0400, 3)}
		b.Children = []diag.Neighbor{child(xC, 0x0801, 3)}
		c.Role = diag.RoleSleepyEndDevice
		c.Firmware = "1.0"
		return []diag.Report{a, b, c}
	}
	id := func(x diag.ExtAddr) string { return x.String() }
	for name, c := range map[string]struct {
		change func(r []diag.Report) []diag.Report
		want   string
	}{
		"nothing":  {func(r []diag.Report) []diag.Report { return r }, ""},
		"firmware": {func(r []diag.Report) []diag.Report { r[2].Firmware = "1.1"; return r }, "firmware " + id(xC) + ": 1.0 -> 1.1"},
		"child gone": {func(r []diag.Report) []diag.Report { r[1].Children = []diag.Neighbor{}; return r[:2] },
			"node-gone " + id(xC) + ": sleepy-end-device -> nobody tells of it"},
		"child not asked": {func(r []diag.Report) []diag.Report { return r[:2] }, ""},
		"parent not asked": {func(r []diag.Report) []diag.Report {
			r[0].Routes, r[0].Neighbors = nil, nil
			return r[:1]
		}, ""},
		"parent changed": {func(r []diag.Report) []diag.Report {
			r[1].Children = []diag.Neighbor{}
			r[0].Children = []diag.Neighbor{child(xC, 0x0402, 3)}
			r[2].RLOC16 = diag.MakeRLOC16(0x0402)
			return r
		}, "parent " + id(xC) + " " + id(xA) + ": " + id(xB) + " -> " + id(xA) + "; rloc16 " + id(xC) + ": 0x0801 -> 0x0402"},
		"new child": {func(r []diag.Report) []diag.Report {
			r[0].Children = []diag.Neighbor{child(xD, 0x0402, 3)}
			return r
		}, "node-new " + id(xD) + " " + id(xA) + ":  -> sleepy-end-device"},
		"link weaker": {func(r []diag.Report) []diag.Report { r[0].Neighbors[0].LinkQualityIn = diag.Some(uint8(1)); return r },
			"link-worse " + id(xA) + " " + id(xB) + ": quality 3/3 -> quality 3/1"},
		"link one-way": {func(r []diag.Report) []diag.Report { r[0].Neighbors[0].LinkQualityIn = diag.Some(uint8(0)); return r },
			"link-lost " + id(xA) + " " + id(xB) + ": quality 3/3 -> one-way"},
		"link flickers": {func(r []diag.Report) []diag.Report {
			r[0].Neighbors[0].LinkQualityIn, r[0].Neighbors[0].AverageRSSI = diag.Some(uint8(2)), diag.Some(int8(-71))
			return r
		}, ""},
		"new leader": {func(r []diag.Report) []diag.Report {
			for i := range r[:2] {
				r[i].Leader.RouterID = diag.Some(uint8(2))
			}
			r[0].Role, r[1].Role = diag.RoleRouter, diag.RoleLeader
			return r
		}, "leader " + id(xB) + " " + id(xA) + ": " + id(xA) + " -> " + id(xB)},
		"border router's new radio address": {func(r []diag.Report) []diag.Report {
			r[0].Own[0].ExtAddr = 0x0e09090909090909
			r[1].Neighbors[0].ExtAddr = 0x0e09090909090909
			for i := range r[:2] {
				r[i].Routes[0].ExtAddr = 0x0e09090909090909
			}
			return r
		}, ""},
	} {
		before := base()
		before[0].BorderAgentID = "00112233445566778899aabbccddeeff"
		before[0].Neighbors[0].AverageRSSI = diag.Some(int8(-70))
		after := base()
		after[0].BorderAgentID = before[0].BorderAgentID
		after[0].Neighbors[0].AverageRSSI = diag.Some(int8(-70))
		if name == "link weaker" || name == "link one-way" {
			after[0].Neighbors[0].AverageRSSI = diag.Some(int8(-90))
		}
		after = c.change(after)
		if got := words(topology.Diff(topology.Build(before), topology.Build(after), []string{"test"}, []string{"test"})); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
}
