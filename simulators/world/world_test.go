package world

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"threadmap/simulators/mesh"
	"threadmap/simulators/otbr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func read(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	r, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

func client(t *testing.T) *http.Client {
	c := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func TestHomeOf50IsServed(t *testing.T) {
	home := mesh.HomeOf50(1)
	w, err := Start(home, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := client(t)
	generations, networks := map[int]bool{}, map[string]bool{}
	for k, b := range w.BorderRouters() {
		generations[b.Generation], networks[b.Network] = true, true
		if b.URL != w.OTBRs()[k] || !strings.HasPrefix(b.URL, "http://127.0.0.1:") {
			t.Errorf("URL %s, %s", b.URL, w.OTBRs()[k])
		}
		status, body := read(t, c, b.URL+"/node")
		if status != 200 || !json.Valid([]byte(body)) || !strings.Contains(body, b.Network) || !strings.Contains(strings.ToLower(body), b.Node.String()) {
			t.Errorf("%s: %d %s", b.Name, status, body)
		}
		if status, _ := read(t, c, b.URL+"/diagnostics"); (status == 200) != (b.Generation == 1) {
			t.Errorf("%s, generation %d: /diagnostics %d", b.Name, b.Generation, status)
		}
	}
	if len(w.OTBRs()) != 3 || len(generations) != 3 || len(networks) != 3 {
		t.Errorf("%d border routers, generations %v, networks %v", len(w.OTBRs()), generations, networks)
	}
	if n := announced(t, w); n < 50 {
		t.Errorf("%d instances are announced", n)
	}
	if n := announced(t, w); n == 0 || !w.MDNS().Addr().IsLoopback() {
		t.Errorf("%d instances at %s the second time", n, w.MDNS())
	}
	url := w.OTBRs()[0]
	for range 2 {
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if r, err := c.Get(url + "/node"); err == nil {
		r.Body.Close()
		t.Error("a closed world answers")
	}
}

// TestAnnouncesWhereItListens: who follows the announcements comes to the border
// agents, on whatever loopback address.
func TestAnnouncesWhereItListens(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		w, err := Start(mesh.HomeOf50(1), Options{Address: address})
		if err != nil {
			t.Logf("%s: %v", address, err) // a machine without IPv6
			continue
		}
		for _, a := range w.BorderAgents() {
			m := mesh.Node{ExtAddr: a.Node}
			if at := w.agentAddress(&m); len(at) != 1 || at[0].String() != address || w.agentPort(&m) != a.Addr.Port() {
				t.Errorf("%s listens on %s and announces %v, port %d", a.Name, a.Addr, at, w.agentPort(&m))
			}
			q := new(dns.Msg)
			q.SetQuestion(fmt.Sprintf("br%s.local.", a.Node), dns.TypeANY)
			if r := ask(t, w, q); !strings.Contains(fmt.Sprint(r.Answer), "\t"+address) || strings.Contains(fmt.Sprint(r.Answer), "192.0.2.") {
				t.Errorf("%s is announced at %v", a.Name, r.Answer)
			}
		}
		if m := (mesh.Node{ExtAddr: 1}); w.agentAddress(&m) != nil || w.agentPort(&m) != 0 {
			t.Error("who has no agent has an address")
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

// ask gives the first answer of the world's responder.
func ask(t *testing.T, w *World, q *dns.Msg) *dns.Msg {
	t.Helper()
	b, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(w.MDNS()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	buf := make([]byte, 65535)
	n := 0
	if _, err = c.Write(b); err == nil {
		n, err = c.Read(buf)
	}
	m := new(dns.Msg)
	if err == nil {
		err = m.Unpack(buf[:n])
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// announced asks the world's responder for every Matter instance.
func announced(t *testing.T, w *World) int {
	t.Helper()
	q := new(dns.Msg)
	q.SetQuestion("_matter._tcp.local.", dns.TypePTR)
	b, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(w.MDNS()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	buf := make([]byte, 65535)
	for wait := 5 * time.Second; ; wait = 100 * time.Millisecond {
		c.SetReadDeadline(time.Now().Add(wait))
		n, err := c.Read(buf)
		if err != nil {
			return len(seen)
		}
		var m dns.Msg
		if err := m.Unpack(buf[:n]); err != nil || !m.Response {
			t.Fatalf("%v, response %v", err, m.Response)
		}
		for _, rr := range m.Answer {
			if p, ok := rr.(*dns.PTR); ok {
				seen[p.Ptr] = true
			}
		}
	}
}

func TestCloseEndsAHangingAnswer(t *testing.T) {
	asked := make(chan struct{}, 3)
	w, err := Start(mesh.Line(2), Options{OTBR: func(*mesh.Mesh, *mesh.Node) otbr.Options {
		return otbr.Options{Misbehave: func(*http.Request) otbr.Misbehaviour { asked <- struct{}{}; return otbr.Hang }}
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	c := client(t)
	go func() {
		r, err := c.Get(w.OTBRs()[0] + "/node")
		if err == nil {
			r.Body.Close()
		}
		got <- err
	}()
	<-asked
	if err := w.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-got; err == nil {
		t.Error("a hanging answer came")
	}
}

func TestFaultless(t *testing.T) {
	home := &mesh.Home{Networks: []*mesh.Mesh{mesh.Lab(0)}}
	home.Networks[0].Faults = []mesh.Fault{{Kind: mesh.FaultHidden, Node: 0x0e03030303030303}}
	for _, faultless := range []bool{false, true} {
		w, err := Start(home, Options{Faultless: faultless, OTBR: func(*mesh.Mesh, *mesh.Node) otbr.Options { return otbr.Options{Updated: true} }})
		if err != nil {
			t.Fatal(err)
		}
		if _, body := read(t, client(t), w.OTBRs()[0]+"/api/devices"); strings.Contains(body, "0e03030303030303") != faultless {
			t.Errorf("faultless %v: the hidden node is wrong", faultless)
		}
		w.Close()
	}
}

func TestStartRefuses(t *testing.T) {
	bad := mesh.Line(2)
	bad.Networks[0].Nodes[1].RouterID = bad.Networks[0].Nodes[0].RouterID
	for name, c := range map[string]struct {
		home *mesh.Home
		o    Options
		want string
	}{
		"impossible home": {bad, Options{}, "RLOC16"},
		"other address":   {mesh.Line(2), Options{Address: "192.0.2.1"}, "loopback"},
		"a name":          {mesh.Line(2), Options{Address: "localhost"}, "loopback"},
		"bad knobs":       {mesh.Line(2), Options{OTBR: func(*mesh.Mesh, *mesh.Node) otbr.Options { return otbr.Options{Generation: 9} }}, "generation 9"},
	} {
		if w, err := Start(c.home, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				w.Close()
			}
		}
	}
}
