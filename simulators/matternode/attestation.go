package matternode

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"sync"
	"time"

	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

// A maker is the vendor of all simulated devices: its attestation authority
// (PAA), the intermediate below it (PAI) and the key that signs certification
// declarations (Core 6.2 and 6.3). It is made anew in each process and nobody
// trusts it; the chains are right in all else.
type maker struct {
	pai    *x509.Certificate
	paiKey *ecdsa.PrivateKey
	cdKey  *ecdsa.PrivateKey
}

// An attestation is what one device has of its maker.
type attestation struct {
	key         *ecdsa.PrivateKey
	certificate []byte // DAC
	declaration []byte // certification declaration
}

var theMaker = sync.OnceValues(newMaker)

// Attributes of the subjects of attestation certificates (Core 6.2.2).
var (
	vendorIDAttribute  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 37244, 2, 1}
	productIDAttribute = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 37244, 2, 2}
)

// testVendor is the vendor id of PAA and PAI.
const testVendor = 0xFFF1

func newMaker() (*maker, error) {
	var keys [3]*ecdsa.PrivateKey
	for i := range keys {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		keys[i] = k
	}
	paa, err := issue(attestationCert("Simulated PAA", testVendor, 0, 1), nil, &keys[0].PublicKey, keys[0])
	if err != nil {
		return nil, err
	}
	pai, err := issue(attestationCert("Simulated PAI", testVendor, 0, 0), paa, &keys[1].PublicKey, keys[0])
	if err != nil {
		return nil, err
	}
	return &maker{pai, keys[1], keys[2]}, nil
}

// notACA is the path length of a certificate that certifies nobody.
const notACA = -1

func attestationCert(name string, vendor, product uint16, pathLen int) *x509.Certificate {
	hex := func(oid asn1.ObjectIdentifier, v uint16) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: oid, Value: asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: fmt.Appendf(nil, "%04X", v)}}
	}
	c := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(sha256.New().Sum([]byte(name))[:8]),
		Subject:      pkix.Name{CommonName: name, ExtraNames: []pkix.AttributeTypeAndValue{hex(vendorIDAttribute, vendor)}},
		NotBefore:    time.Date(2021, 6, 28, 14, 23, 43, 0, time.UTC), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if product != 0 {
		c.Subject.ExtraNames = append(c.Subject.ExtraNames, hex(productIDAttribute, product))
	}
	if pathLen != notACA {
		c.IsCA, c.MaxPathLen, c.MaxPathLenZero = true, pathLen, pathLen == 0
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
	return c
}

// issue signs c by a parent, nil for c itself.
func issue(c, parent *x509.Certificate, public *ecdsa.PublicKey, by *ecdsa.PrivateKey) (*x509.Certificate, error) {
	if parent == nil {
		parent = c
	}
	point, err := public.Bytes()
	if err != nil {
		return nil, err
	}
	id := cert.KeyID([65]byte(point))
	c.SubjectKeyId = id[:]
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// newAttestation makes a device's.
func newAttestation(d *Device) (*attestation, error) {
	m, err := theMaker()
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	dac, err := issue(attestationCert(fmt.Sprintf("Simulated %016X", uint64(d.Thread.Node)), d.VendorID, d.ProductID, notACA), m.pai, &key.PublicKey, m.paiKey)
	if err != nil {
		return nil, err
	}
	declaration, err := m.declare(d)
	if err != nil {
		return nil, err
	}
	return &attestation{key, dac.Raw, declaration}, nil
}

// Object ids of a CMS message (RFC 5652).
var (
	signedData  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	plainData   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	sha256OID   = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	ecdsaSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
)

type (
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}
	signedContent struct {
		Version      int
		Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
		Encapsulated struct {
			Type    asn1.ObjectIdentifier
			Content []byte `asn1:"explicit,tag:0"`
		}
		Signers []signer `asn1:"set"`
	}
	signer struct {
		Version   int
		KeyID     []byte `asn1:"tag:0"`
		Digest    pkix.AlgorithmIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Signature []byte
	}
)

// declare is the certification declaration of a device, a signed CMS message
// (Core 6.3.1) that says it is one for development and test.
func (m *maker) declare(d *Device) ([]byte, error) {
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	putUint(&e, 0, 1) // format version
	putUint(&e, 1, uint64(d.VendorID))
	e.Array(tlv.Context(2))
	e.PutUint(tlv.Anonymous, uint64(d.ProductID))
	e.End()
	putUint(&e, 3, uint64(d.Type))
	putText(&e, 4, "ZIG20141ZB330001-24")
	putUint(&e, 5, 0)
	putUint(&e, 6, 0)
	putUint(&e, 7, 1)
	putUint(&e, 8, 0) // development and test
	e.End()
	content, err := e.Bytes()
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(content)
	signature, err := m.cdKey.Sign(rand.Reader, hash[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	point, err := m.cdKey.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	id := cert.KeyID([65]byte(point))
	s := signedContent{
		Version: 3, Digests: []pkix.AlgorithmIdentifier{{Algorithm: sha256OID}},
		Signers: []signer{{
			Version: 3, KeyID: id[:], Digest: pkix.AlgorithmIdentifier{Algorithm: sha256OID},
			Algorithm: pkix.AlgorithmIdentifier{Algorithm: ecdsaSHA256}, Signature: signature,
		}},
	}
	s.Encapsulated.Type, s.Encapsulated.Content = plainData, content
	inner, err := asn1.Marshal(s)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(contentInfo{signedData, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: inner}})
}

// attest makes the attestation when it is first asked for. The lock is held.
func (n *Node) attest() (*attestation, error) {
	if n.attestation == nil {
		a, err := newAttestation(&n.device)
		if err != nil {
			return nil, err
		}
		n.attestation = a
	}
	return n.attestation, nil
}

// attested is elements with the device's signature over them and the session's
// challenge (Core 11.18.4.7): what two commands answer.
func (n *Node) attested(a *asker, elements func(e *tlv.Encoder)) (answer, error) {
	mine, err := n.attest()
	if err != nil {
		return answer{}, err
	}
	var e tlv.Encoder
	entry(&e, func() { elements(&e) })
	b, err := e.Bytes()
	if err != nil {
		return answer{}, err
	}
	challenge := a.AttestationChallenge()
	signature, err := cert.Sign(mine.key, append(b[:len(b):len(b)], challenge[:]...))
	if err != nil {
		return answer{}, err
	}
	return answer{fields: func(e *tlv.Encoder) {
		putOctets(e, 0, b)
		putOctets(e, 1, signature[:])
	}}, nil
}

func (n *Node) attestationRequest(a *asker, fields []byte) answer {
	asked, ok := nonce(fields)
	if !ok {
		return statusOf(im.InvalidCommand)
	}
	mine, err := n.attest()
	if err != nil {
		return statusOf(im.Failure)
	}
	at, err := cert.TimeOf(n.o.Time())
	if err != nil {
		at = 0 // it has no clock
	}
	out, err := n.attested(a, func(e *tlv.Encoder) {
		putOctets(e, 1, mine.declaration)
		putOctets(e, 2, asked)
		putUint(e, 3, uint64(at))
	})
	if err != nil {
		return statusOf(im.Failure)
	}
	return out
}

// CertificateChainTypeEnum.
const (
	dacCertificate = 1
	paiCertificate = 2
)

func (n *Node) certificateChainRequest(_ *asker, fields []byte) answer {
	var kind uint8
	if fieldsOf(fields, func(tag uint8, d *tlv.Decoder) {
		if tag == 0 {
			kind = d.Uint8()
		}
	}, 0) != nil || kind != dacCertificate && kind != paiCertificate {
		return statusOf(im.InvalidCommand)
	}
	mine, err := n.attest()
	if err != nil {
		return statusOf(im.Failure)
	}
	m, err := theMaker()
	if err != nil {
		return statusOf(im.Failure)
	}
	b := mine.certificate
	if kind == paiCertificate {
		b = m.pai.Raw
	}
	return answer{fields: func(e *tlv.Encoder) { putOctets(e, 0, b) }}
}
