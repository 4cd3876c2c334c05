package mesh

import (
	"fmt"
	"time"

	"threadmap/diag"
)

// A History is a mesh in time: how it was, and what happened since. [History.View]
// gives the tables as Thread stacks have them at a moment: they learn of a loss
// late, and each node for itself.
type History struct {
	Start  *Mesh
	Events []Event // by At
}

// An EventKind says what happens to a mesh.
type EventKind string

// The events. Nodes are named by their indexes in History.Start, for all their
// addresses may change.
const (
	// EventCut: routers Node and Peer hear each other no more.
	EventCut EventKind = "cut"
	// EventDie: Node is switched off. Its children are adrift until they move.
	EventDie EventKind = "die"
	// EventMove: child Node attaches to router Peer under ChildID. The parent it
	// had keeps it until its child timeout, or, where it was Told, for a second.
	EventMove EventKind = "move"
	// EventDemote: router Node becomes a child of Peer under ChildID and gives its
	// router id back. Its children are adrift.
	EventDemote EventKind = "demote"
	// EventPromote: child Node becomes a router under RouterID, linked with its
	// parent and Nodes. The parent keeps it in its child table for a while.
	EventPromote EventKind = "promote"
	// EventReaddress: router Node restarts with the radio address ExtAddr under
	// RouterID, as border routers do. Its children are adrift.
	EventReaddress EventKind = "readdress"
	// EventPart: the routers Nodes, with their children, are a partition of their
	// own from now on, led by Node. They keep their ids, as stacks try to.
	EventPart EventKind = "part"
	// EventJoin: the partition of Node joins that of Peer, with a link between the
	// two. Routers whose id is taken there get another one, and their children with
	// them.
	EventJoin EventKind = "join"
)

// An Event is one thing that happens.
type Event struct {
	At          time.Duration // since the start
	Kind        EventKind
	Node, Peer  int
	Nodes       []int
	ExtAddr     diag.ExtAddr
	RouterID    uint8
	ChildID     uint16
	Told        bool
	PartitionID uint32
}

// How long stacks take to notice, as measured on OpenThread: a router hears for
// 45 s more that it is heard; it gives the other up after 145 to 185 s; the leader
// takes an unreachable router's id back 90 s later and gives it out again after
// 100 s more. Other routers have the leader's list of ids some seconds late. A
// partition without its leader makes a new one after 120 s.
const (
	OutLostAfter   = 45 * time.Second
	InLostAfter    = 145 * time.Second // at the earliest
	inLostSpread   = 41                // s
	idLostAfter    = 90 * time.Second
	IDReuseDelay   = 100 * time.Second
	idListLag      = 10 * time.Second
	LeaderLostTime = 120 * time.Second
	// tellsParent is how long a parent keeps a child that told it where it went.
	tellsParent = time.Second
)

// Mesh is what is so at a moment: the nodes that are up and attached.
func (h *History) Mesh(at time.Duration) *Mesh {
	m, _ := h.state(at).mesh()
	return m
}

// View is what the nodes say at a moment. It must not be used to ask nodes that
// the asker can't reach; see [View.Reaches].
func (h *History) View(at time.Duration) *View { return h.state(at).view() }

// Validate checks that every event could happen when it does.
func (h *History) Validate() error {
	if err := h.Start.Validate(); err != nil {
		return err
	}
	s := newState(h.Start)
	for k, e := range h.Events {
		if e.At < s.now {
			return fmt.Errorf("event %d (%s): at %s: want events in order of time", k, e.Kind, e.At)
		}
		if !s.apply(e) {
			return fmt.Errorf("event %d (%s of node %d at %s): it can't happen to the mesh as it is then", k, e.Kind, e.Node, e.At)
		}
	}
	return nil
}

func (h *History) state(at time.Duration) *state {
	s := newState(h.Start)
	for _, e := range h.Events {
		if e.At > at {
			break
		}
		s.apply(e)
	}
	s.now = at
	return s
}
