package sigma

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/internal/establish"
	"threadmap/diag/matter/message"
)

// A Message is one to send, of the secure channel protocol (message.SecureChannel).
type Message = establish.Message

// Errors that a caller may want to tell from others. What the peer said in a
// StatusReport is a message.StatusReport in the chain of the error.
var (
	// ErrPeer is that the peer is not who it should be: its certificates, its
	// fabric, its node id or its signature.
	ErrPeer = errors.New("the peer is not who it should be")
	// ErrNoSharedRoot is that a responder is not the node that the initiator
	// looks for: not in the fabric, not with this node id.
	ErrNoSharedRoot = errors.New("the destination id is of no fabric of ours")
)

var errOver = errors.New("sigma: this handshake is over: begin a new one")

// Random are the random numbers of one side. They are an input of their own so
// that a recorded handshake can be computed again; everybody else leaves them
// out, and they come from crypto/rand.
type Random struct {
	Random       [32]byte         // initiatorRandom or responderRandom
	Ephemeral    *ecdh.PrivateKey // on P-256
	ResumptionID [16]byte         // of a responder: the one it gives out
}

// draw is *given, or fresh numbers.
func draw(given *Random) (r Random, err error) {
	if given != nil {
		r = *given
		if r.Ephemeral == nil || r.Ephemeral.Curve() != ecdh.P256() {
			return r, errors.New("sigma: Random needs an ephemeral key on P-256")
		}
		return r, nil
	}
	rand.Read(r.Random[:])
	rand.Read(r.ResumptionID[:])
	if r.Ephemeral, err = ecdh.P256().GenerateKey(rand.Reader); err != nil {
		return r, fmt.Errorf("sigma: %w", err)
	}
	return r, nil
}

// Established is what a handshake ends in.
type Established struct {
	Keys           message.Keys
	LocalSessionID uint16         // in the headers of messages to us
	PeerSessionID  uint16         // in the headers of messages to the peer
	Member         *fabric.Member // who we are in this session
	Peer           cert.Peer      // whom it is with, verified
	// PeerParameters are what the peer said of itself in the handshake.
	PeerParameters message.SessionParameters
	Resumed        bool // without certificates
	// Record resumes this session later. It takes the place of any other record
	// for this peer in this fabric.
	Record Record
}

// Busy is how a responder that has no room for another handshake answers
// Sigma1: the initiator must wait so long, in whole milliseconds up to 65535,
// before it tries again (Core 4.11.1.5).
func Busy(wait time.Duration) []Message {
	ms := uint16(min(max(wait.Milliseconds(), 0), 1<<16-1))
	return establish.Status(message.StatusReport{
		General: message.Busy, Code: message.CodeBusy, Data: []byte{byte(ms), byte(ms >> 8)},
	})
}

// A proof is what a party claims to be, and its signature.
type proof struct {
	noc, icac []byte // icac nil: none
	signature [cert.SigSize]byte
}

// prove makes the proof of a member whose ephemeral key is own; sign signs what
// the member has to.
func prove(member *fabric.Member, sign func(tbs []byte) ([cert.SigSize]byte, error), own, peer [65]byte) (p proof, err error) {
	tbs, err := encodeTBS(member.NOC, member.ICAC, own, peer)
	if err != nil {
		return p, err
	}
	p = proof{noc: member.NOC, icac: member.ICAC}
	p.signature, err = sign(tbs)
	return p, err
}

// verify checks everything about the party that p is the proof of. to is the
// fabric it must be of, tbs what it must have signed. It is the only place
// where a certificate of a peer is looked at, and the only way to a cert.Peer
// but for a Record.
func (p *proof) verify(to *fabric.Member, tbs []byte, at time.Time) (cert.Peer, error) {
	peer, err := cert.VerifyNode(to.Root, p.noc, p.icac, at)
	switch {
	case err != nil:
		return cert.Peer{}, fmt.Errorf("%w: %w", ErrPeer, err)
	case peer.FabricID != to.FabricID:
		return cert.Peer{}, fmt.Errorf("%w: it is of fabric %016X, not %016X", ErrPeer, peer.FabricID, to.FabricID)
	case !cert.Verify(peer.PublicKey, tbs, p.signature[:]):
		return cert.Peer{}, fmt.Errorf("%w: its signature is wrong", ErrPeer)
	}
	return peer, nil
}

// checkOwn checks what both roles need from their caller.
func checkOwn(session uint16, at time.Time) error {
	switch {
	case session == 0:
		return errors.New("sigma: a session has an id from 1 to 65535")
	case at.IsZero():
		return errors.New("sigma: the time is needed, to check certificates against it")
	}
	return nil
}
