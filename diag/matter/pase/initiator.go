package pase

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"threadmap/diag/hidden"
	"threadmap/diag/matter/internal/establish"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/spake2p"
)

// InitiatorConfig is what a commissioner brings.
type InitiatorConfig struct {
	Passcode   uint32                    // of the setup code
	SessionID  uint16                    // that the peer shall put into its headers, not 0
	Parameters message.SessionParameters // that we tell the peer
	Random     *Random                   // nil but in tests
}

// Format hides the passcode from every verb of package fmt.
func (InitiatorConfig) Format(f fmt.State, _ rune) { io.WriteString(f, hidden.Text) }

// An Initiator is the commissioner's side of one handshake. It is not safe for
// concurrent use.
type Initiator struct {
	cfg      *InitiatorConfig // by pointers, here and below: package fmt follows one of a value it prints
	want     uint8            // the opcode that is due; 0: over
	random   [32]byte
	scalar   *spake2p.Scalar
	request  []byte
	peer     response
	prover   *spake2p.Prover
	context  spake2p.Transcript
	keys     *message.Keys
	finished bool
}

// Format hides the secrets of the handshake from every verb of package fmt.
func (*Initiator) Format(f fmt.State, _ rune) { io.WriteString(f, hidden.Text) }

// NewInitiator begins a handshake.
func NewInitiator(cfg InitiatorConfig) (*Initiator, error) {
	if err := spake2p.CheckPasscode(cfg.Passcode); err != nil {
		return nil, fmt.Errorf("pase: %w", err)
	}
	if cfg.SessionID == 0 {
		return nil, errSessionID
	}
	i := &Initiator{cfg: &cfg, want: message.PBKDFParamResponse}
	i.random, i.scalar = draw(cfg.Random)
	var err error
	i.request, err = request{random: i.random, session: cfg.SessionID, parameters: cfg.Parameters}.encode()
	if err != nil {
		return nil, fmt.Errorf("pase: PBKDFParamRequest: %w", err)
	}
	return i, nil
}

// Start is the first message.
func (i *Initiator) Start() Message {
	return Message{Opcode: message.PBKDFParamRequest, Payload: i.request}
}

// Receive takes a message of the responder and gives what is to be sent. With
// an error the handshake is over, and what is to be sent tells the responder.
// The error wraps a message.StatusReport if the responder sent one that says
// no, and [ErrPasscode] if its passcode is another one.
//
// PBKDFParamResponse asks for work that takes up to some 100 ms.
func (i *Initiator) Receive(opcode uint8, payload []byte) ([]Message, error) {
	want := i.want
	i.want = 0 // until this message proves good
	if want == 0 {
		return nil, errOver
	}
	if reply, err := establish.Due(opcode, want, payload); err != nil {
		i.wipe()
		return reply, fmt.Errorf("pase: %w", err)
	}
	var reply []Message
	var err error
	switch opcode {
	case message.PBKDFParamResponse:
		reply, err = i.readResponse(payload)
	case message.Pake2:
		reply, err = i.readPake2(payload)
	case message.Status:
		if err := establish.Confirmed(payload, message.Pake3); err != nil {
			i.wipe()
			return nil, fmt.Errorf("pase: %w", err)
		}
		i.finished = true
	}
	if err != nil {
		i.wipe()
		return refuse(opcode, err)
	}
	return reply, nil
}

var (
	errEcho    = errors.New("it answers another request: the random number is not ours")
	errNoPBKDF = errors.New("salt and iterations are missing")
)

func (i *Initiator) readResponse(payload []byte) ([]Message, error) {
	m, err := decodeResponse(payload)
	switch {
	case err != nil:
		return nil, err
	case subtle.ConstantTimeCompare(m.initiatorRandom[:], i.random[:]) != 1:
		return nil, errEcho
	case m.pbkdf == nil:
		return nil, errNoPBKDF
	}
	secret, err := spake2p.Derive(i.cfg.Passcode, m.pbkdf.salt, m.pbkdf.iterations)
	if err != nil {
		return nil, err
	}
	m.pbkdf = nil // its salt is part of the payload
	i.prover, err = spake2p.NewProver(secret, i.scalar)
	if err != nil {
		return nil, err
	}
	i.peer, i.context = m, transcript(i.request, payload)
	pake1, err := encodePake1(i.prover.X())
	if err != nil {
		return nil, err
	}
	i.want = message.Pake2
	return []Message{{Opcode: message.Pake1, Payload: pake1}}, nil
}

func (i *Initiator) readPake2(payload []byte) ([]Message, error) {
	m, err := decodePake2(payload)
	if err != nil {
		return nil, err
	}
	confirm, ke, err := i.prover.Finish(i.context, m.y[:], m.confirm[:])
	if errors.Is(err, spake2p.ErrConfirm) {
		return nil, ErrPasscode
	}
	if err != nil {
		return nil, err
	}
	defer clear(ke[:])
	pake3, err := encodePake3(confirm)
	if err != nil {
		return nil, err
	}
	i.keys, i.want = sessionKeys(ke), message.Status
	return []Message{{Opcode: message.Pake3, Payload: pake3}}, nil
}

func (i *Initiator) wipe() {
	if i.keys != nil {
		i.keys.Wipe()
	}
}

// Done is the session, once the responder said that it has it, too.
func (i *Initiator) Done() (e Established, ok bool) {
	if !i.finished {
		return Established{}, false
	}
	return Established{
		Keys: *i.keys, LocalSessionID: i.cfg.SessionID, PeerSessionID: i.peer.session, PeerParameters: i.peer.parameters,
	}, true
}
