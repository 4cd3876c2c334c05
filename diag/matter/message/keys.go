package message

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Keys are what a session establishment ends in (Core 4.14.1.3.2 and
// 4.14.2.6.6): HKDF with 48 octets of output, in this order. I2R seals what the
// initiator of the establishment sends, R2I what its responder sends.
//
// Keys that are printed, logged or encoded say "(secret)". Package fmt can't
// call the methods of a value in an unexported field: don't print a struct that
// hides Keys in one.
type Keys struct {
	I2R, R2I, AttestationChallenge [KeySize]byte
}

// NewKeys cuts 48 octets of key material.
func NewKeys(material [3 * KeySize]byte) Keys {
	return Keys{
		I2R:                  [KeySize]byte(material[:16]),
		R2I:                  [KeySize]byte(material[16:32]),
		AttestationChallenge: [KeySize]byte(material[32:]),
	}
}

// Wipe overwrites the keys.
func (k *Keys) Wipe() { *k = Keys{} }

const hidden = "(secret)"

// String hides the keys.
func (Keys) String() string { return hidden }

// GoString hides the keys.
func (Keys) GoString() string { return hidden }

// Format hides the keys from every verb of package fmt.
func (Keys) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue hides the keys from log/slog.
func (Keys) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the keys from JSON, YAML and XML.
func (Keys) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalBinary hides the keys from gob.
func (Keys) MarshalBinary() ([]byte, error) { return []byte(hidden), nil }

// MarshalCBOR hides the keys from CBOR: a text string (RFC 8949, major type 3).
func (Keys) MarshalCBOR() ([]byte, error) {
	return append([]byte{0x60 | byte(len(hidden))}, hidden...), nil
}

var errNotStored = errors.New("message: keys of a session are never stored, so they can't be read back")

// UnmarshalText refuses: what MarshalText wrote are not the keys.
func (*Keys) UnmarshalText([]byte) error { return errNotStored }

// UnmarshalBinary refuses, as UnmarshalText does.
func (*Keys) UnmarshalBinary([]byte) error { return errNotStored }

// UnmarshalCBOR refuses, as UnmarshalText does.
func (*Keys) UnmarshalCBOR([]byte) error { return errNotStored }
