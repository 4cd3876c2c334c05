package topology

import (
	"cmp"
	"fmt"
	"slices"

	"threadmap/diag"
)

// A node is a node in the making.
type node struct {
	*Node
	reports []int32 // its own, oldest and least trusted first
	spoke   bool    // one of them is more than a registration

	placeRank rank  // of the row that says so, where it did not speak
	place     int32 // where it is now; -1: nowhere known
	rloc      diag.RLOC16
	rlocRank  rank
	rlocSelf  bool // it said so itself
	rlocClash bool // others claim another value with the same right

	parent     int32 // where Parent is set
	childTable rank  // of the newest child table that it gave
	fullTable  bool  // which gives the address of every child

	listedBy []int32 // child table rows about it, as indexes of rows

	ghost   string // why it is not believed in; "" for a node that is
	ghostID bool   // because its router id is free, not because another has it

	outdated string // why what a cache keeps of it is not so any more; "" where nothing speaks against it
}

// makeNodes makes a node of every speaker and of every extended address that
// stands in a table. Rows without an address become nodes later, where there
// is reason to.
func (b *builder) makeNodes() {
	b.nodeOf = slices.Repeat([]int32{-1}, len(b.up))
	b.nodes = make([]*node, 0, max(len(b.reps), len(b.byExt)))
	for i := range b.reps {
		if b.faceless(i) {
			continue
		}
		n := b.nodes[b.nodeFor(b.root(b.said[i].id))]
		if n.reports == nil {
			n.reports = b.indexes.take(1)
		}
		n.reports = append(n.reports, int32(i))
	}
	addrs := make([]diag.ExtAddr, 0, len(b.byExt))
	for x := range b.byExt {
		addrs = append(addrs, x)
	}
	slices.Sort(addrs)
	for _, x := range addrs {
		n := b.nodes[b.nodeFor(b.root(b.byExt[x]))]
		if len(n.reports) == 0 {
			n.ExtAddr = x
		}
	}
	for _, n := range b.nodes {
		b.joinEpochs(n)
		if len(n.reports) > 1 {
			slices.SortStableFunc(n.reports, func(i, j int32) int { return b.rankOf(i).compare(b.rankOf(j)) })
		}
		n.spoke = slices.ContainsFunc(n.reports, func(i int32) bool { return !b.said[i].reg })
		for _, i := range n.reports {
			s := &b.said[i]
			if s.own != 0 {
				n.ExtAddr = s.own // the best report's, when the radio address changed
			}
			if n.Heard = true; b.said[i].reg {
				continue // says neither where it is nor that it is up; see placeRegistered
			}
			if s.place >= 0 {
				n.place = s.place
				if s.rloc16.Known() {
					n.offerRLOC16(s.rloc16, b.rankOf(i), true)
				}
			}
			if at := b.reps[i].At; at.After(n.LastHeard) {
				n.LastHeard = at
			}
		}
	}
}

// joinEpochs puts what was said of a node outside of any network (the row of a
// registry) into the epoch of its network in which it was said. By itself it would
// be an epoch of its own, the newest, and go before what the node said.
func (b *builder) joinEpochs(n *node) {
	if !slices.ContainsFunc(n.reports, func(i int32) bool { return b.said[i].scope < 0 }) {
		return
	}
	var starts []int64 // of the epochs in which it was spoken of in its network
	for _, i := range n.reports {
		if s := &b.said[i]; s.scope >= 0 && !slices.Contains(starts, s.start) {
			starts = append(starts, s.start)
		}
	}
	slices.Sort(starts)
	for _, i := range n.reports {
		s := &b.said[i]
		k, now := slices.BinarySearch(starts, b.said[i].at)
		if s.scope >= 0 || k == 0 && !now {
			continue
		}
		if !now {
			k--
		}
		s.start = starts[k]
		s.rank = b.rankReport(i)
	}
}

// placeRegistered puts nodes that only a name service and tables know where the
// tables have them, and those that no table has into the network that their
// registration tells.
func (b *builder) placeRegistered() {
	for _, n := range b.nodes {
		for _, i := range n.reports {
			p := b.said[i].place
			if p < 0 || !b.said[i].reg {
				continue
			}
			if n.place < 0 || !n.spoke && b.place[p].scope == b.place[n.place].scope && b.place[p].epoch > b.place[n.place].epoch {
				n.place = p
			}
		}
	}
}

// lastSpoken is the best report of the node that is more than a registration,
// -1 for none.
func (n *node) lastSpoken(b *builder) int32 {
	for _, i := range slices.Backward(n.reports) {
		if !b.said[i].reg {
			return i
		}
	}
	return -1
}

// faceless reports whether report i tells of a network and of no node: nothing
// names its speaker, and it says nothing of itself (a saved dataset).
func (b *builder) faceless(i int) bool {
	if b.named(i) {
		return false
	}
	r := b.reps[i]
	return !b.said[i].rloc16.Known() && len(r.Hosts) == 0 && len(r.Addresses) == 0 && len(r.Instances) == 0 && len(r.Names) == 0 &&
		r.Children == nil && r.Neighbors == nil && r.Routes == nil && r.Role == diag.RoleUnknown && !r.Mode.Known() && len(r.Own) == 0
}

func (b *builder) nodeFor(root ident) int32 {
	k := b.nodeOf[root]
	if k < 0 {
		k = int32(len(b.nodes))
		b.nodeOf[root] = k
		b.nodes = append(b.nodes, b.newNode(-1))
	}
	return k
}

// newNode takes a node out of a block: thousands of single ones would keep the
// collector busy.
func (b *builder) newNode(place int32) *node {
	if len(b.block) == 0 {
		b.block, b.shown = make([]node, blockSize), make([]Node, blockSize)
	}
	n := &b.block[0]
	n.Node, n.place = &b.shown[0], place
	b.block, b.shown = b.block[1:], b.shown[1:]
	return n
}

const blockSize = 64

// pseudo is the node that is known only by its RLOC16 in a place.
func (b *builder) pseudo(place int32, rl diag.RLOC16) int32 {
	v, _ := rl.Get()
	k, ok := b.pseudos[keyOf(place, v)]
	if !ok {
		k = int32(len(b.nodes))
		n := b.newNode(place)
		n.rloc = rl
		b.nodes = append(b.nodes, n)
		b.pseudos[keyOf(place, v)] = k
	}
	return k
}

// offerRLOC16 keeps the best claim for the node's RLOC16. At equal rank its own
// word goes first. It remembers whether another value was claimed with the same
// right.
func (n *node) offerRLOC16(rl diag.RLOC16, k rank, self bool) {
	if !rl.Known() {
		return
	}
	if n.rloc.Known() && rl != n.rloc && k.sameClass(n.rlocRank) {
		n.rlocClash = true
	}
	c := k.compare(n.rlocRank)
	if c == 0 && self != n.rlocSelf {
		if c = 1; n.rlocSelf {
			c = -1
		}
	}
	if c == 0 {
		c = compareRLOC16(n.rloc, rl)
	}
	if !n.rloc.Known() || c > 0 {
		n.rlocClash = n.rlocClash && k.sameClass(n.rlocRank)
		n.rloc, n.rlocRank, n.rlocSelf = rl, k, self
	}
}

// nameNodes gives every node its ID: the extended address where it is known,
// else the next best name that holds across scans, else the RLOC16 with its
// network and partition.
func (b *builder) nameNodes() {
	for _, n := range b.nodes {
		if n.ExtAddr != 0 {
			n.ID = n.ExtAddr.String()
			continue
		}
		var names []string
		for _, i := range n.reports {
			r := b.reps[i]
			if r.BorderAgentID != "" {
				names = append(names, "1ba-"+r.BorderAgentID)
			}
			for _, m := range r.Matter {
				if m.Fabric != 0 {
					names = append(names, fmt.Sprintf("2matter-%016x-%d", m.Fabric, m.Node))
				} else {
					names = append(names, fmt.Sprintf("3matter-%d", m.Node))
				}
			}
			if r.EUI64 != 0 {
				names = append(names, "4eui64-"+r.EUI64.String())
			}
			for _, h := range r.Hosts {
				names = append(names, "5host-"+h)
			}
			if r.HAPID != "" {
				names = append(names, "6hap-"+r.HAPID)
			}
		}
		if len(names) > 0 {
			n.ID = slices.Min(names)[1:]
			continue
		}
		if v, known := n.rloc.Get(); known && n.place >= 0 {
			p := b.place[n.place]
			n.ID = fmt.Sprintf("rloc16-%04x@%s", v, networkID(b.scopeKeys[p.scope]))
			if p.partKnown {
				n.ID += fmt.Sprintf("-%08x", p.part)
			}
			if !b.current(n.place) {
				n.ID += fmt.Sprintf("-%d", b.latest[p.scope]-p.epoch)
			}
			continue
		}
		if len(n.reports) > 0 {
			r := b.reps[n.reports[0]]
			n.ID = speakerID + cmp.Or(r.Via, r.Source)
			continue
		}
		n.ID = "unknown"
	}
	b.tellApart()
}

// speakerID begins the ID of a node that told of others and of itself nothing: the
// one that a command line was typed at.
const speakerID = "speaker@"

// tellApart makes IDs that happen to be equal different, in a stable way.
func (b *builder) tellApart() {
	seen := map[string]int{}
	for _, n := range b.nodes {
		if n.ExtAddr != 0 {
			continue // unlike all others by itself
		}
		seen[n.ID]++
		if k := seen[n.ID]; k > 1 {
			n.ID = fmt.Sprintf("%s#%d", n.ID, k)
		}
	}
}

// evidence says whose word report i is. Nodes must have their IDs.
func (b *builder) evidence(i int32, field string) Evidence {
	r := b.reps[i]
	e := Evidence{Source: r.Source, Via: r.Via, At: r.At, Field: field, Cached: r.Cached}
	if k := b.speaker(i); k >= 0 {
		e.By = b.nodes[k].ID
	}
	return e
}

// speaker is the node that report i is of, -1 for a faceless one.
func (b *builder) speaker(i int32) int32 {
	return b.nodeOf[b.root(b.said[i].id)]
}
