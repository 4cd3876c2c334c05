package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
)

// Invoke runs one command; fields are its TLV structure, nil where it has none.
// The answer is another command or, where the command has none, a status of
// success; another status is an error that wraps *im.StatusError, as is a
// refusal of the whole request.
//
// With an error that is no StatusError the command may have been run.
func Invoke(ctx context.Context, s *session.Secure, p im.CommandPath, fields []byte) (im.CommandResponse, error) {
	return invoke(ctx, s, p, fields, 0)
}

// InvokeTimed is Invoke for commands that want a timed interaction: the node
// must have the command within so long (at most 65.535 s) after it was told
// that it comes.
func InvokeTimed(ctx context.Context, s *session.Secure, within time.Duration, p im.CommandPath, fields []byte) (im.CommandResponse, error) {
	if within < time.Millisecond || within > maxWithin {
		return im.CommandResponse{}, fmt.Errorf("invoking %v: a timed interaction lasts 1 ms to %v, not %v", p, maxWithin, within)
	}
	return invoke(ctx, s, p, fields, within)
}

const maxWithin = 65535 * time.Millisecond

var (
	errNoAnswer   = errors.New("the node answered without an answer to the command")
	errOtherCmd   = errors.New("the node answered another command")
	errNoVerdict  = errors.New("the node did not say what became of the attribute")
	errOtherPlace = errors.New("the node answered about another attribute")
)

func invoke(ctx context.Context, s *session.Secure, p im.CommandPath, fields []byte, within time.Duration) (answer im.CommandResponse, err error) {
	what := fmt.Sprintf("invoking %v on %s", p, name(s))
	payload, err := im.Invoke(p, fields, within > 0)
	if err != nil {
		return answer, fmt.Errorf("%s: %w", what, err)
	}
	err = do(ctx, s, what, func(t *turn) error {
		if err := t.announce(within); err != nil {
			return err
		}
		b, err := t.ask(im.OpInvokeRequest, payload, im.OpInvokeResponse)
		if err != nil {
			return err
		}
		r, err := im.ParseInvokeResponse(b)
		if err != nil {
			return err
		}
		t.own = r.More
		if len(r.Responses) == 0 {
			return errNoAnswer
		}
		a := r.Responses[0]
		if a.Path.Endpoint != p.Endpoint || a.Path.Cluster != p.Cluster || a.IsStatus && a.Path.Command != p.Command {
			return errOtherCmd
		}
		answer = a
		if a.IsStatus {
			return a.Result.Err()
		}
		return nil
	})
	return answer, err
}

// announce tells the node that the next message comes within so long.
func (t *turn) announce(within time.Duration) error {
	if within <= 0 {
		return nil
	}
	_, err := t.ask(im.OpTimedRequest, im.EncodeTimedRequest(uint16(within.Milliseconds())), im.OpStatusResponse)
	return err
}

// name is whom a session is with, for errors.
func name(s *session.Secure) string {
	if s.PASE() {
		return "the device being paired"
	}
	return fmt.Sprintf("node %016X", s.Node())
}

// Write writes one attribute: data is one TLV element under whatever tag. A
// list is replaced as a whole and must fit into one message. An error wraps
// *im.StatusError where the node said no.
func Write(ctx context.Context, s *session.Secure, p im.Path, data []byte) error {
	what := fmt.Sprintf("writing %v to %s", p, name(s))
	payload, err := im.Write(p, data, false)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return do(ctx, s, what, func(t *turn) error {
		b, err := t.ask(im.OpWriteRequest, payload, im.OpWriteResponse)
		if err != nil {
			return err
		}
		t.own = false
		statuses, err := im.ParseWriteResponse(b)
		switch {
		case err != nil:
			return err
		case len(statuses) == 0:
			return errNoVerdict
		case statuses[0].Path != p:
			return errOtherPlace
		}
		return statuses[0].Result.Err()
	})
}
