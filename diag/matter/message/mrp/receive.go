package mrp

import (
	"net/netip"
	"time"

	"threadmap/diag/matter/message"
)

// Receive takes in a datagram, which it does not keep. The error says why it
// was dropped, a [message.Drop]; nothing else follows from it.
func (m *Machine) Receive(now time.Time, from netip.AddrPort, b []byte) error {
	from = unmap(from)
	m.stats.received(len(b))
	s, err := m.receive(now, from, b)
	if err != nil {
		reason := err.(message.Drop)
		m.stats.Dropped[reason]++
		if s != nil {
			s.stats.Dropped[reason]++
		}
	}
	return err
}

// receive finds the session of a datagram and opens it.
func (m *Machine) receive(now time.Time, from netip.AddrPort, b []byte) (*Session, error) {
	h, n, err := message.Parse(b)
	if err != nil {
		return nil, err
	}
	var s *Session
	var plain []byte
	if h.SessionID != 0 {
		if s = m.secure[h.SessionID]; s == nil {
			return nil, message.UnknownSession
		}
		s.stats.received(len(b))
		if plain, err = s.open.Open(m.plaintext[:0], h, n, b); err != nil {
			return s, err
		}
	} else {
		plain = b[n:]
		switch {
		case h.HasSource == h.HasDestination || h.HasSource && h.Source == message.UnspecifiedNode:
			return nil, message.BadNodeIDs // one of the two tells the role
		case h.HasSource:
			s = m.answered[h.Source]
		default:
			if s = m.initiated[h.Destination]; s == nil {
				return nil, message.UnknownSession
			}
		}
		if s != nil {
			s.stats.received(len(b))
		}
	}
	p, payload, err := message.ParseProtocol(plain)
	if err != nil {
		return s, err
	}
	if s == nil {
		if s, err = m.stranger(from, h.Source, p); err != nil {
			return nil, err
		}
		s.stats.received(len(b))
	}
	return s, m.take(now, from, s, h.Counter, p, payload)
}

// opens reports whether a stranger may open an exchange with a message.
func opens(p message.Protocol) bool {
	if !p.Initiator || p.ID != message.SecureChannel || p.Vendor != 0 {
		return false
	}
	switch p.Opcode {
	case message.PBKDFParamRequest, message.Sigma1, message.CheckIn:
		return true
	}
	return false
}

// stranger begins a session that a stranger wants.
func (m *Machine) stranger(from netip.AddrPort, id uint64, p message.Protocol) (*Session, error) {
	switch {
	case !m.accept || !opens(p):
		return nil, message.Unsolicited
	case m.acceptedUnsecured >= maxAcceptedStrangers || m.accepted >= maxAccepted:
		return nil, message.Full
	case len(m.answered) >= maxStrangers && !m.evict():
		return nil, message.Full
	}
	s := m.unsecured(from, message.SessionParameters{})
	s.ephemeral = id
	m.answered[id] = s
	return s, nil
}

// take takes in a message of a session.
func (m *Machine) take(now time.Time, from netip.AddrPort, s *Session, counter uint32, p message.Protocol, payload []byte) error {
	k := exchangeKey{p.Exchange, !p.Initiator}
	x := s.exchanges[k]
	if !s.window.Fresh(counter) {
		// The acknowledgement was lost. It goes to where the peer is known to
		// be: a duplicate may come from anybody who has seen the first.
		if p.Reliable {
			if x != nil && x.hasAck && x.ack == counter && !x.ackDue.IsZero() {
				x.ackDue = time.Time{}
				m.schedule.update(x)
			}
			m.acknowledgeTo(s, k, counter)
		}
		return message.Duplicate
	}
	if x != nil && p.HasAck {
		m.acked(now, x, p.Ack)
		if x.done { // no counter was left for the next message
			return nil
		}
	}
	mark := func() {
		if s.window.Newest(counter) && (s.isSecure || x != nil) {
			s.peer = from // which in session 0 only the exchange vouches for
		}
		s.window.Mark(counter)
		s.heard, s.defunct = now, false
	}
	standard := p.Vendor == 0
	switch {
	case standard && p.ID == message.SecureChannel && p.Opcode == message.StandaloneAck:
		mark()
		if x == nil {
			return message.Unsolicited
		}
		m.finish(now, x)
		return nil
	case !standard || !s.isSecure && p.ID != message.SecureChannel:
		// In session 0 nothing but handshakes has a place: what is in there is
		// nobody's word.
		mark()
		return m.refuse(s, k, counter, p, message.Foreign)
	case x != nil && x.closing:
		mark()
		m.finish(now, x)
		return m.refuse(s, k, counter, p, message.Unsolicited)
	case x == nil && !p.Initiator:
		mark()
		return m.refuse(s, k, counter, p, message.Unsolicited)
	case x == nil && s.isSecure && p.ID == message.SecureChannel && p.Opcode == message.Status:
		mark()
		if r, err := message.ParseStatusReport(payload); err == nil && r.ClosesSession() {
			m.remove(s, errPeerClosed)
			return nil
		}
		return m.refuse(s, k, counter, p, message.Unsolicited)
	case x == nil && (!m.accept || s.closing || !s.isSecure && !opens(p)):
		mark()
		return m.refuse(s, k, counter, p, message.Unsolicited)
	case x == nil:
		if m.accepted >= maxAccepted || s.accepted >= maxAcceptedOf || !s.isSecure && m.acceptedUnsecured >= maxAcceptedStrangers {
			return message.Full
		}
		x = m.acceptExchange(s, k)
		m.tell(Event{Kind: Opened, Exchange: x, Session: s})
	case len(x.inbox) >= maxInbox:
		return message.Full
	}
	mark()
	if p.Reliable {
		if !x.ackDue.IsZero() {
			m.acknowledge(x) // one at a time is remembered
			if x.done {
				return nil
			}
		}
		x.hasAck, x.ack, x.ackDue = true, counter, now.Add(message.AckTimeout)
		m.schedule.update(x)
	}
	x.inbox = append(x.inbox, Message{p.ID, p.Opcode, append([]byte(nil), payload...)})
	s.stats.Delivered++
	m.stats.Delivered++
	m.ready(x)
	return nil
}

// refuse drops a message that nobody waits for. One that is reliable is still
// acknowledged, or its sender would repeat it.
//
// An answer to a handshake that we began and gave up is told so: who waits for
// the next message of one is busy for all others until then.
func (m *Machine) refuse(s *Session, k exchangeKey, counter uint32, p message.Protocol, why message.Drop) error {
	switch {
	case !p.Reliable || s.err != nil:
	case !s.isSecure && s.initiator && k.initiator && why == message.Unsolicited && p.Opcode != message.Status:
		gaveUp := message.StatusReport{General: message.Failure, Code: message.CodeInvalidParameter}
		m.answerTo(s, k, counter, message.Status, gaveUp.Append(nil))
	default:
		m.acknowledgeTo(s, k, counter)
	}
	return why
}

func (m *Machine) acceptExchange(s *Session, k exchangeKey) *Exchange {
	x := &Exchange{s: s, key: k}
	s.exchanges[k] = x
	s.accepted++
	m.accepted++
	if !s.isSecure {
		m.acceptedUnsecured++
		s.until = time.Time{} // it does not end yet, after all
	}
	return x
}
