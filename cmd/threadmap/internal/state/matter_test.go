package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/sigma"
)

func TestFabric(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	if a, err := s.Fabric(); a != nil || err != nil {
		t.Fatalf("a new store has %v, %v", a, err)
	}
	// Two programs make one fabric.
	var all sync.WaitGroup
	made := make([]*fabric.Authority, 4)
	for i := range made {
		all.Go(func() {
			var err error
			if made[i], err = s.MakeFabric(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	have, err := s.Fabric()
	if err != nil || have == nil {
		t.Fatal(err)
	}
	for _, a := range made {
		if a.String() != have.String() || !a.Root().Equal(have.Root()) {
			t.Errorf("%v and %v", a, have)
		}
	}
	checkPrivate(t, s.Config)
	id := have.Member().CompressedID()
	if _, err := s.AddNode(ctx, id, MatterNode{Node: 7}); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveSessions(ctx, id, map[uint64]sigma.Record{7: record(t, have, 7)}); err != nil {
		t.Fatal(err)
	}
	checkPrivate(t, s.Config)
	checkPrivate(t, s.Cache)
	for range 2 {
		if err := s.RemoveFabric(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if a, err := s.Fabric(); a != nil || err != nil {
		t.Errorf("after it was removed: %v, %v", a, err)
	}
	if n, err := s.Nodes(id); n != nil || err != nil || len(s.Sessions(id)) != 0 {
		t.Errorf("after it was removed: %v, %v", n, err)
	}
}

func TestFabricDamaged(t *testing.T) {
	other, err := fabric.New(fabric.Config{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := other.File()
	if err != nil {
		t.Fatal(err)
	}
	for what, content := range map[string][]byte{
		"empty": {}, "cut off": whole[:len(whole)/2], "too large": append(bytes.Repeat([]byte(" "), maxFabricFile), whole...),
		"another document": []byte(`{"format":"threadmap-logins","version":1}`), "another key": bytes.Replace(whole, []byte(`"root_key": "`), []byte(`"root_key": "c0ffee`), 1),
	} {
		s := newStore(t)
		if err := mkdir(s.Config); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.FabricFile(), content, 0o600); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			a, err := s.Fabric()
			if i == 1 {
				a, err = s.MakeFabric(context.Background())
			}
			if a != nil || !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), s.FabricFile()) || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "c0ffee") {
				t.Errorf("%s: %v, %v", what, a, err)
			}
		}
		if b, err := os.ReadFile(s.FabricFile()); err != nil || !bytes.Equal(b, content) {
			t.Errorf("%s: it is not as it was, %v", what, err)
		}
	}
}

func TestNodes(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	at := time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)
	a := MatterNode{Node: 0xA1, Name: "Hall <button>", Label: "button", Vendor: "Acme", Product: "One", Added: at}
	b := MatterNode{Node: 0xFFFFFFEFFFFFFFFF, Pending: true, Added: at}
	renewed := a
	renewed.Name = "Hall"
	for _, n := range []MatterNode{a, b, renewed} {
		if aside, err := s.AddNode(ctx, 9, n); aside != "" || err != nil {
			t.Fatal(aside, err)
		}
	}
	if got, err := s.Nodes(9); err != nil || !reflect.DeepEqual(got, []MatterNode{renewed, b}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, n := range []MatterNode{{}, {Node: 1, Name: strings.Repeat("x", maxNodeText+1)}, {Node: 1, Label: "\xff"}} {
		if _, err := s.AddNode(ctx, 9, n); err == nil {
			t.Errorf("%+v is kept", n)
		}
	}
	if _, err := s.Nodes(8); !errors.Is(err, ErrDamaged) {
		t.Errorf("nodes of another fabric: %v", err)
	}
	for i, want := range []bool{true, false} {
		if removed, err := s.RemoveNode(ctx, 9, a.Node); err != nil || removed != want {
			t.Errorf("time %d: %v, %v", i+1, removed, err)
		}
	}
	if got, err := s.Nodes(9); err != nil || len(got) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNodesDamaged(t *testing.T) {
	doc := func(nodes string) string {
		return `{"format":"threadmap-matter-nodes","version":1,"fabric":"0000000000000009","nodes":[` + nodes + `]}`
	}
	one := `{"node":"00000000000000a1","name":"x"}`
	for what, content := range map[string]string{
		"cut off": doc(one)[:80], "no node id": doc(`{"name":"x"}`), "node 0": doc(`{"node":"0000000000000000"}`), "short id": doc(`{"node":"a1"}`), "a number": doc(`{"node":161}`),
		"no hexadecimal": doc(`{"node":"-0000000000000a1"}`), "too many": doc(strings.Repeat(one+",", maxNodes) + one),
	} {
		s, ctx := newStore(t), context.Background()
		if err := mkdir(s.Config); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.NodesFile(), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Nodes(9); !errors.Is(err, ErrDamaged) || got != nil {
			t.Errorf("%s: %v, %v", what, got, err)
		}
		if _, err := s.RemoveNode(ctx, 9, 1); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
		aside, err := s.AddNode(ctx, 9, MatterNode{Node: 1})
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if b, err := os.ReadFile(aside); err != nil || string(b) != content {
			t.Errorf("%s is lost: %v", what, err)
		}
	}
}

// record makes a session with a node of a fabric, and gives what resumes it.
func record(t *testing.T, a *fabric.Authority, node uint64) sigma.Record {
	t.Helper()
	m, err := a.NewNode(node)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	i, err := sigma.NewInitiator(sigma.InitiatorConfig{Member: a.Member(), PeerNodeID: node, SessionID: 1, Parameters: message.SessionParameters{}, Time: now})
	if err != nil {
		t.Fatal(err)
	}
	r, err := sigma.NewResponder(sigma.ResponderConfig{SessionID: 2, Time: now, Identities: []sigma.Identity{{Member: m}}})
	if err != nil {
		t.Fatal(err)
	}
	here := []sigma.Message{i.Start()}
	for turn := 0; len(here) > 0 && turn < 10; turn++ {
		var there []sigma.Message
		for _, m := range here {
			receive := r.Receive
			if turn%2 == 1 {
				receive = i.Receive
			}
			out, err := receive(m.Opcode, m.Payload)
			if err != nil {
				t.Fatal(err)
			}
			there = append(there, out...)
		}
		here = there
	}
	e, ok := i.Done()
	if !ok {
		t.Fatal("no session")
	}
	return e.Record
}

func TestSessions(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	a, err := fabric.New(fabric.Config{})
	if err != nil {
		t.Fatal(err)
	}
	id := a.Member().CompressedID()
	one, two, newer := record(t, a, 1), record(t, a, 2), record(t, a, 1)
	for _, news := range []map[uint64]sigma.Record{{1: one}, {2: two, 3: {}}, {1: newer}, {}} {
		if err := s.SaveSessions(ctx, id, news); err != nil {
			t.Fatal(err)
		}
	}
	got := s.Sessions(id)
	if len(got) != 2 || !got[1].Equal(newer) || !got[2].Equal(two) {
		t.Errorf("%v", got)
	}
	if err := s.SaveSessions(ctx, id, map[uint64]sigma.Record{2: {}}); err != nil || len(s.Sessions(id)) != 1 {
		t.Errorf("%v, %v", s.Sessions(id), err)
	}
	if other := s.Sessions(id + 1); len(other) != 0 {
		t.Errorf("another fabric has %v", other)
	}
	checkPrivate(t, s.Cache)
	// What is damaged is forgotten, and not in the way.
	whole, err := os.ReadFile(s.SessionsFile())
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if err := os.WriteFile(s.SessionsFile(), whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if got := s.Sessions(id); n < len(whole)-1 && len(got) != 0 {
			t.Fatalf("the first %d octets hold %v", n, got)
		}
	}
	if err := os.WriteFile(s.SessionsFile(), bytes.Replace(whole, fmt.Appendf(nil, `"node": "%016x"`, 1), fmt.Appendf(nil, `"node": "%016x"`, 5), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := s.Sessions(id); len(got) != 0 {
		t.Errorf("a record of another node is taken: %v", got)
	}
	if err := s.SaveSessions(ctx, id, map[uint64]sigma.Record{1: one}); err != nil || len(s.Sessions(id)) != 1 {
		t.Error(err)
	}
}
