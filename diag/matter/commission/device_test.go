package commission

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/setup"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/spake2p"
	"threadmap/diag/matter/transport"
	"threadmap/simulators/simnet"
	"threadmap/tlv"
)

const passcode = 20202021

var (
	ourAddress    = netip.MustParseAddrPort("[fd00::1]:5540")
	deviceAddress = netip.MustParseAddrPort("[fd00::2]:5540")
)

// A device is the smallest one that can be commissioned, and that can go wrong
// at every step. It keeps the rules of the fail-safe.
type device struct {
	t    *testing.T
	ep   *transport.Endpoint
	ctx  context.Context
	resp session.Responder

	mu       sync.Mutex
	key      *ecdsa.PrivateKey // of the certificate asked for
	root     []byte
	member   *fabric.Member // on the fabric, if any
	pending  bool           // until CommissioningComplete
	until    time.Time      // of the fail-safe; zero: not armed
	expiries []uint64       // that were asked for
	commands []im.CommandPath
	caseOK   int
	records  []sigma.Record

	// What it does otherwise.
	busy      int                                               // so many ArmFailSafe are answered with BusyWithOtherAdmin
	mute      map[im.CommandPath]int                            // so many of them are carried out and not answered
	deaf      map[im.CommandPath]bool                           // not even carried out
	answers   map[im.CommandPath]func() (im.Command, im.Result) // in place of its own
	seconds   uint16                                            // FailSafeExpiryLengthSeconds
	most      uint16                                            // MaxCumulativeFailsafeSeconds
	others    int                                               // fabrics
	wrongNode bool                                              // its certificate is taken and never used
	label     string
}

func (d *device) expired() {
	if !d.until.IsZero() && !time.Now().Before(d.until) {
		d.rollBack()
	}
}

func (d *device) rollBack() {
	d.until, d.key, d.root = time.Time{}, nil, nil
	if d.pending {
		d.member, d.pending, d.records = nil, false, nil
	}
}

func (d *device) arm(s time.Duration) {
	d.until = time.Now().Add(s)
	time.AfterFunc(s, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.expired()
	})
}

func newDevice(t *testing.T, n *simnet.Net, at netip.AddrPort) *device {
	t.Helper()
	pc, err := n.ListenPacket(at)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &device{t: t, ctx: ctx, mute: map[im.CommandPath]int{}, deaf: map[im.CommandPath]bool{}, answers: map[im.CommandPath]func() (im.Command, im.Result){}, seconds: 60, most: 900, others: 1}
	salt := []byte("threadmap salt 1")
	secret, err := spake2p.Derive(passcode, salt, 1000)
	if err != nil {
		t.Fatal(err)
	}
	d.resp = session.Responder{
		Identities: func() []sigma.Identity {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.expired(); d.member == nil || d.wrongNode {
				return nil
			}
			return []sigma.Identity{{Member: d.member}}
		},
		Window: func() (session.Window, bool) {
			return session.Window{Registration: secret.Registration(), Salt: salt, Iterations: 1000}, true
		},
	}
	d.ep = transport.New(pc, transport.Options{Accept: d.accept})
	t.Cleanup(func() { cancel(); d.ep.Close() })
	return d
}

func (d *device) accept(x *transport.Exchange) {
	m, err := x.Receive(d.ctx)
	if err != nil {
		return
	}
	if !x.Session().IsSecure() {
		s, err := d.resp.Answer(d.ctx, x, m)
		d.mu.Lock()
		defer d.mu.Unlock()
		switch {
		case err != nil:
		case s.PASE():
			d.arm(60 * time.Second)
		default:
			d.caseOK++
		}
		return
	}
	s := session.Of(x.Session())
	switch m.Opcode {
	case im.OpReadRequest:
		d.read(x, s, m.Payload)
	case im.OpInvokeRequest:
		d.invoke(x, s, m.Payload)
	}
}

func element(put func(*tlv.Encoder)) []byte {
	var e tlv.Encoder
	put(&e)
	b, err := e.Bytes()
	if err != nil {
		panic(err)
	}
	return b
}

func (d *device) read(x *transport.Exchange, s *session.Secure, payload []byte) {
	q, err := im.ParseReadRequest(payload)
	if err != nil {
		d.t.Error(err)
		return
	}
	if len(q.Attributes) > im.MaxReadPaths {
		d.t.Errorf("%d paths in one request", len(q.Attributes))
	}
	d.mu.Lock()
	values := map[im.Path][]byte{
		{Cluster: 0x30, Attribute: 1}: fields(func(e *tlv.Encoder) {
			e.PutUint(tlv.Context(0), uint64(d.seconds))
			e.PutUint(tlv.Context(1), uint64(d.most))
		}),
		{Cluster: 0x30, Attribute: 2}: element(func(e *tlv.Encoder) { e.PutUint(tlv.Anonymous, 1) }),
		{Cluster: 0x30, Attribute: 3}: element(func(e *tlv.Encoder) { e.PutUint(tlv.Anonymous, 2) }),
		{Cluster: 0x28, Attribute: 1}: element(func(e *tlv.Encoder) { e.PutText(tlv.Anonymous, "Acme") }),
		{Cluster: 0x28, Attribute: 2}: element(func(e *tlv.Encoder) { e.PutUint(tlv.Anonymous, 0xFFF1) }),
		{Cluster: 0x28, Attribute: 3}: element(func(e *tlv.Encoder) { e.PutText(tlv.Anonymous, "Plug") }),
		{Cluster: 0x28, Attribute: 4}: element(func(e *tlv.Encoder) { e.PutUint(tlv.Anonymous, 0x8000) }),
		{Cluster: 0x28, Attribute: 5}: element(func(e *tlv.Encoder) { e.PutText(tlv.Anonymous, "Desk\x1b plug") }),
		{Cluster: 0x3E, Attribute: 5}: element(func(e *tlv.Encoder) { e.PutUint(tlv.Anonymous, 2) }),
		{Cluster: 0x3E, Attribute: 1}: element(func(e *tlv.Encoder) {
			e.Array(tlv.Anonymous)
			row := func(key []byte, fabricID, node uint64) {
				e.Struct(tlv.Anonymous)
				e.PutOctets(tlv.Context(1), key)
				e.PutUint(tlv.Context(2), 0xFFF1)
				e.PutUint(tlv.Context(3), fabricID)
				e.PutUint(tlv.Context(4), node)
				e.PutText(tlv.Context(5), "")
				e.PutUint(tlv.Context(254), 1)
				e.End()
			}
			for range d.others {
				row(make([]byte, 65), 1, 2)
			}
			if d.member != nil {
				row(d.member.Root.PublicKey[:], d.member.FabricID, d.member.NodeID)
			}
			e.End()
		}),
	}
	d.mu.Unlock()
	var reports []im.AttributeReport
	for _, a := range q.Attributes {
		p, ok := a.Concrete()
		if !ok {
			d.t.Errorf("a wildcard")
			continue
		}
		r := im.AttributeReport{Path: p, Data: values[p]}
		if r.Data == nil {
			r.Result = im.Result{Status: im.UnsupportedAttribute}
		}
		reports = append(reports, r)
	}
	all, err := im.EncodeReports(im.ReportOptions{SuppressResponse: true}, reports, nil)
	if err != nil {
		d.t.Error(err)
		return
	}
	x.Send(d.ctx, message.InteractionModel, im.OpReportData, all[0])
}

func (d *device) invoke(x *transport.Exchange, s *session.Secure, payload []byte) {
	q, err := im.ParseInvokeRequest(payload)
	if err != nil || len(q.Commands) != 1 {
		d.t.Errorf("%d commands, %v", len(q.Commands), err)
		return
	}
	c := q.Commands[0]
	d.mu.Lock()
	d.commands = append(d.commands, c.Path)
	if d.deaf[c.Path] {
		d.mu.Unlock()
		return
	}
	answer, result := d.run(s, c)
	if other := d.answers[c.Path]; other != nil {
		answer, result = other()
	}
	silent := d.mute[c.Path] > 0
	if silent {
		d.mute[c.Path]--
	}
	d.mu.Unlock()
	if silent {
		return
	}
	r := im.CommandResponse{Command: answer}
	if answer.Fields == nil {
		r = im.CommandResponse{Command: im.Command{Path: c.Path}, IsStatus: true, Result: result}
	}
	b, err := (&im.InvokeResponse{Responses: []im.CommandResponse{r}}).Encode()
	if err != nil {
		d.t.Error(err)
		return
	}
	x.Send(d.ctx, message.InteractionModel, im.OpInvokeResponse, b)
}

func coded(p im.CommandPath, code uint64) im.Command {
	return im.Command{Path: p, Fields: fields(func(e *tlv.Encoder) {
		e.PutUint(tlv.Context(0), code)
		if p != nocResponse {
			e.PutText(tlv.Context(1), "")
		}
	})}
}

func (d *device) run(s *session.Secure, c im.Command) (answer im.Command, result im.Result) {
	d.expired()
	armed := !d.until.IsZero()
	number := func(tag uint8) (v uint64) {
		each(c.Fields, func(n uint8, t *tlv.Decoder) {
			if n == tag {
				v = t.Uint()
			}
		})
		return v
	}
	octets := func(tag uint8) []byte { return octetsOf(d.t, c.Fields, tag) }
	switch c.Path {
	case armFailSafe:
		if d.busy > 0 {
			d.busy--
			return coded(armFailSafeResponse, busyWithOtherAdmin), result
		}
		d.expiries = append(d.expiries, number(0))
		if number(0) == 0 {
			d.rollBack()
		} else {
			d.arm(time.Duration(number(0)) * time.Second)
		}
		return coded(armFailSafeResponse, 0), result
	case setRegulatoryConfig:
		return coded(setRegulatoryResponse, 0), result
	case csrRequest:
		if !armed {
			return answer, im.Result{Status: im.FailsafeRequired}
		}
		var err error
		if d.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			d.t.Error(err)
		}
		csr, err := cert.NewCSR(d.key)
		if err != nil {
			d.t.Error(err)
		}
		b, err := NOCSR{CSR: csr, Nonce: octets(0)}.Encode()
		if err != nil {
			d.t.Error(err)
		}
		return im.Command{Path: csrResponse, Fields: Signed{b, make([]byte, 64)}.Fields()}, result
	case addTrustedRootCertificate:
		if !armed {
			return answer, im.Result{Status: im.FailsafeRequired}
		}
		d.root = octets(0)
		return answer, result
	case addNOC:
		if !armed {
			return answer, im.Result{Status: im.FailsafeRequired}
		}
		root, err := cert.Parse(d.root)
		if err != nil {
			d.t.Error(err)
			return coded(nocResponse, 3), result
		}
		epoch, err := fabric.NewKey(octets(2))
		if err != nil {
			d.t.Error(err)
		}
		peer, err := cert.VerifyNode(root, octets(0), nil, time.Now())
		if err != nil {
			d.t.Error(err)
			return coded(nocResponse, 3), result
		}
		m, err := fabric.NewMember(fabric.Credentials{Root: root, NOC: octets(0), PrivateKey: d.key, IPK: fabric.OperationalIPK(epoch, fabric.CompressedID(root.PublicKey, peer.FabricID))}, time.Now())
		if err != nil {
			d.t.Error(err)
			return coded(nocResponse, 3), result
		}
		d.member, d.pending = m, true
		return im.Command{Path: nocResponse, Fields: fields(func(e *tlv.Encoder) { e.PutUint(tlv.Context(0), 0); e.PutUint(tlv.Context(1), 2) })}, result
	case commissioningComplete:
		switch {
		case !armed:
			return coded(commissioningDone, noFailSafe), result
		case s.PASE():
			return coded(commissioningDone, invalidAuthentication), result
		}
		d.pending, d.until = false, time.Time{}
		return coded(commissioningDone, 0), result
	case updateFabricLabel:
		each(c.Fields, func(n uint8, t *tlv.Decoder) { d.label = string(t.Text()) })
		return coded(nocResponse, 0), result
	case removeFabric:
		if number(0) != 2 || s.PASE() {
			return coded(nocResponse, nocInvalidFabric), result
		}
		d.member = nil
		return coded(nocResponse, 0), result
	}
	return answer, im.Result{Status: im.UnsupportedCommand}
}

// A bench is a network with us and a device on it.
type bench struct {
	*device
	net       *simnet.Net
	ep        *transport.Endpoint
	authority *fabric.Authority
	steps     []Progress
	kept      []Result
}

func (b *bench) config(t *testing.T) Config {
	t.Helper()
	p, err := setup.NewPasscode(passcode)
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Endpoint: b.ep, Authority: b.authority, NodeID: 0xA1, Passcode: p, Addresses: []netip.AddrPort{deviceAddress}, FabricLabel: "threadmap",
		Tell: func(p Progress) { b.steps = append(b.steps, p) },
		Keep: func(_ context.Context, r Result) error { b.kept = append(b.kept, r); return nil },
	}
}

// onBench runs f in virtual time.
func onBench(t *testing.T, f func(t *testing.T, b *bench)) {
	t.Helper()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC))) // certificates are of some date
		n := &simnet.Net{Fate: func(simnet.Packet) []time.Duration { return []time.Duration{2 * time.Millisecond} }}
		b := &bench{device: newDevice(t, n, deviceAddress), net: n, authority: fuzzAuthority()}
		pc, err := n.ListenPacket(ourAddress)
		if err != nil {
			t.Fatal(err)
		}
		b.ep = transport.New(pc, transport.Options{})
		defer b.ep.Close()
		f(t, b)
	})
}

func (d *device) on() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expired()
	return d.member != nil
}

func (d *device) count(p im.CommandPath) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.commands {
		if c == p {
			n++
		}
	}
	return n
}
