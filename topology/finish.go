package topology

import (
	"cmp"
	"net/netip"
	"slices"

	"threadmap/diag"
)

// finish sorts everything, makes the networks and hangs the children on their
// parents.
func (b *builder) finish() *Map {
	m := &Map{Networks: []*Network{}, Nodes: make([]*Node, 0, len(b.nodes)), Links: b.links}
	if m.Links == nil {
		m.Links = []*Link{}
	}
	nets := b.networks()
	for k, n := range b.nodes {
		if n.place >= 0 {
			p := b.place[n.place]
			n.Node.Network = nets[p.scope]
			if !n.Partition.Known() && p.partKnown {
				n.Partition = diag.Some(p.part)
			}
			if n.Transport == diag.TransportUnknown {
				n.Transport = diag.TransportThread
			}
		}
		if len(n.reports) > 0 {
			n.Reports = make([]*diag.Report, len(n.reports))
			for j, i := range n.reports {
				n.Reports[j] = b.reps[i]
			}
		}
		slices.SortStableFunc(n.Conflicts, func(p, q Conflict) int { return cmp.Compare(p.About, q.About) })
		m.Nodes = append(m.Nodes, b.nodes[k].Node)
	}
	slices.SortFunc(m.Nodes, func(p, q *Node) int { return cmp.Compare(p.ID, q.ID) })
	for _, n := range m.Nodes { // in order of ID, so Children are too
		if n.Parent != nil {
			n.Parent.Children = append(n.Parent.Children, n)
		}
	}
	slices.SortFunc(m.Links, func(p, q *Link) int { return cmp.Or(cmp.Compare(p.A.ID, q.A.ID), cmp.Compare(p.B.ID, q.B.ID)) })
	b.addPartitions(nets)
	for _, n := range nets {
		if n != nil {
			m.Networks = append(m.Networks, n)
		}
	}
	slices.SortFunc(m.Networks, func(p, q *Network) int { return cmp.Compare(p.ID, q.ID) })
	return m
}

// networks makes one Network of each scope that has a report.
func (b *builder) networks() []*Network {
	nets := make([]*Network, len(b.scopeKeys))
	order := make([]int32, 0, len(b.reps))
	for i := range b.reps {
		if b.said[i].scope >= 0 {
			order = append(order, int32(i))
		}
	}
	slices.SortStableFunc(order, func(i, j int32) int { return b.rankOf(i).compare(b.rankOf(j)) })
	prefixes := make([]map[netip.Prefix]bool, len(nets))
	best := make([]rank, len(nets)) // of the OMR prefixes
	names := make([][]Claim, len(nets))
	for _, i := range order {
		sc, r := b.said[i].scope, b.reps[i]
		n := nets[sc]
		if n == nil {
			n = &Network{ID: networkID(b.scopeKeys[sc])}
			nets[sc] = n
		}
		d := &r.Network
		if d.ExtPANID != 0 {
			n.ExtPANID = d.ExtPANID
		}
		if d.Name != "" {
			if n.Name != d.Name {
				names[sc] = append(names[sc], Claim{d.Name, b.evidence(i, "network name")})
			}
			n.Name = d.Name
		}
		setOpt(&n.Channel, d.Channel)
		setOpt(&n.PANID, d.PANID)
		setOpt(&n.ActiveTimestamp, d.ActiveTimestamp)
		if d.MeshLocalPrefix.IsValid() {
			n.MeshLocalPrefix = d.MeshLocalPrefix
		} else if p, ok := diag.MeshLocalPrefix(r.Addresses); ok && !n.MeshLocalPrefix.IsValid() && b.said[i].thread {
			n.MeshLocalPrefix = p
		}
		if d.OMRPrefixes != nil {
			k := b.rankOf(i)
			if prefixes[sc] == nil || k.epoch > best[sc].epoch || k.epoch == best[sc].epoch && k.trust > best[sc].trust {
				prefixes[sc], best[sc] = map[netip.Prefix]bool{}, k
			}
			for _, p := range d.OMRPrefixes {
				prefixes[sc][p] = true
			}
		}
		if e := (Evidence{Source: r.Source, Via: r.Via, Field: "network", Cached: r.Cached}); !slices.Contains(n.Evidence, e) {
			n.Evidence = append(n.Evidence, e)
		}
	}
	for sc, n := range nets {
		if n == nil {
			continue
		}
		for p := range prefixes[sc] {
			n.OMRPrefixes = append(n.OMRPrefixes, p)
		}
		slices.SortFunc(n.OMRPrefixes, netip.Prefix.Compare)
		slices.SortFunc(n.Evidence, compareEvidence)
		if len(names[sc]) > 1 {
			slices.Reverse(names[sc]) // the believed one came last
			n.Conflicts = append(n.Conflicts, Conflict{"name", names[sc]})
		}
	}
	return nets
}

// addPartitions lists the partitions of each network's newest epoch.
func (b *builder) addPartitions(nets []*Network) {
	used := map[int32]bool{}
	for _, n := range b.nodes {
		if n.place >= 0 && b.current(n.place) {
			used[n.place] = true
		}
	}
	for p := range b.place {
		p := int32(p)
		if !used[p] {
			continue
		}
		k := b.place[p]
		part := Partition{}
		if k.partKnown {
			part.ID = diag.Some(k.part)
		}
		if l := b.leaders[p]; l.known && l.node >= 0 {
			part.Leader = b.nodes[l.node].Node
		}
		nets[k.scope].Partitions = append(nets[k.scope].Partitions, part)
	}
	for _, n := range nets {
		if n != nil {
			slices.SortFunc(n.Partitions, func(a, c Partition) int { return compareOpt(a.ID, c.ID) })
		}
	}
}
