package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"strings"
	"testing"
)

func testKey(t testing.TB, octet byte) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{octet}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestParseCSR(t *testing.T) {
	_, v, requests := vectors(t)
	if len(requests) != 2 {
		t.Fatal(len(requests))
	}
	requests[1].Key = mustKey(t, v["matter.js device NOC"])
	for _, r := range requests {
		key, err := ParseCSR(r.CSR)
		if err != nil {
			t.Fatalf("%s: %v", r.Name, err)
		}
		if got, _ := key.Bytes(); !bytes.Equal(got, r.Key) {
			t.Errorf("%s: key %x, want %x", r.Name, got, r.Key)
		}
		for i := range 8 * len(r.CSR) {
			b := bytes.Clone(r.CSR)
			b[i/8] ^= 1 << (i % 8)
			if _, err := ParseCSR(b); err == nil {
				t.Errorf("%s: bit %d of octet %d can be turned", r.Name, i%8, i/8)
			}
		}
	}
}

func mustKey(t *testing.T, v vector) octets {
	k := mustParse(t, v.TLV).PublicKey
	return k[:]
}

// TestNewCSR has crypto/x509 read what we write.
func TestNewCSR(t *testing.T) {
	key := testKey(t, 0x33)
	der, err := NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseCSR(der)
	if err != nil || !got.Equal(&key.PublicKey) {
		t.Errorf("ParseCSR: %v, %v", got, err)
	}
	x, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.CheckSignature(); err != nil {
		t.Errorf("crypto/x509: %v", err)
	}
	if x.Subject.String() != "O=CSR" || x.Version != 0 {
		t.Errorf("crypto/x509: subject %q, version %d", x.Subject, x.Version)
	}
	// As matter.js writes it, but for the signature.
	const matterjs = "3070020100300e310c300a060355040a0c034353523059301306072a8648ce3d020106082a8648ce3d0301070342000451a7580833898ea1b183cbd7350a4099078c6ef1c1e18e970cd7683035f25e7d0110522712b0b5a7cff081685486984a94e6831edac46e7360fa9d834a7a81a1a000300a06082a8648ce3d04030203"
	if at := hex.EncodeToString(der[3:]); !strings.HasPrefix(at, matterjs) {
		t.Errorf("request\n%s, matter.js has\n%s", at, matterjs)
	}
	if _, err := NewCSR(nil); err == nil {
		t.Error("a request without a key")
	}
}

// TestParseCSRForeign takes requests that crypto/x509 made, with attributes
// and other keys.
func TestParseCSRForeign(t *testing.T) {
	make := func(key any) []byte {
		der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
			Subject:  pkix.Name{CommonName: "device", Organization: []string{"x"}},
			DNSNames: []string{"device.local"},
		}, key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	key := testKey(t, 0x44)
	if got, err := ParseCSR(make(key)); err != nil || !got.Equal(&key.PublicKey) {
		t.Errorf("P-256: %v, %v", got, err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseCSR(make(other)); err == nil {
		t.Error("P-384 is taken")
	}
	// Signed by someone else: the signature of one request under the body of another.
	a, err := NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewCSR(testKey(t, 0x55))
	if err != nil {
		t.Fatal(err)
	}
	const body = 3 + 2 + 0x70
	if len(a) == len(b) {
		if _, err := ParseCSR(append(bytes.Clone(a[:body]), b[body:]...)); err == nil {
			t.Error("a foreign signature is taken")
		}
	}
	if _, err := ParseCSR(append(a, 0)); err == nil {
		t.Error("a trailing octet is taken")
	}
	if _, err := ParseCSR(make(key)[:4]); err == nil {
		t.Error("four octets are taken")
	}
	big := bytes.Repeat([]byte{0x30}, maxCSR+1)
	if _, err := ParseCSR(big); err == nil {
		t.Error("too long a request is taken")
	}
}
