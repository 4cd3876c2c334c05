package setup

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// A Passcode is the secret of PASE (Core 5.1.1): 8 digits on the label of a
// device, or made when a commissioning window was opened. The zero Passcode is
// none.
//
// However it is printed, logged or encoded, it says "(secret)"; only Number
// tells. What it holds is behind two pointers: package fmt can't call the
// methods of a Passcode in an unexported field of some other value, and then
// follows one.
type Passcode struct{ p **uint32 }

// maxPasscode is the highest (Core 5.1.7).
const maxPasscode = 99999998

var errPasscode = errors.New("the passcode is one that Matter forbids, as 11111111 and 12345678 are")

// NewPasscode is the passcode n, unless Matter forbids it (Core 5.1.7).
func NewPasscode(n uint32) (Passcode, error) {
	if n == 0 || n > maxPasscode || n%11111111 == 0 || n == 12345678 || n == 87654321 {
		return Passcode{}, fmt.Errorf("setup code: %w", errPasscode)
	}
	p := &n
	return Passcode{&p}, nil
}

// Number is the passcode itself, for the protocol that needs it; 0 for the
// zero Passcode.
func (p Passcode) Number() uint32 {
	if p.p == nil {
		return 0
	}
	return **p.p
}

// IsZero reports whether there is no passcode.
func (p Passcode) IsZero() bool { return p.p == nil }

// Equal reports whether two passcodes are the same.
func (p Passcode) Equal(q Passcode) bool { return p.Number() == q.Number() }

const hidden = "(secret)"

// String hides the passcode.
func (Passcode) String() string { return hidden }

// GoString hides the passcode.
func (Passcode) GoString() string { return hidden }

// Format hides the passcode from every verb of package fmt.
func (Passcode) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue hides the passcode from log/slog.
func (Passcode) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the passcode from JSON, YAML and XML.
func (Passcode) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalBinary hides the passcode from gob.
func (Passcode) MarshalBinary() ([]byte, error) { return []byte(hidden), nil }

// MarshalCBOR hides the passcode from CBOR: a text string (RFC 8949, major type 3).
func (Passcode) MarshalCBOR() ([]byte, error) {
	return append([]byte{0x60 | byte(len(hidden))}, hidden...), nil
}

var errNotStored = errors.New("setup: a passcode is never stored, so it can't be read back")

// UnmarshalText refuses: what MarshalText wrote is not the passcode.
func (*Passcode) UnmarshalText([]byte) error { return errNotStored }

// UnmarshalBinary refuses, as UnmarshalText does.
func (*Passcode) UnmarshalBinary([]byte) error { return errNotStored }

// UnmarshalCBOR refuses, as UnmarshalText does.
func (*Passcode) UnmarshalCBOR([]byte) error { return errNotStored }
