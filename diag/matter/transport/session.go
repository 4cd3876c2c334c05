package transport

import (
	"context"
	"net/netip"
	"time"

	"threadmap/diag/matter/message"
	"threadmap/diag/matter/message/mrp"
)

// A Session is shared with one peer.
type Session struct {
	e      *Endpoint
	s      *mrp.Session
	closed chan struct{}
	owner  any
}

// NewSessionID is an id that no session has, for the handshake that makes one;
// 0 when all are in use.
func (e *Endpoint) NewSessionID() uint16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.machine.NewSessionID()
}

// Unsecured begins a session for one handshake with a peer. Parameters are what
// is known of the peer from elsewhere, as DNS-SD. Close it after the handshake.
func (e *Endpoint) Unsecured(peer netip.AddrPort, parameters message.SessionParameters) *Session {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.session(e.machine.Unsecured(peer, parameters))
}

// Secure begins a session with what a handshake found.
func (e *Endpoint) Secure(c Secured) (*Session, error) { return e.SecureFor(c, nil) }

// SecureFor is Secure for a session that belongs to something: owner says to
// what, before anything of the session can be seen. It must not call methods of
// the Endpoint or of the Session. See [Session.Owner].
func (e *Endpoint) SecureFor(c Secured, owner func(*Session) any) (*Session, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return nil, e.err
	}
	m, err := e.machine.Secure(time.Now(), c)
	if err != nil {
		return nil, err
	}
	s := e.session(m)
	if owner != nil {
		s.owner = owner(s)
	}
	return s, nil
}

// session is the Session of one of the machine's. The lock is held.
func (e *Endpoint) session(m *mrp.Session) *Session {
	s := e.sessions[m]
	if s == nil {
		s = &Session{e: e, s: m, closed: make(chan struct{})}
		switch {
		case m.Err() != nil:
			close(s.closed)
		case e.err != nil: // nobody else will close it
			close(s.closed)
		default:
			e.sessions[m] = s
		}
	}
	return s
}

// Open begins an exchange. It does not wait for anything.
func (s *Session) Open(ctx context.Context) (*Exchange, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	if s.e.err != nil {
		return nil, s.e.err
	}
	x, err := s.e.machine.Open(s.s)
	if err != nil {
		return nil, err
	}
	return s.e.exchange(x), nil
}

// Close ends the session. A peer with keys is told, once; an unsecured session
// goes on acknowledging duplicates for some seconds.
func (s *Session) Close(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	s.e.do(func(now time.Time) { s.e.machine.CloseSession(now, s.s) })
	return nil
}

// Owner is what the session was made for, see [Endpoint.SecureFor]; nil: it was
// not said.
func (s *Session) Owner() any { return s.owner }

// Drop ends the session without a word to the peer: one that has forgotten it
// need not be told.
func (s *Session) Drop() {
	s.e.do(func(time.Time) { s.e.machine.Drop(s.s) })
}

// Closed is closed when the session is gone: see Err.
func (s *Session) Closed() <-chan struct{} { return s.closed }

// get reads something of the session.
func get[T any](s *Session, f func(*mrp.Session) T) T {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	return f(s.s)
}

// Err is why the session is gone, nil while it is not.
func (s *Session) Err() error { return get(s, (*mrp.Session).Err) }

// Defunct reports whether the peer may have forgotten the session: it did not
// acknowledge a message and was not heard since. Then try a new one.
func (s *Session) Defunct() bool { return get(s, (*mrp.Session).Defunct) }

// Peer is where the peer was last: it may have moved since the session began.
func (s *Session) Peer() netip.AddrPort { return get(s, (*mrp.Session).Peer) }

// PeerNode is the peer's operational node id, 0 where it has none.
func (s *Session) PeerNode() uint64 { return s.s.PeerNode() }

// IsSecure reports whether messages are sealed.
func (s *Session) IsSecure() bool { return s.s.IsSecure() }

// LocalID is the session's id at this side; 0: unsecured.
func (s *Session) LocalID() uint16 { return s.s.LocalID() }

// Heard is when the peer's last new message came; zero: never.
func (s *Session) Heard() time.Time { return get(s, (*mrp.Session).Heard) }

// Parameters are the peer's, with defaults for what it did not say.
func (s *Session) Parameters() message.SessionParameters {
	return get(s, (*mrp.Session).Parameters)
}

// SetParameters replaces the peer's parameters: a handshake may tell them
// halfway.
func (s *Session) SetParameters(p message.SessionParameters) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.s.SetParameters(p)
}

// SetMargin sets what is added to the peer's intervals because the way there is
// slow: 1 to 2 s for a Thread network behind a border router. It spares the
// mesh repetitions of what is still on its way.
func (s *Session) SetMargin(d time.Duration) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.s.SetMargin(d)
}

// GivesUpAfter is the longest time that a message goes on without an
// acknowledgement, should the peer sleep.
func (s *Session) GivesUpAfter() time.Duration { return get(s, (*mrp.Session).GivesUpAfter) }

// Stats counts what is of this session.
func (s *Session) Stats() Stats { return get(s, (*mrp.Session).Stats) }

// String says which session it is.
func (s *Session) String() string { return get(s, (*mrp.Session).String) }
