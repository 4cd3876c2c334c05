package matternode

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// A gate is the node's socket with its radio: it sleeps, and can be cut off.
type gate struct {
	net.PacketConn
	udp    udpConn // nil: the socket has only the slow methods
	silent atomic.Bool
	off    atomic.Bool                     // it has no power, or no network yet
	life   atomic.Pointer[<-chan struct{}] // closed when the node is restarted
	sleep  *sleeper                        // nil: the receiver is always on

	restarting atomic.Bool // the socket outlives the Endpoint that closes it
}

type udpConn interface {
	ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort([]byte, netip.AddrPort) (int, error)
}

func newGate(pc net.PacketConn, sleep *sleeper) *gate {
	g := &gate{PacketConn: pc, sleep: sleep}
	g.udp, _ = pc.(udpConn)
	return g
}

// lives says when what is waited for is not waited for any more.
func (g *gate) lives(done <-chan struct{}) { g.life.Store(&done) }

func (g *gate) deaf() bool { return g.silent.Load() || g.off.Load() }

// Close closes the socket, or only wakes who reads from it.
func (g *gate) Close() error {
	if g.restarting.Load() {
		return g.PacketConn.SetReadDeadline(time.Unix(1, 0))
	}
	return g.PacketConn.Close()
}

// restart lets f close the Endpoint that has the socket, and makes the socket
// ready for the next.
func (g *gate) restart(f func()) {
	g.restarting.Store(true)
	f()
	g.restarting.Store(false)
	g.PacketConn.SetReadDeadline(time.Time{})
}

// ReadFromUDPAddrPort reads what the radio lets through.
func (g *gate) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err := g.read(b)
		if err != nil || g.hears() {
			return n, from, err
		}
	}
}

func (g *gate) read(b []byte) (int, netip.AddrPort, error) {
	if g.udp != nil {
		return g.udp.ReadFromUDPAddrPort(b)
	}
	n, from, err := g.PacketConn.ReadFrom(b)
	if err != nil {
		return n, netip.AddrPort{}, err
	}
	u, ok := from.(*net.UDPAddr)
	if !ok {
		return 0, netip.AddrPort{}, fmt.Errorf("simulated Matter node: want a UDP socket, not one of %T", from)
	}
	return n, u.AddrPort(), nil
}

// ReadFrom is net.PacketConn's.
func (g *gate) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := g.ReadFromUDPAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// hears reports whether the node hears a datagram that came, after the wait for
// its next poll.
func (g *gate) hears() bool {
	return !g.deaf() && (g.sleep == nil || g.sleep.await(*g.life.Load())) && !g.deaf()
}

// WriteToUDPAddrPort sends what the radio lets through.
func (g *gate) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if g.deaf() {
		return len(b), nil
	}
	if g.sleep != nil {
		g.sleep.touch()
	}
	return g.write(b, to)
}

func (g *gate) write(b []byte, to netip.AddrPort) (int, error) {
	if g.udp != nil {
		return g.udp.WriteToUDPAddrPort(b, to)
	}
	return g.PacketConn.WriteTo(b, net.UDPAddrFromAddrPort(to))
}

// WriteTo is net.PacketConn's.
func (g *gate) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, fmt.Errorf("simulated Matter node: %T is no UDP address", to)
	}
	return g.WriteToUDPAddrPort(b, u.AddrPort())
}
