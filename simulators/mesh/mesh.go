package mesh

import (
	"fmt"
	"net/netip"
	"time"

	"threadmap/diag"
)

// A Home is all the Thread networks of one place.
type Home struct {
	Name     string
	Networks []*Mesh
}

// A Mesh is one Thread network, in one or more partitions.
type Mesh struct {
	Name            string // 1..16 octets
	ExtPANID        diag.PANID64
	PANID           uint16
	Channel         uint8          // 11..26
	MeshLocalPrefix netip.Prefix   // a /64
	OMRPrefixes     []netip.Prefix // /64s, published by the border routers; a node has an address in each
	ActiveTimestamp uint64         // seconds<<16 | ticks<<1 | authoritative
	Partitions      []Partition    // at least one; Node.Partition is an index
	Nodes           []Node
	Links           []Link
	Faults          []Fault
	NoServices      bool // the border routers offer no backbone and SRP service

	// Keys of the simulated network. They never get into reports; simulators
	// that hand out datasets need them, and tests search outputs for them.
	NetworkKey, PSKc [16]byte
}

// A Partition is a part of a mesh with a leader of its own.
type Partition struct {
	ID                  uint32
	Leader              uint8 // router id
	Weighting           uint8
	DataVersion         uint8
	StableDataVersion   uint8
	IDSequence          uint8  // of the router id set, at the leader
	CommissionerSession uint16 // 0: no commissioner data in the network data
}

// A Node is one radio.
type Node struct {
	ExtAddr   diag.ExtAddr
	EUI64     diag.ExtAddr // factory address, 0: none
	RouterID  uint8        // 0..62: its own, or its parent's
	ChildID   uint16       // 0: a router; 1..511
	Partition int          // index in Mesh.Partitions
	Mode      diag.Mode
	REED      bool // an FTD child that could become a router

	BorderRouter  bool
	BorderAgentID string // 32 hex digits, border routers only
	// OTBR is the generation (1, 2, 3) of the REST interface that the border
	// router has, 0 for none.
	OTBR int

	Name, Room              string
	Vendor, Model, Firmware string
	Stack                   string // Thread stack version
	ThreadVersion           uint16 // Thread's number: 4 is 1.3
	Matter                  []diag.MatterID

	Timeout     time.Duration // child timeout
	Supervision time.Duration // child supervision interval, 0 for rx-on
	MLEIID      uint64        // interface id of its mesh-local EID
	OMRIID      uint64        // interface id of its off-mesh-routable addresses
	Battery     uint8         // percent; 0: mains

	// SequenceLag is how far the router id sequence of this node is behind the
	// leader's.
	SequenceLag uint8
	X, Y, Z     int // place in centimetres
}

// RLOC16 is the node's short address.
func (n *Node) RLOC16() uint16 { return uint16(n.RouterID)<<10 | n.ChildID&0x1ff }

// IsRouter reports whether the node has a router id of its own.
func (n *Node) IsRouter() bool { return n.ChildID == 0 }

// Sleepy reports whether the node switches its receiver off between polls.
func (n *Node) Sleepy() bool { return !n.Mode.RxOnWhenIdle }

// A Link joins two nodes, by their indexes in Mesh.Nodes: two routers, or a
// child and its parent, of one partition.
type Link struct {
	A, B       int
	AToB, BToA Direction     // AToB is what B receives of A
	Age        time.Duration // since the child was last heard, or the router last advertised
	Up         time.Duration // since the link was made
}

// A Direction is one way of a link, as the receiver hears it.
type Direction struct {
	LQ           uint8 // 0..3
	RSSI         int8  // dBm, average
	LastRSSI     int8  // dBm
	Margin       uint8 // dB above the noise floor
	FrameError   diag.Rate
	MessageError diag.Rate
}

// Role is what the node does; leader is only known of a router.
func (m *Mesh) Role(i int) diag.Role {
	n := &m.Nodes[i]
	switch {
	case n.IsRouter() && n.Partition < len(m.Partitions) && m.Partitions[n.Partition].Leader == n.RouterID:
		return diag.RoleLeader
	case n.IsRouter():
		return diag.RoleRouter
	case n.Sleepy():
		return diag.RoleSleepyEndDevice
	case n.REED:
		return diag.RoleREED
	}
	return diag.RoleEndDevice
}

// Find is the index of the node with that extended address, -1 for none.
func (m *Mesh) Find(x diag.ExtAddr) int {
	for i := range m.Nodes {
		if m.Nodes[i].ExtAddr == x {
			return i
		}
	}
	return -1
}

// FindName is the index of the first node with that name, -1 for none.
func (m *Mesh) FindName(name string) int {
	for i := range m.Nodes {
		if m.Nodes[i].Name == name {
			return i
		}
	}
	return -1
}

// Clone is a copy that shares nothing that could be changed.
func (m *Mesh) Clone() *Mesh {
	c := *m
	c.OMRPrefixes = append([]netip.Prefix(nil), m.OMRPrefixes...)
	c.Partitions = append([]Partition(nil), m.Partitions...)
	c.Nodes = append([]Node(nil), m.Nodes...)
	c.Links = append([]Link(nil), m.Links...)
	c.Faults = append([]Fault(nil), m.Faults...)
	for i, f := range c.Faults {
		c.Faults[i].Nodes = append([]diag.ExtAddr(nil), f.Nodes...)
	}
	return &c
}

// Nodes is the number of nodes in all networks.
func (h *Home) Nodes() int {
	n := 0
	for _, m := range h.Networks {
		n += len(m.Nodes)
	}
	return n
}

// Validate checks the invariants of every network, and that no two nodes of
// the home have one extended address.
func (h *Home) Validate() error {
	seen := make(map[diag.ExtAddr]string, h.Nodes())
	xp := map[diag.PANID64]bool{}
	for _, m := range h.Networks {
		if err := m.Validate(); err != nil {
			return err
		}
		if xp[m.ExtPANID] {
			return fmt.Errorf("network %q: extended PAN id %s: another network has it; give each its own", m.Name, m.ExtPANID)
		}
		xp[m.ExtPANID] = true
		for i := range m.Nodes {
			n := &m.Nodes[i]
			if other, ok := seen[n.ExtAddr]; ok {
				return fmt.Errorf("network %q: node %q: extended address %s: node %q has it; give each its own", m.Name, n.Name, n.ExtAddr, other)
			}
			seen[n.ExtAddr] = n.Name
		}
	}
	return nil
}
