package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
)

// ErrDefunct is that a session does not work any more: the peer ended it, or
// says nothing on it, as one does that was restarted and has forgotten it. A
// new session may work at once.
var ErrDefunct = errors.New("the session is lost")

// A Secure is a session with a peer of which we know who it is. It must not be
// changed.
type Secure struct {
	Session *transport.Session
	Member  *fabric.Member // who we are; nil after PASE
	Peer    cert.Peer      // who it is, verified; zero after PASE
	Resumed bool           // CASE without certificates
	// Record resumes this session, in place of any other record for this peer
	// in this fabric; zero after PASE.
	Record sigma.Record

	fabricID  uint64
	challenge *[message.KeySize]byte // a pointer: package fmt does not follow it
}

// PASE reports whether the session is one of a setup code, not of certificates.
func (s *Secure) PASE() bool { return s.Member == nil }

// Node is the operational node id of the peer, 0 after PASE.
func (s *Secure) Node() uint64 { return s.Peer.NodeID }

// Fabric is the compressed id of the fabric that the session is in, 0 after
// PASE.
func (s *Secure) Fabric() uint64 { return s.fabricID }

// AttestationChallenge is what the signatures of the peer's attestation and of
// its certificate request are over, besides their payload (Core 6.2.3). It is
// for nobody else.
func (s *Secure) AttestationChallenge() [message.KeySize]byte { return *s.challenge }

// Close ends the session and tells the peer, once. It does not wait.
func (s *Secure) Close() { s.Session.Close(context.Background()) }

// Lost is err, and wraps [ErrDefunct] too if err means that the session will not
// work any more.
func (s *Secure) Lost(err error) error {
	var silent *transport.NoAckError
	switch {
	case err == nil, errors.Is(err, ErrDefunct), errors.Is(err, transport.ErrClosed):
		return err
	case errors.Is(err, transport.ErrSessionClosed), errors.As(err, &silent) && s.Session.Defunct():
		return fmt.Errorf("%w: %w", ErrDefunct, err)
	}
	return err
}

// String says which session it is.
func (s *Secure) String() string {
	if s.PASE() {
		return fmt.Sprintf("PASE %v", s.Session)
	}
	return fmt.Sprintf("CASE %v, node %016X", s.Session, s.Node())
}

// Format prints String, whatever the verb.
func (s *Secure) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// Of is the Secure that a session of the transport is; nil where it is another,
// as the unsecured one of a handshake.
func Of(s *transport.Session) *Secure {
	owner, _ := s.Owner().(*Secure)
	return owner
}

// An established is what a handshake ends in, of whatever kind.
type established struct {
	keys        *message.Keys
	local, peer uint16 // session ids
	parameters  message.SessionParameters
	initiator   bool

	// After CASE.
	member   *fabric.Member
	identity cert.Peer
	record   sigma.Record
	resumed  bool
}

// begin is the session that a handshake with the peer at an address found.
func (e established) begin(ep *transport.Endpoint, at netip.AddrPort, known message.SessionParameters, margin time.Duration) (*Secure, error) {
	defer e.keys.Wipe()
	challenge := e.keys.AttestationChallenge
	s := &Secure{Member: e.member, Peer: e.identity, Record: e.record, Resumed: e.resumed, challenge: &challenge}
	c := transport.Secured{
		LocalSessionID: e.local, PeerSessionID: e.peer, Keys: *e.keys, Initiator: e.initiator,
		PeerNodeID: e.identity.NodeID, Peer: at, Parameters: e.parameters.Or(known), Margin: margin,
	}
	if e.member != nil {
		c.LocalNodeID, s.fabricID = e.member.NodeID, e.member.CompressedID()
	}
	defer c.Keys.Wipe()
	_, err := ep.SecureFor(c, func(t *transport.Session) any {
		s.Session = t
		return s
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}
