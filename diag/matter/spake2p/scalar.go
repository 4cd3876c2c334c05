package spake2p

import (
	"crypto/rand"

	"filippo.io/bigmod"
	"filippo.io/nistec"
)

// Sizes in octets.
const (
	scalarLen   = 32
	PointLen    = 65 // uncompressed, 04 ‖ x ‖ y
	ConfirmLen  = 32 // of cA and cB
	KeyLen      = 16 // of Ke
	VerifierLen = scalarLen + PointLen
	wideLen     = 40 // of w0s and w1s: CRYPTO_GROUP_SIZE_BYTES + 8 (Matter Core 3.10)
)

// order is n, the order of P-256 (FIPS 186-4, D.1.2.3).
var order = mustModulus([]byte{
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
})

// twoTo160 is 2^160, by which the two halves of a wide number differ.
var twoTo160 = mustNat(append([]byte{1}, make([]byte, wideLen/2)...))

// M and N of the draft for P-256, section 4. They are never written to.
var (
	pointM = mustPoint([]byte{
		0x02, 0x88, 0x6e, 0x2f, 0x97, 0xac, 0xe4, 0x6e, 0x55, 0xba, 0x9d, 0xd7, 0x24, 0x25, 0x79, 0xf2, 0x99,
		0x3b, 0x64, 0xe1, 0x6e, 0xf3, 0xdc, 0xab, 0x95, 0xaf, 0xd4, 0x97, 0x33, 0x3d, 0x8f, 0xa1, 0x2f,
	})
	pointN = mustPoint([]byte{
		0x03, 0xd8, 0xbb, 0xd6, 0xc6, 0x39, 0xc6, 0x29, 0x37, 0xb0, 0x4d, 0x99, 0x7f, 0x38, 0xc3, 0x77, 0x07,
		0x19, 0xc6, 0x29, 0xd7, 0x01, 0x4d, 0x49, 0xa2, 0x4b, 0x4f, 0x98, 0xba, 0xa1, 0x29, 0x2b, 0x49,
	})
)

// The must functions are for the constants of this file alone.

func mustModulus(b []byte) *bigmod.Modulus {
	m, err := bigmod.NewModulus(b)
	if err != nil {
		panic(err)
	}
	return m
}

func mustNat(b []byte) *bigmod.Nat {
	n, err := bigmod.NewNat().SetBytes(b, order)
	if err != nil {
		panic(err)
	}
	return n
}

func mustPoint(b []byte) *nistec.P256Point {
	p, err := nistec.NewP256Point().SetBytes(b)
	if err != nil {
		panic(err)
	}
	return p
}

// A Scalar is a number from 1 to n−1, big-endian, n being the order of P-256.
type Scalar [scalarLen]byte

// nat is the scalar as a number; ok is false unless 1 ≤ s < n.
func (s *Scalar) nat() (n *bigmod.Nat, ok bool) {
	n, err := bigmod.NewNat().SetBytes(s[:], order)
	if err != nil || n.IsZero() == 1 {
		return nil, false
	}
	return n, true
}

// draw makes s random. crypto/rand.Read never fails.
func draw(s *Scalar) {
	for {
		rand.Read(s[:])
		if _, ok := s.nat(); ok { // else one in 2^32: try again, for an even distribution
			return
		}
	}
}

// reduceWide is a number of 40 octets modulo n, in constant time: its halves
// have 160 bits each, so both are below n.
func reduceWide(b []byte) *bigmod.Nat {
	high, low := mustNat(b[:wideLen/2]), mustNat(b[wideLen/2:wideLen])
	high.Mul(twoTo160, order).Add(low, order)
	wipe(low)
	return high
}

// wipe overwrites a number with zero.
func wipe(n *bigmod.Nat) { clear(n.Bits()) }

// readPoint is a point of the curve, uncompressed. The point at infinity has no
// such form, and every other point of P-256 is in the group: its cofactor is 1.
func readPoint(b []byte) (*nistec.P256Point, bool) {
	if len(b) != PointLen || b[0] != 4 {
		return nil, false
	}
	p, err := nistec.NewP256Point().SetBytes(b)
	return p, err == nil
}

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

// add is p + q.
func add(p, q *nistec.P256Point) *nistec.P256Point { return nistec.NewP256Point().Add(p, q) }

// subtract is p − q.
func subtract(p, q *nistec.P256Point) *nistec.P256Point {
	minus := nistec.NewP256Point().Negate(q)
	return minus.Add(p, minus)
}
