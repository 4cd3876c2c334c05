package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// A TimeoutError means that the peer acknowledged what was sent, or had nothing
// to acknowledge, and then said nothing.
type TimeoutError struct {
	Peer   netip.AddrPort
	Waited time.Duration
}

// Error is one line.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("%v said nothing for %v, though it is there", e.Peer, e.Waited)
}

// Timeout is true.
func (*TimeoutError) Timeout() bool { return true }

// Is makes the error a context.DeadlineExceeded.
func (*TimeoutError) Is(err error) bool { return err == context.DeadlineExceeded }

// passing reports whether a failure to send may be over the next time: a full
// queue, or the echo of an earlier datagram. All others (no route, no such
// address, a firewall) are final for the address.
func passing(err error) bool {
	for _, e := range [...]error{syscall.ENOBUFS, syscall.ENOMEM, syscall.EAGAIN, syscall.EINTR, syscall.ECONNREFUSED, syscall.ECONNRESET} {
		if errors.Is(err, e) {
			return true
		}
	}
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
