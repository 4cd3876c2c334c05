package pskc

import "errors"

// CodeLen is the number of digits of a one-time code (Thread 1.4, 8.4.1.2.7:
// the Thread Administration One-Time Passcode).
const CodeLen = 9

var (
	errCodeForm  = errors.New("one-time code: want 9 digits, as the border router shows them")
	errCodeCheck = errors.New("one-time code: its check digit does not fit, so a digit is wrong or two are swapped: type it again")
)

// ParseCode reads the one-time code that a border router shows: nine digits,
// the last of which checks the others (Verhoeff). Spaces and dashes between
// them don't count. The digits themselves are the password (ePSKc).
func ParseCode(s string) (Secret, error) {
	var digits [CodeLen]byte
	defer clear(digits[:])
	n := 0
	if len(s) > 4*CodeLen {
		return Secret{}, errCodeForm
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ' || c == '-' || c == '\t' || c == '\r' || c == '\n':
		case c < '0' || c > '9' || n == CodeLen:
			return Secret{}, errCodeForm
		default:
			digits[n] = c
			n++
		}
	}
	if n != CodeLen {
		return Secret{}, errCodeForm
	}
	if verhoeff(digits[:]) != 0 {
		return Secret{}, errCodeCheck
	}
	return New(digits[:])
}

// CheckDigit is the digit that makes the eight decimal digits before it a code.
// ok is false where they are not eight digits. It is for those who show codes.
func CheckDigit(digits string) (digit byte, ok bool) {
	if len(digits) != CodeLen-1 {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
	}
	// The check digit is the inverse, in D5, of the sum over the others.
	return '0' + inverse(verhoeff([]byte(digits+"0"))), true
}

// verhoeff is Verhoeff's sum over decimal digits, check digit last: products in
// the dihedral group D5 of the digits, each sent through a power of one
// permutation that depends on its place. It is 0 for a valid code.
func verhoeff(digits []byte) byte {
	var sum byte
	for i := range digits {
		d := digits[len(digits)-1-i] - '0'
		for range i % 8 {
			d = "\x01\x05\x07\x06\x02\x08\x03\x00\x09\x04"[d]
		}
		sum = product(sum, d)
	}
	return sum
}

// product is that of D5: 0 to 4 are the rotations of a pentagon, 5 to 9 its
// reflections.
func product(a, b byte) byte {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return 5 + (a+b-5)%5
	case b < 5:
		return 5 + (a-b)%5
	default:
		return (a - b + 5) % 5
	}
}

func inverse(a byte) byte {
	if a < 5 {
		return (5 - a) % 5
	}
	return a
}
