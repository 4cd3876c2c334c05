package borderagent

import (
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/mesh"
)

// Options are the knobs of a border agent and of the mesh behind it. The zero
// value is OpenThread's border router of 2026 with the mesh's own key.
type Options struct {
	// PSKc is the password of the sessions; default: that of the mesh.
	PSKc pskc.Secret
	// EphemeralCode, where set, makes this the agent of a one-time code, which
	// is its password: one session at a time, and none after the first has
	// ended, or after ten clients or CodeLife (default two minutes).
	EphemeralCode string
	CodeLife      time.Duration
	// RecordLimit is how many octets the agent can put into one DTLS record;
	// longer messages vanish. OpenThread has 768 by its own configuration of
	// Mbed TLS and 900 with its CoAPS API. 0: 1152.
	RecordLimit int
	// OldUDPEncapsulation writes the length of TLV 48 always in its extended
	// form, as builds of 2025 do.
	OldUDPEncapsulation bool

	// What follows is about the mesh. [Agent.Beside] takes it from the first
	// agent.

	// NoNewTLVs tells which nodes run an old stack, which knows no types above
	// 19: no lists of children and neighbors, and no Query ID to echo. nil: none.
	NoNewTLVs func(*mesh.Node) bool
	// HopDelay is how long a datagram takes for one hop; default 2 ms.
	HopDelay time.Duration
	// SleepyDelay is how long a sleepy child takes to fetch a datagram; default
	// 500 ms.
	SleepyDelay time.Duration
	// Settle is how long after a petition nodes two and more hops away can't
	// reach the commissioner; default 2.5 s, less than 0: not at all. What they
	// send is lost; they repeat a d/da.
	Settle time.Duration
	// Lose, where not nil, tells which datagrams get lost on the mesh. It is
	// called once for each receiver, one call at a time, and must not call the
	// Agent.
	Lose func(Datagram) bool
	// SecondCommissioner, where set, is the id of somebody else who has the
	// commissioner's role from the start; see [Agent.Hold].
	SecondCommissioner string
	// Steering is the steering data (TLV 8) that the commissioner set; default
	// a zero octet: nobody may join.
	Steering []byte
	// Seed starts message ids and the leader's session ids.
	Seed uint64
}

// Everybody is all nodes, for Options.NoNewTLVs.
func Everybody(*mesh.Node) bool { return true }

// A Datagram crosses the mesh.
type Datagram struct {
	Node      diag.ExtAddr // its receiver, or, with Up, its sender
	Up        bool         // to the border agent
	Multicast bool
	Payload   []byte // CoAP; must not be changed
}

// Defaults and constants of OpenThread.
const (
	defaultRecord = 1152
	defaultHop    = 2 * time.Millisecond
	defaultPoll   = 500 * time.Millisecond
	defaultSettle = 2500 * time.Millisecond
	defaultLife   = 2 * time.Minute
	// commissionerLife is how long a commissioner, and a session, lasts without
	// keep-alive.
	commissionerLife = 50 * time.Second
	// codeClients is how many clients a one-time code survives.
	codeClients = 10
	// codeLinger is how long its socket stays after its session.
	codeLinger = 2 * time.Second
)

func (o Options) withDefaults(m *mesh.Mesh) (Options, error) {
	var err error
	switch {
	case o.EphemeralCode != "":
		o.PSKc, err = pskc.New([]byte(o.EphemeralCode))
	case o.PSKc.IsZero():
		o.PSKc, err = pskc.New(m.PSKc[:])
	}
	span := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
		*d = max(*d, 0)
	}
	span(&o.CodeLife, defaultLife)
	span(&o.HopDelay, defaultHop)
	span(&o.SleepyDelay, defaultPoll)
	span(&o.Settle, defaultSettle)
	if o.RecordLimit <= 0 {
		o.RecordLimit = defaultRecord
	}
	if len(o.Steering) == 0 {
		o.Steering = []byte{0}
	}
	return o, err
}

// Stats count since the start. Those of the mesh are shared by all agents of a
// mesh.
type Stats struct {
	Sessions int            // handshakes that were completed
	Refused  int            // handshakes that failed: wrong keys, and time-outs
	Requests map[string]int // by path: "c/ut" at the agent, "d/dg" at a node

	// What clients put on the mesh, and what nodes put on it for them: UDP
	// payloads. A multicast counts once.
	ToMesh, ToMeshOctets     int
	FromMesh, FromMeshOctets int
	// OnAir counts transmissions of those: each hop of a unicast, one by each
	// router of a multicast.
	OnAir, OnAirOctets int

	Forwarded int // handed to clients
	Vanished  int // too long for a record
	Lost      int // by Options.Lose and faults of the mesh
	Unrouted  int // nodes did not know the commissioner, or it was gone
}
