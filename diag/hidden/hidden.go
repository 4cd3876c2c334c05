// Package hidden keeps secrets out of everything that is printed, logged or
// encoded by accident: keys, passcodes, tokens.
//
// A type that holds one embeds [Methods], under a name of its own that nobody
// outside sees, and has one method that tells the secret to the protocol that
// needs it:
//
//	type unseen = hidden.Methods
//
//	type Key struct {
//		unseen
//		p **[16]byte
//	}
//
// What such a type holds is best behind two pointers: package fmt can't call the
// methods of a value in an unexported field of some other value, and then
// follows one.
//
// The reader is below everything that has secrets.
package hidden

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Text is what stands where a secret would.
const Text = "(secret)"

// ErrNotStored is what reading a secret back ends in: what was written in its
// place is not the secret.
var ErrNotStored = errors.New("a secret is not stored this way, so it can't be read back")

// Methods hide the value that embeds them.
type Methods struct{}

// String hides the secret.
func (Methods) String() string { return Text }

// GoString hides the secret.
func (Methods) GoString() string { return Text }

// Format hides the secret from every verb of package fmt.
func (Methods) Format(f fmt.State, _ rune) { io.WriteString(f, Text) }

// LogValue hides the secret from log/slog.
func (Methods) LogValue() slog.Value { return slog.StringValue(Text) }

// MarshalText hides the secret from JSON, YAML and XML.
func (Methods) MarshalText() ([]byte, error) { return []byte(Text), nil }

// MarshalBinary hides the secret from gob.
func (Methods) MarshalBinary() ([]byte, error) { return []byte(Text), nil }

// MarshalCBOR hides the secret from CBOR: a text string (RFC 8949, major type 3).
func (Methods) MarshalCBOR() ([]byte, error) {
	return append([]byte{0x60 | byte(len(Text))}, Text...), nil
}

// UnmarshalText refuses with [ErrNotStored].
func (*Methods) UnmarshalText([]byte) error { return ErrNotStored }

// UnmarshalBinary refuses with [ErrNotStored].
func (*Methods) UnmarshalBinary([]byte) error { return ErrNotStored }

// UnmarshalCBOR refuses with [ErrNotStored].
func (*Methods) UnmarshalCBOR([]byte) error { return ErrNotStored }
