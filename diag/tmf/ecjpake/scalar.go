package ecjpake

import (
	"filippo.io/bigmod"
	"filippo.io/nistec"

	"threadmap/diag/internal/p256"
)

// A Scalar is a number from 1 to n−1, big-endian, n being the order of P-256.
type Scalar = p256.Scalar

// base is G, the base point. It is never written to.
var base = nistec.NewP256Point().SetGenerator()

// reduce is a number of 32 octets modulo n.
func reduce(b []byte) *bigmod.Nat {
	n, err := bigmod.NewNat().SetOverflowingBytes(b, p256.Order)
	if err != nil {
		panic(err) // 32 octets always fit: n has 256 bits
	}
	return n
}

// product is a·b mod n.
func product(a, b *bigmod.Nat) *bigmod.Nat { return copyOf(a).Mul(b, p256.Order) }

// copyOf is a Nat of its own with the value of a.
func copyOf(a *bigmod.Nat) *bigmod.Nat {
	return bigmod.NewNat().ExpandFor(p256.Order).Add(a, p256.Order)
}

// sum adds points, which may be equal or opposite.
func sum(points ...*nistec.P256Point) *nistec.P256Point {
	s := nistec.NewP256Point()
	for _, p := range points {
		s.Add(s, p)
	}
	return s
}
