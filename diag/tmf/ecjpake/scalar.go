package ecjpake

import (
	"filippo.io/bigmod"
	"filippo.io/nistec"
)

// order is n, the order of P-256 (FIPS 186-4, D.1.2.3).
var order = mustModulus([]byte{
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
})

// base is G, the base point. It is never written to.
var base = nistec.NewP256Point().SetGenerator()

func mustModulus(b []byte) *bigmod.Modulus {
	m, err := bigmod.NewModulus(b)
	if err != nil {
		panic(err) // a fault of this file
	}
	return m
}

// nat is the scalar as a number; ok is false unless 1 ≤ s < n.
func (s *Scalar) nat() (n *bigmod.Nat, ok bool) {
	n, err := bigmod.NewNat().SetBytes(s[:], order)
	if err != nil || n.IsZero() == 1 {
		return nil, false
	}
	return n, true
}

// reduce is a number of 32 octets modulo n.
func reduce(b []byte) *bigmod.Nat {
	n, err := bigmod.NewNat().SetOverflowingBytes(b, order)
	if err != nil {
		panic(err) // 32 octets always fit: n has 256 bits
	}
	return n
}

// product is a·b mod n.
func product(a, b *bigmod.Nat) *bigmod.Nat { return copyOf(a).Mul(b, order) }

// copyOf is a Nat of its own with the value of a.
func copyOf(a *bigmod.Nat) *bigmod.Nat { return bigmod.NewNat().ExpandFor(order).Add(a, order) }

// wipe overwrites a number with zero.
func wipe(n *bigmod.Nat) { clear(n.Bits()) }

// baseMult is k·G.
func baseMult(k *bigmod.Nat) *nistec.P256Point {
	b := k.Bytes(order)
	defer clear(b)
	p, err := nistec.NewP256Point().ScalarBaseMult(b)
	if err != nil {
		panic(err) // Bytes gives 32 octets
	}
	return p
}

// mult is k·p.
func mult(p *nistec.P256Point, k *bigmod.Nat) *nistec.P256Point {
	b := k.Bytes(order)
	defer clear(b)
	q, err := nistec.NewP256Point().ScalarMult(p, b)
	if err != nil {
		panic(err) // Bytes gives 32 octets
	}
	return q
}

// sum adds points, which may be equal or opposite.
func sum(points ...*nistec.P256Point) *nistec.P256Point {
	s := nistec.NewP256Point()
	for _, p := range points {
		s.Add(s, p)
	}
	return s
}
