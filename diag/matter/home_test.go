package matter

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
	"threadmap/discovery"
	"threadmap/simulators/simnet"
	"threadmap/tlv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A home is a network with nodes and threadmap in it.
type home struct {
	t       testing.TB
	net     *simnet.Net
	source  Source
	nodes   map[uint64]*device
	records map[uint64]sigma.Record
	outcome map[uint64]Record

	mu                sync.Mutex
	handshakes, reads int // at once, now
	mostHandshakes    int
	mostReads         int
	readsBegan        []time.Time
}

// A device is a Matter node, made of the other side of the same pieces.
type device struct {
	home     *home
	node     uint64
	at       netip.AddrPort
	values   map[im.Path][]byte
	chunking im.Chunking
	endpoint *transport.Endpoint
	answer   session.Responder
	records  map[[16]byte]sigma.Record

	// How it misbehaves.
	refuse   im.Status                        // every read of more than two paths
	stopAt   int                              // ends a read before the message with this number
	dead     func(handshakes, reads int) bool // says nothing
	requests []im.ReadRequest
	begun    int // handshakes
	sessions []*session.Secure
}

func newHome(t testing.TB) *home {
	h := &home{t: t, net: &simnet.Net{}, nodes: map[uint64]*device{}, records: map[uint64]sigma.Record{}, outcome: map[uint64]Record{}}
	h.source = Source{
		Member: authority.Member(),
		ListenPacket: func(context.Context) (net.PacketConn, error) {
			return h.net.ListenPacket(netip.MustParseAddrPort("[fd77::1]:0"))
		},
		Records: Records{
			Load: func(node uint64) (sigma.Record, bool) { r, ok := h.records[node]; return r, ok },
			Save: func(node uint64, r sigma.Record) { h.records[node] = r },
		},
		Now:  func() time.Time { return zero },
		Done: func(r Record) { h.outcome[r.Node] = r },
	}
	return h
}

// delayed makes every packet take some time.
func (h *home) delayed(d time.Duration) {
	h.net.Fate = func(simnet.Packet) []time.Duration { return []time.Duration{d} }
}

// add puts a node into the home. at is its address.
func (h *home) add(node uint64, at string, values map[im.Path][]byte) *device {
	h.t.Helper()
	pc, err := h.net.ListenPacket(netip.AddrPortFrom(netip.MustParseAddr(at), 5540))
	if err != nil {
		h.t.Fatal(err)
	}
	return h.addOn(node, pc, values)
}

// addOn is add for any socket.
func (h *home) addOn(node uint64, pc net.PacketConn, values map[im.Path][]byte) *device {
	h.t.Helper()
	member, err := authority.NewNode(node)
	if err != nil {
		h.t.Fatal(err)
	}
	d := &device{home: h, node: node, at: pc.LocalAddr().(*net.UDPAddr).AddrPort(), values: values, records: map[[16]byte]sigma.Record{}}
	d.answer = session.Responder{
		Identities: func() []sigma.Identity { return []sigma.Identity{{Member: member}} },
		Record: func(id [16]byte) (sigma.Record, bool) {
			h.mu.Lock()
			defer h.mu.Unlock()
			r, ok := d.records[id]
			return r, ok
		},
		Now: func() time.Time { return zero },
	}
	d.endpoint = transport.New(pc, transport.Options{Accept: d.accept})
	h.nodes[node] = d
	return d
}

func (h *home) close() {
	for _, d := range h.nodes {
		d.endpoint.Close()
	}
}

func (d *device) accept(x *transport.Exchange) {
	ctx := context.Background()
	first, err := x.Receive(ctx)
	if err != nil {
		return
	}
	h := d.home
	if !x.Session().IsSecure() {
		h.mu.Lock()
		d.begun++
		silent := d.dead != nil && d.dead(d.begun, len(d.requests))
		h.handshakes++
		h.mostHandshakes = max(h.mostHandshakes, h.handshakes)
		h.mu.Unlock()
		var s *session.Secure
		if !silent {
			s, _ = d.answer.Answer(ctx, x, first) // an error is the asker's to tell
		}
		h.mu.Lock()
		h.handshakes--
		if s != nil {
			d.records[s.Record.ID()] = s.Record
			d.sessions = append(d.sessions, s)
		}
		h.mu.Unlock()
		return
	}
	if first.Opcode == im.OpStatusResponse {
		return // to a report that nobody remembers, where datagrams are lost
	}
	if first.Opcode != im.OpReadRequest {
		h.t.Errorf("opcode 0x%02x", first.Opcode)
		return
	}
	req, err := im.ParseReadRequest(first.Payload)
	if err != nil || len(req.Attributes) > im.MaxReadPaths {
		h.t.Errorf("%+v, %v", req, err)
		return
	}
	h.mu.Lock()
	d.requests = append(d.requests, req)
	silent := d.dead != nil && d.dead(d.begun, len(d.requests))
	h.readsBegan = append(h.readsBegan, time.Now())
	h.reads++
	h.mostReads = max(h.mostReads, h.reads)
	h.mu.Unlock()
	if !silent {
		d.report(ctx, x, req)
	}
	h.mu.Lock()
	h.reads--
	h.mu.Unlock()
}

// report answers a read.
func (d *device) report(ctx context.Context, x *transport.Exchange, req im.ReadRequest) {
	if d.refuse != im.Success && len(req.Attributes) > 2 {
		x.Send(ctx, message.InteractionModel, im.OpStatusResponse, im.EncodeStatusResponse(d.refuse))
		return
	}
	messages, err := im.EncodeReports(im.ReportOptions{SuppressResponse: true, Chunking: d.chunking}, d.reports(req), nil)
	if err != nil {
		d.home.t.Error(err)
		return
	}
	for i, payload := range messages {
		if i > 0 {
			m, err := x.Receive(ctx)
			if err != nil || m.Opcode != im.OpStatusResponse {
				return
			}
		}
		if d.stopAt > 0 && i == d.stopAt {
			x.Abort()
			x.Session().Close(ctx)
			return
		}
		if x.Send(ctx, message.InteractionModel, im.OpReportData, payload) != nil {
			return
		}
	}
}

func (d *device) reports(req im.ReadRequest) (out []im.AttributeReport) {
	paths := slices.SortedFunc(maps.Keys(d.values), func(a, b im.Path) int { return strings.Compare(a.String(), b.String()) })
	for _, want := range req.Attributes {
		p, concrete := want.Concrete()
		if v, ok := d.values[p]; concrete && !ok {
			out = append(out, im.AttributeReport{Path: p, Result: im.Result{Status: im.UnsupportedAttribute}})
		} else if concrete {
			out = append(out, im.AttributeReport{Path: p, Data: v})
			continue
		}
		for _, p := range paths {
			if !concrete && want.Matches(p) && !(want.Flags&im.SkipGlobalAttributes != 0 && im.Listing(p.Attribute)) {
				out = append(out, im.AttributeReport{Path: p, Data: d.values[p]})
			}
		}
	}
	return out
}

// service is how the node is announced.
func (d *device) service(keys ...string) discovery.Service {
	return announced(d.home.t, d.node, fmt.Sprintf("%016X", 0xaabb000000000000|d.node), txt(keys...), d.at.Addr().String())
}

// scan asks everybody, and gives what came of it and how long it took.
func (h *home) scan(ctx context.Context, services ...discovery.Service) (map[uint64]diag.Report, []diag.Problem, time.Duration) {
	h.t.Helper()
	begun := time.Now()
	reports, problems := diag.Collect(ctx, diag.Plan([]diag.Source{h.source}, known(services...)), nil)
	took := time.Since(begun)
	out := map[uint64]diag.Report{}
	for _, r := range reports { // of several the last, which says most
		if r.Source != Name || len(r.Matter) == 0 || r.Matter[0].Fabric != authority.Member().CompressedID() || r.Via != authority.Member().InstanceName(r.Matter[0].Node) ||
			!r.At.Equal(zero) || r.Session != "" {
			h.t.Errorf("%+v", r)
			continue
		}
		out[r.Matter[0].Node] = r
	}
	return out, problems, took
}

// captured are the attributes of a real read.
func captured(t testing.TB, node string) map[im.Path][]byte {
	t.Helper()
	b, err := os.ReadFile("testdata/read.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[im.Path][]byte{}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if f[0] != node {
			continue
		}
		var p im.Path
		if _, err := fmt.Sscanf(f[1], "%d/%d/%d", &p.Endpoint, &p.Cluster, &p.Attribute); err != nil {
			t.Fatal(err)
		}
		if out[p], err = hex.DecodeString(f[2]); err != nil {
			t.Fatal(err)
		}
	}
	if len(out) < 30 {
		t.Fatalf("%d attributes", len(out))
	}
	return out
}

func element(t testing.TB, put func(*tlv.Encoder)) []byte {
	t.Helper()
	var e tlv.Encoder
	put(&e)
	b, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func number(t testing.TB, v uint64) []byte {
	return element(t, func(e *tlv.Encoder) { e.PutUint(tlv.Anonymous, v) })
}

func text(t testing.TB, v string) []byte {
	return element(t, func(e *tlv.Encoder) { e.PutText(tlv.Anonymous, v) })
}

// threadNode are the attributes of a Thread device with an extended address.
func threadNode(t testing.TB, mesh map[im.Path][]byte, ext uint64) map[im.Path][]byte {
	out := maps.Clone(mesh)
	interfaces := element(t, func(e *tlv.Encoder) {
		e.Array(tlv.Anonymous)
		e.Struct(tlv.Anonymous)
		e.PutText(tlv.Context(0), "wpan0")
		e.PutBool(tlv.Context(1), true)
		e.PutOctets(tlv.Context(4), binary.BigEndian.AppendUint64(nil, ext))
		e.Array(tlv.Context(6))
		rloc := netip.MustParseAddr("fd0d:b8a5:c3e7::ff:fe00:8800").As16()
		e.PutOctets(tlv.Anonymous, rloc[:])
		e.End()
		e.PutUint(tlv.Context(7), 4)
		e.End()
		e.End()
	})
	maps.Copy(out, map[im.Path][]byte{
		{Cluster: cluster.GeneralDiagnostics, Attribute: 0}:              interfaces,
		{Cluster: cluster.GeneralDiagnostics, Attribute: 1}:              number(t, 3),
		{Cluster: cluster.GeneralDiagnostics, Attribute: 2}:              number(t, 4711),
		{Cluster: cluster.GeneralDiagnostics, Attribute: 4}:              number(t, 1),
		{Cluster: cluster.GeneralDiagnostics, Attribute: 0xFFFD}:         number(t, 2),
		{Cluster: cluster.NetworkCommissioning, Attribute: 0xFFFC}:       number(t, 2),
		{Cluster: cluster.BasicInformation, Attribute: 1}:                text(t, "Acme"),
		{Cluster: cluster.BasicInformation, Attribute: 3}:                text(t, "Plug"),
		{Cluster: cluster.BasicInformation, Attribute: 5}:                text(t, "Desk plug"),
		{Cluster: cluster.BasicInformation, Attribute: 10}:               text(t, "1.2.3"),
		{Cluster: cluster.BasicInformation, Attribute: 15}:               text(t, "serial number"),
		{Endpoint: 2, Cluster: cluster.PowerSource, Attribute: 12}:       number(t, 150),
		{Cluster: cluster.ThreadNetworkDiagnostics, Attribute: 0x003F}:   number(t, ext),
		{Cluster: cluster.OperationalCredentials, Attribute: 1}:          text(t, "not asked for"),
		{Endpoint: 2, Cluster: cluster.BasicInformation, Attribute: 5}:   text(t, "not asked for"),
		{Endpoint: 2, Cluster: cluster.GeneralDiagnostics, Attribute: 2}: number(t, 1),
	})
	return out
}
