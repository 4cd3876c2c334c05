package tlv

import (
	"encoding/binary"
	"errors"
	"math"
)

// An Encoder appends elements to a buffer. Its zero value is ready. Integers
// and lengths take the fewest bytes that hold them. The first misuse (a member
// without a tag, a tag that repeats, an End too many or too few) becomes the
// error that Bytes returns; nothing is written after it.
//
// Elements come in the order they are put: most schemas of messages want
// ascending tags.
type Encoder struct {
	buf    []byte
	depth  int
	levels [MaxDepth]level
	err    error
}

// NewEncoder returns an Encoder that appends to buf[:0], to save an allocation.
func NewEncoder(buf []byte) Encoder { return Encoder{buf: buf[:0]} }

// Reset forgets everything but the memory of the buffer: what Bytes returned
// before is overwritten.
func (e *Encoder) Reset() { e.buf, e.depth, e.err = e.buf[:0], 0, nil }

// Struct begins a structure, End ends it.
func (e *Encoder) Struct(t Tag) { e.open(t, typeStruct, Struct) }

// Array begins an array, End ends it.
func (e *Encoder) Array(t Tag) { e.open(t, typeArray, Array) }

// List begins a list, End ends it.
func (e *Encoder) List(t Tag) { e.open(t, typeList, List) }

func (e *Encoder) open(t Tag, typ byte, k Kind) {
	if e.depth >= MaxDepth {
		e.fail("containers are nested too deep")
	}
	if e.header(t, typ) {
		e.levels[e.depth] = level{kind: k}
		e.depth++
	}
}

// End ends the container begun last.
func (e *Encoder) End() {
	if e.depth == 0 {
		e.fail("an end where no container is open")
	}
	if e.err == nil {
		e.buf = append(e.buf, endContainer)
		e.depth--
	}
}

// PutUint puts an unsigned number.
func (e *Encoder) PutUint(t Tag, v uint64) {
	w := widthOf(v)
	if e.header(t, typeUint8+w) {
		e.little(v, w)
	}
}

// PutInt puts a signed number.
func (e *Encoder) PutInt(t Tag, v int64) {
	w := widthOf(uint64(v^(v>>63)) << 1) // the magnitude and one bit for the sign
	if e.header(t, typeInt8+w) {
		e.little(uint64(v), w)
	}
}

// PutBool puts a bool.
func (e *Encoder) PutBool(t Tag, v bool) {
	typ := byte(typeFalse)
	if v {
		typ = typeTrue
	}
	e.header(t, typ)
}

// PutNull puts a null.
func (e *Encoder) PutNull(t Tag) { e.header(t, typeNull) }

// PutFloat32 puts a float of 32 bits.
func (e *Encoder) PutFloat32(t Tag, v float32) {
	if e.header(t, typeFloat32) {
		e.buf = binary.LittleEndian.AppendUint32(e.buf, math.Float32bits(v))
	}
}

// PutFloat64 puts a float of 64 bits.
func (e *Encoder) PutFloat64(t Tag, v float64) {
	if e.header(t, typeFloat64) {
		e.buf = binary.LittleEndian.AppendUint64(e.buf, math.Float64bits(v))
	}
}

// PutOctets puts an octet string.
func (e *Encoder) PutOctets(t Tag, v []byte) {
	w := widthOf(uint64(len(v)))
	if e.header(t, typeOctets8+w) {
		e.little(uint64(len(v)), w)
		e.buf = append(e.buf, v...)
	}
}

// PutText puts a text.
func (e *Encoder) PutText(t Tag, v string) {
	w := widthOf(uint64(len(v)))
	if e.header(t, typeText8+w) {
		e.little(uint64(len(v)), w)
		e.buf = append(e.buf, v...)
	}
}

// PutElement puts a whole element that was encoded elsewhere, as Raw of a
// Decoder returns it, under the tag t instead of its own.
func (e *Encoder) PutElement(t Tag, raw []byte) {
	if e.err != nil {
		return
	}
	if err := Check(raw); err != nil {
		e.err = err
		return
	}
	if e.header(t, raw[0]&typeMask) {
		e.buf = append(e.buf, raw[1+headers[raw[0]].tag:]...)
	}
}

// Len returns how many bytes there are so far.
func (e *Encoder) Len() int { return len(e.buf) }

// Bytes returns what was put. The slice is the buffer itself: it stays valid
// until the Encoder is used again.
func (e *Encoder) Bytes() ([]byte, error) {
	if e.err == nil && e.depth > 0 {
		return nil, &SyntaxError{Offset: len(e.buf), Reason: "a container was not ended"}
	}
	return e.buf, e.err
}

// Fail makes err the error of e unless there is an earlier one.
func (e *Encoder) Fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

func (e *Encoder) fail(reason string) { e.Fail(errors.New("TLV: " + reason)) }

// header puts control byte and tag, and reports whether the value may follow.
func (e *Encoder) header(t Tag, typ byte) bool {
	if e.err != nil {
		return false
	}
	if e.depth > 0 {
		l := &e.levels[e.depth-1]
		n, context := t.Context()
		switch {
		case l.kind == Array && t != Anonymous:
			e.fail("an element of an array with a tag")
		case l.kind == Struct && t == Anonymous:
			e.fail("a member of a structure without a tag")
		case l.kind == Struct && context:
			if l.seen[n>>6]&(1<<(n&63)) != 0 {
				e.fail(t.String() + " repeats in a structure")
			}
			l.seen[n>>6] |= 1 << (n & 63)
		}
	}
	form, ok := t.form()
	if !ok {
		e.fail(t.String())
	}
	if e.err != nil {
		return false
	}
	e.buf = append(e.buf, form|typ)
	switch form {
	case formContext:
		e.buf = append(e.buf, byte(t))
	case formCommon16, formImplicit16:
		e.buf = binary.LittleEndian.AppendUint16(e.buf, uint16(t))
	case formCommon32, formImplicit32:
		e.buf = binary.LittleEndian.AppendUint32(e.buf, uint32(t))
	case formFull48, formFull64:
		vendor, profile, n, _ := t.Profile()
		e.buf = binary.LittleEndian.AppendUint16(e.buf, vendor)
		e.buf = binary.LittleEndian.AppendUint16(e.buf, profile)
		if form == formFull48 {
			e.buf = binary.LittleEndian.AppendUint16(e.buf, uint16(n))
		} else {
			e.buf = binary.LittleEndian.AppendUint32(e.buf, n)
		}
	}
	return true
}

// widthOf is the width of v: 0, 1, 2, 3 for 1, 2, 4, 8 bytes.
func widthOf(v uint64) byte {
	switch {
	case v <= math.MaxUint8:
		return 0
	case v <= math.MaxUint16:
		return 1
	case v <= math.MaxUint32:
		return 2
	}
	return 3
}

func (e *Encoder) little(v uint64, width byte) {
	switch width {
	case 0:
		e.buf = append(e.buf, byte(v))
	case 1:
		e.buf = binary.LittleEndian.AppendUint16(e.buf, uint16(v))
	case 2:
		e.buf = binary.LittleEndian.AppendUint32(e.buf, uint32(v))
	default:
		e.buf = binary.LittleEndian.AppendUint64(e.buf, v)
	}
}
