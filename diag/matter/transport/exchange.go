package transport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"threadmap/diag/matter/message/mrp"
)

// An Exchange is one conversation with a peer. Close it in the end. Its methods
// may be called from several goroutines.
type Exchange struct {
	e *Endpoint
	x *mrp.Exchange
	s *Session

	changed chan struct{} // closed at the next change; nil: nobody waits
}

// exchange is the Exchange of a new one of the machine's. The lock is held.
func (e *Endpoint) exchange(m *mrp.Exchange) *Exchange {
	x := &Exchange{e: e, x: m, s: e.session(m.Session())}
	e.exchanges[m] = x
	return x
}

// changes wakes who waits. The lock is held.
func (x *Exchange) changes() {
	if x.changed != nil {
		close(x.changed)
		x.changed = nil
	}
}

// Session is whose exchange it is.
func (x *Exchange) Session() *Session { return x.s }

// Endpoint is where the exchange is.
func (x *Exchange) Endpoint() *Endpoint { return x.e }

// wait tries f, under the lock and again after each change, until it is done or
// the context ends. It also ends when limit, unless 0, has passed since the
// first try after which everything sent was acknowledged.
func (x *Exchange) wait(ctx context.Context, what string, limit time.Duration, f func(now time.Time) (done bool)) error {
	var timer *time.Timer
	var late <-chan time.Time
	for {
		var changed chan struct{}
		var flushed bool
		x.e.do(func(now time.Time) {
			if f(now) {
				return
			}
			if x.changed == nil {
				x.changed = make(chan struct{})
			}
			changed, flushed = x.changed, x.x.Flushed()
		})
		if changed == nil {
			return nil
		}
		if flushed && limit > 0 && timer == nil {
			timer = time.NewTimer(limit)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-changed:
		case <-late:
			return &TimeoutError{Peer: x.s.Peer(), Waited: limit}
		case <-ctx.Done():
			return fmt.Errorf("matter transport: %s %v: %w", what, x.s.Peer(), context.Cause(ctx))
		}
	}
}

// Send sends a message, reliably. It returns when the message is on its way; an
// earlier one that is not acknowledged yet goes first. That nobody acknowledges
// it is an error of a later Receive or Flush. A message is sent even if the
// context has just ended, unless it would have to wait.
func (x *Exchange) Send(ctx context.Context, protocol uint16, opcode uint8, payload []byte) (err error) {
	waited := x.wait(ctx, "sending to", 0, func(now time.Time) bool {
		err = x.e.machine.Send(now, x.x, Message{Protocol: protocol, Opcode: opcode, Payload: payload})
		return !errors.Is(err, mrp.ErrFull)
	})
	if waited != nil {
		return waited
	}
	return err
}

// SendOnce sends a message that nobody acknowledges, as a Check-In is.
func (x *Exchange) SendOnce(protocol uint16, opcode uint8, payload []byte) (err error) {
	x.e.do(func(now time.Time) {
		err = x.e.machine.SendOnce(now, x.x, Message{Protocol: protocol, Opcode: opcode, Payload: payload})
	})
	return err
}

// Receive waits for the next message. It ends with a [*NoAckError] if what was
// sent is not acknowledged, with a [*TimeoutError] if it is and then nothing
// comes, with [ErrSessionClosed] if the peer ends the session, or with the end of
// the context.
func (x *Exchange) Receive(ctx context.Context) (v Message, err error) {
	waited := x.wait(ctx, "waiting for", x.e.response, func(time.Time) bool {
		var ok bool
		if v, ok = x.x.Take(); ok {
			return true
		}
		err = x.x.Err()
		return err != nil
	})
	if waited != nil {
		return Message{}, waited
	}
	return v, err
}

// Flush waits until everything that was sent is acknowledged.
func (x *Exchange) Flush(ctx context.Context) (err error) {
	waited := x.wait(ctx, "waiting for the acknowledgement of", 0, func(time.Time) bool {
		err = x.x.Err()
		return err != nil || x.x.Flushed()
	})
	if waited != nil {
		return waited
	}
	return err
}

// Close ends the exchange: what came is acknowledged at once, what was sent is
// repeated until it is acknowledged. It does not wait.
func (x *Exchange) Close() {
	x.e.do(func(now time.Time) { x.e.machine.CloseExchange(now, x.x) })
}

// Abort is Close where nobody wants the answer any more: nothing is repeated.
func (x *Exchange) Abort() {
	x.e.do(func(now time.Time) { x.e.machine.Abort(now, x.x) })
}
