package ecjpake

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"filippo.io/bigmod"
	"filippo.io/nistec"

	"threadmap/diag/internal/p256"
)

// pointLen is the length of an uncompressed point, in octets.
const pointLen = p256.PointLen

// appendKeyKP appends X = x·g and the Schnorr proof that its sender knows x
// (RFC 8235): V = v·g, h = H(g, V, X, id), r = v − x·h mod n.
func appendKeyKP(b []byte, g, x *nistec.P256Point, private, v *bigmod.Nat, id string) ([]byte, error) {
	commitment := times(g, v)
	h := challenge(g, commitment, x, id)
	xh := product(private, h)
	r := copyOf(v).Sub(xh, p256.Order)
	p256.Wipe(xh)
	if r.IsZero() == 1 || x.IsInfinity() == 1 || commitment.IsInfinity() == 1 {
		return nil, errors.New("ecjpake: these scalars make no proof") // one in 2^256, or a test
	}
	b = appendPoint(b, x)
	b = appendPoint(b, commitment)
	// r is sent in the open, so its length may show.
	minimal := bytes.TrimLeft(r.Bytes(p256.Order), "\x00")
	return append(append(b, byte(len(minimal))), minimal...), nil
}

// readKeyKP reads X and its proof, and checks r·g + h·X == V.
func readKeyKP(b []byte, g *nistec.P256Point, id string) (x *nistec.P256Point, rest []byte, err error) {
	x, b, err = readPoint(b)
	if err != nil {
		return nil, nil, err
	}
	v, b, err := readPoint(b)
	if err != nil {
		return nil, nil, err
	}
	if len(b) < 1 || b[0] < 1 || b[0] > 32 || len(b) < 1+int(b[0]) {
		return nil, nil, ErrMalformed
	}
	var s Scalar
	n := int(b[0])
	copy(s[32-n:], b[1:1+n])
	r, ok := s.Nat()
	if !ok {
		return nil, nil, ErrProof
	}
	h := challenge(g, v, x, id)
	if sum(times(g, r), p256.Mult(x, h)).Equal(v) != 1 {
		return nil, nil, ErrProof
	}
	return x, b[1+n:], nil
}

// times is p256.Mult, faster for the base point.
func times(g *nistec.P256Point, k *bigmod.Nat) *nistec.P256Point {
	if g == base {
		return p256.BaseMult(k)
	}
	return p256.Mult(g, k)
}

// challenge is h. Every part is preceded by its length in four octets.
func challenge(g, v, x *nistec.P256Point, id string) *bigmod.Nat {
	var m []byte
	for _, part := range [][]byte{g.Bytes(), v.Bytes(), x.Bytes(), []byte(id)} {
		m = binary.BigEndian.AppendUint32(m, uint32(len(part)))
		m = append(m, part...)
	}
	h := sha256.Sum256(m)
	return reduce(h[:])
}

func appendPoint(b []byte, p *nistec.P256Point) []byte {
	return append(append(b, pointLen), p.Bytes()...)
}

// readPoint reads a point of the curve in uncompressed form, which the point at
// infinity does not have.
func readPoint(b []byte) (p *nistec.P256Point, rest []byte, err error) {
	if len(b) < 1 || len(b) < 1+int(b[0]) {
		return nil, nil, ErrMalformed
	}
	if b[0] == 1 && b[1] == 0 {
		return nil, nil, ErrPoint // infinity
	}
	if b[0] != pointLen || b[1] != 4 {
		return nil, nil, ErrMalformed
	}
	p, ok := p256.ReadPoint(b[1 : 1+pointLen])
	if !ok {
		return nil, nil, ErrPoint
	}
	return p, b[1+pointLen:], nil
}
