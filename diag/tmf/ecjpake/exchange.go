package ecjpake

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"filippo.io/bigmod"
	"filippo.io/nistec"

	"threadmap/diag/internal/p256"
)

// A Role is a side of the exchange.
type Role uint8

// The roles.
const (
	Client Role = iota + 1
	Server
)

// id is the identity that the role's proofs are bound to.
func (r Role) id() string {
	if r == Client {
		return "client"
	}
	return "server"
}

func (r Role) peer() Role { return Client + Server - r }

// MaxPassword is the longest password, in octets: an ephemeral key of Thread
// 1.4 has up to 32.
const MaxPassword = 32

// Scalars are the random numbers of one side. They are an input of their own
// so that a recorded exchange can be computed again; everybody else leaves
// them to [New].
type Scalars struct {
	X1, X2 Scalar // private keys of round one; the server's are x3 and x4 of the draft
	V1, V2 Scalar // of the proofs of round one
	V3     Scalar // of the proof of round two
}

// Errors that a peer can cause. Which one it was is for a person who looks for
// a fault; every one of them ends the exchange.
var (
	ErrMalformed = errors.New("ecjpake: malformed message")
	ErrPoint     = errors.New("ecjpake: a point is not on the curve, or is the point at infinity")
	ErrProof     = errors.New("ecjpake: a proof does not hold")
)

var errOrder = errors.New("ecjpake: the steps of the exchange were taken out of order")

// progress is how far an exchange got; its values are facts.
type progress uint8

const (
	created progress = iota
	roundOneRead
	roundTwoRead
	closed
)

// An Exchange is one side of an EC-JPAKE exchange. It is not safe for
// concurrent use.
type Exchange struct {
	role     Role
	progress progress

	s      *bigmod.Nat // the password modulo n
	x1, x2 *bigmod.Nat // own private keys
	v      [3]*bigmod.Nat

	own1, own2   *nistec.P256Point // own X1, X2
	peer1, peer2 *nistec.P256Point // the peer's X1, X2
	peerX        *nistec.P256Point // the peer's Xs or Xc
}

// New begins an exchange. The password (1 to [MaxPassword] octets, read as one
// big-endian number) is not hashed: give it a PSKc, or the ASCII digits of a
// one-time code. scalars is nil but in tests.
func New(role Role, password []byte, scalars *Scalars) (*Exchange, error) {
	if role != Client && role != Server {
		return nil, fmt.Errorf("ecjpake: there is no role %d", role)
	}
	if len(password) == 0 || len(password) > MaxPassword {
		return nil, fmt.Errorf("ecjpake: a password has 1 to %d octets, not %d", MaxPassword, len(password))
	}
	if scalars == nil {
		scalars = new(Scalars)
		defer func() { *scalars = Scalars{} }()
		for _, s := range scalars.all() {
			s.Draw()
		}
	}
	e := &Exchange{role: role}
	var padded [32]byte
	copy(padded[32-len(password):], password)
	e.s = reduce(padded[:])
	clear(padded[:])
	if e.s.IsZero() == 1 {
		return nil, errors.New("ecjpake: the password is zero")
	}
	for i, to := range []**bigmod.Nat{&e.x1, &e.x2, &e.v[0], &e.v[1], &e.v[2]} {
		n, ok := scalars.all()[i].Nat()
		if !ok {
			e.Close()
			return nil, errors.New("ecjpake: a scalar is not between 1 and n−1")
		}
		*to = n
	}
	e.own1, e.own2 = p256.BaseMult(e.x1), p256.BaseMult(e.x2)
	return e, nil
}

func (s *Scalars) all() [5]*Scalar { return [5]*Scalar{&s.X1, &s.X2, &s.V1, &s.V2, &s.V3} }

// RoundOne is the ECJPAKEKeyKPPairList of this side.
func (e *Exchange) RoundOne() ([]byte, error) {
	if e.progress == closed {
		return nil, errOrder
	}
	b, err := appendKeyKP(nil, base, e.own1, e.x1, e.v[0], e.role.id())
	if err != nil {
		return nil, err
	}
	return appendKeyKP(b, base, e.own2, e.x2, e.v[1], e.role.id())
}

// ReadRoundOne takes the peer's round one.
func (e *Exchange) ReadRoundOne(b []byte) error {
	if e.progress != created {
		return errOrder
	}
	first, b, err := readKeyKP(b, base, e.role.peer().id())
	if err != nil {
		return err
	}
	second, b, err := readKeyKP(b, base, e.role.peer().id())
	if err != nil {
		return err
	}
	if len(b) != 0 {
		return ErrMalformed
	}
	e.peer1, e.peer2, e.progress = first, second, roundOneRead
	return nil
}

// ecParameters says that the curve is secp256r1 (RFC 8422, section 5.4).
var ecParameters = []byte{3, 0, 0x17}

// RoundTwo is this side's ECJPAKEKeyKP: the whole body of a ServerKeyExchange,
// or of a ClientKeyExchange. It needs the peer's round one.
func (e *Exchange) RoundTwo() ([]byte, error) {
	if e.progress != roundOneRead && e.progress != roundTwoRead {
		return nil, errOrder
	}
	// GA = X1 + X3 + X4 for the client, GB = X3 + X1 + X2 for the server: the
	// first own point and both of the peer's.
	g := sum(e.own1, e.peer1, e.peer2)
	if g.IsInfinity() == 1 {
		return nil, ErrPoint
	}
	xs := e.secretTimesX2()
	defer p256.Wipe(xs)
	var b []byte
	if e.role == Server {
		b = append(b, ecParameters...)
	}
	return appendKeyKP(b, g, p256.Mult(g, xs), xs, e.v[2], e.role.id())
}

// ReadRoundTwo takes the peer's round two.
func (e *Exchange) ReadRoundTwo(b []byte) error {
	if e.progress != roundOneRead {
		return errOrder
	}
	if e.role == Client {
		if len(b) < len(ecParameters) || [3]byte(b) != [3]byte(ecParameters) {
			return ErrMalformed
		}
		b = b[len(ecParameters):]
	}
	g := sum(e.own1, e.own2, e.peer1)
	if g.IsInfinity() == 1 {
		return ErrPoint
	}
	x, b, err := readKeyKP(b, g, e.role.peer().id())
	if err != nil {
		return err
	}
	if len(b) != 0 {
		return ErrMalformed
	}
	e.peerX, e.progress = x, roundTwoRead
	return nil
}

// Premaster is the premaster secret, 32 octets: SHA-256 of the x coordinate of
// K = x2·(Xs − x2·s·X4), as the client calls the numbers. It needs the peer's
// round two.
func (e *Exchange) Premaster() ([]byte, error) {
	if e.progress != roundTwoRead {
		return nil, errOrder
	}
	k, err := e.shared()
	if err != nil {
		return nil, err
	}
	x, err := k.BytesX()
	if err != nil { // infinity
		return nil, ErrPoint
	}
	h := sha256.Sum256(x)
	clear(x)
	return h[:], nil
}

// shared is the point K.
func (e *Exchange) shared() (*nistec.P256Point, error) {
	xs := e.secretTimesX2()
	defer p256.Wipe(xs)
	blind := p256.Mult(e.peer2, xs)
	k := p256.Mult(sum(e.peerX, blind.Negate(blind)), e.x2)
	if k.IsInfinity() == 1 {
		return nil, ErrPoint
	}
	return k, nil
}

// secretTimesX2 is x2·s mod n.
func (e *Exchange) secretTimesX2() *bigmod.Nat { return product(e.x2, e.s) }

// Close wipes the secrets. The exchange can't go on.
func (e *Exchange) Close() {
	e.progress = closed
	for _, n := range []**bigmod.Nat{&e.s, &e.x1, &e.x2, &e.v[0], &e.v[1], &e.v[2]} {
		if *n != nil {
			p256.Wipe(*n)
		}
	}
}
