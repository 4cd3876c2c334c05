//go:build linux

package matter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/ipv6"

	"threadmap/diag/matter/im"
	"threadmap/discovery/mdns"
	"threadmap/simulators/matternode"
	sim "threadmap/simulators/mdns"
	"threadmap/simulators/mesh"
)

// A stage is simulated nodes at the near end of the cable, announced there.
type stage struct {
	mu        sync.Mutex
	nodes     []*matternode.Node
	responder *sim.Responder
}

func (s *stage) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []sim.Service
	for _, n := range s.nodes {
		all = append(all, n.Services(matternode.Place{Port: n.Addr().Port(), Addrs: []netip.Addr{netip.MustParseAddr(near6)}})...)
	}
	s.responder.Set(all)
}

// responder answers on the cable by multicast until the test is over.
func responder(t *testing.T) *sim.Responder {
	t.Helper()
	i, err := net.InterfaceByName(cable)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.ListenPacket("udp6", fmt.Sprintf("[::]:%d", mdns.Port))
	if err != nil {
		t.Fatal(err)
	}
	p := ipv6.NewPacketConn(c)
	if err := errors.Join(p.JoinGroup(i, &net.UDPAddr{IP: mdns.Group6.Addr().AsSlice()}), p.SetMulticastInterface(i), p.SetMulticastHopLimit(255)); err != nil {
		t.Fatal(err)
	}
	r := sim.New(c, netip.AddrPortFrom(mdns.Group6.Addr().WithZone(cable), mdns.Port), nil, sim.Behaviour{})
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); r.Serve(ctx) }()
	t.Cleanup(func() { cancel(); <-over })
	return r
}

// simulate starts the nodes of a mesh with one of the quirks each, in turn.
func simulate(t *testing.T, m *mesh.Mesh, quirks ...matternode.Quirks) *stage {
	t.Helper()
	needLab(t)
	s := &stage{responder: responder(t)}
	v := m.View()
	for i := range m.Nodes {
		pc, err := net.ListenPacket("udp6", "[::]:0")
		if err != nil {
			t.Fatal(err)
		}
		n, err := matternode.New(pc, matternode.FromMesh(v, i), matternode.Options{Changed: s.announce, Quirks: quirks[i%len(quirks)]})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close() })
		s.mu.Lock()
		s.nodes = append(s.nodes, n)
		s.mu.Unlock()
	}
	s.announce()
	return s
}

// TestController: matter.js's controller commissions our simulated nodes, reads
// them in sessions new and resumed, and finds what the model says.
func TestController(t *testing.T) {
	m := lab(20)
	stage := simulate(t, m, matternode.Quirks{NodeIDs: true, Chunking: im.FirstThenAppend}, matternode.Quirks{})
	js := start(t, inFar, "controller.mjs", noIPv4)
	var ids []string
	for i, n := range stage.nodes[:12] {
		p := n.Setup()
		var done struct {
			Node string
			MS   float64
		}
		if err := js.try(map[string]any{"do": "commission", "discriminator": p.Discriminator.Value, "passcode": p.Passcode.Number()}, &done); err != nil {
			t.Fatalf("node %d: %v", i, err)
		}
		ids = append(ids, done.Node)
		t.Logf("node %d is commissioned after %.0f ms", i, done.MS)
	}
	v := m.View()
	for round := range 2 {
		var said struct {
			Values map[string]fields
			MS     float64
		}
		js.ask(map[string]any{"do": "read", "nodes": ids, "cluster": 53, "parallel": 4, "network": "unlimited", "values": true}, &said)
		for i, id := range ids {
			compareSimulated(t, v, i, said.Values[id])
		}
		t.Logf("read %d: %.0f ms", round+1, said.MS)
		js.ask(map[string]any{"do": "forget_sessions"}, nil)
	}
	for i, n := range stage.nodes[:len(ids)] {
		if s := n.Stats(); s.Pairings != 1 || s.Handshakes != 2 || s.Resumptions != 1 || s.Refused != 0 || s.Reads < 2 {
			t.Errorf("node %d: %+v", i, s)
		}
	}
}

// compareSimulated compares what a simulated node said with the model, but for
// counters, and for ages, which go on.
func compareSimulated(t *testing.T, v *mesh.View, i int, said fields) {
	t.Helper()
	model := normal(t, threadDiagnostics(v, i)).(fields)
	got := normal(t, said).(fields)
	want := fields{}
	for _, id := range []string{"0", "1", "2", "3", "4", "5", "7", "8", "9", "10", "11", "12", "13", "63", "64"} {
		want[id] = model[id]
	}
	if n := v.Node(i); !n.Mode.FullThreadDevice { // one row, its parent
		delete(want, "8")
		if rows, ok := got["8"].([]any); !ok || len(rows) != 1 {
			t.Errorf("%s: routes %v", n.Name, got["8"])
		}
	}
	const age, linkFrames, mleFrames, routeAge = "1", "3", "4", "7"
	strip := func(values fields, table, by string, columns ...string) {
		rows, _ := values[table].([]any)
		slices.SortFunc(rows, func(a, b any) int { // a node may list them in any order
			key := func(row any) string { return fmt.Sprint(row.(fields)[by]) }
			return strings.Compare(key(a), key(b))
		})
		for _, row := range rows {
			for _, c := range columns {
				delete(row.(fields), c)
			}
		}
	}
	picked := fields{}
	for id := range want {
		picked[id] = got[id]
	}
	for _, values := range []fields{want, picked} {
		strip(values, "7", "0", age, linkFrames, mleFrames)
		strip(values, "8", "2", routeAge)
	}
	if d := cmp.Diff(want, picked); d != "" {
		t.Errorf("%s: what the controller read (+) is not the model (-):\n%s", v.Node(i).Name, d)
	}
}

// TestControllerSubscribes: matter.js's controller is told of a change.
func TestControllerSubscribes(t *testing.T) {
	m := lab(0)
	stage := simulate(t, m, matternode.Quirks{})
	js := start(t, inFar, "controller.mjs", noIPv4)
	n, v := stage.nodes[3], m.View()
	var done struct{ Node string }
	js.ask(map[string]any{"do": "commission", "discriminator": n.Setup().Discriminator.Value, "passcode": n.Setup().Passcode.Number()}, &done)
	var told struct{ First, Values fields }
	js.ask(map[string]any{"do": "subscribe", "node": done.Node, "cluster": 53}, &told)
	compareSimulated(t, v, 3, told.First)
	changed := m.Clone()
	changed.Partitions[0].ID = 4711
	if err := n.SetView(changed.View()); err != nil {
		t.Fatal(err)
	}
	js.ask(map[string]any{"do": "next", "node": done.Node}, &told)
	if got := normal(t, told.Values).(fields); len(got) != 1 || got["9"] != "4711" {
		t.Errorf("after the change: %v", got)
	}
}
