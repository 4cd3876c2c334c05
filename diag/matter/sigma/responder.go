package sigma

import (
	"crypto/subtle"
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

// An Identity is one fabric in which a responder can be found.
type Identity struct {
	Member *fabric.Member
	// OtherIPKs are the operational keys of other epochs that still hold, if
	// any (at most [MaxOtherIPKs] of them): an initiator may use an old one.
	OtherIPKs []fabric.Key
}

// MaxOtherIPKs is how many keys a key set has besides the newest (Core 11.2.5.4).
const MaxOtherIPKs = 2

// MaxIdentities is how many fabrics a responder can be in (Core 11.18.5.3).
const MaxIdentities = 254

// ResponderConfig is what a responder brings.
type ResponderConfig struct {
	Identities []Identity                // who we are, in one fabric or in several
	SessionID  uint16                    // that the peer shall put into its headers, not 0
	Parameters message.SessionParameters // that we tell the peer
	Time       time.Time                 // now, for the validity of certificates
	// Record finds the record with a resumption id; nil: there are none.
	Record func(id [16]byte) (Record, bool)
	Random *Random // nil but in tests
}

// A Responder is the side of one handshake that is asked. It is not safe for
// concurrent use.
type Responder struct {
	cfg    ResponderConfig
	sign   func(*fabric.Member, []byte) ([cert.SigSize]byte, error)
	want   uint8 // the opcode that is due; 0: over
	random *Random

	// What a full handshake is to be finished with.
	ipk            fabric.Key
	sigma1, sigma2 []byte
	initiator      [65]byte // ephemeral key
	secret         *[32]byte

	// What is known of the session, the session itself once finished.
	result   *Established
	finished bool
}

// Format hides the secrets of the handshake from every verb of package fmt.
func (*Responder) Format(f fmt.State, _ rune) { io.WriteString(f, hidden.Text) }

// NewResponder waits for a handshake.
func NewResponder(cfg ResponderConfig) (*Responder, error) {
	if err := checkOwn(cfg.SessionID, cfg.Time); err != nil {
		return nil, err
	}
	if n := len(cfg.Identities); n == 0 || n > MaxIdentities {
		return nil, fmt.Errorf("sigma: a responder is in 1 to %d fabrics, not %d", MaxIdentities, n)
	}
	for _, id := range cfg.Identities {
		if id.Member == nil || len(id.OtherIPKs) > MaxOtherIPKs {
			return nil, fmt.Errorf("sigma: an identity has a member of a fabric and at most %d more keys", MaxOtherIPKs)
		}
	}
	random, err := draw(cfg.Random)
	if err != nil {
		return nil, err
	}
	return &Responder{cfg: cfg, sign: (*fabric.Member).Sign, want: message.Sigma1, random: &random}, nil
}

// Receive takes a message of the initiator and gives what is to be sent. With
// an error the handshake is over, and what is to be sent tells the initiator.
// The error wraps a message.StatusReport if the initiator sent one that says
// no, [ErrNoSharedRoot] if it looks for another node, and [ErrPeer] if it is
// not who it should be.
func (r *Responder) Receive(opcode uint8, payload []byte) ([]Message, error) {
	want := r.want
	r.want = 0 // until this message proves good
	if want == 0 {
		return nil, errOver
	}
	if reply, err := establish.Due(opcode, want, payload); err != nil {
		return r.over(reply, err)
	}
	if opcode == message.Status {
		if err := establish.Confirmed(payload, message.Sigma2Resume); err != nil {
			return r.over(nil, err)
		}
		r.finished = true
		return nil, nil
	}
	read := r.readSigma1
	if opcode == message.Sigma3 {
		read = r.readSigma3
	}
	reply, err := read(payload)
	switch {
	case errors.Is(err, ErrNoSharedRoot):
		return r.over(establish.Failure(message.CodeNoSharedTrustRoots), fmt.Errorf("Sigma1: %w", err))
	case err != nil:
		return r.over(establish.Failure(message.CodeInvalidParameter), fmt.Errorf("%s: %w", establish.Name(opcode), err))
	}
	return reply, nil
}

func (r *Responder) over(reply []Message, err error) ([]Message, error) {
	r.forget()
	r.result = nil
	return reply, fmt.Errorf("sigma: %w", err)
}

func (r *Responder) forget() {
	if r.secret != nil {
		clear(r.secret[:])
	}
}

func (r *Responder) readSigma1(payload []byte) ([]Message, error) {
	m, err := decodeSigma1(payload)
	if err != nil {
		return nil, err
	}
	if m.resume != nil {
		if reply, err := r.resume(m); reply != nil || err != nil {
			return reply, err
		}
		// Whatever was wrong with it, the initiator is ready for Sigma2.
	}
	member, ipk, ok := r.find(m)
	if !ok {
		return nil, ErrNoSharedRoot
	}
	r.ipk, r.initiator, r.sigma1 = ipk, m.ephemeral, append([]byte(nil), payload...)
	if r.secret, err = agree(r.random.Ephemeral, m.ephemeral); err != nil {
		return nil, err
	}
	if r.sigma2, err = r.makeSigma2(member); err != nil {
		return nil, fmt.Errorf("Sigma2: %w", err)
	}
	r.result = &Established{
		LocalSessionID: r.cfg.SessionID, PeerSessionID: m.session, Member: member, PeerParameters: m.parameters,
	}
	r.want = message.Sigma3
	return []Message{{Opcode: message.Sigma2, Payload: r.sigma2}}, nil
}

// find is who of us the initiator looks for, and the key it used.
func (r *Responder) find(m sigma1) (*fabric.Member, fabric.Key, bool) {
	for _, id := range r.cfg.Identities {
		for n := -1; n < len(id.OtherIPKs); n++ {
			ipk := id.Member.IPK
			if n >= 0 {
				ipk = id.OtherIPKs[n]
			}
			own := fabric.DestinationID(ipk, id.Member.Root.PublicKey, m.random[:], id.Member.FabricID, id.Member.NodeID)
			if subtle.ConstantTimeCompare(own[:], m.destination[:]) == 1 {
				return id.Member, ipk, true
			}
		}
	}
	return nil, fabric.Key{}, false
}

func (r *Responder) makeSigma2(member *fabric.Member) ([]byte, error) {
	own := [65]byte(r.random.Ephemeral.PublicKey().Bytes())
	p, err := prove(member, func(tbs []byte) ([cert.SigSize]byte, error) { return r.sign(member, tbs) }, own, r.initiator)
	if err != nil {
		return nil, err
	}
	plain, err := encodeTBE(p, &r.random.ResumptionID)
	if err != nil {
		return nil, err
	}
	k := sigma2Key(r.secret[:], r.ipk, r.random.Random, own, r.sigma1)
	return sigma2{
		random: r.random.Random, session: r.cfg.SessionID, ephemeral: own,
		encrypted: k.seal(nonceSigma2, plain), parameters: r.cfg.Parameters,
	}.encode()
}

// resume answers Sigma1 with Sigma2_Resume, or with nothing where there is no
// record, or one with another secret.
func (r *Responder) resume(m sigma1) ([]Message, error) {
	if r.cfg.Record == nil {
		return nil, nil
	}
	found, ok := r.cfg.Record(m.resume.id)
	if !ok || found.IsZero() || found.ID() != m.resume.id {
		return nil, nil
	}
	member := r.memberOf(found)
	if member == nil { // of a fabric we are no longer in
		return nil, nil
	}
	old := found.get()
	if !resume1Key(old.secret[:], m.random, old.id).holds(nonceResume1, m.resume.mic) {
		return nil, nil
	}
	id := r.random.ResumptionID
	b, err := sigma2Resume{
		id: id, mic: resume2Key(old.secret[:], m.random, id).mic(nonceResume2),
		session: r.cfg.SessionID, parameters: r.cfg.Parameters,
	}.encode()
	if err != nil {
		return nil, fmt.Errorf("Sigma2_Resume: %w", err)
	}
	r.result = &Established{
		Keys:           *resumedKeys(old.secret[:], m.random, old.id),
		LocalSessionID: r.cfg.SessionID, PeerSessionID: m.session,
		Member: member, Peer: found.Peer(), PeerParameters: m.parameters,
		Resumed: true, Record: found.renewed(id),
	}
	r.want = message.Status
	return []Message{{Opcode: message.Sigma2Resume, Payload: b}}, nil
}

func (r *Responder) memberOf(found Record) *fabric.Member {
	for _, id := range r.cfg.Identities {
		if found.In(id.Member) {
			return id.Member
		}
	}
	return nil
}

func (r *Responder) readSigma3(payload []byte) ([]Message, error) {
	encrypted, err := decodeSigma3(payload)
	if err != nil {
		return nil, err
	}
	plain, err := sigma3Key(r.secret[:], r.ipk, r.sigma1, r.sigma2).open(nonceSigma3, encrypted)
	if err != nil {
		return nil, err
	}
	p, err := decodeTBE(plain, nil)
	if err != nil {
		return nil, fmt.Errorf("TBEData3: %w", err)
	}
	tbs, err := encodeTBS(p.noc, p.icac, r.initiator, [65]byte(r.random.Ephemeral.PublicKey().Bytes()))
	if err != nil {
		return nil, err
	}
	e := r.result
	if e.Peer, err = p.verify(e.Member, tbs, r.cfg.Time); err != nil {
		return nil, err
	}
	e.Keys = *sessionKeys(r.secret[:], r.ipk, r.sigma1, r.sigma2, payload)
	e.Record = newRecord(record{r.random.ResumptionID, *r.secret, e.Member.Root.PublicKey, e.Peer})
	r.forget()
	r.finished = true
	return establish.Success(), nil
}

// Done is the session. After a full handshake the initiator has it once the
// last message reaches it.
func (r *Responder) Done() (e Established, ok bool) {
	if !r.finished {
		return Established{}, false
	}
	return *r.result, true
}
