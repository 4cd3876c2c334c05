package spake2p

import (
	"errors"
	"fmt"
	"io"

	"filippo.io/bigmod"
	"filippo.io/nistec"

	"threadmap/diag/hidden"
	"threadmap/diag/internal/p256"
)

// Errors that the other party can cause. Each of them ends the exchange.
var (
	ErrPoint   = errors.New("spake2p: a point is not on the curve, or is the point at infinity")
	ErrConfirm = errors.New("spake2p: the confirmation does not match: the passcodes differ, or a message was changed")
)

var (
	errOrder  = errors.New("spake2p: the steps of the exchange were taken out of order")
	errScalar = errors.New("spake2p: a scalar is not between 1 and n−1")
	errEmpty  = errors.New("spake2p: there is no secret")
)

// A Transcript names the run: both parties must have the same. Matter's
// identities are empty.
type Transcript struct {
	Context            []byte
	IDProver, IDVerify []byte
}

// A Prover is the side that knows the passcode, Matter's commissioner. It is
// for one exchange and not safe for concurrent use.
type Prover struct {
	w0, w1, x *bigmod.Nat
	own       *nistec.P256Point
	over      bool
}

// NewProver begins an exchange. x is the prover's random number, nil but in
// tests that compute a recorded exchange again.
func NewProver(s Secret, x *Scalar) (*Prover, error) {
	if s.IsZero() {
		return nil, errEmpty
	}
	n, err := random(x)
	if err != nil {
		return nil, err
	}
	return &Prover{w0: s.w.w0, w1: s.w.w1, x: n, own: add(p256.BaseMult(n), p256.Mult(pointM, s.w.w0))}, nil
}

// random is *given as a number, or a fresh one if given is nil.
func random(given *Scalar) (*bigmod.Nat, error) {
	s := new(Scalar)
	if given == nil {
		s.Draw()
	} else {
		*s = *given
	}
	defer clear(s[:])
	n, ok := s.Nat()
	if !ok {
		return nil, errScalar
	}
	return n, nil
}

// X is pA, the prover's share.
func (p *Prover) X() [PointLen]byte { return [PointLen]byte(p.own.Bytes()) }

// Finish takes the verifier's share Y and its confirmation cB, and gives the
// prover's confirmation cA and the key Ke. It can be called once.
func (p *Prover) Finish(t Transcript, y, cB []byte) (cA [ConfirmLen]byte, ke [KeyLen]byte, err error) {
	if p.over {
		return cA, ke, errOrder
	}
	p.over = true
	defer p256.Wipe(p.x)
	peer, ok := p256.ReadPoint(y)
	if !ok {
		return cA, ke, ErrPoint
	}
	base := subtract(peer, p256.Mult(pointN, p.w0))
	z, v := p256.Mult(base, p.x), p256.Mult(base, p.w1)
	if z.IsInfinity() == 1 || v.IsInfinity() == 1 {
		return cA, ke, ErrPoint
	}
	k := schedule(t, p.own, peer, z, v, p.w0)
	defer k.wipe()
	if !equal(k.confirmVerifier(p.own), cB) {
		return cA, ke, ErrConfirm
	}
	return k.confirmProver(peer), k.ke, nil
}

// A Verifier is the side that was registered with the passcode, Matter's
// device. It is for one exchange and not safe for concurrent use.
type Verifier struct {
	w0, y    *bigmod.Nat
	l        *nistec.P256Point
	own      *nistec.P256Point
	keys     *keys // nil before Respond
	expected [ConfirmLen]byte
	over     bool
}

// NewVerifier begins an exchange. y is the verifier's random number, nil but in
// tests that compute a recorded exchange again.
func NewVerifier(r Registration, y *Scalar) (*Verifier, error) {
	if r.IsZero() {
		return nil, errEmpty
	}
	n, err := random(y)
	if err != nil {
		return nil, err
	}
	return &Verifier{w0: r.r.w0, l: r.r.l, y: n, own: add(p256.BaseMult(n), p256.Mult(pointN, r.r.w0))}, nil
}

// Respond takes the prover's share X, and gives the verifier's share Y and its
// confirmation cB. It can be called once.
func (v *Verifier) Respond(t Transcript, x []byte) (y [PointLen]byte, cB [ConfirmLen]byte, err error) {
	if v.over || v.keys != nil {
		return y, cB, errOrder
	}
	defer p256.Wipe(v.y)
	peer, ok := p256.ReadPoint(x)
	if !ok {
		v.over = true
		return y, cB, ErrPoint
	}
	z := p256.Mult(subtract(peer, p256.Mult(pointM, v.w0)), v.y)
	vv := p256.Mult(v.l, v.y)
	if z.IsInfinity() == 1 || vv.IsInfinity() == 1 {
		v.over = true
		return y, cB, ErrPoint
	}
	k := schedule(t, peer, v.own, z, vv, v.w0)
	v.keys, v.expected = k, k.confirmProver(v.own)
	return [PointLen]byte(v.own.Bytes()), k.confirmVerifier(peer), nil
}

// Confirm takes the prover's confirmation cA and gives the key Ke. It can be
// called once: a wrong confirmation ends the exchange.
func (v *Verifier) Confirm(cA []byte) (ke [KeyLen]byte, err error) {
	if v.over || v.keys == nil {
		return ke, errOrder
	}
	v.over = true
	defer v.keys.wipe()
	if !equal(v.expected, cA) {
		return ke, ErrConfirm
	}
	return v.keys.ke, nil
}

// Format hides the numbers of the exchange from every verb of package fmt.
func (*Prover) Format(f fmt.State, _ rune) { io.WriteString(f, hidden.Text) }

// Format hides the numbers of the exchange from every verb of package fmt.
func (*Verifier) Format(f fmt.State, _ rune) { io.WriteString(f, hidden.Text) }
