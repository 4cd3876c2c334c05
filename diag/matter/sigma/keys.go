package sigma

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"threadmap/diag/ccm"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
)

// The keys of Core 4.14.2.6, all HKDF-SHA256. secret is the x coordinate of the
// shared point; in a resumption that of the full handshake it goes back to.

type key [message.KeySize]byte

// sigma2Key is S2K.
func sigma2Key(secret []byte, ipk fabric.Key, random [32]byte, ephemeral [65]byte, sigma1 []byte) key {
	h := sha256.Sum256(sigma1)
	return derive(secret, slices.Concat(ipk.Bytes(), random[:], ephemeral[:], h[:]), "Sigma2")
}

// sigma3Key is S3K.
func sigma3Key(secret []byte, ipk fabric.Key, sigma1, sigma2 []byte) key {
	return derive(secret, slices.Concat(ipk.Bytes(), hash(sigma1, sigma2)), "Sigma3")
}

// sessionKeys are the keys of a session after a full handshake.
func sessionKeys(secret []byte, ipk fabric.Key, sigma1, sigma2, sigma3 []byte) *message.Keys {
	return deriveSession(secret, slices.Concat(ipk.Bytes(), hash(sigma1, sigma2, sigma3)), "SessionKeys")
}

// resume1Key is S1RK, id being the resumption id in Sigma1.
func resume1Key(secret []byte, initiatorRandom [32]byte, id [16]byte) key {
	return derive(secret, slices.Concat(initiatorRandom[:], id[:]), "Sigma1_Resume")
}

// resume2Key is S2RK, id being the new one of Sigma2_Resume.
func resume2Key(secret []byte, initiatorRandom [32]byte, id [16]byte) key {
	return derive(secret, slices.Concat(initiatorRandom[:], id[:]), "Sigma2_Resume")
}

// resumedKeys are the keys of a resumed session, id being the one in Sigma1.
func resumedKeys(secret []byte, initiatorRandom [32]byte, id [16]byte) *message.Keys {
	return deriveSession(secret, slices.Concat(initiatorRandom[:], id[:]), "SessionResumptionKeys")
}

func derive(secret, salt []byte, info string) key {
	return key(expand(secret, salt, info, message.KeySize))
}

func deriveSession(secret, salt []byte, info string) *message.Keys {
	b := expand(secret, salt, info, 3*message.KeySize)
	defer clear(b)
	k := message.NewKeys([3 * message.KeySize]byte(b))
	return &k
}

func expand(secret, salt []byte, info string, n int) []byte {
	b, err := hkdf.Key(sha256.New, secret, salt, info, n)
	if err != nil {
		panic(err) // HKDF-SHA256 gives up to 8160 octets
	}
	return b
}

// hash is SHA-256 over messages as they were sent, one after the other.
func hash(messages ...[]byte) []byte {
	h := sha256.New()
	for _, m := range messages {
		h.Write(m)
	}
	return h.Sum(nil)
}

// The nonces of AES-CCM, 13 octets each. Every key seals one thing.
const (
	nonceSigma2  = "NCASE_Sigma2N"
	nonceSigma3  = "NCASE_Sigma3N"
	nonceResume1 = "NCASE_SigmaS1"
	nonceResume2 = "NCASE_SigmaS2"
)

func (k key) aead() cipher.AEAD {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic(err) // 16 octets are a key
	}
	a, err := ccm.New(block, ccm.TagSizeMatter, ccm.NonceSizeMatter)
	if err != nil {
		panic(err) // the sizes are right
	}
	return a
}

func (k key) seal(nonce string, plaintext []byte) []byte {
	return k.aead().Seal(nil, []byte(nonce), plaintext, nil)
}

var errSeal = errors.New("it does not decrypt: the identity protection keys differ, or a message was changed")

func (k key) open(nonce string, sealed []byte) ([]byte, error) {
	b, err := k.aead().Open(nil, []byte(nonce), sealed, nil)
	if err != nil {
		return nil, errSeal
	}
	return b, nil
}

// mic is the proof that a party has a resumption's secret: a tag over nothing.
func (k key) mic(nonce string) [16]byte { return [16]byte(k.seal(nonce, nil)) }

// holds reports whether mic is the tag, in constant time.
func (k key) holds(nonce string, mic [16]byte) bool {
	_, err := k.open(nonce, mic[:])
	return err == nil
}

// agree is the shared secret with a peer whose ephemeral key is the point b. A
// point that is not on the curve is refused, and so is infinity.
func agree(own *ecdh.PrivateKey, b [65]byte) (*[32]byte, error) {
	peer, err := ecdh.P256().NewPublicKey(b[:])
	if err != nil {
		return nil, errors.New("the ephemeral key is not a point of P-256")
	}
	secret, err := own.ECDH(peer)
	if err != nil {
		return nil, fmt.Errorf("the ephemeral key: %w", err)
	}
	return (*[32]byte)(secret), nil
}
