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
	m := &Map{Networks: []*Network{}, Nodes: make([]*Node, 0, len(b.nodes))}
	nets := b.networks()
	for _, n := range b.nodes {
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
			n.Reports = b.reported.take(len(n.reports))
			for _, i := range n.reports {
				n.Reports = append(n.Reports, b.reps[i])
			}
		}
		slices.SortStableFunc(n.Conflicts, func(p, q Conflict) int { return cmp.Compare(p.About, q.About) })
	}
	order := make([]int32, len(b.nodes))
	for k := range order {
		order[k] = int32(k)
	}
	slices.SortFunc(order, func(p, q int32) int { return cmp.Compare(b.nodes[p].ID, b.nodes[q].ID) })
	at := make([]int32, len(b.nodes)) // node -> its place in that order
	for i, k := range order {
		at[k] = int32(i)
		m.Nodes = append(m.Nodes, b.nodes[k].Node)
	}
	children := make([]int32, len(b.nodes))
	for _, n := range b.nodes {
		if n.Parent != nil {
			children[n.parent]++
		}
	}
	for k, n := range b.nodes {
		if children[k] > 0 {
			n.Children = b.families.take(int(children[k]))
		}
	}
	for _, n := range m.Nodes { // in order of ID, so Children are too
		if n.Parent != nil {
			n.Parent.Children = append(n.Parent.Children, n)
		}
	}
	m.Links = b.sortedLinks(at)
	b.addPartitions(nets)
	for _, n := range nets {
		if n != nil {
			m.Networks = append(m.Networks, n)
		}
	}
	slices.SortFunc(m.Networks, func(p, q *Network) int { return cmp.Compare(p.ID, q.ID) })
	return m
}

// sortedLinks is the links by the IDs of their ends, whose order is known.
func (b *builder) sortedLinks(at []int32) []*Link {
	type keyed struct {
		key  uint64
		link *Link
	}
	keys := make([]keyed, len(b.links))
	for i, l := range b.links {
		p, q := at[b.ends[i][0]], at[b.ends[i][1]]
		keys[i] = keyed{uint64(min(p, q))<<32 | uint64(max(p, q)), l}
	}
	slices.SortFunc(keys, func(p, q keyed) int { return cmp.Compare(p.key, q.key) })
	out := make([]*Link, len(keys))
	for i, k := range keys {
		out[i] = k.link
	}
	return out
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
