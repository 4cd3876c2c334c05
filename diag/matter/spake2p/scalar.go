package spake2p

import (
	"filippo.io/bigmod"
	"filippo.io/nistec"

	"threadmap/diag/internal/p256"
)

// Sizes in octets.
const (
	PointLen    = p256.PointLen // uncompressed, 04 ‖ x ‖ y
	ConfirmLen  = 32            // of cA and cB
	KeyLen      = 16            // of Ke
	VerifierLen = p256.ScalarLen + PointLen
	wideLen     = 40 // of w0s and w1s: CRYPTO_GROUP_SIZE_BYTES + 8 (Matter Core 3.10)
)

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

// The must functions are for what is a number below n or a point for sure: the
// constants of this file, and the halves of a wide number.

func mustNat(b []byte) *bigmod.Nat {
	n, err := bigmod.NewNat().SetBytes(b, p256.Order)
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
type Scalar = p256.Scalar

// reduceWide is a number of 40 octets modulo n, in constant time: its halves
// have 160 bits each, so both are below n.
func reduceWide(b []byte) *bigmod.Nat {
	high, low := mustNat(b[:wideLen/2]), mustNat(b[wideLen/2:wideLen])
	high.Mul(twoTo160, p256.Order).Add(low, p256.Order)
	p256.Wipe(low)
	return high
}

// add is p + q.
func add(p, q *nistec.P256Point) *nistec.P256Point { return nistec.NewP256Point().Add(p, q) }

// subtract is p − q.
func subtract(p, q *nistec.P256Point) *nistec.P256Point {
	minus := nistec.NewP256Point().Negate(q)
	return minus.Add(p, minus)
}
