package pskc

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"threadmap/diag"
)

func unhexT(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDerive(t *testing.T) {
	for _, c := range []struct {
		from, passphrase string
		id               diag.PANID64
		name, want       string
	}{
		{"Thread specification, 8.4.1.2.1", "12SECRETPASSWORD34", 0x0001020304050607, "Test Network", "c3f59368445a1b6106be420a706d4cc9"},
		{"OpenThread's tests", "123456", 0x0102030405060708, "OpenThread", "44988e22cf652eeeccd1e4c01d0154f8"},
		{"captured from OpenThread border router of 2026-08", "threadmap-lab-pass", 0xdead00beef00cafe, "ThreadMapLab", "82bd66995ab150de4dab943937b2b66d"},
	} {
		s, err := Derive([]byte(c.passphrase), c.id, c.name)
		if err != nil || !bytes.Equal(s.Bytes(), unhexT(t, c.want)) {
			t.Errorf("%s: %x, %v", c.from, s.Bytes(), err)
		}
	}
}

// A passphrase is not found out from the error, and the bounds are exact.
func TestDeriveBounds(t *testing.T) {
	for _, c := range []struct {
		passphrase string
		id         diag.PANID64
		name       string
		ok         bool
	}{
		{"Sesam6", 1, "n", true},
		{"Sesam", 1, "n", false},
		{"", 1, "n", false},
		{strings.Repeat("Sesam", 51), 1, "n", true},
		{strings.Repeat("Sesam", 51) + "x", 1, "n", false},
		{"Sesam öffne dich", 0, "n", false},
		{"Sesam öffne dich", 1, "", false},
		{"Sesam öffne dich", 1, "sixteen octets..", true},
		{"Sesam öffne dich", 1, "seventeen octets.", false},
	} {
		s, err := Derive([]byte(c.passphrase), c.id, c.name)
		if (err == nil) != c.ok || s.IsZero() == c.ok {
			t.Errorf("%d octets, %v, %q: %v", len(c.passphrase), c.id, c.name, err)
		}
		if err != nil && strings.Contains(err.Error(), "Sesam") {
			t.Errorf("the error tells the passphrase: %v", err)
		}
	}
}

// RFC 4493, section 4.
func TestCMAC(t *testing.T) {
	c := newCMAC([16]byte(unhexT(t, "2b7e151628aed2a6abf7158809cf4f3c")))
	m := unhexT(t, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	for n, want := range map[int]string{
		0:  "bb1d6929e95937287fa37d129b756746",
		16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827",
		64: "51f0bebf7e3b9d92fc49741779363cfe",
	} {
		if got := c.mac(m[:n]); !bytes.Equal(got[:], unhexT(t, want)) {
			t.Errorf("%d octets: %x", n, got)
		}
	}
	if a, b := c.mac(m[:16]), c.macBlock([16]byte(m)); a != b {
		t.Errorf("macBlock %x, mac %x", b, a)
	}
}

// RFC 4615, section 4.
func TestPRF(t *testing.T) {
	key, m := unhexT(t, "000102030405060708090a0b0c0d0e0fedcb"), unhexT(t, "000102030405060708090a0b0c0d0e0f10111213")
	for n, want := range map[int]string{
		18: "84a348a4a45d235babfffc0d2b4da09a",
		16: "980ae87b5f4c9c5214f5b6a8455e4c2d",
		10: "290d9e112edb09ee141fcf64c0b72f3d",
	} {
		if got := newPRF(key[:n]).mac(m); !bytes.Equal(got[:], unhexT(t, want)) {
			t.Errorf("key of %d octets: %x", n, got)
		}
	}
}

func BenchmarkDerive(b *testing.B) {
	for b.Loop() {
		if _, err := Derive([]byte("threadmap-lab-pass"), 0xdead00beef00cafe, "ThreadMapLab"); err != nil {
			b.Fatal(err)
		}
	}
}
