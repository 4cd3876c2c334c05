package matternode

import (
	"context"
	"errors"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/transport"
)

// A turn is an exchange in which a party asks something of the Interaction
// Model.
type turn struct {
	n *Node
	x *transport.Exchange
	p *party
}

// interact answers one request.
func (n *Node) interact(x *transport.Exchange, p *party, m transport.Message) {
	if m.Protocol != message.InteractionModel {
		return
	}
	t := &turn{n, x, p}
	if n.busyRequest() {
		t.status(im.Busy)
		return
	}
	switch m.Opcode {
	case im.OpTimedRequest:
		t.timed(m.Payload)
	case im.OpReadRequest:
		t.read(m.Payload)
	case im.OpSubscribeRequest:
		t.subscribe(m.Payload)
	case im.OpWriteRequest:
		t.write(m.Payload, false)
	case im.OpInvokeRequest:
		t.invoke(m.Payload, false)
	default:
		t.status(im.InvalidAction)
	}
}

// busyRequest reports whether a request finds the node busy.
func (n *Node) busyRequest() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	q := &n.o.Quirks
	if q.BusyRequests > 0 {
		q.BusyRequests--
		return true
	}
	return false
}

// send sends one message; where it can't, the next receive tells.
func (t *turn) send(opcode uint8, payload []byte) {
	_ = t.x.Send(t.n.ctx, message.InteractionModel, opcode, payload) // the exchange has ended then
}

func (t *turn) status(s im.Status) { t.send(im.OpStatusResponse, im.EncodeStatusResponse(s)) }

// timed takes a TimedRequest and what follows it (Core 8.6.3).
func (t *turn) timed(payload []byte) {
	ms, err := im.ParseTimedRequest(payload)
	if err != nil {
		t.status(im.InvalidAction)
		return
	}
	until := time.Now().Add(time.Duration(ms) * time.Millisecond)
	t.status(im.Success)
	m, err := t.x.Receive(t.n.ctx)
	if err != nil {
		return
	}
	switch {
	case m.Protocol != message.InteractionModel:
	case time.Now().After(until):
		t.status(im.Timeout)
	case m.Opcode == im.OpInvokeRequest:
		t.invoke(m.Payload, true)
	case m.Opcode == im.OpWriteRequest:
		t.write(m.Payload, true)
	default:
		t.status(im.InvalidAction)
	}
}

// statusTimeout is how long a party may take to answer a report.
const statusTimeout = 30 * time.Second

var (
	errNoStatus = errors.New("no StatusResponse came")
	errStopped  = errors.New("stopped in the middle, as it was told to")
)

// report sends the messages of a report and waits for an answer to each that
// wants one. The error is that of an exchange that ended, or the party's word
// that it does not want more.
func (t *turn) report(messages [][]byte, lastWants bool) error {
	for i, b := range messages {
		if q := t.n.o.Quirks.StopAfter; q > 0 && i >= q {
			return errStopped // what comes is acknowledged, and that is all
		}
		t.send(im.OpReportData, b)
		t.n.stats.reportData.Add(1)
		if i == len(messages)-1 && !lastWants {
			return nil
		}
		if err := t.agreed(); err != nil {
			return err
		}
	}
	return nil
}

// agreed waits for a StatusResponse that says yes.
func (t *turn) agreed() error {
	ctx, cancel := context.WithTimeout(t.n.ctx, statusTimeout)
	defer cancel()
	m, err := t.x.Receive(ctx)
	if err != nil {
		return err
	}
	if m.Protocol != message.InteractionModel || m.Opcode != im.OpStatusResponse {
		t.status(im.InvalidAction)
		return errNoStatus
	}
	s, err := im.ParseStatusResponse(m.Payload)
	if err != nil {
		return err
	}
	return im.Result{Status: s}.Err()
}

// asker is the turn's party with what it may do. The lock is held.
func (t *turn) asker(filtered bool) *asker {
	return &asker{party: t.p, privilege: t.n.privilege(t.p), filtered: filtered}
}
