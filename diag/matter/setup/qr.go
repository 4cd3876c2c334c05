package setup

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"threadmap/diag"
	"threadmap/tlv"
)

// Prefix begins the text of every QR code of Matter (Core 5.1.3).
const Prefix = "MT:"

// separator stands between the payloads of several devices.
const separator = "*"

// maxPayloads bounds the devices of one code.
const maxPayloads = 16

// packedSize is the length of the packed part, in octets: 84 bits and 4 of
// padding.
const packedSize = 11

// The packed fields, the first in the least significant bits (Core 5.1.3).
const (
	versionBits       = 3
	vendorBits        = 16
	productBits       = 16
	flowBits          = 2
	discoveryBits     = 8
	discriminatorBits = 12
	passcodeBits      = 27
	paddingBits       = 4
)

// Context tags of the TLV that may follow (Core 5.1.5). From 0x80 on they are
// the vendor's.
const (
	tagSerialNumber = 0
	tagIterations   = 1
	tagSalt         = 2
	tagDevices      = 3
	tagTimeout      = 4
)

// parseQR reads what follows the prefix.
func parseQR(s string) ([]Payload, error) {
	parts := strings.Split(s, separator)
	if len(parts) > maxPayloads {
		return nil, fmt.Errorf("setup code: it is for %d devices, and %d is the most", len(parts), maxPayloads)
	}
	list := make([]Payload, 0, len(parts))
	for i, part := range parts {
		p, err := parseOne(strings.TrimPrefix(part, Prefix))
		if err != nil {
			if len(parts) > 1 {
				err = fmt.Errorf("%w (device %d of %d)", err, i+1, len(parts))
			}
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func parseOne(s string) (Payload, error) {
	b, err := decode38(s)
	if err != nil {
		return Payload{}, err
	}
	return unpack(b)
}

// unpack reads one payload.
func unpack(b []byte) (Payload, error) {
	if len(b) < packedSize {
		return Payload{}, errors.New("setup code: the text of the QR code is cut off: scan it again")
	}
	bits := bitReader{b: b[:packedSize]}
	if bits.read(versionBits) != 0 {
		return Payload{}, errors.New("setup code: it is for a later Matter than this threadmap knows")
	}
	p := Payload{
		Vendor:        known(uint16(bits.read(vendorBits))),
		Product:       known(uint16(bits.read(productBits))),
		Flow:          diag.Some(Flow(bits.read(flowBits))),
		Discovery:     diag.Some(Capabilities(bits.read(discoveryBits))),
		Discriminator: Discriminator{Value: uint16(bits.read(discriminatorBits))},
	}
	var err error
	if p.Passcode, err = NewPasscode(bits.read(passcodeBits)); err != nil {
		return Payload{}, err
	}
	if bits.read(paddingBits) != 0 {
		return Payload{}, errors.New("setup code: bits that must be 0 are not: scan the QR code again")
	}
	if rest := b[packedSize:]; len(rest) > 0 {
		if p.Extra, err = decodeExtra(rest); err != nil {
			return Payload{}, fmt.Errorf("setup code: the end of the QR code can't be read: %w", err)
		}
	}
	return p, nil
}

func decodeExtra(b []byte) (x Extra, err error) {
	d := tlv.NewDecoder(b)
	if !d.Next() || d.Tag() != tlv.Anonymous {
		d.Fail(errors.New("no anonymous structure"))
	}
	d.EnterKind(tlv.Struct)
	for d.Next() {
		switch d.Tag() {
		case tlv.Context(tagSerialNumber):
			if d.Kind() == tlv.Uint {
				x.SerialNumber = fmt.Sprint(d.Uint())
			} else {
				x.SerialNumber = string(d.Text())
			}
		case tlv.Context(tagIterations):
			x.Iterations = diag.Some(d.Uint32())
		case tlv.Context(tagSalt):
			x.Salt = bytes.Clone(d.Octets())
		case tlv.Context(tagDevices):
			x.Devices = diag.Some(d.Uint8())
		case tlv.Context(tagTimeout):
			x.Timeout = diag.Some(d.Uint16())
		}
	}
	d.Leave()
	if d.Next() {
		d.Fail(errors.New("something follows the structure"))
	}
	if err := d.Err(); err != nil {
		return Extra{}, err
	}
	return x, x.check()
}

// check holds what PASE would refuse later (Core 3.9).
func (x Extra) check() error {
	if n, ok := x.Iterations.Get(); ok && (n < 1000 || n > 100000) {
		return fmt.Errorf("%d iterations of PBKDF2, not 1000 to 100000", n)
	}
	if x.Salt != nil && (len(x.Salt) < 16 || len(x.Salt) > 32) {
		return fmt.Errorf("a salt of %d octets, not 16 to 32", len(x.Salt))
	}
	return nil
}

func (x Extra) isZero() bool {
	return x.SerialNumber == "" && !x.Iterations.Known() && x.Salt == nil && !x.Devices.Known() && !x.Timeout.Known()
}

func (x Extra) encode() ([]byte, error) {
	if err := x.check(); err != nil {
		return nil, fmt.Errorf("setup code: %w", err)
	}
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	if x.SerialNumber != "" {
		e.PutText(tlv.Context(tagSerialNumber), x.SerialNumber)
	}
	if v, ok := x.Iterations.Get(); ok {
		e.PutUint(tlv.Context(tagIterations), uint64(v))
	}
	if x.Salt != nil {
		e.PutOctets(tlv.Context(tagSalt), x.Salt)
	}
	if v, ok := x.Devices.Get(); ok {
		e.PutUint(tlv.Context(tagDevices), uint64(v))
	}
	if v, ok := x.Timeout.Get(); ok {
		e.PutUint(tlv.Context(tagTimeout), uint64(v))
	}
	e.End()
	return e.Bytes()
}

// QRCode is the text of the QR code of one or more devices. It has the
// passcodes in it.
func QRCode(devices ...Payload) (string, error) {
	if len(devices) == 0 || len(devices) > maxPayloads {
		return "", fmt.Errorf("setup code: for %d devices, and it can be for 1 to %d", len(devices), maxPayloads)
	}
	parts := make([]string, len(devices))
	for i, p := range devices {
		b, err := p.pack()
		if err != nil {
			return "", err
		}
		parts[i] = encode38(b)
	}
	s := Prefix + strings.Join(parts, separator)
	if len(s) > maxText {
		return "", fmt.Errorf("setup code: %d characters, and %d is the most", len(s), maxText)
	}
	return s, nil
}

// pack is the reverse of unpack.
func (p Payload) pack() ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	flow := p.Flow.Or(Standard)
	switch {
	case p.Discriminator.Short:
		return nil, errors.New("setup code: a QR code has all 12 bits of the discriminator, and only 4 are known")
	case !p.Flow.Known() || !p.Discovery.Known():
		return nil, errors.New("setup code: a QR code says the flow and how the device is found")
	case flow >= 1<<flowBits:
		return nil, fmt.Errorf("setup code: flow %d has more than %d bits", flow, flowBits)
	}
	var bits bitWriter
	bits.write(0, versionBits)
	bits.write(uint32(p.Vendor.Or(0)), vendorBits) // 0 says nothing
	bits.write(uint32(p.Product.Or(0)), productBits)
	bits.write(uint32(flow), flowBits)
	bits.write(uint32(p.Discovery.Or(0)), discoveryBits)
	bits.write(uint32(p.Discriminator.Value), discriminatorBits)
	bits.write(p.Passcode.Number(), passcodeBits)
	b := bits.b[:]
	if p.Extra.isZero() {
		return b, nil
	}
	extra, err := p.Extra.encode()
	if err != nil {
		return nil, err
	}
	return append(b, extra...), nil
}

// A bitReader takes fields from the least significant bit on.
type bitReader struct {
	b  []byte
	at int
}

func (r *bitReader) read(n int) (v uint32) {
	for i := range n {
		v |= uint32(r.b[r.at/8]>>(r.at%8)&1) << i
		r.at++
	}
	return v
}

// A bitWriter is the reverse.
type bitWriter struct {
	b  [packedSize]byte
	at int
}

func (w *bitWriter) write(v uint32, n int) {
	for i := range n {
		w.b[w.at/8] |= byte(v>>i&1) << (w.at % 8)
		w.at++
	}
}
