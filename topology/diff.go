package topology

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"threadmap/diag"
)

// A Change is one thing that differs between two maps.
type Change struct {
	Kind ChangeKind
	// Node is whom it is about, as the newer map has it; a node that is gone, as
	// the older one had it. nil: the change is about a network.
	Node    *Node
	Peer    *Node    // the other end of a link, the new parent, the new leader; nil: none
	Network *Network // nil: unknown
	// Before and After are in plain words; "" where there is nothing to say.
	Before, After string
}

// A ChangeKind says what changed. The kinds are in the order of how much they
// matter.
type ChangeKind uint8

// The kinds of changes.
const (
	NetworkSplit ChangeKind = iota + 1 // another number of partitions
	BorderRouterGone
	NodeGone
	NodeSilenced // it is listed, but did not answer any more
	ParentLost
	LinkLost
	LinkWorse
	ParentChanged
	LeaderChanged
	NodeCame
	NodeBack
	LinkCame
	LinkBetter
	RoleChanged
	BorderRouterChanged // it became one, or is none any more
	NetworkChanged      // channel, name, prefixes, dataset
	FirmwareChanged
	RLOC16Changed
	NameChanged
)

var changeWords = map[ChangeKind]string{
	NetworkSplit: "partitions", BorderRouterGone: "border-router-gone", NodeGone: "node-gone", NodeSilenced: "node-silent",
	ParentLost: "parent-lost", LinkLost: "link-lost", LinkWorse: "link-worse", ParentChanged: "parent", LeaderChanged: "leader",
	NodeCame: "node-new", NodeBack: "node-back", LinkCame: "link-new", LinkBetter: "link-better", RoleChanged: "role",
	BorderRouterChanged: "border-router", NetworkChanged: "network", FirmwareChanged: "firmware", RLOC16Changed: "rloc16", NameChanged: "name",
}

// String is the word of the JSON document.
func (k ChangeKind) String() string { return changeWords[k] }

// Diff lists what changed from map a to map b, what matters most first.
//
// What was not asked the second time is not gone. A child is gone when its
// parent gave its table again, a router when one of its network gave a table
// again, what was only announced when announcements were listened to again; a
// link is lost when one of its ends spoke again. New is what would have been
// told of the first time, by the same measure. before and after are the sources
// that answered for the two maps.
func Diff(a, b *Map, before, after []string) []Change {
	d := differ{a: a, b: b, newer: map[*Node]*Node{}, older: map[*Node]*Node{}, id: map[*Network]string{}}
	d.match()
	d.matchNetworks()
	d.then, d.now = d.witnesses(a, before), d.witnesses(b, after)
	d.networks()
	d.nodes()
	d.links()
	slices.SortStableFunc(d.out, func(x, y Change) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(changeID(x.Network, x.Node), changeID(y.Network, y.Node)),
			cmp.Compare(changeID(nil, x.Peer), changeID(nil, y.Peer)), cmp.Compare(x.Before, y.Before))
	})
	return d.out
}

func changeID(net *Network, n *Node) string {
	switch {
	case n != nil:
		return n.ID
	case net != nil:
		return net.ID
	}
	return ""
}

type differ struct {
	a, b         *Map
	newer, older map[*Node]*Node // of a to b, of b to a
	// id is what a network is called in both maps: its ID in b, where it is there.
	id        map[*Network]string
	then, now witnesses // of a, of b
	out       []Change
}

// witnesses are who would have told of a node, had it been there.
type witnesses struct {
	announcements bool
	tables        map[string]bool // meshes (see meshOf) of which a router gave a table
}

func (d *differ) add(c Change) { d.out = append(d.out, c) }

// announced is the name of the source that only hears announcements.
const announced = "mdns"

func (d *differ) witnesses(m *Map, sources []string) witnesses {
	w := witnesses{slices.Contains(sources, announced), map[string]bool{}}
	for _, n := range m.Nodes {
		if n.RouterTable && n.Network != nil {
			w.tables[d.meshOf(n)] = true
		}
	}
	return w
}

// meshOf names the routers that know of each other: those of a network, or of
// one partition where either map has several.
func (d *differ) meshOf(n *Node) string {
	for _, m := range []*Map{d.a, d.b} {
		for _, net := range m.Networks {
			if d.id[net] == d.id[n.Network] && len(net.Partitions) > 1 {
				return fmt.Sprintf("%s %v", d.id[net], n.Partition)
			}
		}
	}
	return d.id[n.Network]
}

// matchNetworks finds which networks are the same: by ID, and, of those that one
// map only has, by their nodes: where nobody told of a network's identity, its ID
// follows from who told of it.
func (d *differ) matchNetworks() {
	inA, inB := map[string]bool{}, map[string]bool{}
	for _, n := range d.a.Networks {
		d.id[n], inA[n.ID] = n.ID, true
	}
	for _, n := range d.b.Networks {
		d.id[n], inB[n.ID] = n.ID, true
	}
	same := map[*Network]*Network{} // nil: several
	for _, n := range d.a.Nodes {
		m := d.newer[n]
		if m == nil || n.Network == nil || m.Network == nil || inB[n.Network.ID] || inA[m.Network.ID] {
			continue
		}
		if other, have := same[n.Network]; have && other != m.Network {
			same[n.Network] = nil
		} else {
			same[n.Network] = m.Network
		}
	}
	taken := map[*Network]int{}
	for _, m := range same {
		taken[m]++
	}
	for n, m := range same {
		if m != nil && taken[m] == 1 {
			d.id[n] = m.ID
		}
	}
}

// would reports whether n, which one map has, would be in the other, by the
// witnesses of that one. same gives a node of n's map in the other map.
func (d *differ) would(w witnesses, n *Node, same map[*Node]*Node) bool {
	switch {
	case n.Parent != nil:
		p := same[n.Parent]
		return p != nil && p.ChildTable
	case n.Role.Routes():
		return n.Network != nil && w.tables[d.meshOf(n)]
	}
	for _, e := range n.Evidence {
		if e.Source != announced {
			return false
		}
	}
	return w.announcements
}

// match finds who is who: by ID, then by names that stay when a radio address
// changes, where they are the names of one node only on both sides.
func (d *differ) match() {
	byID := map[string]*Node{}
	for _, n := range d.b.Nodes {
		byID[n.ID] = n
	}
	for _, n := range d.a.Nodes {
		if m := byID[n.ID]; m != nil {
			d.newer[n], d.older[m] = m, n
		}
	}
	lasting := func(m *Map, done map[*Node]*Node) map[string][]*Node {
		out := map[string][]*Node{}
		for _, n := range m.Nodes {
			if done[n] != nil {
				continue
			}
			for _, name := range lastingNames(n) {
				out[name] = append(out[name], n)
			}
		}
		return out
	}
	old := lasting(d.a, d.newer)
	now := lasting(d.b, d.older)
	names := make([]string, 0, len(old))
	for name := range old {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		x, y := old[name], now[name]
		if len(x) != 1 || len(y) != 1 || d.newer[x[0]] != nil || d.older[y[0]] != nil {
			continue
		}
		if name[0] == byRLOC16 && x[0].ExtAddr != 0 && y[0].ExtAddr != 0 {
			continue // another node has that address now
		}
		d.newer[x[0]], d.older[y[0]] = y[0], x[0]
	}
}

// lastingNames are what names a node whatever its radio address is, the
// strongest kind first in the alphabet.
func lastingNames(n *Node) []string {
	var out []string
	if n.BorderAgentID != "" {
		out = append(out, "1 "+n.BorderAgentID)
	}
	for _, m := range n.Matter {
		if m.Fabric != 0 {
			out = append(out, fmt.Sprintf("2 %016x %016x", m.Fabric, m.Node))
		}
	}
	for _, h := range n.Hosts {
		out = append(out, "3 "+h)
	}
	if n.RLOC16.Known() && n.Network != nil {
		out = append(out, fmt.Sprintf("%c %s %s %v", byRLOC16, n.RLOC16, n.Network.ID, n.Partition))
	}
	return out
}

// byRLOC16 begins the weakest name, for nodes of which one map has nothing else.
const byRLOC16 = '9'

// present reports whether a node is part of its mesh, as far as a map tells.
func present(n *Node) bool {
	return n.State == NodeOK || n.State == NodeUnknown || n.State == NodeSilent
}

func (d *differ) nodes() {
	for _, n := range d.a.Nodes {
		m := d.newer[n]
		gone := m == nil && present(n) && d.would(d.now, n, d.newer) || m != nil && present(n) && !present(m)
		switch {
		case gone:
			d.gone(n, m)
		case m != nil:
			d.node(n, m)
		}
	}
	for _, m := range d.b.Nodes {
		if d.older[m] == nil && present(m) && d.would(d.then, m, d.older) {
			d.add(Change{Kind: NodeCame, Node: m, Peer: m.Parent, Network: m.Network, After: string(m.Role)})
		}
	}
}

func (d *differ) gone(n, m *Node) {
	c := Change{Kind: NodeGone, Node: n, Network: n.Network, Before: string(n.Role), After: "nobody tells of it"}
	if n.BorderRouter.Or(false) {
		c.Kind = BorderRouterGone
	}
	if m != nil {
		c.Node = m
		c.After = cmp.Or(m.Why, string(m.State))
	}
	d.add(c)
}

// node compares one node that is in both maps.
func (d *differ) node(n, m *Node) {
	add := func(k ChangeKind, before, after string) {
		if before != after && before != "" && after != "" {
			d.add(Change{Kind: k, Node: m, Network: m.Network, Before: before, After: after})
		}
	}
	switch {
	case !present(n) && present(m):
		add(NodeBack, string(n.State), string(m.State))
	case n.State == NodeOK && m.State == NodeSilent:
		add(NodeSilenced, string(n.State), string(m.State))
	case n.State == NodeSilent && m.State == NodeOK:
		add(NodeBack, string(n.State), string(m.State))
	}
	d.parent(n, m)
	add(RoleChanged, roleWord(n.Role), roleWord(m.Role))
	if was, is := n.BorderRouter, m.BorderRouter; was.Known() && is.Known() {
		add(BorderRouterChanged, yesNo(was.Or(false)), yesNo(is.Or(false)))
	}
	if by := firmwareBy(n); by != "" && by == firmwareBy(m) {
		add(FirmwareChanged, n.Firmware, m.Firmware)
	}
	add(RLOC16Changed, rlocWord(n.RLOC16), rlocWord(m.RLOC16))
	if by := nameBy(n); by != "" && by == nameBy(m) {
		add(NameChanged, n.Name, m.Name)
	}
}

// firmwareBy is the source that told the firmware, nameBy the one that gave the
// name. Each source has words of its own for them, so that another source's word
// is no change.
func firmwareBy(n *Node) string {
	for _, r := range slices.Backward(n.Reports) {
		if r.Firmware == n.Firmware {
			return r.Source
		}
	}
	return ""
}

func nameBy(n *Node) string {
	for _, x := range n.Names {
		if x.Value == n.Name {
			return x.Source + " " + x.Kind.String()
		}
	}
	return ""
}

// roleWord is the role as far as others can tell it: a REED that is not asked
// itself looks like an end device. The leader's change has an entry of its own.
func roleWord(r diag.Role) string {
	switch r {
	case diag.RoleLeader:
		r = diag.RoleRouter
	case diag.RoleREED:
		r = diag.RoleEndDevice
	}
	return string(r)
}

func rlocWord(r diag.RLOC16) string {
	if !r.Known() {
		return ""
	}
	return r.String()
}

func yesNo(b bool) string {
	if b {
		return "border router"
	}
	return "no border router"
}

func (d *differ) parent(n, m *Node) {
	switch {
	case n.Parent == nil:
	case m.Parent == nil:
		// Lost only if the old parent was asked again and has it no more, and the
		// node did not become a router.
		if p := d.newer[n.Parent]; p != nil && p.ChildTable && !m.Role.Routes() {
			d.add(Change{Kind: ParentLost, Node: m, Peer: p, Network: m.Network, Before: n.Parent.Label()})
		}
	case d.newer[n.Parent] != m.Parent:
		d.add(Change{Kind: ParentChanged, Node: m, Peer: m.Parent, Network: m.Network, Before: n.Parent.Label(), After: m.Parent.Label()})
	}
}

type linkKey struct{ a, b *Node } // of the newer map, by ID

func (d *differ) links() {
	now := map[linkKey]*Link{}
	for _, l := range d.b.Links {
		now[linkKey{l.A, l.B}] = l
	}
	seen := map[linkKey]bool{}
	for _, l := range d.a.Links {
		a, b := d.newer[l.A], d.newer[l.B]
		if a == nil || b == nil {
			continue // the node's going says it
		}
		turned := a.ID > b.ID
		if turned {
			a, b = b, a
		}
		k := linkKey{a, b}
		seen[k] = true
		d.link(l, now[k], a, b, turned)
	}
	for _, m := range d.b.Links {
		k := linkKey{m.A, m.B}
		if seen[k] || m.Kind != LinkRouter || !works(m) {
			continue
		}
		x, y := d.older[m.A], d.older[m.B]
		if x != nil && y != nil && (x.RouterTable || y.RouterTable) && x.Role.Routes() && y.Role.Routes() {
			d.add(Change{Kind: LinkCame, Node: m.A, Peer: m.B, Network: m.A.Network, After: qualityWord(m, false)})
		}
	}
}

func works(l *Link) bool { return l.State == LinkOK }

// link compares a link with what became of it. A child's new parent says all
// about its old link, so only links between routers are lost here.
func (d *differ) link(l, m *Link, a, b *Node, turned bool) {
	switch {
	case m == nil:
		if l.Kind == LinkRouter && works(l) && (a.RouterTable || b.RouterTable) && a.Role.Routes() && b.Role.Routes() && present(a) && present(b) {
			d.add(Change{Kind: LinkLost, Node: a, Peer: b, Network: a.Network, Before: qualityWord(l, turned), After: "no link"})
		}
		return
	case l.Kind != m.Kind:
		return
	case works(l) && !works(m):
		if m.State != LinkStale || l.Kind == LinkRouter {
			d.add(Change{Kind: LinkLost, Node: a, Peer: b, Network: a.Network, Before: qualityWord(l, turned), After: string(m.State)})
		}
		return
	case !works(l) && works(m):
		d.add(Change{Kind: LinkCame, Node: a, Peer: b, Network: a.Network, Before: string(l.State), After: qualityWord(m, false)})
		return
	case !works(l):
		return
	}
	was, is, known := bothQualities(l, m, turned)
	// A quality that moves by one step has an edge where it flickers; the signal
	// tells whether it moved in earnest.
	switch moved := signalMoved(l, m, turned); {
	case !known || was == is:
	case was > is && (was-is > 1 || moved <= -signalStep || moved == noSignal):
		d.add(Change{Kind: LinkWorse, Node: a, Peer: b, Network: a.Network, Before: qualityWord(l, turned), After: qualityWord(m, false)})
	case is > was && (is-was > 1 || moved >= signalStep || moved == noSignal):
		d.add(Change{Kind: LinkBetter, Node: a, Peer: b, Network: a.Network, Before: qualityWord(l, turned), After: qualityWord(m, false)})
	}
}

// bothQualities are the qualities of the worse direction, before and after, of
// those directions that are known of both: an end that was not asked again makes
// no link worse.
func bothQualities(l, m *Link, turned bool) (was, is uint8, known bool) {
	ab, ba := l.AToB.LQ, l.BToA.LQ
	if turned {
		ab, ba = ba, ab
	}
	was, is = 3, 3
	for _, p := range [][2]diag.Opt[uint8]{{ab, m.AToB.LQ}, {ba, m.BToA.LQ}} {
		before, x := p[0].Get()
		after, y := p[1].Get()
		if x && y {
			was, is, known = min(was, before), min(is, after), true
		}
	}
	return was, is, known
}

// signalStep is by how many dB a signal must change to be told: averages of one
// radio at rest move by less.
const (
	signalStep = 5
	noSignal   = 1 << 10
)

// signalMoved is by how many dB the weaker direction's signal changed, noSignal
// where it is not known of both.
func signalMoved(l, m *Link, turned bool) int {
	ab, ba := l.AToB.RSSI, l.BToA.RSSI
	if turned {
		ab, ba = ba, ab
	}
	moved := noSignal
	for _, p := range [][2]diag.Opt[int8]{{ab, m.AToB.RSSI}, {ba, m.BToA.RSSI}} {
		was, x := p[0].Get()
		is, y := p[1].Get()
		if !x || !y {
			continue
		}
		if by := int(is) - int(was); moved == noSignal || max(by, -by) > max(moved, -moved) {
			moved = by
		}
	}
	return moved
}

// qualityWord is "3/2": what B receives, what A receives; "?" is unknown.
func qualityWord(l *Link, turned bool) string {
	ab, ba := l.AToB, l.BToA
	if turned {
		ab, ba = ba, ab
	}
	word := func(x Direction) string {
		if lq, ok := x.LQ.Get(); ok {
			return fmt.Sprint(lq)
		}
		return "?"
	}
	return "quality " + word(ab) + "/" + word(ba)
}

// networks compares what networks are in both maps.
func (d *differ) networks() {
	for _, n := range d.a.Networks {
		i := slices.IndexFunc(d.b.Networks, func(m *Network) bool { return m.ID == d.id[n] })
		if i < 0 {
			continue
		}
		m := d.b.Networks[i]
		if x, y := partitions(n), partitions(m); x != y && x > 0 && y > 0 && d.moved(n, m) {
			d.add(Change{Kind: NetworkSplit, Network: m, Before: fmt.Sprint(x), After: fmt.Sprint(y)})
		} else if x == 1 && y == 1 {
			p, q := leaderOf(n), leaderOf(m)
			if p != nil && q != nil && d.newer[p] != q {
				d.add(Change{Kind: LeaderChanged, Node: q, Peer: d.newer[p], Network: m, Before: p.Label(), After: q.Label()})
			}
		}
		for _, f := range []struct{ what, before, after string }{
			{"name", n.Name, m.Name},
			{"channel", optWord(n.Channel), optWord(m.Channel)},
			{"PAN id", optWord(n.PANID), optWord(m.PANID)},
			{"dataset timestamp", optWord(n.ActiveTimestamp), optWord(m.ActiveTimestamp)},
			{"OMR prefixes", prefixes(n), prefixes(m)},
		} {
			if f.what == "OMR prefixes" && !slices.Equal(toldBy(n), toldBy(m)) {
				continue // each source sees its own part of them
			}
			if f.before != f.after && f.before != "" && f.after != "" {
				d.add(Change{Kind: NetworkChanged, Network: m, Before: f.what + " " + f.before, After: f.what + " " + f.after})
			}
		}
	}
}

// toldBy are the sources that told of a network, in the order of the alphabet.
func toldBy(n *Network) []string {
	var out []string
	for _, e := range n.Evidence {
		out = append(out, e.Source)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// moved reports whether a node went from one partition of a network to another:
// without that, some partition was just not asked.
func (d *differ) moved(n, m *Network) bool {
	for _, x := range d.a.Nodes {
		if y := d.newer[x]; x.Network == n && y != nil && y.Network == m && x.Partition.Known() && y.Partition.Known() && x.Partition != y.Partition {
			return true
		}
	}
	return false
}

func partitions(n *Network) int {
	k := 0
	for _, p := range n.Partitions {
		if p.ID.Known() {
			k++
		}
	}
	return k
}

func leaderOf(n *Network) *Node {
	for _, p := range n.Partitions {
		if p.ID.Known() {
			return p.Leader
		}
	}
	return nil
}

func optWord[T any](o diag.Opt[T]) string {
	if v, ok := o.Get(); ok {
		return fmt.Sprint(v)
	}
	return ""
}

func prefixes(n *Network) string {
	s := make([]string, len(n.OMRPrefixes))
	for i, p := range n.OMRPrefixes {
		s[i] = p.String()
	}
	return strings.Join(s, ", ")
}
