package mrp

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"threadmap/diag/matter/message"
)

// A Secured is what a handshake has found: all that a secure session needs.
type Secured struct {
	LocalSessionID uint16 // see Machine.NewSessionID; messages that come carry it
	PeerSessionID  uint16 // messages that go carry it
	Keys           message.Keys
	Initiator      bool   // we sent the first message of the handshake
	LocalNodeID    uint64 // operational; 0 after PASE
	PeerNodeID     uint64
	Peer           netip.AddrPort
	Parameters     message.SessionParameters // the peer's
	// Margin is added to the peer's intervals, for a way that is slow by
	// itself: 1 to 2 s for a Thread network behind a border router.
	Margin time.Duration
}

// A Session is what two endpoints share: keys, or an ephemeral id in session 0.
type Session struct {
	m         *Machine
	isSecure  bool
	initiator bool   // of the handshake
	localID   uint16 // 0: unsecured
	peerID    uint16
	ephemeral uint64 // of the initiator, in session 0
	localNode uint64
	peerNode  uint64

	seal, open *message.Cipher
	counter    message.Counter
	window     message.Window

	peer   netip.AddrPort
	params message.SessionParameters // with defaults
	margin time.Duration
	heard  time.Time // when the last new message came; zero: never

	exchanges map[exchangeKey]*Exchange
	accepted  int       // exchanges that the peer opened
	until     time.Time // when an unsecured session that ended is forgotten
	listed    bool      // among the lingering
	closing   bool      // no new exchanges
	defunct   bool
	err       error
	stats     Stats
}

// Unsecured begins a session 0 with a peer, for one handshake that we initiate.
func (m *Machine) Unsecured(peer netip.AddrPort, params message.SessionParameters) *Session {
	s := m.unsecured(peer, params)
	s.initiator = true
	for s.ephemeral == 0 || m.initiated[s.ephemeral] != nil {
		s.ephemeral = message.MinOperational + m.rand.Uint64N(message.MaxOperational)
	}
	m.initiated[s.ephemeral] = s
	return s
}

func (m *Machine) unsecured(peer netip.AddrPort, params message.SessionParameters) *Session {
	return &Session{
		m: m, peer: unmap(peer), params: params.WithDefaults(), exchanges: map[exchangeKey]*Exchange{},
		window: message.Window{Unsecured: true},
	}
}

var (
	errZeroID  = errors.New("mrp: session id 0 is the unsecured one")
	errSameKey = errors.New("mrp: both keys of a session are the same")
)

// Secure begins a session with the keys of a handshake that has just ended.
func (m *Machine) Secure(now time.Time, c Secured) (*Session, error) {
	switch {
	case c.LocalSessionID == 0 || c.PeerSessionID == 0:
		return nil, errZeroID
	case m.secure[c.LocalSessionID] != nil:
		return nil, fmt.Errorf("mrp: session id 0x%04x is in use", c.LocalSessionID)
	case !c.Peer.IsValid():
		return nil, errors.New("mrp: a session needs its peer's address")
	case c.Keys.I2R == c.Keys.R2I:
		return nil, errSameKey // and with it no keys at all
	}
	out, in := c.Keys.I2R, c.Keys.R2I
	if !c.Initiator {
		out, in = in, out
	}
	s := &Session{
		m: m, isSecure: true, initiator: c.Initiator, localID: c.LocalSessionID, peerID: c.PeerSessionID,
		localNode: c.LocalNodeID, peerNode: c.PeerNodeID,
		seal: message.NewCipher(out, c.LocalNodeID), open: message.NewCipher(in, c.PeerNodeID),
		counter: message.NewCounter(m.rand.Uint32()),
		peer:    unmap(c.Peer), params: c.Parameters.WithDefaults(), margin: c.Margin, heard: now,
		exchanges: map[exchangeKey]*Exchange{},
	}
	m.secure[s.localID] = s
	return s, nil
}

// unmap makes one of the two spellings of an IPv4 address.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Peer is where the peer was last.
func (s *Session) Peer() netip.AddrPort { return s.peer }

// PeerNode is the peer's operational node id, 0 where it has none.
func (s *Session) PeerNode() uint64 { return s.peerNode }

// IsSecure reports whether messages are sealed.
func (s *Session) IsSecure() bool { return s.isSecure }

// LocalID is the session's id at this side; 0: unsecured.
func (s *Session) LocalID() uint16 { return s.localID }

// PeerID is the session's id at the peer's side; 0: unsecured.
func (s *Session) PeerID() uint16 { return s.peerID }

// Parameters are the peer's, with the defaults for what it did not say.
func (s *Session) Parameters() message.SessionParameters { return s.params }

// SetParameters replaces the peer's parameters, which a handshake may tell.
func (s *Session) SetParameters(p message.SessionParameters) { s.params = p.WithDefaults() }

// SetMargin replaces what is added to the peer's intervals.
func (s *Session) SetMargin(d time.Duration) { s.margin = max(d, 0) }

// Heard is when the last new message of the peer came; zero: never.
func (s *Session) Heard() time.Time { return s.heard }

// Err is why the session is gone, nil while it is not.
func (s *Session) Err() error { return s.err }

// Defunct reports whether the peer did not acknowledge a message and was not
// heard since: it may have forgotten the session, and the next try should be a
// new one.
func (s *Session) Defunct() bool { return s.defunct || s.err != nil }

// Stats counts what is of this session.
func (s *Session) Stats() Stats { return s.stats }

// String says which session it is; there is nothing secret in it.
func (s *Session) String() string {
	if s.isSecure {
		return fmt.Sprintf("session 0x%04x with %v", s.localID, s.peer)
	}
	return fmt.Sprintf("unsecured session with %v", s.peer)
}

// base is the interval that the waits for an acknowledgement begin with.
func (s *Session) base(now time.Time) time.Duration {
	d := s.params.Idle
	if !s.heard.IsZero() && now.Sub(s.heard) < s.params.ActiveThreshold {
		d = s.params.Active
	}
	return max(d+s.margin, shortestBase)
}

// GivesUpAfter is the longest time that a message to the peer goes on without
// an acknowledgement, should it sleep.
func (s *Session) GivesUpAfter() time.Duration {
	return message.GivesUpAfter(max(max(s.params.Idle, s.params.Active)+s.margin, shortestBase))
}

// CloseSession ends a session. A secure one tells its peer (Core 4.11.1.4), once
// and without waiting; an unsecured one lets open exchanges finish and
// acknowledges late duplicates for a while.
func (m *Machine) CloseSession(now time.Time, s *Session) {
	switch {
	case s.err != nil || s.closing:
	case s.isSecure:
		if x, err := m.Open(s); err == nil {
			report := message.StatusReport{Protocol: uint32(message.SecureChannel), Code: message.CodeCloseSession}
			m.transmit(now, x, outgoing{protocol: message.SecureChannel, opcode: message.Status, payload: report.Append(nil)}, false)
		}
		m.remove(s, errWeClosed)
	default:
		s.closing = true
		m.lingers(now, s)
	}
}

// Drop ends a session without a word to the peer: for one of which the peer
// knows nothing any more, or shall not know that we don't.
func (m *Machine) Drop(s *Session) {
	if s.err == nil {
		m.remove(s, errWeClosed)
	}
}

// lingers lets an unsecured session end after a while. It is in the list once,
// however often it ends: strangers must not make the list grow.
func (m *Machine) lingers(now time.Time, s *Session) {
	s.until = now.Add(linger)
	if !s.listed {
		s.listed = true
		m.list(lingerer{s, s.until})
	}
}

// list puts l where its end wants it.
func (m *Machine) list(l lingerer) {
	i := len(m.lingering)
	for i > 0 && m.lingering[i-1].at.After(l.at) {
		i--
	}
	m.lingering = slices.Insert(m.lingering, i, l)
}

// forget removes the session that lingered longest, unless it goes on.
func (m *Machine) forget() {
	s := m.lingering[0].s
	at := m.lingering[0].at
	m.lingering = slices.Delete(m.lingering, 0, 1)
	s.listed = false
	switch {
	case s.err != nil || s.until.IsZero():
	case s.until.After(at): // it went on meanwhile, and ended again
		s.listed = true
		m.list(lingerer{s, s.until})
	default:
		m.remove(s, errWeClosed)
	}
}

// remove forgets a session and ends its exchanges.
func (m *Machine) remove(s *Session, why error) {
	if s.err != nil {
		return
	}
	s.err = why
	switch {
	case s.isSecure:
		delete(m.secure, s.localID)
	case s.initiator:
		delete(m.initiated, s.ephemeral)
	default:
		delete(m.answered, s.ephemeral)
	}
	for _, x := range s.exchanges {
		m.detach(x)
		x.err = why
		m.ready(x)
	}
	s.seal, s.open = nil, nil
	m.tell(Event{Kind: Closed, Session: s})
}

// evict makes room for one more stranger, if one of those whose exchange is
// over can go.
func (m *Machine) evict() bool {
	for i, l := range m.lingering {
		if s := l.s; !s.initiator && s.err == nil && len(s.exchanges) == 0 {
			m.lingering = slices.Delete(m.lingering, i, i+1)
			m.remove(s, errWeClosed)
			return true
		}
	}
	return false
}
