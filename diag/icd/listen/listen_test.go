package listen

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag/icd"
	"threadmap/diag/icd/listen/heard"
	"threadmap/discovery"
	"threadmap/discovery/mdns"
	sim "threadmap/simulators/mdns"
	"threadmap/simulators/simnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ext    = "0E01010101010101"
	fabric = "87E1B004E235A130"
	device = fabric + "-000000000000000A"
	hub    = fabric + "-000000000001B669"
)

// A home is a LAN in the process.
type home struct {
	t    *testing.T
	net  *simnet.Net
	rec  *icd.Recorder
	from time.Time
}

func newHome(t *testing.T) *home {
	t.Helper()
	now := time.Now()
	rec, err := icd.NewRecorder(ext, now, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &home{t, &simnet.Net{}, rec, now}
}

func (h *home) socket(addr string) *simnet.Conn {
	h.t.Helper()
	c, err := h.net.ListenPacket(netip.AddrPortFrom(netip.MustParseAddr(addr), mdns.Port))
	if err != nil {
		h.t.Fatal(err)
	}
	if err := c.JoinGroup(mdns.Group6); err != nil {
		h.t.Fatal(err)
	}
	return c
}

// router is a border router that announces itself and what is registered.
func (h *home) router(addr string, registered ...sim.Service) *sim.Responder {
	self := sim.Service{Kind: "_meshcop._udp", Instance: "BR " + addr, Host: "br" + addr[len(addr)-1:], Port: 49154, Addrs: []netip.Addr{netip.MustParseAddr(addr)},
		TXT: [][]byte{[]byte("rv=1"), append([]byte("pt="), 0x3e, 0x1d, 0x26, 0x49), append([]byte("omr=@"), 0xfd, 0, 0, 1, 0, 0, 0, 0), append([]byte("xp="), 1, 2, 3, 4, 5, 6, 7, 8)}}
	r := sim.New(h.socket(addr), mdns.Group6, append([]sim.Service{self}, registered...), sim.Behaviour{})
	go r.Serve(h.t.Context())
	return r
}

func theDevice() sim.Service {
	return sim.Service{Kind: "_matter._tcp", Instance: device, Host: ext, Port: 5540, TXT: [][]byte{[]byte("SII=5000"), []byte("SAI=300")},
		Addrs: []netip.Addr{netip.MustParseAddr("fd00:1::a")}, Subtypes: []string{"_I" + fabric}}
}

func other(i int) sim.Service {
	s := theDevice()
	s.Instance, s.Host = fmt.Sprintf("%s-%016X", fabric, 0x100+i), fmt.Sprintf("0E%014X", 0x100+i)
	s.Addrs = []netip.Addr{netip.MustParseAddr(fmt.Sprintf("fd00:1::%x", 0x100+i))}
	return s
}

// listen starts MDNS; end stops it and gives its error.
func (h *home) listen(c Config) (end func() error) {
	ctx, cancel := context.WithCancel(h.t.Context())
	if c.Scope == nil {
		c.Scope = heard.NewScope(ext)
	}
	c.Sockets = []mdns.Socket{{Link: discovery.Link{Name: "eth0"}, Conn: h.socket("fe80::1"), To: mdns.Group6}}
	var err error
	done := make(chan struct{})
	go func() { defer close(done); err = MDNS(ctx, c, h.rec.Observe) }()
	end = func() error { cancel(); <-done; return err }
	h.t.Cleanup(func() { end() })
	return end
}

func (h *home) wait(d time.Duration) { <-time.After(d); synctest.Wait() }

// seen are the observations of an event since a time, as "12.3 what from".
func (h *home) seen(event string, since time.Time) (out []string) {
	for o := range h.rec.Timeline().All() {
		if o.Event != event || h.from.Add(time.Duration(o.At)).Before(since) {
			continue
		}
		switch w := o.What.(type) {
		case *icd.Announce:
			out = append(out, fmt.Sprintf("%s %s", strings.SplitN(w.Instance, ".", 2)[0], w.From))
		case *icd.Question:
			out = append(out, fmt.Sprintf("%s %s", strings.SplitN(w.Name, ".", 2)[0], w.From))
		case *icd.Answer:
			out = append(out, fmt.Sprintf("%s %s", strings.SplitN(w.Name, ".", 2)[0], w.From))
		}
	}
	return out
}

func (h *home) expect(event string, since time.Time, want ...string) {
	h.t.Helper()
	if got := h.seen(event, since); !slices.Equal(got, want) {
		h.t.Errorf("%s: got %q, want %q", event, got, want)
	}
}

// TestReboot: the device withdraws its name and registers anew 0.7 s later. Both
// are seen though a cache would hold that nothing happened, and the verdict
// knows of the restart.
func TestReboot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t)
		br := h.router("fe80::a", theDevice(), other(1))
		h.listen(Config{})
		h.wait(time.Minute)
		before := time.Now()
		br.Goodbye(device)
		h.wait(700 * time.Millisecond)
		br.Set([]sim.Service{theDevice(), other(1)})
		h.wait(time.Minute)
		h.expect("goodbye", before, device+" fe80::a")
		h.expect("announce", before, device+" fe80::a")
		v, err := icd.Evaluate(h.rec.Timeline(), h.rec.Timeline().End(), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []icd.Link{icd.L1, icd.L4, icd.L5} {
			if v.State(l) != icd.Seen {
				t.Errorf("%s is %s", l, v.State(l))
			}
		}
		if v.Mode != icd.ModeShortIdle && v.Mode != icd.ModeUnknown || v.Link != 0 {
			t.Errorf("%s, %s broken", v.Mode, v.Link)
		}
	})
}

// TestTwoRouters: both border routers answer the first question, which is no
// double announcement, and both announce the device after its restart, which
// is one.
func TestTwoRouters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t)
		a, b := h.router("fe80::a", theDevice()), h.router("fe80::b", theDevice())
		h.listen(Config{})
		start := time.Now()
		h.wait(time.Minute)
		own := func(since time.Time) (n int) {
			for _, s := range h.seen("announce", since) {
				if strings.HasPrefix(s, device) {
					n++
				}
			}
			return n
		}
		if own(start) != 1 {
			t.Errorf("%q", h.seen("announce", start))
		}
		before := time.Now()
		a.Goodbye(device)
		h.wait(500 * time.Millisecond)
		a.Set([]sim.Service{theDevice()})
		h.wait(400 * time.Millisecond)
		b.Announce()
		h.wait(time.Minute)
		if own(before) != 2 {
			t.Errorf("%q", h.seen("announce", before))
		}
	})
}

// TestRouterRestarts: all that was registered goes with the border router, and
// that is told from a restart of the device.
func TestRouterRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t)
		all := []sim.Service{theDevice()}
		for i := range 30 {
			all = append(all, other(i))
		}
		br := h.router("fe80::a", all...)
		h.listen(Config{})
		h.wait(time.Minute)
		before := time.Now()
		br.Goodbye()
		h.wait(time.Minute)
		got := h.seen("goodbye", before)
		if !slices.Contains(got, device+" fe80::a") || !slices.Contains(got, "BR fe80::a fe80::a") || len(got) != 2+8 {
			t.Errorf("%q", got)
		}
	})
}

// TestSubscriberIsAskedFor: the border router asks for the device's subscriber,
// which announces itself and answers.
func TestSubscriberIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t)
		h.router("fe80::a", theDevice())
		h.listen(Config{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- mdns.Advertise(ctx, mdns.AdvertiseConfig{
				Advertisement: mdns.Operational(0x87e1b004e235a130, 0x1b669, "threadmap-x", 5541, nil),
				Sockets:       []mdns.Socket{{Link: discovery.Link{Name: "eth0"}, Conn: h.socket("fe80::77"), To: mdns.Group6}},
			})
		}()
		h.wait(time.Minute)
		// Probes are no questions, so nobody seems to look for the subscriber.
		h.expect("question", h.from)
		if got := h.seen("announce", h.from); !slices.Contains(got, hub+" fe80::77") {
			t.Errorf("%q", got)
		}
		before := time.Now()
		asker := h.socket("fe80::b")
		defer asker.Close()
		n, err := discovery.KindMatter.InstanceName(hub)
		if err != nil {
			t.Fatal(err)
		}
		asker.WriteToAddrPort(question(n, discovery.TypeSRV), mdns.Group6)
		h.wait(time.Second)
		h.expect("question", before, hub+" fe80::b")
		h.expect("answer", before, hub+" fe80::77")
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		h.wait(time.Second)
		h.expect("goodbye", before, hub+" fe80::77")
	})
}

// question is a packet that asks one thing by multicast.
func question(n discovery.Name, t discovery.Type) []byte {
	b := []byte{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	for _, l := range n.Labels() {
		b = append(append(b, byte(len(l))), l...)
	}
	return append(b, 0, byte(t>>8), byte(t), 0, 1)
}

// TestQuiet: after the first seconds nothing is asked, and nothing at all where
// that is wanted.
func TestQuiet(t *testing.T) {
	for _, quiet := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h := newHome(t)
			br := h.router("fe80::a", theDevice())
			h.listen(Config{Quiet: quiet})
			h.wait(5 * time.Second)
			first := br.Asked()
			if quiet != (first == 0) || first > 20 {
				t.Errorf("%d questions at the start", first)
			}
			h.wait(24 * time.Hour)
			if n := br.Asked(); n != first {
				t.Errorf("%d questions in a day", n-first)
			}
		})
	}
}

// TestCleanUp: it ends in bounded time with its context, and closes its
// sockets.
func TestCleanUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t)
		h.router("fe80::a", theDevice())
		end := h.listen(Config{})
		h.wait(time.Second)
		before := time.Now()
		if err := end(); err != nil || time.Since(before) > time.Second {
			t.Errorf("%v after %v", err, time.Since(before))
		}
		h.socket("fe80::1").Close() // the address is free again
	})
}

// TestNoInterface: one line.
func TestNoInterface(t *testing.T) {
	c := Config{Scope: heard.NewScope(ext), Interfaces: []string{"no such"}}
	for name, f := range map[string]func(context.Context, Config, icd.Observe) error{"MDNS": MDNS, "RA": RA} {
		if err := f(t.Context(), c, nil); err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "no such") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRA: advertisements that are given.
func TestRA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t)
		in := make(chan discovery.Advert)
		done := make(chan error, 1)
		go func() { done <- RA(t.Context(), Config{Scope: heard.NewScope(ext), Adverts: in}, h.rec.Observe) }()
		for _, lifetime := range []time.Duration{1800 * time.Second, 0} {
			in <- discovery.Advert{At: time.Now(), From: netip.MustParseAddr("fe80::a"), Interface: "eth0",
				Prefixes: []discovery.AdvertPrefix{{Prefix: netip.MustParsePrefix("fd00:1::/64"), Route: true, Lifetime: lifetime}}}
			h.wait(time.Second)
		}
		close(in)
		if err := <-done; err != nil {
			t.Error(err)
		}
		var got []string
		for o := range h.rec.Timeline().All() {
			got = append(got, fmt.Sprint(o.By, " ", o.What.(*icd.Advert).Prefixes))
		}
		if len(got) != 2 || got[1] != "ra [{fd00:1::/64 rio 0.0 s}]" {
			t.Errorf("%q", got)
		}
	})
}

// An echoer answers pings, as the device would.
type echoer struct {
	mu     sync.Mutex
	sent   []time.Time
	to     []netip.Addr
	dead   map[netip.Addr]bool
	err    error
	delay  time.Duration
	waited time.Duration
}

func (e *echoer) echo(ctx context.Context, to netip.Addr) (time.Duration, error) {
	e.mu.Lock()
	e.sent, e.to = append(e.sent, time.Now()), append(e.to, to)
	dead, err := e.dead[to], e.err
	e.mu.Unlock()
	if err != nil {
		return 0, err
	}
	delay := e.delay
	if dead {
		delay = time.Hour
	}
	start := time.Now()
	select {
	case <-time.After(delay):
		return delay, nil
	case <-ctx.Done():
		e.mu.Lock()
		e.waited = time.Since(start)
		e.mu.Unlock()
		return 0, ctx.Err()
	}
}

// tell lets the Scope hear an announcement of the device.
func tell(t *testing.T, s *heard.Scope, ttl time.Duration, txt []string, addrs ...string) {
	t.Helper()
	n, err := discovery.KindMatter.InstanceName(device)
	if err != nil {
		t.Fatal(err)
	}
	h, err := discovery.NewName(ext, "local")
	if err != nil {
		t.Fatal(err)
	}
	m := &discovery.Message{Response: true, Records: []discovery.Record{{Name: n, Type: discovery.TypeSRV, TTL: ttl, Target: h, Port: 5540}}}
	if txt != nil {
		r := discovery.Record{Name: n, Type: discovery.TypeTXT, TTL: ttl}
		for _, x := range txt {
			r.TXT = append(r.TXT, []byte(x))
		}
		m.Records = append(m.Records, r)
	}
	for _, a := range addrs {
		m.Records = append(m.Records, discovery.Record{Name: h, Type: discovery.TypeAAAA, TTL: ttl, CacheFlush: true, Addr: netip.MustParseAddr(a)})
	}
	heard.MDNS(m, discovery.Origin{Interface: "eth0", From: netip.MustParseAddrPort("[fe80::a]:5353"), At: time.Now()}, s)
}

// pings starts Ping.
func (h *home) pings(s *heard.Scope, e *echoer) (end func() error) {
	ctx, cancel := context.WithCancel(h.t.Context())
	var err error
	done := make(chan struct{})
	go func() { defer close(done); err = Ping(ctx, Config{Scope: s, Echo: e.echo}, h.rec.Observe) }()
	end = func() error { cancel(); <-done; return err }
	h.t.Cleanup(func() { end() })
	return end
}

func (e *echoer) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.sent)
}

// TestPing: how often, to whom, and how long an answer is waited for.
func TestPing(t *testing.T) {
	short := []string{"SII=5000", "SAI=300"}
	t.Run("answers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, s, e := newHome(t), heard.NewScope(ext), &echoer{delay: 3 * time.Second}
			h.pings(s, e)
			h.wait(time.Hour)
			if e.count() != 0 {
				t.Error("pinged before anything was known")
			}
			tell(t, s, time.Hour, short, "fd00:1::a")
			h.wait(time.Minute)
			if e.count() != 1 {
				t.Errorf("%d after an announcement", e.count())
			}
			h.wait(time.Hour)
			if n := e.count(); n < 11 || n > 13 {
				t.Errorf("%d in an hour", n)
			}
			o := slices.Collect(h.rec.Timeline().All())[0]
			if w := o.What.(*icd.Ping); o.By != icd.ByICMP || w.To != "fd00:1::a" || w.Sent != 1 || w.Received != 1 || *w.RTT != 3000 || w.From != "host" {
				t.Errorf("%+v", w)
			}
		})
	})
	t.Run("silent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := netip.MustParseAddr("fd00:1::a")
			h, s, e := newHome(t), heard.NewScope(ext), &echoer{dead: map[netip.Addr]bool{a: true}}
			h.pings(s, e)
			h.wait(time.Second)
			tell(t, s, time.Hour, []string{"SII=12000"}, "fd00:1::a")
			h.wait(4 * time.Minute)
			if n := e.count(); n != 6 {
				t.Errorf("%d after an announcement", n)
			}
			e.mu.Lock()
			waited := e.waited
			e.mu.Unlock()
			if waited != 29*time.Second {
				t.Errorf("waited %v", waited)
			}
			h.wait(time.Hour)
			if n := e.count(); n < 6+10 || n > 6+13 {
				t.Errorf("%d in an hour", n)
			}
			// However often it announces itself.
			before := e.count()
			for range 3600 {
				tell(t, s, time.Hour, []string{"SII=12000"}, "fd00:1::a")
				h.wait(time.Second)
			}
			if n := e.count() - before; n > 4*budget+budget {
				t.Errorf("%d in an hour of announcements", n)
			}
		})
	})
	t.Run("withdrawn", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, s, e := newHome(t), heard.NewScope(ext), &echoer{}
			h.pings(s, e)
			h.wait(time.Second)
			tell(t, s, time.Hour, short, "fd00:1::a")
			h.wait(10 * time.Second)
			before := e.count()
			tell(t, s, 0, nil)
			h.wait(20 * time.Minute)
			if n := e.count() - before; n != 4 && n != 3 {
				t.Errorf("%d in 20 minutes", n)
			}
		})
	})
	t.Run("one of two addresses", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, b := netip.MustParseAddr("fd00:1::a"), netip.MustParseAddr("fd00:2::a")
			h, s, e := newHome(t), heard.NewScope(ext), &echoer{dead: map[netip.Addr]bool{a: true}}
			h.pings(s, e)
			h.wait(time.Second)
			tell(t, s, time.Hour, short, "fe80::1:2", "fd00:1::a", "fd00:2::a")
			h.wait(4 * time.Minute)
			n := map[netip.Addr]int{}
			e.mu.Lock()
			for _, to := range e.to {
				n[to]++
			}
			e.mu.Unlock()
			if len(n) != 2 || n[a]+n[b] != 6 || n[b] != 1 {
				t.Errorf("%v", n)
			}
		})
	})
	t.Run("long idle", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, s, e := newHome(t), heard.NewScope(ext), &echoer{}
			h.pings(s, e)
			tell(t, s, time.Hour, nil, "fd00:1::a") // the mode is not known yet
			h.wait(time.Hour)
			tell(t, s, time.Hour, []string{"ICD=1"}, "fd00:1::a")
			h.wait(24 * time.Hour)
			if e.count() != 0 {
				t.Errorf("%d pings to a device that sleeps for long", e.count())
			}
			tell(t, s, time.Hour, []string{"ICD=0", "SII=5000"}, "fd00:1::a")
			h.wait(time.Minute)
			if e.count() != 1 {
				t.Errorf("%d once it sleeps for short", e.count())
			}
		})
	})
	t.Run("no route, no rights", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, s, e := newHome(t), heard.NewScope(ext), &echoer{err: errors.New("network is unreachable")}
			end := h.pings(s, e)
			tell(t, s, time.Hour, short, "fd00:1::a")
			h.wait(10 * time.Second)
			if w := slices.Collect(h.rec.Timeline().All())[0].What.(*icd.Ping); w.Error != "network is unreachable" || w.Received != 0 {
				t.Errorf("%+v", w)
			}
			e.mu.Lock()
			e.err = errNoRights
			e.mu.Unlock()
			h.wait(time.Minute)
			if err := end(); !errors.Is(err, errNoRights) || strings.Contains(err.Error(), "\n") || h.rec.Timeline().Len() != 1 {
				t.Error(err, h.rec.Timeline().Len())
			}
		})
	})
}

// TestPinger: a real echo on the loopback interface, where that is allowed.
func TestPinger(t *testing.T) {
	p, err := openPinger()
	if err != nil {
		t.Skip(err)
	}
	defer p.close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	rtt, err := p.echo(ctx, netip.IPv6Loopback())
	if err != nil {
		t.Skip("no IPv6 on the loopback interface: ", err)
	}
	if rtt <= 0 || rtt > 5*time.Second {
		t.Error(rtt)
	}
}

// TestReply: whatever comes, only what carries a token is taken.
func TestReply(t *testing.T) {
	token := strings.Repeat("t", tokenSize)
	request := "\x80\x00\x00\x00\x00\x01\x00\x01" + token
	inner := "\x60\x00\x00\x00\x00\x18\x3a\x40" + strings.Repeat("\x00", 32) + request
	for name, tt := range map[string]struct {
		b    string
		ok   bool
		want string
	}{
		"reply":          {"\x81\x00\x00\x00\x00\x01\x00\x01" + token, true, ""},
		"no route":       {"\x01\x00\x00\x00\x00\x00\x00\x00" + inner, true, "unreachable: no route to destination"},
		"prohibited":     {"\x01\x01\x00\x00\x00\x00\x00\x00" + inner, true, "unreachable: administratively prohibited"},
		"code 77":        {"\x01\x4d\x00\x00\x00\x00\x00\x00" + inner, true, "unreachable: code 77"},
		"of UDP":         {"\x01\x00\x00\x00\x00\x00\x00\x00" + strings.Replace(inner, "\x3a", "\x11", 1), false, ""},
		"short reply":    {"\x81\x00\x00\x00\x00\x01\x00\x01" + token[1:], false, ""},
		"short error":    {"\x01\x00\x00\x00\x00\x00\x00\x00" + inner[:47], false, ""},
		"nothing":        {"", false, ""},
		"something else": {"\x87\x00\x00\x00\x00\x01\x00\x01" + token, false, ""},
	} {
		got, err, ok := reply([]byte(tt.b))
		if ok != tt.ok || ok && string(got[:]) != token || (err == nil) != (tt.want == "") || err != nil && err.Error() != tt.want {
			t.Errorf("%s: %q %v %t", name, got, err, ok)
		}
	}
}
