package cert

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Object identifiers of the algorithms, as content octets.
const (
	oidECDSAWithSHA256 = "\x2a\x86\x48\xce\x3d\x04\x03\x02" // 1.2.840.10045.4.3.2
	oidECPublicKey     = "\x2a\x86\x48\xce\x3d\x02\x01"     // 1.2.840.10045.2.1
	oidP256            = "\x2a\x86\x48\xce\x3d\x03\x01\x07" // 1.2.840.10045.3.1.7
)

// noExpiry is how X.509 says that a certificate has no end (RFC 5280, section
// 4.1.2.5). Matter's 0 stands for it in either field of the validity.
var noExpiry = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// TBS is the part of the X.509 form that the signature is made over, or nil if
// the certificate has no such form.
func (c *Certificate) TBS() []byte { return c.der(false) }

// X509 is the certificate as X.509 DER, or nil if it has no such form.
func (c *Certificate) X509() []byte { return c.der(true) }

func (c *Certificate) der(whole bool) []byte {
	if c.form() != nil {
		return nil
	}
	b, err := c.build(whole)
	if err != nil {
		return nil
	}
	return b
}

// build writes the DER of a certificate that has its form.
func (c *Certificate) build(whole bool) ([]byte, error) {
	var b cryptobyte.Builder
	if !whole {
		c.addTBS(&b)
		return b.Bytes()
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		c.addTBS(b)
		addSignature(b, c.Signature)
	})
	return b.Bytes()
}

func (c *Certificate) addTBS(b *cryptobyte.Builder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1Uint64(2) }) // v3
		b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(c.Serial) })
		addSignatureAlgorithm(b)
		addName(b, c.Issuer)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addTime(b, c.NotBefore)
			addTime(b, c.NotAfter)
		})
		addName(b, c.Subject)
		addPublicKey(b, c.PublicKey)
		b.AddASN1(asn1.Tag(3).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, x := range c.Extensions {
					addExtension(b, x)
				}
			})
		})
	})
}

func addOID(b *cryptobyte.Builder, content string) {
	b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(content)) })
}

func addSignatureAlgorithm(b *cryptobyte.Builder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { addOID(b, oidECDSAWithSHA256) })
}

func addName(b *cryptobyte.Builder, n Name) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, a := range n {
			b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					addOID(b, oids[a.Type])
					text := a.Text
					if a.Type.matter() {
						text = a.hex()
					}
					b.AddASN1(a.stringType(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
				})
			})
		}
	})
}

func (a Attribute) stringType() asn1.Tag {
	switch {
	case a.Type == DomainComponent:
		return asn1.IA5String
	case a.Printable:
		return asn1.PrintableString
	}
	return asn1.UTF8String
}

// addTime: UTCTime until 2049, then GeneralizedTime (RFC 5280, section 4.1.2.5).
func addTime(b *cryptobyte.Builder, t Time) {
	switch at := t.Time(); {
	case t == 0:
		b.AddASN1GeneralizedTime(noExpiry)
	case at.Year() < 2050:
		b.AddASN1UTCTime(at)
	default:
		b.AddASN1GeneralizedTime(at)
	}
}

func addPublicKey(b *cryptobyte.Builder, key [keySize]byte) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addOID(b, oidECPublicKey)
			addOID(b, oidP256)
		})
		b.AddASN1BitString(key[:])
	})
}

// addSignature adds the algorithm and the BIT STRING that end a certificate
// and a request.
func addSignature(b *cryptobyte.Builder, sig [SigSize]byte) {
	addSignatureAlgorithm(b)
	b.AddASN1BitString(signatureDER(sig))
}

// FromX509 is the certificate that der, an X.509 certificate, becomes in
// Matter. It is an error if its X.509 form would not be der again, octet for
// octet: its signature would then be none.
func FromX509(der []byte) (*Certificate, error) {
	if len(der) > MaxX509 {
		return nil, fmt.Errorf("cert: an X.509 certificate of %d octets: %d is the most in Matter", len(der), MaxX509)
	}
	c, err := parseX509(der)
	if err != nil {
		return nil, fmt.Errorf("cert: X.509: %w", err)
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	if !bytes.Equal(c.X509(), der) {
		return nil, errors.New("cert: X.509: not in the one DER form that Matter can carry")
	}
	return c, nil
}

var errNotX509 = errors.New("not a certificate of the kind that Matter has")

func parseX509(der []byte) (*Certificate, error) {
	s := cryptobyte.String(der)
	var outer, tbs, version, serial, validity, list cryptobyte.String
	if !s.ReadASN1(&outer, asn1.SEQUENCE) || !s.Empty() ||
		!outer.ReadASN1(&tbs, asn1.SEQUENCE) ||
		!tbs.ReadASN1(&version, asn1.Tag(0).ContextSpecific().Constructed()) ||
		!tbs.ReadASN1(&serial, asn1.INTEGER) ||
		!readSignatureAlgorithm(&tbs) {
		return nil, errNotX509
	}
	c := &Certificate{Serial: bytes.Clone(serial)}
	var err error
	if c.Issuer, err = readName(&tbs); err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if !tbs.ReadASN1(&validity, asn1.SEQUENCE) {
		return nil, errNotX509
	}
	if c.NotBefore, err = readTime(&validity); err != nil {
		return nil, err
	}
	if c.NotAfter, err = readTime(&validity); err != nil {
		return nil, err
	}
	if c.Subject, err = readName(&tbs); err != nil {
		return nil, fmt.Errorf("subject: %w", err)
	}
	var ok bool
	if c.PublicKey, ok = readPublicKey(&tbs); !ok {
		return nil, errors.New("public key: not one on the curve P-256")
	}
	if !tbs.ReadASN1(&list, asn1.Tag(3).ContextSpecific().Constructed()) || !list.ReadASN1(&list, asn1.SEQUENCE) {
		return nil, errNotX509
	}
	for !list.Empty() {
		var x cryptobyte.String
		if !list.ReadASN1Element(&x, asn1.SEQUENCE) {
			return nil, errNotX509
		}
		ext, err := parseExtension(bytes.Clone(x))
		if err != nil {
			return nil, err
		}
		c.Extensions = append(c.Extensions, ext)
	}
	if c.Signature, ok = readSignature(&outer); !ok {
		return nil, errors.New("signature: not one of ECDSA with SHA-256")
	}
	return c, nil
}

func readOID(s *cryptobyte.String, want string) bool {
	var oid cryptobyte.String
	return s.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) && string(oid) == want
}

func readSignatureAlgorithm(s *cryptobyte.String) bool {
	var id cryptobyte.String
	return s.ReadASN1(&id, asn1.SEQUENCE) && readOID(&id, oidECDSAWithSHA256) && id.Empty()
}

func readName(s *cryptobyte.String) (Name, error) {
	var list, set, pair, oid, value cryptobyte.String
	if !s.ReadASN1(&list, asn1.SEQUENCE) {
		return nil, errNotX509
	}
	var n Name
	for !list.Empty() {
		var is asn1.Tag
		if len(n) == maxRDNs {
			return nil, fmt.Errorf("more than %d attributes", maxRDNs)
		}
		if !list.ReadASN1(&set, asn1.SET) || !set.ReadASN1(&pair, asn1.SEQUENCE) || !set.Empty() ||
			!pair.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) || !pair.ReadAnyASN1(&value, &is) || !pair.Empty() {
			return nil, errors.New("not one attribute at a time")
		}
		t, ok := attributeOf(oid)
		if !ok {
			return nil, errors.New("an attribute that Matter does not have")
		}
		a := Attribute{Type: t, Printable: is == asn1.PrintableString && !t.matter()}
		if t.matter() {
			id, err := t.parseHex(value)
			if err != nil {
				return nil, err
			}
			a.ID = id
		} else {
			a.Text = string(value)
		}
		if a.stringType() != is {
			return nil, fmt.Errorf("%s: a type of string that Matter does not have there", t)
		}
		n = append(n, a)
	}
	return n, nil
}

func readTime(s *cryptobyte.String) (Time, error) {
	var t time.Time
	var ok bool
	if s.PeekASN1Tag(asn1.UTCTime) {
		ok = s.ReadASN1UTCTime(&t)
	} else {
		ok = s.ReadASN1GeneralizedTime(&t)
	}
	switch {
	case !ok:
		return 0, errors.New("validity: not a time")
	case t.Equal(noExpiry):
		return 0, nil
	}
	return TimeOf(t)
}

func readPublicKey(s *cryptobyte.String) (key [keySize]byte, ok bool) {
	var info, id cryptobyte.String
	var point []byte
	if !s.ReadASN1(&info, asn1.SEQUENCE) || !info.ReadASN1(&id, asn1.SEQUENCE) ||
		!readOID(&id, oidECPublicKey) || !readOID(&id, oidP256) || !id.Empty() ||
		!info.ReadASN1BitStringAsBytes(&point) || !info.Empty() || len(point) != keySize {
		return key, false
	}
	return [keySize]byte(point), true
}

// readSignature reads the algorithm and the signature, which must be the last
// things in s.
func readSignature(s *cryptobyte.String) (sig [SigSize]byte, ok bool) {
	var der []byte
	if !readSignatureAlgorithm(s) || !s.ReadASN1BitStringAsBytes(&der) || !s.Empty() {
		return sig, false
	}
	return signatureFromDER(der)
}
