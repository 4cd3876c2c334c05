// Package establish is what the two session establishments of Matter, pase and
// sigma, have in common: the message they give out, the walk through a payload,
// and how they speak of a peer's StatusReport.
//
// The reader is below both, and above tlv and message.
package establish

import (
	"errors"
	"fmt"

	"threadmap/diag/matter/message"
	"threadmap/tlv"
)

// A Message is one to send, of the secure channel protocol (message.SecureChannel).
type Message struct {
	Opcode  uint8
	Payload []byte
}

// Status is a StatusReport to send.
func Status(r message.StatusReport) []Message {
	return []Message{{message.Status, r.Append(nil)}}
}

// Success is the happy end, as one side tells it to the other.
func Success() []Message {
	return Status(message.StatusReport{General: message.Success, Code: message.CodeEstablished})
}

// Failure is what a party that gives up tells the other, so that it is free at
// once and need not wait for its timer.
func Failure(code uint16) []Message {
	return Status(message.StatusReport{General: message.Failure, Code: code})
}

// PeerReport is the error of a StatusReport that came instead of another
// message. It wraps the report.
func PeerReport(payload []byte, instead uint8) error {
	r, err := message.ParseStatusReport(payload)
	if err != nil {
		return err
	}
	if r.Established() {
		return fmt.Errorf("the peer reports success before %s", Name(instead))
	}
	return fmt.Errorf("instead of %s: %w", Name(instead), r)
}

// Unexpected is the error of a message that is not the one that is due.
func Unexpected(got, want uint8) error {
	return fmt.Errorf("got %s, want %s", Name(got), Name(want))
}

// Name is the standard's name of a message, for errors.
func Name(opcode uint8) string {
	switch opcode {
	case message.PBKDFParamRequest:
		return "PBKDFParamRequest"
	case message.PBKDFParamResponse:
		return "PBKDFParamResponse"
	case message.Pake1:
		return "Pake1"
	case message.Pake2:
		return "Pake2"
	case message.Pake3:
		return "Pake3"
	case message.Sigma1:
		return "Sigma1"
	case message.Sigma2:
		return "Sigma2"
	case message.Sigma3:
		return "Sigma3"
	case message.Sigma2Resume:
		return "Sigma2_Resume"
	case message.Status:
		return "StatusReport"
	}
	return fmt.Sprintf("opcode 0x%02x", opcode)
}

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
