package topology_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"threadmap/diag"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// bySource is one moment of a home as three sources tell it: a border agent, a
// Matter server, and what is announced. Each has names and versions of its own.
func bySource(h *mesh.Home) map[string][]diag.Report {
	out := map[string][]diag.Report{
		"thread":        h.Reports(mesh.ReportOptions{Source: "thread", Session: "commissioner", At: at}),
		"matter-server": h.Reports(mesh.ReportOptions{Source: "matter-server", Session: "server", At: at, Names: true, RouteTable: true}),
	}
	for i := range out["matter-server"] {
		out["matter-server"][i].Firmware = fmt.Sprintf("1.0.%d", i)
	}
	for _, m := range h.Networks {
		for i := range m.Nodes {
			n := &m.Nodes[i]
			x := n.ExtAddr.String()
			r := diag.Report{
				Source: "mdns", Via: "LAN", At: at, Own: []diag.AddrClaim{{ExtAddr: n.ExtAddr, Witness: diag.WitnessHost}}, Transport: diag.TransportThread,
				Hosts: []string{x}, Instances: []string{"87E1B004E235A130-" + x}, Names: []diag.Name{{Value: "announced " + x, Kind: diag.NameInstance}}, Matter: n.Matter,
			}
			if n.BorderRouter {
				r.BorderRouter, r.BorderAgentID = diag.Some(true), n.BorderAgentID
				r.Network = diag.Network{ExtPANID: m.ExtPANID, Name: m.Name}
				r.Firmware = "18.1"
			}
			out["mdns"] = append(out["mdns"], r)
		}
	}
	return out
}

// TestDiffWithoutASource: whichever sources are asked the first time and the
// second, a home that did not change has no difference.
func TestDiffWithoutASource(t *testing.T) {
	for name, h := range homes() {
		told := bySource(h)
		all := slices.Sorted(maps.Keys(told))
		type scan struct {
			m       *topology.Map
			sources []string
		}
		var scans []scan
		for set := 1; set < 1<<len(all); set++ {
			var s scan
			var reports []diag.Report
			for i, source := range all {
				if set>>i&1 != 0 {
					s.sources, reports = append(s.sources, source), append(reports, told[source]...)
				}
			}
			s.m = topology.Build(reports)
			scans = append(scans, s)
		}
		for _, a := range scans {
			for _, b := range scans {
				if len(a.sources) == 2 && len(b.sources) == 2 {
					continue // nothing that one and one, or one and all, do not show
				}
				if got := topology.Diff(a.m, b.m, a.sources, b.sources); len(got) != 0 {
					t.Errorf("%s, %v to %v: %d changes, the first: %s", name, a.sources, b.sources, len(got), words(got[:1]))
				}
			}
		}
	}
}
