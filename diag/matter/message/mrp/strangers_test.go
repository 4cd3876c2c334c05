package mrp

import (
	"errors"
	"testing"
	"time"

	"threadmap/diag/matter/message"
)

func (p *pair) sendOpcode(x *Exchange, opcode uint8, text string) {
	p.t.Helper()
	if err := x.s.m.Send(p.now, x, Message{Protocol: message.SecureChannel, Opcode: opcode, Payload: []byte(text)}); err != nil {
		p.t.Fatal(err)
	}
}

// A handshake in session 0, with the last message's acknowledgement lost.
func TestUnsecuredSession(t *testing.T) {
	p := newPair(t)
	s := p.a.m.Unsecured(bob, message.SessionParameters{})
	x := p.open(s)
	p.sendOpcode(x, message.Sigma1, "1")
	p.settle()
	y := p.b.opened[0]
	h, v := p.header(p.a.sent[0])
	if !h.HasSource || h.HasDestination || h.Source == 0 || h.Source > message.MaxOperational || !v.Initiator || y.Session().IsSecure() {
		t.Errorf("%+v, %+v", h, v)
	}
	p.want(y, "1")
	p.sendOpcode(y, message.Sigma2, "2")
	p.settle()
	if h2, v := p.header(p.b.sent[0]); h2.HasSource || h2.Destination != h.Source || v.Initiator || !v.HasAck {
		t.Errorf("%+v, %+v", h2, v)
	}
	p.want(x, "2")
	p.sendOpcode(x, message.Sigma3, "3")
	p.settle()
	p.want(y, "3")
	lose := true
	p.fate = func(from *side, _ []byte) []time.Duration {
		if from == p.a && lose {
			lose = false
			return nil
		}
		return []time.Duration{0}
	}
	p.sendOpcode(y, message.Status, "done")
	p.b.m.CloseExchange(p.now, y)
	p.settle()
	p.want(x, "done")
	p.a.m.CloseExchange(p.now, x)
	p.a.m.CloseSession(p.now, s)
	if _, err := p.a.m.Open(s); err == nil {
		t.Error("opened in a session that closes")
	}
	p.run(5 * time.Second)
	if y.Err() != errExchangeClosed {
		t.Errorf("the late duplicate was not acknowledged: %v", y.Err())
	}
	p.run(time.Minute)
	if len(p.a.m.initiated) != 0 || len(p.b.m.answered) != 0 || len(p.a.m.lingering)+len(p.b.m.lingering) != 0 {
		t.Error("sessions are not forgotten")
	}
	if !errors.Is(s.Err(), ErrSessionClosed) || !p.a.m.Next().IsZero() || !p.b.m.Next().IsZero() {
		t.Errorf("%v", s.Err())
	}
}

func stranger(id uint64, counter uint32, v message.Protocol) []byte {
	return message.AppendPlain(nil, message.Header{Counter: counter, Source: id, HasSource: true}, v, []byte("hello"))
}

func TestStrangersMayNot(t *testing.T) {
	sigma1 := message.Protocol{Initiator: true, Reliable: true, Opcode: message.Sigma1}
	for name, v := range map[string]struct {
		b    []byte
		want message.Drop
	}{
		"no ids":             {message.AppendPlain(nil, message.Header{Counter: 1}, sigma1, nil), message.BadNodeIDs},
		"both ids":           {message.AppendPlain(nil, message.Header{Counter: 1, Source: 1, Destination: 2, HasSource: true, HasDestination: true}, sigma1, nil), message.BadNodeIDs},
		"id 0":               {stranger(0, 1, sigma1), message.BadNodeIDs},
		"unknown id":         {message.AppendPlain(nil, message.Header{Counter: 1, Destination: 2, HasDestination: true}, message.Protocol{Reliable: true}, nil), message.UnknownSession},
		"interaction model":  {stranger(1, 1, message.Protocol{Initiator: true, Reliable: true, Opcode: 5, ID: message.InteractionModel}), message.Unsolicited},
		"status":             {stranger(1, 1, message.Protocol{Initiator: true, Reliable: true, Opcode: message.Status}), message.Unsolicited},
		"Sigma2 first":       {stranger(1, 1, message.Protocol{Initiator: true, Reliable: true, Opcode: message.Sigma2}), message.Unsolicited},
		"answer":             {stranger(1, 1, message.Protocol{Reliable: true, Opcode: message.Sigma1}), message.Unsolicited},
		"cut":                {stranger(1, 1, sigma1)[:20], message.Truncated},
		"no protocol header": {stranger(1, 1, sigma1)[:16], message.Truncated},
	} {
		p := newPair(t)
		if err := p.a.m.Receive(p.now, bob, v.b); err != v.want {
			t.Errorf("%s: %v, want %v", name, err, v.want)
		}
		if len(p.a.m.Datagrams()) != 0 || len(p.a.m.answered) != 0 {
			t.Errorf("%s: something came of it", name)
		}
	}
	m := newSide(1, alice, false).m
	if err := m.Receive(start, bob, stranger(1, 1, sigma1)); err != message.Unsolicited || len(m.answered)+len(m.Datagrams()) != 0 {
		t.Errorf("a client does not answer strangers: %v", err)
	}
}

// Within a stranger's session nothing but the handshake is delivered.
func TestStrangerTurnsInsolent(t *testing.T) {
	p := newPair(t)
	sigma1 := message.Protocol{Initiator: true, Reliable: true, Opcode: message.Sigma1, Exchange: 3}
	if err := p.a.m.Receive(p.now, bob, stranger(1, 1, sigma1)); err != nil {
		t.Fatal(err)
	}
	report := message.Protocol{Initiator: true, Reliable: true, Opcode: 5, ID: message.InteractionModel, Exchange: 3}
	if err := p.a.m.Receive(p.now, bob, stranger(1, 2, report)); err != message.Foreign {
		t.Error(err)
	}
	second := message.Protocol{Initiator: true, Reliable: true, Opcode: message.Sigma3, Exchange: 4}
	if err := p.a.m.Receive(p.now, bob, stranger(1, 3, second)); err != message.Unsolicited {
		t.Error(err)
	}
	p.settle()
	if len(p.a.opened) != 1 {
		t.Fatal("nobody came")
	}
	p.want(p.a.opened[0], "hello")
	p.nothing(p.a.opened[0])
}

// Check-In: one message, no acknowledgement.
func TestCheckIn(t *testing.T) {
	p := newPair(t)
	s := p.b.m.Unsecured(alice, message.SessionParameters{})
	x := p.open(s)
	if err := p.b.m.SendOnce(p.now, x, Message{Protocol: message.SecureChannel, Opcode: message.CheckIn, Payload: []byte("sealed")}); err != nil {
		t.Fatal(err)
	}
	p.b.m.CloseExchange(p.now, x)
	p.b.m.CloseSession(p.now, s)
	p.run(time.Second)
	p.want(p.a.opened[0], "sealed")
	p.a.m.CloseExchange(p.now, p.a.opened[0])
	p.run(time.Minute)
	if len(p.a.sent) != 0 || len(p.b.sent) != 1 || len(p.a.m.answered) != 0 {
		t.Errorf("%d and %d datagrams", len(p.a.sent), len(p.b.sent))
	}
}

// A flood of strangers fills what is theirs, and leaves room for peers.
func TestFloodOfStrangers(t *testing.T) {
	p := newPair(t)
	p.secure(message.SessionParameters{})
	sigma1 := message.Protocol{Initiator: true, Reliable: true, Opcode: message.Sigma1}
	full := 0
	for id := uint64(1); id <= 10000; id++ {
		if err := p.a.m.Receive(p.now, bob, stranger(id, 1, sigma1)); err == message.Full {
			full++
		}
		if id%100 == 0 {
			p.settle()
		}
	}
	if full != 10000-maxStrangers || len(p.a.m.answered) != maxStrangers {
		t.Errorf("%d of 10000 found no room, %d did", full, len(p.a.m.answered))
	}
	for i := range uint32(2 * maxAcceptedOf) {
		p.a.m.Receive(p.now, bob, fromBob(i+1, message.Protocol{Initiator: true, ID: 1, Exchange: uint16(i)}, "report"))
	}
	p.settle()
	if n := len(p.a.opened); n != maxStrangers+maxAcceptedOf {
		t.Errorf("%d exchanges opened", n)
	}
	// Those that are done make room, the oldest first.
	for _, x := range p.a.opened[:10] {
		p.a.m.CloseExchange(p.now, x)
	}
	p.settle()
	for id := uint64(20000); id < 20020; id++ {
		p.a.m.Receive(p.now, bob, stranger(id, 1, sigma1))
	}
	p.settle()
	if n := len(p.a.opened); n != maxStrangers+maxAcceptedOf+10 || len(p.a.m.answered) != maxStrangers {
		t.Errorf("%d exchanges opened, %d strangers", n, len(p.a.m.answered))
	}
	// One stranger that goes on and on is in the list once.
	for i := range uint16(1000) {
		last := p.a.opened[len(p.a.opened)-1]
		p.a.m.CloseExchange(p.now, last)
		if err := p.a.m.Receive(p.now, bob, stranger(last.s.ephemeral, 2+uint32(i), message.Protocol{Initiator: true, Opcode: message.Sigma1, Exchange: i + 1})); err != nil {
			t.Fatal(err)
		}
		p.now = p.now.Add(10 * time.Millisecond)
		p.a.m.Tick(p.now)
		p.settle()
	}
	if n := len(p.a.m.lingering); n > maxStrangers {
		t.Errorf("%d sessions linger", n)
	}
	for _, x := range p.a.opened {
		p.a.m.CloseExchange(p.now, x)
	}
	p.run(time.Minute)
	if len(p.a.m.answered)+len(p.a.m.lingering)+p.a.m.accepted != 0 {
		t.Error("not all are forgotten")
	}
}

func TestClose(t *testing.T) {
	p := newPair(t)
	a, _ := p.secure(message.SessionParameters{})
	u := p.a.m.Unsecured(bob, message.SessionParameters{})
	p.a.m.Receive(p.now, bob, stranger(1, 1, message.Protocol{Initiator: true, Reliable: true, Opcode: message.Sigma1}))
	x, y := p.open(a), p.open(u)
	p.send(x, "request")
	p.a.m.CloseSession(p.now, u)
	why := errors.New("over")
	p.a.m.Close(why)
	p.settle()
	if a.Err() != why || u.Err() != why || x.Err() != why || y.Err() != why || p.a.opened[0].Err() != why || len(p.a.closed) != 3 || !p.a.m.Next().IsZero() {
		t.Error("not all is over")
	}
}
