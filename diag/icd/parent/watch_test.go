package parent

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag"
	"threadmap/diag/icd"
	"threadmap/diag/tmf"
	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const x = diag.ExtAddr(0x1122334455667788)

// A fake mesh answers as routers do: those that are there, with their children.
type fake struct {
	mu     sync.Mutex
	at     time.Time // begin
	tables map[uint8][]diag.ExtAddr
	fails  bool
	asked  []string
}

func (f *fake) ask(_ context.Context, routers []diag.RLOC16) (out []diag.Report, problems []diag.Problem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, fmt.Sprintf("%v %v", time.Since(f.at), routers))
	if f.fails {
		return nil, []diag.Problem{{Text: "the key is wrong", Hint: "threadmap login thread"}}
	}
	if len(routers) == 0 {
		routers = []diag.RLOC16{diag.RouterRLOC16(1)}
	}
	for _, r := range routers {
		id, _ := r.RouterID()
		list, there := f.tables[id]
		if !there {
			problems = append(problems, diag.Problem{Text: "router " + r.String() + " did not answer"})
			continue
		}
		w := diag.Report{Source: "thread", Session: fmt.Sprint(len(f.asked)), At: time.Now(), RLOC16: r, Children: []diag.Neighbor{}}
		for k, c := range list {
			w.Children = append(w.Children, diag.Neighbor{ExtAddr: c, RLOC16: r.Child(uint16(k + 1)), Age: diag.Some(time.Second)})
		}
		for o := range f.tables {
			w.Routes = append(w.Routes, diag.Route{RouterID: o, PathCost: diag.Some(uint8(1))})
		}
		w.Routes = append(w.Routes, diag.Route{RouterID: 60, PathCost: diag.Some(uint8(0))}) // held for one that is gone
		out = append(out, w)
	}
	return out, problems
}

func (f *fake) heard() []string {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.asked
	f.asked = nil
	return out
}

func (f *fake) set(id uint8, children ...diag.ExtAddr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tables[id] = children
}

func watch(t *testing.T, f *fake, c Config) (r *icd.Recorder, over chan error, stop func()) {
	t.Helper()
	f.at = time.Now()
	r, err := icd.NewRecorder(icd.NodeName(x.String()), time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	over = make(chan error, 1)
	c.Device, c.Ask = icd.Device{Ext: x}, f.ask
	go func() { over <- Watch(ctx, c, r.Observe) }()
	return r, over, cancel
}

func said(r *icd.Recorder) (out []string) {
	for o := range r.Timeline().All() {
		out = append(out, o.String())
	}
	return out
}

func equal(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestPace: the parent alone is asked, every five minutes, and after a restart
// at 5, 15, 30, 60 s and then every two minutes until ten.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{tables: map[uint8][]diag.ExtAddr{1: {5}, 2: {x}}}
		restarted := make(chan time.Time, 1)
		r, over, stop := watch(t, f, Config{Parent: diag.RouterRLOC16(2).Child(7), Restarted: restarted})
		time.Sleep(11 * time.Minute)
		equal(t, f.heard(), "0s [0x0800]", "5m0s [0x0800]", "10m0s [0x0800]")
		restarted <- time.Now()
		time.Sleep(20 * time.Minute)
		equal(t, f.heard(), "11m5s [0x0800]", "11m15s [0x0800]", "11m30s [0x0800]", "12m0s [0x0800]", "14m0s [0x0800]", "16m0s [0x0800]", "18m0s [0x0800]", "20m0s [0x0800]",
			"25m0s [0x0800]", "30m0s [0x0800]")
		restarted <- time.Now().Add(-20 * time.Second) // told late
		close(restarted)
		time.Sleep(15 * time.Second)
		equal(t, f.heard(), "31m1s [0x0800]", "31m10s [0x0800]")
		stop()
		if err := <-over; err != nil {
			t.Error(err)
		}
		if n := r.Timeline().Len(); n != 2*15 { // a router and a child each
			t.Errorf("%d observations: %v", n, said(r))
		}
	})
}

// TestLost: a child that its parent does not have is looked for at the others, a
// few at a time, until one has it; that is the parent then.
func TestLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{tables: map[uint8][]diag.ExtAddr{}}
		for id := range uint8(20) {
			f.tables[id] = []diag.ExtAddr{diag.ExtAddr(id) + 100}
		}
		r, over, stop := watch(t, f, Config{Parent: diag.RouterRLOC16(3)})
		defer func() { stop(); <-over }()
		asked := f.heard()
		if len(asked) != 4 || asked[0] != "0s [0x0c00]" {
			t.Errorf("asked %v", asked)
		}
		seen := map[string]int{}
		for _, a := range asked {
			for _, w := range strings.Fields(strings.Trim(strings.TrimPrefix(a, "0s "), "[]")) {
				seen[w]++
			}
		}
		if len(seen) != 20 || seen["0xf000"] != 0 {
			t.Errorf("asked %v: want each of the 20 routers once", seen)
		}
		no := 0
		for o := range r.Timeline().All() {
			if w, ok := o.What.(*icd.NoChild); ok {
				no++
				if len(w.Asked) != 20 {
					t.Errorf("asked %d", len(w.Asked))
				}
			}
		}
		if no != 1 {
			t.Errorf("no-child %d times", no)
		}
		f.set(12, x)
		time.Sleep(5*time.Minute + time.Second)
		if asked := f.heard(); len(asked) != 3 || asked[0] != "5m0s [0x0c00]" {
			t.Errorf("asked %v", asked)
		}
		time.Sleep(5 * time.Minute)
		equal(t, f.heard(), "10m0s [0x3000]")
	})
}

// TestSilentParent: a parent that does not answer is told, and the others are
// asked by way of the leader.
func TestSilentParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{tables: map[uint8][]diag.ExtAddr{1: {5}, 2: {x}}}
		r, over, stop := watch(t, f, Config{Parent: diag.RouterRLOC16(9)})
		defer func() { stop(); <-over }()
		equal(t, f.heard(), "0s [0x2400]", "0s []", "0s [0x0800]")
		silent, child := false, false
		for o := range r.Timeline().All() {
			switch w := o.What.(type) {
			case *icd.RouterSilent:
				silent = w.RLOC16 == "0x2400"
			case *icd.Child:
				child = w.Parent == "0x0800"
			}
		}
		if !silent || !child {
			t.Errorf("said %v", said(r))
		}
	})
}

func TestGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{fails: true}
		var notes []string
		r, over, stop := watch(t, f, Config{Note: func(s string) { notes = append(notes, s) }})
		defer stop()
		err := <-over
		if err == nil || err.Error() != "parent: nobody answered in 3 rounds: the key is wrong: threadmap login thread" || len(notes) != 3 || r.Timeline().Len() != 0 {
			t.Errorf("%v, notes %q, said %v", err, notes, said(r))
		}
		equal(t, f.heard(), "0s []", "5m0s []", "10m0s []")
	})
	for _, c := range []Config{{Device: icd.Device{Ext: x}}, {Ask: (&fake{}).ask}} {
		if err := Watch(t.Context(), c, nil); err == nil || strings.ContainsAny(err.Error(), "\n") {
			t.Errorf("%v", err)
		}
	}
}

// TestThroughBorderAgent: through a simulated border agent, of every sleepy
// child of the mesh the watch says what the model says, and no message ever
// goes to a child.
func TestThroughBorderAgent(t *testing.T) {
	m := mesh.HomeOf50(1).Networks[0]
	v := m.View()
	for i := range m.Nodes {
		if n := &m.Nodes[i]; !n.Sleepy() || i%3 != 0 || !v.Answers(v.Parent(i)) {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			n := &m.Nodes[i]
			reached := map[diag.ExtAddr]bool{}
			messages := 0
			border := m.Nodes[slices.IndexFunc(m.Nodes, func(n mesh.Node) bool { return n.BorderRouter && n.IsRouter() })].ExtAddr
			agent, err := borderagent.New(v, border, borderagent.Options{Lose: func(d borderagent.Datagram) bool {
				if !d.Up {
					reached[d.Node] = true
					messages++
				}
				return false
			}})
			if err != nil {
				t.Fatal(err)
			}
			at := netip.MustParseAddrPort("[2001:db8::1]:49154")
			lan := &simnet.Net{}
			pc, err := lan.ListenPacket(at)
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- agent.Serve(pc) }()
			defer func() { agent.Close(); <-served }()
			key, err := pskc.New(m.PSKc[:])
			if err != nil {
				t.Fatal(err)
			}
			e, err := tmf.Endpoint(at.String(), m.ExtPANID, false)
			if err != nil {
				t.Fatal(err)
			}
			ask := tmf.Source{
				Credentials: func(diag.PANID64) (tmf.Credential, bool) { return tmf.Credential{Secret: key}, true },
				Dial: func(context.Context, string, string) (net.Conn, error) {
					return lan.Dial(netip.AddrPortFrom(netip.MustParseAddr("2001:db8::2"), 0), at)
				},
			}.Routers(diag.Known{Endpoints: []diag.Endpoint{e}})
			r, err := icd.NewRecorder(icd.NodeName(n.ExtAddr.String()), time.Now(), nil)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
			defer cancel()
			if err := Watch(ctx, Config{Device: icd.Device{Ext: n.ExtAddr}, Parent: diag.MakeRLOC16(n.RLOC16()), Ask: ask}, r.Observe); err != nil {
				t.Fatal(err)
			}
			if len(reached) != 1 || messages > 8 {
				t.Errorf("%v: %d messages to %d nodes: want the parent alone", n.Name, messages, len(reached))
			}
			if _, held := agent.Commissioner(); held {
				t.Error("the commissioner's role is still held")
			}
			found := 0
			for o := range r.Timeline().All() {
				if w, ok := o.What.(*icd.Child); ok {
					found++
					if w.RLOC16 != diag.MakeRLOC16(n.RLOC16()).String() || w.Age == nil || w.Timeout == nil || time.Duration(*w.Timeout) != n.Timeout || w.Queued == nil {
						t.Errorf("%v: %+v", n.Name, w)
					}
				}
			}
			if found != 1 {
				t.Errorf("%v: %d rows: %v", n.Name, found, said(r))
			}
		})
	}
}
