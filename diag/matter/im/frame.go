package im

import (
	"errors"

	"threadmap/tlv"
)

// The bounds of what is read into memory.
const (
	// MaxMessage is the longest message that is read. Over UDP none exceeds
	// 1280 bytes; over TCP they can be longer.
	MaxMessage = 64 << 10
	maxPaths   = 1024 // paths, filters, commands or statuses of one message
)

// revisionTag is the last member of every message.
const revisionTag = 0xFF

var (
	errTooLong  = errors.New("the message is too long")
	errTooMany  = errors.New("too many entries in one message")
	errTrailing = errors.New("something follows the message")
	errTopTag   = errors.New("the message has a tag")
	errMissing  = errors.New("a member is missing that must be there")
	errFields   = errors.New("the fields of a command are no structure")
	errBoth     = errors.New("of two members that exclude each other both or neither is there")
)

// enter goes into the one structure that a message is.
func enter(d *tlv.Decoder, payload []byte) {
	d.Reset(payload)
	if len(payload) > MaxMessage {
		d.Fail(errTooLong)
		return
	}
	d.Next()
	if d.Tag() != tlv.Anonymous {
		d.Fail(errTopTag)
	}
	d.EnterKind(tlv.Struct)
}

// leave ends reading a message: nothing may follow it.
func leave(d *tlv.Decoder) error {
	d.Leave()
	if d.Next() {
		d.Fail(errTrailing)
	}
	return d.Err()
}

// field returns the number of the current element's context tag, 0x100 for
// other tags: no schema here knows such, so they fall through every switch.
func field(d *tlv.Decoder) int {
	if n, ok := d.Tag().Context(); ok {
		return int(n)
	}
	return 0x100
}

// decode reads a message. member reads the one that the decoder is at, if it
// knows its tag n. must has bit n where the member with tag n has to be there.
func decode(payload []byte, must uint64, member func(d *tlv.Decoder, n int)) error {
	var d tlv.Decoder
	enter(&d, payload)
	var have uint64
	for d.Next() {
		n := field(&d)
		have |= 1 << uint(n) // nothing for 64 and more: no such member has to be there
		member(&d, n)
	}
	if have&must != must {
		d.Fail(errMissing)
	}
	return leave(&d)
}

// members reads the current element, a structure or list inside of a message, as
// decode reads the message.
func members(d *tlv.Decoder, kind tlv.Kind, must uint64, member func(n int)) {
	d.EnterKind(kind)
	var have uint64
	for d.Next() {
		n := field(d)
		have |= 1 << uint(n)
		member(n)
	}
	d.Leave()
	if have&must != must {
		d.Fail(errMissing)
	}
}

// appendTo appends v to list within the bounds.
func appendTo[T any](d *tlv.Decoder, list []T, v T) []T {
	if len(list) >= maxPaths {
		d.Fail(errTooMany)
		return list
	}
	return append(list, v)
}

// array reads the elements of the current array with one.
func array[T any](d *tlv.Decoder, one func(*tlv.Decoder) T) []T {
	list := []T{}
	d.EnterKind(tlv.Array)
	for d.Next() {
		list = appendTo(d, list, one(d))
	}
	d.Leave()
	return list
}

// message encodes a message; members puts what is in it.
func message(members func(*tlv.Encoder)) ([]byte, error) {
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	members(&e)
	e.PutUint(tlv.Context(revisionTag), Revision)
	e.End()
	return e.Bytes()
}
