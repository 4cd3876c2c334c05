package cert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Sign signs a message with ECDSA and SHA-256. The signature is r‖s (Core
// 3.5.3), never the DER of X.509.
func Sign(key *ecdsa.PrivateKey, message []byte) (sig [SigSize]byte, err error) {
	if key == nil || key.Curve != elliptic.P256() {
		return sig, errors.New("cert: a Matter key is on the curve P-256")
	}
	hash := sha256.Sum256(message)
	der, err := ecdsa.SignASN1(rand.Reader, key, hash[:])
	if err != nil {
		return sig, err
	}
	sig, ok := signatureFromDER(der)
	if !ok {
		return sig, errors.New("cert: a signature in an unknown form")
	}
	return sig, nil
}

// Verify reports whether signature, which is r‖s, is one of the message by the
// owner of key.
func Verify(key *ecdsa.PublicKey, message, signature []byte) bool {
	if key == nil || key.Curve != elliptic.P256() || len(signature) != SigSize {
		return false
	}
	hash := sha256.Sum256(message)
	return ecdsa.VerifyASN1(key, hash[:], signatureDER([SigSize]byte(signature)))
}

// signatureDER is SEQUENCE{INTEGER r, INTEGER s}.
func signatureDER(sig [SigSize]byte) []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, SigSize+8))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addInteger(b, sig[:SigSize/2])
		addInteger(b, sig[SigSize/2:])
	})
	return b.BytesOrPanic() // of at most 72 octets: nothing to go wrong
}

// addInteger adds an unsigned big-endian number in the shortest form.
func addInteger(b *cryptobyte.Builder, n []byte) {
	for len(n) > 1 && n[0] == 0 {
		n = n[1:]
	}
	b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) {
		if n[0] >= 0x80 {
			b.AddUint8(0)
		}
		b.AddBytes(n)
	})
}

// signatureFromDER is the reverse of signatureDER.
func signatureFromDER(der []byte) (sig [SigSize]byte, ok bool) {
	s := cryptobyte.String(der)
	var pair cryptobyte.String
	if !s.ReadASN1(&pair, asn1.SEQUENCE) || !s.Empty() {
		return sig, false
	}
	for _, half := range [][]byte{sig[:SigSize/2], sig[SigSize/2:]} {
		var n []byte // without a leading zero; never negative
		if !pair.ReadASN1Integer(&n) || len(n) > len(half) {
			return sig, false
		}
		copy(half[len(half)-len(n):], n)
	}
	return sig, pair.Empty()
}
