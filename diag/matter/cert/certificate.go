package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha1"
	"errors"
	"fmt"
	"time"
)

// The longest certificates that Matter allows (Core 6.1.3), in octets. They
// are checked before anything is decoded.
const (
	MaxTLV  = 400
	MaxX509 = 600
)

const (
	maxSerial   = 20 // octets: Core 6.5.2
	maxRDNs     = 5  // in one distinguished name: Core 6.5.6
	keySize     = 65 // an uncompressed P-256 point
	SigSize     = 64 // r‖s
	KeyIDSize   = 20 // of a subject or authority key identifier
	maxPathLen  = 1  // a chain is RCAC, at most one ICAC, NOC
	maxKeyUsage = 1<<9 - 1
)

// A Certificate is one operational certificate of Matter (Core 6.5.2). Its
// algorithms are fixed: an ECDSA signature with SHA-256, by and about keys on
// P-256.
//
// What Parse, FromX509 and the Issue functions return keeps the rules of form
// (lengths, ranges, a point that is on the curve); nothing about a Certificate
// says that anyone should believe it. See [VerifyNode].
type Certificate struct {
	Serial     []byte // content octets of the DER INTEGER, 1 to 20
	Issuer     Name
	NotBefore  Time
	NotAfter   Time
	Subject    Name
	PublicKey  [keySize]byte // uncompressed: 04‖x‖y
	Extensions []Extension   // in the order of the X.509 form, which the signature covers
	Signature  [SigSize]byte // r‖s
}

// A Time is in seconds since 2000-01-01T00:00:00Z (Matter's epoch-s). As the
// end of a validity 0 is "no well-defined expiration", which X.509 writes as
// 99991231235959Z (RFC 5280, section 4.1.2.5).
type Time uint32

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// NoExpiry as Certificate.NotAfter.
const NoExpiry Time = 0

// TimeOf is t to the second, or an error if Matter has no number for it: it
// has them from 2000-01-01T00:00:01Z to 2136-02-07T06:28:15Z.
func TimeOf(t time.Time) (Time, error) {
	s := t.Unix() - epoch.Unix()
	if s <= 0 || s > 1<<32-1 {
		return 0, fmt.Errorf("cert: a certificate can't have the time %s: it must be after 2000-01-01 and before 2136-02-07", t.UTC().Format(time.RFC3339))
	}
	return Time(s), nil
}

// Time is t on the calendar; the zero time.Time if t is 0.
func (t Time) Time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return epoch.Add(time.Duration(t) * time.Second)
}

// Key is the certified public key. It is nil where PublicKey is not a point
// of P-256, which only a Certificate that was put together by hand can be.
func (c *Certificate) Key() *ecdsa.PublicKey {
	k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), c.PublicKey[:])
	if err != nil {
		return nil
	}
	return k
}

// KeyID is the key identifier that this package gives a public key, as the
// other Matter stacks do: the SHA-1 of the 65 octets (RFC 5280, section
// 4.2.1.2). It is a name; no security hangs on SHA-1 here.
func KeyID(publicKey [keySize]byte) [KeyIDSize]byte { return sha1.Sum(publicKey[:]) }

// publicKeyBytes is k as a Certificate has it.
func publicKeyBytes(k *ecdsa.PublicKey) (b [keySize]byte, err error) {
	if k == nil || k.Curve != elliptic.P256() {
		return b, errors.New("cert: a Matter key is on the curve P-256")
	}
	p, err := k.Bytes()
	if err != nil {
		return b, fmt.Errorf("cert: public key: %w", err)
	}
	copy(b[:], p)
	return b, nil
}

// form checks the rules that hold for every certificate, whatever it is for
// and whoever signed it. A certificate that keeps them has an X.509 form that
// comes back to the same TLV.
func (c *Certificate) form() error {
	if err := checkSerial(c.Serial); err != nil {
		return err
	}
	if err := c.Issuer.form(); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if err := c.Subject.form(); err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	if c.Key() == nil {
		return errors.New("public key: not a point of the curve P-256")
	}
	return checkExtensions(c.Extensions)
}

// checkSerial: the content of a DER INTEGER that isn't negative. Zero is
// allowed: matter.js gives it to its roots.
func checkSerial(b []byte) error {
	switch {
	case len(b) == 0 || len(b) > maxSerial:
		return fmt.Errorf("serial number: %d octets, not 1 to %d", len(b), maxSerial)
	case b[0] >= 0x80:
		return errors.New("serial number: negative")
	case len(b) > 1 && b[0] == 0 && b[1] < 0x80:
		return errors.New("serial number: not in the shortest form")
	}
	return nil
}

// Equal reports whether two certificates say the same and bear the same
// signature.
func (c *Certificate) Equal(d *Certificate) bool {
	return c != nil && d != nil && bytes.Equal(c.X509(), d.X509())
}
