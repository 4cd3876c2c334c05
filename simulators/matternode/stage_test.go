package matternode

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
	"threadmap/tlv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	nodeAddr = netip.MustParseAddrPort("[fd00::1]:5540")
	ourAddr  = netip.MustParseAddrPort("[fd00::c]:40000")
)

// A stage has a network, our fabric, and a controller on it.
type stage struct {
	t    testing.TB
	net  *simnet.Net
	ca   *fabric.Authority
	ep   *transport.Endpoint
	subs client.Subscriptions
	// checkIns are the payloads of those that came.
	checkIns chan []byte

	// What is below is used by tests in which nodes come to us.
	responder session.Responder
	mu        sync.Mutex
	came      []*session.Secure // sessions that nodes opened, in their order
	records   map[[16]byte]sigma.Record
	refuses   bool        // we are nobody that nodes know
	absent    bool        // nobody tells where we are
	asked     []time.Time // when it was asked where we are
}

func newStage(t testing.TB) *stage {
	t.Helper()
	ca, err := fabric.New(fabric.Config{})
	if err != nil {
		t.Fatal(err)
	}
	g := &stage{t: t, net: &simnet.Net{Buffer: 1 << 22}, ca: ca, checkIns: make(chan []byte, 10), records: map[[16]byte]sigma.Record{}}
	g.responder = session.Responder{
		Identities: func() []sigma.Identity {
			g.mu.Lock()
			defer g.mu.Unlock()
			if g.refuses {
				return nil
			}
			return []sigma.Identity{{Member: ca.Member()}}
		},
		Record: g.record,
		Now:    func() time.Time { return firmwareDate },
	}
	g.ep = g.controller(ourAddr)
	return g
}

// controller is an endpoint that takes reports.
func (g *stage) controller(at netip.AddrPort) *transport.Endpoint {
	pc, err := g.net.ListenPacket(at)
	if err != nil {
		g.t.Fatal(err)
	}
	return g.listening(pc)
}

// listening is controller on a socket.
func (g *stage) listening(pc net.PacketConn) *transport.Endpoint {
	ctx := g.t.Context()
	ep := transport.New(pc, transport.Options{Accept: func(x *transport.Exchange) {
		m, err := x.Receive(ctx)
		if err != nil {
			return
		}
		if !x.Session().IsSecure() {
			if m.Opcode == message.CheckIn {
				g.checkIns <- m.Payload
				return
			}
			s, err := g.responder.Answer(ctx, x, m)
			if err != nil {
				if ctx.Err() == nil {
					g.t.Logf("a handshake: %v", err)
				}
				return
			}
			g.mu.Lock()
			defer g.mu.Unlock()
			g.came = append(g.came, s)
			g.records[s.Record.ID()] = s.Record
			return
		}
		if err := g.subs.Handle(ctx, x, m); err != nil && ctx.Err() == nil {
			g.t.Logf("a report: %v", err)
		}
	}})
	g.t.Cleanup(func() { ep.Close() })
	return ep
}

// record finds one of ours.
func (g *stage) record(id [16]byte) (sigma.Record, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.records[id]
	return r, ok && !g.refuses
}

// resolve is where nodes find us.
func (g *stage) resolve(ctx context.Context, compressedFabric, node uint64) ([]netip.AddrPort, error) {
	g.mu.Lock()
	g.asked = append(g.asked, time.Now())
	absent := g.absent
	g.mu.Unlock()
	us := g.ca.Member()
	if absent || compressedFabric != us.CompressedID() || node != us.NodeID {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return []netip.AddrPort{ourAddr}, nil
}

func (g *stage) leaves(absent bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.absent = absent
}

// lookups is when somebody asked for us since the last call.
func (g *stage) lookups() []time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := g.asked
	g.asked = nil
	return out
}

// sessions is what nodes opened since the last call.
func (g *stage) sessions() []*session.Secure {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := g.came
	g.came = nil
	return out
}

// keeps is a session of ours of which we keep the record.
func (g *stage) keeps(s *session.Secure) *session.Secure {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.records[s.Record.ID()] = s.Record
	return s
}

// node starts one.
func (g *stage) node(at netip.AddrPort, d Device, o Options) *Node {
	g.t.Helper()
	pc, err := g.net.ListenPacket(at)
	if err != nil {
		g.t.Fatal(err)
	}
	n, err := New(pc, d, o)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() {
		if err := n.Close(); err != nil {
			g.t.Error(err)
		}
	})
	return n
}

const nodeID = 0x1122334455667788

// member is a node of our fabric with us as its administrator.
func (g *stage) member(id uint64) Fabric {
	g.t.Helper()
	m, err := g.ca.NewNode(id)
	if err != nil {
		g.t.Fatal(err)
	}
	return Fabric{Member: m, Admins: []uint64{g.ca.Member().NodeID}, VendorID: fabric.VendorID, Label: "threadmap"}
}

// ours starts a node that is on our fabric.
func (g *stage) ours(d Device, o Options) *Node {
	g.t.Helper()
	o.Fabrics = append([]Fabric{g.member(nodeID)}, o.Fabrics...)
	return g.node(nodeAddr, d, o)
}

// cased is a session with a node of our fabric.
func (g *stage) cased(c session.CASEConfig) (*session.Secure, error) {
	if c.Member == nil {
		c.Member = g.ca.Member()
	}
	if c.Node == 0 {
		c.Node = nodeID
	}
	if c.Addresses == nil {
		c.Addresses = []netip.AddrPort{nodeAddr}
	}
	if c.Time.IsZero() {
		c.Time = firmwareDate
	}
	ctx, cancel := context.WithTimeout(g.t.Context(), 10*time.Minute)
	defer cancel()
	return session.CASE(ctx, g.ep, c)
}

func (g *stage) mustCASE() *session.Secure {
	g.t.Helper()
	s, err := g.cased(session.CASEConfig{})
	if err != nil {
		g.t.Fatal(err)
	}
	return s
}

func (g *stage) resume(r sigma.Record) *session.Secure {
	g.t.Helper()
	s, err := g.cased(session.CASEConfig{Record: &r})
	if err != nil {
		g.t.Fatal(err)
	}
	return s
}

func (g *stage) read(s *session.Secure, paths ...im.AttributePath) *client.Report {
	g.t.Helper()
	r, err := g.tryRead(s, im.ReadRequest{Attributes: paths})
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

func (g *stage) tryRead(s *session.Secure, req im.ReadRequest) (*client.Report, error) {
	ctx, cancel := context.WithTimeout(g.t.Context(), 10*time.Minute)
	defer cancel()
	return client.Read(ctx, s, req)
}

// status reads one attribute that can't be read.
func (g *stage) status(s *session.Secure, p im.Path) im.Status {
	g.t.Helper()
	v, ok := g.read(s, im.One(p.Endpoint, p.Cluster, p.Attribute)).Attributes.Value(p)
	if !ok {
		g.t.Fatalf("nothing was said of %v", p)
	}
	return v.Result.Status
}

// value is one attribute.
func (g *stage) value(s *session.Secure, p im.Path) cluster.Value {
	g.t.Helper()
	v, ok := g.read(s, im.One(p.Endpoint, p.Cluster, p.Attribute)).Attributes.Value(p)
	if !ok || v.Data == nil {
		g.t.Fatalf("%v: %+v", p, v)
	}
	out, err := cluster.FromTLV(cluster.Path(p), v.Data)
	if err != nil {
		g.t.Fatal(err)
	}
	return out
}

func (g *stage) number(s *session.Secure, p im.Path) uint64 {
	g.t.Helper()
	v, ok := g.value(s, p).Uint()
	if !ok {
		g.t.Fatalf("%v is no number", p)
	}
	return v
}

func (g *stage) text(s *session.Secure, p im.Path) string {
	g.t.Helper()
	v, ok := g.value(s, p).Text()
	if !ok {
		g.t.Fatalf("%v is no text", p)
	}
	return v
}

// fields makes the fields of a command.
func fields(put func(e *tlv.Encoder)) []byte {
	var e tlv.Encoder
	entry(&e, func() { put(&e) })
	b, err := e.Bytes()
	if err != nil {
		panic(err)
	}
	return b
}

func (g *stage) invoke(s *session.Secure, clusterID, id uint32, b []byte) (im.CommandResponse, error) {
	ctx, cancel := context.WithTimeout(g.t.Context(), 10*time.Minute)
	defer cancel()
	return client.Invoke(ctx, s, im.CommandPath{Endpoint: 0, Cluster: clusterID, Command: id}, b)
}

// answered is an answer's fields by tag.
func (g *stage) answered(s *session.Secure, clusterID, id uint32, b []byte) cluster.Value {
	g.t.Helper()
	r, err := g.invoke(s, clusterID, id, b)
	if err != nil {
		g.t.Fatal(err)
	}
	v, err := cluster.FromTLV(cluster.Path{}, r.Fields)
	if err != nil {
		g.t.Fatal(err)
	}
	return v
}

// code is the first field of an answer: what became of the command.
func (g *stage) code(s *session.Secure, clusterID, id uint32, b []byte) uint64 {
	g.t.Helper()
	v, ok := g.answered(s, clusterID, id, b).Field(0).Uint()
	if !ok {
		g.t.Fatal("no code")
	}
	return v
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }

// passUntil lets virtual time pass until the next multiple of a period since the
// start of the test (which is midnight) and some more.
func passUntil(period, more time.Duration) {
	pass(period - time.Duration(time.Now().UnixNano()%int64(period)) + more)
}

// aPlug and aSensor are devices of the home: a router and a sleepy child.
func aPlug() Device   { return deviceOf("Desk plug") }
func aSensor() Device { return deviceOf("Window sensor") }

func deviceOf(name string) Device {
	m := mesh.HomeOf50(1).Networks[0]
	return FromMesh(m.View(), m.FindName(name))
}
