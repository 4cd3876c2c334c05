package matternode

import (
	"time"

	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
)

// accept serves an exchange that a peer opened.
func (n *Node) accept(x *transport.Exchange) {
	m, err := x.Receive(n.ctx)
	if err != nil || !n.pause(n.o.Quirks.Delay) {
		return
	}
	switch {
	case x.Session().IsSecure():
		if p := n.party(session.Of(x.Session())); p != nil {
			n.interact(x, p, m)
		}
	case m.Protocol != message.SecureChannel:
	case m.Opcode == message.Sigma1 && n.busy():
		n.say(x, sigma.Busy(n.o.Quirks.BusyWait))
	case m.Opcode == message.PBKDFParamRequest && !n.waiting():
		// Who does not wait to be paired leaves the request lying.
	case m.Opcode == message.PBKDFParamRequest && !n.enterPairing():
		n.say(x, sigma.Busy(n.o.Quirks.BusyWait))
	case m.Opcode == message.Sigma1, m.Opcode == message.PBKDFParamRequest:
		s, err := n.responder.Answer(n.ctx, x, m)
		if m.Opcode == message.PBKDFParamRequest {
			n.leavePairing()
		}
		if err != nil {
			n.stats.refused.Add(1)
			return
		}
		n.party(s)
	}
}

// newResponder is the node's side of handshakes.
func (n *Node) newResponder() *session.Responder {
	r := &session.Responder{
		Identities: n.identities, Record: n.record, Window: n.pairingWindow, Own: n.o.Parameters, Busy: n.o.Quirks.BusyWait, Now: n.o.Time,
	}
	if n.o.Quirks.OneHandshake {
		r.AtOnce = 1
	}
	return r
}

// busy reports whether a handshake finds the node busy.
func (n *Node) busy() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	q := &n.o.Quirks
	if q.BusyHandshakes > 0 {
		q.BusyHandshakes--
		return true
	}
	return false
}

// say sends what a handshake has to say.
func (n *Node) say(x *transport.Exchange, messages []sigma.Message) {
	for _, m := range messages {
		if x.Send(n.ctx, message.SecureChannel, m.Opcode, m.Payload) != nil {
			return // the exchange is over
		}
	}
}

// identities are the node's, one for each fabric.
func (n *Node) identities() (ids []sigma.Identity) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range n.owners() {
		ids = append(ids, sigma.Identity{Member: f.Member})
	}
	return ids
}

// record finds a resumption record.
func (n *Node) record(id [16]byte) (sigma.Record, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.o.Quirks.ForgetRecords {
		return sigma.Record{}, false
	}
	for _, r := range n.records {
		if r.ID() == id {
			return r, true
		}
	}
	return sigma.Record{}, false
}

// remember keeps a resumption record instead of an older one of the same peer:
// three for each fabric, as connectedhomeip does. The lock is held.
func (n *Node) remember(r sigma.Record, of *owner) {
	n.records = removeIf(n.records, func(old sigma.Record) bool {
		return old.Peer().NodeID == r.Peer().NodeID && old.In(of.Member)
	})
	n.records = append(n.records, r)
	if most := 3 * max(len(n.fabrics), 1); len(n.records) > most {
		n.records = n.records[len(n.records)-most:]
	}
}

// forgetRecords drops the resumption records of a fabric. The lock is held.
func (n *Node) forgetRecords(of *owner) {
	n.records = removeIf(n.records, func(r sigma.Record) bool { return r.In(of.Member) })
}

// upTime is how long the node has been running.
func (n *Node) upTime() time.Duration { return time.Since(n.booted) }
