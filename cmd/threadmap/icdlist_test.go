package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/diag/dnssd"
	"threadmap/render/schema/schematest"
	"threadmap/topology"
)

// A home of one router, which says who its children are, and a sleepy child.
const (
	listRouter  = diag.ExtAddr(0x0e01010101010101)
	listSleeper = diag.ExtAddr(0x0e02020202020202)
	listOther   = diag.ExtAddr(0x0e03030303030303)
)

var listAt = time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)

func listReports(children []diag.ExtAddr, announced ...diag.ExtAddr) []diag.Report {
	net := diag.Network{ExtPANID: 0x1111111122222222, Name: "MyHome"}
	rows := []diag.Neighbor{}
	for i, e := range children {
		rows = append(rows, diag.Neighbor{ExtAddr: e, RLOC16: diag.MakeRLOC16(0x5c01 + uint16(i)), Mode: diag.Some(diag.Mode{}), LinkQualityIn: diag.Some[uint8](3), Age: diag.Some(10 * time.Second)})
	}
	out := []diag.Report{{Source: "otbr", Session: "s", At: listAt, Own: []diag.AddrClaim{{ExtAddr: listRouter, Witness: diag.WitnessDiagnostic}}, RLOC16: diag.MakeRLOC16(0x5c00), Role: diag.RoleLeader, Network: net,
		Leader: diag.LeaderData{PartitionID: diag.Some[uint32](1)}, Children: rows, Routes: []diag.Route{}}}
	for i, e := range []diag.ExtAddr{listSleeper, listOther} {
		out = append(out, diag.Report{Source: "matter-server", At: listAt, Own: []diag.AddrClaim{{ExtAddr: e, Witness: diag.WitnessInterface}}, Network: net, Transport: diag.TransportThread, Role: diag.RoleSleepyEndDevice,
			Matter: []diag.MatterID{{Fabric: 7, Node: uint64(18 + i)}}, Names: []diag.Name{{Value: []string{"Hall button", "Window sensor"}[i], Kind: diag.NameHome}},
			ICD: diag.Some(diag.ICD{FeatureMap: diag.Some[uint32](0), IdleModeDuration: diag.Some(300 * time.Second), RegisteredClients: diag.Some[uint16](0)})})
	}
	for _, e := range announced {
		out = append(out, diag.Report{Source: dnssd.Name, At: listAt, Own: []diag.AddrClaim{{ExtAddr: e, Witness: diag.WitnessHost}}, Hosts: []string{e.String()}, Network: net, Transport: diag.TransportThread})
	}
	return out
}

// TestHealthOfSleepers: each word is said where somebody could have known better,
// and nowhere else.
func TestHealthOfSleepers(t *testing.T) {
	silent := listReports([]diag.ExtAddr{listSleeper, listOther})
	silent[0].Children = nil // it did not say
	for _, c := range []struct {
		name    string
		reports []diag.Report
		want    string
	}{
		{"its parent hears it", listReports([]diag.ExtAddr{listSleeper, listOther}, listSleeper, listOther), healthOK},
		{"nobody listened to mDNS", listReports([]diag.ExtAddr{listSleeper, listOther}), healthOK},
		{"not announced, others are", listReports([]diag.ExtAddr{listSleeper, listOther}, listOther), healthUnannounced},
		{"no parent has it", listReports([]diag.ExtAddr{listOther}), healthNoParent},
		{"no parent has it, but it is announced", listReports([]diag.ExtAddr{listOther}, listSleeper, listOther), healthAnnounced},
		{"the router did not say", silent, healthUnknown},
	} {
		scan := &diag.Scan{From: listAt.Add(-time.Minute), To: listAt, Reports: c.reports}
		doc := sleepers(topology.Build(scan.Reports), scan, 7)
		var got *sleeper
		for i := range doc.Devices {
			if doc.Devices[i].ID == listSleeper.String() {
				got = &doc.Devices[i]
			}
		}
		if got == nil || got.Health != c.want {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
			continue
		}
		if text(got.Mode) != "sit" || len(got.Fabrics) != 1 || text(got.Fabrics[0].Name) != "threadmap" || got.Registered == nil || *got.Registered != 0 {
			t.Errorf("%s: %+v", c.name, got)
		}
		if got.Health != healthOK && got.Health != healthUnknown && doc.Devices[0].ID != got.ID {
			t.Errorf("%s: the worst does not stand first", c.name)
		}
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		schematest.Document(t, b)
		var out bytes.Buffer
		if err := doc.writeText(&out, scan.To); err != nil || !strings.Contains(out.String(), "Hall button") || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %v %s", c.name, err, out.String())
		}
	}
}
