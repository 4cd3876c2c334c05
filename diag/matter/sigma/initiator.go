package sigma

import (
	"errors"
	"fmt"
	"io"
	"time"

	"threadmap/diag/hidden"
	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/internal/establish"
	"threadmap/diag/matter/message"
)

// InitiatorConfig is what an initiator brings.
type InitiatorConfig struct {
	Member     *fabric.Member            // who we are; its root is whom we trust
	PeerNodeID uint64                    // whom we want to talk to, in Member's fabric
	SessionID  uint16                    // that the peer shall put into its headers, not 0
	Parameters message.SessionParameters // that we tell the peer
	Time       time.Time                 // now, for the validity of certificates
	Record     Record                    // of the last session with this peer; zero: a full handshake
	Random     *Random                   // nil but in tests
}

// An Initiator is the side of one handshake that begins. It is not safe for
// concurrent use.
type Initiator struct {
	cfg    InitiatorConfig
	sign   func([]byte) ([cert.SigSize]byte, error)
	want   uint8 // the opcode that is due; 0: over
	random *Random
	sigma1 []byte

	// What is known of the session, the session itself once finished.
	result   *Established
	finished bool
}

// Format hides the secrets of the handshake from every verb of package fmt.
func (*Initiator) Format(f fmt.State, _ rune) { io.WriteString(f, hidden.Text) }

var errRecord = errors.New("sigma: the resumption record is of another fabric or another node")

// NewInitiator begins a handshake.
func NewInitiator(cfg InitiatorConfig) (*Initiator, error) {
	if err := checkOwn(cfg.SessionID, cfg.Time); err != nil {
		return nil, err
	}
	switch id := cfg.PeerNodeID; {
	case cfg.Member == nil:
		return nil, errors.New("sigma: a member of a fabric is needed, to be one and to check the peer")
	case id < cert.MinNodeID || id > cert.MaxNodeID:
		return nil, fmt.Errorf("sigma: %016X is not an operational node id", id)
	case id == cfg.Member.NodeID:
		return nil, fmt.Errorf("sigma: %016X is ourselves", id)
	case !cfg.Record.IsZero() && (!cfg.Record.In(cfg.Member) || cfg.Record.get().peer.NodeID != id):
		return nil, errRecord
	}
	random, err := draw(cfg.Random)
	if err != nil {
		return nil, err
	}
	i := &Initiator{cfg: cfg, sign: cfg.Member.Sign, want: message.Sigma2, random: &random}
	m := sigma1{
		random: random.Random, session: cfg.SessionID,
		destination: cfg.Member.DestinationID(random.Random[:], cfg.PeerNodeID),
		ephemeral:   [65]byte(random.Ephemeral.PublicKey().Bytes()),
		parameters:  cfg.Parameters,
	}
	if old := cfg.Record.get(); old != nil {
		m.resume = &resume{old.id, resume1Key(old.secret[:], random.Random, old.id).mic(nonceResume1)}
	}
	if i.sigma1, err = m.encode(); err != nil {
		return nil, fmt.Errorf("sigma: Sigma1: %w", err)
	}
	return i, nil
}

// Start is the first message.
func (i *Initiator) Start() Message { return Message{Opcode: message.Sigma1, Payload: i.sigma1} }

// Receive takes a message of the responder and gives what is to be sent. With
// an error the handshake is over, and what is to be sent tells the responder.
// The error wraps a message.StatusReport if the responder sent one that says no
// (message.CodeNoSharedTrustRoots: it is not the node we look for) or not now
// (StatusReport.Wait), and [ErrPeer] if it is not who it should be.
func (i *Initiator) Receive(opcode uint8, payload []byte) ([]Message, error) {
	want := i.want
	i.want = 0 // until this message proves good
	if want == 0 {
		return nil, errOver
	}
	read := i.readSigma2
	if opcode == message.Sigma2Resume && want == message.Sigma2 && !i.cfg.Record.IsZero() {
		read = i.readSigma2Resume
	} else if reply, err := establish.Due(opcode, want, payload); err != nil {
		return i.over(reply, err)
	}
	if opcode == message.Status {
		if err := establish.Confirmed(payload, message.Sigma3); err != nil {
			return i.over(nil, err)
		}
		i.finished = true
		return nil, nil
	}
	reply, err := read(payload)
	if err != nil {
		return i.over(establish.Failure(message.CodeInvalidParameter), fmt.Errorf("%s: %w", establish.Name(opcode), err))
	}
	return reply, nil
}

func (i *Initiator) over(reply []Message, err error) ([]Message, error) {
	i.result = nil
	return reply, fmt.Errorf("sigma: node %016X: %w", i.cfg.PeerNodeID, err)
}

func (i *Initiator) readSigma2(payload []byte) ([]Message, error) {
	m, err := decodeSigma2(payload)
	if err != nil {
		return nil, err
	}
	secret, err := agree(i.random.Ephemeral, m.ephemeral)
	if err != nil {
		return nil, err
	}
	defer clear(secret[:])
	ipk := i.cfg.Member.IPK
	plain, err := sigma2Key(secret[:], ipk, m.random, m.ephemeral, i.sigma1).open(nonceSigma2, m.encrypted)
	if err != nil {
		return nil, err
	}
	var resumptionID [16]byte
	p, err := decodeTBE(plain, &resumptionID)
	if err != nil {
		return nil, fmt.Errorf("TBEData2: %w", err)
	}
	own := [65]byte(i.random.Ephemeral.PublicKey().Bytes())
	tbs, err := encodeTBS(p.noc, p.icac, m.ephemeral, own)
	if err != nil {
		return nil, err
	}
	peer, err := p.verify(i.cfg.Member, tbs, i.cfg.Time)
	if err != nil {
		return nil, err
	}
	if peer.NodeID != i.cfg.PeerNodeID {
		return nil, fmt.Errorf("%w: it is node %016X", ErrPeer, peer.NodeID)
	}
	sigma3, err := i.makeSigma3(sigma3Key(secret[:], ipk, i.sigma1, payload), own, m.ephemeral)
	if err != nil {
		return nil, fmt.Errorf("Sigma3: %w", err)
	}
	i.result = &Established{
		Keys:           *sessionKeys(secret[:], ipk, i.sigma1, payload, sigma3),
		LocalSessionID: i.cfg.SessionID, PeerSessionID: m.session,
		Member: i.cfg.Member, Peer: peer, PeerParameters: m.parameters,
		Record: newRecord(record{resumptionID, *secret, i.cfg.Member.Root.PublicKey, peer}),
	}
	i.want = message.Status
	return []Message{{Opcode: message.Sigma3, Payload: sigma3}}, nil
}

func (i *Initiator) makeSigma3(k key, own, peer [65]byte) ([]byte, error) {
	p, err := prove(i.cfg.Member, i.sign, own, peer)
	if err != nil {
		return nil, err
	}
	plain, err := encodeTBE(p, nil)
	if err != nil {
		return nil, err
	}
	return encodeSigma3(k.seal(nonceSigma3, plain))
}

var errMIC = errors.New("the MIC is wrong: the responder does not have the secret of this resumption")

func (i *Initiator) readSigma2Resume(payload []byte) ([]Message, error) {
	m, err := decodeSigma2Resume(payload)
	if err != nil {
		return nil, err
	}
	old := i.cfg.Record.get()
	if !resume2Key(old.secret[:], i.random.Random, m.id).holds(nonceResume2, m.mic) {
		return nil, errMIC
	}
	i.result = &Established{
		Keys:           *resumedKeys(old.secret[:], i.random.Random, old.id),
		LocalSessionID: i.cfg.SessionID, PeerSessionID: m.session,
		Member: i.cfg.Member, Peer: i.cfg.Record.Peer(), PeerParameters: m.parameters,
		Resumed: true, Record: i.cfg.Record.renewed(m.id),
	}
	i.finished = true
	return establish.Success(), nil
}

// Done is the session: once the responder said that it has it, too, or in a
// resumption as soon as the responder proved that it has the secret.
func (i *Initiator) Done() (e Established, ok bool) {
	if !i.finished {
		return Established{}, false
	}
	return *i.result, true
}
