package matternode

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/simulators/simnet"
)

// keeping is a node that keeps its subscriptions, and reports as seldom as the
// subscriber wants it.
func (g *stage) keeping(p Persistence) *Node {
	g.t.Helper()
	d := aSensor()
	d.ICD = nil
	return g.ours(d, Options{Resumption: Resumption{Persistence: p}, Resolve: g.resolve})
}

// mustSubscribe subscribes, in virtual time; the node knows that we know.
func (g *stage) mustSubscribe(s *session.Secure, req im.SubscribeRequest) *client.Subscription {
	g.t.Helper()
	sub, err := g.subscribe(s, req)
	if err != nil {
		g.t.Fatal(err)
	}
	pass(time.Second)
	return sub
}

var label = im.One(0, basicInformation, 5)

// everyEvent asks for all events, at once.
func everyEvent(r im.SubscribeRequest) im.SubscribeRequest {
	r.Events = []im.EventPath{{Urgent: true}}
	return r
}

// After a start the node waits for the largest MinInterval and then reports
// everything under the old ids, all in one session.
func TestResume(t *testing.T) {
	for name, forgets := range map[string]bool{"with a record": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t)
				n := g.ours(aSensor(), Options{Resumption: Resumption{Persistence: TriesOnce, ForgetRecords: forgets}, Resolve: g.resolve})
				s := g.keeps(g.mustCASE())
				a := g.mustSubscribe(s, everyEvent(wanting(0, 600, im.Whole(0, generalDiagnostics), im.Whole(0, basicInformation))))
				b := g.mustSubscribe(s, wanting(7, 600, label))
				if got := n.Stored(); len(got) != 2 || !got[0].Live || got[0].Node != g.ca.Member().NodeID {
					t.Fatalf("%+v", got)
				}
				begin := time.Now()
				n.Reboot(RebootOptions{Reason: SoftwareReset, Down: 3 * time.Second, Boot: 2 * time.Second})
				if n.Up() || n.Subscriptions() != 0 {
					t.Error("still there")
				}
				whole, one := g.next(a), g.next(b)
				if d := time.Since(begin); d < 12*time.Second || d > 12100*time.Millisecond {
					t.Errorf("after %v", d)
				}
				if whole.Attributes.Len() != a.Priming.Attributes.Len() || one.Attributes.Len() != 1 {
					t.Errorf("%d and %d attributes, there were %d", whole.Attributes.Len(), one.Attributes.Len(), a.Priming.Attributes.Len())
				}
				for path, want := range map[im.Path]uint64{
					pathOf(0, generalDiagnostics, 1): 4, pathOf(0, generalDiagnostics, 2): 9, pathOf(0, generalDiagnostics, 4): uint64(SoftwareReset),
				} {
					v, _ := whole.Attributes.Value(path)
					got, err := cluster.FromTLV(cluster.Path(path), v.Data)
					if n, _ := got.Uint(); err != nil || n != want {
						t.Errorf("%v is %d, want %d (%v)", path, n, want, err)
					}
				}
				if e := whole.Events; len(e) != 2 || e[0].Cluster != basicInformation || e[0].Event != startUpEvent || e[1].Cluster != generalDiagnostics || e[1].Number <= a.Priming.Events[1].Number {
					t.Errorf("%+v", e)
				}
				came := g.sessions()
				if len(came) != 1 || came[0].Resumed == forgets || whole.Session.Session != came[0].Session || one.Session.Session != came[0].Session {
					t.Errorf("%d sessions: %v", len(came), came)
				}
				pass(time.Second) // for the last answers
				if st := n.Stats(); st.Opened != 1 || st.Lookups != 1 || st.Resumed != 2 || st.ResumeFailed != 0 {
					t.Errorf("%+v", st)
				}
				// It goes on as if nothing had been, and does so the next time.
				n.SetLabel("another")
				if r := g.next(b); r.Attributes.Len() != 1 {
					t.Errorf("%d attributes", r.Attributes.Len())
				}
				g.next(a)
				n.Reboot(RebootOptions{})
				if r := g.next(a); r.Attributes.Len() != whole.Attributes.Len() {
					t.Errorf("%d attributes after another restart", r.Attributes.Len())
				}
				g.next(b)
				for range 5 { // at the latest after MaxInterval there is word
					if r := g.next(a); !r.Empty() {
						t.Error("no renewal")
					}
				}
			})
		})
	}
}

// What goes over the wire is in the order of a captured restart.
func TestResumeOnTheWire(t *testing.T) {
	b, err := os.ReadFile("testdata/icd-resume.txt")
	if err != nil {
		t.Fatal(err)
	}
	var want []string // of a secured message only who sends it can be seen
	reports := 0
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if f[0] == "#" {
			continue
		}
		if f[1] == "ReportData" {
			reports++
		}
		if f[2] == "secured" {
			f = []string{f[0]}
		}
		want = append(want, strings.Join(f, " "))
	}
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		names := map[uint8]string{
			message.Sigma1: "Sigma1", message.Sigma2Resume: "Sigma2Resume", message.Status: "StatusReport", message.StandaloneAck: "StandaloneAck",
		}
		var got []string
		record := false
		var mu sync.Mutex
		g.net.Fate = func(p simnet.Packet) []time.Duration {
			mu.Lock()
			defer mu.Unlock()
			at := map[netip.AddrPort]string{nodeAddr: "device", ourAddr: "controller"}[p.From]
			if h, size, err := message.Parse(p.Data); !record || err != nil {
			} else if h.SessionID != 0 {
				got = append(got, at)
			} else if q, _, err := message.ParseProtocol(p.Data[size:]); err != nil {
				t.Error(err)
			} else {
				flags := ""
				for _, f := range []struct {
					set  bool
					name string
				}{{q.Initiator, "I"}, {q.Reliable, "R"}, {q.HasAck, "A"}} {
					if f.set {
						flags += f.name
					}
				}
				got = append(got, fmt.Sprintf("%s %s unsecured %s", at, names[q.Opcode], flags))
			}
			return []time.Duration{time.Millisecond}
		}
		d := aSensor()
		d.ICD = nil
		n := g.ours(d, Options{Resumption: Resumption{Persistence: TriesOnce}, Resolve: g.resolve})
		sub := g.mustSubscribe(g.keeps(g.mustCASE()), wanting(0, 60, im.Whole(0, threadNetworkDiagnostics), im.Whole(0, basicInformation), im.Whole(0, operationalCredentials),
			im.Whole(0, generalDiagnostics), im.Whole(0, generalCommissioning), im.Whole(0, descriptor), im.Whole(0, accessControl)))
		pass(2 * time.Second)
		mu.Lock()
		record = true
		mu.Unlock()
		n.Reboot(RebootOptions{})
		r := g.next(sub)
		pass(2 * time.Second)
		// The captured device has another number of values, and so of messages.
		for i := 0; i < (reports-r.Messages)*2; i++ {
			want = slices.Delete(want, len(want)-2, len(want)-1)
		}
		mu.Lock()
		defer mu.Unlock()
		if r.Messages < 3 || !slices.Equal(got, want) {
			t.Errorf("%d messages:\n%s\nwant\n%s", r.Messages, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// A subscriber that does not know the id any more says so, and is left alone.
func TestResumeRefused(t *testing.T) {
	for name, p := range map[string]Persistence{"tries once": TriesOnce, "keeps trying": KeepsTrying} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t)
				n := g.keeping(p)
				s := g.keeps(g.mustCASE())
				g.mustSubscribe(s, wanting(0, 600, label)).Close() // the subscriber was restarted
				kept := g.mustSubscribe(s, wanting(0, 600, label))
				n.Reboot(RebootOptions{})
				g.next(kept)
				pass(time.Minute)
				if st := n.Stats(); st.Resumed != 1 || st.ReportsRefused != 1 {
					t.Errorf("%+v", st)
				}
				if all := n.Stored(); len(all) != 1 || all[0].ID != kept.ID {
					t.Errorf("%+v", all)
				}
				pass(2 * time.Hour)
				if st := n.Stats(); st.Opened != 1 {
					t.Errorf("%d sessions opened", st.Opened)
				}
			})
		})
	}
}

// Who forgets, tries but once, or keeps trying, after a restart in which the
// subscriber can't be found.
func TestPersistence(t *testing.T) {
	minutes := func(m ...int) (d []time.Duration) {
		for _, v := range m {
			d = append(d, time.Duration(v)*time.Minute)
		}
		return d
	}
	for name, c := range map[string]struct {
		p Persistence
		// waits are those between a failed try and the next.
		waits []time.Duration
	}{
		"forgets":    {Forgets, nil},
		"tries once": {TriesOnce, minutes(0)},
		// 300 s, and the Fibonacci numbers times 300 s.
		"keeps trying": {KeepsTrying, minutes(0, 5, 10, 10, 15, 20, 30, 45, 70, 110, 175, 280)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t)
				n := g.keeping(c.p)
				sub := g.mustSubscribe(g.mustCASE(), wanting(0, 600, label))
				defer sub.Close()
				g.leaves(true)
				n.Reboot(RebootOptions{})
				last := time.Now()
				pass(48 * time.Hour)
				var waits []time.Duration
				for i, at := range g.lookups() {
					if i > 0 {
						last = last.Add(defaultLookup)
					}
					waits = append(waits, at.Sub(last))
					last = at
				}
				if !slices.Equal(waits, c.waits) {
					t.Errorf("%v, want %v", waits, c.waits)
				}
				if len(n.Stored()) != 0 {
					t.Errorf("still stored: %+v", n.Stored())
				}
				// The subscriber is back, too late.
				g.leaves(false)
				pass(24 * time.Hour)
				if st := n.Stats(); st.Opened != 0 || st.Resumed != 0 {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

// The third try finds the subscriber; after that the first waits are short
// again.
func TestResumeInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.keeping(KeepsTrying)
		sub := g.mustSubscribe(g.mustCASE(), wanting(0, 3600, label))
		g.leaves(true)
		n.Reboot(RebootOptions{})
		begin := time.Now()
		pass(7 * time.Minute)
		if all := n.Stored(); len(all) != 1 || all[0].Failed != 2 || all[0].Live {
			t.Errorf("%+v", all)
		}
		g.leaves(false)
		g.next(sub)
		if d := time.Since(begin) - (45*time.Second + 5*time.Minute + 45*time.Second + 10*time.Minute); d < 0 || d > time.Second {
			t.Errorf("after %v", time.Since(begin))
		}
		pass(time.Second)
		if all := n.Stored(); len(all) != 1 || all[0].Failed != 0 || !all[0].Live {
			t.Errorf("%+v", all)
		}
		n.Evict() // and now the first wait is the shortest again
		n.SetLabel("another")
		begin = time.Now()
		g.next(sub)
		if d := time.Since(begin); d < 5*time.Minute || d > 5*time.Minute+time.Second {
			t.Errorf("after %v", d)
		}
	})
}

// A report that nobody answers ends a subscription for a node that tries but
// once; one that keeps trying comes back after 300 s, without a restart.
func TestSubscriberAway(t *testing.T) {
	for name, p := range map[string]Persistence{"tries once": TriesOnce, "keeps trying": KeepsTrying} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t)
				n := g.keeping(p)
				sub := g.mustSubscribe(g.mustCASE(), wanting(0, 7200, label))
				var away atomic.Bool
				away.Store(true)
				g.net.Fate = func(packet simnet.Packet) []time.Duration {
					if away.Load() && packet.To == ourAddr {
						return nil
					}
					return []time.Duration{0}
				}
				n.SetLabel("one")
				pass(time.Minute)
				if n.Subscriptions() != 0 || len(n.Stored()) != map[Persistence]int{TriesOnce: 0, KeepsTrying: 1}[p] {
					t.Errorf("%d subscriptions, stored %+v", n.Subscriptions(), n.Stored())
				}
				away.Store(false)
				pass(5 * time.Minute)
				if n.Subscriptions() != map[Persistence]int{TriesOnce: 0, KeepsTrying: 1}[p] {
					t.Errorf("%d subscriptions", n.Subscriptions())
				}
				if p == KeepsTrying {
					if r := g.next(sub); r.Attributes.Len() != 1 || r.Session == sub.Priming.Session {
						t.Errorf("%d attributes through %v", r.Attributes.Len(), r.Session)
					}
				}
			})
		})
	}
}

// Sessions that were forgotten without a restart: silence on the old one, a new
// one works at once, and RebootCount is what it was.
func TestEvict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.keeping(KeepsTrying)
		s := g.mustCASE()
		sub := g.mustSubscribe(s, wanting(0, 7200, label))
		before := g.number(s, pathOf(0, generalDiagnostics, 1))
		n.Evict()
		if _, err := g.tryRead(s, im.ReadRequest{Attributes: []im.AttributePath{label}}); !errors.Is(err, session.ErrDefunct) {
			t.Errorf("%v", err)
		}
		if got := g.number(g.mustCASE(), pathOf(0, generalDiagnostics, 1)); got != before {
			t.Errorf("RebootCount %d, was %d", got, before)
		}
		n.SetLabel("one") // goes through the session that is there
		g.next(sub)
		n.Evict()
		n.SetLabel("two")
		begin := time.Now()
		g.next(sub)
		if d := time.Since(begin); d < 5*time.Minute || d > 5*time.Minute+time.Second || n.Stats().Opened != 1 {
			t.Errorf("after %v: %+v", d, n.Stats())
		}
	})
}

// A program that is stopped says so, and does not come back to its subscribers
// (captured from a matter.js device: a report with the event ShutDown, its
// answer, and nothing for 33 s after the start).
func TestOrderly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.keeping(KeepsTrying)
		s := g.mustCASE()
		sub := g.mustSubscribe(s, everyEvent(wanting(0, 600, label)))
		n.Reboot(RebootOptions{Orderly: true})
		r := g.next(sub)
		if len(r.Events) != 1 || r.Events[0].Cluster != basicInformation || r.Events[0].Event != shutDownEvent || r.Events[0].Priority != critical || r.Attributes.Len() != 0 {
			t.Errorf("%+v", r.Events)
		}
		pass(time.Second)
		if !errors.Is(s.Lost(s.Session.Err()), session.ErrDefunct) {
			t.Errorf("%v", s.Session.Err())
		}
		pass(time.Hour)
		if st := n.Stats(); st.Lookups != 0 || st.Opened != 0 || len(n.Stored()) != 0 {
			t.Errorf("%+v", st)
		}
		// Nobody answers the farewell: it ends in bounded time.
		g.mustSubscribe(g.mustCASE(), everyEvent(wanting(0, 600, label)))
		g.net.Fate = func(simnet.Packet) []time.Duration { return nil }
		begin := time.Now()
		n.Reboot(RebootOptions{Orderly: true})
		if d := time.Since(begin); d > farewellTimeout {
			t.Errorf("%v", d)
		}
	})
}

// KeepSubscriptions=false takes the stored ones with it, and so does the end of
// the fabric.
func TestStoredEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.keeping(KeepsTrying)
		g.mustSubscribe(g.mustCASE(), wanting(0, 600, label))
		g.leaves(true)
		n.Reboot(RebootOptions{})
		pass(time.Minute)
		alone := wanting(0, 600, label)
		alone.Keep = false
		sub := g.mustSubscribe(g.mustCASE(), alone)
		if all := n.Stored(); len(all) != 1 || all[0].ID != sub.ID {
			t.Errorf("%+v", all)
		}
		n.mu.Lock()
		n.leave(1)
		n.mu.Unlock()
		if len(n.Stored()) != 0 {
			t.Error("it outlived its fabric")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.keeping(KeepsTrying)
		g.mustSubscribe(g.mustCASE(), wanting(0, 600, label))
		n.Reboot(RebootOptions{LoseSubscriptions: true})
		pass(time.Hour)
		if len(n.Stored()) != 0 || n.Stats().Lookups != 0 {
			t.Error("it was not lost")
		}
	})
}

// A node that does not hold out counts its starts.
func TestBrownOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		registered := make(chan time.Time, 100)
		n := g.ours(aSensor(), Options{
			Resumption: Resumption{Persistence: KeepsTrying}, Resolve: g.resolve, Registers: func() { registered <- time.Now() },
		})
		sub := g.mustSubscribe(g.mustCASE(), wanting(30, 600, label))
		defer sub.Close()
		n.Reboot(RebootOptions{Boot: time.Second, Again: 20 * time.Second, Times: 3})
		begin := time.Now()
		pass(71 * time.Second)
		// MinInterval is longer than it lasts: it calls nobody.
		if got := g.lookups(); len(got) != 0 {
			t.Errorf("%v", got)
		}
		s := g.mustCASE()
		if got := g.number(s, pathOf(0, generalDiagnostics, 1)); got != 7 {
			t.Errorf("RebootCount %d", got)
		}
		if got := g.number(s, pathOf(0, generalDiagnostics, 4)); got != uint64(BrownOutReset) {
			t.Errorf("BootReason %d", got)
		}
		for i := range 4 {
			if at := (<-registered).Sub(begin); at != time.Duration(i)*20*time.Second+time.Second {
				t.Errorf("registered after %v", at)
			}
		}
		g.next(sub)
		if d := time.Since(begin); d < 91*time.Second || d > 92*time.Second {
			t.Errorf("resumed after %v", d)
		}
		// For ever, until it is stopped.
		n.Reboot(RebootOptions{Again: 10 * time.Second})
		pass(105 * time.Second)
		n.Reboot(RebootOptions{})
		pass(time.Minute)
		if got := g.number(g.mustCASE(), pathOf(0, generalDiagnostics, 1)); got != 7+1+10+1 {
			t.Errorf("RebootCount %d", got)
		}
	})
}

// A node that can be closed, and restarted, at any time.
func TestRebootAnytime(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			g := newStage(t)
			r := rand.New(rand.NewPCG(seed, 1))
			sleep := &Sleep{Slow: 5 * time.Second, Fast: 200 * time.Millisecond, Threshold: 2 * time.Second}
			if seed%2 == 0 {
				sleep = nil
			}
			d := aSensor()
			d.ICD = nil
			n := g.ours(d, Options{Sleep: sleep, Resumption: Resumption{Persistence: KeepsTrying}, Resolve: g.resolve, Seed: seed})
			sub := g.mustSubscribe(g.mustCASE(), wanting(uint16(r.IntN(10)), 65535, label))
			var loss atomic.Bool
			var mu sync.Mutex
			fate := rand.New(rand.NewPCG(seed, 2))
			g.net.Fate = func(simnet.Packet) []time.Duration {
				mu.Lock()
				defer mu.Unlock()
				if loss.Load() && fate.IntN(3) == 0 {
					return nil
				}
				return []time.Duration{time.Duration(fate.IntN(50)) * time.Millisecond}
			}
			for range 10 {
				g.leaves(r.IntN(3) == 0)
				loss.Store(r.IntN(2) == 0)
				n.Reboot(RebootOptions{
					Down: time.Duration(r.IntN(3)) * time.Second, Boot: time.Duration(r.IntN(3)) * time.Second, Again: time.Duration(r.IntN(2)) * time.Minute, Times: 1,
				})
				n.SetLabel(fmt.Sprint(r.Uint32()))
				pass(time.Duration(r.IntN(int(2 * time.Minute))))
			}
			g.leaves(false)
			loss.Store(false)
			pass(2 * time.Hour)
			all := n.Stored()
			// Under loss a report may be refused by nobody; it must come back.
			if len(all) != 1 || all[0].ID != sub.ID || !all[0].Live || sub.Err() != nil {
				t.Errorf("seed %d: %+v, %v, %+v", seed, all, sub.Err(), n.Stats())
			}
			if n.Stats().Resumed == 0 {
				t.Errorf("seed %d: nothing was resumed", seed)
			}
			g.leaves(true)
			n.Reboot(RebootOptions{})
			pass(time.Duration(r.IntN(10)) * time.Second) // and Close in the middle
		})
	}
}

// The same over sockets of the system.
func TestResumeOverUDP(t *testing.T) {
	listen := func(network, at string) net.PacketConn {
		pc, err := net.ListenPacket(network, at)
		if err != nil {
			t.Skip(err)
		}
		return pc
	}
	for _, c := range []struct{ network, at string }{{"udp4", "127.0.0.1:0"}, {"udp6", "[::1]:0"}} {
		t.Run(c.network, func(t *testing.T) {
			g := newStage(t)
			pc := listen(c.network, c.at)
			us := pc.LocalAddr().(*net.UDPAddr).AddrPort()
			g.ep = g.listening(pc)
			device := listen(c.network, c.at)
			n, err := New(device, aSensor(), Options{
				Fabrics: []Fabric{g.member(nodeID)}, Resumption: Resumption{Persistence: TriesOnce},
				Resolve: func(context.Context, uint64, uint64) ([]netip.AddrPort, error) { return []netip.AddrPort{us}, nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			s, err := g.cased(session.CASEConfig{Addresses: []netip.AddrPort{n.Addr()}})
			if err != nil {
				t.Fatal(err)
			}
			sub, err := g.subscribe(g.keeps(s), wanting(0, 600, label))
			if err != nil {
				t.Fatal(err)
			}
			for len(n.Stored()) == 0 {
				pass(time.Millisecond)
			}
			n.Reboot(RebootOptions{Boot: 20 * time.Millisecond})
			if r := g.next(sub); r.Attributes.Len() != 1 || !r.Session.Resumed {
				t.Errorf("%d attributes through %v", r.Attributes.Len(), r.Session)
			}
		})
	}
}
