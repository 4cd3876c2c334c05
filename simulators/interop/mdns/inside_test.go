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
	"time"

	"github.com/grandcat/zeroconf"
	"golang.org/x/net/ipv6"

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
	i, err := net.InterfaceByName("tm0")
	if err != nil {
		return err
	}
	lc := net.ListenConfig{}
	c, err := lc.ListenPacket(ctx, "udp6", "[::]:5353")
	if err != nil {
		return err
	}
	p := ipv6.NewPacketConn(c)
	if err := errors.Join(p.JoinGroup(i, &net.UDPAddr{IP: mdns.Group6.Addr().AsSlice()}), p.SetMulticastInterface(i), p.SetMulticastHopLimit(255), p.SetMulticastLoopback(true)); err != nil {
		return err
	}
	r := sim.New(c, netip.AddrPortFrom(mdns.Group6.Addr().WithZone(i.Name), mdns.Port), responderServices(), sim.Behaviour{})
	fmt.Println("ready")
	r.Serve(ctx)
	return nil
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
