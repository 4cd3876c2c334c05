//go:build linux

package mdns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/grandcat/zeroconf"
	"golang.org/x/net/ipv6"

	"threadmap/diag/icd"
	"threadmap/diag/icd/listen"
	"threadmap/diag/icd/listen/heard"
	"threadmap/discovery"
	"threadmap/discovery/mdns"
	sim "threadmap/simulators/mdns"
)

// A browsing is what "browse" is told.
type browsing struct {
	Want    int           // complete services to stop at
	Within  time.Duration // when to stop at the latest
	Adverts bool
}

// A browsed is what "browse" tells.
type browsed struct {
	Complete []time.Duration // when each service was complete, from the start
	Result   mdns.Result
	Hints    []string
}

// inside is what this binary does in a namespace.
func inside(what string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch what {
	case "browse":
		return insideBrowse(ctx)
	case "zeroconf":
		return insideZeroconf(ctx)
	case "responder":
		return insideResponder(ctx)
	case "device":
		return insideDevice(ctx)
	case "listen":
		return insideListen(ctx)
	case "advertise":
		return insideAdvertise(ctx)
	case "occupant":
		return insideOccupant(ctx)
	case "router":
		return insideRouter(ctx)
	}
	return fmt.Errorf("%s: not known", what)
}

func insideBrowse(ctx context.Context) error {
	var c browsing
	if err := json.NewDecoder(os.Stdin).Decode(&c); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, c.Within)
	defer stop()
	var out browsed
	start := time.Now()
	config := mdns.Config{}
	if c.Adverts {
		config.Adverts = func(discovery.Advert) { stop() }
	}
	done := map[string]bool{}
	r, err := mdns.Browse(ctx, config, func(e discovery.Event) {
		if key := e.Service.Name.String(); len(e.Service.Missing()) == 0 && !e.Service.Name.IsRoot() && !done[key] {
			done[key] = true
			out.Complete = append(out.Complete, time.Since(start))
			if len(done) == c.Want {
				stop()
			}
		}
	})
	if err != nil {
		return err
	}
	out.Result = r
	for _, p := range r.Problems {
		out.Hints = append(out.Hints, p.String())
	}
	out.Result.Problems = nil // errors are no JSON
	return json.NewEncoder(os.Stdout).Encode(out)
}

// odd is a TXT value with every octet that others lose.
var odd = []byte("bin=\x00\\\"\xff")

// insideZeroconf advertises by another implementation.
func insideZeroconf(ctx context.Context) error {
	i, err := net.InterfaceByName("tm0")
	if err != nil {
		return err
	}
	s, err := zeroconf.RegisterProxy("87E1B004E235A130-8FC7772401CD0696", "_matter._tcp", "local.", 5540, "0E01010101010101", []string{"192.0.2.1", "fd00:2::1"},
		[]string{"SII=5000", sim.Escape(odd)}, []net.Interface{*i})
	if err != nil {
		return err
	}
	defer s.Shutdown()
	fmt.Println("ready")
	<-ctx.Done()
	return nil
}

// responderServices are what the simulated responder announces.
func responderServices() []sim.Service {
	var out []sim.Service
	for n := range 40 {
		out = append(out, sim.Service{Kind: "_matter._tcp", Instance: fmt.Sprintf("87E1B004E235A130-%016X", n+1), Host: fmt.Sprintf("0E%014X", n+1), Port: 5540,
			TXT: [][]byte{[]byte("SII=5000"), odd}, Addrs: []netip.Addr{netip.MustParseAddr(fmt.Sprintf("fd00:2::%x", 0x100+n))}})
	}
	return append(out, sim.Service{Kind: "_meshcop._udp", Instance: "Dr. Küche 💡 #1E32", Host: "br", Port: 49154, TXT: [][]byte{[]byte("rv=1")}, Addrs: []netip.Addr{netip.MustParseAddr("fd00:2::1")}})
}

func insideResponder(ctx context.Context) error {
	c, group, err := groupSocket(ctx)
	if err != nil {
		return err
	}
	r := sim.New(c, group, responderServices(), sim.Behaviour{})
	fmt.Println("ready")
	r.Serve(ctx)
	return nil
}

// groupSocket is a socket of the group on the cable.
func groupSocket(ctx context.Context) (c net.PacketConn, group netip.AddrPort, err error) {
	i, err := net.InterfaceByName("tm0")
	if err != nil {
		return nil, group, err
	}
	lc := net.ListenConfig{}
	if c, err = lc.ListenPacket(ctx, "udp6", "[::]:5353"); err != nil {
		return nil, group, err
	}
	p := ipv6.NewPacketConn(c)
	err = errors.Join(p.JoinGroup(i, &net.UDPAddr{IP: mdns.Group6.Addr().AsSlice()}), p.SetMulticastInterface(i), p.SetMulticastHopLimit(255), p.SetMulticastLoopback(true))
	return c, netip.AddrPortFrom(mdns.Group6.Addr().WithZone(i.Name), mdns.Port), err
}

// The device that insideDevice announces: at an address of its machine, which
// answers pings.
const (
	deviceExt      = "0E01010101010101"
	deviceInstance = "87E1B004E235A130-000000000000000A"
)

// insideDevice announces a device that restarts again and again.
func insideDevice(ctx context.Context) error {
	c, group, err := groupSocket(ctx)
	if err != nil {
		return err
	}
	all := []sim.Service{
		{Kind: "_matter._tcp", Instance: deviceInstance, Host: deviceExt, Port: 5540, TXT: [][]byte{[]byte("SII=5000")}, Addrs: []netip.Addr{netip.MustParseAddr("fd00:2::2")}},
		{Kind: "_meshcop._udp", Instance: "BR", Host: "br", Port: 49154, TXT: [][]byte{[]byte("rv=1"), []byte("omr=@\xfd\x00\x00\x02\x00\x00\x00\x00")}, Addrs: []netip.Addr{netip.MustParseAddr("fd00:2::2")}},
	}
	r := sim.New(c, group, all, sim.Behaviour{})
	var restarts sync.WaitGroup
	restarts.Go(func() {
		for {
			for _, step := range []struct {
				after time.Duration
				do    func()
			}{{4 * time.Second, func() { r.Goodbye(deviceInstance) }}, {700 * time.Millisecond, func() { r.Set(all) }}} {
				select {
				case <-time.After(step.after):
					step.do()
				case <-ctx.Done():
					return
				}
			}
		}
	})
	fmt.Println("ready")
	r.Serve(ctx)
	restarts.Wait()
	return nil
}

// insideListen runs the observers of the LAN, and gives a line for each kind of
// observation that they made.
func insideListen(ctx context.Context) error {
	var want []string
	if err := json.NewDecoder(os.Stdin).Decode(&want); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	var mu sync.Mutex
	seen := map[string]string{}
	observe := func(_ time.Time, o icd.Observation) {
		mu.Lock()
		defer mu.Unlock()
		b, _ := json.Marshal(o.What)
		if p, ok := o.What.(*icd.Ping); ok && p.Received == 0 {
			return
		}
		if a, ok := o.What.(*icd.Announce); ok && a.Service != "_matter._tcp" {
			return
		}
		seen[o.By+" "+o.Event] = string(b)
		for _, w := range want {
			if seen[w] == "" {
				return
			}
		}
		stop()
	}
	c := listen.Config{Scope: heard.NewScope(deviceExt), Interfaces: []string{"tm0"}, Warn: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		seen["warning"] = err.Error()
	}}
	var all sync.WaitGroup
	errs := make([]error, 4)
	for i, f := range []func(context.Context, listen.Config, icd.Observe) error{listen.MDNS, listen.RA, listen.Ping, listen.Host} {
		all.Go(func() { errs[i] = f(ctx, c, observe) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(seen)
}

// insideAdvertise announces threadmap's own operational instance.
func insideAdvertise(ctx context.Context) error {
	ready := false
	return mdns.Advertise(ctx, mdns.AdvertiseConfig{
		Advertisement: mdns.Operational(0x87e1b004e235a130, 0x1b669, "threadmap-interop", 5541, discovery.TXT{[]byte("SII=500"), odd}),
		Interfaces:    []string{"tm0"},
		Announced: func(discovery.Name) {
			if !ready {
				ready = true
				fmt.Println("ready")
			}
		},
	})
}

// insideOccupant takes port 5353 and does not share it.
func insideOccupant(ctx context.Context) error {
	for _, at := range []string{"0.0.0.0:5353", "[::]:5353"} {
		network := "udp4"
		if at[0] == '[' {
			network = "udp6"
		}
		c, err := net.ListenPacket(network, at)
		if err != nil {
			return err
		}
		defer c.Close()
	}
	fmt.Println("ready")
	<-ctx.Done()
	return nil
}

// advert is a router advertisement with a route to a mesh's prefix.
var advert = []byte{134, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	24, 3, 64, 0, 0, 0, 7, 8, 0xfd, 0xef, 0x7c, 0x1e, 0xf8, 0xfc, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}

// insideRouter advertises a route, again and again.
func insideRouter(ctx context.Context) error {
	i, err := net.InterfaceByName("tm0")
	if err != nil {
		return err
	}
	c, err := net.ListenPacket("ip6:ipv6-icmp", "::")
	if err != nil {
		return err
	}
	defer c.Close()
	p := ipv6.NewPacketConn(c)
	if err := errors.Join(p.SetMulticastInterface(i), p.SetMulticastHopLimit(255)); err != nil {
		return err
	}
	fmt.Println("ready")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := p.WriteTo(advert, nil, &net.IPAddr{IP: net.IPv6linklocalallnodes, Zone: i.Name}); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
