package homeassistant

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"strings"
)

// A Fingerprint is the SHA-256 of a certificate (its DER form): the one way to
// trust a Home Assistant whose certificate this computer does not. It is as the
// certificate's owner sees it with
//
//	openssl x509 -noout -fingerprint -sha256 -in fullchain.pem
//
// A certificate with that fingerprint is taken whatever names and dates are in
// it, and no other is. The zero Fingerprint trusts nobody: the certificate is
// verified as browsers do. There is no way to switch verification off.
type Fingerprint [sha256.Size]byte

// ParseFingerprint reads 64 hexadecimal digits in either case, with or without
// colons, and with or without openssl's "sha256 Fingerprint=" before them.
func ParseFingerprint(s string) (Fingerprint, error) {
	if _, after, ok := strings.Cut(s, "="); ok {
		s = after
	}
	if len(s) <= 4*sha256.Size {
		b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(s), ":", ""))
		if err == nil && len(b) == sha256.Size {
			return Fingerprint(b), nil
		}
	}
	return Fingerprint{}, errors.New("fingerprint: want the SHA-256 of the certificate, 64 hexadecimal digits")
}

// IsZero reports whether there is no fingerprint.
func (f Fingerprint) IsZero() bool { return f == Fingerprint{} }

// String is the form of openssl: "AB:CD:…"; "" for none.
func (f Fingerprint) String() string {
	if f.IsZero() {
		return ""
	}
	var b strings.Builder
	for i, o := range f {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{o})))
	}
	return b.String()
}

// An otherCertificate is the error that the peer shows another certificate than
// the trusted one.
type otherCertificate struct{ got Fingerprint }

func (otherCertificate) Error() string { return "not the trusted certificate" }

// tlsConfig verifies the peer as browsers do, or, where there is a fingerprint,
// by that alone.
func tlsConfig(trusted Fingerprint) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if trusted.IsZero() {
		return c
	}
	c.InsecureSkipVerify = true // VerifyConnection is stricter, and runs on every connection
	c.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return otherCertificate{}
		}
		got := fingerprint(s.PeerCertificates[0])
		if subtle.ConstantTimeCompare(got[:], trusted[:]) != 1 {
			return otherCertificate{got}
		}
		return nil
	}
	return c
}

func fingerprint(c *x509.Certificate) Fingerprint { return sha256.Sum256(c.Raw) }
