package tmf

import (
	"cmp"
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/coap"
	"threadmap/diag/tmf/dtls"
	"threadmap/diag/tmf/meshcop"
	"threadmap/diag/tmf/netdiag"
	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
)

// office is 32 routers and 250 children.
func office() *mesh.Mesh { return mesh.Office(1, 282).Networks[0] }

// A debt is an answer that a node owes: from the question's leaving the border
// agent to the answer's last message coming back there.
type debt struct {
	node     diag.ExtAddr
	from, to time.Time // to is when the node sent it; zero: it never did
}

// A watch listens on the mesh to tell how long a scan had to wait for nodes. It
// is the Lose of a border agent's Options, and loses nothing.
type watch struct {
	mids    map[[2]uint64]*debt // d/dg and d/dq under way, by node and message id
	queries map[[2]uint64]*debt // by node and Query ID
	all     []*debt
	way     map[diag.ExtAddr]time.Duration // to each node, the shortest seen
}

func newWatch() *watch {
	return &watch{mids: map[[2]uint64]*debt{}, queries: map[[2]uint64]*debt{}, way: map[diag.ExtAddr]time.Duration{}}
}

func (w *watch) see(d borderagent.Datagram) bool {
	now, node := time.Now(), uint64(d.Node)
	m, err := coap.Parse(slices.Clone(d.Payload))
	if err != nil {
		return false
	}
	tlvs, _ := netdiag.SplitTLVs(m.Payload)
	id, query := netdiag.Find(tlvs, netdiag.TypeQueryID)
	key := [2]uint64{node}
	if query {
		key[1] = uint64(id[0])<<8 | uint64(id[1])
	}
	switch {
	case !d.Up && m.Code.IsRequest():
		x := &debt{node: d.Node, from: now}
		w.all = append(w.all, x)
		w.mids[[2]uint64{node, uint64(m.MID)}] = x
		if query {
			w.queries[key] = x
		}
	case d.Up && m.Code.IsResponse():
		if x := w.mids[[2]uint64{node, uint64(m.MID)}]; x != nil {
			x.to = now
			way := now.Sub(x.from)
			if old, ok := w.way[d.Node]; ok {
				way = min(way, old)
			}
			w.way[d.Node] = way
		}
	case d.Up && query:
		if x := w.queries[key]; x != nil {
			x.to = now
		}
	}
	return false
}

// answerTime is for how long at least one answer was owed.
func (w *watch) answerTime() (sum time.Duration) {
	slices.SortStableFunc(w.all, func(a, b *debt) int { return cmp.Or(a.from.Compare(b.from), cmp.Compare(a.node, b.node)) })
	var until time.Time
	for _, x := range w.all {
		if x.to.IsZero() {
			continue
		}
		from, to := x.from, x.to.Add(w.way[x.node])
		if from.Before(until) {
			from = until
		}
		if to.After(from) {
			sum += to.Sub(from)
			until = to
		}
	}
	return sum
}

// An inTurn asks each node of a mesh, one after the other, in one query, for
// what a scan learns of it: the way that needs no thought.
type inTurn struct {
	s     *meshcop.Session
	nodes []uint16
	query uint16
	got   netdiag.Assembly
	told  int // answers
	rest  bool
}

func (b *inTurn) next(now time.Time) {
	if b.query++; len(b.nodes) == 0 {
		b.rest = true
		b.s.Resign(now, false)
		return
	}
	types := ofChild
	if diag.MakeRLOC16(b.nodes[0]).IsRouter() {
		types = slices.Concat(identity, []uint8{netdiag.TypeEnhancedRoute, netdiag.TypeMLECounters, netdiag.TypeChild, netdiag.TypeChildIPv6Addresses, netdiag.TypeRouterNeighbor})
	}
	b.got = netdiag.Assembly{}
	b.s.Ask(now, meshcop.Locator(b.s.MeshLocal(), b.nodes[0]), meshcop.PathDiagQuery, netdiag.AppendQueryID(netdiag.AppendTypeList(nil, types...), b.query))
}

func (b *inTurn) event(now time.Time, e meshcop.Event) {
	switch {
	case e.Kind == meshcop.Activated:
		b.next(now)
	case e.Kind == meshcop.Node && e.CoAP.Kind == coap.Requested:
		b.s.Reply(now, e.CoAP.From, e.CoAP.Message)
		tlvs, _ := netdiag.SplitTLVs(e.CoAP.Message.Payload)
		id, _ := netdiag.Find(tlvs, netdiag.TypeQueryID)
		if q, err := netdiag.ParseQueryID(id); err != nil || q != b.query || b.rest {
			return
		}
		b.got.Add(tlvs)
		if b.got.Complete() {
			b.told++
			b.nodes = b.nodes[1:]
			b.next(now)
		}
	case e.Kind == meshcop.Node && e.CoAP.Kind == coap.TimedOut && !b.rest:
		b.next(now)
	}
}

// run asks everybody. It returns how many answered.
func (b *inTurn) run(t testing.TB, raw net.Conn, key pskc.Secret, m *mesh.Mesh) int {
	t.Helper()
	c, err := dtls.Client(context.Background(), raw, key, dtls.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range m.Nodes {
		b.nodes = append(b.nodes, m.Nodes[i].RLOC16())
	}
	b.s = meshcop.NewSession(time.Now(), meshcop.Config{})
	end := time.Now().Add(5 * time.Minute)
	buf := make([]byte, maxRecord)
	for {
		for again := true; again; {
			events := b.s.Events()
			for _, e := range events {
				if e.Kind == meshcop.Ended {
					return b.told
				}
				b.event(time.Now(), e)
			}
			out := b.s.Datagrams()
			for _, o := range out {
				c.Write(o)
			}
			again = len(events)+len(out) > 0
		}
		if time.Now().After(end) {
			t.Fatalf("%d answers in five minutes", b.told)
		}
		c.SetReadDeadline(b.s.Next())
		n, err := c.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			b.s.Tick(time.Now())
		case err != nil:
			t.Fatal(err)
		default:
			b.s.Receive(time.Now(), slices.Clone(buf[:n]))
		}
	}
}

// A large mesh: complete, within the number of questions that the design
// allows, hardly longer than nodes take to answer, and with a fraction of what
// asking each device in turn puts on the air.
func TestLargeMesh(t *testing.T) {
	var ours, theirs borderagent.Stats
	synctest.Test(t, func(t *testing.T) {
		m, w := office(), newWatch()
		s := stage(t, m, borderagent.Options{HopDelay: 10 * time.Millisecond, Lose: w.see})
		start := time.Now()
		reports, problems := s.scan(t.Context())
		took := time.Since(start)
		check(t, m, reports, problems, true)
		routers := 0
		for i := range m.Nodes {
			if m.Nodes[i].IsRouter() {
				routers++
			}
		}
		q := s.record.Questions
		if q.Multicast != 1 || q.Unicast > 3*routers+1 {
			t.Errorf("%d multicasts, %d questions to %d routers", q.Multicast, q.Unicast, routers)
		}
		answer := w.answerTime()
		if answer == 0 || took > answer*11/10 {
			t.Errorf("took %v, nodes owed answers for %v", took, answer)
		}
		ours = s.agent.Stats()
		t.Logf("%v, of which %v for answers; %d reports, %+v, %+v", took, answer, len(reports), s.record.Traffic, q)
		t.Logf("on the air: %d transmissions, %d octets", ours.OnAir, ours.OnAirOctets)
	})
	synctest.Test(t, func(t *testing.T) {
		m := office()
		s := stage(t, m, borderagent.Options{HopDelay: 10 * time.Millisecond})
		raw, err := s.source.Dial(t.Context(), "udp", agentAddr.String())
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if told := new(inTurn).run(t, raw, key(t, m.PSKc[:]), m); told != len(m.Nodes) {
			t.Errorf("%d of %d nodes answered", told, len(m.Nodes))
		}
		theirs = s.agent.Stats()
		t.Logf("each device in turn: %v, %d messages, %d octets; on the air: %d transmissions, %d octets", time.Since(start), theirs.ToMesh+theirs.FromMesh, theirs.ToMeshOctets+theirs.FromMeshOctets, theirs.OnAir, theirs.OnAirOctets)
	})
	if 10*ours.OnAir > 4*theirs.OnAir || 10*ours.OnAirOctets > 6*theirs.OnAirOctets {
		t.Errorf("on the air %d of %d transmissions, %d of %d octets", ours.OnAir, theirs.OnAir, ours.OnAirOctets, theirs.OnAirOctets)
	}
}
