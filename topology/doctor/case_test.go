package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/topology"
)

// Every rule has one test with three parts: homes that have the trouble, homes
// that have not, and homes of which too little is known. The homes are made of
// reports, so that a rule sees what a scan would give it.

var at = time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)

const home diag.PANID64 = 0xdead00beef00cafe

// has fails unless the rule finds something about each home; it returns all
// findings for a closer look.
func has(t *testing.T, r Rule, homes ...[]diag.Report) []Finding {
	t.Helper()
	var all []Finding
	for i, h := range homes {
		found := examine(t, r, h, nil)
		if len(found) == 0 {
			t.Errorf("%s found nothing in home %d", r.Name, i)
		}
		all = append(all, found...)
	}
	return all
}

// hasNot fails when the rule finds something in one of the homes.
func hasNot(t *testing.T, r Rule, homes ...[]diag.Report) {
	t.Helper()
	for i, h := range homes {
		for _, f := range examine(t, r, h, nil) {
			t.Errorf("%s in home %d: %s: %s", r.Name, i, f.Title, f.Detail)
		}
	}
}

// cannotKnow is hasNot, for homes of which too little is known.
func cannotKnow(t *testing.T, r Rule, homes ...[]diag.Report) { t.Helper(); hasNot(t, r, homes...) }

// examine runs one rule and checks what holds of every finding.
func examine(t *testing.T, r Rule, reports []diag.Report, host *Host) []Finding {
	t.Helper()
	scan := &diag.Scan{From: at, To: at.Add(10 * time.Second), Complete: true, Reports: reports}
	found := r.Find(New(topology.Build(reports), scan, host))
	for _, f := range found {
		if f.Severity == 0 || f.Confidence == 0 || f.Title == "" || f.Detail == "" || f.NextStep == "" {
			t.Errorf("%s: a finding lacks something: %+v", r.Name, f)
		}
		if host == nil && len(f.Nodes) > 0 && len(f.Evidence) == 0 {
			t.Errorf("%s: %q rests on nothing", r.Name, f.Title)
		}
	}
	return found
}

// router is what a router says of itself; its extended address is 0x…01 for
// router id 1.
func router(id uint8) diag.Report {
	return diag.Report{
		Source: "test", Session: "1", At: at, Transport: diag.TransportThread, Role: diag.RoleRouter, RLOC16: diag.RouterRLOC16(id),
		Own:      []diag.AddrClaim{{ExtAddr: addressOf(id), Witness: diag.WitnessDiagnostic}},
		Mode:     diag.Some(diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}),
		Network:  diag.Network{ExtPANID: home, Name: "MyHome"},
		Leader:   diag.LeaderData{PartitionID: diag.Some(uint32(7)), RouterID: diag.Some(uint8(1))},
		Children: []diag.Neighbor{}, Neighbors: []diag.Neighbor{},
	}
}

func addressOf(id uint8) diag.ExtAddr { return 0x0e00_0000_0000_0000 + diag.ExtAddr(id) }

// border makes a border router of it.
func border(r diag.Report) diag.Report {
	r.BorderRouter = diag.Some(true)
	return r
}

// hears adds rows of its neighbors' table.
func hears(r diag.Report, rows ...diag.Neighbor) diag.Report {
	r.Neighbors = slices.Concat(r.Neighbors, rows)
	return r
}

// parents adds rows of its child table.
func parents(r diag.Report, rows ...diag.Neighbor) diag.Report {
	r.Children = slices.Concat(r.Children, rows)
	return r
}

// row is what a router receives of another one.
func row(id, lq uint8, rssi int8) diag.Neighbor {
	return diag.Neighbor{
		ExtAddr: addressOf(id), RLOC16: diag.RouterRLOC16(id), LinkQualityIn: diag.Some(lq), AverageRSSI: diag.Some(rssi), Age: diag.Some(10 * time.Second),
		Mode: diag.Some(diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}),
	}
}

// sleepy is what parent id receives of its sleepy child.
func sleepy(id uint8, child uint16, lq uint8, rssi int8) diag.Neighbor {
	return diag.Neighbor{
		ExtAddr: 0x0c00_0000_0000_0000 + diag.ExtAddr(id)<<16 + diag.ExtAddr(child), RLOC16: diag.MakeRLOC16(uint16(id)<<10 | child),
		LinkQualityIn: diag.Some(lq), AverageRSSI: diag.Some(rssi), Age: diag.Some(30 * time.Second), Timeout: diag.Some(240 * time.Second),
		Mode: diag.Some(diag.Mode{}),
	}
}

// healthy is a home with two border routers, another router and a sleepy child,
// all well linked. Rules find nothing in it.
func healthy() []diag.Report {
	return []diag.Report{
		hears(border(router(1)), row(2, 3, -50), row(3, 3, -52)),
		parents(hears(border(router(2)), row(1, 3, -51), row(3, 3, -55)), sleepy(2, 1, 3, -60)),
		hears(router(3), row(1, 3, -53), row(2, 3, -54)),
	}
}

// TestNothingInAHealthyHome runs every rule.
func TestNothingInAHealthyHome(t *testing.T) {
	for _, r := range Rules {
		hasNot(t, r, healthy())
	}
}

// TestNothingOfNothing: of an empty scan no rule may say anything.
func TestNothingOfNothing(t *testing.T) {
	for _, r := range Rules {
		cannotKnow(t, r, nil)
	}
}

// What ties three networks is in more than "both" of them, and a network that has
// no name is called as the tree heads it, not by an id of threadmap's own.
func TestWordsOfNetworks(t *testing.T) {
	var reports []diag.Report
	for i := range 3 {
		reports = append(reports, diag.Report{
			Source: "test", At: at, Own: []diag.AddrClaim{{ExtAddr: diag.ExtAddr(0xa00 + i), Witness: diag.WitnessDiagnostic}}, Role: diag.RoleRouter, RLOC16: diag.RouterRLOC16(1),
			BorderRouter: diag.Some(true), Matter: []diag.MatterID{{Fabric: 7, Node: uint64(i)}}, Network: diag.Network{ExtPANID: diag.PANID64(0xb00 + i)},
		})
	}
	for n, want := range map[int]string{2: "has devices in both.", 3: "has devices in more than one of them."} {
		for _, f := range has(t, separateNetworks, reports[:n]) {
			if !strings.HasSuffix(f.Detail, want) {
				t.Errorf("%d networks: %s", n, f.Detail)
			}
		}
	}
	for _, tt := range []struct {
		n    topology.Network
		want string
	}{
		{topology.Network{ID: "ml-fd00000000000000", Name: "MyHome", ExtPANID: 1}, "MyHome"},
		{topology.Network{ID: "00000000000000a0", ExtPANID: 0xa0}, "Network 00000000000000a0"},
		{topology.Network{ID: "ml-fd00000000000000"}, "Unnamed network"},
	} {
		if got := network(&tt.n); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.n.ID, got, tt.want)
		}
	}
}
