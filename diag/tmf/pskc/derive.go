package pskc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"threadmap/diag"
)

// Bounds of Thread 8.4.1 (Derivation of PSKc), in octets.
const (
	MinPassphrase = 6
	MaxPassphrase = 255
	MaxName       = 16 // of a network name
)

const (
	pskcLen    = 16
	iterations = 16384
)

// Derive computes the PSKc of a network from its commissioning passphrase
// (Thread 8.4.1): PBKDF2 (RFC 8018) with AES-CMAC-PRF-128 (RFC 4615), salted
// with "Thread", the extended PAN id and the network name.
func Derive(passphrase []byte, id diag.PANID64, name string) (Secret, error) {
	switch {
	case len(passphrase) < MinPassphrase || len(passphrase) > MaxPassphrase:
		return Secret{}, fmt.Errorf("passphrase: want %d to %d octets, not %d", MinPassphrase, MaxPassphrase, len(passphrase))
	case id == 0:
		return Secret{}, fmt.Errorf("passphrase: it needs the network's extended PAN id")
	case name == "" || len(name) > MaxName:
		return Secret{}, fmt.Errorf("passphrase: it needs the network's name, 1 to %d octets, not %d", MaxName, len(name))
	}
	salt := append([]byte("Thread"), make([]byte, 8)...)
	binary.BigEndian.PutUint64(salt[6:], uint64(id))
	salt = append(salt, name...)

	// One block of output: T = U_1 ^ U_2 ^ …, U_1 = PRF(salt ‖ 00000001).
	f := newPRF(passphrase)
	u := f.mac(binary.BigEndian.AppendUint32(salt, 1))
	t := u
	for range iterations - 1 {
		u = f.macBlock(u)
		subtle.XORBytes(t[:], t[:], u[:])
	}
	s, err := New(t[:])
	clear(u[:])
	clear(t[:])
	return s, err
}

// A cmac is AES-CMAC (RFC 4493) under one key.
type cmac struct {
	block  cipher.Block
	k1, k2 [aes.BlockSize]byte
	x      [aes.BlockSize]byte // what is enciphered; here, so that it stays off the heap in loops
}

func newCMAC(key [16]byte) *cmac {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key has 16 octets
	}
	c := &cmac{block: block}
	block.Encrypt(c.k1[:], c.k1[:])
	c.k1 = double(c.k1)
	c.k2 = double(c.k1)
	return c
}

// newPRF is AES-CMAC-PRF-128 (RFC 4615) under a key of any length.
func newPRF(key []byte) *cmac {
	if len(key) == 16 {
		return newCMAC([16]byte(key))
	}
	return newCMAC(newCMAC([16]byte{}).mac(key))
}

// double multiplies by x in GF(2^128) (RFC 4493, section 2.3).
func double(b [16]byte) [16]byte {
	hi, lo := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	carry := hi >> 63
	binary.BigEndian.PutUint64(b[:8], hi<<1|lo>>63)
	binary.BigEndian.PutUint64(b[8:], lo<<1^carry*0x87)
	return b
}

// mac is the MAC of a message of any length.
func (c *cmac) mac(m []byte) [16]byte {
	c.x = [16]byte{}
	for len(m) > aes.BlockSize {
		subtle.XORBytes(c.x[:], c.x[:], m[:aes.BlockSize])
		c.block.Encrypt(c.x[:], c.x[:])
		m = m[aes.BlockSize:]
	}
	k := &c.k1
	if subtle.XORBytes(c.x[:], c.x[:], m); len(m) < aes.BlockSize {
		c.x[len(m)] ^= 0x80
		k = &c.k2
	}
	subtle.XORBytes(c.x[:], c.x[:], k[:])
	c.block.Encrypt(c.x[:], c.x[:])
	return c.x
}

// macBlock is mac of a message of one block.
func (c *cmac) macBlock(m [16]byte) [16]byte {
	subtle.XORBytes(c.x[:], m[:], c.k1[:])
	c.block.Encrypt(c.x[:], c.x[:])
	return c.x
}
