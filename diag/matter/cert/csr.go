package cert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// maxCSR bounds a request, in octets. Matter's have about 200.
const maxCSR = MaxX509

// ParseCSR returns the key for which a certificate is requested: der is a
// PKCS#10 request (RFC 2986) as the NOCSRElements of CSRResponse have it (Core
// 11.18). The request must be signed with the key that it is about. What
// else it says is not looked at: the issuer decides what the NOC says.
func ParseCSR(der []byte) (*ecdsa.PublicKey, error) {
	if len(der) > maxCSR {
		return nil, fmt.Errorf("cert: a certificate request of %d octets: %d is the most", len(der), maxCSR)
	}
	s := cryptobyte.String(der)
	var outer, info, body cryptobyte.String
	var version uint64
	if !s.ReadASN1(&outer, asn1.SEQUENCE) || !s.Empty() || !outer.ReadASN1Element(&info, asn1.SEQUENCE) {
		return nil, errors.New("cert: not a certificate request (PKCS#10)")
	}
	whole := info
	if !info.ReadASN1(&body, asn1.SEQUENCE) || !body.ReadASN1Integer(&version) || version != 0 || !body.SkipASN1(asn1.SEQUENCE) {
		return nil, errors.New("cert: not a certificate request (PKCS#10)")
	}
	public, ok := readPublicKey(&body)
	if !ok {
		return nil, errors.New("cert: certificate request: not for a key on the curve P-256")
	}
	if !body.SkipASN1(asn1.Tag(0).ContextSpecific().Constructed()) || !body.Empty() {
		return nil, errors.New("cert: not a certificate request (PKCS#10)")
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), public[:])
	if err != nil {
		return nil, errors.New("cert: certificate request: the key is not a point of the curve P-256")
	}
	sig, ok := readSignature(&outer)
	if !ok || !Verify(key, whole, sig[:]) {
		return nil, errors.New("cert: certificate request: not signed with the key that it is about")
	}
	return key, nil
}

// NewCSR makes the request for a certificate of key, as a device does: the
// subject is O=CSR, as that of the other stacks, and nothing looks at it.
func NewCSR(key *ecdsa.PrivateKey) ([]byte, error) {
	public, err := publicKeyBytes(pub(key))
	if err != nil {
		return nil, err
	}
	var info cryptobyte.Builder
	info.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Uint64(0)
		addName(b, Name{{Type: OrganizationName, Text: "CSR"}})
		addPublicKey(b, public)
		b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(*cryptobyte.Builder) {})
	})
	tbs, err := info.Bytes()
	if err != nil {
		return nil, err
	}
	sig, err := Sign(key, tbs)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		addSignature(b, sig)
	})
	return b.Bytes()
}
