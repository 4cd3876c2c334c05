package doctor

import (
	"slices"
	"time"

	"threadmap/diag"
	"threadmap/topology"
)

// An index is what several rules look up, worked out once per case.
type index struct {
	meshes []*members // in the order of the map's networks
	of     map[*topology.Network]*members
	links  map[*topology.Node][]*topology.Link
	byExt  map[diag.ExtAddr]*topology.Node
	byRLOC map[place]*topology.Node
	spoken map[place]bool // somebody said that it has this RLOC16 itself
	cuts   []topology.Cut // those that singlePointOfFailure speaks of
	lost   *lost
	// overhears is what routers hear of children that are not theirs.
	overhears map[*topology.Node][]overheard
	stranded  []stranded // networks to which this machine lacks a way
}

// A place is where an RLOC16 names one node.
type place struct {
	network   *topology.Network
	partition diag.Opt[uint32]
	rloc16    diag.RLOC16
}

// Members are one network with its nodes, each list by ID. Ghosts are in none.
type members struct {
	*topology.Network
	nodes    []*topology.Node
	routers  []*topology.Node // that are there, border routers among them
	borders  []*topology.Node // border routers that are there
	children []*topology.Node // whose parent is known
	complete bool             // see Case.complete
	split    []part           // into these; nil: it did not
	led      bool             // each of them has a leader that is known
	cut      bool             // a text that told of it breaks off: who and what is missing may stand in the rest
}

func newIndex(c *Case) *index {
	x := &index{
		of: make(map[*topology.Network]*members, len(c.Map.Networks)), links: make(map[*topology.Node][]*topology.Link, len(c.Map.Nodes)),
		byExt: make(map[diag.ExtAddr]*topology.Node, len(c.Map.Nodes)), byRLOC: make(map[place]*topology.Node, len(c.Map.Nodes)),
		spoken: make(map[place]bool, len(c.Map.Nodes)),
	}
	for _, n := range c.Map.Networks {
		m := &members{Network: n}
		x.meshes, x.of[n] = append(x.meshes, m), m
	}
	for _, n := range c.Map.Nodes {
		if n.ExtAddr != 0 {
			x.byExt[n.ExtAddr] = n
		}
		m := x.of[n.Network]
		if m == nil || n.State == topology.NodeGhost {
			continue
		}
		if at := (place{n.Network, n.Partition, n.RLOC16}); n.RLOC16.Known() && (x.byRLOC[at] == nil || n.State == topology.NodeOK) {
			x.byRLOC[at] = n
		}
		if r := ownWord(n); r != nil {
			x.spoken[place{n.Network, n.Partition, r.RLOC16}] = true
		}
		m.nodes = append(m.nodes, n)
		m.cut = m.cut || slices.ContainsFunc(n.Reports, func(r *diag.Report) bool { return r.Cut })
		if n.Parent != nil {
			m.children = append(m.children, n)
		}
		if n.State == topology.NodeStale {
			continue
		}
		if n.Role.Routes() {
			m.routers = append(m.routers, n)
		}
		if n.BorderRouter.Or(false) {
			m.borders = append(m.borders, n)
		}
	}
	for _, l := range c.Map.Links {
		x.links[l.A] = append(x.links[l.A], l)
		x.links[l.B] = append(x.links[l.B], l)
	}
	for _, m := range x.meshes {
		m.complete = c.complete(m)
	}
	return x
}

// complete reports whether every child of m would stand in a table that was
// given: one partition, as many routers as they say there are, each with a
// child table of its own, read now, of which every row names its child.
// Elsewhere a device that no table lists may just not have been asked about.
func (c *Case) complete(m *members) bool {
	if len(m.Partitions) != 1 || len(m.routers) == 0 {
		return false
	}
	for _, n := range m.routers {
		r := tableOf(n)
		if r == nil || r.Cached || !c.fresh(r.At) || int(routersTold(n)) > len(m.routers) {
			return false
		}
		for i := range r.Children {
			if r.Children[i].ExtAddr == 0 {
				return false
			}
		}
	}
	return true
}

// tableOf is the newest report of n that has a child table, nil for none.
func tableOf(n *topology.Node) *diag.Report {
	return latest(n, func(r *diag.Report) bool { return r.Children != nil && !r.ChildrenPartial })
}

// routersTold is how many routers n says its partition has, 0 where it says
// nothing of it.
func routersTold(n *topology.Node) uint8 {
	for _, r := range slices.Backward(n.Reports) {
		if count, known := r.RouterCount.Get(); known {
			return count
		}
		if con, known := r.Connectivity.Get(); known {
			return con.ActiveRouters
		}
	}
	return 0
}

// latest is the newest and most trusted report of n that fits, nil for none.
func latest(n *topology.Node, fits func(*diag.Report) bool) *diag.Report {
	for _, r := range slices.Backward(n.Reports) {
		if fits(r) {
			return r
		}
	}
	return nil
}

// recent is how old a statement may be to speak of now: package topology takes
// what lies closer together for one observation.
const recent = 15 * time.Minute

// fresh reports whether something that was said at that time holds now. What is
// of an unknown time does only in a scan that is itself of an unknown time.
func (c *Case) fresh(at time.Time) bool {
	if at.IsZero() || c.Now.IsZero() {
		return at.IsZero() && c.Now.IsZero()
	}
	return c.Now.Sub(at).Abs() <= recent
}

// here reports whether a node is part of the mesh now, be it silent.
func here(n *topology.Node) bool {
	return n.State == topology.NodeOK || n.State == topology.NodeSilent
}

// listed reports whether a router's child table, read now, has the node.
func (c *Case) listed(n *topology.Node) bool {
	return slices.ContainsFunc(n.Evidence, func(e topology.Evidence) bool { return e.Field == "child table" && !e.Cached && c.fresh(e.At) })
}

// aliveFor is how long ago a node may have been heard for its neighbor's word to
// count: sleepy devices are dropped after 240 s of silence by most stacks.
const aliveFor = 4 * time.Minute

// heard is the evidence that the mesh hears a node now: what the other ends of
// its links said just now. nil: nobody does, or nobody was asked.
func (c *Case) heard(n *topology.Node) []topology.Evidence {
	var out []topology.Evidence
	for _, l := range c.x.links[n] {
		if l.State != topology.LinkOK || l.Age.Or(0) > aliveFor {
			continue
		}
		other := l.A
		if other == n {
			other = l.B
		}
		for _, e := range l.Evidence {
			if e.By == other.ID && !e.Cached && c.fresh(e.At) {
				out = append(out, e)
			}
		}
	}
	return out
}

// onlyAnnounced reports whether all that is known of a node is that a name
// service has a record of it: it says nothing of the mesh, and records outlive
// their devices.
func onlyAnnounced(n *topology.Node) bool {
	for _, r := range n.Reports {
		if r.Role != diag.RoleUnknown || r.RLOC16.Known() || r.Mode.Known() || r.Available.Known() || r.BorderAgentID != "" || r.BorderAgent.Known() ||
			r.Children != nil || r.Neighbors != nil || r.Routes != nil || !r.Network.IsZero() || !r.Leader.IsZero() || len(r.Hosts)+len(r.Instances) == 0 {
			return false
		}
	}
	return len(n.Reports) > 0 && n.Parent == nil && !n.RLOC16.Known()
}

// said is the evidence that a node said something itself.
func said(n *topology.Node, r *diag.Report, field string) topology.Evidence {
	return topology.Evidence{Source: r.Source, Via: r.Via, At: r.At, By: n.ID, Field: field, Cached: r.Cached}
}

// evidenceOf is what speaks for several nodes being there.
func evidenceOf(nodes ...*topology.Node) []topology.Evidence {
	var out []topology.Evidence
	for _, n := range nodes {
		if len(n.Evidence) == 0 && n.Network != nil { // a router id that is taken, and nothing else
			out = append(out, n.Network.Evidence...)
		}
		out = append(out, n.Evidence...)
		if len(out) > maxEvidence {
			break
		}
	}
	return out
}
