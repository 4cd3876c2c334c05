package association

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"

	"threadmap/diag/tmf/ecjpake"
)

// NewServer is the server's side. It is to be given a datagram that [Cookies]
// accepted, by Receive: a server must not compute anything for a client that
// has not shown that it receives at its address (RFC 6347, section 4.2.1).
func NewServer(password []byte, cfg Config) (*Association, error) {
	a, err := newAssociation(ecjpake.Server, password, cfg)
	if err != nil {
		return nil, err
	}
	a.state = serverCreated
	return a, nil
}

// PeerRandom is the random of the other side's hello; zero before it came. A
// ClientHello with another one begins another association.
func (a *Association) PeerRandom() [32]byte { return a.peerRandom }

// alignWith takes over the numbers of the ClientHello, since this side has not
// counted what went before it: the server's answer continues them (RFC 6347,
// section 4.2.1).
func (a *Association) alignWith(r record) {
	if f, _, ok := cutFragment(r.body); ok && f.typ == typeClientHello {
		a.inbox.next, a.nextSeq, a.writeSeq[0] = f.seq, f.seq, r.seq
	}
}

func (a *Association) consumeClientHello(m message) *fault {
	var h clientHello
	if !h.unmarshal(m.body) {
		return faultf(DecodeError, "%v: %w", m.typ, errMessage)
	}
	if h.version>>8 != version12>>8 || h.version > version12 {
		return faultf(ProtocolVersion, "%v: the client does not speak DTLS 1.2", m.typ)
	}
	pair, ok := h.extensions.get(extKeyKPPair)
	if !ok || !slices.Contains(h.suites, suiteECJPAKE) || !bytes.Contains(h.compressions, []byte{nullCompression}) || !offersGroup(h.extensions) {
		return faultf(HandshakeFailure, "%v: the client does not offer TLS_ECJPAKE_WITH_AES_128_CCM_8 with secp256r1", m.typ)
	}
	if err := a.agreement.ReadRoundOne(pair); err != nil {
		return &fault{IllegalParameter, fmt.Errorf("%v: %w", m.typ, err)}
	}
	roundTwo, err := a.agreement.RoundTwo()
	if err != nil {
		return &fault{IllegalParameter, err}
	}
	a.peerRandom, a.helloSeq = h.random, m.seq
	a.transcript.Write(m.marshal())

	answer := serverHello{version: version12, random: a.random, sessionID: a.sessionID(), suite: suiteECJPAKE, compression: nullCompression}
	if h.offersRenegotiationInfo() {
		answer.extensions = append(answer.extensions, extension{extRenegotiation, []byte{0}})
	}
	if _, ok := h.extensions.get(extPointFormats); ok {
		answer.extensions = append(answer.extensions, extension{extPointFormats, []byte{1, uncompressed}})
	}
	answer.extensions = append(answer.extensions, extension{extKeyKPPair, a.roundOne})
	hello, err := answer.marshal()
	if err != nil { // all lengths are bounded
		return &fault{InternalError, err}
	}
	a.state = serverHelloDoneSent
	a.newFlight(
		clearRecord{typeHandshake, 0, a.message(typeServerHello, hello)},
		clearRecord{typeHandshake, 0, a.message(typeServerKeyExchange, roundTwo)},
		clearRecord{typeHandshake, 0, a.message(typeServerHelloDone, nil)},
	)
	return nil
}

// sessionID is what Mbed TLS sends too, although nothing is ever resumed.
func (a *Association) sessionID() []byte {
	if id := a.cfg.script.sessionID; id != nil {
		return id
	}
	id := make([]byte, 32)
	rand.Read(id)
	return id
}

// offersGroup reports whether secp256r1 is among the groups of a client. One
// without the extension takes any (RFC 8422, section 4).
func offersGroup(e extensions) bool {
	body, ok := e.get(extSupportedGroups)
	if !ok {
		return true
	}
	for i := 2; i+1 < len(body); i += 2 {
		if body[i] == groupSecp256r1>>8 && body[i+1] == groupSecp256r1 {
			return true
		}
	}
	return false
}

func (a *Association) consumeClientKeyExchange(m message) *fault {
	if err := a.agreement.ReadRoundTwo(m.body); err != nil {
		return &fault{IllegalParameter, fmt.Errorf("%v: %w", m.typ, err)}
	}
	a.transcript.Write(m.marshal())
	if f := a.derive(); f != nil {
		return f
	}
	a.state = clientKeyExchangeRead
	return nil
}

func (a *Association) consumeClientFinished(m message) *fault {
	if f := a.checkFinished(m); f != nil {
		return f
	}
	finished := a.message(typeFinished, a.verifyData(false))
	a.epoch = 1
	a.newFlight(
		clearRecord{typeChangeCipherSpec, 0, []byte{1}},
		clearRecord{typeHandshake, 1, finished},
	)
	a.establish()
	return nil
}
