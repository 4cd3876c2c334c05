package mdns

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"threadmap/diag"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var group = netip.MustParseAddrPort("[ff02::fb]:5353")

// ask sends a question from a port and gathers the answers for a second of
// virtual time.
func ask(t *testing.T, how Behaviour, services []Service, from string, q *dns.Msg) (answers []*dns.Msg, sizes []int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &simnet.Net{}
		server, err := n.ListenPacket(netip.MustParseAddrPort("[fe80::2]:5353"))
		if err != nil {
			t.Fatal(err)
		}
		client, err := n.ListenPacket(netip.MustParseAddrPort(from))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []*simnet.Conn{server, client} {
			if err := c.JoinGroup(group); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		r := New(server, group, services, how)
		go r.Serve(ctx)
		b, err := q.Pack()
		if err != nil {
			t.Fatal(err)
		}
		client.WriteToAddrPort(b, group)
		client.SetReadDeadline(time.Now().Add(time.Second))
		buf := make([]byte, 65535)
		for {
			size, err := client.Read(buf)
			if err != nil {
				break
			}
			m := new(dns.Msg)
			if err := m.Unpack(buf[:size]); err != nil {
				t.Error(err)
			}
			if m.Response {
				answers, sizes = append(answers, m), append(sizes, size)
			}
		}
		cancel()
		client.Close()
		synctest.Wait()
	})
	return answers, sizes
}

func question(name string, typ, class uint16) *dns.Msg {
	return &dns.Msg{MsgHdr: dns.MsgHdr{Id: 7}, Question: []dns.Question{{Name: name, Qtype: typ, Qclass: class}}}
}

func many(n int) (out []Service) {
	for i := range n {
		out = append(out, Service{Kind: "_matter._tcp", Subtypes: []string{"_I01"}, Instance: fmt.Sprintf("%016X-%016X", 1, i), Host: fmt.Sprintf("%016X", i+1), Port: 5540,
			Addrs: []netip.Addr{netip.MustParseAddr("fd00::1")}})
	}
	return out
}

func count(answers []*dns.Msg, typ uint16) (n int) {
	for _, m := range answers {
		for _, rr := range append(m.Answer, m.Extra...) {
			if rr.Header().Rrtype == typ {
				n++
			}
		}
	}
	return n
}

func TestPacking(t *testing.T) {
	answers, sizes := ask(t, Behaviour{}, many(300), "[fe80::1]:5353", question("_MATTER._tcp.local.", dns.TypePTR, 1))
	if count(answers, dns.TypePTR) != 300 || count(answers, dns.TypeSRV) != 300 || count(answers, dns.TypeTXT) != 300 || count(answers, dns.TypeAAAA) != 300 || len(answers) > 60 {
		t.Errorf("%d packets", len(answers))
	}
	for i, m := range answers {
		if sizes[i] > 1400 || m.Id != 0 || len(m.Question) > 0 || !m.Authoritative {
			t.Errorf("packet %d: %d octets, %+v", i, sizes[i], m.MsgHdr)
		}
	}
	for what, tt := range map[string]struct {
		how Behaviour
		typ uint16
		n   int
	}{"PTRs only": {Behaviour{PTROnly: true}, dns.TypeSRV, 0}, "one of many": {Behaviour{OneOfMany: true}, dns.TypePTR, 1}, "copies": {Behaviour{Copies: 3}, dns.TypePTR, 900}} {
		if answers, _ := ask(t, tt.how, many(300), "[fe80::1]:5353", question("_matter._tcp.local.", dns.TypePTR, 1)); count(answers, tt.typ) != tt.n {
			t.Errorf("%s: %d", what, count(answers, tt.typ))
		}
	}
}

// TestLegacy: a question from another port is answered as a simple resolver
// expects (RFC 6762, section 6.7).
func TestLegacy(t *testing.T) {
	answers, _ := ask(t, Behaviour{}, many(2), "[fe80::1]:40000", question("_matter._tcp.local.", dns.TypePTR, 1))
	if len(answers) != 1 {
		t.Fatal(len(answers))
	}
	m := answers[0]
	if m.Id != 7 || len(m.Question) != 1 || len(m.Answer) != 2 || len(m.Extra) != 6 {
		t.Errorf("%v", m)
	}
	for _, rr := range append(m.Answer, m.Extra...) {
		if h := rr.Header(); h.Ttl > 10 || h.Class != 1 {
			t.Errorf("%v", rr)
		}
	}
}

func TestQuestions(t *testing.T) {
	known := question("_matter._tcp.local.", dns.TypePTR, 1)
	known.Answer = []dns.RR{&dns.PTR{Hdr: dns.RR_Header{Name: "_matter._tcp.local.", Rrtype: dns.TypePTR, Class: 1, Ttl: 4000}, Ptr: "0000000000000001-0000000000000000._matter._tcp.local."}}
	old := known.Copy()
	old.Answer[0].Header().Ttl = 100
	for what, tt := range map[string]struct {
		q    *dns.Msg
		how  Behaviour
		want int // answers
	}{
		"a subtype":               {question("_I01._sub._matter._tcp.local.", dns.TypePTR, 1), Behaviour{}, 3},
		"an SRV":                  {question("0000000000000001-0000000000000002._matter._TCP.local.", dns.TypeSRV, 1), Behaviour{}, 1},
		"anything of an instance": {question("0000000000000001-0000000000000002._matter._tcp.local.", dns.TypeANY, 1), Behaviour{}, 2},
		"a host":                  {question("0000000000000001.local.", dns.TypeAAAA, 1|1<<15), Behaviour{}, 1},
		"a host's IPv4":           {question("0000000000000001.local.", dns.TypeA, 1), Behaviour{}, 0},
		"what is not there":       {question("_ipp._tcp.local.", dns.TypePTR, 1), Behaviour{}, 0},
		"a known answer":          {known, Behaviour{}, 2},
		"an old known answer":     {old, Behaviour{}, 3},
		"known answers ignored":   {known, Behaviour{NoKnown: true}, 3},
	} {
		answers, _ := ask(t, tt.how, many(3), "[fe80::1]:5353", tt.q)
		n := 0
		for _, m := range answers {
			n += len(m.Answer)
		}
		if n != tt.want {
			t.Errorf("%s: %d answers", what, n)
		}
	}
	for _, m := range first(ask(t, Behaviour{MaxTTL: true}, many(1), "[fe80::1]:5353", question("_matter._tcp.local.", dns.TypePTR, 1))) {
		for _, rr := range m.Answer {
			if rr.Header().Ttl != 1<<32-1 {
				t.Errorf("%v", rr)
			}
		}
	}
}

func first[T, U any](a []T, _ []U) []T { return a }

// TestUnicastOnly: without a group it answers the asker, and announces nothing.
func TestUnicastOnly(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	r := New(conn, netip.AddrPort{}, many(1), Behaviour{Delay: time.Millisecond})
	go func() { defer close(done); r.Serve(ctx) }()
	r.Announce()
	c := &dns.Client{Timeout: 5 * time.Second}
	m, _, err := c.Exchange(question("_matter._tcp.local.", dns.TypePTR, 1), conn.LocalAddr().String())
	if err != nil || len(m.Answer) != 1 || r.Asked() != 1 {
		t.Errorf("%v, %v", m, err)
	}
	cancel()
	<-done
}

// TestFromHome: the announcements say what the model says.
func TestFromHome(t *testing.T) {
	home := mesh.HomeOf50(1)
	all := FromHome(home, HomeOptions{OtherFabric: 5, HomeKit: func(*mesh.Node) bool { return true }})
	kinds, names := map[string]int{}, map[string]bool{}
	for _, s := range all {
		kinds[s.Kind]++
		if key := s.Kind + " " + s.Instance; names[key] {
			t.Errorf("%s twice", key)
		} else {
			names[key] = true
		}
		if len(s.Addrs) == 0 || s.Port == 0 || s.Host == "" {
			t.Errorf("%+v", s)
		}
		for _, x := range s.TXT {
			if len(x) > 255 {
				t.Errorf("%s: %q", s.Instance, x)
			}
		}
	}
	if kinds["_meshcop._udp"] != 6 || kinds["_trel._udp"] != 6 || kinds["_matter._tcp"] < 44 || kinds["_hap._udp"] != 50 {
		t.Error(kinds)
	}
	m := home.Networks[0]
	i := m.FindName("Kitchen HomePod")
	want := []string{"id=" + m.Nodes[i].BorderAgentID, "xa=" + m.Nodes[i].ExtAddr.String(), "xp=" + m.ExtPANID.String(), "sb=00001fb1", "nn=" + hex.EncodeToString([]byte(m.Name))}
	for _, s := range all {
		if s.Kind != "_meshcop._udp" || !strings.HasPrefix(s.Instance, "Kitchen HomePod #") {
			continue
		}
		got := ""
		for _, x := range s.TXT {
			got += string(x[:3]) + hex.EncodeToString(x[3:]) + " "
		}
		for _, w := range want {
			if !strings.Contains(got, w+" ") {
				t.Errorf("no %s in %s", w, got)
			}
		}
	}
	if v := m.View(); v.Role(i) != diag.RoleLeader {
		t.Error("the HomePod is no leader, so sb says nothing here")
	}
	if n := len(FromHome(home, HomeOptions{NoTREL: true})); n != 6+44 {
		t.Error(n)
	}
}
