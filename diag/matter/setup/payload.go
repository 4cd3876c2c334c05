package setup

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"threadmap/diag"
)

// A Payload is what one code says about one device. What a code doesn't say is
// unknown.
type Payload struct {
	Passcode      Passcode
	Discriminator Discriminator
	Vendor        diag.Opt[uint16]       // vendor id
	Product       diag.Opt[uint16]       // product id
	Flow          diag.Opt[Flow]         // what to do before the device lets itself be paired
	Discovery     diag.Opt[Capabilities] // only a QR code says it
	Extra         Extra                  // likewise
}

// A Discriminator tells devices that wait to be paired apart (Core 5.1.1).
type Discriminator struct {
	Value uint16 // 12 bits; 4 if Short
	Short bool   // only the upper 4 of the 12 bits are known: from a manual code
}

// maxDiscriminator is the highest of 12 bits.
const maxDiscriminator = 1<<12 - 1

// Matches reports whether d can be the discriminator, of 12 bits, that a
// device announces.
func (d Discriminator) Matches(announced uint16) bool {
	if d.Short {
		return announced <= maxDiscriminator && announced>>8 == d.Value
	}
	return announced == d.Value
}

// short is the upper 4 bits.
func (d Discriminator) short() uint16 {
	if d.Short {
		return d.Value
	}
	return d.Value >> 8
}

func (d Discriminator) check() error {
	if d.Value > maxDiscriminator || d.Short && d.Value > maxDiscriminator>>8 {
		return errors.New("setup code: the discriminator has more than its 12 bits, or 4 for a short one")
	}
	return nil
}

// String is the discriminator as a user finds it on a label or in a tool.
func (d Discriminator) String() string {
	if d.Short {
		return fmt.Sprintf("%d to %d", d.Value<<8, d.Value<<8|0xFF)
	}
	return fmt.Sprint(d.Value)
}

// A Flow is how a device is brought to let itself be paired (Core 5.1.1).
type Flow uint8

// Flows.
const (
	Standard   Flow = 0 // it does so by itself
	UserIntent Flow = 1 // it wants something pressed first
	Custom     Flow = 2 // as its vendor describes
)

// Capabilities are bits: how a device can be found (Core 5.1.1).
type Capabilities uint8

// Capabilities.
const (
	SoftAP    Capabilities = 1 << 0
	BLE       Capabilities = 1 << 1
	OnNetwork Capabilities = 1 << 2
	WiFiPAF   Capabilities = 1 << 3
	NFC       Capabilities = 1 << 4
)

// Extra is what the TLV at the end of a QR code may say (Core 5.1.5). What
// vendors put there is not kept.
type Extra struct {
	SerialNumber string           // "": not said
	Iterations   diag.Opt[uint32] // of PBKDF2, 1000 to 100000
	Salt         []byte           // of PBKDF2, 16 to 32 octets; nil: not said
	Devices      diag.Opt[uint8]  // how many the code is for
	Timeout      diag.Opt[uint16] // how long it waits to be paired, in seconds
}

// String is the payload without its passcode, serial number and salt.
func (p Payload) String() string {
	s := "discriminator " + p.Discriminator.String()
	if v, ok := p.Vendor.Get(); ok {
		s += fmt.Sprintf(", vendor 0x%04X", v)
	}
	if v, ok := p.Product.Get(); ok {
		s += fmt.Sprintf(", product 0x%04X", v)
	}
	return s
}

// maxText bounds what Parse looks at, in octets. A QR code with a passcode and
// all extras has about 150.
const maxText = 1 << 10

// Parse reads what a user typed, pasted or scanned: a manual code, with spaces
// and dashes as it is printed, or the text of a QR code. A QR code may be for
// several devices; a manual code is for one.
func Parse(text string) ([]Payload, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("setup code: %d characters are far too many: give the digits of the manual code, or the text of the QR code that begins with %s", len(text), Prefix)
	}
	s := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, text)
	if rest, ok := strings.CutPrefix(s, Prefix); ok {
		return parseQR(rest)
	}
	digits := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Pd, r) {
			return -1
		}
		return r
	}, s)
	if digits == "" {
		return nil, errors.New("setup code: it is empty: give the digits of the manual code, or the whole text of the QR code")
	}
	p, err := parseManual(digits)
	if err != nil {
		return nil, err
	}
	return []Payload{p}, nil
}

// known is v, or unknown for the 0 with which a code says nothing about a
// vendor or a product.
func known(v uint16) diag.Opt[uint16] {
	if v == 0 {
		return diag.Opt[uint16]{}
	}
	return diag.Some(v)
}
