package mdns

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"threadmap/discovery"
	sim "threadmap/simulators/mdns"
	"threadmap/simulators/simnet"
)

// A lab is a LAN in the process: responders and one browser.
type lab struct {
	t   *testing.T
	net *simnet.Net
	ctx context.Context
}

func newLab(t *testing.T) *lab { return &lab{t: t, net: &simnet.Net{}, ctx: t.Context()} }

// socket opens a socket of the group.
func (l *lab) socket(addr string) *simnet.Conn {
	l.t.Helper()
	c, err := l.net.ListenPacket(netip.AddrPortFrom(netip.MustParseAddr(addr), Port))
	if err != nil {
		l.t.Fatal(err)
	}
	group := Group6
	if c.LocalAddr().(interface{ String() string }).String()[0] != '[' {
		group = Group4
	}
	if err := c.JoinGroup(group); err != nil {
		l.t.Fatal(err)
	}
	return c
}

// responder starts a responder, which stops when stop is called or the test
// ends.
func (l *lab) responder(addr string, how sim.Behaviour, services ...sim.Service) *sim.Responder {
	r := sim.New(l.socket(addr), Group6, services, how)
	go r.Serve(l.ctx)
	return r
}

// A view is what a browse tells, as it tells it.
type view struct {
	mu       sync.Mutex
	events   []discovery.Event
	complete map[string]bool // instances that are there with all their records
	result   Result
	err      error
	done     chan struct{}
}

func (v *view) tell(e discovery.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events = append(v.events, e)
	key := string(e.Service.Kind) + " " + e.Service.Instance + " " + e.Service.Host.String()
	switch e.Kind {
	case discovery.Added, discovery.Changed:
		v.complete[key] = len(e.Service.Missing()) == 0
	case discovery.Removed:
		delete(v.complete, key)
	}
}

func (v *view) found() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for _, ok := range v.complete {
		if ok {
			n++
		}
	}
	return n
}

// since forgets the events so far.
func (v *view) since() []discovery.Event {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := slices.DeleteFunc(v.events, func(e discovery.Event) bool { return e.Kind == discovery.Heard })
	v.events = nil
	return out
}

// browse starts a browse that ends with the returned function, or the test.
func (l *lab) browse(c Config) (v *view, end func() *view) { return l.browseFrom("fe80::1", c) }

// browseFrom is browse from another address.
func (l *lab) browseFrom(addr string, c Config) (v *view, end func() *view) {
	ctx, cancel := context.WithCancel(l.ctx)
	v = &view{complete: map[string]bool{}, done: make(chan struct{})}
	c.Sockets = []Socket{{Link: discovery.Link{Name: "eth0", Zone: "eth0"}, Conn: l.socket(addr), To: Group6}}
	go func() {
		defer close(v.done)
		v.result, v.err = Browse(ctx, c, v.tell)
	}()
	return v, func() *view { cancel(); <-v.done; return v }
}

// wait lets d pass.
func (l *lab) wait(d time.Duration) { <-time.After(d) }

// services makes plain Matter services, each on a host of its own.
func services(n int) []sim.Service {
	var out []sim.Service
	for i := range n {
		host := fmt.Sprintf("%016X", 0x0e00aabb00000001+uint64(i))
		out = append(out, sim.Service{Kind: "_matter._tcp", Instance: fmt.Sprintf("87E1B004E235A130-%016X", i+1), Host: host, Port: 5540,
			TXT: [][]byte{[]byte("SII=5000"), []byte("SAI=300"), []byte("T=0")}, Addrs: []netip.Addr{netip.MustParseAddr(fmt.Sprintf("fd12:3456::%x", i+1))}})
	}
	return out
}

// lossy loses a share of the packets, and delays the rest by up to 20 ms.
func lossy(share float64, seed uint64) func(simnet.Packet) []time.Duration {
	r := rand.New(rand.NewPCG(seed, 1))
	return func(simnet.Packet) []time.Duration {
		if r.Float64() < share {
			return nil
		}
		return []time.Duration{time.Duration(1+r.IntN(20)) * time.Millisecond}
	}
}
