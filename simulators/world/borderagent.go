package world

import (
	"fmt"
	"net"
	"net/netip"

	"threadmap/diag"
	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
)

// An Agent is the border agent of one border router.
type Agent struct {
	Addr     netip.AddrPort // UDP
	Network  string
	ExtPANID diag.PANID64
	Node     diag.ExtAddr
	Name     string
	PSKc     pskc.Secret // the password of its sessions, also where that is a one-time code
	Server   *borderagent.Agent
}

// BorderAgents are the border agents of the home, in the order of networks and
// nodes. Those of one network share its commissioner.
func (w *World) BorderAgents() []Agent { return append([]Agent(nil), w.agents...) }

// borderAgents starts the border agents of one network. That of a silent border
// router is there and says nothing.
func (w *World) borderAgents(m *mesh.Mesh, v *mesh.View, o Options) error {
	var first *borderagent.Agent
	for i := range m.Nodes {
		n := &m.Nodes[i]
		if !n.BorderRouter || !n.IsRouter() {
			continue
		}
		knobs := borderagent.Options{}
		if o.BorderAgent != nil {
			knobs = o.BorderAgent(m, n)
		}
		var a *borderagent.Agent
		var err error
		if first == nil {
			a, err = borderagent.New(v, n.ExtAddr, knobs)
			first = a
		} else {
			a, err = first.Beside(n.ExtAddr, knobs)
		}
		if err != nil {
			return err
		}
		a.GoSilent(!v.Answers(i))
		conn, err := net.ListenPacket("udp", net.JoinHostPort(o.Address, "0"))
		if err != nil {
			a.Close()
			return fmt.Errorf("simulated border agent %q: %w", n.Name, err)
		}
		w.agents = append(w.agents, Agent{
			Addr: conn.LocalAddr().(*net.UDPAddr).AddrPort(), Network: m.Name, ExtPANID: m.ExtPANID, Node: n.ExtAddr, Name: n.Name, PSKc: a.Password(), Server: a,
		})
		w.serving.Go(func() {
			if err := a.Serve(conn); err != nil {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.errs = append(w.errs, err)
			}
		})
	}
	return nil
}

// agentAt is where a border router's agent listens, invalid where it has none.
func (w *World) agentAt(n *mesh.Node) netip.AddrPort {
	for _, a := range w.agents {
		if a.Node == n.ExtAddr {
			return a.Addr
		}
	}
	return netip.AddrPort{}
}

// agentPort and agentAddress are that for the announcement. A border router
// without an agent has no address: it can't be reached.
func (w *World) agentPort(n *mesh.Node) uint16 { return w.agentAt(n).Port() }

func (w *World) agentAddress(n *mesh.Node) []netip.Addr {
	if at := w.agentAt(n); at.IsValid() {
		return []netip.Addr{at.Addr()}
	}
	return nil
}

func (w *World) closeAgents() {
	for _, a := range w.agents {
		a.Server.Close()
	}
}
