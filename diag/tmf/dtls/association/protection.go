package association

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"threadmap/diag/ccm"
)

// Sizes of AES_128_CCM_8, in octets (RFC 6655).
const (
	keyLen           = 16
	ivLen            = 4
	explicitNonceLen = 8
	tagLen           = ccm.TagSizeDTLS

	masterLen     = 48
	verifyDataLen = 12
)

// prf is P_SHA256 of RFC 5246, section 5, for n octets.
func prf(secret []byte, label string, seed []byte, n int) []byte {
	mac := hmac.New(sha256.New, secret)
	sum := func(parts ...[]byte) []byte {
		mac.Reset()
		for _, p := range parts {
			mac.Write(p)
		}
		return mac.Sum(nil)
	}
	seed = append([]byte(label), seed...)
	out := make([]byte, 0, n+sha256.Size)
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:n]
}

// masterSecret is RFC 5246, section 8.1.
func masterSecret(premaster []byte, client, server [32]byte) []byte {
	return prf(premaster, "master secret", append(client[:], server[:]...), masterLen)
}

// A keyBlock is RFC 5246, section 6.3, for a suite without MAC keys.
type keyBlock struct {
	clientKey, serverKey [keyLen]byte
	clientIV, serverIV   [ivLen]byte
}

func newKeyBlock(master []byte, client, server [32]byte) (k keyBlock) {
	b := prf(master, "key expansion", append(server[:], client[:]...), 2*keyLen+2*ivLen)
	for _, part := range [][]byte{k.clientKey[:], k.serverKey[:], k.clientIV[:], k.serverIV[:]} {
		b = b[copy(part, b):]
	}
	return k
}

// verifyData is the content of a Finished (RFC 5246, section 7.4.9).
func verifyData(master []byte, fromClient bool, transcript []byte) []byte {
	label := "server finished"
	if fromClient {
		label = "client finished"
	}
	return prf(master, label, transcript, verifyDataLen)
}

// A protection seals or opens the records of one direction in epoch 1.
type protection struct {
	aead cipher.AEAD
	iv   [ivLen]byte
}

func newProtection(key [keyLen]byte, iv [ivLen]byte) *protection {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key has 16 octets
	}
	aead, err := ccm.New(block, tagLen, ccm.NonceSizeDTLS)
	if err != nil {
		panic(err) // the sizes are allowed
	}
	return &protection{aead, iv}
}

// additional is the additional data of RFC 5246, section 6.2.3.3.
func additional(typ contentType, seq uint64, n int) (ad [headerLen]byte) {
	binary.BigEndian.PutUint64(ad[:], 1<<48|seq)
	ad[8], ad[9], ad[10] = byte(typ), version12>>8, version12&0xff
	binary.BigEndian.PutUint16(ad[11:], uint16(n))
	return ad
}

// appendSealed appends the whole record that protects plaintext. Its explicit
// nonce is epoch and sequence number, which never repeat.
func (p *protection) appendSealed(b []byte, typ contentType, seq uint64, plaintext []byte) []byte {
	b = appendHeader(b, typ, 1, seq, explicitNonceLen+len(plaintext)+tagLen)
	var nonce [ivLen + explicitNonceLen]byte
	copy(nonce[:], p.iv[:])
	binary.BigEndian.PutUint64(nonce[ivLen:], 1<<48|seq)
	b = append(b, nonce[ivLen:]...)
	ad := additional(typ, seq, len(plaintext))
	return p.aead.Seal(b, nonce[:], plaintext, ad[:])
}

var errForged = errors.New("not authentic")

// open is the plaintext of a record of epoch 1, in memory of its own. The
// explicit nonce is whatever the sender chose.
func (p *protection) open(r record) ([]byte, error) {
	if len(r.body) < explicitNonceLen+tagLen {
		return nil, errForged
	}
	var nonce [ivLen + explicitNonceLen]byte
	copy(nonce[:], p.iv[:])
	copy(nonce[ivLen:], r.body)
	sealed := r.body[explicitNonceLen:]
	ad := additional(r.typ, r.seq, len(sealed)-tagLen)
	b, err := p.aead.Open(make([]byte, 0, len(sealed)-tagLen), nonce[:], sealed, ad[:])
	if err != nil {
		return nil, errForged
	}
	return b, nil
}
