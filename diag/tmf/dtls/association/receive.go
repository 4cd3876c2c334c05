package association

import (
	"fmt"

	"threadmap/diag/tmf/ecjpake"
)

// Receive takes in a datagram from the peer. It does not keep the memory.
func (a *Association) Receive(datagram []byte) {
	if a.state == ended {
		a.repeatAlert(datagram)
		return
	}
	again := false // the peer repeated the flight that ours answers
	for a.state != ended && a.state != clientCreated {
		r, rest, ok := cutRecord(datagram)
		if !ok {
			break
		}
		datagram = rest
		switch r.epoch {
		case 0:
			again = a.receiveClear(r) || again
		case 1:
			again = a.receiveSealed(r) || again
		}
		for len(a.early) > 0 && a.open != nil && a.state != ended {
			b := a.early[0]
			a.early = a.early[1:]
			r, _, _ := cutRecord(b)
			again = a.receiveSealed(r) || again
		}
	}
	if again && a.state != ended && a.answers < maxAnswers {
		a.answers++
		a.transmit()
	}
}

// receiveClear takes in a record of epoch 0. None counts once the association
// is established.
func (a *Association) receiveClear(r record) (again bool) {
	if a.state >= established || len(r.body) > a.cfg.MaxRecord {
		return false
	}
	switch r.typ {
	case typeHandshake:
		if a.state == serverCreated {
			a.alignWith(r)
		}
		return a.receiveHandshake(r.body, 0)
	case typeAlert:
		a.receiveAlert(r.body)
	}
	// ChangeCipherSpec says what the epoch of each record says better.
	return false
}

// receiveSealed takes in a record of epoch 1.
func (a *Association) receiveSealed(r record) (again bool) {
	if len(r.body) > a.cfg.MaxRecord+explicitNonceLen+tagLen {
		return false
	}
	if a.open == nil {
		if len(a.early) < maxEarly && a.earlyLen+len(r.body) <= maxEarlyOctets {
			b := appendHeader(make([]byte, 0, headerLen+len(r.body)), r.typ, r.epoch, r.seq, len(r.body))
			a.early = append(a.early, append(b, r.body...))
			a.earlyLen += len(r.body)
		}
		return false
	}
	if !a.window.fresh(r.seq) {
		return false
	}
	p, err := a.open.open(r)
	if err != nil {
		// A Finished that can't be read is how a server learns that the
		// passwords differ. Mbed TLS says so in the clear.
		if a.state == clientKeyExchangeRead && r.typ == typeHandshake {
			a.fail(&fault{BadRecordMAC, fmt.Errorf("%w: the client's Finished can't be read", ErrWrongKey)})
		}
		return false
	}
	a.window.mark(r.seq)
	switch r.typ {
	case typeHandshake:
		if a.state == established { // a Finished again: our own got lost
			return a.role == ecjpake.Server
		}
		return a.receiveHandshake(p, 1)
	case typeAlert:
		a.receiveAlert(p)
	case typeApplicationData:
		// It may overtake the server's Finished, and waits for it in Messages.
		if len(a.in) == maxQueue || a.inLen+len(p) > maxQueueOctets {
			a.dropped++
			return false
		}
		a.in = append(a.in, p)
		a.inLen += len(p)
	}
	return false
}

// receiveHandshake takes in the fragments of a handshake record.
func (a *Association) receiveHandshake(b []byte, epoch uint16) (again bool) {
	for {
		f, rest, ok := cutFragment(b)
		if !ok {
			return again
		}
		b = rest
		if (f.typ == typeFinished) != (epoch == 1) || f.typ == typeHelloRequest {
			continue // each message has its epoch
		}
		again = again || a.state == serverHelloDoneSent && f.typ == typeClientHello && f.seq == a.helloSeq
		a.inbox.add(f)
		for a.state < established {
			m, ok := a.inbox.take()
			if !ok {
				break
			}
			if flt := a.handle(m); flt != nil {
				a.fail(flt)
				return false
			}
		}
		if a.state >= established {
			return again
		}
	}
}

func (a *Association) handle(m message) *fault {
	switch {
	case a.state == clientHelloSent && m.typ == typeHelloVerifyRequest:
		return a.consumeHelloVerifyRequest(m)
	case a.state == clientHelloSent && m.typ == typeServerHello:
		return a.consumeServerHello(m)
	case a.state == serverHelloRead && m.typ == typeServerKeyExchange:
		return a.consumeServerKeyExchange(m)
	case a.state == serverKeyExchangeRead && m.typ == typeServerHelloDone:
		return a.consumeServerHelloDone(m)
	case a.state == clientFinishedSent && m.typ == typeFinished:
		return a.consumeServerFinished(m)
	case a.state == serverCreated && m.typ == typeClientHello:
		return a.consumeClientHello(m)
	case a.state == serverHelloDoneSent && m.typ == typeClientKeyExchange:
		return a.consumeClientKeyExchange(m)
	case a.state == clientKeyExchangeRead && m.typ == typeFinished:
		return a.consumeClientFinished(m)
	}
	return faultf(UnexpectedMessage, "%v is out of place", m.typ)
}

// receiveAlert takes in an alert, which is genuine only in epoch 1.
func (a *Association) receiveAlert(b []byte) {
	if len(b) != 2 {
		return
	}
	level, alert := b[0], Alert(b[1])
	switch {
	case alert == CloseNotify:
		if a.state == established {
			a.sendAlert(levelWarning, CloseNotify) // RFC 5246, section 7.2.1
			a.end(ErrPeerClosed)
			return
		}
		a.end(fmt.Errorf("%w during the handshake", ErrPeerClosed))
	case level != levelFatal:
	case a.state == clientFinishedSent && (alert == BadRecordMAC || alert == HandshakeFailure || alert == DecryptError):
		// Only now does the server know the key of the client.
		a.end(fmt.Errorf("%w (%w)", ErrWrongKey, &AlertError{alert}))
	default:
		a.end(&AlertError{alert})
	}
}
