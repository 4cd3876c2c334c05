package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"

	"threadmap/discovery/mdns"
	"threadmap/render/schema/schematest"
	sim "threadmap/simulators/mdns"
)

// loopback opens a socket that hears and speaks multicast DNS on the loopback
// interface, and nowhere else.
func loopback(t *testing.T) net.PacketConn {
	t.Helper()
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip(err)
	}
	c, err := net.ListenMulticastUDP("udp4", lo, net.UDPAddrFromAddrPort(mdns.Group4))
	if err != nil {
		t.Skip(err)
	}
	p := ipv4.NewPacketConn(c)
	if err := p.SetMulticastInterface(lo); err != nil {
		t.Fatal(err)
	}
	if err := p.SetMulticastLoopback(true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A watching is "discover --watch" at work.
type watching struct {
	t     *testing.T
	lines chan string
	stop  context.CancelFunc
	over  chan int
}

func watch(t *testing.T, args ...string) *watching {
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	x := &watching{t: t, lines: make(chan string, 1000), stop: cancel, over: make(chan int, 1)}
	go func() {
		s := bufio.NewScanner(r)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			x.lines <- s.Text()
		}
		close(x.lines)
	}()
	go func() {
		status := run(ctx, append([]string{"discover", "--watch", "--interface", "lo"}, args...), nil, w, io.Discard, func(string) string { return "" })
		w.Close()
		x.over <- status
	}()
	return x
}

// until gives the first line that fits.
func (x *watching) until(form string) string {
	x.t.Helper()
	want, late := regexp.MustCompile(form), time.After(20*time.Second)
	var seen []string
	for {
		select {
		case l, ok := <-x.lines:
			if ok && want.MatchString(l) {
				return l
			} else if seen = append(seen, l); ok {
				continue
			}
		case <-late:
		}
		x.t.Fatalf("no line fits %s in\n%s", form, strings.Join(seen, "\n"))
	}
}

const watchedNode = "A0A0A0A0A0A0A0A1-00000000DEADBEEF"

func watched() sim.Service {
	return sim.Service{Kind: "_matter._tcp", Instance: watchedNode, Host: "0E00AABB000000F1", Port: 5540, TXT: [][]byte{[]byte("SII=5000")},
		Addrs: []netip.Addr{netip.MustParseAddr("fd12:3456::1")}}
}

// TestWatch: what comes, changes and goes, and what others look for.
func TestWatch(t *testing.T) {
	conn := loopback(t)
	r := sim.New(conn, mdns.Group4, []sim.Service{watched()}, sim.Behaviour{})
	go r.Serve(t.Context())
	x := watch(t)
	x.until(`^\d\d:\d\d:\d\d  added    Matter node 00000000DEADBEEF of fabric A0A0A0A0A0A0A0A1 on 0E00AABB000000F1, fd12:3456::1$`)

	lookFor(t, watchedNode+"._matter._tcp.local.")
	x.until(`asked    .* looks for Matter node 00000000DEADBEEF of fabric A0A0A0A0A0A0A0A1: announced$`)
	lookFor(t, "A0A0A0A0A0A0A0A1-0000000000000BAD._matter._tcp.local.")
	x.until(`asked    .* looks for Matter node 0000000000000BAD of fabric A0A0A0A0A0A0A0A1: nobody announces it$`)

	moved := watched()
	moved.TXT, moved.Addrs = [][]byte{[]byte("SII=800")}, []netip.Addr{netip.MustParseAddr("fd12:3456::2")}
	r.Set([]sim.Service{moved})
	x.until(`changed  Matter node 00000000DEADBEEF of fabric A0A0A0A0A0A0A0A1: .*(TXT SII|addresses now .*fd12:3456::2)`)
	r.Goodbye(watchedNode)
	x.until(`gone     Matter node 00000000DEADBEEF of fabric A0A0A0A0A0A0A0A1 \(said goodbye\)$`)
	x.stop()
	x.until(`^Looked for, and no answer heard:$`)
	x.until(`Matter node 0000000000000BAD of fabric A0A0A0A0A0A0A0A1, by .*, once$`)
	if status := <-x.over; status != exitInterrupted {
		t.Errorf("exit status %d", status)
	}
}

// TestWatchJSON: each line is a valid object, the last one the whole document.
func TestWatchJSON(t *testing.T) {
	conn := loopback(t)
	r := sim.New(conn, mdns.Group4, []sim.Service{watched()}, sim.Behaviour{})
	go r.Serve(t.Context())
	x := watch(t, "--json")
	added := x.until(`"event":"added".*00000000DEADBEEF`)
	schematest.Services(t, []byte(added))
	lookFor(t, "A0A0A0A0A0A0A0A1-0000000000000BAD._matter._tcp.local.")
	asked := x.until(`"event":"asked".*"node_id":"0000000000000bad".*"announced":false`)
	schematest.Services(t, []byte(asked))
	r.Goodbye()
	gone := x.until(`"event":"removed".*DEADBEEF.*"reason":"goodbye"`)
	schematest.Services(t, []byte(gone))
	x.stop()
	last := x.until(`"format":"threadmap-services",`)
	schematest.Services(t, []byte(last))
	if !strings.Contains(last, `"node_id":"0000000000000bad"`) || strings.Contains(last, "DEADBEEF._matter") {
		t.Errorf("the last document: %s", last)
	}
	<-x.over
}

// lookFor asks for a name as a controller does.
func lookFor(t *testing.T, name string) {
	t.Helper()
	m := new(dns.Msg)
	m.SetQuestion(name, dns.TypeSRV)
	m.Id, m.RecursionDesired = 0, false
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loopback(t).WriteTo(b, net.UDPAddrFromAddrPort(mdns.Group4)); err != nil {
		t.Fatal(err)
	}
}
