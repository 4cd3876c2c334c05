package pase

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"threadmap/diag/hidden"
	"threadmap/diag/matter/internal/establish"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/spake2p"
)

// ResponderConfig is what a device brings.
type ResponderConfig struct {
	// Registration is the passcode verifier; it was made with Salt and
	// Iterations, which the device tells who asks.
	Registration spake2p.Registration
	Salt         []byte
	Iterations   uint32
	SessionID    uint16                    // that the peer shall put into its headers, not 0
	Parameters   message.SessionParameters // that we tell the peer
	Random       *Random                   // nil but in tests
}

// A Responder is the device's side of one handshake. It is not safe for
// concurrent use.
//
// A device allows one handshake at a time and 20 failed ones in a commissioning
// window (Core 5.5): whoever holds the window counts those that [Responder.Tried].
type Responder struct {
	cfg      ResponderConfig
	want     uint8 // the opcode that is due; 0: over
	random   [32]byte
	peer     request
	context  spake2p.Transcript
	verifier *spake2p.Verifier
	tried    bool
	keys     *message.Keys // a pointer: package fmt follows one of a value it prints
	finished bool
}

// Format hides the secrets of the handshake from every verb of package fmt.
func (*Responder) Format(f fmt.State, _ rune) { io.WriteString(f, hidden.Text) }

// NewResponder waits for a handshake.
func NewResponder(cfg ResponderConfig) (*Responder, error) {
	if err := spake2p.CheckParameters(cfg.Salt, cfg.Iterations); err != nil {
		return nil, fmt.Errorf("pase: %w", err)
	}
	if cfg.SessionID == 0 {
		return nil, errSessionID
	}
	cfg.Salt = bytes.Clone(cfg.Salt)
	r := &Responder{cfg: cfg, want: message.PBKDFParamRequest}
	random, scalar := draw(cfg.Random)
	r.random = random
	var err error
	r.verifier, err = spake2p.NewVerifier(cfg.Registration, scalar)
	if err != nil {
		return nil, fmt.Errorf("pase: %w", err)
	}
	return r, nil
}

// Receive takes a message of the initiator and gives what is to be sent. With
// an error the handshake is over, and what is to be sent tells the initiator.
// The error wraps a message.StatusReport if the initiator sent one, and
// [ErrPasscode] if its passcode is another one; most initiators notice first.
func (r *Responder) Receive(opcode uint8, payload []byte) ([]Message, error) {
	want := r.want
	r.want = 0 // until this message proves good
	if want == 0 {
		return nil, errOver
	}
	if reply, err := establish.Due(opcode, want, payload); err != nil {
		return reply, fmt.Errorf("pase: %w", err)
	}
	var reply []Message
	var err error
	switch opcode {
	case message.PBKDFParamRequest:
		reply, err = r.readRequest(payload)
	case message.Pake1:
		reply, err = r.readPake1(payload)
	case message.Pake3:
		reply, err = r.readPake3(payload)
	}
	if err != nil {
		return refuse(opcode, err)
	}
	return reply, nil
}

func (r *Responder) readRequest(payload []byte) ([]Message, error) {
	m, err := decodeRequest(payload)
	switch {
	case err != nil:
		return nil, err
	case m.passcodeID != 0:
		return nil, fmt.Errorf("it asks for passcode %d, there is only number 0", m.passcodeID)
	}
	answer := response{
		initiatorRandom: m.random, random: r.random, session: r.cfg.SessionID, parameters: r.cfg.Parameters,
	}
	if !m.knowsPBKDF {
		answer.pbkdf = &pbkdf{r.cfg.Iterations, r.cfg.Salt}
	}
	b, err := answer.encode()
	if err != nil {
		return nil, err
	}
	r.peer, r.context = m, transcript(payload, b)
	r.want = message.Pake1
	return []Message{{Opcode: message.PBKDFParamResponse, Payload: b}}, nil
}

func (r *Responder) readPake1(payload []byte) ([]Message, error) {
	x, err := decodePake1(payload)
	if err != nil {
		return nil, err
	}
	y, confirm, err := r.verifier.Respond(r.context, x[:])
	if err != nil {
		return nil, err
	}
	b, err := pake2{y, confirm}.encode()
	if err != nil {
		return nil, err
	}
	r.want, r.tried = message.Pake3, true
	return []Message{{Opcode: message.Pake2, Payload: b}}, nil
}

func (r *Responder) readPake3(payload []byte) ([]Message, error) {
	confirm, err := decodePake3(payload)
	if err != nil {
		return nil, err
	}
	ke, err := r.verifier.Confirm(confirm[:])
	if errors.Is(err, spake2p.ErrConfirm) {
		return nil, ErrPasscode
	}
	if err != nil {
		return nil, err
	}
	defer clear(ke[:])
	r.keys, r.finished = sessionKeys(ke), true
	return establish.Success(), nil
}

// Tried reports whether the initiator was told enough to see if a guessed
// passcode is right. A handshake that was tried and is not [Responder.Done]
// counts as a failed attempt.
func (r *Responder) Tried() bool { return r.tried }

// Done is the session. The initiator has it once the last message reaches it.
func (r *Responder) Done() (e Established, ok bool) {
	if !r.finished {
		return Established{}, false
	}
	return Established{
		Keys: *r.keys, LocalSessionID: r.cfg.SessionID, PeerSessionID: r.peer.session, PeerParameters: r.peer.parameters,
	}, true
}
