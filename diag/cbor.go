package diag

import (
	"errors"

	"github.com/fxamacker/cbor/v2"
)

// Bounds of one CBOR item of this vocabulary, checked before anything is
// allocated. A report is flat; the deepest path in a file of scans is file,
// scan, reports, report, rows, row, mode.
const (
	cborMaxNesting = 16
	// More than the rows of any table of Thread: 511 children.
	cborMaxElements = 1024
	cborMaxPairs    = 1024
)

// CBOREncoding and CBORDecoding are how the types of this package are written
// and read as CBOR (RFC 8949), by themselves and inside of larger items:
// deterministic (section 4.2.1), addresses as text, times as RFC 3339 text in
// UTC with nanoseconds (tag 0), durations in nanoseconds; and strict when read:
// no indefinite lengths, no key twice, no invalid UTF-8, small lists.
var (
	CBOREncoding = mustEncoding()
	CBORDecoding = mustDecoding()
)

func mustEncoding() cbor.EncMode {
	o := cbor.CoreDetEncOptions()
	o.Time, o.TimeTag = cbor.TimeRFC3339NanoUTC, cbor.EncTagRequired
	o.BinaryMarshaler = cbor.BinaryMarshalerNone
	o.TextMarshaler = cbor.TextMarshalerTextString
	m, err := o.EncMode()
	if err != nil { // options that contradict each other: a fault of this file
		panic(err)
	}
	return m
}

func mustDecoding() cbor.DecMode {
	m, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:   cborMaxNesting,
		MaxArrayElements:  cborMaxElements,
		MaxMapPairs:       cborMaxPairs,
		IndefLength:       cbor.IndefLengthForbidden,
		TimeTag:           cbor.DecTagRequired,
		BignumTag:         cbor.BignumTagForbidden,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		UTF8:              cbor.UTF8RejectInvalid,
		BinaryUnmarshaler: cbor.BinaryUnmarshalerNone,
		TextUnmarshaler:   cbor.TextUnmarshalerTextString,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}

// The simple values null and undefined (RFC 8949, section 3.3).
const (
	cborNull      = 0xf6
	cborUndefined = 0xf7
)

var errTaggedNull = errors.New("a tag around null")

// cborIsNull reports whether a well-formed item is null or undefined, be it
// inside of tags. The decoder takes such an item for "leave the value as it
// is", which would turn an unknown into a known zero.
func cborIsNull(b []byte) (null, tagged bool) {
	for len(b) > 0 && b[0]>>5 == 6 {
		tagged = true
		head := 1
		if ai := b[0] & 0x1f; ai >= 24 && ai <= 27 {
			head += 1 << (ai - 24)
		}
		b = b[min(head, len(b)):]
	}
	return len(b) == 1 && (b[0] == cborNull || b[0] == cborUndefined), tagged
}
