package mrp

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"threadmap/diag/matter/message"
)

func TestRequestAndResponse(t *testing.T) {
	p := newPair(t)
	a, b := p.secure(message.SessionParameters{})
	x := p.open(a)
	p.send(x, "request")
	p.settle()
	if len(p.b.opened) != 1 || p.b.opened[0].Session() != b || p.b.opened[0].Initiator() || p.b.opened[0].ID() != x.ID() {
		t.Fatalf("opened %+v", p.b.opened)
	}
	y := p.b.opened[0]
	p.want(y, "request")
	if x.Flushed() {
		t.Error("flushed before the acknowledgement")
	}
	p.send(y, "response")
	p.b.m.CloseExchange(p.now, y)
	p.settle()
	p.want(x, "response")
	if !x.Flushed() || y.Flushed() || y.Err() != nil {
		t.Error("the acknowledgement rides on the response, the other one waits")
	}
	p.a.m.CloseExchange(p.now, x)
	p.run(time.Minute)
	if len(p.a.sent) != 2 || len(p.b.sent) != 1 {
		t.Fatalf("%d and %d datagrams, want 2 and 1", len(p.a.sent), len(p.b.sent))
	}
	if _, v := p.header(p.b.sent[0]); !v.HasAck || v.Initiator || !v.Reliable {
		t.Errorf("response %+v", v)
	}
	if _, v := p.header(p.a.sent[1]); !isAck(v) || !v.Initiator {
		t.Errorf("acknowledgement %+v", v)
	}
	if x.Err() == nil || y.Err() == nil || len(a.exchanges) != 0 || len(b.exchanges) != 0 {
		t.Error("the exchanges are not over")
	}
	if err := p.a.m.Send(p.now, x, Message{}); !errors.Is(err, errExchangeClosed) {
		t.Errorf("sent after the end: %v", err)
	}
	if s := a.Stats(); s.Sent != 2 || s.Received != 1 || s.Delivered != 1 || s.Acks != 1 || s.Retransmitted != 0 || s.SentOctets != uint64(len(p.a.sent[0])+len(p.a.sent[1])) {
		t.Errorf("%+v", s)
	}
	if p.a.m.Stats() != a.Stats() {
		t.Error("the machine counts otherwise")
	}
}

// A message whose answer takes long is acknowledged alone after 200 ms; the
// answer has the acknowledgement once more.
func TestStandaloneAck(t *testing.T) {
	p := newPair(t)
	a, _ := p.secure(message.SessionParameters{})
	x := p.open(a)
	p.send(x, "request")
	p.settle()
	y := p.b.opened[0]
	p.run(199 * time.Millisecond)
	if len(p.b.sent) != 0 {
		t.Fatal("acknowledged too early")
	}
	p.run(2 * time.Millisecond)
	if len(p.b.sent) != 1 || !x.Flushed() {
		t.Fatalf("%d datagrams", len(p.b.sent))
	}
	if _, v := p.header(p.b.sent[0]); !isAck(v) || v.Initiator || v.Exchange != x.ID() {
		t.Errorf("%+v", v)
	}
	p.run(10 * time.Second)
	p.send(y, "response")
	p.settle()
	if _, v := p.header(p.b.sent[1]); !v.HasAck || v.Ack != x.counter {
		t.Errorf("%+v", v)
	}
	p.want(x, "response")
	if len(p.a.sent) != 1 {
		t.Errorf("%d datagrams of a", len(p.a.sent))
	}
}

// Lost messages are repeated as the same octets, at the standard's times.
func TestRetransmission(t *testing.T) {
	for name, v := range map[string]struct {
		params message.SessionParameters
		margin time.Duration
		after  time.Duration // the peer was heard before
		base   time.Duration
	}{
		"defaults, active":    {message.SessionParameters{}, 0, 0, 300 * time.Millisecond},
		"defaults, idle":      {message.SessionParameters{}, 0, 4 * time.Second, 500 * time.Millisecond},
		"sleepy":              {message.SessionParameters{Idle: 5 * time.Second, ActiveThreshold: time.Second}, 0, 2 * time.Second, 5 * time.Second},
		"Thread":              {message.SessionParameters{Idle: 2 * time.Second, Active: 2 * time.Second}, 1500 * time.Millisecond, 0, 3500 * time.Millisecond},
		"never active":        {message.SessionParameters{Said: message.SaidActiveThreshold}, 0, 0, 500 * time.Millisecond},
		"claims no intervals": {message.SessionParameters{Said: message.SaidActive | message.SaidIdle}, 0, 0, shortestBase},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			a, _ := p.secure(v.params)
			a.SetMargin(v.margin)
			p.now = p.now.Add(v.after)
			var times []time.Time
			p.fate = func(*side, []byte) []time.Duration { times = append(times, p.now); return nil }
			x := p.open(a)
			p.send(x, "request")
			p.run(24 * time.Hour)
			if len(p.a.sent) != message.MaxTransmissions {
				t.Fatalf("sent %d times", len(p.a.sent))
			}
			base := v.base
			for n := 1; n < len(times); n++ {
				if !bytes.Equal(p.a.sent[n], p.a.sent[0]) {
					t.Error("not the same octets")
				}
				if times[n-1].Sub(times[0]) >= a.params.ActiveThreshold { // it fell asleep meanwhile
					base = max(v.base, a.params.Idle+v.margin)
				}
				if d := times[n].Sub(times[n-1]); d < message.Backoff(n-1, base, 0) || d > message.Backoff(n-1, base, 1) {
					t.Errorf("wait %d was %v, base %v", n-1, d, base)
				}
			}
			var gone *NoAckError
			if err := x.Err(); !errors.As(err, &gone) || gone.Transmissions != 5 || gone.Opcode != 2 || gone.Peer != bob || gone.Waited > a.GivesUpAfter() {
				t.Errorf("%v", err)
			} else if !strings.Contains(err.Error(), "sent 5 times") {
				t.Error(err)
			}
			if !a.Defunct() || a.Err() != nil {
				t.Error("the session is not defunct")
			}
			if _, err := p.a.m.Open(a); err != nil {
				t.Errorf("a defunct session may be tried: %v", err)
			}
			if s := a.Stats(); s.GivenUp != 1 || s.Retransmitted != 4 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A peer that wakes up during the repetitions is repeated to at its active pace.
func TestWakingPeer(t *testing.T) {
	p := newPair(t)
	a, b := p.secure(message.SessionParameters{Idle: 10 * time.Second})
	p.now = p.now.Add(time.Hour)
	var times []time.Time
	p.fate = func(from *side, _ []byte) []time.Duration {
		if from == p.a {
			times = append(times, p.now)
			return nil
		}
		return []time.Duration{0}
	}
	x := p.open(a)
	p.send(x, "request")
	p.run(5 * time.Second)
	y := p.open(b)
	if err := p.b.m.SendOnce(p.now, y, Message{Protocol: message.InteractionModel, Opcode: 5}); err != nil {
		t.Fatal(err)
	}
	p.run(8750 * time.Millisecond) // the wait that had begun goes on
	p.run(2 * time.Second)
	if n := len(times); n < 2 || times[1].Sub(times[0]) < 11*time.Second {
		t.Fatalf("%v", times)
	}
	p.run(3 * time.Minute)
	if a.Defunct() {
		t.Error("it was heard, so the session is not defunct")
	}
	if x.Err() == nil {
		t.Error("nobody acknowledged the request")
	}
}

func TestDuplicates(t *testing.T) {
	p := newPair(t)
	a, _ := p.secure(message.SessionParameters{})
	acks := 0
	p.fate = func(from *side, b []byte) []time.Duration {
		if from == p.b && acks < 2 { // two acknowledgements get lost
			acks++
			return nil
		}
		return []time.Duration{0}
	}
	x := p.open(a)
	p.send(x, "request")
	p.run(10 * time.Second)
	if !x.Flushed() || x.Err() != nil {
		t.Fatal("not acknowledged")
	}
	y := p.b.opened[0]
	p.want(y, "request")
	p.nothing(y)
	s := p.b.m.Stats()
	if len(p.b.opened) != 1 || s.Delivered != 1 || s.Dropped[message.Duplicate] != 2 || s.Acks != 3 {
		t.Errorf("%d opened, %+v", len(p.b.opened), s)
	}
	// After the exchange is over, too.
	p.b.m.CloseExchange(p.now, y)
	p.b.m.Receive(p.now, alice, p.a.sent[0])
	p.settle()
	if n := len(p.b.sent); n != 4 {
		t.Fatalf("%d datagrams", n)
	}
	if _, v := p.header(p.b.sent[3]); !isAck(v) || v.Initiator || v.Exchange != x.ID() {
		t.Errorf("%+v", v)
	}
}

// One acknowledgement is remembered: a second message sends the first one's.
func TestTwoMessagesBeforeAnAck(t *testing.T) {
	p := newPair(t)
	a, _ := p.secure(message.SessionParameters{})
	x := p.open(a)
	p.send(x, "request")
	p.settle()
	_, first := p.header(p.a.sent[0])
	for i := range uint32(2) {
		if err := p.a.m.Receive(p.now, bob, fromBob(100+i, message.Protocol{Reliable: true, ID: 1, Exchange: first.Exchange}, "r")); err != nil {
			t.Fatal(err)
		}
	}
	out := p.a.m.Datagrams()
	if len(out) != 1 {
		t.Fatalf("%d datagrams", len(out))
	}
	if _, v := p.header(out[0].Data); !isAck(v) || v.Ack != 100 {
		t.Errorf("%+v", v)
	}
	if x.ack != 101 || x.ackDue.IsZero() {
		t.Error("the second one is not pending")
	}
	p.want(x, "r")
	p.want(x, "r")
}

func TestOutbox(t *testing.T) {
	p := newPair(t)
	a, _ := p.secure(message.SessionParameters{})
	x := p.open(a)
	for i := range 1 + maxOutbox {
		p.send(x, fmt.Sprint(i))
	}
	if err := p.a.m.Send(p.now, x, Message{}); err != ErrFull {
		t.Errorf("%v", err)
	}
	p.settle()
	if len(p.a.sent) != 1 {
		t.Fatal("only one may be on its way")
	}
	p.a.m.CloseExchange(p.now, x) // what was sent goes on
	for i := range 1 + maxOutbox {
		p.run(250 * time.Millisecond)
		p.want(p.b.opened[0], fmt.Sprint(i))
	}
	if x.Err() != errExchangeClosed || len(p.a.sent) != 1+maxOutbox {
		t.Errorf("%v, %d datagrams", x.Err(), len(p.a.sent))
	}
	if err := p.a.m.Send(p.now, p.open(a), Message{Payload: make([]byte, message.MaxPayload+1)}); err == nil || !strings.Contains(err.Error(), "1178") {
		t.Errorf("giant payload: %v", err)
	}
	y := p.open(a)
	if err := p.a.m.Send(p.now, y, Message{Payload: make([]byte, message.MaxPayload)}); err != nil {
		t.Fatal(err)
	}
	if n := len(p.a.m.Datagrams()[0].Data); n > message.MaxDatagram-48 {
		t.Errorf("a datagram of %d octets", n)
	}
}

func TestFullInbox(t *testing.T) {
	p := newPair(t)
	a, _ := p.secure(message.SessionParameters{})
	x := p.open(a)
	p.send(x, "0")
	p.settle()
	y := p.b.opened[0]
	for i := 1; i <= maxInbox; i++ { // a peer that does not wait its turn
		if err := p.a.m.SendOnce(p.now, x, Message{Protocol: 1, Payload: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	p.settle()
	if d := p.b.m.Stats().Dropped[message.Full]; d != 1 || len(y.inbox) != maxInbox {
		t.Fatalf("%d dropped, %d in the inbox", d, len(y.inbox))
	}
	p.want(y, "0")
	last := p.a.sent[len(p.a.sent)-1]
	if err := p.b.m.Receive(p.now, alice, last); err != nil { // it was not marked as seen
		t.Error(err)
	}
	for i := 1; i <= maxInbox; i++ {
		p.want(y, fmt.Sprint(i))
	}
}

// A refusal of the system ends the exchange at once if it is final and of the
// first copy.
func TestNotSent(t *testing.T) {
	for name, v := range map[string]struct{ final, again, over bool }{
		"final": {true, false, true}, "passing": {false, false, false}, "final, but later": {true, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			a, _ := p.secure(message.SessionParameters{})
			p.fate = func(*side, []byte) []time.Duration { return nil }
			x := p.open(a)
			p.send(x, "request")
			if v.again {
				p.run(time.Second)
				p.a.m.Tick(p.now)
			}
			d := Datagram{To: bob, Data: x.unacked, exchange: x}
			p.a.m.NotSent(p.now, d, syscall.EADDRNOTAVAIL, v.final)
			if (x.Err() != nil) != v.over {
				t.Fatalf("%v", x.Err())
			}
			p.run(time.Minute)
			var e *NoAckError
			if !errors.As(x.Err(), &e) || !errors.Is(x.Err(), syscall.EADDRNOTAVAIL) || !strings.Contains(e.Error(), "no way to") {
				t.Errorf("%v", x.Err())
			}
			p.a.m.NotSent(p.now, d, syscall.EADDRNOTAVAIL, true)          // late
			p.a.m.NotSent(p.now, Datagram{}, syscall.EADDRNOTAVAIL, true) // an acknowledgement
		})
	}
}

func TestAbort(t *testing.T) {
	p := newPair(t)
	a, b := p.secure(message.SessionParameters{})
	x := p.open(a)
	p.send(x, "request")
	p.settle()
	p.send(p.b.opened[0], "response")
	p.settle()
	p.a.m.Abort(p.now, x)
	p.a.m.Abort(p.now, x)
	p.settle()
	if _, v := p.header(p.a.sent[1]); !isAck(v) || !p.b.opened[0].Flushed() {
		t.Error("what came is still acknowledged")
	}
	y := p.open(b)
	p.fate = func(*side, []byte) []time.Duration { return nil }
	p.send(y, "report")
	p.b.m.Abort(p.now, y)
	n := len(p.b.sent)
	p.run(time.Minute)
	if len(p.b.sent) != n+1 || y.Err() == nil {
		t.Errorf("repeated %d times", len(p.b.sent)-n-1)
	}
	p.a.m.CloseExchange(p.now, x)
}
