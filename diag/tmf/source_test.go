package tmf

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/pskc"
	"threadmap/discovery"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
	"threadmap/topology"
)

func TestEndpoints(t *testing.T) {
	for _, c := range []struct {
		url, address string
		network      diag.PANID64
		oneTime      bool
	}{
		{"thread://[fd11:db8::1]:49154/dead00beef00cafe", "[fd11:db8::1]:49154", 0xdead00beef00cafe, false},
		{"thread://192.0.2.7:49154", "192.0.2.7:49154", 0, false},
		{"thread://br.local:1/DEAD00BEEF00CAFE?one-time", "br.local:1", 0xdead00beef00cafe, true},
		{"thread://[fe80::1%25eth0]:5?one-time", "[fe80::1%eth0]:5", 0, true},
		{" thread://[fe80::1%eth0]:5/ ", "[fe80::1%eth0]:5", 0, false},
	} {
		a, err := parseEndpoint(c.url)
		if err != nil || a.target() != c.address || a.Network != c.network || a.OneTime != c.oneTime {
			t.Errorf("%s: %+v, %v", c.url, a, err)
		}
	}
	const secret = "82bd66995ab150de4dab943937b2b66d"
	for _, s := range []string{"", "http://a:1", "thread://a", "thread://:1", "thread://a:0", "thread://a:65536", "thread://a:1/5", "thread://[::1", "thread://[1:2]:3",
		"thread://user:" + secret + "@a:1", "thread://a b:1", "thread://a:1/" + secret, secret, "thread://" + strings.Repeat("a", 600) + ":1"} {
		a, err := parseEndpoint(s)
		if err == nil {
			t.Errorf("%.60s: %+v", s, a)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	}
	e, err := Endpoint("[fd11::1]:49154", 5, true)
	if err != nil || e.Source != Name || e.URL != "thread://[fd11::1]:49154/0000000000000005?one-time" {
		t.Errorf("%+v, %v", e, err)
	}
}

func key(t testing.TB, b []byte) pskc.Secret {
	t.Helper()
	s, err := pskc.New(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// announce is a border agent's service.
func announce(t *testing.T, kind discovery.Kind, instance string, network diag.PANID64, partition, state uint32, at ...string) discovery.Service {
	t.Helper()
	s := discovery.Service{Kind: kind, Instance: instance}
	var err error
	if s.Host, err = discovery.NewName("host-of-"+instance, "local"); err != nil {
		t.Fatal(err)
	}
	s.TXT = discovery.TXT{binary.BigEndian.AppendUint64([]byte("xp="), uint64(network)), binary.BigEndian.AppendUint32([]byte("pt="), partition), binary.BigEndian.AppendUint32([]byte("sb="), state),
		[]byte("nn=ThreadMapLab"), append([]byte("xa="), 0x0e, 1, 1, 1, 1, 1, 1, 1)}
	for _, x := range at {
		a := netip.MustParseAddrPort(x)
		s.Addresses, s.Port = append(s.Addresses, a.Addr()), a.Port()
	}
	return s
}

// One probe for each network and partition that there is a credential for.
func TestProbes(t *testing.T) {
	const open, shut = 0x1fb1, 0x1fb0
	bm := discovery.KindMeshCoP
	secret := key(t, []byte{1})
	s := Source{Credentials: func(id diag.PANID64) (Credential, bool) {
		return Credential{Secret: secret}, id == 1 || id == 3 || id == 4
	}}
	endpoint := func(at string, id diag.PANID64) diag.Endpoint {
		e, err := Endpoint(at, id, false)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	k := diag.Known{
		Endpoints: []diag.Endpoint{endpoint("192.0.2.9:9", 4), endpoint("192.0.2.8:8", 8), {Source: Name, URL: "nonsense"}, {Source: "otbr", URL: "http://a"}},
		Services: []discovery.Service{
			announce(t, bm, "a", 1, 7, open, "[fd11::1]:1"), announce(t, bm, "b", 1, 7, open, "[fd11::2]:1"), announce(t, bm, "c", 1, 8, open, "[fd11::3]:1"),
			announce(t, bm, "no credential", 2, 7, open, "[fd11::4]:1"), announce(t, bm, "shut", 3, 7, shut, "[fd11::5]:1"),
			announce(t, bm, "named already", 4, 7, open, "[fd11::6]:1"), announce(t, discovery.KindMeshCoPE, "a", 0, 0, 0, "[fd11::1]:2"),
		},
	}
	var got []string
	for _, p := range diag.Plan([]diag.Source{s}, k) {
		got = append(got, p.Target+" in "+p.Group)
		if p.Source != Name || p.Within <= 0 {
			t.Errorf("%+v", p)
		}
	}
	want := []string{"0000000000000003 in ", "192.0.2.8:8 in ", "192.0.2.9:9 in thread 0000000000000004", "[fd11::1]:1 in thread 0000000000000001", "[fd11::3]:1 in thread 0000000000000001", "unreadable URL in "}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// A code is for the port of codes only.
	s.Credentials = func(id diag.PANID64) (Credential, bool) { return Credential{secret, true}, id == 1 }
	got = nil
	k.Endpoints = nil
	for _, p := range diag.Plan([]diag.Source{s}, k) {
		got = append(got, p.Target)
	}
	if !slices.Equal(got, []string{"[fd11::1]:2"}) {
		t.Errorf("with a code: %q", got)
	}
	if p := (Source{}).Probes(k); p != nil {
		t.Errorf("without credentials: %v", p)
	}
	// What can't be asked is said.
	k.Endpoints = []diag.Endpoint{endpoint("192.0.2.8:8", 8), {Source: Name, URL: "nonsense"}}
	k.Services = k.Services[4:5]
	s.Credentials = func(id diag.PANID64) (Credential, bool) { return Credential{Secret: secret}, id == 3 }
	_, problems := diag.Collect(t.Context(), diag.Plan([]diag.Source{s}, k), nil)
	if len(problems) != 3 {
		t.Errorf("%v", problems)
	}
	for _, p := range problems {
		if p.Hint == "" || !p.Partial || strings.Contains(p.Text, "nonsense") {
			t.Errorf("%+v", p)
		}
	}
}

// The agents of a network are tried in turn, each at all its addresses, until
// one can be reached.
func TestFallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(0)
		s := stage(t, m, borderagent.Options{})
		dial, dialled := s.source.Dial, []string(nil)
		s.source.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled = append(dialled, address)
			if strings.HasPrefix(address, "[fd11::1]") {
				return nil, &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}
			}
			return dial(ctx, network, address)
		}
		k := diag.Known{Services: []discovery.Service{
			announce(t, discovery.KindMeshCoP, "a", m.ExtPANID, 7, 0x1fb1, "[fd11::1]:1", "[fd11::2]:1"),
			announce(t, discovery.KindMeshCoP, "b", m.ExtPANID, 7, 0x1fb1, agentAddr.String()),
		}}
		reports, problems := diag.Collect(t.Context(), diag.Plan([]diag.Source{s.source}, k), nil)
		check(t, m, reports, problems, true)
		if want := []string{"[fd11::1]:1", "[fd11::2]:1", agentAddr.String()}; !slices.Equal(dialled, want) {
			t.Errorf("dialled %v", dialled)
		}
		for _, r := range reports {
			if r.Via != "[fd11::1]:1" || r.Source != Name || r.Session == "" || r.Session != reports[0].Session || r.At.IsZero() {
				t.Errorf("%+v", r)
			}
		}
	})
}

// A network whose role can't be had is in the map nevertheless, by its border
// router.
func TestKnowsTheNetworkWithoutTheRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(0)
		s := stage(t, m, borderagent.Options{SecondCommissioner: "lab-A"})
		k := diag.Known{Services: []discovery.Service{announce(t, discovery.KindMeshCoP, "a", m.ExtPANID, 7, 0x1fb1, agentAddr.String())}}
		reports, problems := diag.Collect(t.Context(), diag.Plan([]diag.Source{s.source}, k), nil)
		got := topology.Build(reports)
		if len(problems) != 1 || len(got.Networks) != 1 || got.Networks[0].Channel != diag.Some[uint8](15) || len(got.Nodes) != 1 || got.Nodes[0].ExtAddr != 0x0e01010101010101 {
			t.Errorf("%v, %+v", problems, got)
		}
	})
}

// A port on which nobody listens is a line at once.
func TestRefused(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := pc.LocalAddr().String()
	pc.Close()
	s := Source{Credentials: func(diag.PANID64) (Credential, bool) {
		return Credential{Secret: key(t, []byte("secret of this test"))}, true
	}}
	e, err := Endpoint(at, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, problems := diag.Collect(t.Context(), diag.Plan([]diag.Source{s}, diag.Known{Endpoints: []diag.Endpoint{e}}), nil)
	if len(problems) != 1 || problems[0].Stage != diag.StageHandshake || problems[0].Hint == "" || time.Since(start) > 20*time.Second {
		t.Errorf("%v after %v", problems, time.Since(start))
	}
}

// The bytes of the keys are in nothing that a probe says.
func TestKeysStaySecret(t *testing.T) {
	m := mesh.Lab(0)
	copy(m.PSKc[:], "CANARYPSKC000001")
	copy(m.NetworkKey[:], "CANARYNETKEY0001")
	var said strings.Builder
	for _, o := range []borderagent.Options{{}, {SecondCommissioner: "x"}, {PSKc: key(t, []byte("another"))}} {
		synctest.Test(t, func(t *testing.T) {
			s := stage(t, m, o)
			reports, problems := s.scan(t.Context())
			fmt.Fprintf(&said, "%+v %#v %+v %+v %v %#v", reports, reports, problems, s.record, s.notes, s.source)
		})
	}
	for _, b := range [][]byte{m.PSKc[:], m.NetworkKey[:]} {
		for _, form := range []string{string(b), fmt.Sprintf("%x", b), fmt.Sprintf("%X", b), strings.Trim(fmt.Sprint(b), "[]"), fmt.Sprintf("%#v", b)[7:30]} {
			if strings.Contains(said.String(), form) {
				t.Errorf("%q was said", form)
			}
		}
	}
}

// Whatever the border agent's mesh answers, a scan ends in its time, with what
// was said. The octets of answers are damaged at random.
func TestHostileMesh(t *testing.T) {
	damage := 0
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			m := mesh.Lab(3)
			n := seed
			s := stage(t, m, borderagent.Options{Lose: func(d borderagent.Datagram) bool {
				if n = n*6364136223846793005 + 1442695040888963407; d.Up && n>>60 < 6 && len(d.Payload) > 12 {
					d.Payload[10+int(n>>32)%(len(d.Payload)-10)] ^= byte(n >> 24)
				}
				return false
			}})
			start := time.Now()
			reports, problems := s.scan(t.Context())
			if took := time.Since(start); took > within+3*time.Second {
				t.Errorf("took %v", took)
			}
			for _, p := range problems {
				if strings.Contains(p.Text, "internal error") || strings.Contains(p.Text, "\n") {
					t.Errorf("%v", p)
				}
			}
			topology.Build(reports)
			damage += len(problems)
			if who, taken := s.agent.Commissioner(); taken {
				t.Errorf("the role is still with %q", who)
			}
		})
	}
	if damage == 0 {
		t.Error("nothing was damaged")
	}
}

// Damaged records are records that got lost.
func TestDamagedRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(0)
		s := stage(t, m, borderagent.Options{})
		k := 0
		s.net.Fate = func(p simnet.Packet) []time.Duration {
			if k++; k > 12 && k%7 == 0 {
				p.Data[len(p.Data)-1] ^= 1
			}
			return []time.Duration{time.Millisecond}
		}
		reports, problems := s.scan(t.Context())
		check(t, m, reports, problems, true)
	})
}

// TestLive maps a real mesh: THREADMAP_TEST_AGENT is the address of its border
// agent, THREADMAP_TEST_PSKC its PSKc in hexadecimal, THREADMAP_TEST_TRUTH a
// file with one "extended-address parent-or-dash" a line.
func TestLive(t *testing.T) {
	at, pskcHex := os.Getenv("THREADMAP_TEST_AGENT"), os.Getenv("THREADMAP_TEST_PSKC")
	if at == "" || pskcHex == "" {
		t.Skip("needs a border agent: set THREADMAP_TEST_AGENT (host:port) and THREADMAP_TEST_PSKC (hexadecimal)")
	}
	secret, err := pskc.Parse(pskcHex)
	if err != nil {
		t.Fatal(err)
	}
	var record Record
	s := Source{Credentials: func(diag.PANID64) (Credential, bool) { return Credential{Secret: secret}, true }, Done: func(r Record) { record = r }}
	e, err := Endpoint(at, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	reports, problems := diag.Collect(t.Context(), diag.Plan([]diag.Source{s}, diag.Known{Endpoints: []diag.Endpoint{e}}), nil)
	got := topology.Build(reports)
	t.Logf("%d reports, %v, %+v", len(reports), problems, record)
	if record.Err != nil && !errors.Is(record.Err, context.DeadlineExceeded) || len(got.Nodes) == 0 {
		t.Fatalf("%d nodes, %v", len(got.Nodes), record.Err)
	}
	truth := os.Getenv("THREADMAP_TEST_TRUTH")
	if truth == "" {
		return
	}
	text, err := os.ReadFile(truth)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		w := strings.Fields(line)
		if len(w) != 2 || w[0] == "#" {
			continue
		}
		named[w[0]] = true
		k := slices.IndexFunc(got.Nodes, func(n *topology.Node) bool { return n.ExtAddr.String() == w[0] })
		switch {
		case k < 0:
			t.Errorf("node %s is missing", w[0])
		case w[1] == "-" && got.Nodes[k].Parent != nil, w[1] != "-" && (got.Nodes[k].Parent == nil || got.Nodes[k].Parent.ExtAddr.String() != w[1]):
			t.Errorf("node %s: parent %v, want %s", w[0], got.Nodes[k].Parent, w[1])
		}
	}
	for _, n := range got.Nodes {
		if n.Heard && !named[n.ExtAddr.String()] {
			t.Errorf("node %s is not in the truth", n.ID)
		}
	}
}
