package mrp

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// ErrSessionClosed means that the session is gone, by the peer's word or ours:
// only a new one can go on.
var ErrSessionClosed = errors.New("the session is closed")

var (
	errPeerClosed = fmt.Errorf("mrp: the peer said so: %w", ErrSessionClosed)
	errWeClosed   = fmt.Errorf("mrp: %w", ErrSessionClosed)
	errUsedUp     = fmt.Errorf("mrp: no message counters are left: %w", ErrSessionClosed)

	errExchangeClosed = errors.New("mrp: the exchange is closed")
	errAborted        = errors.New("mrp: the exchange was given up")
	errManyExchanges  = errors.New("mrp: all 65536 exchange numbers of the session are in use")
)

// ErrFull means that four messages already wait in the exchange for the
// acknowledgement of an earlier one.
var ErrFull = errors.New("mrp: too many messages wait in the exchange")

// A NoAckError means that a message was sent as often as the standard says and
// nobody acknowledged it: the peer is off, away, asleep, or has forgotten the
// session (a node that was restarted just looks mute).
type NoAckError struct {
	Peer          netip.AddrPort
	Protocol      uint16
	Opcode        uint8
	Transmissions int
	Waited        time.Duration
	// Cause is what the system said when a datagram was to be sent; often nil.
	Cause error
}

// Error is one line.
func (e *NoAckError) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("no way to %v: %v", e.Peer, e.Cause)
	}
	return fmt.Sprintf("%v did not acknowledge opcode 0x%02x of protocol 0x%04x (sent %d times in %v)",
		e.Peer, e.Opcode, e.Protocol, e.Transmissions, e.Waited.Round(time.Millisecond))
}

// Unwrap is the system's error, if there was one.
func (e *NoAckError) Unwrap() error { return e.Cause }
