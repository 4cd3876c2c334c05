package fabric

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
type Key struct{ p **[KeySize]byte }

// NewKey is the key b, which it copies.
func NewKey(b []byte) (Key, error) {
	if len(b) != KeySize {
		return Key{}, fmt.Errorf("fabric: an identity protection key has %d octets, not %d", KeySize, len(b))
	}
	c := [KeySize]byte(b)
	p := &c
	return Key{&p}, nil
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

const hidden = "(secret)"

// String hides the key.
func (Key) String() string { return hidden }

// GoString hides the key.
func (Key) GoString() string { return hidden }

// Format hides the key from every verb of package fmt.
func (Key) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue hides the key from log/slog.
func (Key) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the key from JSON, YAML and XML.
func (Key) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalBinary hides the key from gob.
func (Key) MarshalBinary() ([]byte, error) { return []byte(hidden), nil }

// MarshalCBOR hides the key from CBOR: a text string (RFC 8949, major type 3).
func (Key) MarshalCBOR() ([]byte, error) {
	return append([]byte{0x60 | byte(len(hidden))}, hidden...), nil
}

var errNotStored = errors.New("fabric: a key is not stored this way, so it can't be read back")

// UnmarshalText refuses: what MarshalText wrote is not the key.
func (*Key) UnmarshalText([]byte) error { return errNotStored }

// UnmarshalBinary refuses, as UnmarshalText does.
func (*Key) UnmarshalBinary([]byte) error { return errNotStored }

// UnmarshalCBOR refuses, as UnmarshalText does.
func (*Key) UnmarshalCBOR([]byte) error { return errNotStored }
