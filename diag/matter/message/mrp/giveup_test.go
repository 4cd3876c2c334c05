package mrp

import (
	"testing"
	"time"

	"threadmap/diag/matter/message"
)

// The answer to a handshake that we gave up comes late: its sender is told, and
// need not wait for us.
func TestLateAnswerToHandshake(t *testing.T) {
	p := newPair(t)
	s := p.a.m.Unsecured(bob, message.SessionParameters{})
	x := p.open(s)
	p.sendOpcode(x, message.Sigma1, "1")
	p.settle()
	y := p.b.opened[0]
	p.want(y, "1")
	p.a.m.Abort(p.now, x)
	p.a.m.CloseSession(p.now, s)
	p.sendOpcode(y, message.Sigma2, "2")
	p.settle()
	v, ok := y.Take()
	if !ok || v.Opcode != message.Status {
		t.Fatalf("%+v, %v", v, ok)
	}
	if r, err := message.ParseStatusReport(v.Payload); err != nil || r.General != message.Failure || r.Code != message.CodeInvalidParameter {
		t.Errorf("%+v, %v", r, err)
	}
	if !y.Flushed() {
		t.Error("the answer is not acknowledged")
	}
	// A StatusReport is the end of it: none goes back.
	before := len(p.a.sent)
	p.sendOpcode(y, message.Status, "no")
	p.settle()
	if n := len(p.a.sent) - before; n != 1 {
		t.Errorf("%d datagrams", n)
	}
	if _, h := p.header(p.a.sent[len(p.a.sent)-1]); h.Opcode != message.StandaloneAck {
		t.Errorf("%+v", h)
	}
	p.b.m.CloseExchange(p.now, y)
	p.run(time.Minute)
	if len(p.a.m.initiated)+len(p.b.m.answered) != 0 {
		t.Error("sessions are not forgotten")
	}
}
