package doctor

import (
	"fmt"
	"slices"

	"threadmap/diag"
	"threadmap/topology"
)

// splitPartition finds networks that fell apart into partitions, each with a
// leader of its own. An announced partition id alone may be an old one: a border
// router's record lives for more than an hour.
var splitPartition = Rule{
	Name:  "split-partition",
	About: "a network that fell into parts which do not hear each other",
	Of:    OfAll,
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, m := range c.x.meshes {
			parts := m.split
			if parts == nil {
				continue
			}
			f := Finding{
				Severity: Error, Confidence: High,
				Title:    fmt.Sprintf("%s has split into %d parts that do not hear each other", network(m.Network), len(parts)),
				NextStep: "Put a mains-powered Thread device between the parts, or move a router. When the parts hear each other again they join by themselves within minutes.",
			}
			var words, ids []string
			for _, p := range parts {
				head := p.nodes[0]
				if p.Leader != nil {
					head = p.Leader
				}
				f.Nodes = append(f.Nodes, head)
				words = append(words, fmt.Sprintf("%s with %s", head.Label(), count(len(p.nodes)-1, "other device", "other devices")))
				id, _ := p.ID.Get()
				ids = append(ids, fmt.Sprintf("0x%08x", id))
			}
			f.Detail = fmt.Sprintf("The parts: %s (partitions %s). A device in one part can't reach the border routers of another through the mesh.", list(words), list(ids))
			if !m.led {
				f.Severity, f.Confidence = Warning, Medium
				f.Detail += " This is known from announcements, which may be an hour old."
			}
			f.Evidence = evidenceOf(f.Nodes...)
			out = append(out, f)
		}
		return out
	},
}

// A part is a partition with the nodes that spoke from it.
type part struct {
	topology.Partition
	nodes []*topology.Node
}

// livingParts are the partitions of m from which somebody spoke just now, nil
// where there is one only. led
// tells whether each has a leader that is known. A partition all of whose nodes
// have working links into another one is none any more.
func (c *Case) livingParts(m *members) (parts []part, led bool) {
	if len(m.Partitions) < 2 {
		return nil, false
	}
	in := map[diag.Opt[uint32]][]*topology.Node{}
	for _, n := range m.nodes {
		if here(n) || n.State == topology.NodeUnknown {
			in[n.Partition] = append(in[n.Partition], n)
		}
	}
	led = true
	for _, p := range m.Partitions {
		if !p.ID.Known() {
			continue
		}
		alive, apart, asked := false, false, false
		for _, n := range in[p.ID] {
			for _, r := range n.Reports {
				if r.Cached || !c.fresh(r.At) || r.Leader.PartitionID != p.ID {
					continue
				}
				alive = true
				asked = asked || r.Leader.RouterID.Known()
			}
			apart = apart || !slices.ContainsFunc(c.x.links[n], func(l *topology.Link) bool {
				return l.State == topology.LinkOK && l.A.Partition != l.B.Partition && l.A.Partition.Known() && l.B.Partition.Known()
			})
		}
		if alive && apart {
			parts = append(parts, part{p, in[p.ID]})
			led = led && asked && p.Leader != nil
		}
	}
	if len(parts) < 2 {
		return nil, false
	}
	return parts, led
}
