// Package view arranges a map the way people look at it: networks, in them the
// nodes that others hang on, under those their children, and apart from them
// whatever has no known place. It holds the words for roles, links and states
// too, so that the tree and the picture say the same thing.
//
// The reader is between topology.Map and the formats. Nothing is inferred
// here: a node without a known parent stays without one.
package view

import (
	"cmp"
	"slices"

	"threadmap/diag"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// A View is a map arranged for drawing.
type View struct {
	Map       *topology.Map
	Groups    []*Group         // by network as in the map, then partition; the nodes without a network last
	OffThread []*topology.Node // on Wi-Fi or Ethernet, or with no sign of being a Thread radio
	links     map[*topology.Node][]*topology.Link
	up        map[*topology.Node]*topology.Link
	twins     map[*topology.Node]string // what tells nodes of the same label apart
	headlines []string                  // of what a doctor found; nil: nobody looked
	findings  []doctor.Finding
}

// A Group is one partition of a network, or a network of which not more than
// one partition is known.
type Group struct {
	Network   *topology.Network // nil: not known
	Partition diag.Opt[uint32]
	Split     bool           // the network has other partitions
	Leader    *topology.Node // nil: not known
	Hubs      []*Hub
	Loose     []*topology.Node // no router, and no parent is known
}

// A Hub is a node that others can hang on.
type Hub struct {
	Node     *topology.Node
	Children []*topology.Node
	Links    []*topology.Link // to other hubs, by the ID of the far end
}

// New arranges m. Dead links are left out unless showDead.
func New(m *topology.Map, showDead bool) *View {
	if m == nil {
		m = &topology.Map{}
	}
	v := &View{Map: m, links: map[*topology.Node][]*topology.Link{}, up: make(map[*topology.Node]*topology.Link, len(m.Nodes))}
	v.twins = twins(m.Nodes)
	children := map[*topology.Node][]*topology.Node{}
	known := make(map[*topology.Node]bool, len(m.Nodes))
	for _, n := range m.Nodes {
		known[n] = true
	}
	for _, n := range m.Nodes {
		if p := n.Parent; p != nil && p != n && known[p] && !routes(n) {
			children[p] = append(children[p], n)
		}
	}
	for _, l := range m.Links {
		if l.A == nil || l.B == nil || !known[l.A] || !known[l.B] {
			continue
		}
		switch {
		case l.Kind == topology.LinkChild && l.A.Parent == l.B && v.up[l.A] == nil:
			v.up[l.A] = l
		case l.Kind == topology.LinkChild && l.B.Parent == l.A && v.up[l.B] == nil:
			v.up[l.B] = l
		}
		if l.State == topology.LinkDead && !showDead {
			continue
		}
		if l.Kind == topology.LinkRouter {
			v.links[l.A] = append(v.links[l.A], l)
			v.links[l.B] = append(v.links[l.B], l)
		}
	}
	// Under its parent goes a node that no other hangs on: so the depth is
	// one, and claims that run in a circle lose nobody.
	hub := func(n *topology.Node) bool { return routes(n) || len(children[n]) > 0 || len(v.links[n]) > 0 }
	under := func(n *topology.Node) bool { return n.Parent != nil && n.Parent != n && known[n.Parent] && !hub(n) }

	groups, at := v.groups()
	for _, n := range m.Nodes {
		if under(n) {
			continue
		}
		if n.Network == nil && !hub(n) && offThread(n) {
			v.OffThread = append(v.OffThread, n)
			continue
		}
		g := groups[at(n)]
		if !hub(n) || lost(n) && len(children[n]) == 0 && len(v.links[n]) == 0 {
			g.Loose = append(g.Loose, n)
			continue
		}
		h := &Hub{Node: n, Links: v.links[n]}
		for _, c := range children[n] {
			if under(c) {
				h.Children = append(h.Children, c)
			}
		}
		slices.SortStableFunc(h.Links, func(a, b *topology.Link) int { return cmp.Compare(Far(a, n).ID, Far(b, n).ID) })
		g.Hubs = append(g.Hubs, h)
	}
	for _, g := range groups {
		if g.Network != nil && !g.Split || len(g.Hubs)+len(g.Loose) > 0 {
			v.Groups = append(v.Groups, g)
		}
	}
	return v
}

// groups lays out the groups, and tells which of them a node belongs to.
func (v *View) groups() (all []*Group, at func(*topology.Node) int) {
	type key struct {
		net  *topology.Network
		part diag.Opt[uint32]
	}
	index := map[key]int{}
	split := map[*topology.Network]bool{}
	for _, net := range v.Map.Networks {
		known := KnownPartitions(net)
		split[net] = len(known) > 1
		if len(known) > 1 {
			for _, p := range known {
				index[key{net, p.ID}] = len(all)
				all = append(all, &Group{Network: net, Partition: p.ID, Split: true, Leader: p.Leader})
			}
		}
		g := &Group{Network: net, Split: len(known) > 1}
		if len(known) == 1 {
			g.Partition, g.Leader = known[0].ID, known[0].Leader
		} else if len(known) == 0 && len(net.Partitions) == 1 {
			g.Leader = net.Partitions[0].Leader
		}
		index[key{net: net}] = len(all)
		all = append(all, g)
	}
	index[key{}] = len(all)
	all = append(all, &Group{})
	return all, func(n *topology.Node) int {
		k := key{net: n.Network}
		if split[n.Network] {
			k.part = n.Partition
		}
		if i, ok := index[k]; ok {
			return i
		}
		if i, ok := index[key{net: n.Network}]; ok {
			return i
		}
		return len(all) - 1
	}
}

// KnownPartitions lists the partitions whose id is known.
func KnownPartitions(n *topology.Network) []topology.Partition {
	var out []topology.Partition
	for _, p := range n.Partitions {
		if p.ID.Known() {
			out = append(out, p)
		}
	}
	return out
}

// offThread reports whether a node without a network is no Thread radio, or shows
// no sign of being one: a Matter device of which only its name is known.
func offThread(n *topology.Node) bool {
	switch n.Transport {
	case diag.TransportWiFi, diag.TransportEthernet:
		return true
	case diag.TransportUnknown:
		return n.ExtAddr == 0 && !n.RLOC16.Known() && n.Role == diag.RoleUnknown && !n.BorderRouter.Or(false) && len(n.Matter)+len(n.Instances) > 0
	}
	return false
}

// OffThreadName is the heading of OffThread.
func (v *View) OffThreadName() string {
	for _, n := range v.OffThread {
		if n.Transport == diag.TransportUnknown {
			return "Not on Thread, or not known to be"
		}
	}
	return "Not on Thread"
}

// Overlap is how many of the nodes without a known place may be among the
// children that are known by nothing but their short address: tables of old
// border routers give no other, and announcements never that.
func (g *Group) Overlap() int {
	faceless, loose := 0, 0
	for _, h := range g.Hubs {
		for _, c := range h.Children {
			if c.ExtAddr == 0 && !c.Heard {
				faceless++
			}
		}
	}
	for _, n := range g.Loose {
		if n.ExtAddr != 0 && n.Heard && !n.RLOC16.Known() && n.State == topology.NodeUnknown {
			loose++
		}
	}
	return min(faceless, loose)
}

func routes(n *topology.Node) bool {
	return n.Role.Routes() || n.Role == diag.RoleUnknown && n.RLOC16.IsRouter()
}

// lost reports whether little speaks for the node being there.
func lost(n *topology.Node) bool {
	return n.State == topology.NodeGhost || n.State == topology.NodeUnknown
}

// UpLink is the link of a child to its parent, nil where none is known.
func (v *View) UpLink(n *topology.Node) *topology.Link { return v.up[n] }

// Far is the end of l that is not n.
func Far(l *topology.Link, n *topology.Node) *topology.Node {
	if l.A == n {
		return l.B
	}
	return l.A
}

// Ways gives both directions of l as n sees them: in is what n receives.
func Ways(l *topology.Link, n *topology.Node) (in, out topology.Direction) {
	if l.A == n {
		return l.BToA, l.AToB
	}
	return l.AToB, l.BToA
}
