package capture

import (
	"fmt"
	"net/netip"
	"time"

	"threadmap/diag/matter/message"
	"threadmap/tlv"
)

// A handshake is the establishment of one session, or another exchange of
// session 0, as the wire shows it. The initiator is known by the id that it
// made up for it (Core 4.13.2.1).
type handshake struct {
	first, last          int64
	initiator, responder netip.AddrPort
	kind                 kind
	sent                 [2][8]sent // by initiator, by responder: what, and how often
	resumption           bool       // Sigma1 has a resumption id
	random, destination  [32]byte
	hasDestination       bool
	session              [2]uint16 // ids that the initiator, the responder chose; 0: not seen
	status               [2]*message.StatusReport
	used                 bool // a message of the new session was seen
}

type kind uint8

const (
	kindCASE kind = iota
	kindPASE
	kindCheckIn
)

// sent is how often one message was sent.
type sent struct {
	counter     uint32
	first, last int64 // of the newest counter
	times       int
}

// step is a message's place in handshake.sent.
type step uint8

const (
	stepFirst  step = iota // Sigma1, PBKDFParamRequest, Check-In
	stepSecond             // Sigma2, PBKDFParamResponse
	stepResume             // Sigma2_Resume
	stepThird              // Sigma3
	stepPake               // Pake1 to Pake3
	stepStatus
	stepAck
)

type handshakeKey struct {
	ephemeral uint64
	exchange  uint16
}

type handshakes struct {
	all   []*handshake
	index map[handshakeKey]*handshake
	// sessions finds the handshake that an id of a session is from.
	sessions map[endpoint]*handshake
}

// An endpoint is who receives messages with a session id.
type endpoint struct {
	addr    netip.AddrPort
	session uint16
}

func newHandshakes() handshakes {
	return handshakes{index: map[handshakeKey]*handshake{}, sessions: map[endpoint]*handshake{}}
}

const (
	initiator = 0
	responder = 1
)

// takeMatter takes a datagram that may be a message of Matter.
func (h *home) takeMatter(at int64, src, dst netip.AddrPort, b []byte) {
	m, n, err := message.Parse(b)
	if err != nil {
		return
	}
	if m.SessionID != 0 {
		if len(b)-n >= minSealed {
			h.takeSecured(at, src, dst, m)
		}
		return
	}
	if m.HasSource == m.HasDestination {
		return
	}
	p, payload, err := message.ParseProtocol(b[n:])
	if err != nil || p.ID != message.SecureChannel || p.Vendor != 0 || p.Initiator != m.HasSource {
		return
	}
	st, k, ok := place(p.Opcode)
	if !ok {
		return
	}
	h.counts.Matter++
	key, who := handshakeKey{m.Source, p.Exchange}, initiator
	if m.HasDestination {
		key.ephemeral, who = m.Destination, responder
	}
	x := &h.handshakes
	a := x.index[key]
	if a != nil && at-a.last > int64(5*time.Minute) { // the numbers again, by chance or by malice
		a = nil
	}
	if a == nil {
		if !h.room(len(x.all), maxAttempts, src.Addr(), dst.Addr()) {
			h.counts.Dropped++
			return
		}
		a = &handshake{first: at, initiator: src, responder: dst, kind: k}
		if who == responder {
			a.initiator, a.responder = dst, src
		}
		x.all, x.index[key] = append(x.all, a), a
	}
	s := &a.sent[who][st]
	switch {
	case s.times > 0 && s.counter == m.Counter && at-s.last < twice:
		h.counts.Duplicate++
		return
	case st == stepAck:
		s.counter, s.last, s.times = m.Counter, at, s.times+1
	}
	a.last = max(a.last, at)
	if st == stepAck {
		return
	}
	if s.times++; s.times > 1 && s.counter == m.Counter {
		s.last = at
		return
	}
	*s = sent{m.Counter, at, at, s.times}
	if st != stepAck && st != stepStatus {
		a.kind = k
	}
	h.read(a, who, p.Opcode, payload)
}

// place sorts the messages of session 0.
func place(opcode uint8) (step, kind, bool) {
	switch opcode {
	case message.Sigma1:
		return stepFirst, kindCASE, true
	case message.Sigma2:
		return stepSecond, kindCASE, true
	case message.Sigma2Resume:
		return stepResume, kindCASE, true
	case message.Sigma3:
		return stepThird, kindCASE, true
	case message.PBKDFParamRequest:
		return stepFirst, kindPASE, true
	case message.PBKDFParamResponse:
		return stepSecond, kindPASE, true
	case message.Pake1, message.Pake2, message.Pake3:
		return stepPake, kindPASE, true
	case message.CheckIn:
		return stepFirst, kindCheckIn, true
	case message.Status:
		return stepStatus, kindCASE, true
	case message.StandaloneAck:
		return stepAck, kindCASE, true
	}
	return 0, 0, false
}

// read takes what a message says in clear.
func (h *home) read(a *handshake, who int, opcode uint8, payload []byte) {
	switch opcode {
	case message.Sigma1:
		h.readSigma1(a, payload)
	case message.Sigma2, message.Sigma2Resume:
		n := uint8(2) // the responder's session id
		if opcode == message.Sigma2Resume {
			n = 3
		}
		d := tlv.NewDecoder(payload)
		if d.Next() && d.Kind() == tlv.Struct {
			for d.Enter(); d.Next(); {
				if d.Tag() == tlv.Context(n) {
					h.session(a, responder, a.responder, d.Uint16())
				}
			}
		}
	case message.Status:
		if r, err := message.ParseStatusReport(payload); err == nil {
			a.status[who] = &r
		}
	}
}

func (h *home) readSigma1(a *handshake, payload []byte) {
	d := tlv.NewDecoder(payload)
	if !d.Next() || d.Kind() != tlv.Struct {
		return
	}
	have := 0
	for d.Enter(); d.Next(); {
		switch d.Tag() {
		case tlv.Context(1):
			if b := d.Octets(); len(b) == len(a.random) {
				have++
				copy(a.random[:], b)
			}
		case tlv.Context(2):
			h.session(a, initiator, a.initiator, d.Uint16())
		case tlv.Context(3):
			if b := d.Octets(); len(b) == len(a.destination) {
				have++
				copy(a.destination[:], b)
			}
		case tlv.Context(6):
			a.resumption = true
		}
	}
	a.hasDestination = have == 2
}

// session notes which session an id stands for, from now on.
func (h *home) session(a *handshake, who int, at netip.AddrPort, id uint16) {
	if id == 0 {
		return
	}
	a.session[who] = id
	h.handshakes.sessions[endpoint{at, id}] = a // at most two for each handshake
}

// An outcome is how a handshake ended.
type outcome struct {
	result string // as of [icd.CASE]; "": it had not ended when the capture did
	err    string
}

// settled is how long after its last message a handshake that goes on no more
// is over: MRP's transmissions towards a device that sleeps, and more.
const settled = int64(60 * time.Second)

// An initiator that repeats Sigma1 though Sigma2 is on its way does not get it,
// where that goes on for longer than a device that awaits an answer polls.
const (
	lost      = 3
	lostAfter = int64(2 * time.Second)
)

// outcome reads the end of a handshake of CASE off its messages.
func (a *handshake) outcome(end int64) outcome {
	i, r := &a.sent[initiator], &a.sent[responder]
	full := "full"
	if r[stepResume].times > 0 {
		full = "resumed"
	}
	for _, s := range a.status {
		if s != nil && !s.Established() {
			return outcome{"failed", refusal(*s)}
		}
	}
	switch {
	case a.used,
		a.status[responder] != nil && i[stepThird].times > 0,
		a.status[initiator] != nil && r[stepResume].times > 0:
		return outcome{result: full}
	case end-a.last < settled:
		return outcome{}
	}
	switch {
	case i[stepThird].times > 0:
		return outcome{"failed", timeout("Sigma3", i[stepThird].times)}
	case r[stepResume].times > 0:
		return outcome{"failed", timeout("Sigma2_Resume", r[stepResume].times)}
	case r[stepSecond].times > 0:
		err := timeout("Sigma2", r[stepSecond].times)
		if r[stepSecond].times >= lost && i[stepFirst].last-r[stepSecond].first >= lostAfter {
			err += "; it did not arrive, Sigma1 was repeated meanwhile"
		}
		return outcome{"failed", err}
	case r[stepAck].times > 0:
		return outcome{"failed", "timed out: Sigma1 was acknowledged, and no Sigma2 came"}
	}
	return outcome{"failed", timeout("Sigma1", i[stepFirst].times)}
}

func timeout(what string, times int) string {
	switch times {
	case 1:
		return "timed out: no answer to " + what + ", sent once"
	case 2:
		return "timed out: no answer to " + what + ", sent twice"
	}
	return fmt.Sprintf("timed out: no answer to %s, sent %d times", what, times)
}

// refusal is a peer's no in a few words.
func refusal(r message.StatusReport) string {
	if r.Protocol != uint32(message.SecureChannel) {
		return "refused: " + r.General.String()
	}
	switch r.Code {
	case message.CodeNoSharedTrustRoots:
		return "refused: no shared trust roots"
	case message.CodeInvalidParameter:
		return "refused: invalid parameter"
	case message.CodeCloseSession:
		return "refused: session closed"
	case message.CodeBusy:
		if d, ok := r.Wait(); ok {
			return fmt.Sprintf("busy: try again in %v", d)
		}
		return "busy"
	}
	return "refused: " + r.General.String()
}
