package mesh

import (
	"time"

	"threadmap/diag"
)

// A FaultKind says what is wrong.
type FaultKind string

// The faults that real meshes were seen with.
const (
	// FaultSilent: Node does not answer, though the others list it.
	FaultSilent FaultKind = "silent"
	// FaultHidden: Node was not asked (out of the asker's sight); the others
	// list it.
	FaultHidden FaultKind = "hidden"
	// FaultSlow: Node takes Delay to answer.
	FaultSlow FaultKind = "slow"
	// FaultLostLists: the children and router neighbors of Node come back
	// empty beside a full child table.
	FaultLostLists FaultKind = "lost-lists"
	// FaultOneWay: what Node sends does not reach Peer any more.
	FaultOneWay FaultKind = "one-way"
	// FaultDying: Node and Peer lost each other; for two minutes each still
	// says in 3, out 0.
	FaultDying FaultKind = "dying"
	// FaultDead: a row of quality 0 remains at Node and Peer.
	FaultDead FaultKind = "dead"
	// FaultStaleChild: child Node moved to its parent from Peer, whose table
	// still has it, under ChildID and last heard Age ago.
	FaultStaleChild FaultKind = "stale-child"
	// FaultGhost: Node has a row about router RouterID with extended address
	// Peer, which nobody owns.
	FaultGhost FaultKind = "ghost"
	// FaultOverhears: FTD child Node answers with the quality LQ towards
	// router Peer, which it merely overhears.
	FaultOverhears FaultKind = "overhears"
	// FaultSplit: the routers Nodes, with their children, are a partition of
	// their own, led by Node.
	FaultSplit FaultKind = "split"
)

// A Fault is one thing that is wrong. The truth of the mesh does not contain
// it; the tables that nodes give do.
type Fault struct {
	Kind     FaultKind
	Node     diag.ExtAddr
	Peer     diag.ExtAddr
	Nodes    []diag.ExtAddr
	RouterID uint8
	ChildID  uint16
	LQ       uint8
	Age      time.Duration
	Delay    time.Duration
}
