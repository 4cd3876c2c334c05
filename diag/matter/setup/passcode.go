package setup

import (
	"errors"
	"fmt"

	"threadmap/diag/hidden"
)

// A Passcode is the secret of PASE (Core 5.1.1): 8 digits on the label of a
// device, or made when a commissioning window was opened. The zero Passcode is
// none.
//
// However it is printed, logged or encoded, it says "(secret)"; only Number
// tells. What it holds is behind two pointers: package fmt can't call the
// methods of a Passcode in an unexported field of some other value, and then
// follows one.
type Passcode struct {
	unseen
	p **uint32
}

// unseen hides a secret wherever it might show.
type unseen = hidden.Methods

// maxPasscode is the highest (Core 5.1.7).
const maxPasscode = 99999998

var errPasscode = errors.New("the passcode is one that Matter forbids, as 11111111 and 12345678 are")

// NewPasscode is the passcode n, unless Matter forbids it (Core 5.1.7).
func NewPasscode(n uint32) (Passcode, error) {
	if n == 0 || n > maxPasscode || n%11111111 == 0 || n == 12345678 || n == 87654321 {
		return Passcode{}, fmt.Errorf("setup code: %w", errPasscode)
	}
	p := &n
	return Passcode{p: &p}, nil
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
