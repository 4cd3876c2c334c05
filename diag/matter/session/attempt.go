package session

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"threadmap/diag/matter/internal/establish"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/pase"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
)

// A handshake is the initiator of one, be it CASE or PASE.
type handshake struct {
	start   establish.Message
	receive func(opcode uint8, payload []byte) ([]establish.Message, error)
	done    func() (established, bool)
}

// A spoken error is about what the peer said, not about how to reach it.
type spoken struct{ error }

func (e spoken) Unwrap() error { return e.error }

// attempt makes handshakes at one address until there is a session or a reason
// why there won't be one.
func (d *dialer) attempt(ctx context.Context, at netip.AddrPort) (*Secure, progress, error) {
	record := d.record
	for waits := 0; ; {
		s, far, err := d.handshake(ctx, at, record)
		if err == nil || !errors.As(err, new(spoken)) || d.taken.Load() || d.waiting.Err() != nil {
			return s, far, err
		}
		var report message.StatusReport
		isReport := errors.As(err, &report)
		if wait, ok := report.Wait(); isReport && ok {
			if waits++; waits > maxBusy {
				return nil, busy, err
			}
			if wait == 0 {
				wait = busyUnknown
			}
			if end, ok := ctx.Deadline(); ok && time.Until(end) <= wait {
				return nil, busy, fmt.Errorf("it wants to be left alone for %v, which is too long here: %w", wait, err)
			}
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
				continue
			case <-d.waiting.Done():
				timer.Stop()
				if errors.Is(context.Cause(d.waiting), errLost) {
					err = errLost
				}
				return nil, busy, err
			}
		}
		if record.IsZero() || isReport && report.Code == message.CodeNoSharedTrustRoots {
			return nil, far, err
		}
		record = sigma.Record{} // whatever went wrong with it, certificates are the longer and surer way
	}
}

// handshake makes one.
func (d *dialer) handshake(ctx context.Context, at netip.AddrPort, record sigma.Record) (*Secure, progress, error) {
	id := d.ep.NewSessionID()
	if id == 0 {
		return nil, unheard, errors.New("all session ids are in use")
	}
	h, err := d.begin(id, record)
	if err != nil {
		return nil, forbidden, err
	}
	u := d.ep.Unsecured(at, d.parameters)
	u.SetMargin(d.margin)
	defer u.Close(context.Background())
	x, err := u.Open(d.waiting)
	if err != nil {
		return nil, unheard, d.why(err)
	}
	if err := x.Send(d.waiting, message.SecureChannel, h.start.Opcode, h.start.Payload); err != nil {
		x.Abort()
		return nil, unheard, d.why(err)
	}
	if err := x.Flush(d.waiting); err != nil {
		x.Abort()
		return nil, unheard, d.why(err)
	}
	d.acked <- struct{}{}
	turn, mine := d.waiting, false
	for {
		m, err := x.Receive(turn)
		if err != nil {
			if turn.Err() != nil { // it goes on without us: set it free
				d.giveUp(x)
			}
			x.Close()
			if !mine {
				err = d.why(err)
			}
			return nil, silent, err
		}
		reply, err := h.receive(m.Opcode, m.Payload)
		if err == nil && !mine {
			if !d.take() {
				d.giveUp(x)
				x.Close()
				return nil, silent, errLost
			}
			turn, mine = ctx, true
		}
		for _, r := range reply {
			if err := x.Send(ctx, message.SecureChannel, r.Opcode, r.Payload); err != nil {
				x.Close()
				return nil, silent, err
			}
		}
		if err != nil {
			x.Close()
			far := refused
			if errors.Is(err, sigma.ErrPeer) || errors.Is(err, pase.ErrPasscode) {
				far = forbidden
			}
			return nil, far, spoken{err}
		}
		e, ok := h.done()
		if !ok {
			continue
		}
		// Where the last word is ours, the session is of no use before the peer
		// has it.
		if err := x.Flush(ctx); err != nil {
			x.Abort()
			return nil, silent, err
		}
		x.Close()
		s, err := e.begin(d.ep, u.Peer(), d.parameters, d.margin)
		if err != nil {
			return nil, refused, err
		}
		return s, refused, nil
	}
}

// giveUp tells the peer that nobody goes on with the handshake.
func (d *dialer) giveUp(x *transport.Exchange) {
	for _, m := range establish.Failure(message.CodeInvalidParameter) {
		x.Send(context.Background(), message.SecureChannel, m.Opcode, m.Payload) // a courtesy
	}
}

// why is err, or errLost where an attempt ended because another one won.
func (d *dialer) why(err error) error {
	if errors.Is(err, errLost) {
		return errLost
	}
	return err
}
