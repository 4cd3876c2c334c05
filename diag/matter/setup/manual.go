package setup

import (
	"errors"
	"fmt"

	"threadmap/diag"
)

// Lengths of a manual pairing code (Core 5.1.4), in digits.
const (
	shortCode = 11
	longCode  = 21 // with vendor and product
)

// The fields of a manual code:
//
//	digit  1      0‖VID_PID_PRESENT‖discriminator bits 11-10
//	digits 2-6    discriminator bits 9-8‖passcode bits 13-0
//	digits 7-10   passcode bits 26-14
//	digits 11-15  vendor id, and 16-20 product id, if present
//	last digit    Verhoeff check digit
const (
	longFlag = 4
	lowBits  = 14 // of the passcode, in digits 2-6
)

// parseManual reads digits without anything between them.
func parseManual(s string) (Payload, error) {
	digits := make([]uint8, 0, longCode)
	n := 0
	for _, r := range s {
		n++
		if r < '0' || r > '9' {
			return Payload{}, fmt.Errorf("setup code: character %d is not a digit: a manual code has only digits, and the text of a QR code begins with %s", n, Prefix)
		}
		if n <= longCode {
			digits = append(digits, uint8(r-'0'))
		}
	}
	switch {
	case n == 8:
		return Payload{}, errors.New("setup code: 8 digits are a HomeKit code or the passcode alone: Matter's manual code beside it has 11 or 21")
	case n != shortCode && n != longCode:
		return Payload{}, fmt.Errorf("setup code: %d digits, and a manual code has 11 or 21: compare it with the label", n)
	case !verhoeffOK(digits):
		return Payload{}, errors.New("setup code: the check digit does not fit, so at least one digit is mistyped: compare all of them with the label")
	case digits[0] > 7:
		return Payload{}, errors.New("setup code: it begins with 8 or 9, which is for a later Matter than this threadmap knows")
	}
	if long := digits[0]&longFlag != 0; long != (n == longCode) {
		return Payload{}, fmt.Errorf("setup code: its first digit says that it has %d digits, and it has %d: compare it with the label", pick(long, longCode, shortCode), n)
	}
	middle, high := number(digits[1:6]), number(digits[6:10])
	if middle > 0xFFFF || high >= 1<<(27-lowBits) {
		return Payload{}, errors.New("setup code: no Matter device has such a code: compare it with the label")
	}
	passcode, err := NewPasscode(high<<lowBits | middle&(1<<lowBits-1))
	if err != nil {
		return Payload{}, err
	}
	p := Payload{
		Passcode:      passcode,
		Discriminator: Discriminator{Value: uint16(digits[0]&3)<<2 | uint16(middle>>lowBits), Short: true},
	}
	if n == shortCode {
		// Any other flow needs the long form.
		p.Flow = diag.Some(Standard)
		return p, nil
	}
	vendor, product := number(digits[10:15]), number(digits[15:20])
	if vendor > 0xFFFF || product > 0xFFFF {
		return Payload{}, errors.New("setup code: no vendor or product has such a number: compare it with the label")
	}
	p.Vendor, p.Product = known(uint16(vendor)), known(uint16(product))
	return p, nil
}

func pick(b bool, yes, no int) int {
	if b {
		return yes
	}
	return no
}

// ManualCode is the manual pairing code of 11 digits. It has the passcode in
// it.
func (p Payload) ManualCode() (string, error) { return p.manual(false) }

// LongManualCode is the manual pairing code of 21 digits, with vendor and
// product, which flows other than Standard need. It has the passcode in it.
func (p Payload) LongManualCode() (string, error) { return p.manual(true) }

func (p Payload) manual(long bool) (string, error) {
	if err := p.check(); err != nil {
		return "", err
	}
	short, passcode := uint32(p.Discriminator.short()), p.Passcode.Number()
	s := fmt.Sprintf("%d%05d%04d", uint32(pick(long, longFlag, 0))|short>>2, short&3<<lowBits|passcode&(1<<lowBits-1), passcode>>lowBits)
	if long {
		s += fmt.Sprintf("%05d%05d", p.Vendor.Or(0), p.Product.Or(0)) // 0 says nothing
	}
	digits := make([]uint8, len(s))
	for i := range s {
		digits[i] = s[i] - '0'
	}
	return s + string('0'+rune(verhoeffDigit(digits))), nil
}

// check checks what both forms of a code have.
func (p Payload) check() error {
	if p.Passcode.IsZero() {
		return errors.New("setup code: no passcode")
	}
	return p.Discriminator.check()
}

// number is the value of decimal digits, at most five.
func number(digits []uint8) (n uint32) {
	for _, d := range digits {
		n = 10*n + uint32(d)
	}
	return n
}
