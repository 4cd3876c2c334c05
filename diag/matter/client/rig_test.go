package client

import (
	"bytes"
	"context"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
	"threadmap/simulators/simnet"
	"threadmap/tlv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	now    = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	home   = netip.MustParseAddrPort("[fd00::1]:40000")
	device = netip.MustParseAddrPort("[fd00::2]:5540")
)

const nodeID = 0x1122334455667788

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A world is a simulated network with a controller and a node of its fabric.
type world struct {
	t             testing.TB
	net           *simnet.Net
	controller    *transport.Endpoint
	authority     *fabric.Authority
	subscriptions *Subscriptions
	node          *node
}

func bubble(t *testing.T, fate func(simnet.Packet) []time.Duration, f func(*testing.T, *world)) {
	synctest.Test(t, func(t *testing.T) {
		a, err := fabric.New(fabric.Config{})
		ok(t, err)
		w := &world{t: t, net: &simnet.Net{Fate: fate}, authority: a, subscriptions: &Subscriptions{}}
		m, err := a.NewNode(nodeID)
		ok(t, err)
		w.node = &node{member: m, chunking: im.FirstThenAppend, subscription: 0x12345678, maxInterval: 60}
		w.node.responder = responder(m)
		w.node.ep = w.listen(device, w.node.accept)
		own := responder(a.Member()) // a node that was restarted comes to us
		w.controller = w.listen(home, func(x *transport.Exchange) {
			first, err := x.Receive(context.Background())
			if err != nil {
				return
			}
			if x.Session().IsSecure() {
				w.subscriptions.Handle(context.Background(), x, first)
				return
			}
			own.Answer(context.Background(), x, first)
		})
		f(t, w)
	})
}

func responder(m *fabric.Member) *session.Responder {
	return &session.Responder{
		Identities: func() []sigma.Identity { return []sigma.Identity{{Member: m}} },
		Now:        func() time.Time { return now },
	}
}

func (w *world) listen(at netip.AddrPort, accept func(*transport.Exchange)) *transport.Endpoint {
	w.t.Helper()
	pc, err := w.net.ListenPacket(at)
	ok(w.t, err)
	e := transport.New(pc, transport.Options{Accept: accept})
	w.t.Cleanup(func() { ok(w.t, e.Close()) })
	return e
}

// session is one with the node.
func (w *world) session() *session.Secure {
	w.t.Helper()
	s, err := session.CASE(context.Background(), w.controller, session.CASEConfig{
		Member: w.authority.Member(), Node: nodeID, Addresses: []netip.AddrPort{device}, Time: now,
	})
	ok(w.t, err)
	return s
}

// back is a session that the node begins, as after a restart.
func (w *world) back() *session.Secure {
	w.t.Helper()
	s, err := session.CASE(context.Background(), w.node.ep, session.CASEConfig{
		Member: w.node.member, Node: w.authority.Member().NodeID, Addresses: []netip.AddrPort{home}, Time: now,
	})
	ok(w.t, err)
	return s
}

// A node answers what it is asked, from its attributes.
type node struct {
	member    *fabric.Member
	responder *session.Responder
	ep        *transport.Endpoint

	mu           sync.Mutex
	attributes   []im.AttributeReport
	events       []im.EventReport
	chunking     im.Chunking
	endless      bool // reports begin again
	unsuppressed bool // reads end without SuppressResponse
	subscription uint32
	maxInterval  uint16
	busy         int // so many requests are refused with busyStatus
	busyStatus   im.Status
	at           []time.Time                  // when requests came
	words        []im.Status                  // the StatusResponses that came
	commands     []im.InvokeRequest           // that came, Fields cloned
	writes       []im.WriteRequest            // that came
	timed        []uint16                     // the TimedRequests that came
	stopAfter    int                          // messages of ours to send in one exchange, 0: no limit
	mangle       func(n int, b []byte) []byte // of the nth ReportData
	sessions     []*session.Secure            // that others made with it
}

func (n *node) accept(x *transport.Exchange) {
	ctx := context.Background()
	first, err := x.Receive(ctx)
	if err != nil {
		return
	}
	if !x.Session().IsSecure() {
		if s, err := n.responder.Answer(ctx, x, first); err == nil {
			n.mu.Lock()
			n.sessions = append(n.sessions, s)
			n.mu.Unlock()
		}
		return
	}
	n.mu.Lock()
	n.at = append(n.at, time.Now())
	if n.busy > 0 {
		n.busy--
		status := n.busyStatus
		n.mu.Unlock()
		x.Send(ctx, message.InteractionModel, im.OpStatusResponse, im.EncodeStatusResponse(status))
		return
	}
	left := n.stopAfter
	if left == 0 {
		left = 1 << 20
	}
	n.mu.Unlock()
	n.serve(&serving{node: n, x: x, left: left}, first)
}

// serving is one exchange at the node.
type serving struct {
	*node
	x    *transport.Exchange
	left int
}

type stopped struct{}

func (stopped) Error() string { return "stopped" }

func (v *serving) send(opcode uint8, b []byte) error {
	if v.left == 0 {
		return stopped{}
	}
	v.left--
	return v.x.Send(context.Background(), message.InteractionModel, opcode, b)
}

// word waits for a StatusResponse.
func (v *serving) word() error {
	m, err := v.x.Receive(context.Background())
	if err != nil {
		return err
	}
	s, err := im.ParseStatusResponse(m.Payload)
	if err != nil {
		return err
	}
	v.mu.Lock()
	v.words = append(v.words, s)
	v.mu.Unlock()
	return im.Result{Status: s}.Err()
}

func (n *node) serve(v *serving, first transport.Message) error {
	switch first.Opcode {
	case im.OpReadRequest:
		r, err := im.ParseReadRequest(first.Payload)
		if err != nil {
			return err
		}
		return v.report(r, im.ReportOptions{SuppressResponse: !n.unsuppressed})
	case im.OpSubscribeRequest:
		r, err := im.ParseSubscribeRequest(first.Payload)
		if err != nil {
			return err
		}
		if err := v.report(r.ReadRequest, im.ReportOptions{Subscription: im.Some(n.subscription)}); err != nil {
			return err
		}
		b, err := im.SubscribeResponse{Subscription: n.subscription, MaxInterval: n.maxInterval}.Encode()
		if err != nil {
			return err
		}
		return v.send(im.OpSubscribeResponse, b)
	case im.OpTimedRequest:
		ms, err := im.ParseTimedRequest(first.Payload)
		if err != nil {
			return err
		}
		n.mu.Lock()
		n.timed = append(n.timed, ms)
		n.mu.Unlock()
		if err := v.send(im.OpStatusResponse, im.EncodeStatusResponse(im.Success)); err != nil {
			return err
		}
		m, err := v.x.Receive(context.Background())
		if err != nil {
			return err
		}
		return n.serve(v, m)
	case im.OpInvokeRequest:
		return v.invoke(first.Payload)
	case im.OpWriteRequest:
		r, err := im.ParseWriteRequest(first.Payload)
		if err != nil {
			return err
		}
		n.mu.Lock()
		n.writes = append(n.writes, r)
		n.mu.Unlock()
		result := im.Result{}
		if r.Writes[0].Path.Attribute == 99 {
			result.Status = im.UnsupportedAttribute
		}
		b, err := im.EncodeWriteResponse([]im.AttributeStatus{{Path: r.Writes[0].Path, Result: result}})
		if err != nil {
			return err
		}
		return v.send(im.OpWriteResponse, b)
	}
	return v.send(im.OpStatusResponse, im.EncodeStatusResponse(im.InvalidAction))
}

// report sends what a request asks for, and waits for the answers.
func (v *serving) report(r im.ReadRequest, o im.ReportOptions) error {
	v.mu.Lock()
	var out []im.AttributeReport
	for _, a := range v.attributes {
		for _, p := range r.Attributes {
			if p.Matches(a.Path) {
				out = append(out, a)
				break
			}
		}
	}
	o.Chunking = v.chunking
	chunks, err := im.EncodeReports(o, out, v.events)
	mangle := v.mangle
	v.mu.Unlock()
	if err != nil {
		return err
	}
	for i := 0; i < len(chunks); i++ {
		b := chunks[i]
		if mangle != nil {
			b = mangle(i, b)
		}
		if err := v.send(im.OpReportData, b); err != nil {
			return err
		}
		if i == len(chunks)-1 && o.SuppressResponse {
			return v.x.Flush(context.Background())
		}
		if err := v.word(); err != nil {
			return err
		}
		if v.endless {
			i--
		}
	}
	return nil
}

func (v *serving) invoke(payload []byte) error {
	r, err := im.ParseInvokeRequest(payload)
	if err != nil {
		return err
	}
	c := r.Commands[0]
	c.Fields = bytes.Clone(c.Fields)
	r.Commands[0] = c
	v.mu.Lock()
	v.commands = append(v.commands, r)
	v.mu.Unlock()
	answer := im.CommandResponse{Command: im.Command{Path: c.Path}, IsStatus: true}
	switch c.Path.Command {
	case 0: // answered by command 1, with the same fields
		answer.IsStatus = false
		answer.Path.Command, answer.Fields = 1, c.Fields
	case 4:
		answer.Result = im.Result{Status: im.Failure, Cluster: im.Some[uint8](2)}
	case 5: // another's answer
		answer.Path.Cluster++
	case 6:
		return v.send(im.OpStatusResponse, im.EncodeStatusResponse(im.NeedsTimedInteraction))
	case 7:
		b, err := (&im.InvokeResponse{}).Encode()
		if err != nil {
			return err
		}
		return v.send(im.OpInvokeResponse, b)
	}
	b, err := (&im.InvokeResponse{Responses: []im.CommandResponse{answer}}).Encode()
	if err != nil {
		return err
	}
	return v.send(im.OpInvokeResponse, b)
}

// table is a list of so many neighbours.
func table(rows int) []byte {
	var e tlv.Encoder
	e.Array(tlv.Anonymous)
	for i := range rows {
		e.Struct(tlv.Anonymous)
		e.PutUint(tlv.Context(0), 0x1a2b3c4d5e6f7081+uint64(i)<<32)
		e.PutUint(tlv.Context(1), uint64(i))
		e.PutUint(tlv.Context(2), uint64(i)<<10)
		e.PutUint(tlv.Context(3), 1000)
		e.PutUint(tlv.Context(4), 2000)
		e.PutUint(tlv.Context(5), 3)
		e.PutInt(tlv.Context(6), -50)
		e.PutInt(tlv.Context(7), -52)
		e.PutUint(tlv.Context(8), 1)
		e.PutUint(tlv.Context(9), 0)
		for tag := range uint8(4) {
			e.PutBool(tlv.Context(10+tag), tag%2 == 0)
		}
		e.End()
	}
	e.End()
	b, err := e.Bytes()
	if err != nil {
		panic(err)
	}
	return b
}

// number is an element.
func number(n uint64) []byte {
	var e tlv.Encoder
	e.PutUint(tlv.Anonymous, n)
	b, err := e.Bytes()
	if err != nil {
		panic(err)
	}
	return b
}

// diagnostics are the attributes of a node with so many neighbours.
func diagnostics(rows int) (all []im.AttributeReport) {
	for a := range uint32(40) {
		data := number(uint64(a))
		if a == 7 || a == 8 {
			data = table(rows)
		}
		all = append(all, im.AttributeReport{Path: im.Path{Cluster: 0x35, Attribute: a}, Version: im.Some[uint32](7), Data: data})
	}
	return all
}

var everything = im.ReadRequest{Attributes: []im.AttributePath{im.Whole(0, 0x35)}}

// same compares what was read with what the node has.
func (w *world) same(r *Report) {
	w.t.Helper()
	if !r.Complete || r.Attributes.Len() != len(w.node.attributes) {
		w.t.Errorf("complete %v, %d attributes of %d", r.Complete, r.Attributes.Len(), len(w.node.attributes))
	}
	for _, a := range w.node.attributes {
		if v, ok := r.Attributes.Value(a.Path); !ok || v.Err != nil || !bytes.Equal(v.Data, a.Data) {
			w.t.Errorf("%v: %v, %d octets of %d", a.Path, v.Err, len(v.Data), len(a.Data))
		}
	}
}
