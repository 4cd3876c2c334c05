package topology

import (
	"net/netip"
	"time"

	"threadmap/diag"
)

// A Map is everything inferred from a set of reports: one or more Thread
// networks, the nodes in and around them, and their links. It is sorted, so
// the same reports give the same Map whatever their order.
//
// The design calls this type Network; it holds several networks, so it got
// another name.
type Map struct {
	Networks []*Network // by ID
	Nodes    []*Node    // by ID
	Links    []*Link    // by the IDs of A, then B; A.ID < B.ID
}

// A Network is one Thread network, known by its extended PAN id, or, where
// nobody told that, by its mesh-local prefix or by who told of it.
type Network struct {
	ID              string // 16 hex digits where the extended PAN id is known
	ExtPANID        diag.PANID64
	Name            string
	Channel         diag.Opt[uint8]
	PANID           diag.Opt[uint16]
	MeshLocalPrefix netip.Prefix   // invalid: unknown
	OMRPrefixes     []netip.Prefix // sorted
	ActiveTimestamp diag.Opt[uint64]
	Partitions      []Partition // by ID, the unknown one first
	Conflicts       []Conflict
	Evidence        []Evidence
}

// A Partition is a part of a network with a leader of its own.
type Partition struct {
	ID     diag.Opt[uint32]
	Leader *Node // nil: unknown
}

// A Node is one radio, or a Matter or HomeKit device that is no Thread radio.
type Node struct {
	ID string // stable across scans where an extended address is known: its 16 hex digits

	ExtAddr       diag.ExtAddr // 0: unknown
	RLOC16        diag.RLOC16
	BorderAgentID string
	Matter        []diag.MatterID
	Hosts         []string
	Instances     []string
	Addresses     []netip.Addr

	Name                            string // the best of Names; "" where nobody gave one
	Names                           []NameBy
	Room, Vendor, Product, Firmware string
	ThreadVersion                   diag.Opt[uint16]

	Role         diag.Role
	BorderRouter diag.Opt[bool]
	Transport    diag.Transport
	Mode         diag.Opt[diag.Mode]
	State        NodeState
	Why          string // one line on State, in plain words, where it is not StateOK
	ICD          diag.Opt[diag.ICD]
	Battery      diag.Opt[uint8] // percent

	Network   *Network // nil: unknown, or no Thread node
	Partition diag.Opt[uint32]

	Parent           *Node // nil: unknown, or it has none
	ParentConfidence Confidence
	Children         []*Node // by ID

	// ChildTable and RouterTable tell whether the node itself gave such a table.
	// "No child" is known only of a node that did.
	ChildTable, RouterTable bool

	// Reports are what the node itself was heard to say, the newest and most
	// trusted last. They are those given to Build, not copies.
	Reports []*diag.Report

	Heard     bool // a report of its own exists; false: only others spoke of it
	LastHeard time.Time
	Conflicts []Conflict
	Evidence  []Evidence
}

// A NameBy is a name and who gave it.
type NameBy struct {
	Value  string
	Kind   diag.NameKind
	Source string
}

// A NodeState says whether a node is there.
type NodeState string

// The states of a node.
const (
	NodeOK      NodeState = "ok"      // it spoke, or its parent or neighbor hears it
	NodeSilent  NodeState = "silent"  // it is part of the mesh, but did not answer
	NodeStale   NodeState = "stale"   // only a cache speaks of it
	NodeGhost   NodeState = "ghost"   // only rows that others contradict speak of it
	NodeUnknown NodeState = "unknown" // too little is known to say
)

// A LinkKind tells links between routers from links of a child to its parent.
type LinkKind string

// The kinds of links.
const (
	LinkRouter LinkKind = "router"
	LinkChild  LinkKind = "child"
)

// A LinkState says how well a link does.
type LinkState string

// The states of a link. Drawings leave dead ones out unless asked.
const (
	LinkOK     LinkState = "ok"
	LinkOneWay LinkState = "one-way" // one direction carries nothing
	LinkDying  LinkState = "dying"   // each end no longer hears of itself from the other, the tables just have not forgotten yet
	LinkDead   LinkState = "dead"    // a row remains that says quality 0
	LinkStale  LinkState = "stale"   // only old or contradicted rows remain
)

// A Link joins two nodes. For a child link A and B are in no special order:
// use Parent of the nodes.
type Link struct {
	A, B       *Node
	Kind       LinkKind
	State      LinkState
	AToB, BToA Direction
	Confidence Confidence
	Age        diag.Opt[time.Duration] // since either end last heard the other, at reading time
	Evidence   []Evidence
}

// A Direction is one way of a link, as the receiver hears it.
type Direction struct {
	LQ           diag.Opt[uint8] // 0..3, of what the far end receives
	SecondHand   bool            // LQ is what the sender says the receiver told it
	RSSI         diag.Opt[int8]  // dBm at the receiver
	Margin       diag.Opt[uint8] // dB
	FrameError   diag.Opt[diag.Rate]
	MessageError diag.Opt[diag.Rate]
}

// A Confidence says how well a statement is founded.
type Confidence uint8

// The confidences, weakest first. The zero value means that nothing is stated.
const (
	NoConfidence Confidence = iota
	Inferred                // follows from addresses only
	OneSided                // one end said so
	Confirmed               // both ends said so
)

// String is the word of the JSON document, "" for NoConfidence.
func (c Confidence) String() string {
	return [...]string{"", "inferred", "one-sided", "confirmed"}[min(c, Confirmed)]
}

// Evidence says whose word a statement is.
type Evidence struct {
	Source string    // the diag.Source
	Via    string    // through whom
	At     time.Time // zero: not known
	By     string    // ID of the node that said it
	Field  string    // which table or attribute
	Cached bool
}

// A Conflict keeps claims that disagree. The first claim is the one believed.
type Conflict struct {
	About  string // "parent", "rloc16", "ext_addr", "role", …
	Claims []Claim
}

// A Claim is one side of a conflict.
type Claim struct {
	Value    string
	Evidence Evidence
}
