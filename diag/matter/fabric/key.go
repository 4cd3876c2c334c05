package fabric

import (
	"crypto/subtle"
	"fmt"

	"threadmap/diag/hidden"
)

// KeySize is the length of an identity protection key, in octets.
const KeySize = 16

// A Key is an identity protection key (IPK): an epoch key, which goes to a
// node in AddNOC, or the operational key derived from it, which CASE uses. The
// zero Key is none.
//
// However it is printed, logged or encoded, it says "(secret)"; only Bytes
// tells. What it holds is behind two pointers: package fmt can't call the
// methods of a Key in an unexported field of some other value, and then
// follows one.
type Key struct {
	unseen
	p **[KeySize]byte
}

// unseen hides a secret wherever it might show.
type unseen = hidden.Methods

// NewKey is the key b, which it copies.
func NewKey(b []byte) (Key, error) {
	if len(b) != KeySize {
		return Key{}, fmt.Errorf("fabric: an identity protection key has %d octets, not %d", KeySize, len(b))
	}
	c := [KeySize]byte(b)
	p := &c
	return Key{p: &p}, nil
}

// Bytes is the key itself, a copy, for the protocol that needs it; nil for the
// zero Key.
func (k Key) Bytes() []byte {
	if k.p == nil {
		return nil
	}
	c := **k.p
	return c[:]
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.p == nil }

// Equal compares in constant time.
func (k Key) Equal(l Key) bool { return subtle.ConstantTimeCompare(k.Bytes(), l.Bytes()) == 1 }
