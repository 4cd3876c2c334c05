package borderagent

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"threadmap/diag"
	"threadmap/diag/tmf/dtls"
	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/mesh"
)

// An Agent is a simulated border agent. Its methods are safe for concurrent
// use.
type Agent struct {
	o   Options
	id  diag.ExtAddr
	net *network

	refused atomic.Int64
	gate    gate

	// Guarded by the network's lock.
	listener *dtls.Listener
	sessions map[*session]bool
	active   *session // the one that is the commissioner, for all that this agent knows
	served   bool
	closed   bool
	count    int // of sessions so far
	// Of what it did itself; the rest is in the network's.
	forwarded, vanished int
	requests            map[string]int
	mid                 uint16
	tokens              uint64
}

// New makes the border agent of the border router with that extended address,
// with a mesh of its own behind it.
func New(v *mesh.View, border diag.ExtAddr, o Options) (*Agent, error) {
	o, err := o.withDefaults(v.Mesh())
	if err != nil {
		return nil, fmt.Errorf("simulated border agent: %w", err)
	}
	a, err := newAgent(newNetwork(v, o), border, o)
	if err != nil {
		return nil, err
	}
	if o.SecondCommissioner != "" {
		a.Hold(o.SecondCommissioner, o.Steering)
	}
	return a, nil
}

// Beside makes the agent of another border router of the same mesh: nodes and
// the commissioner's role are shared.
func (a *Agent) Beside(border diag.ExtAddr, o Options) (*Agent, error) {
	a.net.Lock()
	o, err := o.withDefaults(a.net.view.Mesh())
	a.net.Unlock()
	if err != nil {
		return nil, fmt.Errorf("simulated border agent: %w", err)
	}
	return newAgent(a.net, border, o)
}

func newAgent(n *network, border diag.ExtAddr, o Options) (*Agent, error) {
	n.Lock()
	defer n.Unlock()
	i := n.view.Find(border)
	switch {
	case i < 0:
		return nil, fmt.Errorf("simulated border agent: no node has extended address %s", border)
	case !n.view.Node(i).IsRouter():
		return nil, fmt.Errorf("simulated border agent %s: is a child; name a router", border)
	case n.stopped:
		return nil, fmt.Errorf("simulated border agent %s: all agents of its mesh are closed", border)
	}
	r := n.seed(^uint64(border))
	n.agents++
	n.borders = append(n.borders, border)
	return &Agent{o: o, id: border, net: n, sessions: map[*session]bool{}, requests: map[string]int{}, mid: uint16(r), tokens: r}, nil
}

// self is the index of the agent's node. The network's lock is held.
func (a *Agent) self() int { return a.net.view.Find(a.id) }

// SetView changes the mesh, for all its agents, whose nodes must be in it.
// Sessions and the commissioner's role go on.
func (a *Agent) SetView(v *mesh.View) error {
	a.net.Lock()
	defer a.net.Unlock()
	for _, id := range a.net.borders {
		if i := v.Find(id); i < 0 || !v.Node(i).IsRouter() {
			return fmt.Errorf("simulated border agent: %s is no router any more", id)
		}
	}
	a.net.setView(v)
	return nil
}

// Serve answers on pc, whose addresses must be *net.UDPAddr, and closes it. It
// returns nil after Close, and after the end of a one-time code, when
// everything of it has stopped. An Agent serves once.
func (a *Agent) Serve(pc net.PacketConn) error {
	cfg := dtls.ListenConfig{Config: dtls.Config{MaxSend: a.o.RecordLimit, MaxRecord: a.o.RecordLimit}}
	cfg.Failed = func(netip.AddrPort, error) { a.refused.Add(1) }
	if a.o.EphemeralCode != "" {
		cfg.MaxSessions = 1
	}
	n := a.net
	n.Lock()
	if a.closed && !a.served {
		n.Unlock()
		return pc.Close()
	}
	if a.served {
		n.Unlock()
		pc.Close()
		return fmt.Errorf("simulated border agent %s: %w", a.id, net.ErrClosed)
	}
	a.served = true
	a.gate.PacketConn = pc
	if a.o.EphemeralCode != "" {
		a.gate.clients = codeClients
	}
	l, err := dtls.Listen(&a.gate, a.o.PSKc, cfg)
	if err != nil {
		n.Unlock()
		return fmt.Errorf("simulated border agent %s: %w", a.id, err)
	}
	a.listener = l
	if a.o.EphemeralCode != "" {
		n.after(a.o.CodeLife, func() {
			l.Close()
		})
	}
	n.Unlock()
	var reading sync.WaitGroup
	defer reading.Wait()
	for {
		c, err := l.Accept()
		if err != nil {
			a.gone()
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("simulated border agent %s: %w", a.id, err)
		}
		s := a.accept(c)
		reading.Go(func() {
			s.read()
			a.ended(s)
		})
	}
}

// Close ends the agent: its sessions with close_notify, and its socket. Serve
// returns soon after.
func (a *Agent) Close() error {
	n := a.net
	n.Lock()
	l := a.listener
	n.Unlock()
	a.gone()
	if l != nil {
		return l.Close()
	}
	return nil
}

// gone notes that the agent is closed; with the last one the mesh stops.
func (a *Agent) gone() {
	n := a.net
	n.Lock()
	defer n.Unlock()
	if a.closed {
		return
	}
	a.closed = true
	if n.agents--; n.agents == 0 {
		n.stop()
	}
}

func (a *Agent) accept(c net.Conn) *session {
	n := a.net
	n.Lock()
	defer n.Unlock()
	a.count++
	s := &session{agent: a, conn: c}
	a.sessions[s] = true
	s.prolong()
	return s
}

// ended forgets a session; its role, if it has one, stays taken for a while.
func (a *Agent) ended(s *session) {
	s.conn.Close()
	n := a.net
	n.Lock()
	defer n.Unlock()
	delete(a.sessions, s)
	if a.active == s {
		a.active = nil
	}
	if a.o.EphemeralCode != "" {
		n.after(codeLinger, func() { a.listener.Close() })
	}
}

// Password is what clients need for a session.
func (a *Agent) Password() pskc.Secret { return a.o.PSKc }

// GoSilent makes the agent deaf and dumb, as when its power is cut, or lets it
// hear and speak again.
func (a *Agent) GoSilent(silent bool) { a.gate.silent.Store(silent) }

// Stats is the count until now.
func (a *Agent) Stats() Stats {
	n := a.net
	n.Lock()
	defer n.Unlock()
	s := n.stats
	s.Requests = maps.Clone(s.Requests)
	maps.Copy(s.Requests, a.requests)
	s.Sessions, s.Refused, s.Forwarded, s.Vanished = a.count, int(a.refused.Load()), a.forwarded, a.vanished
	return s
}

// A gate is the agent's socket: it can be shut, and counts the clients of a
// one-time code.
type gate struct {
	net.PacketConn
	silent  atomic.Bool
	clients int // that may come; 0: any number
	known   map[netip.AddrPort]bool
}

// ReadFrom is called by one goroutine, the listener's.
func (g *gate) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := g.PacketConn.ReadFrom(b)
		if err != nil {
			return n, from, err
		}
		if g.silent.Load() || !g.admits(from) {
			continue
		}
		return n, from, nil
	}
}

// admits counts the first datagram of each client; after the last one that may
// come the code is dead.
func (g *gate) admits(from net.Addr) bool {
	u, ok := from.(*net.UDPAddr)
	if g.clients == 0 || !ok {
		return true
	}
	if at := u.AddrPort(); !g.known[at] {
		if len(g.known) == g.clients {
			g.PacketConn.Close()
			return false
		}
		if g.known == nil {
			g.known = map[netip.AddrPort]bool{}
		}
		g.known[at] = true
	}
	return true
}

func (g *gate) WriteTo(b []byte, to net.Addr) (int, error) {
	if g.silent.Load() {
		return len(b), nil
	}
	return g.PacketConn.WriteTo(b, to)
}
