package dtls

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"threadmap/diag/tmf/dtls/association"
	"threadmap/diag/tmf/pskc"
)

const (
	// maxSessions is how many sessions an OpenThread border agent has.
	maxSessions = 16
	// linger is how long a listener remembers a session that has ended, to
	// answer a peer that did not hear of it. OpenThread has the same.
	linger = 2 * time.Second
	// maxReadErrors in a row end a listener. Single ones are ICMP messages about
	// some peer, which some systems report on the next read.
	maxReadErrors = 32
)

// A ListenConfig says how a Listener behaves. The zero value is good.
type ListenConfig struct {
	Config
	// MaxSessions is how many sessions there can be at once, half-open ones
	// included; further clients get no answer. 0: 16. A border agent with a
	// one-time code has 1.
	MaxSessions int
	// Failed, if set, is told of each handshake that fails. It must not block
	// and not call the Listener.
	Failed func(peer netip.AddrPort, err error)
}

// A Listener is the server's side on one socket, for many peers. Its methods
// are safe for concurrent use.
type Listener struct {
	pc      net.PacketConn
	key     []byte
	cfg     ListenConfig
	cookies *association.Cookies

	accepted chan *Conn
	done     chan struct{} // closed when the socket is no longer read
	once     sync.Once

	mu       sync.Mutex
	err      error // set before done is closed
	sessions map[netip.AddrPort]*session
}

var _ net.Listener = (*Listener)(nil)

// A session is a Conn in a listener.
type session struct {
	*Conn
	peer      netip.AddrPort
	handshake *time.Timer // ends the handshake
	over      bool        // it has ended and only lingers
}

// Listen serves sessions on pc, whose addresses must be *net.UDPAddr, and takes
// possession of it. key is copied.
func Listen(pc net.PacketConn, key pskc.Secret, cfg ListenConfig) (*Listener, error) {
	if cfg.MaxSessions <= 0 {
		cfg.MaxSessions = maxSessions
	}
	l := &Listener{
		pc: pc, key: append([]byte(nil), key.Bytes()...), cfg: cfg, cookies: association.NewCookies(),
		accepted: make(chan *Conn, cfg.MaxSessions), done: make(chan struct{}), sessions: map[netip.AddrPort]*session{},
	}
	// A key that can't be used would only be noticed at the first client.
	trial, err := association.NewServer(l.key, cfg.Config)
	if err != nil {
		pc.Close()
		return nil, fmt.Errorf("dtls: listen on %v: %w", pc.LocalAddr(), err)
	}
	trial.Close()
	go l.serve()
	return l, nil
}

// Addr is that of the socket.
func (l *Listener) Addr() net.Addr { return l.pc.LocalAddr() }

// Accept waits for a session whose handshake is complete; it is a *Conn.
func (l *Listener) Accept() (net.Conn, error) { return l.AcceptWithContext(context.Background()) }

// AcceptWithContext is Accept that ends with ctx.
func (l *Listener) AcceptWithContext(ctx context.Context) (net.Conn, error) {
	select {
	case <-l.done:
		return nil, l.closedError()
	default:
	}
	select {
	case c := <-l.accepted:
		return c, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-l.done:
		return nil, l.closedError()
	}
}

func (l *Listener) closedError() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Close ends all sessions, with close_notify, and closes the socket.
func (l *Listener) Close() error {
	l.stop(&net.OpError{Op: "accept", Net: "dtls", Addr: l.pc.LocalAddr(), Err: net.ErrClosed})
	return nil
}

func (l *Listener) stop(err error) {
	l.once.Do(func() {
		l.mu.Lock()
		l.err = err
		all := make([]*session, 0, len(l.sessions))
		for _, s := range l.sessions {
			all = append(all, s)
		}
		clear(l.sessions)
		l.mu.Unlock()
		for _, s := range all {
			s.handshake.Stop()
			s.Close()
		}
		close(l.done)
		l.pc.Close()
		clear(l.key)
	})
}

func (l *Listener) serve() {
	buf := make([]byte, maxDatagram)
	failures := 0
	for {
		n, from, err := l.pc.ReadFrom(buf)
		if err != nil {
			if failures++; errors.Is(err, net.ErrClosed) || failures == maxReadErrors {
				l.stop(err)
				return
			}
			continue
		}
		failures = 0
		if peer, ok := addrPort(from); ok {
			l.receive(peer, from, buf[:n])
		}
	}
}

// receive takes in a datagram: for its session, or from a stranger.
func (l *Listener) receive(peer netip.AddrPort, from net.Addr, b []byte) {
	l.mu.Lock()
	s := l.sessions[peer]
	l.mu.Unlock()
	if s != nil && !l.beginsAnew(s, b) {
		s.take(l, b)
		return
	}
	reply, ok := l.cookies.Check(b, peer.String())
	if reply != nil {
		l.pc.WriteTo(reply, from)
	}
	if !ok {
		return
	}
	if s != nil { // the client has lost its session and shows that it is the same
		s.abandon(l)
	}
	if s = l.add(peer, from); s != nil {
		s.take(l, b)
	}
}

// beginsAnew reports whether a datagram is a ClientHello that does not belong
// to the session (RFC 6347, section 4.2.8).
func (l *Listener) beginsAnew(s *session, b []byte) bool {
	random, ok := association.HelloRandom(b)
	if !ok {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return random != s.assoc.PeerRandom()
}

// add makes a session, if there is room for it.
func (l *Listener) add(peer netip.AddrPort, from net.Addr) *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil
	}
	if len(l.sessions) >= l.cfg.MaxSessions && !l.evict() {
		return nil
	}
	a, err := association.NewServer(l.key, l.cfg.Config)
	if err != nil { // Listen has tried it
		return nil
	}
	s := &session{Conn: newConn(a, l.pc.LocalAddr(), net.UDPAddrFromAddrPort(peer)), peer: peer}
	s.write = func(b []byte) error { _, err := l.pc.WriteTo(b, from); return err }
	s.closeSocket = func() error { l.lingers(s); return nil }
	s.handshake = time.AfterFunc(a.Wait(), func() { s.timeout(l) })
	l.sessions[peer] = s
	return s
}

// evict forgets a session that only lingers. mu is held.
func (l *Listener) evict() bool {
	for peer, s := range l.sessions {
		if s.over {
			delete(l.sessions, peer)
			return true
		}
	}
	return false
}

func (l *Listener) remove(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sessions[s.peer] == s {
		delete(l.sessions, s.peer)
	}
}

// lingers keeps a session that has ended for a while.
func (l *Listener) lingers(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil || s.over {
		return
	}
	s.over = true
	time.AfterFunc(linger, func() { l.remove(s) })
}

// take gives a datagram to the session.
func (s *session) take(l *Listener, b []byte) {
	s.mu.Lock()
	before := s.assoc.Err()
	was := s.assoc.Established()
	s.assoc.Receive(b)
	is, err := s.assoc.Established(), s.assoc.Err()
	s.flush()
	s.mu.Unlock()
	if is && !was {
		s.handshake.Stop()
		select {
		case l.accepted <- s.Conn:
		default: // nobody accepts
			s.Close()
		}
	}
	if err != nil && before == nil {
		s.handshake.Stop()
		l.lingers(s)
		if !was {
			l.report(s, err)
		}
	}
}

// abandon ends a session in whose place the peer begins another.
func (s *session) abandon(l *Listener) {
	s.handshake.Stop()
	l.remove(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assoc.Abandon()
	s.flush()
}

func (s *session) timeout(l *Listener) {
	s.mu.Lock()
	before := s.assoc.Err()
	s.assoc.Timeout()
	err := s.assoc.Err()
	s.flush()
	s.mu.Unlock()
	if err != nil && before == nil {
		l.remove(s)
		l.report(s, err)
	}
}

func (l *Listener) report(s *session, err error) {
	if l.cfg.Failed != nil {
		l.cfg.Failed(s.peer, handshakeError(s.remote, err))
	}
}
