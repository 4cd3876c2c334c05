// Package establish is what the two session establishments of Matter, pase and
// sigma, have in common: the message they give out, the frame of a payload, and
// what becomes of a message that is not due and of a peer's StatusReport.
//
// The reader is below both, and above tlv and message.
package establish

import (
	"fmt"

	"threadmap/diag/matter/message"
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

// Due is nil for a message with the opcode that is due. For any other one it is
// the error that ends the handshake, and what is to be sent: nothing to a peer
// that gave up, whose StatusReport the error then wraps.
func Due(opcode, want uint8, payload []byte) ([]Message, error) {
	switch opcode {
	case want:
		return nil, nil
	case message.Status:
		return nil, instead(want, payload)
	}
	return Failure(message.CodeInvalidParameter), fmt.Errorf("got %s, want %s", Name(opcode), Name(want))
}

// instead is the error of a StatusReport that came instead of another message.
func instead(of uint8, payload []byte) error {
	r, err := message.ParseStatusReport(payload)
	if err != nil {
		return err
	}
	if r.Established() {
		return fmt.Errorf("the peer reports success before %s", Name(of))
	}
	return fmt.Errorf("instead of %s: %w", Name(of), r)
}

// Confirmed is nil if a StatusReport says that the peer has the session, too;
// after is our message that it answers. Else the error wraps the report, and the
// peer has given up: there is nothing to tell it.
func Confirmed(payload []byte, after uint8) error {
	r, err := message.ParseStatusReport(payload)
	if err != nil {
		return err
	}
	if !r.Established() {
		return fmt.Errorf("after %s: %w", Name(after), r)
	}
	return nil
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
