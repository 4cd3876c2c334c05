package heard_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"threadmap/diag/icd"
	"threadmap/diag/icd/listen/heard"
	"threadmap/discovery"
	"threadmap/discovery/mdns"
)

const (
	ext      = "0E01010101010101"
	fabric   = "87E1B004E235A130"
	foreign  = "1122334455667788"
	device   = fabric + "-000000000000000A"
	hub      = fabric + "-000000000001B669"
	sibling  = fabric + "-000000000000000B"
	hubHost  = "homeassistant"
	otherExt = "0E02020202020202"
	brA      = "fe80::a"
	brB      = "fe80::b"
)

// A world is a Scope and the time.
type world struct {
	t   *testing.T
	s   *heard.Scope
	now time.Time
}

func newWorld(t *testing.T) *world {
	return &world{t, heard.NewScope(ext), time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
}

func (w *world) after(d time.Duration) *world { w.now = w.now.Add(d); return w }

// hear gives the observations of a message, as JSON without the common fields.
func (w *world) hear(from string, m *discovery.Message) []string {
	return w.hearOn("eth0", from, m)
}

func (w *world) hearOn(on, from string, m *discovery.Message) (out []string) {
	w.t.Helper()
	o := discovery.Origin{Interface: on, From: netip.AddrPortFrom(netip.MustParseAddr(from), 5353), At: w.now}
	for _, seen := range heard.MDNS(m, o, w.s) {
		out = append(out, w.line(seen))
	}
	return out
}

func (w *world) line(o icd.Observation) string {
	w.t.Helper()
	b, err := json.Marshal(o.What)
	if err != nil {
		w.t.Fatal(err)
	}
	return o.Event + " " + string(b)
}

// expect compares what was told by the beginning of each line.
func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %q, want %q", got, want)
		return
	}
	for i := range want {
		event, rest, _ := strings.Cut(want[i], " ")
		if !strings.HasPrefix(got[i], event+" ") || !strings.Contains(got[i], rest) {
			t.Errorf("got %s, want %s", got[i], want[i])
		}
	}
}

func name(t *testing.T, s string) discovery.Name {
	t.Helper()
	n, err := discovery.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// announce is an announcement, by ttl 0 a goodbye.
func (w *world) announce(instance, host string, ttl int, addrs ...string) *discovery.Message {
	zone := "_matter._tcp.local"
	n, h := name(w.t, instance+"."+zone), name(w.t, host+".local")
	d := time.Duration(ttl) * time.Second
	m := &discovery.Message{Response: true, Records: []discovery.Record{
		{Name: name(w.t, zone), Type: discovery.TypePTR, TTL: d, Target: n},
		{Name: n, Type: discovery.TypeSRV, TTL: d, CacheFlush: true, Target: h, Port: 5540},
		{Name: n, Type: discovery.TypeTXT, TTL: d, CacheFlush: true, TXT: discovery.TXT{[]byte("SII=5000"), []byte("SAI=300")}},
	}}
	return with(m, w.hostRecords(host, ttl, addrs...)...)
}

func (w *world) hostRecords(host string, ttl int, addrs ...string) (out []discovery.Record) {
	for _, a := range addrs {
		r := discovery.Record{Name: name(w.t, host+".local"), Type: discovery.TypeAAAA, TTL: time.Duration(ttl) * time.Second, CacheFlush: true, Addr: netip.MustParseAddr(a)}
		if r.Addr.Is4() {
			r.Type = discovery.TypeA
		}
		out = append(out, r)
	}
	return out
}

func with(m *discovery.Message, more ...discovery.Record) *discovery.Message {
	m.Records = append(m.Records, more...)
	return m
}

func (w *world) ask(n string, types ...discovery.Type) *discovery.Message {
	m := &discovery.Message{}
	for _, t := range types {
		m.Questions = append(m.Questions, discovery.Question{Name: name(w.t, n), Type: t})
	}
	return m
}

// captured reads testdata/meshcop.txt.
func captured(t *testing.T) (froms []netip.Addr, packets [][]byte) {
	t.Helper()
	f, err := os.Open("testdata/meshcop.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "FROM "); ok {
			a, err := netip.ParseAddr(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			froms = append(froms, a)
		}
		if rest, ok := strings.CutPrefix(s.Text(), "HEX "); ok {
			b, err := hex.DecodeString(rest)
			if err != nil {
				t.Fatal(err)
			}
			packets = append(packets, b)
		}
	}
	return froms, packets
}

// TestCaptured: a border router's own packets.
func TestCaptured(t *testing.T) {
	w := newWorld(t)
	froms, packets := captured(t)
	var first *icd.Announce
	routers := map[string]bool{}
	for i, b := range packets {
		m, err := mdns.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		w.after(time.Second)
		for _, o := range heard.MDNS(m, discovery.Origin{Interface: "eth0", From: netip.AddrPortFrom(froms[i], 5353), At: w.now}, w.s) {
			a, ok := o.What.(*icd.Announce)
			if !ok || o.By != icd.ByMDNS || o.Event != "announce" {
				t.Fatalf("%+v", o)
			}
			routers[a.From] = true
			if first == nil {
				first = a
			}
		}
	}
	ttl := icd.Sec(4500)
	want := &icd.Announce{
		Instance: "LabBR ThreadMapLabBR #76D1._meshcop._udp.local", Service: "_meshcop._udp", Host: "ot12e2f8607cda76d1.local",
		Addresses: []string{"fe80::38e6:4bff:fee8:4e34", "fd11:db8::1", "10.77.0.1"}, Port: 49154, TTL: &ttl, From: "fe80::38e6:4bff:fee8:4e34", Interface: "eth0",
		TXT: map[string]string{"id": "ad08de9eef6e693440c458db9ca3b007", "rv": "1", "sb": "00001fb1", "tv": "1.4.0", "xa": "0e01010101010101", "xp": "dead00beef00cafe",
			"nn": "ThreadMapLab", "pt": "3e1d2649", "at": "0000000000010000", "sq": "3c", "bb": "f0bf", "dn": "DefaultDomain", "omr": "40fdef7c1ef8fc0001", "vn": "LabBR", "mn": "ThreadMapLabBR"},
	}
	if d := cmp.Diff(want, first); d != "" {
		t.Error(d)
	}
	if len(routers) != 1 {
		t.Errorf("one border router under %v", routers)
	}
	if p := w.s.Prefixes(); len(p) == 0 || p[0].String() != "fdef:7c1e:f8fc:1::/64" {
		t.Error(p)
	}
}

// TestReboot: a goodbye and an announcement 0.7 s apart are both told of, and
// what is known of the device goes with them.
func TestReboot(t *testing.T) {
	w := newWorld(t)
	expect(t, w.hear(brA, w.announce(device, ext, 120, "fd00::a")), `announce "host":"0E01010101010101.local","addresses":["fd00::a"],"port":5540,"txt":{"SAI":"300","SII":"5000"},"ttl":120,"from":"fe80::a","interface":"eth0"`)
	expect(t, w.hear(brA, w.announce(foreign+"-00000000000000FF", ext, 120)), `announce `+foreign)
	d := w.s.Device()
	if len(d.Instances) != 2 || d.Instances[1] != device || len(d.Addresses) != 1 || !d.Described || d.LongIdle.Known || d.Idle.Value != 5*time.Second || !d.Announced.Equal(w.now) {
		t.Errorf("%+v", d)
	}
	expect(t, w.after(time.Minute).hear(brA, w.announce(device, ext, 0, "fd00::a")), `goodbye "ttl":0`)
	if d := w.s.Device(); len(d.Instances) != 1 || len(d.Addresses) != 1 {
		t.Errorf("%+v", d) // it may live on
	}
	expect(t, w.after(700*time.Millisecond).hear(brA, w.announce(device, ext, 120, "fd00::a")), `announce `+device)
}

// TestMode: the key ICD.
func TestMode(t *testing.T) {
	w := newWorld(t)
	m := w.announce(device, ext, 120, "fd00::a")
	m.Records[2].TXT = discovery.TXT{[]byte("ICD=1")}
	expect(t, w.hear(brA, m), `announce "txt":{"ICD":"1"}`)
	if d := w.s.Device(); !d.LongIdle.Known || !d.LongIdle.Value || d.Idle.Known {
		t.Errorf("%+v", d)
	}
}

// TestOneMachineTwice: IPv4 and IPv6, two interfaces, an interface more than
// once: one announcement. Two border routers: two.
func TestOneMachineTwice(t *testing.T) {
	back := func() *world {
		w := newWorld(t)
		w.hear(brA, w.announce(device, ext, 120, "fd00::a"))
		expect(t, w.after(time.Minute).hear(brA, w.announce(device, ext, 0)), "goodbye ")
		return w.after(700 * time.Millisecond)
	}
	w := back()
	m := w.announce(device, ext, 120, "fd00::a")
	expect(t, w.hear(brA, m), "announce fe80::a")
	expect(t, w.after(10*time.Millisecond).hear("192.0.2.1", m))
	expect(t, w.hearOn("wlan0", brA, m))
	expect(t, w.hearOn("wlan0", "192.0.2.1", m))
	expect(t, w.after(10*time.Millisecond).hear("fe80::b", m), "announce fe80::b")
	expect(t, w.hear("192.0.2.2", m))
	expect(t, w.after(time.Second).hear(brA, m), "announce fe80::a") // the second one of RFC 6762, section 8.3

	// Once the host of a border router is known, its addresses are one sender.
	w = newWorld(t)
	br := w.announce("x", "br", 120, "fe80::a", "192.0.2.1")
	for i := range br.Records[:3] {
		br.Records[i].Name = name(t, strings.Replace(br.Records[i].Name.String(), "_matter._tcp", "_meshcop._udp", 1))
	}
	br.Records[0].Target = br.Records[1].Name
	expect(t, w.hear(brA, br), `announce "service":"_meshcop._udp"`)
	expect(t, w.after(time.Second).hear("192.0.2.1", w.announce(device, ext, 120, "fd00::a")), `announce "from":"fe80::a"`)
}

// TestAnswersAreNoAnnouncements: two border routers that answer one question
// have not announced the device twice.
func TestAnswersAreNoAnnouncements(t *testing.T) {
	w := newWorld(t)
	w.s.Asked(discovery.KindMatter.Name(), w.now)
	m := w.announce(device, ext, 120, "fd00::a")
	expect(t, w.after(50*time.Millisecond).hear(brA, m), "announce fe80::a")
	expect(t, w.after(50*time.Millisecond).hear(brB, m), "answer fe80::b")
	// Asked or not: after a return both announcements count.
	w.after(time.Hour).hear(brA, w.announce(device, ext, 0))
	w.hear("fe80::c", w.ask(device+"._matter._tcp.local", discovery.TypeSRV))
	expect(t, w.after(700*time.Millisecond).hear(brA, m), "announce fe80::a")
	expect(t, w.after(500*time.Millisecond).hear(brB, m), "announce fe80::b")
	// Later, an answer is one, unless it says something new.
	w.after(time.Hour).hear("fe80::c", w.ask(device+"._matter._tcp.local", discovery.TypeSRV))
	expect(t, w.after(time.Millisecond).hear(brA, m), `answer "addresses":["fd00::a"]`)
	w.after(time.Hour).hear("fe80::c", w.ask(device+"._matter._tcp.local", discovery.TypeSRV))
	expect(t, w.after(time.Millisecond).hear(brA, w.announce(device, ext, 120, "fd01::a")), `announce "addresses":["fd01::a"]`)
}

// TestQuestions: which questions tell something of the device.
func TestQuestions(t *testing.T) {
	w := newWorld(t)
	ask := func(n string) []string {
		return w.after(time.Second).hear(brA, w.ask(n, discovery.TypeSRV, discovery.TypeAAAA))
	}
	const zone = "._matter._tcp.local"
	// Nothing is known of its fabrics yet: all may be about it.
	expect(t, ask(foreign+"-0000000000000001"+zone), `question "types":["SRV","AAAA"],"from":"fe80::a"`)
	w.hear(brA, w.announce(device, ext, 120, "fd00::a"))
	w.hear(brA, w.announce(sibling, otherExt, 120, "fd00::b"))
	expect(t, ask(foreign+"-0000000000000001"+zone))
	expect(t, ask(hub+zone), `question "name":"`+hub+zone+`"`)
	expect(t, ask(strings.ToLower(hub)+zone), `question `)
	expect(t, ask(device+zone), `question "name":"`+device+zone+`"`)
	expect(t, ask(ext+".local"), `question "name":"0E01010101010101.local"`)
	expect(t, ask(sibling+zone)) // somebody looks for another device
	expect(t, ask(otherExt+".local"))
	expect(t, ask("_matter._tcp.local"))
	expect(t, ask("_airplay._tcp.local"))
	probe := w.ask(hub+zone, discovery.TypeANY)
	probe.Claims = []discovery.Record{{Name: name(t, hub+zone), Type: discovery.TypeSRV}}
	expect(t, w.after(time.Second).hear(brA, probe))
	// A question on both families is one.
	expect(t, ask(hub+zone), "question ")
	expect(t, w.hear("192.0.2.1", w.ask(hub+zone, discovery.TypeSRV, discovery.TypeAAAA)))
}

// TestSubscriber: the answer to the device's question, by the subscriber's host
// or by a sleep proxy.
func TestSubscriber(t *testing.T) {
	for what, tt := range map[string]struct {
		from  string
		owner bool
		want  string
	}{
		"its host":                {"fe80::77", false, `"ttl":120}`},
		"its host, just awake":    {"fe80::77", true, `"ttl":120}`},
		"a sleep proxy":           {"fe80::99", true, `"ttl":120,"owner":true}`},
		"another, without option": {"fe80::99", false, `"ttl":120}`},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.hear(brA, w.announce(device, ext, 120, "fd00::a"))
			w.after(time.Minute)
			expect(t, w.hear(brA, w.ask(hub+"._matter._tcp.local", discovery.TypeSRV)), "question ")
			m := w.announce(hub, hubHost, 120, "fe80::77", "192.0.2.77")
			m.Owner = tt.owner
			got := w.after(10*time.Millisecond).hear(tt.from, m)
			expect(t, got, `answer "from":"`+tt.from+`",`+tt.want, `announce "host":"homeassistant.local"`)
			expect(t, w.after(time.Minute).hear(tt.from, w.announce(hub, hubHost, 0)), "goodbye "+hub)
			if a := w.s.Subscribers(); len(a) != 0 {
				t.Error(a)
			}
		})
	}
}

// TestSiblings: of other Thread devices only that they go is told, and not of
// each.
func TestSiblings(t *testing.T) {
	w := newWorld(t)
	w.hear(brA, w.announce(device, ext, 120, "fd00::a"))
	told := 0
	other := func(i, ttl int) *discovery.Message {
		return w.announce(fmt.Sprintf("%s-%016X", foreign, 0x100+i), fmt.Sprintf("0E%014X", 0x100+i), ttl)
	}
	for i := range 50 {
		expect(t, w.hear(brA, other(i, 120)))
	}
	w.after(time.Minute)
	for i := range 50 {
		told += len(w.after(time.Millisecond).hear(brA, other(i, 0)))
	}
	if told != 8 {
		t.Errorf("%d told of", told)
	}
	expect(t, w.after(time.Minute).hear(brA, other(3, 0)), "goodbye "+foreign)
}

// TestNewAddress: addresses alone, when the mesh's prefix changes.
func TestNewAddress(t *testing.T) {
	w := newWorld(t)
	w.hear(brA, w.announce(device, ext, 120, "fd00::a"))
	host := func(addrs ...string) *discovery.Message {
		return with(&discovery.Message{Response: true}, w.hostRecords(ext, 120, addrs...)...)
	}
	expect(t, w.after(time.Minute).hear(brA, host("fd00::a")))
	expect(t, w.after(time.Minute).hear(brA, host("fd01::a")), `announce "addresses":["fd01::a"]`)
	expect(t, w.after(100*time.Millisecond).hear(brB, host("fd01::a")))
	if d := w.s.Device(); len(d.Addresses) != 1 || d.Addresses[0].String() != "fd01::a" {
		t.Errorf("%+v", d)
	}
}

// TestNamedByInstance: the device may be named by an instance; its address is
// learnt, and by that its other instances.
func TestNamedByInstance(t *testing.T) {
	for _, node := range []icd.NodeName{device, icd.NodeName(strings.ToLower(device)), device + "._matter._tcp.local"} {
		w := newWorld(t)
		w.s = heard.NewScope(node)
		expect(t, w.hear(brA, w.announce(device, ext, 120, "fd00::a")), "announce "+device)
		expect(t, w.hear(brA, w.announce(foreign+"-0000000000000001", ext, 120)), "announce "+foreign)
		expect(t, w.hear(brA, w.announce(sibling, otherExt, 120)))
	}
}

// TestRA: repeated ones once a minute, withdrawals at once.
func TestRA(t *testing.T) {
	w := newWorld(t)
	hear := func(lifetime time.Duration) (out []string) {
		a := discovery.Advert{At: w.now, From: netip.MustParseAddr("fe80::a%eth0"), Interface: "eth0", Prefixes: []discovery.AdvertPrefix{
			{Prefix: netip.MustParsePrefix("fd00:1::/64"), Route: true, Lifetime: lifetime}, {Prefix: netip.MustParsePrefix("fd02::/64"), Lifetime: discovery.Forever}}}
		for _, o := range heard.RA(a, w.s) {
			if o.By != icd.ByRA {
				t.Error(o.By)
			}
			out = append(out, w.line(o))
		}
		return out
	}
	expect(t, hear(1800*time.Second), `advert {"from":"fe80::a","prefixes":[{"prefix":"fd00:1::/64","kind":"rio","lifetime":1800},{"prefix":"fd02::/64","kind":"pio","lifetime":100000000}]}`)
	w.after(10 * time.Second)
	expect(t, hear(1790*time.Second))
	if !w.s.Routed(netip.MustParsePrefix("fd00:1::/64")) || w.s.Routed(netip.MustParsePrefix("fd02::/64")) {
		t.Error("routed")
	}
	expect(t, hear(0), `advert "kind":"rio","lifetime":0`)
	if w.s.Routed(netip.MustParsePrefix("fd00:1::/64")) {
		t.Error("still routed")
	}
	w.after(time.Minute)
	expect(t, hear(0), "advert ")
}

// TestHostile: what strangers write into names and values does not reach the
// file as control codes, and a flood ends.
func TestHostile(t *testing.T) {
	w := newWorld(t)
	evil := "\x1b]0;x\x07\x9b31m\u202e\n"
	n, err := discovery.KindMeshCoP.InstanceName(evil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := discovery.NewName(evil, "local")
	if err != nil {
		t.Fatal(err)
	}
	m := &discovery.Message{Response: true, Records: []discovery.Record{
		{Name: n, Type: discovery.TypeSRV, TTL: time.Hour, Target: h, Port: 1},
		{Name: n, Type: discovery.TypeTXT, TTL: time.Hour, TXT: discovery.TXT{[]byte("nn=" + evil), []byte(evil + "=1"), []byte("=x"), []byte("vn")}},
	}}
	got := w.hearOn(evil, brA, m)
	if len(got) != 1 || strings.ContainsFunc(got[0], func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) || strings.Contains(got[0], `\u001b`) {
		t.Errorf("%q", got)
	}
	told := 0
	for i := range 5000 {
		told += len(w.after(time.Millisecond).hear(fmt.Sprintf("fe80::%x", i+1), w.announce(device, ext, 120+i, fmt.Sprintf("fd00::%x", i+1))))
	}
	if told > 1100 || w.s.Dropped() < 3800 {
		t.Errorf("%d told of, %d not", told, w.s.Dropped())
	}
	// A flood about others takes nothing from the device.
	w = newWorld(t)
	w.hear(brA, w.announce(device, ext, 120, "fd00::a"))
	for i := range 5000 {
		w.after(time.Millisecond).hear(brA, w.ask(fmt.Sprintf("%s-%016X._matter._tcp.local", fabric, 0x5000+i), discovery.TypeSRV))
	}
	expect(t, w.hear(brA, w.announce(device, ext, 0)), "goodbye ")
}

// TestManyHosts: a LAN with more hosts and routers than are kept, which come
// and go, does not hide the device.
func TestManyHosts(t *testing.T) {
	w := newWorld(t)
	w.hear(brA, w.announce(hub, hubHost, 120, "fe80::77")) // the fabric is not known yet
	for i := range 3000 {
		w.after(time.Second)
		w.hear(brA, with(&discovery.Message{Response: true}, w.hostRecords(fmt.Sprintf("pc%d", i), 120, fmt.Sprintf("fe80::1:%x", i+1))...))
		m := w.announce(fmt.Sprintf("BR %d", i), fmt.Sprintf("br%d", i), 120, fmt.Sprintf("fe80::2:%x", i+1))
		gone := w.announce(fmt.Sprintf("BR %d", i), fmt.Sprintf("br%d", i), 0)
		for _, m := range []*discovery.Message{m, gone} {
			for j := range m.Records[:3] {
				m.Records[j].Name = name(t, strings.Replace(m.Records[j].Name.String(), "_matter._tcp", "_meshcop._udp", 1))
			}
			m.Records[0].Target = m.Records[1].Name
		}
		expect(t, w.hear(brA, m), "announce _meshcop")
		expect(t, w.after(time.Second).hear(brA, gone), "goodbye _meshcop")
	}
	w.hear(brA, w.announce(device, ext, 120, "fd00::a"))
	expect(t, w.after(time.Minute).hear(brA, w.announce(hub, hubHost, 120, "fe80::77")), "announce "+hub)
	if d := w.s.Device(); len(d.Addresses) != 1 || len(w.s.Subscribers()) != 1 {
		t.Errorf("%+v, %v", d, w.s.Subscribers())
	}
}

// TestLargest: the largest packets that there are take no time to speak of.
func TestLargest(t *testing.T) {
	w := newWorld(t)
	w.hear(brA, w.announce(device, ext, 120, "fd00::a"))
	big := &discovery.Message{Response: true}
	for i := range 2000 {
		n, h := name(t, fmt.Sprintf("%s-%016X._matter._tcp.local", fabric, i+0x1000)), fmt.Sprintf("h%d", i)
		big.Records = append(big.Records, discovery.Record{Name: n, Type: discovery.TypeSRV, TTL: time.Hour, Target: name(t, h+".local"), Port: 1})
		big.Records = append(big.Records, w.hostRecords(h, 120, fmt.Sprintf("fe80::%x", i+1))...)
	}
	ask := &discovery.Message{}
	for i := range 512 {
		ask.Questions = append(ask.Questions, discovery.Question{Name: big.Records[2*i].Name, Type: discovery.TypeSRV})
	}
	start := time.Now()
	const rounds = 10
	for range rounds {
		w.after(time.Second).hear(brA, big)
		w.hear(brA, ask)
	}
	took := time.Since(start) / rounds
	t.Logf("%v for each", took)
	if took > time.Second {
		t.Errorf("%v for one packet", took)
	}
}

// FuzzMDNS: whatever comes, few lines come of it, each fit for the file.
func FuzzMDNS(f *testing.F) {
	_, packets := captured(&testing.T{})
	for _, b := range packets {
		f.Add(b, b)
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		s := heard.NewScope(ext)
		now := time.Unix(1e9, 0)
		for i, p := range [][]byte{a, b, a} {
			m, _ := mdns.Parse(p)
			if m == nil {
				continue
			}
			now = now.Add(time.Second)
			for _, o := range heard.MDNS(m, discovery.Origin{Interface: "eth0", From: netip.MustParseAddrPort(fmt.Sprintf("[fe80::%d]:5353", i+1)), At: now}, s) {
				var line strings.Builder
				if err := icd.WriteLine(&line, o); err != nil {
					t.Fatal(err)
				}
				if strings.ContainsFunc(strings.TrimSuffix(line.String(), "\n"), func(r rune) bool { return r < ' ' || r == 0x7f }) {
					t.Fatalf("%q", line.String())
				}
				var back icd.Observation
				if err := json.Unmarshal([]byte(line.String()), &back); err != nil {
					t.Fatal(err)
				}
			}
		}
		s.Device()
		if !slices.IsSortedFunc(s.Prefixes(), netip.Prefix.Compare) {
			t.Error("not sorted")
		}
	})
}
