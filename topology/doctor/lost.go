package doctor

import (
	"cmp"

	"threadmap/diag"
	"threadmap/topology"
)

// Lost devices are those that a controller can't reach, or that only a cache
// speaks of. Each is told of once: with its controller where that lost most of
// its devices at once, with its parent where most of that one's are lost, else by
// itself.
type lost struct {
	controllers []lostSet
	parents     []lostSet
	single      []lostSet // of one
}

// A lostSet is lost nodes that have a cause in common.
type lostSet struct {
	by       *topology.Node // the parent
	via      string         // the controller
	nodes    []*topology.Node
	of       int // how many there are
	evidence []topology.Evidence
}

// fewLost is under how many lost devices no controller is suspected.
const fewLost = 4

func (c *Case) findLost() *lost {
	out := &lost{}
	done := map[*topology.Node]bool{}

	// By controller: what it can't reach although the mesh hears it.
	index := map[string]int{}
	var sets []lostSet
	for _, n := range c.Map.Nodes {
		r := availability(n)
		if r == nil || !c.fresh(r.At) {
			continue
		}
		via := cmp.Or(r.Via, r.Source)
		k, ok := index[via]
		if !ok {
			k = len(sets)
			index[via] = k
			sets = append(sets, lostSet{via: via})
		}
		s := &sets[k]
		s.of++
		if r.Available.Or(true) {
			continue
		}
		if heard := c.heard(n); heard != nil {
			s.nodes = append(s.nodes, n)
			s.evidence = append(append(s.evidence, said(n, r, "available")), heard...)
		}
	}
	for _, s := range sets {
		if len(s.nodes) >= fewLost && 4*len(s.nodes) >= 3*s.of {
			out.controllers = append(out.controllers, s)
			for _, n := range s.nodes {
				done[n] = true
			}
		}
	}

	for _, m := range c.x.meshes {
		for _, p := range m.routers {
			if p.State != topology.NodeOK {
				continue // the rules about silent routers name its children
			}
			s := lostSet{by: p, of: len(p.Children)}
			for _, n := range p.Children {
				if done[n] {
					continue
				}
				if r := availability(n); r != nil && c.fresh(r.At) && !r.Available.Or(true) {
					s.nodes, s.evidence = append(s.nodes, n), append(s.evidence, said(n, r, "available"))
				} else if n.State == topology.NodeStale {
					s.nodes, s.evidence = append(s.nodes, n), append(s.evidence, n.Evidence...)
				}
			}
			if len(s.nodes) >= 2 && 3*len(s.nodes) >= 2*s.of {
				out.parents = append(out.parents, s)
				for _, n := range s.nodes {
					done[n] = true
				}
			}
		}
	}

	for _, s := range sets {
		for _, n := range s.nodes {
			if !done[n] {
				out.single = append(out.single, lostSet{via: s.via, nodes: []*topology.Node{n}, of: 1, evidence: append(c.heard(n), said(n, availability(n), "available"))})
			}
		}
	}
	return out
}

// availability is the newest report that says whether a controller reaches n.
func availability(n *topology.Node) *diag.Report {
	return latest(n, func(r *diag.Report) bool { return r.Available.Known() })
}
