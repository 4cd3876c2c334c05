package p256

import (
	"bytes"
	"crypto/ecdh"
	"crypto/elliptic"
	"encoding/hex"
	"testing"

	"filippo.io/bigmod"
	"filippo.io/nistec"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOrder(t *testing.T) {
	if n := elliptic.P256().Params().N.Bytes(); !bytes.Equal(Order.Nat().Bytes(Order), n) || len(n) != ScalarLen {
		t.Errorf("the order is %x, not %x", n, Order.Nat().Bytes(Order))
	}
}

func TestScalar(t *testing.T) {
	n := Scalar(Order.Nat().Bytes(Order))
	below, above := n, n
	below[ScalarLen-1]--
	above[ScalarLen-1]++
	for _, c := range []struct {
		what string
		s    Scalar
		fine bool
	}{
		{"0", Scalar{}, false},
		{"1", Scalar{31: 1}, true},
		{"2^255", Scalar{0x80}, true},
		{"n - 1", below, true},
		{"n", n, false},
		{"n + 1", above, false},
		{"2^256 - 1", Scalar(bytes.Repeat([]byte{0xff}, ScalarLen)), false},
	} {
		nat, ok := c.s.Nat()
		if ok != c.fine || ok != (nat != nil) {
			t.Errorf("%s: %v", c.what, ok)
		}
		if ok && !bytes.Equal(nat.Bytes(Order), c.s[:]) {
			t.Errorf("%s is %x", c.what, nat.Bytes(Order))
		}
	}
}

func TestDraw(t *testing.T) {
	drawn := map[Scalar]bool{}
	var ever Scalar
	for range 100 {
		var s Scalar
		s.Draw()
		if _, ok := s.Nat(); !ok {
			t.Errorf("%x is no scalar", s)
		}
		for i, b := range s {
			ever[i] |= b
		}
		drawn[s] = true
	}
	if len(drawn) != 100 {
		t.Errorf("100 scalars, and only %d of them differ", len(drawn))
	}
	for i, b := range ever { // an octet is 0 a hundred times in a row with p = 2^-800
		if b == 0 {
			t.Errorf("octet %d is never drawn", i)
		}
	}
}

func TestWipe(t *testing.T) {
	s := Scalar{0x12, 31: 0x34}
	n, _ := s.Nat()
	Wipe(n)
	for _, limb := range n.Bits() {
		if limb != 0 {
			t.Fatalf("%x is left", n.Bits())
		}
	}
}

// The first vector for P-256 of NIST's ECC CDH Primitive Test Vectors (SP
// 800-56A, 5.7.1.2).
func TestCDHVector(t *testing.T) {
	private := Scalar(unhex(t, "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534"))
	public := unhex(t, "04ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b23028af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141")
	peer, ok := ReadPoint(unhex(t, "04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac"))
	k, fine := private.Nat()
	if !ok || !fine {
		t.Fatal("the vector is not read")
	}
	if got := BaseMult(k).Bytes(); !bytes.Equal(got, public) {
		t.Errorf("k·G:\n%x, want\n%x", got, public)
	}
	x, err := Mult(peer, k).BytesX()
	if want := unhex(t, "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b"); err != nil || !bytes.Equal(x, want) {
		t.Errorf("x of k·Q:\n%x, %v, want\n%x", x, err, want)
	}
	if got := k.Bytes(Order); !bytes.Equal(got, private[:]) {
		t.Errorf("k was changed to %x", got)
	}
}

// Drawn numbers against the standard library, which does not take the points
// and numbers that an exchange needs, but computes the same.
func TestAgainstECDH(t *testing.T) {
	for range 20 {
		var a, b Scalar
		a.Draw()
		b.Draw()
		an, _ := a.Nat()
		bn, _ := b.Nat()
		own, err := ecdh.P256().NewPrivateKey(a[:])
		if err != nil {
			t.Fatal(err)
		}
		other, err := ecdh.P256().NewPrivateKey(b[:])
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(BaseMult(an).Bytes(), own.PublicKey().Bytes()) {
			t.Errorf("%x·G is not that of crypto/ecdh", a)
		}
		want, err := own.ECDH(other.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		x, err := Mult(BaseMult(bn), an).BytesX()
		if err != nil || !bytes.Equal(x, want) {
			t.Errorf("%x·(%x·G) is not that of crypto/ecdh", a, b)
		}
	}
}

func TestMultEdges(t *testing.T) {
	g := nistec.NewP256Point().SetGenerator()
	zero := bigmod.NewNat().ExpandFor(Order)
	if BaseMult(zero).IsInfinity() != 1 || Mult(g, zero).IsInfinity() != 1 {
		t.Error("0·G is not the point at infinity")
	}
	last, _ := (&Scalar{31: 1}).Nat()
	minus := bigmod.NewNat().ExpandFor(Order).Sub(last, Order) // n − 1
	want := nistec.NewP256Point().Negate(g)
	if BaseMult(minus).Equal(want) != 1 || Mult(g, minus).Equal(want) != 1 {
		t.Error("(n−1)·G is not −G")
	}
}

func TestReadPoint(t *testing.T) {
	g := nistec.NewP256Point().SetGenerator()
	if p, ok := ReadPoint(g.Bytes()); !ok || p.Equal(g) != 1 {
		t.Error("G is not read")
	}
	edit := func(f func(b []byte) []byte) []byte { return f(g.Bytes()) }
	for what, b := range map[string][]byte{
		"nothing": nil, "infinity": {0}, "infinity, padded": make([]byte, PointLen),
		"compressed":          g.BytesCompressed(),
		"hybrid":              edit(func(b []byte) []byte { b[0] = 6 | b[64]&1; return b }),
		"off the curve":       edit(func(b []byte) []byte { b[64] ^= 1; return b }),
		"of coordinates 0":    edit(func(b []byte) []byte { clear(b[1:]); return b }),
		"of coordinates ≥ p":  append([]byte{4}, bytes.Repeat([]byte{0xff}, PointLen-1)...),
		"an octet too short":  edit(func(b []byte) []byte { return b[:PointLen-1] }),
		"an octet too long":   edit(func(b []byte) []byte { return append(b, 0) }),
		"without its first 4": edit(func(b []byte) []byte { return b[1:] }),
	} {
		if _, ok := ReadPoint(b); ok {
			t.Errorf("a point may be %s", what)
		}
	}
}
