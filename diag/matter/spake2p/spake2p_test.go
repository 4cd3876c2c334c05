package spake2p

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"filippo.io/bigmod"
	"filippo.io/nistec"

	"threadmap/diag/hidden"
	"threadmap/diag/internal/p256"
	"threadmap/diag/internal/vectors"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func scalar(b []byte) *Scalar { s := Scalar(b); return &s }

// Every number of the draft's vectors, on both sides.
func TestDraftVectors(t *testing.T) {
	all := vectors.Read(t, "testdata/draft.txt", 30)
	for _, c := range []struct{ number, prover, verifier string }{{"1", "client", "server"}, {"4", "", ""}} {
		t.Run(c.number, func(t *testing.T) {
			n := func(name string) []byte { return all[c.number+"."+name] }
			tr := Transcript{[]byte("SPAKE2+-P256-SHA256-HKDF draft-01"), []byte(c.prover), []byte(c.verifier)}
			secret := newSecret(mustNat(n("w0")), mustNat(n("w1")))
			registration := secret.Registration()
			vectors.Same(t, "w0 and L", registration.Bytes(), append(bytes.Clone(n("w0")), n("L")...))

			p, err := NewProver(secret, scalar(n("x")))
			ok(t, err)
			x := p.X()
			vectors.Same(t, "X", x[:], n("X"))
			v, err := NewVerifier(registration, scalar(n("y")))
			ok(t, err)
			y, cB, err := v.Respond(tr, x[:])
			ok(t, err)
			vectors.Same(t, "Y", y[:], n("Y"))
			vectors.Same(t, "cB", cB[:], n("cB"))
			vectors.Same(t, "the verifier's Ka", v.keys.ka[:], n("Ka"))
			vectors.Same(t, "the verifier's KcA", v.keys.kcA[:], n("KcA"))
			vectors.Same(t, "the verifier's KcB", v.keys.kcB[:], n("KcB"))
			vectors.Same(t, "the verifier's cA", v.expected[:], n("cA"))
			k := schedule(tr, mustPoint(n("X")), mustPoint(n("Y")), mustPoint(n("Z")), mustPoint(n("V")), mustNat(n("w0")))
			vectors.Same(t, "Ka", k.ka[:], n("Ka"))
			vectors.Same(t, "Ke", k.ke[:], n("Ke"))
			cA, ke, err := p.Finish(tr, y[:], cB[:])
			ok(t, err)
			vectors.Same(t, "cA", cA[:], n("cA"))
			vectors.Same(t, "the prover's Ke", ke[:], n("Ke"))
			ke, err = v.Confirm(cA[:])
			ok(t, err)
			vectors.Same(t, "the verifier's Ke", ke[:], n("Ke"))
		})
	}
}

// The share of the prover in the first vector of RFC 9383, appendix C: that
// document has another transcript, but the same group, M and N.
func TestRFC9383Share(t *testing.T) {
	un := func(s string) []byte { b, _ := hex.DecodeString(s); return b }
	p, err := NewProver(newSecret(
		mustNat(un("bb8e1bbcf3c48f62c08db243652ae55d3e5586053fca77102994f23ad95491b3")),
		mustNat(un("7e945f34d78785b8a3ef44d0df5a1a97d6b3b460409a345ca7830387a74b1dba"))),
		scalar(un("d1232c8e8693d02368976c174e2088851b8365d0d79a9eee709c6a05a2fad539")))
	ok(t, err)
	x := p.X()
	vectors.Same(t, "shareP", x[:], un("04ef3bd051bf78a2234ec0df197f7828060fe9856503579bb1733009042c15c0c1de127727f418b5966afadfdd95a6e4591d171056b333dab97a79c7193e341727"))
}

// One run with Matter's context, from the passcode to the key.
func TestMatterVector(t *testing.T) {
	n := vectors.Read(t, "testdata/pase.txt", 12)
	secret, err := Derive(20202021, n["salt"], 1000)
	ok(t, err)
	vectors.Same(t, "w0", secret.w.w0.Bytes(p256.Order), n["w0"])
	vectors.Same(t, "w1", secret.w.w1.Bytes(p256.Order), n["w1"])
	registration, err := ParseRegistration(append(bytes.Clone(n["w0"]), n["L"]...))
	ok(t, err)
	if !registration.Equal(secret.Registration()) {
		t.Error("the registration is not that of the passcode")
	}
	tr := Transcript{Context: n["context"]}
	p, err := NewProver(secret, scalar(n["x"]))
	ok(t, err)
	x := p.X()
	vectors.Same(t, "X", x[:], n["X"])
	v, err := NewVerifier(registration, scalar(n["y"]))
	ok(t, err)
	y, cB, err := v.Respond(tr, x[:])
	ok(t, err)
	vectors.Same(t, "Y", y[:], n["Y"])
	vectors.Same(t, "cB", cB[:], n["cB"])
	cA, ke, err := p.Finish(tr, y[:], cB[:])
	ok(t, err)
	vectors.Same(t, "cA", cA[:], n["cA"])
	vectors.Same(t, "Ke", ke[:], n["Ke"])
}

// reduceWide against the long division of bigmod's own.
func TestReduceWide(t *testing.T) {
	ones := bytes.Repeat([]byte{0xff}, wideLen)
	n := p256.Order.Nat().Bytes(p256.Order)
	for _, b := range [][]byte{
		make([]byte, wideLen), ones,
		append(make([]byte, 8), n...), // n itself is 0
		append(append(make([]byte, 7), 1), n...),
		append([]byte{0x80}, make([]byte, wideLen-1)...),
	} {
		want := bigmod.NewNat().ExpandFor(p256.Order)
		base, _ := bigmod.NewNat().SetBytes([]byte{1, 0}, p256.Order)
		for _, octet := range b { // Horner, an octet at a time
			d, _ := bigmod.NewNat().SetBytes([]byte{octet}, p256.Order)
			want.Mul(base, p256.Order).Add(d, p256.Order)
		}
		vectors.Same(t, fmt.Sprintf("%x mod n", b), reduceWide(b).Bytes(p256.Order), want.Bytes(p256.Order))
	}
}

var salt = []byte("SPAKE2P Key Salt")

func secretOf(t testing.TB, passcode uint32) Secret {
	t.Helper()
	s, err := Derive(passcode, salt, MinIterations)
	ok(t, err)
	return s
}

// TestDiffer runs exchanges whose parties differ in one thing: none may agree.
func TestDiffer(t *testing.T) {
	good := secretOf(t, 20202021)
	for _, c := range []struct {
		what   string
		prover Secret
		tr     Transcript
	}{
		{"the passcode", secretOf(t, 20202022), Transcript{}},
		{"the context", good, Transcript{Context: []byte{0}}},
		{"the prover's identity", good, Transcript{IDProver: []byte{0}}},
		{"the verifier's identity", good, Transcript{IDVerify: []byte{0}}},
	} {
		p, err := NewProver(c.prover, nil)
		ok(t, err)
		v, err := NewVerifier(good.Registration(), nil)
		ok(t, err)
		x := p.X()
		y, cB, err := v.Respond(Transcript{}, x[:])
		ok(t, err)
		_, ke, err := p.Finish(c.tr, y[:], cB[:])
		if !errors.Is(err, ErrConfirm) || ke != [KeyLen]byte{} {
			t.Errorf("%s: %v, key %x", c.what, err, ke)
		}
		if _, err := v.Confirm(make([]byte, ConfirmLen)); !errors.Is(err, ErrConfirm) {
			t.Errorf("%s: the verifier says %v", c.what, err)
		}
	}
}

// notPoints are octets that are not a point other than infinity.
func notPoints(t *testing.T) map[string][]byte {
	g := nistec.NewP256Point().SetGenerator()
	off := g.Bytes()
	off[64] ^= 1
	p := append([]byte{4}, bytes.Repeat([]byte{0xff}, 64)...)
	return map[string][]byte{
		"nothing": nil, "infinity": {0}, "infinity, padded": make([]byte, PointLen), "compressed": g.BytesCompressed(),
		"off the curve": off, "coordinates above p": p, "too long": append(g.Bytes(), 0), "too short": g.Bytes()[:64],
		"hybrid form": append([]byte{6}, g.Bytes()[1:]...), "x = y = 0": append([]byte{4}, make([]byte, 64)...),
	}
}

func TestPoints(t *testing.T) {
	s := secretOf(t, 20202021)
	check := func(what string, share, proverShare []byte) {
		t.Helper()
		p, err := NewProver(s, nil)
		ok(t, err)
		if _, ke, err := p.Finish(Transcript{}, share, make([]byte, ConfirmLen)); !errors.Is(err, ErrPoint) || ke != [KeyLen]byte{} {
			t.Errorf("prover, %s: %v", what, err)
		}
		v, err := NewVerifier(s.Registration(), nil)
		ok(t, err)
		if _, _, err := v.Respond(Transcript{}, proverShare); !errors.Is(err, ErrPoint) {
			t.Errorf("verifier, %s: %v", what, err)
		}
		if _, err := v.Confirm(make([]byte, ConfirmLen)); err == nil {
			t.Errorf("verifier, %s: it went on", what)
		}
	}
	for what, b := range notPoints(t) {
		check(what, b, b)
		if _, err := ParseRegistration(append(make([]byte, p256.ScalarLen), b...)); err == nil {
			t.Errorf("registration: L may be %s", what)
		}
	}
	// The shares that make Z and V the point at infinity whatever the other
	// party's number is.
	check("w0·N and w0·M", p256.Mult(pointN, s.w.w0).Bytes(), p256.Mult(pointM, s.w.w0).Bytes())
}

func TestSteps(t *testing.T) {
	s := secretOf(t, 20202021)
	p, err := NewProver(s, nil)
	ok(t, err)
	v, err := NewVerifier(s.Registration(), nil)
	ok(t, err)
	if _, err := v.Confirm(make([]byte, ConfirmLen)); err == nil {
		t.Error("confirmed before the exchange began")
	}
	x := p.X()
	y, cB, err := v.Respond(Transcript{}, x[:])
	ok(t, err)
	if _, _, err := v.Respond(Transcript{}, x[:]); err == nil {
		t.Error("responded twice")
	}
	if _, _, err := p.Finish(Transcript{}, y[:], cB[:31]); !errors.Is(err, ErrConfirm) {
		t.Errorf("a confirmation cut short: %v", err)
	}
	if _, _, err := p.Finish(Transcript{}, y[:], cB[:]); err == nil {
		t.Error("a second guess was allowed")
	}
	if _, err := v.Confirm(nil); !errors.Is(err, ErrConfirm) {
		t.Errorf("no confirmation: %v", err)
	}
	expected := v.expected
	if _, err := v.Confirm(expected[:]); err == nil {
		t.Error("a second guess was allowed")
	}
	for _, c := range []func() error{
		func() error { _, err := NewProver(Secret{}, nil); return err },
		func() error { _, err := NewVerifier(Registration{}, nil); return err },
		func() error { _, err := NewProver(s, &Scalar{}); return err },
		func() error { _, err := NewProver(s, scalar(p256.Order.Nat().Bytes(p256.Order))); return err },
		func() error { _, err := NewVerifier(s.Registration(), &Scalar{}); return err },
	} {
		if c() == nil {
			t.Error("a bad argument was taken")
		}
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct {
		passcode, iterations uint32
		salt                 int
		fine                 bool
	}{
		{1, 1000, 16, true}, {99999998, 1000, 32, true},
		{0, 1000, 16, false}, {99999999, 1000, 16, false}, {100000000, 1000, 16, false}, {1<<32 - 1, 1000, 16, false},
		{11111111, 1000, 16, false}, {88888888, 1000, 16, false}, {12345678, 1000, 16, false}, {87654321, 1000, 16, false},
		{1, 999, 16, false}, {1, 100001, 16, false}, {1, 0, 16, false}, {1, 1<<32 - 1, 16, false},
		{1, 1000, 15, false}, {1, 1000, 33, false}, {1, 1000, 0, false},
	} {
		_, err := Derive(c.passcode, make([]byte, c.salt), c.iterations)
		if (err == nil) != c.fine {
			t.Errorf("%+v: %v", c, err)
		}
	}
	r := secretOf(t, 20202021).Registration().Bytes()
	for what, b := range map[string][]byte{
		"empty": nil, "short": r[:96], "long": append(bytes.Clone(r), 0),
		"w0 = 0": append(make([]byte, p256.ScalarLen), r[p256.ScalarLen:]...),
		"w0 = n": append(p256.Order.Nat().Bytes(p256.Order), r[p256.ScalarLen:]...),
	} {
		if _, err := ParseRegistration(b); err == nil {
			t.Errorf("a registration may be %s", what)
		}
	}
}

// No way of printing tells a secret, alone or inside of another value.
func TestNothingPrinted(t *testing.T) {
	s := secretOf(t, 20202021)
	r := s.Registration()
	w0 := s.w.w0.Bytes(p256.Order)
	p, err := NewProver(s, nil)
	ok(t, err)
	var all strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d"} {
		fmt.Fprintf(&all, verb+verb+verb+verb+verb, s, r, struct{ a any }{s}, struct{ b Registration }{r}, struct{ p *Prover }{p})
		fmt.Fprintf(&all, verb, p)
	}
	j, err := json.Marshal([]any{s, r, p, map[string]any{"s": s}})
	ok(t, err)
	all.Write(j)
	bits := fmt.Sprint(s.w.w0.Bits())
	for _, bad := range []string{string(w0), hex.EncodeToString(w0), strings.ToUpper(hex.EncodeToString(w0)), fmt.Sprint(w0), strings.Trim(bits, "[]")} {
		if strings.Contains(all.String(), bad) {
			t.Errorf("a secret was printed: %s", all.String())
		}
	}
	if !strings.Contains(all.String(), hidden.Text) {
		t.Error("nothing says that there is a secret")
	}
}

func BenchmarkDerive(b *testing.B) {
	for _, n := range []uint32{MinIterations, MaxIterations} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := Derive(20202021, salt, n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkExchange(b *testing.B) {
	s := secretOf(b, 20202021)
	r := s.Registration()
	for b.Loop() {
		p, _ := NewProver(s, nil)
		v, _ := NewVerifier(r, nil)
		x := p.X()
		y, cB, err := v.Respond(Transcript{}, x[:])
		ok(b, err)
		cA, _, err := p.Finish(Transcript{}, y[:], cB[:])
		ok(b, err)
		_, err = v.Confirm(cA[:])
		ok(b, err)
	}
}
