package spake2p

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"

	"filippo.io/bigmod"
	"filippo.io/nistec"

	"threadmap/diag/hidden"
	"threadmap/diag/internal/p256"
)

// Bounds of the PBKDF2 parameters (Matter Core 3.9, Crypto_PBKDFParameterSet):
// iterations, and octets of the salt.
const (
	MinIterations = 1000
	MaxIterations = 100_000
	MinSaltLen    = 16
	MaxSaltLen    = 32
)

// MaxPasscode is the largest passcode (Matter Core 5.1.7).
const MaxPasscode = 99_999_998

// CheckPasscode tells why a number is no passcode: out of range, or one of
// those that Matter Core 5.1.7.1 forbids for being too easy to guess.
func CheckPasscode(passcode uint32) error {
	switch {
	case passcode == 0 || passcode > MaxPasscode:
		return fmt.Errorf("spake2p: a passcode is a number from 1 to %d", MaxPasscode)
	case passcode%11_111_111 == 0, passcode == 12345678, passcode == 87654321:
		return errors.New("spake2p: this passcode is one of those that Matter forbids")
	}
	return nil
}

// CheckParameters tells why a salt or a number of iterations is out of bounds.
// It is asked before the work that these two cost is begun.
func CheckParameters(salt []byte, iterations uint32) error {
	switch {
	case iterations < MinIterations || iterations > MaxIterations:
		return fmt.Errorf("spake2p: %d iterations are not between %d and %d", iterations, MinIterations, MaxIterations)
	case len(salt) < MinSaltLen || len(salt) > MaxSaltLen:
		return fmt.Errorf("spake2p: a salt of %d octets is not between %d and %d", len(salt), MinSaltLen, MaxSaltLen)
	}
	return nil
}

// A Secret is what the prover knows: w0 and w1. However it is printed, logged
// or encoded, it says "(secret)".
type Secret struct {
	unseen
	w *struct{ w0, w1 *bigmod.Nat }
}

// unseen hides a secret wherever it might show.
type unseen = hidden.Methods

// Derive is the secret of a passcode: PBKDF2 with up to [MaxIterations], so it
// may take some 100 ms.
func Derive(passcode uint32, salt []byte, iterations uint32) (Secret, error) {
	if err := CheckPasscode(passcode); err != nil {
		return Secret{}, err
	}
	if err := CheckParameters(salt, iterations); err != nil {
		return Secret{}, err
	}
	var password [4]byte
	binary.LittleEndian.PutUint32(password[:], passcode)
	ws, err := pbkdf2.Key(sha256.New, string(password[:]), salt, int(iterations), 2*wideLen)
	if err != nil {
		return Secret{}, fmt.Errorf("spake2p: %w", err)
	}
	defer clear(ws)
	return newSecret(reduceWide(ws[:wideLen]), reduceWide(ws[wideLen:])), nil
}

func newSecret(w0, w1 *bigmod.Nat) Secret {
	return Secret{w: &struct{ w0, w1 *bigmod.Nat }{w0, w1}}
}

// A Registration is what the verifier knows, and Matter calls the PAKE passcode
// verifier: w0 and the point L. It is a secret, too: who has it can pass for the
// verifier, and can try passcodes offline. It prints as "(secret)"; only Bytes
// tells.
type Registration struct {
	unseen
	r *struct {
		w0 *bigmod.Nat
		l  *nistec.P256Point
	}
}

// Registration is the verifier's half of the secret.
func (s Secret) Registration() Registration {
	return newRegistration(s.w.w0, p256.BaseMult(s.w.w1))
}

func newRegistration(w0 *bigmod.Nat, l *nistec.P256Point) Registration {
	return Registration{r: &struct {
		w0 *bigmod.Nat
		l  *nistec.P256Point
	}{w0, l}}
}

var errRegistration = fmt.Errorf("spake2p: not a passcode verifier: want %d octets, 0 < w0 < n and L on the curve", VerifierLen)

// ParseRegistration reads the 97 octets w0 ‖ L that OpenCommissioningWindow
// carries (Matter Core 11.19.8.1).
func ParseRegistration(b []byte) (Registration, error) {
	if len(b) != VerifierLen {
		return Registration{}, errRegistration
	}
	w0, ok := (*Scalar)(b[:p256.ScalarLen]).Nat()
	if !ok {
		return Registration{}, errRegistration
	}
	l, ok := p256.ReadPoint(b[p256.ScalarLen:])
	if !ok {
		return Registration{}, errRegistration
	}
	return newRegistration(w0, l), nil
}

// Bytes is w0 ‖ L; nil for the zero Registration.
func (r Registration) Bytes() []byte {
	if r.r == nil {
		return nil
	}
	return append(r.r.w0.Bytes(p256.Order), r.r.l.Bytes()...)
}

// Equal compares in constant time.
func (r Registration) Equal(q Registration) bool {
	return subtle.ConstantTimeCompare(r.Bytes(), q.Bytes()) == 1
}

// IsZero reports whether there is no registration.
func (r Registration) IsZero() bool { return r.r == nil }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.w == nil }
