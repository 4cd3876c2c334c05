package doctor

import (
	"fmt"

	"threadmap/topology"
)

// noWayOut finds routers that have no usable way to any border router of their
// network, all of which are known, though they are in one partition with one.
var noWayOut = Rule{
	Name:  "no-way-out",
	About: "routers without any usable way to a border router",
	Of:    OfAll,
	Find: func(c *Case) []Finding {
		cut := map[*topology.Network][]*topology.Node{}
		for _, n := range c.Ways.Unreached() {
			cut[n.Network] = append(cut[n.Network], n)
		}
		var out []Finding
		for _, m := range c.x.meshes {
			nodes := cut[m.Network]
			if nodes == nil || len(m.Partitions) != 1 {
				continue
			}
			known, devices := true, 0
			for _, n := range nodes {
				// Without its table a router may have a link that nobody told of, and a
				// link that has just broken is a finding of its own.
				known = known && n.State == topology.NodeOK && n.RouterTable && !c.breaking(n)
				devices += 1 + len(n.Children)
			}
			if !known {
				continue
			}
			out = append(out, Finding{
				Severity: Error, Confidence: Medium,
				Title:    fmt.Sprintf("No way leads from %s to a border router of %s", names(nodes), network(m.Network)),
				Detail:   fmt.Sprintf("%s cut off: no usable link joins them with the rest of the mesh.", count(devices, "device is", "devices are")),
				Nodes:    nodes,
				NextStep: fmt.Sprintf("Put a mains-powered Thread device between %s and the nearest border router.", nodes[0].Label()),
				Evidence: evidenceOf(nodes...),
			})
		}
		return out
	},
}

// breaking reports whether a link of n is broken in a way that oneWayLink or
// dyingLink tells of.
func (c *Case) breaking(n *topology.Node) bool {
	for _, l := range c.x.links[n] {
		if l.State == topology.LinkOneWay || l.State == topology.LinkDying {
			return true
		}
	}
	return false
}
