package doctor

import (
	"fmt"
	"slices"

	"threadmap/diag"
	"threadmap/topology"
)

// announcing is the name of the source that listens to announcements.
const announcing = "mdns"

// missingRecord finds Matter devices that are in the mesh and that nobody
// announces, so that no controller finds them. A device that speaks HomeKit only
// has no such record, and one answer may get lost: it speaks only of devices that
// a Matter controller knows, where most of their kind are announced.
var missingRecord = Rule{
	Name:  "missing-record",
	About: "a Matter device that is in the mesh, but that no border router announces",
	Find: func(c *Case) []Finding {
		if !slices.ContainsFunc(c.Scan.Sources, func(s diag.SourceState) bool { return s.Name == announcing && s.State == diag.StateAnswered }) {
			return nil
		}
		loose := map[uint64]bool{} // Matter node ids of records that could not be joined with a node of the mesh
		for _, n := range c.Map.Nodes {
			if onlyAnnounced(n) {
				for _, id := range n.Matter {
					loose[id.Node] = true
				}
			}
		}
		var out []Finding
		for _, m := range c.x.meshes {
			var without []*topology.Node
			with := 0
			for _, n := range m.nodes {
				switch {
				case slices.ContainsFunc(n.Reports, announcement):
					with++
				case !c.listed(n) || n.State != topology.NodeOK || len(n.Matter) == 0:
				case slices.ContainsFunc(n.Matter, func(id diag.MatterID) bool { return loose[id.Node] }):
				default:
					without = append(without, n)
				}
			}
			if with < 2 || with <= len(without) {
				continue
			}
			for _, n := range without {
				out = append(out, Finding{
					Severity: Warning, Confidence: Low,
					Title:    fmt.Sprintf("%s is in the mesh, but nobody announces it", n.Label()),
					Detail:   fmt.Sprintf("A router has it as a child now, and a Matter controller knows it, but its record was not heard, while %d other devices of %s are announced. Without a record controllers do not find it after a restart.", with, network(m.Network)),
					Nodes:    []*topology.Node{n},
					NextStep: fmt.Sprintf("Scan again: one answer may have got lost. If it stays so, switch %s off and on, so that it registers anew; border routers forget registrations when they restart.", n.Label()),
					Evidence: evidenceOf(n),
				})
			}
		}
		return out
	},
}

// announcement reports whether a report is of a device's DNS-SD record.
func announcement(r *diag.Report) bool {
	return r.Source == announcing || len(r.Instances) > 0 || len(r.Hosts) > 0
}
