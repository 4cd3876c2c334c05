package cert

import (
	"bytes"
	"crypto/x509"
	"testing"
)

// FuzzParseRoundTrip: whatever parses has an X.509 form that comes back, and
// TLV that parses to the same.
func FuzzParseRoundTrip(f *testing.F) {
	list, _, _ := vectors(f)
	for _, v := range list {
		f.Add([]byte(v.TLV))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b)
		if err != nil {
			return
		}
		der, again := c.X509(), c.TLV()
		if der == nil || again == nil || c.TBS() == nil || len(again) > len(b) {
			t.Fatalf("no form: X.509 %x, TLV %x", der, again)
		}
		d, err := FromX509(der)
		if err != nil {
			t.Fatalf("its X.509 is refused: %v", err)
		}
		if !bytes.Equal(d.TLV(), again) {
			t.Fatalf("by X.509 %x, was %x", d.TLV(), again)
		}
		if e, err := Parse(again); err != nil || !e.Equal(c) {
			t.Fatalf("its TLV %x: %v", again, err)
		}
	})
}

// FuzzFromX509: what FromX509 takes is DER to the standard library too, and
// comes back octet for octet.
func FuzzFromX509(f *testing.F) {
	list, _, _ := vectors(f)
	for _, v := range list {
		f.Add([]byte(v.X509))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := FromX509(b)
		if err != nil {
			return
		}
		d, err := Parse(c.TLV())
		if err != nil {
			t.Fatalf("its TLV %x: %v", c.TLV(), err)
		}
		if !bytes.Equal(d.X509(), b) {
			t.Fatalf("comes back as %x", d.X509())
		}
	})
}

// FuzzParseCSR: what ParseCSR takes, crypto/x509 takes, with the same key.
func FuzzParseCSR(f *testing.F) {
	_, _, requests := vectors(f)
	for _, r := range requests {
		f.Add([]byte(r.CSR))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		key, err := ParseCSR(b)
		if err != nil {
			return
		}
		x, err := x509.ParseCertificateRequest(b)
		if err != nil {
			return // its subject, which is not looked at here
		}
		if !key.Equal(x.PublicKey) {
			t.Fatal("crypto/x509 reads another key")
		}
	})
}
