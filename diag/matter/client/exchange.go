package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/transport"
)

// A busy node is asked again after firstWait, then after twice as long, and so
// on up to longestWait, maxBusy times in all. Each wait is up to a quarter
// longer, so that two controllers part.
const (
	firstWait   = 500 * time.Millisecond
	longestWait = 8 * time.Second
	maxBusy     = 8
)

// do runs an operation in an exchange of its own, and again where the node is
// busy. Its error says what was to be done with whom.
func do(ctx context.Context, s *session.Secure, what string, f func(*turn) error) error {
	for n, wait := 0, firstWait; ; n++ {
		err := once(ctx, s, f)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("%s: %w", what, s.Lost(err))
		if !isBusy(err) || n >= maxBusy {
			return err
		}
		pause := wait + rand.N(wait/4)
		if end, ok := ctx.Deadline(); ok && time.Until(end) <= pause {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
		wait = min(2*wait, longestWait)
	}
}

func once(ctx context.Context, s *session.Secure, f func(*turn) error) error {
	x, err := s.Session.Open(ctx)
	if err != nil {
		return err
	}
	t := &turn{ctx: ctx, x: x}
	err = f(t)
	t.end(err)
	return err
}

// A busyError is a node's refusal of a whole action that it did not begin.
type busyError struct{ *im.StatusError }

func (e *busyError) Error() string { return "the node is busy: " + e.StatusError.Error() }

func (e *busyError) Unwrap() error { return e.StatusError }

func isBusy(err error) bool { return errors.As(err, new(*busyError)) }

// refusal is the error of a StatusResponse that came instead of an answer.
func refusal(status im.Status) error {
	err := &im.StatusError{Result: im.Result{Status: status}}
	if status == im.Busy || status == im.ResourceExhausted {
		return &busyError{err}
	}
	return err
}

// errSuccess is what comes of a node that says just "success" where it should
// have answered.
var errSuccess = errors.New("the node says success and answers nothing")

// A turn is an exchange in which one asks and the other answers.
type turn struct {
	ctx context.Context
	x   *transport.Exchange
	own bool // the last message was the peer's: it waits for us
	bye bool // our last message is to be repeated until it is acknowledged, whatever comes of the rest
}

func (t *turn) send(opcode uint8, payload []byte) error {
	t.own = false
	return t.x.Send(t.ctx, message.InteractionModel, opcode, payload)
}

// receive waits for the message want. A StatusResponse instead is an error.
func (t *turn) receive(want uint8) ([]byte, error) {
	m, err := t.x.Receive(t.ctx)
	if err != nil {
		return nil, err
	}
	t.own = true
	switch {
	case m.Protocol != message.InteractionModel:
		return nil, fmt.Errorf("the node answered in protocol 0x%04x", m.Protocol)
	case m.Opcode == im.OpStatusResponse:
		t.own = false // that was its last word
		status, err := im.ParseStatusResponse(m.Payload)
		switch {
		case err != nil:
			return nil, err
		case want == im.OpStatusResponse && status == im.Success:
			t.own = true
			return m.Payload, nil
		case status == im.Success:
			return nil, errSuccess
		}
		return nil, refusal(status)
	case m.Opcode != want:
		return nil, fmt.Errorf("the node answered with opcode 0x%02x instead of 0x%02x", m.Opcode, want)
	}
	return m.Payload, nil
}

// ask sends a message and waits for its answer.
func (t *turn) ask(opcode uint8, payload []byte, want uint8) ([]byte, error) {
	if err := t.send(opcode, payload); err != nil {
		return nil, err
	}
	return t.receive(want)
}

// end closes the exchange. A peer that waits for more is told that there is
// none.
func (t *turn) end(err error) {
	switch {
	case t.own:
		t.x.Send(context.WithoutCancel(t.ctx), message.InteractionModel, im.OpStatusResponse, im.EncodeStatusResponse(im.InvalidAction)) // a courtesy
	case err != nil && !t.bye:
		t.x.Abort() // an answer would come too late
	}
	t.x.Close()
}
