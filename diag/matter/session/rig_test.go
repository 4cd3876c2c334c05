package session

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
	"threadmap/simulators/simnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	// now is when the certificates are looked at; a bubble's clock begins in 2000.
	now      = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	home     = netip.MustParseAddrPort("[fd00::1]:40000")
	device   = netip.MustParseAddrPort("[fd00::2]:5540")
	nobody   = netip.MustParseAddrPort("[fd00::bad]:5540")
	deviceID = uint64(0x1122334455667788)
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A world is a simulated network with a fabric.
type world struct {
	t          testing.TB
	net        *simnet.Net
	authority  *fabric.Authority
	controller *transport.Endpoint
}

// bubble runs a test in virtual time, with a controller on the network.
func bubble(t *testing.T, fate func(simnet.Packet) []time.Duration, f func(*testing.T, *world)) {
	synctest.Test(t, func(t *testing.T) {
		a, err := fabric.New(fabric.Config{})
		ok(t, err)
		w := &world{t: t, net: &simnet.Net{Fate: fate}, authority: a}
		w.controller = w.endpoint(home, transport.Options{})
		f(t, w)
	})
}

func (w *world) endpoint(at netip.AddrPort, o transport.Options) *transport.Endpoint {
	w.t.Helper()
	pc, err := w.net.ListenPacket(at)
	ok(w.t, err)
	e := transport.New(pc, o)
	w.t.Cleanup(func() { ok(w.t, e.Close()) })
	return e
}

func (w *world) member(node uint64) *fabric.Member {
	w.t.Helper()
	m, err := w.authority.NewNode(node)
	ok(w.t, err)
	return m
}

// A peer answers handshakes, and echoes what comes in a secure session.
type peer struct {
	*Responder
	ends []*transport.Endpoint
	// instead may do something else about a handshake.
	instead func(x *transport.Exchange, first transport.Message) bool

	mu      sync.Mutex
	records map[[16]byte]sigma.Record
	made    []*Secure
	failed  []error
}

// peer starts a node at one or more addresses.
func (w *world) peer(r *Responder, at ...netip.AddrPort) *peer {
	w.t.Helper()
	p := &peer{Responder: r, records: map[[16]byte]sigma.Record{}}
	if r.Now == nil {
		r.Now = func() time.Time { return now }
	}
	if r.Record == nil {
		r.Record = p.record
	}
	for _, a := range at {
		p.ends = append(p.ends, w.endpoint(a, transport.Options{Accept: p.accept}))
	}
	return p
}

// node is a peer that is a member of the fabric.
func (w *world) node(id uint64, at ...netip.AddrPort) *peer {
	w.t.Helper()
	m := w.member(id)
	return w.peer(&Responder{Identities: func() []sigma.Identity { return []sigma.Identity{{Member: m}} }}, at...)
}

func (p *peer) record(id [16]byte) (sigma.Record, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.records[id]
	return r, ok
}

func (p *peer) accept(x *transport.Exchange) {
	ctx := context.Background()
	first, err := x.Receive(ctx)
	if err != nil {
		return
	}
	if x.Session().IsSecure() {
		if Of(x.Session()) == nil {
			panic("a secure session without an owner")
		}
		x.Send(ctx, first.Protocol, first.Opcode+1, first.Payload)
		x.Flush(ctx)
		return
	}
	if p.instead != nil && p.instead(x, first) {
		return
	}
	s, err := p.Answer(ctx, x, first)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.failed = append(p.failed, err)
		return
	}
	p.made = append(p.made, s)
	if !s.PASE() {
		p.records[s.Record.ID()] = s.Record
	}
}

// sessions is what the peer has established.
func (p *peer) sessions() []*Secure {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*Secure(nil), p.made...)
}

func (p *peer) failures() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]error(nil), p.failed...)
}

// config is for a CASE with the device.
func (w *world) config(at ...netip.AddrPort) CASEConfig {
	return CASEConfig{Member: w.authority.Member(), Node: deviceID, Addresses: at, Time: now}
}

// works sends something through a session and back.
func works(t testing.TB, s *Secure) {
	t.Helper()
	ok(t, echo(t.Context(), s))
}

func echo(ctx context.Context, s *Secure) error {
	x, err := s.Session.Open(ctx)
	if err != nil {
		return s.Lost(err)
	}
	defer x.Close()
	if err := x.Send(ctx, message.InteractionModel, 2, []byte("hello")); err != nil {
		return s.Lost(err)
	}
	m, err := x.Receive(ctx)
	if err == nil && (m.Opcode != 3 || string(m.Payload) != "hello") {
		err = errors.New("a wrong echo")
	}
	return s.Lost(err)
}
