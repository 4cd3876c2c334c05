package diag

import (
	"net/netip"
	"time"
)

// A Report is what one node was heard to say, by one source, at one time. It
// holds no conclusions. Lists tell apart nil (did not say) and empty (said
// there is none).
//
// A Report has no pointers, so that equal reports compare equal when printed.
type Report struct {
	// Where the statement comes from.
	Source  string    `cbor:"source"`            // the diag.Source: "otbr", "dump", …
	Via     string    `cbor:"via,omitempty"`     // through whom: a URL without user info, a file's base name
	Session string    `cbor:"session,omitempty"` // reports of one session were heard in one mesh, at one time, by one asker
	At      time.Time `cbor:"at,omitzero"`       // when it was heard; zero: not known
	Cached  bool      `cbor:"cached,omitempty"`  // a cache answered, so tables may be older than At
	Cut     bool      `cbor:"cut,omitempty"`     // the text it stands in breaks off there: who is missing from the session may have answered

	// Who speaks. Any of them may be missing.
	Own           []AddrClaim  `cbor:"own,omitzero"`              // the speaker's extended address, as different witnesses give it
	EUI64         ExtAddr      `cbor:"eui64,omitzero"`            // factory address; not the one on the air
	RLOC16        RLOC16       `cbor:"rloc16,omitzero"`           // the speaker's own
	BorderAgentID string       `cbor:"border_agent_id,omitempty"` // 32 lower-case hex digits
	Matter        []MatterID   `cbor:"matter,omitzero"`
	HAPID         string       `cbor:"hap_id,omitempty"`   // HomeKit pairing id, "aa:bb:cc:dd:ee:ff" in lower case: TXT id of _hap._udp; no MAC address
	Hosts         []string     `cbor:"hosts,omitzero"`     // SRP/mDNS host labels, without domain
	Instances     []string     `cbor:"instances,omitzero"` // DNS-SD instance names
	Names         []Name       `cbor:"names,omitzero"`     // what people and makers call it
	Addresses     []netip.Addr `cbor:"addresses,omitzero"`

	// What it is.
	Transport       Transport          `cbor:"transport,omitempty"`
	Role            Role               `cbor:"role,omitempty"`
	Mode            Opt[Mode]          `cbor:"mode,omitzero"`
	BorderRouter    Opt[bool]          `cbor:"border_router,omitzero"`
	ThreadVersion   Opt[uint16]        `cbor:"thread_version,omitzero"` // Thread's number: 4 is 1.3
	Vendor          string             `cbor:"vendor,omitempty"`
	Product         string             `cbor:"product,omitempty"`
	Firmware        string             `cbor:"firmware,omitempty"`
	ThreadStack     string             `cbor:"thread_stack,omitempty"`
	Room            string             `cbor:"room,omitempty"`
	DeviceTypes     []uint32           `cbor:"device_types,omitzero"` // Matter device type ids
	Available       Opt[bool]          `cbor:"available,omitzero"`    // the relaying server can reach it now
	BatteryPercent  Opt[uint8]         `cbor:"battery_percent,omitzero"`
	SupplyMillivolt Opt[uint16]        `cbor:"supply_mv,omitzero"`
	RebootCount     Opt[uint16]        `cbor:"reboot_count,omitzero"`
	UpTime          Opt[time.Duration] `cbor:"up_time,omitzero"`
	BootReason      Opt[uint8]         `cbor:"boot_reason,omitzero"` // Matter BootReasonEnum
	ICD             Opt[ICD]           `cbor:"icd,omitzero"`
	BorderAgent     Opt[BorderAgent]   `cbor:"border_agent,omitzero"`

	// Where it is.
	Network Network    `cbor:"network,omitzero"`
	Leader  LeaderData `cbor:"leader,omitzero"`

	// Whom it hears.
	Children        []Neighbor         `cbor:"children"`                   // its child table
	ChildrenPartial bool               `cbor:"children_partial,omitempty"` // Children are some of the rows: who is not there may be its child
	Neighbors       []Neighbor         `cbor:"neighbors"`                  // its other neighbors: routers; on a child, its parent
	Routes          []Route            `cbor:"routes"`                     // RouteTable or Route64
	RoutesPartial   bool               `cbor:"routes_partial,omitempty"`   // Routes lacks rows that could not be read: an id that is not there may be taken
	RouteIDSequence Opt[uint8]         `cbor:"route_id_sequence,omitzero"`
	RouterCount     Opt[uint8]         `cbor:"router_count,omitzero"` // routers in its partition
	Connectivity    Opt[Connectivity]  `cbor:"connectivity,omitzero"`
	MaxChildTimeout Opt[time.Duration] `cbor:"max_child_timeout,omitzero"`
	Timeout         Opt[time.Duration] `cbor:"timeout,omitzero"` // the speaker's own child timeout

	Counters map[Counter]uint64 `cbor:"counters,omitzero"`
}

// A Witness is a way in which a node's own extended address was learnt. They
// are ranked: a smaller one is believed before a larger one when they disagree
// and nothing else decides.
type Witness uint8

// The witnesses.
const (
	WitnessDiagnostic Witness = iota + 1 // Network Diagnostic TLV 0, OTBR's extAddress, CLI extaddr: the stack itself
	WitnessMeshCoP                       // TXT xa of a border agent
	WitnessInterface                     // Matter General Diagnostics, interface of type Thread
	WitnessAttribute                     // Matter attribute ExtAddress (0x0035/0x003F), in either byte order
	WitnessHost                          // SRV host label of 16 hex digits
)

// String names the witness.
func (w Witness) String() string {
	switch w {
	case WitnessDiagnostic:
		return "Thread diagnostics"
	case WitnessMeshCoP:
		return "border agent announcement"
	case WitnessInterface:
		return "network interface"
	case WitnessAttribute:
		return "ExtAddress attribute"
	case WitnessHost:
		return "host name"
	}
	return "unknown witness"
}

// An AddrClaim is one witness's word for a node's extended address. Own rows
// of a route table and link-local addresses are witnesses too; they stand in
// Routes and Addresses and are not repeated here.
type AddrClaim struct {
	ExtAddr ExtAddr `cbor:"ext_addr"`
	Witness Witness `cbor:"witness"`
}

// A MatterID names a node on one Matter fabric. Fabric is the compressed
// fabric id, zero where only the fabric of the answering controller is meant.
type MatterID struct {
	Fabric uint64 `cbor:"fabric"`
	Node   uint64 `cbor:"node"`
}

// A Name is what somebody calls a node.
type Name struct {
	Value string   `cbor:"value"`
	Kind  NameKind `cbor:"kind"`
}

// A NameKind tells who gave a name. They are ranked: a smaller one is shown
// before a larger one.
type NameKind uint8

// The kinds of names, best first.
const (
	NameAlias    NameKind = iota + 1 // the user's own alias file
	NameHome                         // a person, in their home system
	NameLabel                        // Matter NodeLabel
	NameInstance                     // DNS-SD instance
	NameProduct                      // vendor and product
	NameHost                         // host name
)

// String names the kind as the JSON document does.
func (k NameKind) String() string {
	switch k {
	case NameAlias:
		return "alias"
	case NameHome:
		return "home"
	case NameLabel:
		return "label"
	case NameInstance:
		return "instance"
	case NameProduct:
		return "product"
	case NameHost:
		return "host"
	}
	return "unknown"
}

// A Network is what a node said of the Thread network it is in.
type Network struct {
	ExtPANID        PANID64        `cbor:"ext_pan_id,omitzero"`
	Name            string         `cbor:"name,omitempty"`
	PANID           Opt[uint16]    `cbor:"pan_id,omitzero"`
	Channel         Opt[uint8]     `cbor:"channel,omitzero"`
	MeshLocalPrefix netip.Prefix   `cbor:"mesh_local_prefix,omitzero"`
	ActiveTimestamp Opt[uint64]    `cbor:"active_timestamp,omitzero"` // seconds<<16 | ticks<<1 | authoritative
	OMRPrefixes     []netip.Prefix `cbor:"omr_prefixes,omitzero"`     // on-mesh prefixes that it publishes or saw published
	BorderRouters   []RLOC16       `cbor:"border_routers,omitzero"`   // those named in its network data
	NetworkData     []byte         `cbor:"network_data,omitzero"`     // raw (Thread 5.18); holds no keys
}

// IsZero reports whether nothing was said.
func (n Network) IsZero() bool {
	return n.ExtPANID == 0 && n.Name == "" && !n.PANID.Known() && !n.Channel.Known() && !n.MeshLocalPrefix.IsValid() &&
		!n.ActiveTimestamp.Known() && n.OMRPrefixes == nil && n.BorderRouters == nil && n.NetworkData == nil
}

// LeaderData is Network Diagnostic TLV 6, and the same attributes of Matter.
type LeaderData struct {
	PartitionID       Opt[uint32] `cbor:"partition_id,omitzero"`
	Weighting         Opt[uint8]  `cbor:"weighting,omitzero"`
	DataVersion       Opt[uint8]  `cbor:"data_version,omitzero"`
	StableDataVersion Opt[uint8]  `cbor:"stable_data_version,omitzero"`
	RouterID          Opt[uint8]  `cbor:"router_id,omitzero"` // of the leader
}

// IsZero reports whether nothing was said.
func (l LeaderData) IsZero() bool { return l == LeaderData{} }

// A Neighbor is one row of a table about a node that the speaker hears: of its
// child table, of its router neighbors, or, on a child, its parent.
type Neighbor struct {
	ExtAddr          ExtAddr            `cbor:"ext_addr,omitzero"`
	RLOC16           RLOC16             `cbor:"rloc16,omitzero"`
	Mode             Opt[Mode]          `cbor:"mode,omitzero"`
	ThreadVersion    Opt[uint16]        `cbor:"thread_version,omitzero"`
	LinkQualityIn    Opt[uint8]         `cbor:"lq_in,omitzero"`        // 0..3, of what the speaker receives
	AverageRSSI      Opt[int8]          `cbor:"average_rssi,omitzero"` // dBm, received by the speaker
	LastRSSI         Opt[int8]          `cbor:"last_rssi,omitzero"`    // dBm
	LinkMargin       Opt[uint8]         `cbor:"link_margin,omitzero"`  // dB
	FrameErrorRate   Opt[Rate]          `cbor:"frame_error_rate,omitzero"`
	MessageErrorRate Opt[Rate]          `cbor:"message_error_rate,omitzero"`
	Age              Opt[time.Duration] `cbor:"age,omitzero"`           // since it was last heard
	ConnectedFor     Opt[time.Duration] `cbor:"connected_for,omitzero"` // since the link was made
	Timeout          Opt[time.Duration] `cbor:"timeout,omitzero"`       // after which a silent child is dropped
	Supervision      Opt[time.Duration] `cbor:"supervision,omitzero"`
	QueuedMessages   Opt[uint16]        `cbor:"queued_messages,omitzero"`
	CSLSynchronized  Opt[bool]          `cbor:"csl_synchronized,omitzero"`
	LinkFrameCounter Opt[uint32]        `cbor:"link_frame_counter,omitzero"`
	MLEFrameCounter  Opt[uint32]        `cbor:"mle_frame_counter,omitzero"`
	Addresses        []netip.Addr       `cbor:"addresses,omitzero"` // registered with the parent
}

// A Route is one row of a route table. Route64 gives no NextHop, ExtAddr or
// LinkEstablished.
type Route struct {
	RouterID        uint8              `cbor:"router_id"` // 0..62
	ExtAddr         ExtAddr            `cbor:"ext_addr,omitzero"`
	NextHop         Opt[uint8]         `cbor:"next_hop,omitzero"`  // router id, 63 for none
	PathCost        Opt[uint8]         `cbor:"path_cost,omitzero"` // as sent: zero is "self" or "unreachable", by the format
	LinkQualityIn   Opt[uint8]         `cbor:"lq_in,omitzero"`     // 0..3, of what the speaker receives; 0: no direct link
	LinkQualityOut  Opt[uint8]         `cbor:"lq_out,omitzero"`    // 0..3, of what the other receives, as it told the speaker
	Age             Opt[time.Duration] `cbor:"age,omitzero"`       // wraps at 256 s in Matter
	LinkEstablished Opt[bool]          `cbor:"link_established,omitzero"`
	Allocated       Opt[bool]          `cbor:"allocated,omitzero"`
}

// Connectivity is Network Diagnostic TLV 4.
type Connectivity struct {
	ParentPriority   int8        `cbor:"parent_priority"` // -1 low, 0 medium, 1 high
	LinkQuality3     uint8       `cbor:"lq3"`             // neighboring routers with that quality
	LinkQuality2     uint8       `cbor:"lq2"`
	LinkQuality1     uint8       `cbor:"lq1"`
	LeaderCost       uint8       `cbor:"leader_cost"`
	IDSequence       uint8       `cbor:"id_sequence"`
	ActiveRouters    uint8       `cbor:"active_routers"`
	SEDBufferSize    Opt[uint16] `cbor:"sed_buffer_size,omitzero"`
	SEDDatagramCount Opt[uint8]  `cbor:"sed_datagram_count,omitzero"`
}

// An ICD is what is known of an intermittently connected device.
type ICD struct {
	LIT                              Opt[bool]          `cbor:"lit,omitzero"` // long idle time mode now
	IdleModeDuration                 Opt[time.Duration] `cbor:"idle_mode_duration,omitzero"`
	ActiveModeDuration               Opt[time.Duration] `cbor:"active_mode_duration,omitzero"`
	ActiveModeThreshold              Opt[time.Duration] `cbor:"active_mode_threshold,omitzero"`
	CheckIn                          Opt[bool]          `cbor:"check_in,omitzero"` // Check-In Protocol supported
	FeatureMap                       Opt[uint32]        `cbor:"feature_map,omitzero"`
	RegisteredClients                Opt[uint16]        `cbor:"registered_clients,omitzero"`
	UserActiveModeTriggerHint        Opt[uint32]        `cbor:"user_active_mode_trigger_hint,omitzero"`
	UserActiveModeTriggerInstruction string             `cbor:"user_active_mode_trigger_instruction,omitempty"`
	SessionIdleInterval              Opt[time.Duration] `cbor:"sii,omitzero"`
	SessionActiveInterval            Opt[time.Duration] `cbor:"sai,omitzero"`
	SessionActiveThreshold           Opt[time.Duration] `cbor:"sat,omitzero"`
}

// A BorderAgent is what a border router announced of its border agent.
type BorderAgent struct {
	StateBitmap  Opt[uint32]      `cbor:"state_bitmap,omitzero"`
	Endpoints    []netip.AddrPort `cbor:"endpoints,omitzero"`
	EphemeralKey Opt[bool]        `cbor:"ephemeral_key,omitzero"`
}

// A Counter is the name of a counter, in the words of Matter cluster 0x0035
// and, for the interface counters, of Network Diagnostic TLV 9.
type Counter string
