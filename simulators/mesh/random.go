package mesh

import (
	"fmt"
	"time"

	"threadmap/diag"
)

// RandomOptions bound a random home. Zero fields are drawn.
type RandomOptions struct {
	Networks int // default 1..3
	Routers  int // of each network, default 1..32
	Children int // of each network, default 0..40; negative: none
	Faults   int // of each network, at most; default none
}

// Random is a home for property tests: it obeys the protocol and is otherwise
// as odd as chance makes it. Router id 0, several partitions and equal RLOC16s
// in different networks all occur.
func Random(seed uint64, o RandomOptions) *Home {
	k := newMaker(seed)
	h := &Home{Name: fmt.Sprintf("random %d", seed)}
	var ids []uint8
	for b := range or(o.Networks, 1+k.rng.IntN(3)) {
		m := k.network(fmt.Sprintf("random-%d", b+1), uint8(11+k.rng.IntN(16)))
		routers := max(1, min(or(o.Routers, 1+k.rng.IntN(MaxRouters)), MaxRouters))
		if len(ids) < routers || k.rng.IntN(2) == 0 { // else the ids of the network before
			ids = k.routerIDs(diag.MaxRouterID + 1)
			if k.rng.IntN(2) == 0 { // see that router 0 is among them often
				for i, id := range ids {
					if id == 0 {
						ids[i], ids[0] = ids[0], 0
					}
				}
			}
		}
		k.randomRouters(m, ids[:routers])
		k.randomChildren(m, routers, max(0, min(or(o.Children, k.rng.IntN(41)), routers*MaxChildren)))
		for range max(0, min(o.Faults, 1000)) {
			if f, ok := k.randomFault(m, routers); ok {
				m.Faults = append(m.Faults, f)
			}
		}
		h.Networks = append(h.Networks, m)
	}
	return h
}

func or(v, otherwise int) int {
	if v != 0 {
		return v
	}
	return otherwise
}

func (k *maker) randomRouters(m *Mesh, ids []uint8) {
	if len(ids) >= 4 && k.rng.IntN(4) == 0 {
		p := m.Partitions[0]
		p.ID ^= 1 + k.rng.Uint32N(1<<31)
		m.Partitions = append(m.Partitions, p)
	}
	for i, id := range ids {
		d := smartPlug
		if i < len(m.Partitions) || k.rng.IntN(8) == 0 {
			d = otbr2026
		}
		n := k.node(fmt.Sprintf("%s router %d", m.Name, i), d)
		n.RouterID, n.Partition, n.SequenceLag = id, i%len(m.Partitions), uint8(k.rng.IntN(3))
		m.Nodes = append(m.Nodes, n)
	}
	m.Nodes[0].OTBR = 1 + k.rng.IntN(3)
	for p := range m.Partitions {
		m.Partitions[p].Leader = m.Nodes[p].RouterID
		m.Nodes[p].SequenceLag = 0
	}
	parts := len(m.Partitions)
	for i := parts; i < len(ids); i++ { // a tree first, so that each partition is connected
		tree := k.rng.IntN(i/parts)*parts + i%parts
		k.randomLink(m, tree, i)
		for j := i % parts; j < i; j += parts {
			if j != tree && k.rng.IntN(4) == 0 {
				k.randomLink(m, j, i)
			}
		}
	}
}

func (k *maker) randomLink(m *Mesh, a, b int) {
	k.link(m, a, b, -98+k.rng.IntN(60), true)
}

func (k *maker) randomChildren(m *Mesh, routers, children int) {
	kids := make([]int, routers)
	for c := range children {
		p := k.rng.IntN(routers)
		for kids[p] >= MaxChildren {
			p = (p + 1) % routers
		}
		kids[p]++
		n := k.node(fmt.Sprintf("%s child %d", m.Name, c), []device{smartPlug, airMeter, contact, motion}[k.rng.IntN(4)])
		n.REED = n.Mode.FullThreadDevice && k.rng.IntN(2) == 0
		m.Nodes = append(m.Nodes, n)
		i := len(m.Nodes) - 1
		k.adopt(m, i, p, kids[p])
		k.randomLink(m, p, i)
	}
}

// randomFault draws a fault; ok is false where chance chose one that this mesh
// can't have.
func (k *maker) randomFault(m *Mesh, routers int) (f Fault, ok bool) {
	i, r := k.rng.IntN(len(m.Nodes)), k.rng.IntN(routers)
	any, router := &m.Nodes[i], &m.Nodes[r]
	age := time.Duration(10+k.rng.IntN(290)) * time.Second
	switch kinds := []FaultKind{
		FaultSilent, FaultHidden, FaultSlow, FaultLostLists, FaultOneWay, FaultDying, FaultDead, FaultStaleChild, FaultGhost, FaultOverhears,
	}; kinds[k.rng.IntN(len(kinds))] {
	case FaultSilent:
		f = Fault{Kind: FaultSilent, Node: any.ExtAddr}
	case FaultHidden:
		f = Fault{Kind: FaultHidden, Node: any.ExtAddr}
	case FaultSlow:
		f = Fault{Kind: FaultSlow, Node: any.ExtAddr, Delay: time.Duration(k.rng.IntN(5000)) * time.Millisecond}
	case FaultLostLists:
		f = Fault{Kind: FaultLostLists, Node: router.ExtAddr}
	case FaultOneWay:
		f.Kind = FaultOneWay
		f.Node, f.Peer = m.someLink(router.ExtAddr)
	case FaultDying:
		f.Kind = FaultDying
		f.Node, f.Peer = m.someLink(router.ExtAddr)
	case FaultDead:
		f.Kind, f.Age = FaultDead, age
		f.Node, f.Peer = m.someLink(router.ExtAddr)
	case FaultStaleChild:
		f = Fault{Kind: FaultStaleChild, Node: any.ExtAddr, Peer: router.ExtAddr, ChildID: m.freeChildID(router.RouterID), Age: age}
	case FaultGhost:
		f = Fault{Kind: FaultGhost, Node: router.ExtAddr, Peer: k.addr(), RouterID: m.freeRouterID(), LQ: uint8(k.rng.IntN(4)), Age: age}
	case FaultOverhears:
		f = Fault{Kind: FaultOverhears, Node: any.ExtAddr, Peer: router.ExtAddr, LQ: uint8(1 + k.rng.IntN(3))}
	}
	for _, g := range m.Faults { // one of a kind a node, and one a link, so that they don't contradict each other
		if g.Node == f.Node && g.Kind == f.Kind || f.Peer != 0 && (g.Peer == f.Peer || g.Peer == f.Node && g.Node == f.Peer) || g.Node == f.Node && g.Peer != 0 {
			return f, false
		}
	}
	try := *m
	try.Faults = []Fault{f}
	return f, try.Validate() == nil
}
