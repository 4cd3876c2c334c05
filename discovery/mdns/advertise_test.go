package mdns

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
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"threadmap/discovery"
	sim "threadmap/simulators/mdns"
	"threadmap/simulators/simnet"
)

const (
	ourFabric, ourNode = 0x87e1b004e235a130, 0x1b669
	ourInstance        = "87E1B004E235A130-000000000001B669"
)

// ours is what the tests advertise.
func ours(host string) discovery.Advertisement {
	return Operational(ourFabric, ourNode, host, 5541, discovery.TXT{[]byte("SII=500"), []byte("SAI=300")})
}

// An ear is somebody on the LAN who hears all and asks.
type ear struct {
	t    *testing.T
	conn *simnet.Conn
	mu   sync.Mutex
	got  []heardPacket
}

type heardPacket struct {
	at   time.Time
	from netip.AddrPort
	m    *dns.Msg
	size int
}

func (l *lab) ear(addr string, port uint16) *ear {
	l.t.Helper()
	c, err := l.net.ListenPacket(netip.AddrPortFrom(netip.MustParseAddr(addr), port))
	if err != nil {
		l.t.Fatal(err)
	}
	if port == Port {
		c.JoinGroup(Group6)
	}
	e := &ear{t: l.t, conn: c}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 9000)
		for {
			n, from, err := c.ReadFromAddrPort(b)
			if err != nil {
				return
			}
			m := new(dns.Msg)
			if err := m.Unpack(b[:n]); err != nil {
				l.t.Error(err)
			}
			e.mu.Lock()
			e.got = append(e.got, heardPacket{time.Now(), from, m, n})
			e.mu.Unlock()
		}
	}()
	l.t.Cleanup(func() { c.Close(); <-done })
	return e
}

// since gives what was heard from others since the last call.
func (e *ear) since() []heardPacket {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	at := e.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	out := slices.DeleteFunc(e.got, func(p heardPacket) bool { return p.from == at })
	e.got = nil
	return out
}

func (e *ear) ask(to netip.AddrPort, change func(*dns.Msg), questions ...dns.Question) {
	e.t.Helper()
	m := &dns.Msg{Question: questions}
	if change != nil {
		change(m)
	}
	b, err := m.Pack()
	if err != nil {
		e.t.Fatal(err)
	}
	e.conn.WriteToAddrPort(b, to)
}

func q(name string, t uint16) dns.Question {
	return dns.Question{Name: name, Qtype: t, Qclass: dns.ClassINET}
}

func qu(name string, t uint16) dns.Question {
	return dns.Question{Name: name, Qtype: t, Qclass: dns.ClassINET | topBit}
}

// texts are the records of a section, without spaces and classes.
func texts(rrs []dns.RR) (out []string) {
	for _, rr := range rrs {
		h := rr.Header()
		flush := ""
		if h.Class&topBit != 0 {
			flush = " flush"
		}
		body := strings.Fields(strings.TrimPrefix(rr.String(), h.String()))
		out = append(out, fmt.Sprintf("%s %d%s %s %s", h.Name, h.Ttl, flush, dns.TypeToString[h.Rrtype], strings.Join(body, " ")))
	}
	return out
}

// advertise starts advertising; end stops it and gives its error.
func (l *lab) advertise(addr string, ad discovery.Advertisement, more func(*AdvertiseConfig)) (names func() []string, end func() error) {
	ctx, cancel := context.WithCancel(l.ctx)
	var mu sync.Mutex
	var told []string
	c := AdvertiseConfig{Advertisement: ad, Sockets: []Socket{{Link: discovery.Link{Name: "eth0"}, Conn: l.socket(addr), To: Group6}},
		Addresses: func(string) []netip.Addr {
			return []netip.Addr{netip.MustParseAddr(addr), netip.MustParseAddr("fd00::1")}
		},
		Announced: func(n discovery.Name) { mu.Lock(); defer mu.Unlock(); told = append(told, n.String()) }}
	if more != nil {
		more(&c)
	}
	done := make(chan struct{})
	var err error
	go func() { defer close(done); err = Advertise(ctx, c) }()
	end = func() error { cancel(); <-done; return err }
	l.t.Cleanup(func() { end() })
	return func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(told) }, end
}

// TestAdvertise: three probes, two announcements, a goodbye, all in time.
func TestAdvertise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		e := l.ear("fe80::9", Port)
		start := time.Now()
		names, end := l.advertise("fe80::1", ours("threadmap-1"), nil)
		l.wait(5 * time.Second)
		got := e.since()
		if len(got) != 5 {
			t.Fatalf("%d packets", len(got))
		}
		for i, p := range got[:3] {
			if p.m.Response || len(p.m.Question) != 2 || p.m.Question[0].Qtype != dns.TypeANY || len(p.m.Ns) != 4 || p.from.Port() != Port {
				t.Errorf("probe %d: %v", i, p.m)
			}
			if i > 0 && p.at.Sub(got[i-1].at) != 250*time.Millisecond || i == 0 && p.at.Sub(start) > 250*time.Millisecond {
				t.Errorf("probe %d after %v", i, p.at.Sub(start))
			}
		}
		want := []string{
			"_matter._tcp.local. 4500 PTR " + ourInstance + "._matter._tcp.local.",
			"_I87E1B004E235A130._sub._matter._tcp.local. 4500 PTR " + ourInstance + "._matter._tcp.local.",
			"_services._dns-sd._udp.local. 4500 PTR _matter._tcp.local.",
			ourInstance + "._matter._tcp.local. 120 flush SRV 0 0 5541 threadmap-1.local.",
			ourInstance + `._matter._tcp.local. 4500 flush TXT "SII=500" "SAI=300"`,
			"threadmap-1.local. 120 flush AAAA fd00::1", "threadmap-1.local. 120 flush AAAA fe80::1",
		}
		for i, p := range got[3:] {
			if !p.m.Response || !p.m.Authoritative || p.m.Id != 0 || len(p.m.Question) != 0 || !slices.Equal(texts(p.m.Answer), want) {
				t.Errorf("announcement %d: %q", i, texts(p.m.Answer))
			}
		}
		if d := got[4].at.Sub(got[3].at); d != time.Second || got[3].at.Sub(got[2].at) != 250*time.Millisecond {
			t.Error(d)
		}
		if n := names(); len(n) != 1 || n[0] != "threadmap-1.local" {
			t.Error(n)
		}
		l.wait(time.Hour)
		if got := e.since(); len(got) != 0 {
			t.Errorf("%d packets unasked", len(got))
		}
		before := time.Now()
		if err := end(); err != nil || time.Since(before) > time.Second {
			t.Errorf("%v after %v", err, time.Since(before))
		}
		got = e.since()
		if len(got) != 2 {
			t.Fatalf("%d goodbyes", len(got))
		}
		for _, x := range texts(got[0].m.Answer) {
			if !strings.Contains(x, " 0 ") || strings.Contains(x, "_services") {
				t.Error(x)
			}
		}
		if len(got[0].m.Answer) != 6 {
			t.Errorf("%q", texts(got[0].m.Answer))
		}
	})
}

// TestAdvertiseAnswers: who asks what gets which answer, where and when.
func TestAdvertiseAnswers(t *testing.T) {
	const zone, instance, host = "_matter._tcp.local.", ourInstance + "._matter._tcp.local.", "threadmap-1.local."
	long := time.Hour // since the last multicast
	for name, tt := range map[string]struct {
		wait      time.Duration
		port      uint16
		ask       []dns.Question
		change    func(*dns.Msg)
		answers   int
		unicast   bool
		min, most time.Duration
		check     func(*testing.T, *dns.Msg)
	}{
		"browse":         {wait: long, ask: []dns.Question{q(zone, dns.TypePTR)}, answers: 1, min: 20 * time.Millisecond, most: 120 * time.Millisecond},
		"of the fabric":  {wait: long, ask: []dns.Question{q("_i87e1b004e235a130._SUB._matter._tcp.local.", dns.TypePTR)}, answers: 1, min: 20 * time.Millisecond, most: 120 * time.Millisecond},
		"another fabric": {wait: long, ask: []dns.Question{q("_I87E1B004E235A131._sub._matter._tcp.local.", dns.TypePTR)}},
		"kinds":          {wait: long, ask: []dns.Question{q("_services._dns-sd._udp.local.", dns.TypePTR)}, answers: 1, min: 20 * time.Millisecond, most: 120 * time.Millisecond},
		"by name": {wait: long, ask: []dns.Question{q(instance, dns.TypeSRV), q(instance, dns.TypeTXT)}, answers: 2, check: func(t *testing.T, m *dns.Msg) {
			if len(m.Extra) != 2 {
				t.Errorf("%q", texts(m.Extra))
			}
		}},
		"in lower case":   {wait: long, ask: []dns.Question{q(strings.ToLower(instance), dns.TypeSRV)}, answers: 1},
		"any":             {wait: long, ask: []dns.Question{q(instance, dns.TypeANY)}, answers: 2},
		"host":            {wait: long, ask: []dns.Question{q(host, dns.TypeAAAA)}, answers: 2},
		"A that we lack":  {wait: long, ask: []dns.Question{q(host, dns.TypeA)}},
		"QU, long silent": {wait: long, ask: []dns.Question{qu(host, dns.TypeAAAA)}, answers: 2},
		"QU":              {wait: 10 * time.Second, ask: []dns.Question{qu(host, dns.TypeAAAA)}, answers: 2, unicast: true},
		"QU and not":      {wait: 10 * time.Second, ask: []dns.Question{qu(host, dns.TypeAAAA), q(instance, dns.TypeSRV)}, answers: 3},
		"simple resolver": {wait: long, port: 40000, ask: []dns.Question{q(instance, dns.TypeSRV)}, change: func(m *dns.Msg) { m.Id = 4711 }, answers: 1, unicast: true, check: func(t *testing.T, m *dns.Msg) {
			if m.Id != 4711 || len(m.Question) != 1 || m.Question[0].Qclass != dns.ClassINET || m.Answer[0].Header().Ttl != 10 || m.Answer[0].Header().Class != dns.ClassINET || len(m.Extra) != 2 {
				t.Errorf("%v", m)
			}
		}},
		"known": {wait: long, ask: []dns.Question{q(zone, dns.TypePTR)}, change: func(m *dns.Msg) {
			m.Answer = []dns.RR{&dns.PTR{Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: 2250}, Ptr: instance}}
		}},
		"known for long": {wait: long, ask: []dns.Question{q(zone, dns.TypePTR)}, change: func(m *dns.Msg) {
			m.Answer = []dns.RR{&dns.PTR{Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: 2249}, Ptr: instance}}
		}, answers: 1, min: 20 * time.Millisecond, most: 120 * time.Millisecond},
		"more known answers to come": {wait: long, ask: []dns.Question{q(zone, dns.TypePTR)}, change: func(m *dns.Msg) { m.Truncated = true }, answers: 1, min: 400 * time.Millisecond, most: 500 * time.Millisecond},
		"probe for our name": {wait: 500 * time.Millisecond, ask: []dns.Question{q(host, dns.TypeANY)}, change: func(m *dns.Msg) {
			m.Ns = []dns.RR{&dns.AAAA{Hdr: dns.RR_Header{Name: host, Rrtype: dns.TypeAAAA, Class: dns.ClassINET, Ttl: 120}, AAAA: net.ParseIP("fe80::9")}}
		}, answers: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				l.advertise("fe80::1", ours("threadmap-1"), nil)
				l.wait(2*time.Second + tt.wait)
				port := tt.port
				if port == 0 {
					port = Port
				}
				e := l.ear("fe80::9", port)
				other := l.ear("fe80::8", Port)
				asked := time.Now()
				e.ask(Group6, tt.change, tt.ask...)
				l.wait(900 * time.Millisecond)
				got := e.since()
				if tt.answers == 0 {
					if len(got) != 0 {
						t.Errorf("%v", got[0].m)
					}
					return
				}
				if len(got) != 1 || len(got[0].m.Answer) != tt.answers {
					t.Fatalf("%d packets: %v", len(got), got)
				}
				if d := got[0].at.Sub(asked); d < tt.min || d > tt.most {
					t.Errorf("after %v", d)
				}
				// Another one hears what goes to the group.
				if n := len(answersOf(other.since())); (n == 1) != (tt.port == 0 && !tt.unicast) {
					t.Errorf("somebody else heard %d answers", n)
				}
				if tt.check != nil {
					tt.check(t, got[0].m)
				}
			})
		})
	}
}

func answersOf(all []heardPacket) []heardPacket {
	return slices.DeleteFunc(all, func(p heardPacket) bool { return !p.m.Response })
}

// TestAdvertiseRate: a record goes to the group once a second, however often
// it is asked for, and a flood of questions by unicast is not answered in full.
func TestAdvertiseRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.advertise("fe80::1", ours("threadmap-1"), nil)
		l.wait(time.Minute)
		e := l.ear("fe80::9", Port)
		for range 300 {
			e.ask(Group6, nil, q("threadmap-1.local.", dns.TypeAAAA))
			l.wait(10 * time.Millisecond)
		}
		l.wait(3 * time.Second)
		if n := len(answersOf(e.since())); n < 3 || n > 4 {
			t.Errorf("%d answers in three seconds", n)
		}
		flood := l.ear("fe80::a", 40001)
		for range 2000 {
			flood.ask(Group6, nil, q("threadmap-1.local.", dns.TypeAAAA))
		}
		l.wait(time.Second)
		if n := len(flood.since()); n < 1 || n > 60 {
			t.Errorf("%d answers to a flood", n)
		}
	})
}

// TestAdvertiseConflict: a host name that is taken is left to its owner; an
// instance that is taken ends it.
func TestAdvertiseConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.responder("fe80::2", sim.Behaviour{}, sim.Service{Kind: "_other._tcp", Instance: "x", Host: "threadmap-1", Port: 1, Addrs: []netip.Addr{netip.MustParseAddr("fe80::2")}})
		names, end := l.advertise("fe80::1", ours("threadmap-1"), nil)
		l.wait(5 * time.Second)
		synctest.Wait()
		if n := names(); len(n) != 1 || n[0] != "threadmap-1-2.local" {
			t.Error(n)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.responder("fe80::2", sim.Behaviour{}, sim.Service{Kind: "_matter._tcp", Instance: ourInstance, Host: "other", Port: 5541, Addrs: []netip.Addr{netip.MustParseAddr("fe80::2")}})
		names, end := l.advertise("fe80::1", ours("threadmap-1"), nil)
		l.wait(5 * time.Second)
		synctest.Wait()
		if err := end(); !errors.Is(err, discovery.ErrNameTaken) || strings.Contains(err.Error(), "\n") || len(names()) != 0 {
			t.Error(err, names())
		}
	})
	// Two that start at once, and one that comes later: each ends with a name of
	// its own.
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		other := ours("threadmap-1")
		other.Instance = "87E1B004E235A130-0000000000000002"
		third := ours("threadmap-1")
		third.Instance = "87E1B004E235A130-0000000000000003"
		own := func(c *AdvertiseConfig) { c.Addresses = nil }
		a, _ := l.advertise("fe80::1", ours("threadmap-1"), own)
		b, _ := l.advertise("fe80::2", other, own)
		l.wait(10 * time.Second)
		c, _ := l.advertise("fe80::3", third, own)
		l.wait(10 * time.Second)
		synctest.Wait()
		all := []string{}
		for _, n := range [][]string{a(), b(), c()} {
			if len(n) == 0 {
				t.Fatal("not announced")
			}
			all = append(all, n[len(n)-1])
		}
		slices.Sort(all)
		if len(slices.Compact(all)) != 3 {
			t.Error(all)
		}
	})
}

// TestAdvertiseTwoInterfaces: what comes back on another interface of the same
// link is ours and no conflict.
func TestAdvertiseTwoInterfaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		names, _ := l.advertise("fe80::1", ours("threadmap-1"), func(c *AdvertiseConfig) {
			c.Sockets = append(c.Sockets, Socket{Link: discovery.Link{Name: "wlan0"}, Conn: l.socket("fe80::2"), To: Group6})
			c.Addresses = nil
		})
		l.wait(time.Minute)
		synctest.Wait()
		if n := names(); len(n) != 1 || n[0] != "threadmap-1.local" {
			t.Error(n)
		}
	})
}

// TestAdvertiseAddresses: a new address is announced, and the old one flushed.
func TestAdvertiseAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		var mu sync.Mutex
		addr := netip.MustParseAddr("fd00::1")
		l.advertise("fe80::1", ours("threadmap-1"), func(c *AdvertiseConfig) {
			c.Addresses = func(string) []netip.Addr { mu.Lock(); defer mu.Unlock(); return []netip.Addr{addr} }
		})
		v, end := l.browseFrom("fe80::7", Config{})
		l.wait(5 * time.Second)
		mu.Lock()
		addr = netip.MustParseAddr("fd00::2")
		mu.Unlock()
		l.wait(15 * time.Second)
		end()
		if s := v.result.Services; len(s) != 1 || fmt.Sprint(s[0].Addresses) != "[fd00::2]" || s[0].Port != 5541 || string(s[0].TXT[0]) != "SII=500" {
			t.Errorf("%+v", s)
		}
	})
}

// TestAdvertiseRefuses: what can't be advertised is said before anything is
// sent.
func TestAdvertiseRefuses(t *testing.T) {
	for name, change := range map[string]func(*discovery.Advertisement){
		"kind": func(a *discovery.Advertisement) { a.Kind = "x" }, "instance": func(a *discovery.Advertisement) { a.Instance = "" },
		"host": func(a *discovery.Advertisement) { a.Host = strings.Repeat("h", 60) }, "port": func(a *discovery.Advertisement) { a.Port = 0 },
		"TXT":     func(a *discovery.Advertisement) { a.TXT = discovery.TXT{make([]byte, 250), make([]byte, 250)} },
		"subtype": func(a *discovery.Advertisement) { a.Subtypes = []string{""} },
	} {
		ad := ours("h")
		change(&ad)
		if err := Advertise(t.Context(), AdvertiseConfig{Advertisement: ad, Interfaces: []string{"no such"}}); err == nil || strings.Contains(err.Error(), "no such\"") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Advertise(t.Context(), AdvertiseConfig{Advertisement: ours("h"), Interfaces: []string{"no such"}}); err == nil || !strings.Contains(err.Error(), "no interface \"no such\"") {
		t.Error(err)
	}
}

// FuzzAdvertise: whatever comes, an advertiser neither fails nor floods.
func FuzzAdvertise(f *testing.F) {
	for _, m := range []*dns.Msg{
		{Question: []dns.Question{q("_matter._tcp.local.", dns.TypePTR)}}, {Question: []dns.Question{qu("h.local.", dns.TypeANY)}},
		{MsgHdr: dns.MsgHdr{Response: true}, Answer: []dns.RR{&dns.AAAA{Hdr: dns.RR_Header{Name: "h.local.", Rrtype: dns.TypeAAAA, Class: 1, Ttl: 120}, AAAA: net.ParseIP("fe80::5")}}},
	} {
		b, _ := m.Pack()
		f.Add(b, uint16(5353))
	}
	f.Fuzz(func(t *testing.T, b []byte, port uint16) {
		a, err := discovery.NewAdvertiser(ours("h"), 1)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(1e9, 0)
		a.SetLink("eth0", []netip.Addr{netip.MustParseAddr("fe80::1")}, now)
		sent := 0
		end := now.Add(10 * time.Second)
		for i := 0; now.Before(end) && i < 1000; i++ {
			if m, _ := Parse(b); m != nil {
				a.Take(m, discovery.Origin{Interface: "eth0", From: netip.AddrPortFrom(netip.MustParseAddr("fe80::9"), port), At: now})
			}
			for _, o := range a.Step(now) {
				if p, err := packOutgoing(o); err != nil || len(p) > maxSent {
					t.Fatalf("%d octets, %v", len(p), err)
				}
				sent++
			}
			now = now.Add(20 * time.Millisecond)
			if a.Next(now).Before(now) {
				t.Fatal("time runs back")
			}
		}
		if sent > 200 {
			t.Errorf("%d packets in ten seconds", sent)
		}
	})
}
