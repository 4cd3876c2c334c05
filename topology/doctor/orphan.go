package doctor

import (
	"fmt"
	"slices"

	"threadmap/diag"
	"threadmap/topology"
)

// orphan finds devices that somebody knows as part of a network and that no
// router there has, as a child or as another router. It speaks only where every
// router of that network told all it has.
var orphan = Rule{
	Name:  "orphan",
	About: "a device of a network that no router there knows",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, m := range c.x.meshes {
			missing := c.missing(m)
			tables := tablesOf(m, missing)
			for _, n := range missing {
				if onlyAnnounced(n) {
					continue // staleRecord's
				}
				out = append(out, Finding{
					Severity: Warning, Confidence: Medium,
					Title:    fmt.Sprintf("%s is not in the mesh", n.Label()),
					Detail:   fmt.Sprintf("It belongs to %s, but none of its %s has it. %s", network(m.Network), count(len(m.routers), "router", "routers"), because(n)),
					Nodes:    []*topology.Node{n},
					NextStep: fmt.Sprintf("Look whether %s has power or a good battery, and whether it is in reach of a router. Switching it off and on makes it look for a parent at once.", n.Label()),
					Evidence: slices.Concat(tables, evidenceOf(n)),
				})
			}
		}
		return out
	},
}

// missing are the nodes of m that nobody in it has, though all told whom they
// have. A node that spoke itself just now is not missing.
func (c *Case) missing(m *members) []*topology.Node {
	if !m.complete {
		return nil
	}
	var out []*topology.Node
	for _, n := range m.nodes {
		if n.State == topology.NodeOK || n.Role.Routes() && n.State == topology.NodeSilent || n.BorderRouter.Or(false) || n.Transport != diag.TransportThread ||
			n.ExtAddr == 0 || len(n.Reports) == 0 || c.listed(n) || c.heard(n) != nil {
			continue
		}
		if !slices.ContainsFunc(n.Reports, func(r *diag.Report) bool { return c.fresh(r.At) }) {
			continue // it may have been taken away long ago
		}
		out = append(out, n)
	}
	return out
}

// tablesOf is the evidence that the routers of m gave their child tables, for as
// many of them as one finding lists; nil where it is needed for nobody.
func tablesOf(m *members, missing []*topology.Node) []topology.Evidence {
	var out []topology.Evidence
	if len(missing) == 0 {
		return nil
	}
	for _, n := range m.routers[:min(len(m.routers), maxEvidence/2)] {
		if r := tableOf(n); r != nil {
			out = append(out, said(n, r, "child table"))
		}
	}
	return out
}

// because is Why as a sentence.
func because(n *topology.Node) string {
	if n.Why == "" {
		return ""
	}
	return capital(n.Why) + "."
}
