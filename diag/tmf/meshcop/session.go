package meshcop

import (
	"fmt"
	"net/netip"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/coap"
)

const (
	// keepAlive is how often the role is kept alive: a border agent ends a
	// session after 50 s without, a leader the role.
	keepAlive = 20 * time.Second
	// outerWait is for the border agent itself, which is on the LAN. It is given
	// up after 13.5 to 14.3 s: a session has 50 s for all that is to be said
	// before the role is there.
	outerWait, outerMax, outerTries = 500 * time.Millisecond, 2 * time.Second, 8
	// quiet is after how long without a word of the border agent, while something
	// is asked of nodes, it is found out whether it is still there.
	quiet = 8 * time.Second
	// petitionAgain is how long to wait after "not now".
	petitionAgain = 10 * time.Second
	// defaultRetry is how long a role that is taken is waited for. A border
	// agent ends the session of who is not commissioner 50 s after the handshake.
	defaultRetry = 40 * time.Second
	// resignWait, resignTries: there is not much time at an end, and less when
	// the user waits for it.
	resignWait, resignTries   = 300 * time.Millisecond, 5
	hurriedWait, hurriedTries = 130 * time.Millisecond, 4
)

// An EventKind says what happened in a Session.
type EventKind uint8

// The kinds of events.
const (
	GotDataset EventKind = iota + 1 // Dataset
	Rejected                        // another commissioner, Holder, has the role; it is waited for
	Activated                       // the Session is the commissioner; nodes can be asked
	GotLocator                      // Locator is the RLOC16 of the border agent's node
	Node                            // CoAP: an event of a question to a node, or a message of one
	Ended                           // Err says why; nil after Resign. Nothing comes after it
)

// An Event is something that happened in a Session.
type Event struct {
	Kind    EventKind
	Dataset Dataset
	Holder  string
	Locator diag.RLOC16
	CoAP    coap.Event // From is the node's mesh-local address
	Err     error
}

// Traffic counts what a Session put on the mesh and got from it: CoAP messages
// inside of the UDP proxy, in octets of CoAP.
type Traffic struct {
	Sent, SentOctets         int // messages to nodes, repetitions and acknowledgements included
	Received, ReceivedOctets int // messages of nodes, duplicates included
	Repeated                 int // of the sent ones, repetitions
	Duplicates               int // of the received ones
	Rescued                  int // requests that were answered only after a repetition
	Multicasts               int // of the sent ones; each is repeated by every router
	Largest                  int // octets of the largest message of the border agent (c/ur)
}

type phase uint8

const (
	reading phase = iota // dataset and commissioning dataset
	petitioning
	waiting // for a role that is taken
	active
	resigning
	over
)

// A Session is the commissioner's side of one DTLS session with a border
// agent. It is driven: call [Session.Receive] with what came, [Session.Tick]
// when [Session.Next] has come, and after each call send [Session.Datagrams]
// and take [Session.Events]. It is for one goroutine.
type Session struct {
	cfg          Config
	outer, inner *coap.Endpoint
	id           string
	session      uint16
	phase        phase
	dataset      Dataset
	locator      diag.RLOC16

	ag, cg, cp, ca, ping coap.ID   // requests under way
	retryAt, retryUntil  time.Time // petitions
	keepAt               time.Time
	heardAt, keptAt      time.Time // the last record that came; the last keep-alive begun
	doubt                bool      // whether the border agent is there; of the last keep-alive
	misses               int       // keep-alives in a row that were not acknowledged
	rereads              int       // of ag and cg that were asked again
	unsure               bool      // a petition of ours may have been accepted
	why                  error     // of resigning

	out     [][]byte
	events  []Event
	traffic Traffic
}

// NewSession begins the conversation of a DTLS session that was just made.
func NewSession(now time.Time, cfg Config) *Session {
	if cfg.ID == "" {
		cfg.ID = NewID()
	}
	if cfg.Retry == 0 {
		cfg.Retry = defaultRetry
	}
	if cfg.Rand == nil {
		cfg.Rand = NewRand()
	}
	s := &Session{
		cfg: cfg, id: cfg.ID[:min(len(cfg.ID), MaxID)],
		outer: coap.NewEndpoint(coap.Config{Wait: outerWait, MaxWait: outerMax, Tries: outerTries, Response: 5 * time.Second}, cfg.Rand),
		inner: coap.NewEndpoint(cfg.Inner, cfg.Rand),
	}
	s.keepAt = now.Add(keepAlive)
	s.ag = s.request(now, PathActiveGet, AppendGet(nil, wanted...))
	s.cg = s.request(now, PathCommissionerGet, nil)
	s.work(now)
	return s
}

// ID is the commissioner id.
func (s *Session) ID() string { return s.id }

// Active reports whether the Session is the commissioner.
func (s *Session) Active() bool { return s.phase == active }

// SessionID is the commissioner session id, once the Session was active.
func (s *Session) SessionID() uint16 { return s.session }

// MeshLocal is the mesh-local prefix, once the dataset is there.
func (s *Session) MeshLocal() netip.Prefix { return s.dataset.Network.MeshLocalPrefix }

// Traffic is the count until now.
func (s *Session) Traffic() Traffic {
	t := s.traffic
	t.Repeated, t.Duplicates, t.Rescued = s.inner.Repeats, s.inner.Doubles, s.inner.Rescued
	return t
}

func (s *Session) request(now time.Time, path string, payload []byte) coap.ID {
	id, err := s.outer.Request(now, netip.Addr{}, path, payload)
	if err != nil { // paths and payloads are this package's own
		s.end(fmt.Errorf("%w: %v", ErrRefused, err))
	}
	return id
}

// Receive takes in a record of the border agent.
func (s *Session) Receive(now time.Time, b []byte) {
	if s.phase == over {
		return
	}
	s.heardAt = now
	s.outer.Receive(now, netip.Addr{}, b) // what is no CoAP is as good as lost
	s.work(now)
}

// Tick does what is due.
func (s *Session) Tick(now time.Time) {
	if s.phase == over {
		return
	}
	s.outer.Tick(now)
	s.inner.Tick(now)
	s.work(now)
	if s.phase == waiting && !now.Before(s.retryAt) {
		s.petition(now)
	}
	if at, doubt := s.keepDue(); !at.IsZero() && !now.Before(at) {
		s.keep(now, doubt)
	}
	s.work(now)
}

// Next is when Tick is wanted; zero: not at all.
func (s *Session) Next() (at time.Time) {
	if s.phase == over {
		return at
	}
	soonest := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	soonest(s.outer.Next())
	soonest(s.inner.Next())
	if s.phase == waiting {
		soonest(s.retryAt)
	}
	due, _ := s.keepDue()
	soonest(due)
	return at
}

// Datagrams gives the records to be sent, once.
func (s *Session) Datagrams() [][]byte {
	for _, d := range s.outer.Datagrams() {
		s.out = append(s.out, d.Data)
	}
	out := s.out
	s.out = nil
	return out
}

// Events gives what happened, once.
func (s *Session) Events() []Event {
	v := s.events
	s.events = nil
	return v
}

func (s *Session) tell(e Event) { s.events = append(s.events, e) }

// end is the last event.
func (s *Session) end(err error) {
	if s.phase != over {
		s.phase = over
		s.tell(Event{Kind: Ended, Err: err})
	}
}

// work hands on what the two endpoints have done.
func (s *Session) work(now time.Time) {
	for again := true; again && s.phase != over; {
		again = false
		for _, d := range s.inner.Datagrams() {
			again = true
			s.transmit(d)
		}
		for _, e := range s.outer.Events() {
			again = true
			if e.Kind == coap.Requested {
				s.proxied(now, e.Message)
			} else {
				s.answer(now, e)
			}
		}
		for _, e := range s.inner.Events() {
			again = true
			s.tell(Event{Kind: Node, CoAP: e})
		}
	}
}

// transmit puts a message to a node into the proxy. Who is not the commissioner
// is not heard there.
func (s *Session) transmit(d coap.Datagram) {
	if s.phase != active {
		return
	}
	s.traffic.Sent++
	s.traffic.SentOctets += len(d.Data)
	if d.To.IsMulticast() {
		s.traffic.Multicasts++
	}
	if err := s.outer.Notify(netip.Addr{}, PathTransmit, AppendProxied(nil, Proxied{Peer: d.To, From: PortTMF, To: PortTMF, Payload: d.Data})); err != nil {
		s.end(fmt.Errorf("%w: %v", ErrRefused, err))
	}
}

// proxied takes a message of a node out of the proxy.
func (s *Session) proxied(now time.Time, m coap.Message) {
	if m.Path != PathReceive {
		return // news for commissioners who commission: c/dc, c/rx
	}
	p, err := ParseProxied(m.Payload)
	if err != nil || p.To != PortTMF || p.From != PortTMF {
		return
	}
	if _, ok := LocatorOf(s.MeshLocal(), p.Peer); !ok && !s.MeshLocal().Contains(p.Peer) {
		return // no node of the mesh
	}
	s.traffic.Received++
	s.traffic.ReceivedOctets += len(p.Payload)
	s.traffic.Largest = max(s.traffic.Largest, len(m.Payload))
	s.inner.Receive(now, p.Peer, p.Payload)
}

// answer takes what became of a request to the border agent.
func (s *Session) answer(now time.Time, e coap.Event) {
	if e.Kind == coap.Acknowledged {
		if e.ID == s.ca && s.phase == active {
			// Only a commissioner's keep-alive is acknowledged, so it counted. The
			// leader's answer comes apart and may get lost.
			s.keepAt, s.misses = now.Add(keepAlive), 0
		}
		return
	}
	ok := e.Kind == coap.Responded && e.Message.Code.OK()
	switch e.ID {
	case s.ag:
		s.ag = 0
		s.gotDataset(now, e, ok)
	case s.cg:
		s.cg = 0
		s.gotCommissioning(now, e, ok)
	case s.cp:
		s.cp = 0
		s.gotVerdict(now, e, ok)
	case s.ca:
		s.ca = 0
		s.gotKeepAlive(now, e, ok)
	}
}

func (s *Session) gotDataset(now time.Time, e coap.Event, ok bool) {
	switch {
	case e.Kind == coap.TimedOut && s.reread():
		s.ag = s.request(now, PathActiveGet, AppendGet(nil, wanted...))
		return
	case e.Kind == coap.TimedOut:
		s.end(ErrSilent)
		return
	case !ok:
		s.end(fmt.Errorf("%w to tell its dataset (%v)", ErrRefused, e.Message.Code))
		return
	}
	d, err := ParseDataset(e.Message.Payload)
	clear(e.Message.Payload) // a border agent may say more than it was asked: keys
	if err != nil {
		s.end(fmt.Errorf("%w: its %v", ErrRefused, err))
		return
	}
	s.dataset = d
	s.tell(Event{Kind: GotDataset, Dataset: d})
	s.maybePetition(now)
}

// gotCommissioning reads who commissions. Before the petition it decides
// whether there may be one; after it, it names the border agent's own node.
func (s *Session) gotCommissioning(now time.Time, e coap.Event, ok bool) {
	var c Commissioning
	if ok {
		c, _ = ParseCommissioning(e.Message.Payload) // what can't be read is not said
	}
	switch {
	case s.phase == reading && e.Kind == coap.TimedOut && s.reread():
		s.cg = s.request(now, PathCommissionerGet, nil)
	case s.phase == reading && e.Kind == coap.TimedOut:
		s.end(ErrSilent)
	case s.phase == reading && c.Joining:
		s.end(ErrJoining)
	case s.phase == reading:
		s.maybePetition(now)
	case s.phase == active && c.BorderAgentLocator.Known() && c.SessionID == diag.Some(s.session):
		s.locator = c.BorderAgentLocator
		s.tell(Event{Kind: GotLocator, Locator: c.BorderAgentLocator})
	case s.phase == active:
		s.tell(Event{Kind: GotLocator}) // unknown: ask the network data
	}
}

// reread reports whether what the border agent did not answer is worth asking
// again: it said something lately, and there are not too many of them.
func (s *Session) reread() bool {
	s.rereads++
	return !s.heardAt.IsZero() && s.rereads <= 2
}

// NetworkData takes what a node's network data say of commissioning, and gives
// up where another commissioner is at work.
func (s *Session) NetworkData(now time.Time, joining bool, session diag.Opt[uint16]) {
	if id, known := session.Get(); s.phase == active && known && id != s.session && joining {
		s.leave(now, ErrJoining, false)
	}
}

// Ask sends a request to a node. The answer is an Event of kind Node with that
// ID; other questions may be on their way.
func (s *Session) Ask(now time.Time, to netip.Addr, path string, payload []byte) (coap.ID, error) {
	id, err := s.inner.Request(now, to, path, payload)
	s.work(now)
	return id, err
}

// Multicast sends a request to many; answers are requests of theirs (d/da).
func (s *Session) Multicast(now time.Time, to netip.Addr, path string, payload []byte) error {
	err := s.inner.Notify(to, path, payload)
	s.work(now)
	return err
}

// Reply acknowledges a request of a node.
func (s *Session) Reply(now time.Time, to netip.Addr, m coap.Message) {
	if err := s.inner.Reply(to, m, coap.Changed, nil); err == nil {
		s.work(now)
	}
}

// Cancel stops a request to a node.
func (s *Session) Cancel(id coap.ID) { s.inner.Cancel(id) }
