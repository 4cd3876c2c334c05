package borderagent

import (
	"encoding/binary"
	"net"
	"net/netip"
	"time"
	"unicode/utf8"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"threadmap/diag/tmf/netdiag"
)

// A session is a client of an agent. What is in it is guarded by the network's
// lock.
type session struct {
	agent *Agent
	conn  net.Conn
	sid   uint16 // commissioner session id, of the last petition that was accepted
	until time.Time
	cache responses
}

// maxDatagram is the longest record that is read.
const maxDatagram = 1 << 14

// read serves the client until the session ends.
func (s *session) read() {
	b := make([]byte, maxDatagram)
	for {
		k, err := s.conn.Read(b)
		if err != nil {
			return
		}
		p, err := parsePacket(append([]byte(nil), b[:k]...))
		if err != nil {
			continue
		}
		s.agent.net.Lock()
		s.handle(p)
		s.agent.net.Unlock()
	}
}

// prolong lets the session live on: it ends when the client sends no keep-alive
// for a while.
func (s *session) prolong() {
	s.until = time.Now().Add(commissionerLife)
	s.agent.net.after(commissionerLife, func() {
		if s.agent.sessions[s] && !time.Now().Before(s.until) {
			s.conn.Close()
		}
	})
}

// handle answers a message of the client. The network's lock is held, in all
// that follow too.
func (s *session) handle(p packet) {
	a := s.agent
	if !p.isRequest() {
		if p.kind == message.Confirmable && p.code == codes.Empty { // a ping
			s.write(packet{kind: message.Reset, mid: p.mid})
		}
		return
	}
	a.requests[countable(p.path)]++
	id := exchangeID{mid: p.mid}
	if p.kind == message.Confirmable {
		if b, ok := s.cache.find(id, time.Now()); ok {
			s.conn.Write(b)
			return
		}
	}
	reply := packet{kind: message.Acknowledgement, code: codes.Changed, mid: p.mid, token: p.token}
	confirm := func() {
		if p.kind == message.Confirmable {
			s.cache.add(id, reply.bytes(), time.Now())
		} else {
			a.mid++
			reply.kind, reply.mid = message.NonConfirmable, a.mid
		}
		s.write(reply)
	}
	var serve func(packet, func())
	switch p.path {
	case "c/ag":
		serve = func(p packet, done func()) { reply.payload = chosen(dataset(a.net.view.Mesh()), p.payload); done() }
	case "c/pg": // there is no pending dataset
		serve = func(_ packet, done func()) { done() }
	case "c/cg":
		serve = func(p packet, done func()) {
			tlvs, _ := netdiag.SplitTLVs(a.net.leaderOf(a.self()).data(time.Now()))
			reply.payload = chosen(tlvs, p.payload)
			done()
		}
	case "c/cp", "c/ca":
		serve = func(p packet, done func()) {
			if p.path == "c/ca" {
				if a.active != s {
					return // not even an acknowledgement
				}
				s.prolong()
			}
			if p.kind == message.Confirmable {
				reply.code, reply.token = codes.Empty, nil
				done()
			}
			s.askLeader(p)
		}
	case "c/ut":
		serve = func(p packet, _ func()) { s.proxy(p) }
	}
	switch {
	case serve == nil:
		reply.code = codes.NotFound
		confirm()
	case p.code != codes.POST:
		reply.code = codes.MethodNotAllowed
		confirm()
	default:
		serve(p, confirm)
	}
}

// askLeader passes a petition or a keep-alive on to the leader, whose answer
// comes in a message of its own.
func (s *session) askLeader(p packet) {
	a, n := s.agent, s.agent.net
	self := a.self()
	part := n.view.Leader(self)
	at := n.view.ByRLOC16(n.view.Node(self).Partition, uint16(part.Leader)<<10)
	if at < 0 || !n.view.Answers(at) {
		return
	}
	hops := n.hopsFrom(self)[at]
	if hops < 0 {
		return
	}
	way := time.Duration(hops) * n.o.HopDelay
	n.after(way+n.view.Delay(at), func() {
		tlvs, _ := netdiag.SplitTLVs(p.payload)
		answer := a.petition
		if p.path == "c/ca" {
			answer = a.keepAlive
		}
		v := answer(tlvs)
		if v.payload == nil {
			return
		}
		n.after(way, func() {
			if !a.sessions[s] {
				return
			}
			switch {
			case v.state == stateAccept && p.path == "c/cp":
				a.active, s.sid = s, v.session // whoever it was before is not told
			case v.state == stateReject && a.active == s:
				a.active = nil
			}
			a.mid++
			s.write(packet{kind: message.NonConfirmable, code: codes.Changed, mid: a.mid, token: p.token, payload: v.payload})
		})
	})
}

// A verdict is what the leader says; without a payload it says nothing.
type verdict struct {
	state   byte
	session uint16 // of a petition that was accepted
	payload []byte
}

// petition is the leader's answer to who comes from this agent.
func (a *Agent) petition(tlvs []netdiag.TLV) verdict {
	n, now := a.net, time.Now()
	l := n.leaderOf(a.self())
	id, ok := netdiag.Find(tlvs, mcCommissionerID)
	holder := ""
	if ok = ok && len(id) > 0 && len(id) <= maxCommissionerID && utf8.Valid(id); ok {
		holder, ok = l.petition(string(id), n.view.Node(a.self()).RLOC16(), a.o.Steering, now)
	} else if l.active(now) {
		holder = l.id
	}
	v := verdict{state: stateReject}
	if ok {
		v.state, v.session = stateAccept, l.session
	}
	v.payload = netdiag.AppendTLV(nil, mcState, []byte{v.state})
	if holder != "" {
		v.payload = netdiag.AppendTLV(v.payload, mcCommissionerID, []byte(holder))
	}
	if ok {
		v.payload = netdiag.AppendTLV(v.payload, mcSessionID, be16(v.session))
	}
	return v
}

// keepAlive is its answer to a keep-alive, or to a resignation.
func (a *Agent) keepAlive(tlvs []netdiag.TLV) verdict {
	l, now := a.net.leaderOf(a.self()), time.Now()
	state, _ := netdiag.Find(tlvs, mcState)
	sid, _ := netdiag.Find(tlvs, mcSessionID)
	if len(state) != 1 || len(sid) != 2 {
		return verdict{}
	}
	v := verdict{state: stateReject}
	switch {
	case !l.active(now) || binary.BigEndian.Uint16(sid) != l.session:
	case state[0] != stateAccept:
		l.free()
	default:
		v.state = stateAccept
		l.until = now.Add(commissionerLife)
	}
	v.payload = netdiag.AppendTLV(nil, mcState, []byte{v.state})
	return v
}

// proxy puts a datagram of the commissioner on the mesh (UDP_TX.ntf). What is
// wrong with it is told to nobody.
func (s *session) proxy(p packet) {
	a, n := s.agent, s.agent.net
	if a.active != s {
		return
	}
	tlvs, err := netdiag.SplitTLVs(p.payload)
	if err != nil {
		return
	}
	udp, _ := netdiag.Find(tlvs, mcUDPEncapsulation)
	to, _ := netdiag.Find(tlvs, mcIPv6Address)
	addr, ok := netip.AddrFromSlice(to)
	if len(udp) < 4 || len(to) != 16 || !ok {
		return
	}
	from, port := binary.BigEndian.Uint16(udp), binary.BigEndian.Uint16(udp[2:])
	if from == 0 || port == 0 {
		return
	}
	n.down(transit{agent: a, aloc: aloc(s.sid), port: from, node: addr, nodePort: port, payload: udp[4:]})
}

// arrived hands a datagram of the mesh to the commissioner (UDP_RX.ntf), if it
// is still there and the message fits into a record.
func (a *Agent) arrived(t transit, inner []byte) {
	n := a.net
	if a.closed || a.self() < 0 {
		return
	}
	s := a.active
	if s == nil || aloc(s.sid) != t.aloc {
		n.stats.Unrouted++
		return
	}
	udp := append(append(be16(t.nodePort), be16(t.port)...), inner...)
	var b []byte
	if a.o.OldUDPEncapsulation {
		b = netdiag.AppendExtendedTLV(b, mcUDPEncapsulation, udp)
	} else {
		b = netdiag.AppendTLV(b, mcUDPEncapsulation, udp)
	}
	from := t.node.As16()
	b = netdiag.AppendTLV(b, mcIPv6Address, from[:])
	a.mid++
	a.tokens = a.tokens*6364136223846793005 + 1442695040888963407
	p := packet{kind: message.NonConfirmable, code: codes.POST, mid: a.mid, token: be16(uint16(a.tokens >> 48)), path: "c/ur", payload: b}
	if s.write(p) {
		a.forwarded++
	} else {
		a.vanished++
	}
}

// write sends a message to the client, unless it is too long for a record.
func (s *session) write(p packet) bool {
	b := p.bytes()
	if len(b) > s.agent.o.RecordLimit {
		return false
	}
	_, err := s.conn.Write(b)
	return err == nil
}
