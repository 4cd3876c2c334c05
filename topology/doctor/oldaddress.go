package doctor

import (
	"fmt"
	"strings"

	"threadmap/topology"
)

// oldAddress finds what is left of routers that are no more, as far as anybody
// can tell: rows of tables that others contradict, and border routers that are
// announced a second time under a radio address that no router of theirs knows.
// Border routers of some makers take a new radio address at each start.
var oldAddress = Rule{
	Name:  "old-address",
	About: "a leftover of a router or border router that has another address now",
	Find: func(c *Case) []Finding {
		var out []Finding
		ghosts := map[*topology.Network][]*topology.Node{}
		for _, n := range c.Map.Nodes {
			if n.State == topology.NodeGhost && n.Network != nil {
				ghosts[n.Network] = append(ghosts[n.Network], n)
			}
		}
		for _, m := range c.x.meshes {
			if left := ghosts[m.Network]; left != nil {
				var words []string
				for _, n := range left[:min(len(left), mostWords+1)] {
					words = append(words, fmt.Sprintf("%s: %s", n.Label(), n.Why))
				}
				out = append(out, Finding{
					Severity: Info, Confidence: Medium,
					Title:    fmt.Sprintf("%s of %s: %s", count(len(left), "leftover in the tables", "leftovers in the tables"), network(m.Network), names(left)),
					Detail:   capital(listOf(words, len(left))) + ". Most often it is the earlier radio address of a border router that restarted.",
					Nodes:    left,
					NextStep: "Nothing to do: tables forget it. If it stays for hours, restart the router that still lists it.",
					Evidence: evidenceOf(left...),
				})
			}
			hosts := c.hostsOf(m)
			for _, old := range m.borders {
				now := c.renewed(old, hosts)
				if now == nil {
					continue
				}
				out = append(out, Finding{
					Severity: Info, Confidence: Medium,
					Title:    fmt.Sprintf("%s is announced a second time, under an old radio address", now.Label()),
					Detail:   fmt.Sprintf("The mesh knows it as %s. The announcement with %s has the same host, and no router knows that address.", now.ExtAddr, old.ExtAddr),
					Nodes:    []*topology.Node{now, old},
					NextStep: "Nothing to do: the old announcement runs out within hours.",
					Evidence: evidenceOf(now, old),
				})
			}
		}
		return out
	},
}

// hostsOf are the border routers of the mesh itself by the hosts they announce, in
// lower case; nil for a host that several share.
func (c *Case) hostsOf(m *members) map[string]*topology.Node {
	out := map[string]*topology.Node{}
	for _, n := range m.borders {
		if n.ExtAddr == 0 || !n.RLOC16.Known() || n.State != topology.NodeOK {
			continue
		}
		for _, h := range n.Hosts {
			h = strings.ToLower(h)
			if other, taken := out[h]; taken && other != n {
				out[h] = nil
			} else {
				out[h] = n
			}
		}
	}
	return out
}

// renewed is the border router of the mesh that an announced one, which nobody in
// the mesh knows, seems to be now: the only one that shares a host with it.
func (c *Case) renewed(old *topology.Node, hosts map[string]*topology.Node) *topology.Node {
	if old.RLOC16.Known() || old.ExtAddr == 0 || len(c.x.links[old]) > 0 {
		return nil
	}
	var found *topology.Node
	for _, h := range old.Hosts {
		now := hosts[strings.ToLower(h)]
		if now == nil || found != nil && now != found {
			return nil
		}
		found = now
	}
	return found
}
