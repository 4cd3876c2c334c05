package tlv

import (
	"encoding/binary"
	"math"
)

// Uint returns the value of a uint, or of an int that is not negative: schemas
// fix the signedness, but not all who write keep to it.
func (d *Decoder) Uint() uint64 {
	if d.err != nil {
		return 0
	}
	switch d.kind {
	case Uint:
		return little(d.buf[d.val:d.pos])
	case Int:
		if v := d.signed(); v >= 0 {
			return uint64(v)
		}
		d.fail(d.start, "a negative number where none can be")
		return 0
	}
	d.wrong("a uint")
	return 0
}

// Int returns the value of an int, or of a uint that fits.
func (d *Decoder) Int() int64 {
	if d.err != nil {
		return 0
	}
	switch d.kind {
	case Int:
		return d.signed()
	case Uint:
		v := little(d.buf[d.val:d.pos])
		if v <= math.MaxInt64 {
			return int64(v)
		}
		d.fail(d.start, "a number is out of range")
		return 0
	}
	d.wrong("an int")
	return 0
}

func (d *Decoder) signed() int64 {
	b := d.buf[d.val:d.pos]
	shift := 64 - 8*len(b)
	return int64(little(b)<<shift) >> shift
}

// Uint8 is Uint for what must fit in 8 bits.
func (d *Decoder) Uint8() uint8 { return uint8(d.upTo(math.MaxUint8)) }

// Uint16 is Uint for what must fit in 16 bits.
func (d *Decoder) Uint16() uint16 { return uint16(d.upTo(math.MaxUint16)) }

// Uint32 is Uint for what must fit in 32 bits.
func (d *Decoder) Uint32() uint32 { return uint32(d.upTo(math.MaxUint32)) }

func (d *Decoder) upTo(limit uint64) uint64 {
	v := d.Uint()
	if v > limit {
		d.fail(d.start, "a number is out of range")
		return 0
	}
	return v
}

// Int8 is Int for what must fit in 8 bits.
func (d *Decoder) Int8() int8 {
	v := d.Int()
	if v < math.MinInt8 || v > math.MaxInt8 {
		d.fail(d.start, "a number is out of range")
		return 0
	}
	return int8(v)
}

// Bool returns the value of a bool.
func (d *Decoder) Bool() bool {
	if d.err != nil {
		return false
	}
	if d.kind != Bool {
		d.wrong("a bool")
		return false
	}
	return d.buf[d.start]&typeMask == typeTrue
}

// Float returns the value of a float of either width.
func (d *Decoder) Float() float64 {
	if d.err != nil {
		return 0
	}
	switch d.kind {
	case Float32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(d.buf[d.val:])))
	case Float64:
		return math.Float64frombits(binary.LittleEndian.Uint64(d.buf[d.val:]))
	}
	d.wrong("a float")
	return 0
}

// Octets returns the value of an octet string, a part of the input.
func (d *Decoder) Octets() []byte { return d.bytes(Octets, "octets") }

// Text returns the value of a text, a part of the input. It may not be UTF-8,
// and may have a localisation id: see [Display].
func (d *Decoder) Text() []byte { return d.bytes(Text, "text") }

func (d *Decoder) bytes(k Kind, want string) []byte {
	if d.err != nil {
		return nil
	}
	if d.kind != k {
		d.wrong(want)
		return nil
	}
	return d.buf[d.val:d.pos:d.pos]
}
