// Package world runs a simulated home: the servers that real devices of such a
// home would run, on loopback sockets with free ports. Nothing is multicast, so
// it needs no network and disturbs none.
//
// Today these are the REST interfaces of its border routers (simulators/otbr),
// their border agents (simulators/borderagent), where it is wanted its Matter
// devices (simulators/matternode) and a Home Assistant with its Matter server
// (simulators/homeassistant, simulators/matterserver), and a responder that
// answers for all that they announce by multicast DNS (simulators/mdns), asked
// directly; every further simulator is one more kind of server that [Start]
// starts and [World.Close] stops.
//
// The reader is on top of the simulators. Of the product only the commands
// "demo" and "simulate" may come here.
package world

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/fabric"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/matternode"
	"threadmap/simulators/mdns"
	"threadmap/simulators/mesh"
	"threadmap/simulators/otbr"
)

// How long a server waits for clients, so that a stuck one holds up nobody.
const (
	readTimeout = 10 * time.Second
	idleTimeout = 30 * time.Second
	// closeTimeout is what answers under way get when the world ends.
	closeTimeout = 500 * time.Millisecond
	// maxHeader bounds a request's head, in octets.
	maxHeader = 16 << 10
)

// Options say how the world runs. The zero value answers as fast as it can.
type Options struct {
	// Address is the loopback address to listen on; default 127.0.0.1.
	Address string
	// OTBR, where not nil, sets the knobs of one border router; the default is
	// the zero otbr.Options.
	OTBR func(m *mesh.Mesh, n *mesh.Node) otbr.Options
	// BorderAgent, where not nil, sets the knobs of one border agent; those of
	// the mesh count for the first of each network.
	BorderAgent func(m *mesh.Mesh, n *mesh.Node) borderagent.Options
	// HomeAssistant, where not nil, has the home run a Home Assistant with those
	// knobs, and announce it. It takes a home with Matter nodes.
	HomeAssistant *HomeOptions
	// Matter, where not nil, has the home's Matter devices answer, and announces
	// where they listen.
	Matter *MatterOptions
	// Faultless serves the homes as if they had no faults.
	Faultless bool
	// MDNS are the knobs of what is announced, MDNSBehaviour those of how. Without
	// knobs border routers have the address and port on which their border agents
	// listen, some devices are on a second fabric, and those of makers who do
	// HomeKit over Thread are HomeKit accessories, too.
	MDNS          mdns.HomeOptions
	MDNSBehaviour mdns.Behaviour
}

// A World is a simulated home that is being served.
type World struct {
	servers []*http.Server
	otbrs   []OTBR
	agents  []Agent
	home    *HomeAssistant // nil: none
	matter  []MatterNode
	fabric  *fabric.Authority // nil: no Matter devices
	place   func(MatterNode, matternode.Place) matternode.Place
	serving sync.WaitGroup

	services  []mdns.Service // of everything but the Matter devices
	mdns      *mdns.Responder
	mdnsAt    netip.AddrPort
	mdnsClose context.CancelFunc

	mu   sync.Mutex
	errs []error
}

// An OTBR is the REST interface of one border router.
type OTBR struct {
	URL        string // without a slash at the end
	Network    string
	Node       diag.ExtAddr
	Name       string
	Generation int
	Server     *otbr.Server
}

// Start serves a home until the World is closed. On an error nothing is left
// running.
func Start(home *mesh.Home, o Options) (*World, error) {
	if err := home.Validate(); err != nil {
		return nil, fmt.Errorf("simulated home: %w", err)
	}
	if o.Address == "" {
		o.Address = "127.0.0.1"
	}
	if ip := net.ParseIP(o.Address); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("simulated home: address %q: want a loopback address such as 127.0.0.1", o.Address)
	}
	w := &World{}
	if o.Matter != nil {
		if err := w.startMatter(o.Matter); err != nil {
			return nil, err
		}
	}
	for _, m := range home.Networks {
		if err := w.network(m, o); err != nil {
			w.Close()
			return nil, err
		}
	}
	if o.HomeAssistant != nil {
		if err := w.homeAssistant(home, *o.HomeAssistant, o.Address); err != nil {
			w.Close()
			return nil, err
		}
	}
	if o.MDNS.BorderAgent == nil {
		o.MDNS.BorderAgent = w.agentPort
	}
	if o.MDNS.Address == nil {
		o.MDNS.Address = w.agentAddress
	}
	if o.MDNS.Registered == nil && o.Matter != nil {
		o.MDNS.Registered = w.matterAt
	}
	if err := w.announce(home, o); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// otherFabric is the compressed id of the fabric that some devices share.
const otherFabric = 0x2906c908d115d362

var doHomeKit = map[string]bool{"Eve Systems": true, "Nanoleaf": true}

// announce starts the responder. It has no group: it answers who asks it and
// sends nothing by itself.
func (w *World) announce(home *mesh.Home, o Options) error {
	conn, err := net.ListenPacket("udp", net.JoinHostPort(o.Address, "0"))
	if err != nil {
		return fmt.Errorf("simulated responder: %w", err)
	}
	if o.MDNS.OtherFabric == 0 {
		o.MDNS.OtherFabric = otherFabric
	}
	if o.MDNS.HomeKit == nil {
		o.MDNS.HomeKit = homeKit
	}
	w.services = mdns.FromHome(home, o.MDNS)
	if w.home != nil {
		s, err := w.home.announcement(home)
		if err != nil {
			conn.Close()
			return fmt.Errorf("simulated responder: %w", err)
		}
		w.services = append(w.services, s)
	}
	w.mdnsAt = conn.LocalAddr().(*net.UDPAddr).AddrPort()
	w.mu.Lock()
	w.mdns = mdns.New(conn, netip.AddrPort{}, w.announced(), o.MDNSBehaviour)
	w.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	w.mdnsClose = cancel
	w.serving.Go(func() { w.mdns.Serve(ctx) })
	return nil
}

// network starts the servers of one network.
func (w *World) network(m *mesh.Mesh, o Options) error {
	v := m.View()
	if o.Faultless {
		v = m.Truth()
	}
	if err := w.borderAgents(m, v, o); err != nil {
		return err
	}
	if o.Matter != nil {
		if err := w.matterNodes(m, v, o); err != nil {
			return err
		}
	}
	for i := range m.Nodes {
		n := &m.Nodes[i]
		if n.OTBR == 0 {
			continue
		}
		knobs := otbr.Options{}
		if o.OTBR != nil {
			knobs = o.OTBR(m, n)
		}
		s, err := otbr.New(v, n.ExtAddr, knobs)
		if err != nil {
			return err
		}
		url, err := w.serve(o.Address, s)
		if err != nil {
			return fmt.Errorf("simulated border router %q: %w", n.Name, err)
		}
		gen := knobs.Generation
		if gen == 0 {
			gen = n.OTBR
		}
		w.otbrs = append(w.otbrs, OTBR{URL: url, Network: m.Name, Node: n.ExtAddr, Name: n.Name, Generation: gen, Server: s})
	}
	return nil
}

// serve starts a web server on a free port.
func (w *World) serve(address string, h http.Handler) (url string, err error) {
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return "", err
	}
	srv := &http.Server{Handler: h, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader}
	w.servers = append(w.servers, srv)
	w.serving.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.errs = append(w.errs, err)
		}
	})
	return "http://" + l.Addr().String(), nil
}

// OTBRs are the base URLs of the border routers' REST interfaces, in the order
// of networks and nodes.
func (w *World) OTBRs() []string {
	out := make([]string, 0, len(w.otbrs))
	for _, b := range w.otbrs {
		out = append(out, b.URL)
	}
	return out
}

// BorderRouters are the same with who they are.
func (w *World) BorderRouters() []OTBR { return append([]OTBR(nil), w.otbrs...) }

// MDNS is where the home's announcements can be asked for: multicast DNS by
// unicast.
func (w *World) MDNS() netip.AddrPort { return w.mdnsAt }

// Responder is what answers there.
func (w *World) Responder() *mdns.Responder { return w.mdns }

// Close ends all servers: answers under way get a moment, then connections are
// cut. It returns what went wrong while serving, once everything has stopped.
// A second call does nothing more.
func (w *World) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var all sync.WaitGroup
	for _, s := range w.servers {
		all.Go(func() {
			if s.Shutdown(ctx) != nil {
				s.Close() // hanging handlers see their context end
			}
		})
	}
	all.Wait()
	if w.mdnsClose != nil {
		w.mdnsClose()
	}
	w.closeAgents()
	w.closeMatter()
	w.serving.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.errs...)
}
