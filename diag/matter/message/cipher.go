package message

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"slices"

	"threadmap/diag/ccm"
)

// AppendPlain appends a whole message of session 0, which has no seal.
func AppendPlain(b []byte, h Header, p Protocol, payload []byte) []byte {
	b = slices.Grow(b, maxHeader+maxProtocol+len(payload))
	return append(p.Append(h.Append(b)), payload...)
}

// A Cipher seals what one node sends in a session, or opens it on the other
// side: AES-CCM with a tag of 16 octets (Core 4.8). The nonce is the security
// flags, the counter and the sender's operational node id, which is 0 in a
// session of PASE. A Cipher is for one goroutine and hides its key.
type Cipher struct {
	aead   cipher.AEAD
	sender uint64
	nonce  [ccm.NonceSizeMatter]byte // here, because what goes through an interface would be allocated
}

// NewCipher is the cipher of the messages of one sender.
func NewCipher(key [KeySize]byte, sender uint64) *Cipher {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the length of the key is right
	}
	aead, err := ccm.New(block, TagSize, ccm.NonceSizeMatter)
	if err != nil {
		panic(err) // so are these
	}
	return &Cipher{aead: aead, sender: sender}
}

func (c *Cipher) setNonce(security byte, counter uint32) []byte {
	c.nonce[0] = security
	binary.LittleEndian.PutUint32(c.nonce[1:], counter)
	binary.LittleEndian.PutUint64(c.nonce[5:], c.sender)
	return c.nonce[:]
}

// Seal appends a whole message. A counter must never be used twice: keep the
// octets and send them again.
func (c *Cipher) Seal(b []byte, h Header, p Protocol, payload []byte) []byte {
	b = slices.Grow(b, maxHeader+maxProtocol+len(payload)+TagSize)
	start := len(b)
	b = h.Append(b)
	sealed := len(b)
	b = append(p.Append(b), payload...)
	return c.aead.Seal(b[:sealed], c.setNonce(sessionUnicast, h.Counter), b[sealed:], b[start:sealed])
}

// Open appends the plaintext of a datagram, whose header h takes n octets. It
// overwrites the room behind dst even where it fails, with [NotAuthentic].
func (c *Cipher) Open(dst []byte, h Header, n int, datagram []byte) ([]byte, error) {
	if n > len(datagram) || len(datagram)-n < TagSize {
		return dst, Truncated
	}
	out, err := c.aead.Open(dst, c.setNonce(h.security, h.Counter), datagram[n:], datagram[:n])
	if err != nil {
		return dst, NotAuthentic
	}
	return out, nil
}
