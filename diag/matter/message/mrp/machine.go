package mrp

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"threadmap/diag/matter/message"
)

// Limits of what peers and strangers can make a Machine keep.
const (
	// maxInbox is how many messages wait in an exchange to be read. Peers ask
	// and wait for the answer, so more than one is rare.
	maxInbox = 4
	// maxOutbox is how many messages wait in an exchange to be sent.
	maxOutbox = 4
	// maxStrangers is how many sessions begun by strangers are kept, those that
	// linger included.
	maxStrangers = 64
	// maxAccepted is how many exchanges that peers opened are open at once, and
	// maxAcceptedOf those of one session. Strangers get no more than half, so
	// that they can't lock out peers.
	maxAccepted          = 128
	maxAcceptedStrangers = maxAccepted / 2
	maxAcceptedOf        = 16
	// linger is how long an unsecured session is kept after its end, for the
	// acknowledgement of late duplicates: about what a peer with the default
	// intervals goes on repeating.
	linger = 8 * time.Second
	// shortestBase keeps a peer that claims an interval of 0 from being sent
	// five copies at once.
	shortestBase = 10 * time.Millisecond
)

// A Config is what a Machine needs.
type Config struct {
	// Rand is asked for counters, ids and waits; it should be seeded from a
	// cryptographic source, since a guessed ephemeral node id lets strangers
	// spoil a handshake.
	Rand *rand.Rand
	// Accept lets peers open exchanges. Without it they are acknowledged where
	// there is a secure session and dropped.
	Accept bool
	// NodeIDs puts both node ids into the headers of secure messages. Nobody
	// needs them there; some stacks write them.
	NodeIDs bool
}

// A Datagram is to be sent. Its data must not be changed.
type Datagram struct {
	To   netip.AddrPort
	Data []byte

	exchange *Exchange // whose unacknowledged message it is
}

// An EventKind says what happened.
type EventKind uint8

// The kinds of events.
const (
	Opened EventKind = iota + 1 // a peer opened Exchange, and its message waits there
	Ready                       // something changed in Exchange: a message, room, an error
	Closed                      // Session is gone, see Session.Err
)

// An Event is something that happened.
type Event struct {
	Kind     EventKind
	Exchange *Exchange
	Session  *Session
}

// A Machine is one endpoint. It is for one goroutine.
type Machine struct {
	rand    *rand.Rand
	accept  bool
	nodeIDs bool

	counter   message.Counter     // of session 0
	secure    map[uint16]*Session // by our id
	initiated map[uint64]*Session // unsecured, by our ephemeral id
	answered  map[uint64]*Session // unsecured, by the stranger's ephemeral id

	nextSession, nextExchange   uint16
	accepted, acceptedUnsecured int
	schedule                    schedule
	lingering                   []lingerer // in the order of their ends
	out                         []Datagram
	events                      []Event
	plaintext                   []byte // of the message in work
	stats                       Stats
}

type lingerer struct {
	s  *Session
	at time.Time // when to look whether it is forgotten
}

// New begins without sessions.
func New(cfg Config) *Machine {
	r := cfg.Rand
	return &Machine{
		rand: r, accept: cfg.Accept, nodeIDs: cfg.NodeIDs, counter: message.NewCounter(r.Uint32()),
		secure: map[uint16]*Session{}, initiated: map[uint64]*Session{}, answered: map[uint64]*Session{},
		nextSession: uint16(r.Uint32()), nextExchange: uint16(r.Uint32()),
		plaintext: make([]byte, 0, message.MaxDatagram),
	}
}

// Stats counts everything of all sessions.
func (m *Machine) Stats() Stats { return m.stats }

// Datagrams gives what is to be sent, once.
func (m *Machine) Datagrams() []Datagram {
	out := m.out
	m.out = nil
	return out
}

// Events gives what happened, once.
func (m *Machine) Events() []Event {
	v := m.events
	m.events = nil
	return v
}

func (m *Machine) tell(v Event) { m.events = append(m.events, v) }

func (m *Machine) ready(x *Exchange) { m.tell(Event{Kind: Ready, Exchange: x, Session: x.s}) }

// NewSessionID is an id that no session has, for the handshake that makes one.
// Ids come in turn, so one that was given out does not come again soon. It is 0
// when all 65535 are in use.
func (m *Machine) NewSessionID() uint16 {
	for range 1 << 16 {
		m.nextSession++
		if m.nextSession != 0 && m.secure[m.nextSession] == nil {
			return m.nextSession
		}
	}
	return 0
}

// Next is when Tick is wanted; zero: not at all.
func (m *Machine) Next() (at time.Time) {
	if x := m.schedule.first(); x != nil {
		at = x.due
	}
	if len(m.lingering) > 0 && (at.IsZero() || m.lingering[0].at.Before(at)) {
		at = m.lingering[0].at
	}
	return at
}

// Tick repeats, acknowledges and gives up what is due.
func (m *Machine) Tick(now time.Time) {
	for x := m.schedule.first(); x != nil && !now.Before(x.due); x = m.schedule.first() {
		m.expire(now, x)
	}
	for len(m.lingering) > 0 && !now.Before(m.lingering[0].at) {
		m.forget()
	}
}

// expire does what is due in one exchange.
func (m *Machine) expire(now time.Time, x *Exchange) {
	if !x.ackDue.IsZero() && !now.Before(x.ackDue) {
		m.acknowledge(x)
	}
	if x.unacked != nil && !now.Before(x.resend) {
		if x.tries >= message.MaxTransmissions {
			m.giveUp(now, x, x.cause)
			return
		}
		x.tries++
		x.resend = now.Add(message.Backoff(x.tries-1, x.s.base(now), m.rand.Float64()))
		x.s.stats.Retransmitted++
		m.stats.Retransmitted++
		m.send(x.s, x.unacked, x)
	}
	m.schedule.update(x)
}

// giveUp ends an exchange whose message nobody acknowledged.
func (m *Machine) giveUp(now time.Time, x *Exchange, cause error) {
	x.s.stats.GivenUp++
	m.stats.GivenUp++
	if !x.s.heard.After(x.first) {
		x.s.defunct = true
	}
	m.end(now, x, &NoAckError{
		Peer: x.s.peer, Protocol: x.sent.protocol, Opcode: x.sent.opcode,
		Transmissions: x.tries, Waited: now.Sub(x.first), Cause: cause,
	})
}

// NotSent tells that the system refused to send d, with err. Where that was the
// first copy of a message and final is set, its exchange ends at once: an
// address that can't be reached from here must not cost the wait for an answer.
func (m *Machine) NotSent(now time.Time, d Datagram, err error, final bool) {
	x := d.exchange
	if x == nil || x.unacked == nil || &x.unacked[0] != &d.Data[0] {
		return
	}
	x.cause = err
	if final && x.tries == 1 {
		m.giveUp(now, x, err)
	}
}

// send puts a datagram out.
func (m *Machine) send(s *Session, data []byte, x *Exchange) {
	s.stats.sent(len(data))
	m.stats.sent(len(data))
	m.out = append(m.out, Datagram{To: s.peer, Data: data, exchange: x})
}

// Close ends all sessions without a word to anybody.
func (m *Machine) Close(why error) {
	for _, sessions := range []map[uint64]*Session{m.initiated, m.answered} {
		for _, s := range sessions {
			m.remove(s, why)
		}
	}
	for _, s := range m.secure {
		m.remove(s, why)
	}
	m.lingering = nil
}
