package ecjpake

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"filippo.io/bigmod"
	"filippo.io/nistec"

	"threadmap/diag/internal/p256"
	"threadmap/diag/internal/vectors"
)

func knownAnswers(t testing.TB) map[string][]byte {
	t.Helper()
	return vectors.Read(t, "testdata/kat.txt", 11)
}

func must(t testing.TB, b []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// nonce recovers the v of a proof, which the known answers leave out:
// v = r + x·h mod n. at is where the proof's ECJPAKEKeyKP begins in b.
func nonce(t *testing.T, b []byte, at int, g *nistec.P256Point, private []byte, id string) (v Scalar) {
	t.Helper()
	x, rest, err := readPoint(b[at:])
	ok(t, err)
	commitment, rest, err := readPoint(rest)
	ok(t, err)
	var r [32]byte
	copy(r[32-int(rest[0]):], rest[1:1+rest[0]])
	xh := product(reduce(private), challenge(g, commitment, x, id))
	copy(v[:], xh.Add(reduce(r[:]), p256.Order).Bytes(p256.Order))
	return v
}

func point(t *testing.T, private []byte) *nistec.P256Point {
	p, err := nistec.NewP256Point().ScalarBaseMult(private)
	ok(t, err)
	return p
}

// Every number of the self test of Mbed TLS, on both sides.
func TestKnownAnswers(t *testing.T) {
	kat := knownAnswers(t)
	x1, x2, x3, x4 := kat["x1"], kat["x2"], kat["x3"], kat["x4"]
	ga := sum(point(t, x1), point(t, x3), point(t, x4))
	gb := sum(point(t, x3), point(t, x1), point(t, x2))
	password := reduce(append(make([]byte, 32-len(kat["password"])), kat["password"]...))
	xc := product(reduce(x2), password).Bytes(p256.Order)
	xs := product(reduce(x4), password).Bytes(p256.Order)
	second := 2*(1+pointLen) + 1 + int(kat["cli_one"][2*(1+pointLen)])

	cs := &Scalars{
		X1: Scalar(x1), X2: Scalar(x2),
		V1: nonce(t, kat["cli_one"], 0, base, x1, "client"),
		V2: nonce(t, kat["cli_one"], second, base, x2, "client"),
		V3: nonce(t, kat["cli_two"], 0, ga, xc, "client"),
	}
	if want := "4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f61"; hex.EncodeToString(cs.V1[:]) != want {
		t.Errorf("v1 = %x, want %s", cs.V1, want)
	}
	second = 2*(1+pointLen) + 1 + int(kat["srv_one"][2*(1+pointLen)])
	ss := &Scalars{
		X1: Scalar(x3), X2: Scalar(x4),
		V1: nonce(t, kat["srv_one"], 0, base, x3, "server"),
		V2: nonce(t, kat["srv_one"], second, base, x4, "server"),
		V3: nonce(t, kat["srv_two"], len(ecParameters), gb, xs, "server"),
	}
	client, err := New(Client, kat["password"], cs)
	ok(t, err)
	server, err := New(Server, kat["password"], ss)
	ok(t, err)

	one := must2(t)(client.RoundOne())
	vectors.Same(t, "client's round one", one, kat["cli_one"])
	vectors.Same(t, "client's round one, asked again", must2(t)(client.RoundOne()), kat["cli_one"])
	ok(t, server.ReadRoundOne(one))
	one = must2(t)(server.RoundOne())
	vectors.Same(t, "server's round one", one, kat["srv_one"])
	ok(t, client.ReadRoundOne(one))
	two := must2(t)(server.RoundTwo())
	vectors.Same(t, "server's round two", two, kat["srv_two"])
	ok(t, client.ReadRoundTwo(two))
	two = must2(t)(client.RoundTwo())
	vectors.Same(t, "client's round two", two, kat["cli_two"])
	ok(t, server.ReadRoundTwo(two))
	for name, e := range map[string]*Exchange{"client": client, "server": server} {
		k, err := e.shared()
		ok(t, err)
		vectors.Same(t, name+"'s shared point", k.Bytes(), kat["shared_key"])
		vectors.Same(t, name+"'s premaster secret", must2(t)(e.Premaster()), kat["pms"])
	}
}

// TestLive computes the client's side of a session with a real border agent:
// its messages, and the premaster secret that the agent agreed on.
func TestLive(t *testing.T) {
	live := vectors.Read(t, "testdata/live.txt", 11)
	client, err := New(Client, live["password"], &Scalars{
		X1: Scalar(live["x1"]), X2: Scalar(live["x2"]), V1: Scalar(live["v1"]), V2: Scalar(live["v2"]), V3: Scalar(live["v3"]),
	})
	ok(t, err)
	vectors.Same(t, "client's round one", must2(t)(client.RoundOne()), live["cli_one"])
	ok(t, client.ReadRoundOne(live["srv_one"]))
	ok(t, client.ReadRoundTwo(live["srv_two"]))
	vectors.Same(t, "client's round two", must2(t)(client.RoundTwo()), live["cli_two"])
	vectors.Same(t, "premaster secret", must2(t)(client.Premaster()), live["pms"])
}

func must2(t testing.TB) func([]byte, error) []byte {
	return func(b []byte, err error) []byte { t.Helper(); return must(t, b, err) }
}

// pair runs an exchange up to but without the second messages.
func pair(t testing.TB, clientPassword, serverPassword string) (client, server *Exchange) {
	t.Helper()
	client, err := New(Client, []byte(clientPassword), nil)
	ok(t, err)
	server, err = New(Server, []byte(serverPassword), nil)
	ok(t, err)
	ok(t, server.ReadRoundOne(must2(t)(client.RoundOne())))
	ok(t, client.ReadRoundOne(must2(t)(server.RoundOne())))
	return client, server
}

func TestPasswords(t *testing.T) {
	for _, c := range []struct {
		client, server string
		same           bool
	}{
		{"475689122", "475689122", true},
		{"475689122", "475689123", false},
		{strings.Repeat("\xff", 32), strings.Repeat("\xff", 32), true}, // larger than n
		{"\x01", "\x01", true},
		{"\x01", "\x00\x01", true}, // a number has no leading zeros
	} {
		client, server := pair(t, c.client, c.server)
		ok(t, client.ReadRoundTwo(must2(t)(server.RoundTwo())))
		ok(t, server.ReadRoundTwo(must2(t)(client.RoundTwo())))
		a, b := must2(t)(client.Premaster()), must2(t)(server.Premaster())
		if bytes.Equal(a, b) != c.same {
			t.Errorf("%q and %q: %x, %x", c.client, c.server, a, b)
		}
	}
	for _, p := range []string{"", "\x00\x00", strings.Repeat("x", 33), string(p256.Order.Nat().Bytes(p256.Order))} {
		if _, err := New(Client, []byte(p), nil); err == nil {
			t.Errorf("the password %q was accepted", p)
		}
	}
	if _, err := New(0, []byte("x"), nil); err == nil {
		t.Error("there is a role 0")
	}
}

func TestScalarsOutOfRange(t *testing.T) {
	one := Scalar{31: 1}
	n := Scalar(p256.Order.Nat().Bytes(p256.Order))
	for i := range 5 {
		for name, bad := range map[string]Scalar{"0": {}, "n": n} {
			s := &Scalars{one, one, one, one, one}
			*s.all()[i] = bad
			if _, err := New(Client, []byte("x"), s); err == nil {
				t.Errorf("scalar %d may be %s", i, name)
			}
		}
	}
}

// tampered is a message with one thing wrong, and the error it should give.
type tampered struct {
	what string
	b    []byte
	want error
}

// tamper makes all kinds of wrong messages of one ECJPAKEKeyKP at octet `at`.
func tamper(t testing.TB, good []byte, at int) []tampered {
	edit := func(f func([]byte) []byte) []byte { return f(bytes.Clone(good)) }
	rLen := at + 2*(1+pointLen)
	n := int(good[rLen])
	replaceR := func(r []byte) []byte {
		b := append(bytes.Clone(good[:rLen]), byte(len(r)))
		b = append(b, r...)
		return append(b, good[rLen+1+n:]...)
	}
	order := p256.Order.Nat().Bytes(p256.Order)
	var out []tampered
	for i, name := range []string{"X", "V"} {
		p := at + i*(1+pointLen)
		out = append(out,
			tampered{name + " off the curve", edit(func(b []byte) []byte { b[p+pointLen] ^= 1; return b }), ErrPoint},
			tampered{name + " at infinity", edit(func(b []byte) []byte { return append(append(b[:p:p], 1, 0), b[p+1+pointLen:]...) }), ErrPoint},
			tampered{name + " with coordinates of zero", edit(func(b []byte) []byte { clear(b[p+2 : p+1+pointLen]); return b }), ErrPoint},
			tampered{name + " with coordinates over p", edit(func(b []byte) []byte {
				for j := p + 2; j < p+1+pointLen; j++ {
					b[j] = 0xff
				}
				return b
			}), ErrPoint},
			tampered{name + " compressed", edit(func(b []byte) []byte {
				c := append(b[:p:p], 33, 2|b[p+pointLen]&1)
				return append(append(c, b[p+2:p+34]...), b[p+1+pointLen:]...)
			}), ErrMalformed},
			tampered{name + " in hybrid form", edit(func(b []byte) []byte { b[p+1] = 6 | b[p+pointLen]&1; return b }), ErrMalformed},
			tampered{name + " without octets", edit(func(b []byte) []byte { return append(append(b[:p:p], 0), b[p+1+pointLen:]...) }), ErrMalformed},
			tampered{name + " negated", edit(func(b []byte) []byte {
				q, err := nistec.NewP256Point().SetBytes(b[p+1 : p+1+pointLen])
				ok(t, err)
				copy(b[p+1:], q.Negate(q).Bytes())
				return b
			}), ErrProof},
			tampered{name + " = G", edit(func(b []byte) []byte {
				copy(b[p+1:], nistec.NewP256Point().SetGenerator().Bytes())
				return b
			}), ErrProof},
		)
	}
	return append(out,
		tampered{"r of no octets", replaceR(nil), ErrMalformed},
		tampered{"r of 33 octets", replaceR(append([]byte{0}, append(make([]byte, 32-n), good[rLen+1:rLen+1+n]...)...)), ErrMalformed},
		tampered{"r = 0", replaceR([]byte{0}), ErrProof},
		tampered{"r = n", replaceR(order), ErrProof},
		tampered{"r over n", replaceR(bytes.Repeat([]byte{0xff}, 32)), ErrProof},
		tampered{"r + 1", edit(func(b []byte) []byte { b[rLen+n]++; return b }), ErrProof},
	)
}

// A message with anything wrong is refused, by either role, and the exchange
// goes on with the right message all the same.
func TestTampered(t *testing.T) {
	client, server := pair(t, "pw", "pw")
	for _, c := range []struct {
		name    string
		role    Role // who reads
		message []byte
		read    func(*Exchange, []byte) error
		at      []int
	}{
		{"round one", Server, must2(t)(client.RoundOne()), (*Exchange).ReadRoundOne, []int{0, 2*(1+pointLen) + 1 + int(must2(t)(client.RoundOne())[2*(1+pointLen)])}},
		{"server's round two", Client, must2(t)(server.RoundTwo()), (*Exchange).ReadRoundTwo, []int{len(ecParameters)}},
		{"client's round two", Server, must2(t)(client.RoundTwo()), (*Exchange).ReadRoundTwo, []int{0}},
	} {
		reader := map[Role]*Exchange{Client: client, Server: server}[c.role]
		if c.name == "round one" {
			fresh, err := New(Server, []byte("pw"), nil)
			ok(t, err)
			reader = fresh
		}
		for _, at := range c.at {
			for _, m := range tamper(t, c.message, at) {
				if err := c.read(reader, m.b); !errors.Is(err, m.want) {
					t.Errorf("%s, key at %d, %s: %v, want %v", c.name, at, m.what, err, m.want)
				}
			}
		}
		for n := range c.message {
			if err := c.read(reader, c.message[:n]); err == nil {
				t.Errorf("%s: %d of %d octets were accepted", c.name, n, len(c.message))
			}
		}
		if err := c.read(reader, append(bytes.Clone(c.message), 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: an octet too many: %v", c.name, err)
		}
		if err := c.read(reader, c.message); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// What a side said itself proves nothing when it comes back.
func TestReflection(t *testing.T) {
	client, err := New(Client, []byte("pw"), nil)
	ok(t, err)
	if err := client.ReadRoundOne(must2(t)(client.RoundOne())); !errors.Is(err, ErrProof) {
		t.Errorf("the client took its own round one: %v", err)
	}
}

// Leading zeros of r are optional when read, and never written.
func TestShortR(t *testing.T) {
	found := false
	for range 6000 { // a proof is short with p = 1/256: (255/256)^6000 = 6·10^-11
		e, err := New(Client, []byte("pw"), nil)
		ok(t, err)
		b := must2(t)(e.RoundOne())
		at := 2 * (1 + pointLen)
		if b[at+1] == 0 {
			t.Fatal("a leading zero was written")
		}
		if b[at] == 32 {
			continue
		}
		found = true
		server, err := New(Server, []byte("pw"), nil)
		ok(t, err)
		padded := append(bytes.Clone(b[:at]), 32)
		padded = append(padded, make([]byte, 32-b[at])...)
		padded = append(padded, b[at+1:]...)
		ok(t, server.ReadRoundOne(padded))
		server, err = New(Server, []byte("pw"), nil)
		ok(t, err)
		ok(t, server.ReadRoundOne(b))
		break
	}
	if !found {
		t.Error("no short r in 6000 exchanges")
	}
}

// The steps can't be taken out of order.
func TestOrder(t *testing.T) {
	client, server := pair(t, "pw", "pw")
	fresh, err := New(Client, []byte("pw"), nil)
	ok(t, err)
	two := must2(t)(server.RoundTwo())
	if _, err := fresh.RoundTwo(); err == nil {
		t.Error("round two before the peer's round one")
	}
	if err := fresh.ReadRoundTwo(two); err == nil {
		t.Error("the peer's round two before its round one")
	}
	if _, err := client.Premaster(); err == nil {
		t.Error("premaster secret before the peer's round two")
	}
	if err := client.ReadRoundOne(must2(t)(server.RoundOne())); err == nil {
		t.Error("round one twice")
	}
	ok(t, client.ReadRoundTwo(two))
	if err := client.ReadRoundTwo(two); err == nil {
		t.Error("round two twice")
	}
	s, x2, v := client.s, client.x2, client.v[2]
	client.Close()
	client.Close()
	for _, n := range []*bigmod.Nat{s, x2, v} {
		if n.IsZero() != 1 {
			t.Error("a secret is still there after Close")
		}
	}
	for what, f := range map[string]func() ([]byte, error){"round one": client.RoundOne, "round two": client.RoundTwo, "premaster secret": client.Premaster} {
		if _, err := f(); err == nil {
			t.Errorf("%s after Close", what)
		}
	}
}

// A peer that knows the client's points can choose its own so that the
// generator of round two vanishes. It can prove what it knows of them only if
// it knows the sum of the client's private keys; here it does.
func TestVanishingGenerator(t *testing.T) {
	kat := knownAnswers(t)
	one := Scalar{31: 1}
	client, err := New(Client, []byte("pw"), &Scalars{X1: Scalar(kat["x1"]), X2: Scalar(kat["x2"]), V1: one, V2: one, V3: one})
	ok(t, err)
	// x3 = −x1 − x2, so GB = X3 + X1 + X2 is infinite.
	negative := bigmod.NewNat().ExpandFor(p256.Order)
	negative.Sub(reduce(kat["x1"]), p256.Order).Sub(reduce(kat["x2"]), p256.Order)
	two := Scalar{31: 2}
	server, err := New(Server, []byte("pw"), &Scalars{X1: Scalar(negative.Bytes(p256.Order)), X2: one, V1: two, V2: two, V3: two})
	ok(t, err)
	ok(t, server.ReadRoundOne(must2(t)(client.RoundOne())))
	ok(t, client.ReadRoundOne(must2(t)(server.RoundOne())))
	if _, err := server.RoundTwo(); !errors.Is(err, ErrPoint) {
		t.Errorf("the server used it: %v", err)
	}
	if err := client.ReadRoundTwo(kat["srv_two"]); !errors.Is(err, ErrPoint) {
		t.Errorf("the client used it: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	kat := knownAnswers(f)
	f.Add(kat["cli_one"], false)
	f.Add(kat["srv_one"], false)
	f.Add(kat["srv_two"], true)
	f.Add(kat["cli_two"], true)
	one := Scalar{31: 1}
	scalars := &Scalars{Scalar(kat["x1"]), Scalar(kat["x2"]), one, one, one}
	f.Fuzz(func(t *testing.T, b []byte, second bool) {
		for _, role := range []Role{Client, Server} {
			e, err := New(role, []byte("threadjpaketest"), scalars)
			ok(t, err)
			if !second {
				if err := e.ReadRoundOne(b); err == nil && len(b) > 2*(2*(1+pointLen)+33) {
					t.Fatalf("%d octets were accepted", len(b))
				}
				continue
			}
			name := map[Role]string{Client: "srv_one", Server: "cli_one"}[role]
			ok(t, e.ReadRoundOne(kat[name]))
			if err := e.ReadRoundTwo(b); err != nil {
				continue
			}
			if _, err := e.Premaster(); err != nil && !errors.Is(err, ErrPoint) {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkExchange(b *testing.B) {
	for b.Loop() {
		client, server := pair(b, "pw", "pw")
		ok(b, client.ReadRoundTwo(must2(b)(server.RoundTwo())))
		ok(b, server.ReadRoundTwo(must2(b)(client.RoundTwo())))
		must2(b)(client.Premaster())
		must2(b)(server.Premaster())
		client.Close()
		server.Close()
	}
}
