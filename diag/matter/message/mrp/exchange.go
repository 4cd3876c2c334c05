package mrp

import (
	"fmt"
	"time"

	"threadmap/diag/matter/message"
)

// A Message is what an application sends or gets in an exchange.
type Message struct {
	Protocol uint16
	Opcode   uint8
	Payload  []byte
}

// exchangeKey names an exchange within a session: both sides may use a number
// at the same time.
type exchangeKey struct {
	id        uint16
	initiator bool // we opened it
}

// An Exchange is one conversation: messages with one number, one way at a time.
type Exchange struct {
	s   *Session
	key exchangeKey

	// The message that waits for its acknowledgement.
	unacked []byte
	sent    outgoing // without the payload
	counter uint32
	tries   int
	first   time.Time // when it was first sent
	resend  time.Time // when it is sent again
	cause   error     // why the system did not send it

	outbox []outgoing

	// What the peer wants acknowledged.
	hasAck bool
	ack    uint32
	ackDue time.Time // zero: it was

	inbox   []Message
	closing bool // nobody reads; what was sent goes on
	done    bool // not in its session any more
	err     error

	due   time.Time // see schedule
	place int       // in the schedule, counted from 1
}

type outgoing struct {
	protocol uint16
	opcode   uint8
	payload  []byte
}

// Open begins an exchange.
func (m *Machine) Open(s *Session) (*Exchange, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.closing {
		return nil, errWeClosed
	}
	for range 1 << 16 {
		m.nextExchange++
		k := exchangeKey{m.nextExchange, true}
		if s.exchanges[k] == nil {
			x := &Exchange{s: s, key: k}
			s.exchanges[k] = x
			return x, nil
		}
	}
	return nil, errManyExchanges
}

// Session is whose exchange it is.
func (x *Exchange) Session() *Session { return x.s }

// ID is the exchange's number.
func (x *Exchange) ID() uint16 { return x.key.id }

// Initiator reports whether we opened the exchange.
func (x *Exchange) Initiator() bool { return x.key.initiator }

// Take gives the next message that came.
func (x *Exchange) Take() (Message, bool) {
	if len(x.inbox) == 0 {
		return Message{}, false
	}
	v := x.inbox[0]
	x.inbox[0] = Message{}
	x.inbox = x.inbox[1:]
	return v, true
}

// Flushed reports whether everything that was sent is acknowledged.
func (x *Exchange) Flushed() bool { return x.unacked == nil && len(x.outbox) == 0 }

// Err is why the exchange ended, nil while it did not. Messages that came before
// can still be taken.
func (x *Exchange) Err() error { return x.err }

// Send sends a message, reliably: again and again until the peer acknowledges
// it. One that is sent before the last was acknowledged waits for that.
func (m *Machine) Send(now time.Time, x *Exchange, v Message) error {
	if err := x.writable(v); err != nil {
		return err
	}
	if len(x.outbox) >= maxOutbox {
		return ErrFull
	}
	o := outgoing{v.Protocol, v.Opcode, v.Payload}
	if x.unacked != nil {
		o.payload = append([]byte(nil), v.Payload...)
		x.outbox = append(x.outbox, o)
		return nil
	}
	return m.transmit(now, x, o, true)
}

// SendOnce sends a message that nobody acknowledges, as a Check-In is.
func (m *Machine) SendOnce(now time.Time, x *Exchange, v Message) error {
	if err := x.writable(v); err != nil {
		return err
	}
	return m.transmit(now, x, outgoing{v.Protocol, v.Opcode, v.Payload}, false)
}

func (x *Exchange) writable(v Message) error {
	switch {
	case x.err != nil:
		return x.err
	case x.closing || x.done:
		return errExchangeClosed
	case len(v.Payload) > message.MaxPayload:
		return fmt.Errorf("mrp: payload of %d octets: at most %d fit into a message", len(v.Payload), message.MaxPayload)
	}
	return nil
}

// transmit seals and sends a message, and the acknowledgement with it.
func (m *Machine) transmit(now time.Time, x *Exchange, o outgoing, reliable bool) error {
	p := message.Protocol{
		Initiator: x.key.initiator, Reliable: reliable, Opcode: o.opcode, Exchange: x.key.id, ID: o.protocol,
		HasAck: x.hasAck, Ack: x.ack,
	}
	data, n, err := m.wrap(x.s, p, o.payload)
	if err != nil {
		x.s.defunct = true
		m.remove(x.s, err)
		return err
	}
	x.ackDue = time.Time{}
	if reliable {
		x.unacked, x.counter, x.sent = data, n, outgoing{protocol: o.protocol, opcode: o.opcode}
		x.tries, x.first, x.cause = 1, now, nil
		x.resend = now.Add(message.Backoff(0, x.s.base(now), m.rand.Float64()))
		m.send(x.s, data, x)
	} else {
		m.send(x.s, data, nil)
	}
	m.schedule.update(x)
	return nil
}

// wrap makes the datagram of a message under a new counter.
func (m *Machine) wrap(s *Session, p message.Protocol, payload []byte) (data []byte, counter uint32, err error) {
	if s.isSecure {
		n, ok := s.counter.Next()
		if !ok {
			return nil, 0, errUsedUp
		}
		h := message.Header{SessionID: s.peerID, Counter: n}
		if m.nodeIDs {
			h.Source, h.HasSource, h.Destination, h.HasDestination = s.localNode, true, s.peerNode, true
		}
		return s.seal.Seal(nil, h, p, payload), n, nil
	}
	h := message.Header{Counter: m.counter.NextRolling()}
	if s.initiator {
		h.Source, h.HasSource = s.ephemeral, true
	} else {
		h.Destination, h.HasDestination = s.ephemeral, true
	}
	return message.AppendPlain(nil, h, p, payload), h.Counter, nil
}

// acknowledge sends the pending acknowledgement alone.
func (m *Machine) acknowledge(x *Exchange) {
	x.ackDue = time.Time{}
	m.acknowledgeTo(x.s, x.key, x.ack)
}

// acknowledgeTo sends a standalone acknowledgement in an exchange that need not
// be known.
func (m *Machine) acknowledgeTo(s *Session, k exchangeKey, counter uint32) {
	if m.answerTo(s, k, counter, message.StandaloneAck, nil) {
		s.stats.Acks++
		m.stats.Acks++
	}
}

// answerTo sends a message with an acknowledgement, once, in an exchange that
// need not be known.
func (m *Machine) answerTo(s *Session, k exchangeKey, counter uint32, opcode uint8, payload []byte) bool {
	p := message.Protocol{Initiator: k.initiator, Opcode: opcode, Exchange: k.id, ID: message.SecureChannel, HasAck: true, Ack: counter}
	data, _, err := m.wrap(s, p, payload)
	if err != nil {
		s.defunct = true
		m.remove(s, err)
		return false
	}
	m.send(s, data, nil)
	return true
}

// acked takes in an acknowledgement.
func (m *Machine) acked(now time.Time, x *Exchange, counter uint32) {
	if x.unacked == nil || counter != x.counter {
		return // old, or not of this exchange
	}
	x.unacked, x.cause = nil, nil
	if len(x.outbox) > 0 {
		o := x.outbox[0]
		x.outbox[0] = outgoing{}
		x.outbox = x.outbox[1:]
		if m.transmit(now, x, o, true) != nil {
			return
		}
	}
	m.schedule.update(x)
	m.ready(x)
}

// CloseExchange ends the reading side: what the peer wants acknowledged is
// acknowledged, what was sent is still repeated until it is.
func (m *Machine) CloseExchange(now time.Time, x *Exchange) {
	if x.done || x.closing {
		return
	}
	x.closing, x.inbox = true, nil
	if !x.ackDue.IsZero() {
		m.acknowledge(x)
		if x.done { // no counter was left
			return
		}
		m.schedule.update(x)
	}
	m.finish(now, x)
}

// Abort ends an exchange whose answer nobody wants any more: nothing is
// repeated.
func (m *Machine) Abort(now time.Time, x *Exchange) {
	if !x.done && !x.ackDue.IsZero() {
		m.acknowledge(x)
	}
	if !x.done {
		m.end(now, x, errAborted)
	}
}

// finish ends a closed exchange once everything is acknowledged.
func (m *Machine) finish(now time.Time, x *Exchange) {
	if x.closing && !x.done && x.Flushed() {
		m.end(now, x, errExchangeClosed)
	}
}

// end takes an exchange out of its session.
func (m *Machine) end(now time.Time, x *Exchange, why error) {
	if x.done {
		return
	}
	m.detach(x)
	x.err = why
	m.ready(x)
	// A stranger's session ends with its only exchange.
	if s := x.s; !s.isSecure && !s.initiator && len(s.exchanges) == 0 {
		m.lingers(now, s)
	}
}

func (m *Machine) detach(x *Exchange) {
	x.done = true
	x.unacked, x.outbox, x.ackDue = nil, nil, time.Time{}
	m.schedule.update(x)
	delete(x.s.exchanges, x.key)
	if !x.key.initiator {
		x.s.accepted--
		m.accepted--
		if !x.s.isSecure {
			m.acceptedUnsecured--
		}
	}
}
