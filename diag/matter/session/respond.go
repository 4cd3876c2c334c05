package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"threadmap/diag/matter/internal/establish"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/pase"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/spake2p"
	"threadmap/diag/matter/transport"
)

// Limits of a Responder.
const (
	defaultAtOnce = 8
	defaultBusy   = 5 * time.Second
	// handshakeTime is what one handshake may take (Core 5.5 for PASE).
	handshakeTime = 60 * time.Second
)

// A Responder answers handshakes: a node that was restarted makes a new session
// with whom it owes reports, and a simulated device is asked by controllers. It
// must not be changed after its first Answer.
type Responder struct {
	// Identities are who we are. They are asked for at each handshake, since
	// fabrics come and go. nil, or none of them: no CASE.
	Identities func() []sigma.Identity
	// Record finds the record with a resumption id; nil: there are none.
	Record func(id [16]byte) (sigma.Record, bool)
	// Window is the commissioning window that is open, if one is. nil: none.
	Window func() (Window, bool)
	// Own are what we tell the peer. Zero: nothing, which means the standard's
	// defaults.
	Own message.SessionParameters
	// Margin is for a slow way to the peers, see [CASEConfig].
	Margin time.Duration
	// AtOnce is how many handshakes go on at once; 0: 8. More are told to come
	// back after Busy; 0: 5 s.
	AtOnce int
	Busy   time.Duration
	// Now is the time for the validity of certificates; nil: the system's.
	Now func() time.Time

	mu      sync.Mutex
	running int
}

// A Window is what a device knows of its own setup code.
type Window struct {
	Registration spake2p.Registration
	Salt         []byte
	Iterations   uint32
	// Over, unless nil, is told how each handshake ended. One that was tried
	// and not established counts as a failed attempt, of which a device bears
	// 20 in a window (Core 5.5).
	Over func(tried, established bool)
}

// Answer is the responder's side of a handshake that began with the message
// first of an exchange: Sigma1 or PBKDFParamRequest. It belongs into
// transport.Options.Accept:
//
//	func(x *transport.Exchange) {
//		first, err := x.Receive(ctx)
//		switch {
//		case err != nil:
//		case x.Session().IsSecure(): // session.Of(x.Session()) is whose word it is
//		case first.Opcode == message.CheckIn:
//		default:
//			s, err := responder.Answer(ctx, x, first)
//		}
//	}
//
// Exchanges of the new session may come before Answer returns. The last message
// of a full handshake may still be on its way then.
func (r *Responder) Answer(ctx context.Context, x *transport.Exchange, first transport.Message) (*Secure, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	defer x.Close()
	x.Session().SetMargin(r.Margin)
	say := func(messages []establish.Message) error {
		for _, m := range messages {
			if err := x.Send(ctx, message.SecureChannel, m.Opcode, m.Payload); err != nil {
				return err
			}
		}
		return nil
	}
	if !r.enter() {
		say(sigma.Busy(r.busy()))
		return nil, r.failed(x, errors.New("there are too many handshakes at once"))
	}
	defer r.leave()
	receive, done, err := r.begin(x, first.Opcode)
	if err != nil {
		code := message.CodeInvalidParameter
		if errors.Is(err, sigma.ErrNoSharedRoot) {
			code = message.CodeNoSharedTrustRoots
		}
		say(establish.Failure(code))
		return nil, r.failed(x, err)
	}
	for m := first; ; {
		reply, err := receive(m.Opcode, m.Payload)
		e, over := done(err)
		var s *Secure
		if over && err == nil {
			// The peer may use the session as soon as it has the reply.
			s, err = e.begin(x.Endpoint(), x.Session().Peer(), message.SessionParameters{}, r.Margin)
		}
		if said := say(reply); err == nil && said != nil {
			err = said
		}
		if err != nil {
			if s != nil {
				s.Close()
			}
			done(err)
			return nil, r.failed(x, err)
		}
		if s != nil {
			return s, nil
		}
		if m, err = x.Receive(ctx); err != nil {
			if ctx.Err() != nil {
				x.Send(context.WithoutCancel(ctx), message.SecureChannel, message.Status, establish.Failure(message.CodeInvalidParameter)[0].Payload)
			}
			done(err)
			return nil, r.failed(x, err)
		}
	}
}

func (r *Responder) failed(x *transport.Exchange, err error) error {
	return fmt.Errorf("a handshake that %v began: %w", x.Session().Peer(), err)
}

// begin is the machine for a handshake that begins with an opcode. done is
// asked after each message and told the error that ended the handshake.
func (r *Responder) begin(x *transport.Exchange, opcode uint8) (receive func(uint8, []byte) ([]establish.Message, error), done func(error) (established, bool), err error) {
	id := x.Endpoint().NewSessionID()
	if id == 0 {
		return nil, nil, errors.New("all session ids are in use")
	}
	switch opcode {
	case message.Sigma1:
		now := time.Now
		if r.Now != nil {
			now = r.Now
		}
		c := sigma.ResponderConfig{SessionID: id, Parameters: r.Own, Time: now(), Record: r.Record}
		if r.Identities != nil {
			c.Identities = r.Identities()
		}
		if len(c.Identities) == 0 {
			return nil, nil, sigma.ErrNoSharedRoot
		}
		m, err := sigma.NewResponder(c)
		if err != nil {
			return nil, nil, err
		}
		return m.Receive, func(error) (established, bool) {
			e, ok := m.Done()
			return ofSigma(e, false), ok
		}, nil
	case message.PBKDFParamRequest:
		if r.Window == nil {
			return nil, nil, errNoWindow
		}
		w, ok := r.Window()
		if !ok {
			return nil, nil, errNoWindow
		}
		m, err := pase.NewResponder(pase.ResponderConfig{
			Registration: w.Registration, Salt: w.Salt, Iterations: w.Iterations, SessionID: id, Parameters: r.Own,
		})
		if err != nil {
			return nil, nil, err
		}
		told := false
		return m.Receive, func(err error) (established, bool) {
			e, ok := m.Done()
			if (ok || err != nil) && !told && w.Over != nil {
				told = true
				w.Over(m.Tried(), ok)
			}
			return ofPASE(e, false), ok
		}, nil
	}
	return nil, nil, fmt.Errorf("%s begins no handshake", establish.Name(opcode))
}

var errNoWindow = errors.New("no commissioning window is open")

func (r *Responder) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	most := r.AtOnce
	if most <= 0 {
		most = defaultAtOnce
	}
	if r.running >= most {
		return false
	}
	r.running++
	return true
}

func (r *Responder) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running--
}

func (r *Responder) busy() time.Duration {
	if r.Busy <= 0 {
		return defaultBusy
	}
	return r.Busy
}
