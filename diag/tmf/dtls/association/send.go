package association

// fail ends the handshake with an alert.
func (a *Association) fail(f *fault) {
	a.sendAlert(levelFatal, f.alert)
	a.end(f.err)
}

func (a *Association) sendAlert(level byte, alert Alert) {
	a.parting = &clearRecord{typeAlert, a.epoch, []byte{level, byte(alert)}}
	a.out = append(a.out, a.appendRecord(nil, *a.parting))
}

// repeatAlert answers a peer that goes on because the alert did not reach it.
// An alert is not answered: the peer knows.
func (a *Association) repeatAlert(datagram []byte) {
	r, _, ok := cutRecord(datagram)
	if !ok || r.typ == typeAlert || a.parting == nil || a.answers == maxAnswers {
		return
	}
	a.answers++
	a.out = append(a.out, a.appendRecord(nil, *a.parting))
}

// message is an own message, next in sequence and added to the transcript.
func (a *Association) message(typ messageType, body []byte) []byte {
	b := message{typ, a.nextSeq, body}.marshal()
	a.nextSeq++
	a.transcript.Write(b)
	return b
}

// newFlight replaces the flight that is sent, and sends it.
func (a *Association) newFlight(records ...clearRecord) {
	a.flight, a.repeats = records, 0
	a.transmit()
}

// transmit sends the flight, with as many records in a datagram as fit.
func (a *Association) transmit() {
	a.sent++
	var b []byte
	for _, r := range a.flight {
		n := len(r.body) + headerLen
		if r.epoch == 1 {
			n += explicitNonceLen + tagLen
		}
		if len(b) > 0 && len(b)+n > a.cfg.MaxDatagram {
			a.out = append(a.out, b)
			b = nil
		}
		b = a.appendRecord(b, r)
	}
	if len(b) > 0 {
		a.out = append(a.out, b)
	}
}

// appendRecord appends a record with the next sequence number of its epoch.
func (a *Association) appendRecord(b []byte, r clearRecord) []byte {
	seq := a.writeSeq[r.epoch]
	a.writeSeq[r.epoch]++
	if b == nil {
		b = make([]byte, 0, Overhead+len(r.body))
	}
	if r.epoch == 1 {
		return a.seal.appendSealed(b, r.typ, seq, r.body)
	}
	return append(appendHeader(b, r.typ, 0, seq, len(r.body)), r.body...)
}
