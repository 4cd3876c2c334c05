// Package ccm is AES-CCM (RFC 3610, NIST SP 800-38C), the authenticated
// encryption of Thread and of Matter, with any tag and nonce length that RFC
// 3610 allows: the standard library has none.
//
// TLS_ECJPAKE_WITH_AES_128_CCM_8 takes a tag of 8 octets and a nonce of 12,
// Matter a tag of 16 and a nonce of 13.
//
// The reader is at the bottom of two protocols: diag/tmf/dtls (records of a
// border agent's session) and diag/matter (messages) both seal with it.
package ccm

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"
)

const blockSize = 16

// Overheads and nonces of the protocols that use this package, in octets.
const (
	TagSizeDTLS     = 8  // RFC 6655, section 4: the CCM_8 suites
	NonceSizeDTLS   = 12 // RFC 6655, section 3
	TagSizeMatter   = 16 // Matter Core 3.6: CRYPTO_AEAD_MIC_LENGTH_BYTES
	NonceSizeMatter = 13 // Matter Core 3.6: CRYPTO_AEAD_NONCE_LENGTH_BYTES
)

// maxAdditional is the longest additional data that has the two-octet length
// of RFC 3610, section 2.2. No protocol here comes near.
const maxAdditional = 0xff00 - 1

var errOpen = errors.New("ccm: message authentication failed")

type aead struct {
	block        cipher.Block
	tag, nonce   int
	maxLen       uint64 // of a plaintext
	scratch      sync.Pool
	lengthOctets int // L of RFC 3610
}

// state is what one call works in. It is on the heap because a block cipher is
// called through an interface; pooling makes that free.
type state struct {
	mac, counter, stream [blockSize]byte
}

// New is AES-CCM over block, with tags of tagSize octets (4 to 16, even) and
// nonces of nonceSize octets (7 to 13). A plaintext has less than
// 2^(8·(15−nonceSize)) octets. The result is safe for concurrent use. As with
// every cipher.AEAD, the output may begin where the input does but must not
// overlap it otherwise.
func New(block cipher.Block, tagSize, nonceSize int) (cipher.AEAD, error) {
	switch {
	case block.BlockSize() != blockSize:
		return nil, fmt.Errorf("ccm: want a cipher with blocks of 16 octets, not %d", block.BlockSize())
	case tagSize < 4 || tagSize > 16 || tagSize%2 != 0:
		return nil, fmt.Errorf("ccm: want a tag of 4, 6, … 16 octets, not %d", tagSize)
	case nonceSize < 7 || nonceSize > 13:
		return nil, fmt.Errorf("ccm: want a nonce of 7 to 13 octets, not %d", nonceSize)
	}
	l := 15 - nonceSize
	maxLen := uint64(math.MaxInt - tagSize)
	if l < 8 {
		maxLen = min(maxLen, 1<<(8*l)-1)
	}
	return &aead{
		block: block, tag: tagSize, nonce: nonceSize, maxLen: maxLen, lengthOctets: l,
		scratch: sync.Pool{New: func() any { return new(state) }},
	}, nil
}

func (a *aead) NonceSize() int { return a.nonce }
func (a *aead) Overhead() int  { return a.tag }

// Seal panics on a nonce of another length, and on a plaintext or additional
// data that is too long: those are faults of the caller, never of a peer.
func (a *aead) Seal(dst, nonce, plaintext, additional []byte) []byte {
	switch {
	case len(nonce) != a.nonce:
		panic("ccm: nonce of wrong length")
	case uint64(len(plaintext)) > a.maxLen:
		panic("ccm: plaintext too long")
	case len(additional) > maxAdditional:
		panic("ccm: additional data too long")
	}
	head, out := grow(dst, len(plaintext)+a.tag)
	s := a.scratch.Get().(*state)
	a.authenticate(s, nonce, plaintext, additional)
	a.maskTag(s, nonce)
	tag := s.mac
	a.crypt(s, out[:len(plaintext)], plaintext)
	copy(out[len(plaintext):], tag[:a.tag])
	a.put(s)
	return head
}

func (a *aead) Open(dst, nonce, ciphertext, additional []byte) ([]byte, error) {
	if len(nonce) != a.nonce {
		panic("ccm: nonce of wrong length")
	}
	if len(ciphertext) < a.tag || uint64(len(ciphertext)-a.tag) > a.maxLen || len(additional) > maxAdditional {
		return nil, errOpen
	}
	n := len(ciphertext) - a.tag
	head, out := grow(dst, n)
	var given [blockSize]byte
	copy(given[:], ciphertext[n:])
	s := a.scratch.Get().(*state)
	defer a.put(s)
	a.startCounter(s, nonce)
	a.block.Encrypt(s.stream[:], s.counter[:])
	s0 := s.stream
	a.crypt(s, out, ciphertext[:n])
	a.authenticate(s, nonce, out, additional)
	subtle.XORBytes(s.mac[:], s.mac[:], s0[:])
	if subtle.ConstantTimeCompare(s.mac[:a.tag], given[:a.tag]) != 1 {
		clear(out) // nothing that was not authenticated may be used
		return nil, errOpen
	}
	return head, nil
}

func (a *aead) put(s *state) {
	*s = state{}
	a.scratch.Put(s)
}

// authenticate computes the CBC-MAC of RFC 3610, section 2.2, into s.mac.
func (a *aead) authenticate(s *state, nonce, plaintext, additional []byte) {
	flags := byte((a.tag-2)/2<<3 | (a.lengthOctets - 1))
	if len(additional) > 0 {
		flags |= 1 << 6
	}
	var b0 [blockSize]byte
	binary.BigEndian.PutUint64(b0[8:], uint64(len(plaintext)))
	b0[0] = flags
	copy(b0[1:], nonce) // overwrites the high octets of the length, which are zero
	s.mac = b0
	a.block.Encrypt(s.mac[:], s.mac[:])
	if len(additional) > 0 {
		// The length and the first octets share a block.
		s.mac[0] ^= byte(len(additional) >> 8)
		s.mac[1] ^= byte(len(additional))
		n := subtle.XORBytes(s.mac[2:], s.mac[2:], additional)
		a.block.Encrypt(s.mac[:], s.mac[:])
		a.mac(s, additional[n:])
	}
	a.mac(s, plaintext)
}

// mac goes on with b, padded with zeros to whole blocks.
func (a *aead) mac(s *state, b []byte) {
	for ; len(b) >= blockSize; b = b[blockSize:] {
		xorBlock(&s.mac, &s.mac, (*[blockSize]byte)(b))
		a.block.Encrypt(s.mac[:], s.mac[:])
	}
	if len(b) > 0 {
		subtle.XORBytes(s.mac[:], s.mac[:], b)
		a.block.Encrypt(s.mac[:], s.mac[:])
	}
}

// startCounter sets the counter block to A_0 (RFC 3610, section 2.3).
func (a *aead) startCounter(s *state, nonce []byte) {
	s.counter = [blockSize]byte{byte(a.lengthOctets - 1)}
	copy(s.counter[1:], nonce)
}

// maskTag encrypts s.mac with S_0 and leaves the counter at A_0.
func (a *aead) maskTag(s *state, nonce []byte) {
	a.startCounter(s, nonce)
	a.block.Encrypt(s.stream[:], s.counter[:])
	subtle.XORBytes(s.mac[:], s.mac[:], s.stream[:])
}

// crypt encrypts or decrypts with S_1, S_2, …, the counter being A_0.
func (a *aead) crypt(s *state, dst, src []byte) {
	low := binary.BigEndian.Uint64(s.counter[8:])
	for len(src) > 0 {
		// The counter has at least two octets and maxLen keeps it from
		// running into the nonce.
		low++
		binary.BigEndian.PutUint64(s.counter[8:], low)
		a.block.Encrypt(s.stream[:], s.counter[:])
		if len(src) < blockSize {
			subtle.XORBytes(dst, src, s.stream[:])
			return
		}
		xorBlock((*[blockSize]byte)(dst), (*[blockSize]byte)(src), &s.stream)
		dst, src = dst[blockSize:], src[blockSize:]
	}
}

// xorBlock is subtle.XORBytes without the call, for whole blocks.
func xorBlock(dst, x, y *[blockSize]byte) {
	le := binary.LittleEndian
	lo := le.Uint64(x[:8]) ^ le.Uint64(y[:8])
	hi := le.Uint64(x[8:]) ^ le.Uint64(y[8:])
	le.PutUint64(dst[:8], lo)
	le.PutUint64(dst[8:], hi)
}

// grow appends n octets to dst and gives the whole and the new part.
func grow(dst []byte, n int) (head, tail []byte) {
	if total := len(dst) + n; cap(dst) >= total {
		head = dst[:total]
	} else {
		head = make([]byte, total)
		copy(head, dst)
	}
	return head, head[len(dst):]
}
