package association

import (
	"fmt"

	"threadmap/diag/tmf/ecjpake"
)

// maxVerifyRequests is how many HelloVerifyRequests a client answers: a server
// that has changed its secret may ask once more.
const maxVerifyRequests = 3

// NewClient is the client's side. password is 1 to 32 octets: a PSKc, or the
// ASCII digits of a one-time code.
func NewClient(password []byte, cfg Config) (*Association, error) {
	a, err := newAssociation(ecjpake.Client, password, cfg)
	if err != nil {
		return nil, err
	}
	a.state = clientCreated
	return a, nil
}

// Start sends the first ClientHello. A server has no Start.
func (a *Association) Start() {
	if a.state == clientCreated {
		a.state = clientHelloSent
		a.sendClientHello()
	}
}

// sendClientHello sends a ClientHello. Only the last one is in the transcript
// (RFC 6347, section 4.2.6); all are alike but for the cookie.
func (a *Association) sendClientHello() {
	h := clientHello{version: version12, random: a.random, cookie: a.cookie, compressions: []byte{nullCompression}}
	// The SCSV is required of whoever does not send renegotiation_info, even if
	// it never renegotiates (RFC 5746, section 3.4).
	h.suites = []uint16{suiteECJPAKE, suiteSCSV}
	h.extensions = extensions{
		// Mbed TLS takes EC-JPAKE for a suite that needs a common group.
		{extSupportedGroups, []byte{0, 2, groupSecp256r1 >> 8, groupSecp256r1}},
		{extPointFormats, []byte{1, uncompressed}},
		{extKeyKPPair, a.roundOne},
	}
	if s := a.cfg.script; s.suites != nil {
		h.suites = s.suites
	}
	if s := a.cfg.script; s.extensions != nil {
		h.extensions = s.extensions(a.roundOne)
	}
	body, err := h.marshal()
	if err != nil { // lengths are bounded, but for those of a script
		a.end(fmt.Errorf("ClientHello: %w", err))
		return
	}
	a.transcript.Reset()
	a.newFlight(clearRecord{typeHandshake, 0, a.message(typeClientHello, body)})
}

func (a *Association) consumeHelloVerifyRequest(m message) *fault {
	cookie, err := unmarshalHelloVerifyRequest(m.body)
	if err != nil {
		return faultf(DecodeError, "%v: %w", m.typ, err)
	}
	if a.verifyRequests++; a.verifyRequests > maxVerifyRequests {
		return faultf(UnexpectedMessage, "the server asks for a cookie again and again")
	}
	a.cookie = cookie
	// What came before the second ClientHello does not answer it: it was meant
	// for an earlier session from this port.
	a.inbox.forget()
	a.sendClientHello()
	return nil
}

func (a *Association) consumeServerHello(m message) *fault {
	var h serverHello
	switch {
	case !h.unmarshal(m.body):
		return faultf(DecodeError, "%v: %w", m.typ, errMessage)
	case h.version != version12:
		return faultf(ProtocolVersion, "%v: the server wants version %#04x, not DTLS 1.2", m.typ, h.version)
	case h.suite != suiteECJPAKE || h.compression != nullCompression:
		return faultf(IllegalParameter, "%v: the server chose suite %#04x and compression %d, which were not offered", m.typ, h.suite, h.compression)
	}
	for _, x := range h.extensions {
		switch x.typ {
		case extSupportedGroups, extKeyKPPair:
		case extPointFormats:
			if len(x.body) < 2 || int(x.body[0]) != len(x.body)-1 {
				return faultf(DecodeError, "%v: point formats: %w", m.typ, errMessage)
			}
		case extRenegotiation:
			if len(x.body) != 1 || x.body[0] != 0 { // RFC 5746, section 3.4
				return faultf(HandshakeFailure, "%v: it renegotiates what there was not", m.typ)
			}
		default:
			// Others could change how keys are computed.
			return faultf(UnsupportedExtension, "%v: extension %d was not offered", m.typ, x.typ)
		}
	}
	pair, ok := h.extensions.get(extKeyKPPair)
	if !ok {
		return faultf(HandshakeFailure, "%v: it has no key exchange (extension %d)", m.typ, extKeyKPPair)
	}
	if err := a.agreement.ReadRoundOne(pair); err != nil {
		return &fault{IllegalParameter, fmt.Errorf("%v: %w", m.typ, err)}
	}
	a.peerRandom = h.random
	a.transcript.Write(m.marshal())
	a.state = serverHelloRead
	return nil
}

func (a *Association) consumeServerKeyExchange(m message) *fault {
	if err := a.agreement.ReadRoundTwo(m.body); err != nil {
		return &fault{IllegalParameter, fmt.Errorf("%v: %w", m.typ, err)}
	}
	a.transcript.Write(m.marshal())
	a.state = serverKeyExchangeRead
	return nil
}

func (a *Association) consumeServerHelloDone(m message) *fault {
	if len(m.body) != 0 {
		return faultf(DecodeError, "%v: %w", m.typ, errMessage)
	}
	a.transcript.Write(m.marshal())
	roundTwo, err := a.agreement.RoundTwo()
	if err != nil {
		return &fault{IllegalParameter, err}
	}
	exchange := a.message(typeClientKeyExchange, roundTwo)
	if f := a.derive(); f != nil {
		return f
	}
	finished := a.message(typeFinished, a.verifyData(true))
	a.epoch, a.state = 1, clientFinishedSent
	a.newFlight(
		clearRecord{typeHandshake, 0, exchange},
		clearRecord{typeChangeCipherSpec, 0, []byte{1}},
		clearRecord{typeHandshake, 1, finished},
	)
	return nil
}

func (a *Association) consumeServerFinished(m message) *fault {
	if f := a.checkFinished(m); f != nil {
		return f
	}
	a.establish()
	a.flight = nil // the server has it
	return nil
}
