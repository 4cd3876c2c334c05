package mrp

import (
	"errors"
	"slices"
	"testing"
	"time"

	"threadmap/diag/matter/message"
)

// What nobody waits for is acknowledged where it is reliable, and dropped.
func TestUnsolicited(t *testing.T) {
	for name, v := range map[string]struct {
		p    message.Protocol
		ack  bool
		drop message.Drop
	}{
		"answer to nothing":              {message.Protocol{Reliable: true, ID: 1, Exchange: 7}, true, message.Unsolicited},
		"answer to nothing, once":        {message.Protocol{ID: 1, Exchange: 7}, false, message.Unsolicited},
		"acknowledgement of nothing":     {message.Protocol{Opcode: message.StandaloneAck, HasAck: true}, false, message.Unsolicited},
		"vendor's":                       {message.Protocol{Initiator: true, Reliable: true, Vendor: 1, ID: 1}, true, message.Foreign},
		"status that does not close":     {message.Protocol{Initiator: true, Reliable: true, Opcode: message.Status}, true, message.Unsolicited},
		"request, nobody accepts":        {message.Protocol{Initiator: true, Reliable: true, ID: 1}, true, message.Unsolicited},
		"another side's exchange id":     {message.Protocol{Reliable: true, ID: 1, Exchange: 1}, true, message.Unsolicited},
		"acknowledgement that wants one": {message.Protocol{Opcode: message.StandaloneAck, HasAck: true, Reliable: true}, false, message.Unsolicited},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			p.a = newSide(1, alice, false)
			p.a.peer = p.b
			a, _ := p.secure(message.SessionParameters{})
			if err := p.a.m.Receive(p.now, bob, fromBob(5, v.p, "")); err != v.drop {
				t.Errorf("%v, want %v", err, v.drop)
			}
			out := p.a.m.Datagrams()
			if len(out) != 0 != v.ack {
				t.Fatalf("%d datagrams", len(out))
			}
			if v.ack {
				if _, got := p.header(out[0].Data); !isAck(got) || got.Ack != 5 || got.Exchange != v.p.Exchange || got.Initiator == v.p.Initiator {
					t.Errorf("%+v", got)
				}
			}
			if a.Stats().Dropped[v.drop] != 1 || len(a.exchanges) != 0 {
				t.Errorf("%+v", a.Stats())
			}
		})
	}
}

func TestSessionClose(t *testing.T) {
	p := newPair(t)
	a, b := p.secure(message.SessionParameters{})
	x, y := p.open(a), p.open(b)
	p.send(x, "request")
	p.settle()
	p.send(y, "report")
	p.b.m.CloseSession(p.now, b)
	p.b.m.CloseSession(p.now, b)
	p.settle()
	for _, s := range []*Session{a, b} {
		if !errors.Is(s.Err(), ErrSessionClosed) || !s.Defunct() {
			t.Errorf("%v: %v", s, s.Err())
		}
		if _, err := s.m.Open(s); !errors.Is(err, ErrSessionClosed) {
			t.Errorf("opened: %v", err)
		}
	}
	if !errors.Is(x.Err(), errPeerClosed) || !errors.Is(y.Err(), errWeClosed) {
		t.Errorf("%v, %v", x.Err(), y.Err())
	}
	if len(p.a.closed) != 1 || len(p.b.closed) != 1 {
		t.Error("not told")
	}
	if _, v := p.header(p.b.sent[len(p.b.sent)-1]); v.Reliable || !v.Initiator || v.Opcode != message.Status {
		t.Errorf("%+v", v)
	}
	n := len(p.a.sent)
	p.run(time.Hour)
	if len(p.a.sent) != n || !p.a.m.Next().IsZero() {
		t.Error("something goes on")
	}
	if err := p.a.m.Receive(p.now, bob, p.b.sent[0]); err != message.UnknownSession {
		t.Errorf("after the end: %v", err)
	}
}

// A session that is dropped is just not there any more.
func TestSessionDrop(t *testing.T) {
	p := newPair(t)
	a, b := p.secure(message.SessionParameters{})
	y := p.open(b)
	p.b.m.Drop(b)
	p.b.m.Drop(b)
	p.settle()
	if !errors.Is(b.Err(), ErrSessionClosed) || !errors.Is(y.Err(), errWeClosed) || len(p.b.closed) != 1 || len(p.b.sent) != 0 || a.Err() != nil {
		t.Errorf("%v, %v, %d datagrams, %v", b.Err(), y.Err(), len(p.b.sent), a.Err())
	}
	p.send(p.open(a), "hello?")
	p.settle()
	if len(p.b.sent) != 0 || p.b.m.Stats().Dropped[message.UnknownSession] != 1 {
		t.Errorf("%+v", p.b.m.Stats())
	}
}

// Node ids in headers change nothing but the headers.
func TestNodeIDs(t *testing.T) {
	p := newPair(t)
	p.a.m.nodeIDs = true
	a, _ := p.secure(message.SessionParameters{})
	x := p.open(a)
	p.send(x, "request")
	p.settle()
	y := p.b.opened[0]
	p.want(y, "request")
	p.send(y, "answer")
	p.settle()
	p.want(x, "answer")
	if h, _ := p.header(p.a.sent[0]); !h.HasSource || h.Source != 10 || !h.HasDestination || h.Destination != 20 {
		t.Errorf("%+v", h)
	}
	if h, _ := p.header(p.b.sent[0]); h.HasSource || h.HasDestination {
		t.Errorf("%+v", h)
	}
}

// A session follows its peer's newest authentic message, and nothing else.
func TestRoaming(t *testing.T) {
	p := newPair(t)
	a, _ := p.secure(message.SessionParameters{})
	other := alice
	if a.Peer() != bob {
		t.Fatal(a.Peer())
	}
	v := message.Protocol{Initiator: true, ID: 1}
	first, second, third := fromBob(10, v, ""), fromBob(11, v, ""), fromBob(12, v, "")
	p.a.m.Receive(p.now, other, second)
	if a.Peer() != other {
		t.Error("did not follow")
	}
	p.a.m.Receive(p.now, bob, first)
	if a.Peer() != other {
		t.Error("followed a late message")
	}
	p.a.m.Receive(p.now, bob, second)
	if a.Peer() != other {
		t.Error("followed a duplicate")
	}
	third[len(third)-1]++
	if err := p.a.m.Receive(p.now, bob, third); err != message.NotAuthentic || a.Peer() != other {
		t.Errorf("%v: followed a forgery", err)
	}
	third[len(third)-1]--
	if err := p.a.m.Receive(p.now, bob, third); err != nil || a.Peer() != bob {
		t.Errorf("%v: a forgery spoiled the counter", err)
	}
}

func TestCountersUsedUp(t *testing.T) {
	p := newPair(t)
	a, _ := p.secure(message.SessionParameters{})
	x := p.open(a)
	p.send(x, "request")
	a.counter = message.Counter{} // which is used up
	if err := p.a.m.Send(p.now, p.open(a), Message{}); !errors.Is(err, ErrSessionClosed) {
		t.Errorf("%v", err)
	}
	if !errors.Is(x.Err(), ErrSessionClosed) || !a.Defunct() {
		t.Error("the session goes on")
	}
	p.run(time.Minute)
}

func TestSecureRefuses(t *testing.T) {
	good := Secured{LocalSessionID: 1, PeerSessionID: 2, Keys: keys, Peer: bob}
	for name, change := range map[string]func(*Secured){
		"no id": func(c *Secured) { c.LocalSessionID = 0 }, "no peer id": func(c *Secured) { c.PeerSessionID = 0 },
		"id in use": func(c *Secured) { c.LocalSessionID = 9 }, "no address": func(c *Secured) { c.Peer = bob; c.Peer = (Secured{}).Peer },
		"no keys": func(c *Secured) { c.Keys = message.Keys{} },
	} {
		m := newSide(1, alice, false).m
		other := good
		other.LocalSessionID = 9
		if _, err := m.Secure(start, other); err != nil {
			t.Fatal(err)
		}
		c := good
		change(&c)
		if s, err := m.Secure(start, c); err == nil {
			t.Errorf("%s: %v", name, s)
		}
	}
}

func TestNewSessionID(t *testing.T) {
	m := newSide(1, alice, false).m
	var ids []uint16
	for range 1000 {
		ids = append(ids, m.NewSessionID())
	}
	if slices.Contains(ids, 0) {
		t.Error("0 is the unsecured session")
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 1000 {
		t.Error("an id came twice")
	}
	for id := range 1 << 16 {
		if id != 77 {
			m.secure[uint16(id)] = &Session{}
		}
	}
	if id := m.NewSessionID(); id != 77 {
		t.Errorf("the last free one is %d", id)
	}
	m.secure[77] = &Session{}
	if id := m.NewSessionID(); id != 0 {
		t.Errorf("%d is in use", id)
	}
}
