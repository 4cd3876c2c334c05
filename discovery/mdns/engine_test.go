package mdns

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grandcat/zeroconf"
	"go.uber.org/goleak"

	"threadmap/discovery"
	sim "threadmap/simulators/mdns"
	"threadmap/simulators/simnet"
)

func TestMain(m *testing.M) {
	// The other implementation's server sleeps on after its end.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/grandcat/zeroconf.(*Server).probe"))
}

// TestComeAndGo: goodbye, return, change of address and of TXT, as they come
// over the network.
func TestComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		all := services(3)
		r := l.responder("fe80::2", sim.Behaviour{}, all...)
		v, end := l.browse(Config{})
		expect := func(want ...string) {
			t.Helper()
			l.wait(3 * time.Second)
			synctest.Wait()
			var got []string
			for _, e := range v.since() {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", e.Kind, e.Service.Instance[32:], strings.Join(e.What, ","), e.Reason)))
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		expect("added 1", "added 2", "added 3")
		r.Goodbye(all[1].Instance)
		expect("removed 2  goodbye")
		r.Set(all)
		expect("added 2")
		r.Announce()
		r.Announce()
		expect()
		all[0].TXT = [][]byte{[]byte("SII=1")}
		r.Set(all)
		expect("changed 1 txt")
		all[2].Addrs = []netip.Addr{netip.MustParseAddr("fd12:3456::beef")}
		r.Set(all)
		expect("changed 3 addresses", "changed 3 addresses") // the new one, then without the old one
		end()
		if s := v.result.Services; len(s) != 3 || s[2].Addresses[0].String() != "fd12:3456::beef" || string(s[0].TXT[0]) != "SII=1" {
			t.Errorf("%+v", s)
		}
	})
}

// TestOneOfMany: a responder that answers a browse with one instance only
// (matter.js) is asked for others by their names.
func TestOneOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		all := services(14)
		l.responder("fe80::2", sim.Behaviour{OneOfMany: true, NoFlush: true, NoKnown: true}, all...)
		var names []discovery.Name
		for _, s := range all[5:] {
			n, err := discovery.KindMatter.InstanceName(s.Instance)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, n)
		}
		_, end := l.browse(Config{Options: discovery.Options{Names: names}})
		l.wait(2 * time.Second)
		if v := end(); len(v.result.Services) != 10 {
			t.Errorf("%d services", len(v.result.Services))
		}
	})
}

// TestQuestionsOfOthers: ours, which come back to us, are not others'.
func TestQuestionsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		all := services(2)
		l.responder("fe80::2", sim.Behaviour{}, all...)
		v, end := l.browse(Config{})
		l.wait(2 * time.Second)
		other := l.socket("fe80::3")
		n, _ := discovery.KindMatter.InstanceName("87E1B004E235A130-000000000001B669")
		q, err := pack(discovery.Query{Questions: []discovery.Question{{Name: n, Type: discovery.TypeSRV, Unicast: true}}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		other.WriteToAddrPort(q[0], Group6)
		l.wait(time.Second)
		end()
		other.Close()
		a := v.result.Asked
		if len(a) != 1 || a[0].Fabric != 0x87e1b004e235a130 || a[0].Node != 0x1b669 || a[0].Askers[0].Addr.String() != "fe80::3%eth0" || !a[0].Answered.IsZero() {
			t.Errorf("%+v", a)
		}
		if i := slices.IndexFunc(v.events, func(e discovery.Event) bool { return e.Kind == discovery.Asking }); i < 0 || !v.events[i].Asked.Unicast {
			t.Error("the question was not told of")
		}
	})
}

// TestSettle: a browse that may end early does once all is there, and not
// before.
func TestSettle(t *testing.T) {
	for _, tt := range []struct {
		loss     float64
		n        int
		at, most time.Duration
	}{{0, 50, 1500 * time.Millisecond, 2 * time.Second}, {0.3, 50, 1500 * time.Millisecond, 20 * time.Second}, {0, 0, 1500 * time.Millisecond, 2 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t)
			l.net.Fate = lossy(tt.loss, 3)
			l.responder("fe80::2", sim.Behaviour{}, services(tt.n)...)
			start := time.Now()
			v, end := l.browse(Config{Settle: time.Second})
			<-v.done
			if took := time.Since(start); took < tt.at || took > tt.most || v.found() < tt.n*9/10 {
				t.Errorf("%d of %d after %v", v.found(), tt.n, took)
			}
			end()
		})
	}
}

// TestSilence: nobody there is said in one line.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		_, end := l.browse(Config{})
		l.wait(5 * time.Second)
		v := end()
		if v.err != nil || len(v.result.Problems) != 1 || v.result.Problems[0].Reason != Silence || v.result.Services == nil {
			t.Errorf("%v %+v", v.err, v.result)
		}
	})
}

// failing is a socket that can't send.
type failing struct {
	net.PacketConn
	err error
}

func (f failing) WriteTo([]byte, net.Addr) (int, error) { return 0, f.err }

// TestSendFails: what can't be sent ends the browse of that socket with its
// reason, and the whole browse where it was the last.
func TestSendFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &simnet.Net{}
		open := func(at string) net.PacketConn {
			c, err := n.ListenPacket(netip.MustParseAddrPort(at))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		bad := Socket{Link: discovery.Link{Name: "eth0"}, Conn: failing{open("[fe80::1]:5353"), wrapped(syscall.ENETUNREACH)}, To: Group6}
		r, err := Browse(ctx, Config{Sockets: []Socket{bad}}, nil)
		p, ok := err.(Problem)
		if !ok || p.Reason != NoRoute && p.Reason != NoMulticast || !p.Fatal || len(r.Problems) != 1 || time.Since(start) > 10*time.Minute {
			t.Errorf("%v, %+v after %v", err, r.Problems, time.Since(start))
		}
	})
}

// TestDirected: one responder, asked by unicast over real sockets of the
// loopback interface: no multicast, and answers of others don't count.
func TestDirected(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		conn, err := net.ListenPacket("udp", at)
		if err != nil {
			t.Skip(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
		done := make(chan struct{})
		go func() {
			defer close(done)
			sim.New(conn, netip.AddrPort{}, services(300), sim.Behaviour{}).Serve(ctx)
		}()
		limited, stop := context.WithTimeout(ctx, 20*time.Second)
		v := &view{complete: map[string]bool{}}
		start := time.Now()
		var all time.Duration
		r, err := Browse(limited, Config{Ask: []netip.AddrPort{to}, Settle: 200 * time.Millisecond}, func(e discovery.Event) {
			if v.tell(e); v.found() == 300 && all == 0 {
				all = time.Since(start)
			}
		})
		if err != nil || len(r.Services) != 300 || len(r.Problems) != 0 || r.Services[0].Interfaces[0] != to.String() {
			t.Errorf("%s: %v, %d services, %v", at, err, len(r.Services), r.Problems)
		}
		t.Logf("%s: 300 of 300 after %v; %+v", at, all, r.Links)
		stop()
		cancel()
		<-done
	}
}

func TestDirectedNobody(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0") // hears, and never answers
	if err != nil {
		t.Skip(err)
	}
	defer conn.Close()
	to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	ctx, cancel := context.WithTimeout(t.Context(), silent+100*time.Millisecond)
	defer cancel()
	r, err := Browse(ctx, Config{Ask: []netip.AddrPort{to}}, nil)
	if err != nil || len(r.Problems) != 1 || r.Problems[0].Reason != Silence || r.Problems[0].Error() != to.String()+": did not answer" {
		t.Errorf("%v, %v", err, r.Problems)
	}
}

// TestNoSuchInterface: said before anything is sent.
func TestNoSuchInterface(t *testing.T) {
	r, err := Browse(t.Context(), Config{Interfaces: []string{"no such"}}, nil)
	if p, ok := err.(Problem); !ok || p.Reason != NoInterface || len(r.Problems) != 1 || !strings.Contains(err.Error(), `no interface "no such"`) {
		t.Error(err)
	}
}

// loopback is the name of the loopback interface. IPv4 multicast works there
// on Linux.
func loopback(t *testing.T) net.Interface {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(i net.Interface) bool { return i.Flags&net.FlagLoopback != 0 && i.Flags&net.FlagUp != 0 })
	if i < 0 {
		t.Skip("no loopback interface")
	}
	return all[i]
}

// TestGrandcat: a second opinion. Another implementation's service is found on
// the loopback interface, by multicast over real sockets that share port 5353
// with it.
func TestGrandcat(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("multicast on the loopback interface is known to work on Linux only")
	}
	lo := loopback(t)
	const host = "0E01010101010101"
	s, err := zeroconf.RegisterProxy("87E1B004E235A130-8FC7772401CD0696", "_matter._tcp", "local.", 5540, host, []string{"127.0.0.1", "fd00::1"},
		[]string{"SII=5000", `bin=\000\092\034\255`}, []net.Interface{lo})
	if err != nil {
		t.Skip("multicast on the loopback interface: ", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ctx, found := context.WithCancel(ctx)
	defer found()
	r, err := Browse(ctx, Config{Interfaces: []string{lo.Name}}, func(e discovery.Event) {
		if e.Kind == discovery.Added && len(e.Service.Missing()) == 0 {
			found()
		}
	})
	s.Shutdown()
	if err != nil {
		t.Skip(err)
	}
	if len(r.Services) != 1 {
		t.Fatalf("%+v", r)
	}
	got := r.Services[0]
	if v, _ := got.TXT.Get("bin"); string(v) != "\x00\\\"\xff" || got.HostLabel() != host || fmt.Sprint(got.Addresses) != "[127.0.0.1 fd00::1]" || got.Port != 5540 {
		t.Errorf("%+v", got)
	}
}
