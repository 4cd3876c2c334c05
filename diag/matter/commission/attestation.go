package commission

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"threadmap/diag/matter/cert"
	"threadmap/tlv"
)

// A Verdict is what a node's attestation is worth.
type Verdict uint8

// The verdicts. None of them keeps a node off threadmap's fabric: see the package
// comment.
const (
	// AttestationMissing: it gave no certificates, or unreadable ones.
	AttestationMissing Verdict = iota
	// AttestationBroken: certificates and signatures do not fit together, or
	// contradict what the node says of itself.
	AttestationBroken
	// AttestationTest: they fit, up to one of the authorities for tests, whose
	// keys everybody has: a product under development.
	AttestationTest
	// AttestationUnproven: they fit, up to an authority that the Connectivity
	// Standards Alliance may or may not list: threadmap, which works without the
	// internet, has no such list.
	AttestationUnproven
)

// String is the verdict in plain words.
func (v Verdict) String() string {
	switch v {
	case AttestationBroken:
		return "contradictory"
	case AttestationTest:
		return "a product under development"
	case AttestationUnproven:
		return "in order, its authority not looked up"
	}
	return "missing"
}

// An Attestation is what a node showed of where it comes from (Core 6.2).
type Attestation struct {
	Verdict Verdict
	// Detail is why, one line for people.
	Detail string
	// Vendor and Product are as the certificates say, 0 where they don't.
	Vendor, Product uint16
	// Authority is who issued the maker's certificate (PAA), as the certificate
	// names it.
	Authority string
	// Certificate is the number of the certification, "" where it says none;
	// threadmap does not check who signed it.
	Certificate string
}

// evidence is what a node gives to prove its make.
type evidence struct {
	dac, pai  []byte // X.509
	signed    Signed // of AttestationResponse
	nonce     []byte // that was asked with
	challenge []byte
	// As Basic Information says; 0: not known.
	vendor, product uint16
}

// An attester is the key of a device attestation certificate.
type attester struct{ key *ecdsa.PublicKey }

// signs reports whether s is signed by the attester in this session. There is no
// attester where the certificates could not be read.
func (a *attester) signs(s Signed, challenge []byte) bool {
	return cert.Verify(a.key, append(bytes.Clone(s.Elements), challenge...), s.Signature)
}

// attest judges the evidence, and gives the attester where its certificate could
// be read.
func (e evidence) attest() (Attestation, *attester) {
	dac, err := parseX509(e.dac)
	if err != nil {
		return Attestation{Detail: "the device's certificate (DAC): " + err.Error()}, nil
	}
	who := &attester{dac.PublicKey.(*ecdsa.PublicKey)}
	a := Attestation{}
	a.Vendor, a.Product = identity(dac.Subject)
	broken := func(format string, args ...any) (Attestation, *attester) {
		a.Verdict, a.Detail = AttestationBroken, fmt.Sprintf(format, args...)
		return a, who
	}
	pai, err := parseX509(e.pai)
	if err != nil {
		a.Detail = "the certificate of its maker (PAI): " + err.Error()
		return a, who
	}
	a.Authority = words([]byte(pai.Issuer.CommonName))
	vendor, product := identity(pai.Subject)
	elements, err := ParseElements(e.signed.Elements)
	switch {
	case !issued(dac, pai.PublicKey.(*ecdsa.PublicKey)) || !bytes.Equal(dac.RawIssuer, pai.RawSubject):
		return broken("the device's certificate (DAC) is not issued by that of its maker (PAI)")
	case !pai.IsCA:
		return broken("the certificate of its maker (PAI) may not issue others")
	case vendor != 0 && vendor != a.Vendor || product != 0 && product != a.Product:
		return broken("its certificates are of two makers or products")
	case e.vendor != 0 && e.vendor != a.Vendor || e.product != 0 && e.product != a.Product:
		return broken("its certificate is of vendor 0x%04X, product 0x%04X, and it says that it is 0x%04X, 0x%04X", a.Vendor, a.Product, e.vendor, e.product)
	case err != nil:
		return broken("%v", err)
	case !bytes.Equal(elements.Nonce, e.nonce):
		return broken("its answer is not to our question (nonce)")
	case !who.signs(e.signed, e.challenge):
		return broken("its answer is not signed with the key of its certificate")
	}
	if d, err := parseDeclaration(elements.Declaration); err != nil {
		return broken("certification declaration: %v", err)
	} else if d.vendor != a.Vendor && d.dacVendor != a.Vendor || !d.covers(a.Product) {
		return broken("its certification is of another product")
	} else {
		a.Certificate = d.number
	}
	if name, ok := testAuthority(pai); ok {
		a.Verdict, a.Authority = AttestationTest, name
		a.Detail = "issued by an authority for tests"
		return a, who
	}
	a.Verdict = AttestationUnproven
	a.Detail = fmt.Sprintf("issued by %q, which threadmap has no list to look up in", a.Authority)
	return a, who
}

// parseX509 reads a DAC or a PAI: a key on P-256, signed with ECDSA and SHA-256
// (Core 6.2.2).
func parseX509(der []byte) (*x509.Certificate, error) {
	if len(der) == 0 || len(der) > cert.MaxX509 {
		return nil, fmt.Errorf("%d octets, where there are 1 to %d", len(der), cert.MaxX509)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New("not an X.509 certificate")
	}
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() || c.SignatureAlgorithm != x509.ECDSAWithSHA256 {
		return nil, errors.New("not of a key on P-256 and signed with SHA-256")
	}
	return c, nil
}

// issued reports whether the owner of key signed c.
func issued(c *x509.Certificate, key *ecdsa.PublicKey) bool {
	sum := sha256.Sum256(c.RawTBSCertificate)
	return ecdsa.VerifyASN1(key, sum[:], c.Signature)
}

// Matter's attributes of the names in attestation certificates (Core 6.2.2).
var (
	oidVendor  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 37244, 2, 1}
	oidProduct = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 37244, 2, 2}
)

// identity is the vendor and product id of a name: attributes of their own, or
// "Mvid:FFF1" and "Mpid:8000" in the common name (Core 6.2.2.2), 0 where it has
// none.
func identity(n pkix.Name) (vendor, product uint16) {
	for _, a := range n.Names {
		text, _ := a.Value.(string)
		switch {
		case a.Type.Equal(oidVendor):
			vendor = hex16(text)
		case a.Type.Equal(oidProduct):
			product = hex16(text)
		}
	}
	if vendor == 0 && product == 0 {
		after := func(prefix string) uint16 {
			_, rest, _ := strings.Cut(n.CommonName, prefix)
			return hex16(rest[:min(len(rest), 4)])
		}
		vendor, product = after("Mvid:"), after("Mpid:")
	}
	return vendor, product
}

// hex16 reads four upper-case hex digits, 0 for anything else.
func hex16(s string) uint16 {
	if len(s) != 4 || strings.ToUpper(s) != s {
		return 0
	}
	v, err := strconv.ParseUint(s, 16, 16)
	if err != nil {
		return 0
	}
	return uint16(v)
}

// The authorities for tests (PAA) of the Matter SDKs, whose private keys are
// public: "Matter Test PAA" without a vendor, and that of the vendor 0xFFF1
// (connectedhomeip, CHIPAttCert_test_vectors).
var testAuthorities = []struct{ name, key string }{
	{"Matter Test PAA", "0410ef02a81a87b68121fba8d31978f807a317e50aa8a828446828914b933de8edd4a5c39c9ff71a4ce3647fd7f62653b7d2495fcba4c0f47f876880039e07204a"},
	{"Matter Test PAA (FFF1)", "04b6cb6372887f2928f5bac81aa9d93ae2431cada9d79e242f65177ef9ced932a28ecd03baaf6a8fca184a1a503542960d453f303f1f19421d751e8f8f1a9a9b75"},
}

// testAuthority finds the authority for tests that issued a PAI.
func testAuthority(pai *x509.Certificate) (name string, ok bool) {
	for _, t := range testAuthorities {
		b, err := hex.DecodeString(t.key)
		if err != nil {
			panic(err)
		}
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), b)
		if err != nil {
			panic(err)
		}
		if issued(pai, key) {
			return t.name, true
		}
	}
	return "", false
}

// Elements are the attestation elements that a node signs (Core 11.18.4.7.1).
type Elements struct {
	Declaration []byte // the certification declaration, CMS
	Nonce       []byte // 32 octets
	Timestamp   uint32 // seconds since 2000
	Firmware    []byte // firmware information; nil: none
}

// Encode is the structure as it is signed.
func (a Elements) Encode() ([]byte, error) {
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	e.PutOctets(tlv.Context(1), a.Declaration)
	e.PutOctets(tlv.Context(2), a.Nonce)
	e.PutUint(tlv.Context(3), uint64(a.Timestamp))
	if a.Firmware != nil {
		e.PutOctets(tlv.Context(4), a.Firmware)
	}
	e.End()
	return e.Bytes()
}

// ParseElements reads the structure, of which it gives parts.
func ParseElements(b []byte) (a Elements, err error) {
	if len(b) > maxElements {
		return Elements{}, fmt.Errorf("attestation: %d octets, %d is the most", len(b), maxElements)
	}
	err = each(b, func(n uint8, d *tlv.Decoder) {
		switch n {
		case 1:
			a.Declaration = d.Octets()
		case 2:
			a.Nonce = d.Octets()
		case 3:
			a.Timestamp = d.Uint32()
		case 4:
			a.Firmware = d.Octets()
		}
	})
	switch {
	case err != nil:
		return Elements{}, fmt.Errorf("attestation: %w", err)
	case a.Declaration == nil || len(a.Nonce) != nonceSize:
		return Elements{}, errors.New("attestation: it has no certification declaration, or no nonce of 32 octets")
	}
	return a, nil
}
