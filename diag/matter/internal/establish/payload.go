package establish

import (
	"errors"
	"fmt"

	"threadmap/diag/matter/message"
	"threadmap/tlv"
)

var (
	errTooLong   = fmt.Errorf("more than the %d octets of a datagram", message.MaxDatagram)
	errNotStruct = errors.New("want one anonymous structure")
	errSessionID = errors.New("session id 0, which is no session")
)

// Structure calls member for every member with a context tag of the one
// anonymous structure that b is, which is no longer than a datagram. All tags
// of want must be there; other members are the callee's to take or leave.
func Structure(b []byte, want []uint8, member func(n uint8, d *tlv.Decoder)) error {
	if len(b) > message.MaxDatagram {
		return errTooLong
	}
	d := tlv.NewDecoder(b)
	if !d.Next() || d.Tag() != tlv.Anonymous {
		if err := d.Err(); err != nil {
			return err
		}
		return errNotStruct
	}
	var seen [4]uint64
	d.EnterKind(tlv.Struct)
	for d.Next() {
		if n, ok := d.Tag().Context(); ok {
			seen[n>>6] |= 1 << (n & 63)
			member(n, &d)
		}
	}
	d.Leave()
	if d.Next() {
		return errNotStruct
	}
	if err := d.Err(); err != nil {
		return err
	}
	for _, n := range want {
		if seen[n>>6]&(1<<(n&63)) == 0 {
			return fmt.Errorf("member %d is missing", n)
		}
	}
	return nil
}

// Payload is the one anonymous structure with what members puts into it.
func Payload(members func(e *tlv.Encoder)) ([]byte, error) {
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	members(&e)
	e.End()
	return e.Bytes()
}

// OctetsPayload is a structure of octet strings with the tags 1, 2, …
func OctetsPayload(members ...[]byte) ([]byte, error) {
	return Payload(func(e *tlv.Encoder) {
		for i, b := range members {
			e.PutOctets(tlv.Context(uint8(i+1)), b)
		}
	})
}

// PutParameters puts session parameters, unless they say nothing.
func PutParameters(e *tlv.Encoder, t tlv.Tag, p message.SessionParameters) {
	if !p.IsZero() {
		p.Encode(e, t)
	}
}

// Octets reads an octet string that has just the length of to.
func Octets(d *tlv.Decoder, to []byte) {
	b := d.Octets()
	if len(b) != len(to) {
		d.Fail(fmt.Errorf("want %d octets, got %d", len(to), len(b)))
		return
	}
	copy(to, b)
}

// SessionID reads a session id, which is not 0.
func SessionID(d *tlv.Decoder) uint16 {
	id := d.Uint16()
	if id == 0 {
		d.Fail(errSessionID)
	}
	return id
}
