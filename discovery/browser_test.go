package discovery

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)

// A lan drives a Browser by hand.
type lan struct {
	t      *testing.T
	b      *Browser
	now    time.Time
	events []Event
	asked  []Query
}

func newLAN(t *testing.T, o Options, links ...string) *lan {
	l := &lan{t: t, b: NewBrowser(o), now: epoch}
	if links == nil {
		links = []string{"eth0"}
	}
	for _, n := range links {
		l.b.AddLink(Link{Name: n, Zone: n}, l.now)
	}
	l.until(0)
	l.asked = nil
	return l
}

// until steps up to a time after the start, whenever the Browser wants to be
// called.
func (l *lan) until(d time.Duration) {
	l.t.Helper()
	end := epoch.Add(d)
	for n := 0; ; n++ {
		if n > 100_000 {
			l.t.Fatal("the Browser wants to be called all the time")
		}
		events, asked := l.b.Step(l.now)
		l.events, l.asked = append(l.events, events...), append(l.asked, asked...)
		next := l.b.Next(l.now)
		if !next.After(l.now) {
			l.t.Fatalf("next is %v, now is %v", next, l.now)
		}
		if next.After(end) {
			break
		}
		l.now = next
	}
	l.now = end
	events, asked := l.b.Step(l.now)
	l.events, l.asked = append(l.events, events...), append(l.asked, asked...)
}

func (l *lan) hear(from, link string, records ...Record) {
	l.b.Take(&Message{Response: true, Records: records}, Origin{Interface: link, From: netip.AddrPortFrom(netip.MustParseAddr(from), 5353), At: l.now})
	events, asked := l.b.Step(l.now)
	l.events, l.asked = append(l.events, events...), append(l.asked, asked...)
}

// said is the events since the last call, in short.
func (l *lan) said() string {
	var out []string
	for _, e := range l.events {
		s := fmt.Sprintf("%v %s %s", e.At.Sub(epoch), e.Kind, e.Service.Instance)
		switch e.Kind {
		case Added:
			s += fmt.Sprintf("@%s %v", e.Service.Host, e.Service.Addresses)
		case Changed:
			s += fmt.Sprintf("@%s %v", e.Service.Host, e.What)
		case Removed:
			s += fmt.Sprintf("@%s %s", e.Service.Host, e.Reason)
		case Heard:
			s += fmt.Sprintf(" from %s ttl %v", e.From.Addr(), e.TTL)
		case Asking:
			s = fmt.Sprintf("%v asking %s %s by %s", e.At.Sub(epoch), e.Asked.Name, e.Asked.Type, e.From)
		}
		out = append(out, s)
	}
	l.events = nil
	return strings.Join(out, "\n")
}

func (l *lan) want(want string) {
	l.t.Helper()
	if got := l.said(); got != want {
		l.t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// service are the records of a `_meshcop._udp` service.
func service(instance, host string, port uint16, txt string, addrs ...string) []Record {
	zone := KindMeshCoP.Name()
	name, _ := zone.Under(instance)
	out := []Record{
		{Name: zone, Type: TypePTR, TTL: 4500 * time.Second, Target: name},
		{Name: name, Type: TypeSRV, TTL: 4500 * time.Second, CacheFlush: true, Target: mustName(host, "local"), Port: port},
		{Name: name, Type: TypeTXT, TTL: 4500 * time.Second, CacheFlush: true, TXT: [][]byte{[]byte(txt)}},
	}
	return append(out, hostRecords(host, addrs...)...)
}

func hostRecords(host string, addrs ...string) []Record {
	var out []Record
	for _, s := range addrs {
		a := netip.MustParseAddr(s)
		t := TypeAAAA
		if a.Is4() {
			t = TypeA
		}
		out = append(out, Record{Name: mustName(host, "local"), Type: t, TTL: 120 * time.Second, CacheFlush: true, Addr: a})
	}
	return out
}

func bye(records []Record) []Record {
	out := slices.Clone(records[:3])
	for i := range out {
		out[i].TTL = 0
	}
	return out
}

func TestGoodbye(t *testing.T) {
	l := newLAN(t, Options{})
	l.until(time.Second)
	l.hear("fe80::a", "eth0", service("A", "a", 1, "x", "fd00::a")...)
	l.want("1s added A@a.local [fd00::a]")
	l.until(10 * time.Second)
	l.hear("fe80::a", "eth0", bye(service("A", "a", 1, "x", "fd00::a"))...)
	l.want("")
	l.until(12 * time.Second)
	l.want("11s removed A@a.local goodbye")
	if s := l.b.Services(); len(s) != 0 {
		t.Error(s)
	}
}

// TestRescue: a re-announcement within a second of the goodbye (RFC 6762,
// section 10.1), as after a reboot: nothing was removed, and whoever wants to
// know is told of both.
func TestRescue(t *testing.T) {
	l := newLAN(t, Options{Heard: true})
	s := service("A", "a", 1, "x", "fd00::a")
	l.hear("fe80::a", "eth0", s...)
	l.until(5 * time.Second)
	l.hear("fe80::a", "eth0", bye(s)...)
	l.until(5700 * time.Millisecond)
	l.hear("fe80::a", "eth0", s...)
	l.until(9 * time.Second)
	l.want(`0s heard A from fe80::a ttl 1h15m0s
0s added A@a.local [fd00::a]
5s heard A from fe80::a ttl 0s
5.7s heard A from fe80::a ttl 1h15m0s`)
}

func TestExpiry(t *testing.T) {
	l := newLAN(t, Options{})
	s := service("A", "a", 1, "x", "fd00::a")
	for i := range s {
		s[i].TTL = 100 * time.Second
	}
	l.hear("fe80::a", "eth0", s...)
	l.until(200 * time.Second)
	l.want("0s added A@a.local [fd00::a]\n1m40s removed A@a.local expired")
	// It was asked for again before it went, and the answer was not repeated as known.
	got := map[Type]int{}
	for _, q := range l.asked {
		for _, one := range q.Questions {
			if one.Name.First() == "A" || one.Name.First() == "a" {
				got[one.Type]++
			}
		}
	}
	for _, typ := range []Type{TypeSRV, TypeTXT, TypeAAAA} {
		if got[typ] < 2 || got[typ] > 20 {
			t.Errorf("%s was asked for %d times", typ, got[typ])
		}
	}
}

func TestChanges(t *testing.T) {
	l := newLAN(t, Options{})
	say := func(at time.Duration, r ...Record) {
		l.until(at)
		l.hear("fe80::a", "eth0", r...)
	}
	say(0, service("A", "a", 1, "x", "fd00::a")...)
	l.want("0s added A@a.local [fd00::a]")
	say(10*time.Second, service("A", "a", 1, "x", "fd00::a")...)
	l.want("")
	say(20*time.Second, service("A", "a", 1, "y", "fd00::a")...)
	l.want("20s changed A@a.local [txt]")
	say(30*time.Second, service("A", "a", 2, "y", "fd00::a")...)
	l.want("30s changed A@a.local [port]")
	say(40*time.Second, service("A", "b", 2, "y", "fd00::a")...)
	l.want("40s changed A@b.local [host]")
	// A new address with the cache-flush bit: the old one has a second, for its
	// record may follow in another packet.
	say(50*time.Second, hostRecords("b", "fd00::b")...)
	l.until(52 * time.Second)
	l.want("50s changed A@b.local [addresses]\n51s changed A@b.local [addresses]")
	if s := l.b.Services(); len(s) != 1 || fmt.Sprint(s[0].Addresses) != "[fd00::b]" || s[0].Port != 2 || string(s[0].TXT[0]) != "y" {
		t.Errorf("%+v", s)
	}
	// Two addresses in two packets of one answer are both kept.
	say(60*time.Second, hostRecords("b", "fd00::1")...)
	say(60100*time.Millisecond, hostRecords("b", "fd00::2")...)
	l.until(70 * time.Second)
	if s := l.b.Services(); fmt.Sprint(s[0].Addresses) != "[fd00::1 fd00::2]" {
		t.Errorf("%+v", s)
	}
}

// TestTXTDoesNotComeBack: a record that its owner replaced is gone at once and
// stays gone, whatever goodbyes follow.
func TestTXTDoesNotComeBack(t *testing.T) {
	l := newLAN(t, Options{})
	l.hear("fe80::a", "eth0", service("A", "a", 1, "old", "fd00::a")...)
	l.hear("192.0.2.1", "eth0", service("A", "a", 1, "old", "fd00::a")...)
	l.until(5 * time.Second)
	l.hear("fe80::a", "eth0", service("A", "a", 1, "new", "fd00::a")...)
	l.hear("192.0.2.1", "eth0", service("A", "a", 1, "new", "fd00::a")...)
	l.until(5500 * time.Millisecond)
	l.hear("fe80::a", "eth0", bye(service("A", "a", 1, "new"))...)
	l.until(20 * time.Second)
	if got := l.said(); strings.Contains(got, "conflict") || strings.Count(got, "txt") != 1 || !strings.HasSuffix(got, "6.5s removed A@a.local goodbye") {
		t.Error(got)
	}
}

// TestTwoHostsOneName: both are visible, each knows of the other, and when one
// goes the other remains.
func TestTwoHostsOneName(t *testing.T) {
	l := newLAN(t, Options{})
	a, b := service("Same", "a", 1, "xa", "fd00::a"), service("Same", "b", 2, "xb", "fd00::b")
	l.hear("fe80::a", "eth0", a...)
	l.until(100 * time.Millisecond)
	l.hear("fe80::b", "eth0", b...)
	l.until(5 * time.Second)
	s := l.b.Services()
	if len(s) != 2 || s[0].Host.String() != "a.local" || s[1].Host.String() != "b.local" || s[0].OtherHosts[0] != s[1].Host || s[1].OtherHosts[0] != s[0].Host ||
		string(s[0].TXT[0]) != "xa" || string(s[1].TXT[0]) != "xb" || s[0].Port != 1 || s[1].Port != 2 {
		t.Fatalf("%+v", s)
	}
	l.want("0s added Same@a.local [fd00::a]\n100ms changed Same@a.local [conflict]\n100ms added Same@b.local [fd00::b]")
	// Much later one repeats itself, and flushes the other: it is asked after,
	// answers, and stays.
	l.until(100 * time.Second)
	l.asked = nil
	l.hear("fe80::a", "eth0", a...)
	l.until(100*time.Second + 10*time.Millisecond)
	if len(l.asked) == 0 {
		t.Error("nobody asked for the other one")
	}
	l.until(100*time.Second + 200*time.Millisecond)
	l.hear("fe80::b", "eth0", b...)
	l.hear("fe80::a", "eth0", a...)
	l.until(110 * time.Second)
	if s := l.b.Services(); len(s) != 2 {
		t.Errorf("%+v", s)
	}
	l.want("")
	l.hear("fe80::b", "eth0", bye(b)[1:]...) // its SRV and TXT; the PTR is the other one's too
	l.until(115 * time.Second)
	l.want("1m51s changed Same@a.local [conflict]\n1m51s removed Same@b.local goodbye")
}

// TestTwoBorderRouters: one instance said by two border routers 0.5 s apart is
// one service with two responders, which their address records tell apart; one
// machine on IPv4 and IPv6 is one host.
func TestTwoBorderRouters(t *testing.T) {
	l := newLAN(t, Options{Heard: true})
	s := service("A", "0e01010101010101", 5540, "x", "fd00::a")
	l.hear("fe80::1", "eth0", hostRecords("br1", "fe80::1", "192.0.2.1")...)
	l.hear("fe80::2", "eth0", hostRecords("br2", "fe80::2")...)
	l.hear("fe80::1", "eth0", s...)
	l.hear("192.0.2.1", "eth0", s...)
	l.until(500 * time.Millisecond)
	l.hear("fe80::2", "eth0", s...)
	l.until(2 * time.Second)
	got := l.b.Services()
	if len(got) != 1 || len(got[0].Responders) != 3 || got[0].OtherHosts != nil || got[0].OtherTXT != nil {
		t.Fatalf("%+v", got)
	}
	r := got[0].Responders
	if r[0].Addr.String() != "192.0.2.1" || r[1].Addr.String() != "fe80::1%eth0" || r[2].Addr.String() != "fe80::2%eth0" ||
		r[0].Host != r[1].Host || r[2].Host.String() != "br2.local" || r[2].First.Sub(r[0].First) != 500*time.Millisecond {
		t.Errorf("%+v", r)
	}
	l.want(`0s heard A from fe80::1 ttl 1h15m0s
0s added A@0e01010101010101.local [fd00::a]
0s heard A from 192.0.2.1 ttl 1h15m0s
500ms heard A from fe80::2 ttl 1h15m0s`)
	// The goodbye of one is no goodbye of the other: it is asked after.
	l.until(10 * time.Second)
	l.said()
	l.asked = nil
	l.hear("fe80::1", "eth0", bye(s)...)
	if len(l.asked) == 0 || len(l.asked[0].Questions) < 2 {
		t.Errorf("asked %+v", l.asked)
	}
	l.hear("fe80::2", "eth0", s...)
	l.until(20 * time.Second)
	if got := l.said(); strings.Contains(got, "removed") || len(l.b.Services()) != 1 {
		t.Error(got)
	}
}

// TestInterfaces: one service on two interfaces is one, with the link-local
// address of each.
func TestInterfaces(t *testing.T) {
	l := newLAN(t, Options{}, "eth0", "wlan0")
	s := service("A", "a", 1, "x", "fe80::a", "192.0.2.1")
	l.hear("fe80::a", "eth0", s...)
	l.hear("fe80::a", "wlan0", s...)
	l.want("0s added A@a.local [192.0.2.1 fe80::a%eth0]\n0s changed A@a.local [addresses interfaces]")
	got := l.b.Services()
	if len(got) != 1 || fmt.Sprint(got[0].Addresses) != "[192.0.2.1 fe80::a%eth0 fe80::a%wlan0]" || len(got[0].Responders) != 2 {
		t.Errorf("%+v", got)
	}
	if e := got[0].Endpoints(); len(e) != 3 || e[1].String() != "[fe80::a%eth0]:1" {
		t.Error(e)
	}
}

// TestIncomplete: what lacks something is asked for, and after a while told of
// as it is.
func TestIncomplete(t *testing.T) {
	l := newLAN(t, Options{})
	all := service("A", "a", 1, "x", "fd00::a")
	l.hear("fe80::a", "eth0", all[0])
	if l.b.Unfinished() != 1 {
		t.Error("nothing is missing")
	}
	l.until(time.Second)
	var names []string
	for _, q := range l.asked {
		for _, one := range q.Questions {
			if one.Type != TypePTR {
				names = append(names, one.Name.First()+" "+one.Type.String())
			}
		}
	}
	if !slices.Contains(names, "A SRV") || !slices.Contains(names, "A TXT") || len(names) > 8 {
		t.Error(names)
	}
	l.want("")
	l.until(4 * time.Second)
	l.want("3s added A@. []")
	l.hear("fe80::a", "eth0", all[1], all[2])
	l.want("4s changed A@a.local [host port txt]")
	l.hear("fe80::a", "eth0", all[3])
	l.want("4s changed A@a.local [addresses]")
	if l.b.Unfinished() != 0 {
		t.Error("something is missing")
	}
}

// TestKnownAnswers: what has half its time left is not asked to be repeated.
func TestKnownAnswers(t *testing.T) {
	l := newLAN(t, Options{Kinds: []Kind{KindMeshCoP}})
	s := service("A", "a", 1, "x", "fd00::a")
	s[0].TTL = 100 * time.Second
	l.hear("fe80::a", "eth0", s...)
	known := func(at time.Duration) []Record {
		l.until(at)
		l.asked = nil
		l.until(at + time.Minute)
		for _, q := range l.asked {
			if q.Questions[0].Type == TypePTR {
				return q.Known
			}
		}
		t.Fatal("no browse question")
		return nil
	}
	l.until(290 * time.Millisecond)
	l.asked = nil
	l.until(310 * time.Millisecond)
	if len(l.asked) != 1 || len(l.asked[0].Known) != 1 || l.asked[0].Known[0].TTL != 99*time.Second || l.asked[0].Questions[0].Unicast {
		t.Errorf("%+v", l.asked)
	}
	if k := known(70 * time.Second); len(k) != 0 {
		t.Errorf("%+v", k)
	}
}

// TestUnknownInstanceOfWantedName: an instance that no browse question brings
// is found by its name.
func TestWantedNames(t *testing.T) {
	n, _ := KindMatter.InstanceName("87E1B004E235A130-0000000000000007")
	l := newLAN(t, Options{Names: []Name{n}})
	l.until(time.Second)
	asked := 0
	for _, q := range l.asked {
		for _, one := range q.Questions {
			if one.Name == n && (one.Type == TypeSRV || one.Type == TypeTXT) {
				asked++
			}
		}
	}
	if asked < 2 {
		t.Errorf("asked %d times", asked)
	}
	l.hear("fe80::a", "eth0", Record{Name: n, Type: TypeSRV, TTL: time.Minute, Target: mustName("h", "local"), Port: 5540},
		Record{Name: n, Type: TypeTXT, TTL: time.Minute, TXT: [][]byte{{}}}, hostRecords("h", "fd00::7")[0])
	l.want("1s added 87E1B004E235A130-0000000000000007@h.local [fd00::7]")
}

// TestSubtypes: an instance that only the browse for its subtype brings is there,
// and stays when it leaves the subtype.
func TestSubtypes(t *testing.T) {
	sub := Subtype{KindMatterC, "_L3840"}
	if got := sub.Name().String(); got != "_L3840._sub._matterc._udp.local" {
		t.Error(got)
	}
	for _, none := range []Subtype{{"none", "_L1"}, {KindMatterC, ""}, {KindMatterC, strings.Repeat("x", 64)}} {
		if !none.Name().IsRoot() {
			t.Errorf("%v is %v", none, none.Name())
		}
	}
	l := newLAN(t, Options{Kinds: []Kind{KindMatterC}, Subtypes: []Subtype{sub, {KindMatter, "_I0000000000000001"}, {"none", "_x"}}})
	l.until(time.Second)
	asked := map[string]int{}
	for _, q := range l.asked {
		for _, one := range q.Questions {
			asked[one.Name.String()]++
		}
	}
	if asked["_L3840._sub._matterc._udp.local"] < 1 || asked["_matterc._udp.local"] != asked["_L3840._sub._matterc._udp.local"] || len(asked) != 2 {
		t.Errorf("asked for %v", asked)
	}
	n, _ := KindMatterC.InstanceName("DD200C20D25AE5F7")
	l.hear("fe80::a", "eth0", Record{Name: mustName("_l3840", "_SUB", "_matterc", "_udp", "local"), Type: TypePTR, TTL: time.Minute, Target: n},
		Record{Name: n, Type: TypeSRV, TTL: time.Minute, Target: mustName("h", "local"), Port: 5540},
		Record{Name: n, Type: TypeTXT, TTL: time.Minute, TXT: [][]byte{[]byte("D=3840")}}, hostRecords("h", "fd00::7")[0])
	l.want("1s added DD200C20D25AE5F7@h.local [fd00::7]")
	l.hear("fe80::a", "eth0", Record{Name: sub.Name(), Type: TypePTR, TTL: 0, Target: n})
	l.until(5 * time.Second)
	l.want("")
}

// TestForeign: other kinds of services are not kept.
func TestForeign(t *testing.T) {
	l := newLAN(t, Options{})
	zone := mustName("_ipp", "_tcp", "local")
	printer, _ := zone.Under("Printer")
	l.hear("fe80::a", "eth0", Record{Name: zone, Type: TypePTR, TTL: time.Hour, Target: printer},
		Record{Name: printer, Type: TypeSRV, TTL: time.Hour, Target: mustName("p", "local"), Port: 631},
		Record{Name: KindMatter.Name(), Type: TypePTR, TTL: time.Hour, Target: printer}) // points out of its kind
	l.until(5 * time.Second)
	l.want("")
	if s, _ := l.b.Stats("eth0"); s.Records > 1 {
		t.Errorf("%+v", s)
	}
	l.b.Take(&Message{Response: true}, Origin{Interface: "none"})
	if _, ok := l.b.Stats("none"); ok {
		t.Error("a link that is none")
	}
}

// TestPlain: a responder that is asked directly gives times to live of at most
// 10 s; its records are not thought to go so soon.
func TestPlain(t *testing.T) {
	l := &lan{t: t, b: NewBrowser(Options{}), now: epoch}
	l.b.AddLink(Link{Name: "[::1]:5300", Plain: true}, l.now)
	l.until(0)
	for _, q := range l.asked[0].Questions {
		if q.Unicast {
			t.Error("a plain question wants a unicast answer")
		}
	}
	s := service("A", "a", 1, "x", "fe80::a")
	for i := range s {
		s[i].TTL, s[i].CacheFlush = 10*time.Second, false
	}
	l.hear("::1", "[::1]:5300", s...)
	l.until(time.Minute)
	l.want("0s added A@a.local [fe80::a]")
}
