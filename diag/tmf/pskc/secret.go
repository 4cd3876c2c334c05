package pskc

import (
	"crypto/subtle"
	"fmt"

	"threadmap/diag/hidden"
)

// MaxLen is the longest Secret, in octets: an ephemeral key (Thread 1.4,
// ePSKc) has 6 to 32.
const MaxLen = 32

// A Secret is the password of a border agent's session: a PSKc (16 octets) or
// the digits of a one-time code. The zero Secret is none.
//
// However it is printed, logged or encoded, it says "(secret)"; only Bytes
// tells. What it holds is behind two pointers: package fmt can't call the
// methods of a Secret in an unexported field of some other value, and then
// follows one.
type Secret struct {
	unseen
	p **[]byte
}

// unseen hides a secret wherever it might show.
type unseen = hidden.Methods

// New is the secret b, which it copies.
func New(b []byte) (Secret, error) {
	if len(b) == 0 || len(b) > MaxLen {
		return Secret{}, fmt.Errorf("pskc: a secret has 1 to %d octets, not %d", MaxLen, len(b))
	}
	c := append([]byte(nil), b...)
	p := &c
	return Secret{p: &p}, nil
}

// Bytes is the secret itself, for the protocol that needs it. It must not be
// changed. It is nil for the zero Secret and after Wipe.
func (s Secret) Bytes() []byte {
	if s.p == nil {
		return nil
	}
	return **s.p
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return len(s.Bytes()) == 0 }

// Equal compares in constant time.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare(s.Bytes(), t.Bytes()) == 1
}

// Wipe overwrites the secret, in all copies of s.
func (s Secret) Wipe() {
	if s.p != nil {
		clear(**s.p)
		**s.p = nil
	}
}
