// Package establishtest drives the machines of a session establishment in tests:
// those of package pase, and those of package sigma.
//
// The reader is beside the tests of these two; the product doesn't import it.
package establishtest

import (
	"testing"

	"threadmap/diag/matter/internal/establish"
)

// A Machine is either side of a handshake.
type Machine interface {
	Receive(opcode uint8, payload []byte) ([]establish.Message, error)
}

// An Initiator is the side that begins.
type Initiator interface {
	Machine
	Start() establish.Message
}

// One takes what a machine replies, and gives the payload: it ends the test
// unless that is one message with the opcode, and no error.
func One(t testing.TB, opcode uint8) func([]establish.Message, error) []byte {
	return func(ms []establish.Message, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if len(ms) != 1 || ms[0].Opcode != opcode {
			t.Fatalf("got %v, want one message with opcode 0x%02x", ms, opcode)
		}
		return ms[0].Payload
	}
}

// Run lets two machines talk until nobody has a word left. change, if there is
// one, may change what is under way; it is told the number of the message,
// beginning with 0. The errors are those that the initiator and the responder
// gave last.
func Run(i Initiator, r Machine, change func(number int, m establish.Message) establish.Message) (ie, re error) {
	toResponder := true
	queue := []establish.Message{i.Start()}
	for number := 0; len(queue) > 0; number++ {
		m := queue[0]
		if change != nil {
			m = change(number, m)
		}
		if toResponder {
			queue, re = r.Receive(m.Opcode, m.Payload)
		} else {
			queue, ie = i.Receive(m.Opcode, m.Payload)
		}
		toResponder = !toResponder
	}
	return ie, re
}
