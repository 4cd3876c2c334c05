package mesh

import (
	"fmt"
	"unicode/utf8"

	"threadmap/diag"
)

// Bounds of one network, from the Thread specification.
const (
	MaxRouters  = 32
	MaxChildren = 511
	maxNodes    = MaxRouters * (MaxChildren + 1)
	maxFaults   = 1000
)

// Validate checks that the mesh could exist: at most 32 routers in a
// partition, every RLOC16 once, every child under an existing parent and with
// one link to it, links only between routers of a partition or a child and its
// parent, a leader for each partition, faults that name existing nodes.
func (m *Mesh) Validate() error {
	if err := m.validateNetwork(); err != nil {
		return fmt.Errorf("network %q: %w", m.Name, err)
	}
	return nil
}

func (m *Mesh) validateNetwork() error {
	switch {
	case len(m.Name) == 0 || len(m.Name) > 16 || !utf8.ValidString(m.Name):
		return fmt.Errorf("name: want 1 to 16 octets of UTF-8")
	case m.ExtPANID == 0:
		return fmt.Errorf("extended PAN id: want one that is not zero")
	case m.PANID == 0xffff:
		return fmt.Errorf("PAN id: 0xffff is the broadcast PAN; choose another")
	case m.Channel < 11 || m.Channel > 26:
		return fmt.Errorf("channel %d: want 11 to 26", m.Channel)
	case m.MeshLocalPrefix.Bits() != 64 || !m.MeshLocalPrefix.Addr().Is6():
		return fmt.Errorf("mesh-local prefix %s: want an IPv6 /64", m.MeshLocalPrefix)
	case len(m.Partitions) == 0 || len(m.Partitions) > 16:
		return fmt.Errorf("%d partitions: want 1 to 16", len(m.Partitions))
	case len(m.Nodes) > maxNodes:
		return fmt.Errorf("%d nodes: a Thread network has at most %d", len(m.Nodes), maxNodes)
	case len(m.Faults) > maxFaults:
		return fmt.Errorf("%d faults: want at most %d", len(m.Faults), maxFaults)
	case len(m.OMRPrefixes) > 8:
		return fmt.Errorf("%d off-mesh-routable prefixes: want at most 8", len(m.OMRPrefixes))
	}
	for _, p := range m.OMRPrefixes {
		if p.Bits() != 64 || !p.Addr().Is6() {
			return fmt.Errorf("off-mesh-routable prefix %s: want an IPv6 /64", p)
		}
	}
	at := make(map[place]int, len(m.Nodes)) // (partition, RLOC16) to node
	own := make(map[diag.ExtAddr]int, len(m.Nodes))
	routers := make([]int, len(m.Partitions))
	for i := range m.Nodes {
		n := &m.Nodes[i]
		if err := m.validateNode(n); err != nil {
			return fmt.Errorf("node %q: %w", n.Name, err)
		}
		if j, ok := own[n.ExtAddr]; ok {
			return fmt.Errorf("node %q: extended address %s: node %q has it; give each its own", n.Name, n.ExtAddr, m.Nodes[j].Name)
		}
		own[n.ExtAddr] = i
		p := place{n.Partition, n.RLOC16()}
		if j, ok := at[p]; ok {
			return fmt.Errorf("node %q: RLOC16 0x%04x: node %q has it; give each its own", n.Name, p.rloc16, m.Nodes[j].Name)
		}
		at[p] = i
		if n.IsRouter() {
			if routers[n.Partition]++; routers[n.Partition] > MaxRouters {
				return fmt.Errorf("more than %d routers in one partition", MaxRouters)
			}
		}
	}
	for k, p := range m.Partitions {
		for _, q := range m.Partitions[:k] {
			if p.ID == q.ID {
				return fmt.Errorf("partition %d: two partitions have this id", p.ID)
			}
		}
		if _, ok := at[place{k, uint16(p.Leader) << 10}]; !ok {
			return fmt.Errorf("partition %d: leader: no router has id %d", p.ID, p.Leader)
		}
	}
	for i := range m.Nodes {
		n := &m.Nodes[i]
		if _, ok := at[place{n.Partition, uint16(n.RouterID) << 10}]; !ok {
			return fmt.Errorf("node %q: no router has id %d to be its parent", n.Name, n.RouterID)
		}
	}
	if err := m.validateLinks(); err != nil {
		return err
	}
	return m.validateFaults(own)
}

// A place is what an RLOC16 is unique in.
type place struct {
	partition int
	rloc16    uint16
}

func (m *Mesh) validateNode(n *Node) error {
	switch {
	case n.ExtAddr == 0:
		return fmt.Errorf("extended address: want one that is not zero")
	case n.RouterID > diag.MaxRouterID:
		return fmt.Errorf("router id %d: want 0 to %d", n.RouterID, diag.MaxRouterID)
	case n.ChildID > MaxChildren:
		return fmt.Errorf("child id %d: want 1 to %d", n.ChildID, MaxChildren)
	case n.Partition < 0 || n.Partition >= len(m.Partitions):
		return fmt.Errorf("partition %d: the network has %d", n.Partition, len(m.Partitions))
	case n.IsRouter() && !(n.Mode.RxOnWhenIdle && n.Mode.FullThreadDevice):
		return fmt.Errorf("mode %s: a router is a full Thread device with its receiver on (rdn)", n.Mode)
	case n.Mode.FullThreadDevice && !n.Mode.RxOnWhenIdle:
		return fmt.Errorf("mode %s: a full Thread device has its receiver on", n.Mode)
	case n.BorderRouter && !n.Mode.FullThreadDevice:
		return fmt.Errorf("mode %s: a border router is a full Thread device", n.Mode)
	case n.REED && (n.IsRouter() || !n.Mode.FullThreadDevice):
		return fmt.Errorf("a REED is a child and a full Thread device")
	case n.OTBR < 0 || n.OTBR > 3 || n.OTBR != 0 && !(n.BorderRouter && n.IsRouter()):
		return fmt.Errorf("otbr %d: want generation 1 to 3, on a border router that is a router", n.OTBR)
	case n.Timeout < 0 || n.Supervision < 0:
		return fmt.Errorf("timeout and supervision: want no negative times")
	}
	return nil
}

func (m *Mesh) validateLinks() error {
	type pair struct{ a, b int }
	seen := make(map[pair]bool, len(m.Links))
	parents := make([]int, len(m.Nodes))
	for _, l := range m.Links {
		if l.A < 0 || l.B < 0 || l.A >= len(m.Nodes) || l.B >= len(m.Nodes) || l.A == l.B {
			return fmt.Errorf("link %d–%d: want two different nodes", l.A, l.B)
		}
		a, b := &m.Nodes[l.A], &m.Nodes[l.B]
		p := pair{min(l.A, l.B), max(l.A, l.B)}
		switch {
		case seen[p]:
			return fmt.Errorf("link %q–%q: given twice", a.Name, b.Name)
		case l.AToB.LQ > 3 || l.BToA.LQ > 3:
			return fmt.Errorf("link %q–%q: link quality is 0 to 3", a.Name, b.Name)
		case a.Partition != b.Partition:
			return fmt.Errorf("link %q–%q: they are in different partitions", a.Name, b.Name)
		case !a.IsRouter() && !b.IsRouter():
			return fmt.Errorf("link %q–%q: children have no links with each other", a.Name, b.Name)
		case a.IsRouter() != b.IsRouter() && a.RouterID != b.RouterID:
			return fmt.Errorf("link %q–%q: a child has a link to its parent only", a.Name, b.Name)
		}
		seen[p] = true
		if !a.IsRouter() {
			parents[l.A]++
		}
		if !b.IsRouter() {
			parents[l.B]++
		}
	}
	for i := range m.Nodes {
		if n := &m.Nodes[i]; !n.IsRouter() && parents[i] != 1 {
			return fmt.Errorf("node %q: a child needs a link to its parent", n.Name)
		}
	}
	return nil
}

func (m *Mesh) validateFaults(own map[diag.ExtAddr]int) error {
	for _, f := range m.Faults {
		i, ok := own[f.Node]
		if !ok {
			return fmt.Errorf("fault %s: no node has extended address %s", f.Kind, f.Node)
		}
		j, peer := own[f.Peer]
		n := &m.Nodes[i]
		name := n.Name
		bad := func(why string) error { return fmt.Errorf("fault %s of %q: %s", f.Kind, name, why) }
		if f.LQ > 3 || f.Age < 0 || f.Delay < 0 || f.RouterID > diag.MaxRouterID || f.ChildID > MaxChildren {
			return bad("quality 0 to 3, router id 0 to 62, child id 0 to 511, no negative times")
		}
		switch f.Kind {
		case FaultSilent, FaultHidden, FaultSlow:
		case FaultLostLists:
			if !n.IsRouter() {
				return bad("it is no router")
			}
		case FaultOneWay, FaultDying, FaultDead:
			if !peer || !m.linked(i, j) || !n.IsRouter() || !m.Nodes[j].IsRouter() {
				return bad("want a peer that is a router linked to it")
			}
		case FaultStaleChild:
			if !peer || n.IsRouter() || !m.Nodes[j].IsRouter() || m.Nodes[j].RouterID == n.RouterID || f.ChildID == 0 {
				return bad("want a child, a former parent as peer, and the child id it had there")
			}
			if m.taken(m.Nodes[j].Partition, m.Nodes[j].RouterID, f.ChildID) {
				return bad("another child has that child id now")
			}
		case FaultGhost:
			if peer || f.Peer == 0 || !n.IsRouter() || m.taken(n.Partition, f.RouterID, 0) {
				return bad("want a router, an extended address that nobody has, and a free router id")
			}
		case FaultOverhears:
			if !peer || n.IsRouter() || !n.Mode.FullThreadDevice || !m.Nodes[j].IsRouter() || m.Nodes[j].RouterID == n.RouterID {
				return bad("want a full Thread device that is a child, and as peer a router that is not its parent")
			}
		case FaultSplit:
			if !n.IsRouter() {
				return bad("the leader of the other part is a router")
			}
			for _, x := range f.Nodes {
				if k, ok := own[x]; !ok || !m.Nodes[k].IsRouter() {
					return bad("the nodes of the other part are routers; their children follow")
				}
			}
		default:
			return bad("no such fault")
		}
	}
	return nil
}

func (m *Mesh) linked(i, j int) bool {
	for _, l := range m.Links {
		if l.A == i && l.B == j || l.A == j && l.B == i {
			return true
		}
	}
	return false
}

func (m *Mesh) taken(partition int, router uint8, child uint16) bool {
	for i := range m.Nodes {
		if n := &m.Nodes[i]; n.Partition == partition && n.RouterID == router && n.ChildID == child {
			return true
		}
	}
	return false
}
