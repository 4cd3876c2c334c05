package services

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/discovery"
	"threadmap/render/schema"
	"threadmap/render/schema/schematest"
)

var at = time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)

func name(t *testing.T, labels ...string) discovery.Name {
	t.Helper()
	n, err := discovery.NewName(labels...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// service makes a service; pairs are the strings of its TXT record.
func service(t *testing.T, k discovery.Kind, instance, host string, addrs string, txt ...string) discovery.Service {
	t.Helper()
	n, err := k.InstanceName(instance)
	if err != nil {
		t.Fatal(err)
	}
	s := discovery.Service{Kind: k, Instance: instance, Name: n, Host: name(t, host, "local"), Port: 5540, TXT: discovery.TXT{}, First: at, Last: at, Interfaces: []string{"eth0"},
		Responders: []discovery.Responder{{Addr: netip.MustParseAddr("fe80::1%eth0"), Interface: "eth0", First: at, Last: at}}}
	for _, a := range strings.Fields(addrs) {
		s.Addresses = append(s.Addresses, netip.MustParseAddr(a))
	}
	for _, x := range txt {
		s.TXT = append(s.TXT, []byte(x))
	}
	return s
}

// border makes a border router of network xp whose prefix is fd00:n::/64.
func border(t *testing.T, instance, host string, xp, n byte, more ...string) discovery.Service {
	return service(t, discovery.KindMeshCoP, instance, host, "192.0.2.1", append([]string{
		"nn=Net" + string('A'+rune(xp-1)), "xp=\x00\x00\x00\x00\x00\x00\x00" + string(rune(xp)), "omr=\x40\xfd\x00\x00" + string(rune(n)) + "\x00\x00\x00\x00",
		"xa=\x0e\x00\x00\x00\x00\x00\x00" + string(rune(xp)), "pt=\x00\x00\x00\x01", "sb=\x00\x00\x1f\xb1"}, more...)...)
}

func matter(t *testing.T, fabric, node int, host, addrs string, txt ...string) discovery.Service {
	return service(t, discovery.KindMatter, fmt.Sprintf("%016X-%016X", fabric, node), host, addrs, txt...)
}

func home(t *testing.T) []discovery.Service {
	twice := matter(t, 1, 9, "twice", "192.0.2.9")
	twice.OtherHosts = []discovery.Name{name(t, "other", "local")}
	return []discovery.Service{
		border(t, "Kitchen", "bra", 1, 1),
		border(t, "Kitchen (2)", "bra", 1, 1), // the same one, renamed by another responder
		border(t, "Attic", "brb", 2, 2),
		service(t, discovery.KindTREL, "0e00000000000001", "bra", "192.0.2.1", "xa=\x0e\x00\x00\x00\x00\x00\x00\x01"),
		service(t, discovery.KindMeshCoPE, "Kitchen", "bra", "192.0.2.1"),
		service(t, discovery.KindMeshCoP, "Bare", "brc", "192.0.2.3", "rv=1"),
		matter(t, 1, 1, "0E00AABB00000001", "fd00:1::1", "SII=5000"),
		matter(t, 2, 7, "0E00AABB00000001", "fd00:1::1", "SII=5000"),
		matter(t, 1, 2, "0E00AABB00000002", "fd00:2::1"),
		matter(t, 1, 3, "0E00AABB00000003", "fd00:3::1"),           // of a network that nobody announces
		matter(t, 1, 4, "0E00AABB00000004", "fd00:1::4 fd00:2::4"), // of two
		matter(t, 1, 5, "0E00000000000001", "fd00:9::1"),           // a border router's own
		matter(t, 1, 6, "AABBCCDDEEFF", "192.0.2.20"),
		twice,
		service(t, discovery.KindHAP, "Lamp", "lamp", "fd00:2::5", "md=Bulb", "sf=1"),
		service(t, discovery.KindMatterC, "0123456789ABCDEF", "c", "192.0.2.30", "CM=1", "D=3840", "VP=4937+1", "PH=1"),
		service(t, discovery.KindHomeAssistant, "Home", "ha", "192.0.2.40", "location_name=Cottage", "version=2026.11", "internal_url=http://ha.local:8123"),
	}
}

func TestArrange(t *testing.T) {
	h := Arrange(home(t))
	if len(h.Networks) != 2 || h.Networks[0].Label() != "NetA" || h.Networks[1].Label() != "NetB" {
		t.Fatalf("networks %v", h.Networks)
	}
	a, b := h.Networks[0], h.Networks[1]
	if len(a.Borders) != 1 || len(a.Borders[0].Services) != 4 || !a.Borders[0].WaitsForKey || a.Borders[0].role() != "leader" {
		t.Errorf("border router of A: %+v", a.Borders)
	}
	labels := func(ds []*Device) string {
		var out []string
		for _, d := range ds {
			out = append(out, fmt.Sprintf("%s/%d", d.Label(), len(d.Services)))
		}
		return strings.Join(out, " ")
	}
	for _, tt := range []struct{ what, got, want string }{
		{"A", labels(a.Devices), "0E00AABB00000001/2 0E00000000000001/1"},
		{"B", labels(b.Devices), "0E00AABB00000002/1 Lamp/1"},
		{"strays", labels(h.Strays), "0E00AABB00000003/1 0E00AABB00000004/1"},
		{"others", labels(h.Others), "AABBCCDDEEFF/1 twice/1"},
		{"waiting", labels(h.Waiting), "c/1"},
		{"outside", fmt.Sprint(len(h.Outside)), "1"}, {"rest", fmt.Sprint(len(h.Rest)), "1"},
		{"count", h.Count().String(), "2 networks, 3 border routers, 8 devices"},
		{"sentence", h.Sentence(), "You have 2 separate Thread networks: NetA and NetB; 3 border routers, 8 devices."},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	if c := h.Conflicts(); len(c) != 1 || c[0].Host.First() != "twice" {
		t.Errorf("conflicts %v", c)
	}
}

// TestShortPrefixClaimsNobody: a border router that announces ::/1 gets no
// devices by that.
func TestShortPrefixClaimsNobody(t *testing.T) {
	liar := border(t, "Liar", "brl", 3, 3)
	liar.TXT = discovery.TXT{[]byte("xp=\x00\x00\x00\x00\x00\x00\x00\x03"), []byte("nn=Liar"), []byte("omr=\x01\x80")}
	h := Arrange([]discovery.Service{liar, border(t, "Kitchen", "bra", 1, 1), matter(t, 1, 1, "0E00AABB00000001", "fd00:1::1")})
	for _, n := range h.Networks {
		if (n.Label() == "Liar") == (len(n.Devices) > 0) {
			t.Errorf("%s has %d devices", n.Label(), len(n.Devices))
		}
	}
}

func TestSentence(t *testing.T) {
	split := border(t, "Attic", "brb", 1, 1, "id=0123456789abcdef")
	split.TXT[4] = []byte("pt=\x00\x00\x00\x02")
	for want, services := range map[string][]discovery.Service{
		"Nothing is announced that belongs to Thread or Matter.":                                  nil,
		"No Thread network is announced.":                                                         {service(t, discovery.KindHomeAssistant, "Home", "ha", "")},
		"No Thread network is announced; 0 border routers, 1 device.":                             {matter(t, 1, 1, "AABBCCDDEEFF", "")},
		"One Thread network: NetA; 1 border router, 0 devices.":                                   {border(t, "Kitchen", "bra", 1, 1)},
		"One Thread network: NetA; NetA is split into 2 partitions; 2 border routers, 0 devices.": {border(t, "Kitchen", "bra", 1, 1), split},
	} {
		if got := Arrange(services).Sentence(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestText(t *testing.T) {
	var b strings.Builder
	if err := Arrange(home(t)).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"You have 2 separate Thread networks", "\nNetA   0000000000000001   1 border router, 1 device, fd00:1::/64\n",
		"◆ Kitchen   leader, waits for a one-time code now\n", "takes a commissioner with the PSKc, can take a one-time code, always on, primary backbone router",
		"○ 0E00AABB00000001   Matter on 2 fabrics, sleepy, listens every 5 s\n", "fabric 0000000000000002  node 0000000000000007", "is a border router of this network",
		"Lamp   HomeKit Bulb, not paired", "commissioning window open, vendor 0x1349 product 0x0001, discriminator 3840, power cycle", "· Cottage   Home Assistant 2026.11, http://ha.local:8123",
		"is also announced by other.local", "Border routers without a network", "Thread devices whose network is not known",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestDocument(t *testing.T) {
	h := Arrange(home(t))
	asked := []discovery.Asked{{Name: name(t, "0000000000000001-000000000000000A", "_matter", "_tcp", "local"), Kind: discovery.KindMatter, Fabric: 1, Node: 10,
		Types: []discovery.Type{discovery.TypeSRV}, Askers: []discovery.Asker{{Addr: netip.MustParseAddr("fe80::2%eth0"), Interface: "eth0", Count: 3}}, First: at, Last: at, Count: 3}}
	for _, d := range []*Document{
		h.NewDocument(at, at.Add(time.Second), asked, []diag.Problem{{Source: "mdns", Target: "LAN", Stage: diag.StageAsk, Text: "x", Partial: true}}),
		Arrange(nil).NewDocument(at, at, nil, nil),
	} {
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		schematest.Services(t, b)
		if d.Complete != (len(d.Problems) == 0) {
			t.Errorf("complete %v", d.Complete)
		}
	}
}

// TestWrongDocumentsAreRefused: the schema is no formality.
func TestWrongDocumentsAreRefused(t *testing.T) {
	good := string(must(json.Marshal(Arrange(home(t)).NewDocument(at, at, nil, nil))))
	for _, c := range [][2]string{
		{`"version":1`, `"version":2`}, {`"complete":true`, `"complete":null`}, {`"ext_pan_id":"0000000000000001"`, `"ext_pan_id":1`}, {`"role":"leader"`, `"role":"boss"`},
		{`"fabric":"0000000000000001"`, `"fabric":"0000000000000001A"`}, {`"hex":"`, `"hex":"0`}, {`"port":5540`, `"port":65536`}, {`"idle_ms":5000`, `"idle_ms":5000.5`},
		{`"addresses":["192.0.2.1"]`, `"addresses":null`}, {`"instance":"Lamp"`, `"instanse":"Lamp"`}, {`"paired":false`, `"paired":"no"`}, {`"asked":[]`, `"asked":null`}, {`"lit":null,`, ``},
	} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if bad == good {
			t.Errorf("the document has no %s", c[0])
		} else if schematest.Validate(schema.Services, []byte(bad)) == nil {
			t.Errorf("%s instead of %s was accepted", c[1], c[0])
		}
	}
}

// TestASCII: the name in a document is printable and lossless.
func TestASCII(t *testing.T) {
	n := name(t, "a.b\\c \x1b\x00\xff\u202e🔥", "local")
	s := ascii(n)
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			t.Errorf("octet %#x in %q", c, s)
		}
	}
	if back, err := discovery.ParseName(s); err != nil || back != n {
		t.Errorf("%q reads back as %q, %v", s, back, err)
	}
}

func TestTXT(t *testing.T) {
	got := string(must(json.Marshal(txtOf(discovery.TXT{[]byte("k=v=w"), []byte("flag"), []byte("x=\x00\xff"), []byte("=v"), {}, []byte("\x1b=\u202e"), []byte("e=")}))))
	want := `[{"hex":"6b3d763d77","key":"k","value":"v=w"},{"hex":"666c6167","key":"flag","value":null},{"hex":"783d00ff","key":"x","value":null},` +
		`{"hex":"3d76","key":null,"value":"v"},{"hex":"","key":null,"value":null},{"hex":"1b3de280ae","key":null,"value":null},{"hex":"653d","key":"e","value":""}]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if txtOf(nil) != nil || txtOf(discovery.TXT{}) == nil {
		t.Error("an unknown record is not an empty one")
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestWatchLines(t *testing.T) {
	w := NewWatch()
	s := matter(t, 1, 2, "0E00AABB00000001", "fd00:1::1", "SII=5000", "SAI=300")
	changed := s
	changed.TXT = discovery.TXT{[]byte("SII=500"), []byte("SAI=300"), []byte("ICD=1")}
	moved := changed
	moved.Host = name(t, "0E00AABB00000002", "local")
	question := discovery.Ask{Question: discovery.Question{Name: s.Name, Type: discovery.TypeSRV}, At: at, From: netip.MustParseAddrPort("[fe80::9%eth0]:5353")}
	const node = "Matter node 0000000000000002 of fabric 0000000000000001"
	ask := func(after time.Duration) discovery.Event {
		return discovery.Event{Kind: discovery.Asking, At: at.Add(after), Asked: question}
	}
	for i, tt := range []struct {
		e    discovery.Event
		want string // behind the time
	}{
		{ask(0), "asked    fe80::9%eth0 looks for " + node + ": nobody announces it"},
		{ask(time.Second), ""},
		{discovery.Event{Kind: discovery.Added, Service: s}, "added    " + node + " on 0E00AABB00000001, fd00:1::1"},
		{discovery.Event{Kind: discovery.Heard, Service: s}, ""},
		{ask(2 * time.Minute), "asked    fe80::9%eth0 looks for " + node + ": announced"},
		{discovery.Event{Kind: discovery.Changed, Service: changed, What: []string{"txt"}}, "changed  " + node + ": TXT SII and ICD"},
		{discovery.Event{Kind: discovery.Changed, Service: moved, What: []string{"host", "addresses"}}, "changed  " + node + ": host now 0E00AABB00000002; addresses now fd00:1::1"},
		{discovery.Event{Kind: discovery.Removed, Service: moved, Reason: discovery.Expired}, "gone     " + node + " (expired)"},
		{ask(4 * time.Minute), "asked    fe80::9%eth0 looks for " + node + ": nobody announces it"},
	} {
		if tt.e.At.IsZero() {
			tt.e.At = at
		}
		got := w.Line(tt.e)
		if len(got) > 10 {
			got = got[10:]
		}
		if got != tt.want {
			t.Errorf("line %d: got %q, want %q", i, got, tt.want)
		}
	}
	if len(w.Services()) != 0 {
		t.Errorf("%v is still there", w.Services())
	}
}

func TestWatchDocuments(t *testing.T) {
	w := NewWatch()
	for i, e := range []discovery.Event{
		{Kind: discovery.Added, At: at, Service: border(t, "Kitchen", "bra", 1, 1)},
		{Kind: discovery.Added, At: at, Service: matter(t, 1, 1, "0E00AABB00000001", "fd00:1::1")},
		{Kind: discovery.Changed, At: at, Service: matter(t, 1, 1, "0E00AABB00000001", "fd00:1::1"), What: []string{"txt"}},
		{Kind: discovery.Asking, At: at, Asked: discovery.Ask{Question: discovery.Question{Name: discovery.KindMatter.Name(), Type: discovery.TypePTR}}},
		{Kind: discovery.Removed, At: at, Service: matter(t, 1, 1, "0E00AABB00000001", "fd00:1::1"), Reason: discovery.Goodbye},
	} {
		d := w.Document(e)
		schematest.Services(t, must(json.Marshal(d)))
		if d.Service != nil && (d.Service.Network == nil || *d.Service.Network != "0000000000000001") {
			t.Errorf("event %d: network %v", i, d.Service.Network)
		}
	}
	if d := w.Document(discovery.Event{Kind: discovery.Heard}); d != nil {
		t.Errorf("%+v", d)
	}
}

// A router's advertisement is told once, and again when it says something else.
func TestAdverts(t *testing.T) {
	mesh, lan := netip.MustParsePrefix("fdef:7c1e:f8fc:1::/64"), netip.MustParsePrefix("fd11:db8::/64")
	a := discovery.Advert{At: at, From: netip.MustParseAddr("fe80::1%eth0"), Interface: "eth0", Prefixes: []discovery.AdvertPrefix{
		{Prefix: mesh, Route: true, Lifetime: 30 * time.Minute},
		{Prefix: lan, Lifetime: discovery.Forever, OnLink: true},
	}}
	later := a
	later.Prefixes = slices.Clone(a.Prefixes)
	later.Prefixes[0].Lifetime = 20 * time.Minute
	gone := a
	gone.Prefixes = []discovery.AdvertPrefix{{Prefix: mesh, Route: true}}
	w := NewWatch()
	for i, tt := range []struct {
		a    discovery.Advert
		want string
	}{
		{a, "router   fe80::1%eth0 says: the way to fdef:7c1e:f8fc:1::/64 for 30m0s, fd11:db8::/64 is on this LAN"},
		{later, ""},
		{gone, "router   fe80::1%eth0 says: the way to fdef:7c1e:f8fc:1::/64, withdrawn"},
		{discovery.Advert{At: at, From: netip.MustParseAddr("fe80::2%eth0"), RouterLifetime: time.Hour}, "router   fe80::2%eth0 says: the way out of the LAN"},
		{discovery.Advert{At: at, From: netip.MustParseAddr("fe80::3%eth0")}, "router   fe80::3%eth0 says: no prefix"},
	} {
		got := w.AdvertLine(tt.a)
		if len(got) > 10 {
			got = got[10:]
		}
		if got != tt.want {
			t.Errorf("%d: %q, want %q", i, got, tt.want)
		}
	}
	w = NewWatch()
	for _, r := range []discovery.Advert{a, gone} {
		d := w.AdvertDocument(r)
		schematest.Services(t, must(json.Marshal(d)))
		if len(d.Advert.Prefixes) != len(r.Prefixes) || !d.Advert.Prefixes[0].Route {
			t.Errorf("got %+v", d.Advert)
		}
	}
	if d := w.AdvertDocument(gone); d != nil {
		t.Errorf("told twice: %+v", d.Advert)
	}
}
