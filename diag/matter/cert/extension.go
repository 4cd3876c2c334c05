package cert

import (
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An Extension is one of [BasicConstraints], [KeyUsage], [ExtendedKeyUsage],
// [SubjectKeyID], [AuthorityKeyID] and [FutureExtension] (Core 6.5.11).
type Extension interface {
	tag() uint8 // its context tag in TLV
	form() error
}

// BasicConstraints say whether the key may certify others.
type BasicConstraints struct {
	CA         bool
	PathLen    uint8 // how many intermediates may follow
	HasPathLen bool
}

// KeyUsage is what the key may be used for; bit n is bit n of X.509's BIT
// STRING.
type KeyUsage uint16

// Bits of a KeyUsage that Matter uses.
const (
	DigitalSignature KeyUsage = 1 << 0
	KeyCertSign      KeyUsage = 1 << 5
	CRLSign          KeyUsage = 1 << 6
)

// ExtendedKeyUsage are purposes of the key, in their order.
type ExtendedKeyUsage []KeyPurpose

// A KeyPurpose is one of the six that Matter has a number for.
type KeyPurpose uint8

// Key purposes.
const (
	ServerAuth      KeyPurpose = 1
	ClientAuth      KeyPurpose = 2
	CodeSigning     KeyPurpose = 3
	EmailProtection KeyPurpose = 4
	TimeStamping    KeyPurpose = 5
	OCSPSigning     KeyPurpose = 6
)

// SubjectKeyID names the certified key.
type SubjectKeyID [KeyIDSize]byte

// AuthorityKeyID names the key that signed.
type AuthorityKeyID [KeyIDSize]byte

// A FutureExtension is any other, as its whole DER.
type FutureExtension []byte

// Context tags of the extensions.
const (
	tagBasicConstraints = 1
	tagKeyUsage         = 2
	tagExtendedKeyUsage = 3
	tagSubjectKeyID     = 4
	tagAuthorityKeyID   = 5
	tagFutureExtension  = 6
)

func (BasicConstraints) tag() uint8 { return tagBasicConstraints }
func (KeyUsage) tag() uint8         { return tagKeyUsage }
func (ExtendedKeyUsage) tag() uint8 { return tagExtendedKeyUsage }
func (SubjectKeyID) tag() uint8     { return tagSubjectKeyID }
func (AuthorityKeyID) tag() uint8   { return tagAuthorityKeyID }
func (FutureExtension) tag() uint8  { return tagFutureExtension }

// extensionNames are for errors.
var extensionNames = [...]string{
	tagBasicConstraints: "basic constraints",
	tagKeyUsage:         "key usage",
	tagExtendedKeyUsage: "extended key usage",
	tagSubjectKeyID:     "subject key identifier",
	tagAuthorityKeyID:   "authority key identifier",
	tagFutureExtension:  "future extension",
}

// extensionOIDs are content octets of the object identifiers, 2.5.29.n.
var extensionOIDs = [...]string{
	tagBasicConstraints: "\x55\x1d\x13",
	tagKeyUsage:         "\x55\x1d\x0f",
	tagExtendedKeyUsage: "\x55\x1d\x25",
	tagSubjectKeyID:     "\x55\x1d\x0e",
	tagAuthorityKeyID:   "\x55\x1d\x23",
}

// purposeOIDs are content octets, 1.3.6.1.5.5.7.3.n.
var purposeOIDs = [...]string{
	ServerAuth:      purposeOID + "\x01",
	ClientAuth:      purposeOID + "\x02",
	CodeSigning:     purposeOID + "\x03",
	EmailProtection: purposeOID + "\x04",
	TimeStamping:    purposeOID + "\x08",
	OCSPSigning:     purposeOID + "\x09",
}

const purposeOID = "\x2b\x06\x01\x05\x05\x07\x03"

// checkExtensions checks each extension, and that none but a future one is
// there twice.
func checkExtensions(list []Extension) error {
	var seen [tagFutureExtension]bool
	for _, x := range list {
		if x == nil {
			return errors.New("extensions: an empty one")
		}
		t := x.tag()
		if t != tagFutureExtension {
			if seen[t] {
				return fmt.Errorf("%s: twice", extensionNames[t])
			}
			seen[t] = true
		}
		if err := x.form(); err != nil {
			return fmt.Errorf("%s: %w", extensionNames[t], err)
		}
	}
	return nil
}

func (b BasicConstraints) form() error {
	if b.PathLen != 0 && !b.HasPathLen || b.HasPathLen && !b.CA {
		return errors.New("a path length where none can be")
	}
	return nil
}

func (k KeyUsage) form() error {
	if k > maxKeyUsage {
		return fmt.Errorf("unknown bits in 0x%04x", uint16(k))
	}
	return nil
}

func (e ExtendedKeyUsage) form() error {
	if len(e) == 0 {
		return errors.New("no purpose")
	}
	for i, p := range e {
		if p < ServerAuth || p > OCSPSigning {
			return fmt.Errorf("unknown purpose %d", uint8(p))
		}
		for _, q := range e[:i] {
			if p == q {
				return fmt.Errorf("purpose %d twice", uint8(p))
			}
		}
	}
	return nil
}

func (SubjectKeyID) form() error   { return nil }
func (AuthorityKeyID) form() error { return nil }

func (f FutureExtension) form() error {
	if len(f) > MaxTLV {
		return fmt.Errorf("%d octets, more than a certificate", len(f))
	}
	s := cryptobyte.String(f)
	oid, _, _, ok := readExtension(&s)
	if !ok || !s.Empty() {
		return errors.New("not one DER Extension")
	}
	// One that has a tag of its own must use it: else a certificate could say
	// two things about the same.
	for t, known := range extensionOIDs {
		if t > 0 && known == string(oid) {
			return fmt.Errorf("hides %s", extensionNames[t])
		}
	}
	return nil
}

// critical reports whether an extension that this package knows nothing about
// demands to be understood.
func (f FutureExtension) critical() bool {
	s := cryptobyte.String(f)
	_, critical, _, ok := readExtension(&s)
	return ok && critical
}

// readExtension reads SEQUENCE{OID, [BOOLEAN TRUE], OCTET STRING}.
func readExtension(s *cryptobyte.String) (oid []byte, critical bool, value cryptobyte.String, ok bool) {
	var x, id cryptobyte.String
	if !s.ReadASN1(&x, asn1.SEQUENCE) || !x.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) || len(id) == 0 {
		return nil, false, nil, false
	}
	if x.PeekASN1Tag(asn1.BOOLEAN) {
		// DER leaves out the default, FALSE.
		if !x.ReadASN1Boolean(&critical) || !critical {
			return nil, false, nil, false
		}
	}
	if !x.ReadASN1(&value, asn1.OCTET_STRING) || !x.Empty() {
		return nil, false, nil, false
	}
	return id, critical, value, true
}

// addExtension writes x as X.509 has it. Basic constraints, key usage and
// extended key usage are critical (Core 6.5.11).
func addExtension(b *cryptobyte.Builder, x Extension) {
	if f, ok := x.(FutureExtension); ok {
		b.AddBytes(f)
		return
	}
	t := x.tag()
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addOID(b, extensionOIDs[t])
		if mustBeCritical(t) {
			b.AddASN1Boolean(true)
		}
		b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) { addExtensionValue(b, x) })
	})
}

func mustBeCritical(t uint8) bool { return t <= tagExtendedKeyUsage }

func addExtensionValue(b *cryptobyte.Builder, x Extension) {
	switch x := x.(type) {
	case BasicConstraints:
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if x.CA {
				b.AddASN1Boolean(true)
			}
			if x.HasPathLen {
				b.AddASN1Uint64(uint64(x.PathLen))
			}
		})
	case KeyUsage:
		// X.509 counts bits from the most significant one, and drops zeros at the end.
		r := bits.Reverse16(uint16(x))
		content := []byte{byte(r >> 8), byte(r)}
		n := bits.Len16(uint16(x))
		content = content[:(n+7)/8]
		b.AddASN1(asn1.BIT_STRING, func(b *cryptobyte.Builder) {
			b.AddUint8(uint8(8*len(content) - n))
			b.AddBytes(content)
		})
	case ExtendedKeyUsage:
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, p := range x {
				addOID(b, purposeOIDs[p])
			}
		})
	case SubjectKeyID:
		b.AddASN1OctetString(x[:])
	case AuthorityKeyID:
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(x[:]) })
		})
	}
}

// parseExtension is the reverse of addExtension, for one whole Extension. That
// it was written as addExtension writes it, FromX509 checks in the end.
func parseExtension(der []byte) (Extension, error) {
	s := cryptobyte.String(der)
	oid, critical, v, ok := readExtension(&s)
	if !ok || !s.Empty() {
		return nil, errors.New("extensions: not DER")
	}
	t := uint8(0)
	for i, known := range extensionOIDs {
		if i > 0 && known == string(oid) {
			t = uint8(i)
		}
	}
	if t == 0 {
		return FutureExtension(der), nil
	}
	if critical != mustBeCritical(t) {
		return nil, fmt.Errorf("%s: the critical flag is not what Matter says", extensionNames[t])
	}
	x, ok := parseExtensionValue(t, v)
	if !ok {
		return nil, fmt.Errorf("%s: not a form that Matter has", extensionNames[t])
	}
	return x, nil
}

func parseExtensionValue(t uint8, v cryptobyte.String) (Extension, bool) {
	var seq, item cryptobyte.String
	switch t {
	case tagBasicConstraints:
		var b BasicConstraints
		if !v.ReadASN1(&seq, asn1.SEQUENCE) {
			return nil, false
		}
		if seq.PeekASN1Tag(asn1.BOOLEAN) && (!seq.ReadASN1Boolean(&b.CA) || !b.CA) {
			return nil, false
		}
		if !seq.Empty() {
			if !seq.ReadASN1Integer(&b.PathLen) {
				return nil, false
			}
			b.HasPathLen = true
		}
		return b, seq.Empty() && v.Empty()
	case tagKeyUsage:
		if !v.ReadASN1(&item, asn1.BIT_STRING) || len(item) < 1 || len(item) > 3 {
			return nil, false
		}
		var w [2]byte
		copy(w[:], item[1:]) // behind the number of unused bits
		return KeyUsage(bits.Reverse16(uint16(w[0])<<8 | uint16(w[1]))), v.Empty()
	case tagExtendedKeyUsage:
		if !v.ReadASN1(&seq, asn1.SEQUENCE) {
			return nil, false
		}
		var e ExtendedKeyUsage
		for !seq.Empty() {
			if len(e) == len(purposeOIDs) || !seq.ReadASN1(&item, asn1.OBJECT_IDENTIFIER) {
				return nil, false
			}
			p := KeyPurpose(0)
			for i, known := range purposeOIDs {
				if i > 0 && known == string(item) {
					p = KeyPurpose(i)
				}
			}
			e = append(e, p) // form refuses 0
		}
		return e, v.Empty()
	case tagSubjectKeyID:
		if !v.ReadASN1(&item, asn1.OCTET_STRING) || len(item) != KeyIDSize {
			return nil, false
		}
		return SubjectKeyID(item), v.Empty()
	case tagAuthorityKeyID:
		if !v.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&item, asn1.Tag(0).ContextSpecific()) || len(item) != KeyIDSize {
			return nil, false
		}
		return AuthorityKeyID(item), seq.Empty() && v.Empty()
	}
	return nil, false
}
