// Package p256 is the arithmetic on the curve P-256 (FIPS 186-4, D.1.2.3; also
// secp256r1) that password-authenticated key exchanges are made of, and that the
// standard library keeps to itself: numbers modulo the order of the group, and
// points times such numbers.
//
// What it does with numbers takes the same time whatever their values
// (filippo.io/bigmod, filippo.io/nistec). What may show is whether octets are a
// [Scalar] or a point at all.
//
// The reader is below diag/matter/spake2p and diag/tmf/ecjpake, which have the
// formulas of their exchanges. Everything is pure: octets in, octets out.
package p256

import (
	"crypto/rand"

	"filippo.io/bigmod"
	"filippo.io/nistec"
)

// Sizes in octets.
const (
	ScalarLen = 32
	PointLen  = 65 // uncompressed, 04 ‖ x ‖ y (SEC 1, 2.3.3)
)

// Order is n, the order of the group, a prime. It is never written to.
var Order = mustModulus([]byte{
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
})

func mustModulus(b []byte) *bigmod.Modulus {
	m, err := bigmod.NewModulus(b)
	if err != nil {
		panic(err) // a fault of this file
	}
	return m
}

// A Scalar is a number from 1 to n−1, big-endian.
type Scalar [ScalarLen]byte

// Nat is the scalar as a number; ok is false unless 1 ≤ s < n.
func (s *Scalar) Nat() (n *bigmod.Nat, ok bool) {
	n, err := bigmod.NewNat().SetBytes(s[:], Order)
	if err != nil || n.IsZero() == 1 {
		return nil, false
	}
	return n, true
}

// Draw makes s random, every value as likely as any other. crypto/rand.Read
// never fails.
func (s *Scalar) Draw() {
	for {
		rand.Read(s[:])
		if _, ok := s.Nat(); ok { // else one in 2^32: try again, for an even distribution
			return
		}
	}
}

// Wipe overwrites a number with zero.
func Wipe(n *bigmod.Nat) { clear(n.Bits()) }

// ReadPoint is a point of the curve, uncompressed. The point at infinity has no
// such form, and every other point of P-256 is in the group: its cofactor is 1.
func ReadPoint(b []byte) (*nistec.P256Point, bool) {
	if len(b) != PointLen || b[0] != 4 {
		return nil, false
	}
	p, err := nistec.NewP256Point().SetBytes(b)
	return p, err == nil
}

// BaseMult is k·G.
func BaseMult(k *bigmod.Nat) *nistec.P256Point {
	b := k.Bytes(Order)
	defer clear(b)
	p, err := nistec.NewP256Point().ScalarBaseMult(b)
	if err != nil {
		panic(err) // Bytes gives 32 octets
	}
	return p
}

// Mult is k·p.
func Mult(p *nistec.P256Point, k *bigmod.Nat) *nistec.P256Point {
	b := k.Bytes(Order)
	defer clear(b)
	q, err := nistec.NewP256Point().ScalarMult(p, b)
	if err != nil {
		panic(err) // Bytes gives 32 octets
	}
	return q
}
