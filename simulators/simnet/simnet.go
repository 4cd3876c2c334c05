// Package simnet is a UDP network inside the process, for tests that need loss,
// delay and virtual time: a goroutine that waits on a real socket keeps the
// clock of a testing/synctest bubble from advancing, one that waits here does
// not.
//
// A [Net] joins the [Conn]s that were opened on it. What becomes of a packet is
// one function, Net.Fate. Semantics are those of UDP sockets of Linux as far as
// a net.PacketConn shows them: datagrams, deadlines that also wake a blocked
// read, receive buffers that overflow silently, groups, and errors of type
// *net.OpError.
//
// The reader is beside simulators/mesh; the product never imports it.
package simnet

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Limits of a datagram socket.
const (
	// maxDatagram is what fits into one IPv4 datagram.
	maxDatagram = 65507
	// defaultBuffer is Linux' receive buffer, in octets.
	defaultBuffer = 212992
	// packetCost is what a packet takes of the buffer besides its data.
	packetCost = 256
	// firstEphemeral is the first port that is given to port 0.
	firstEphemeral = 49152
)

// A Packet is one datagram on its way.
type Packet struct {
	From, To netip.AddrPort // To is the receiving Conn's address, of a multicast too
	Group    netip.AddrPort // where a multicast was sent, invalid for a unicast
	Data     []byte         // must not be changed
}

// A Net is a network. The zero value is ready for use and perfect; set the
// fields before the first packet.
type Net struct {
	// Fate says after which delays copies of the packet arrive: none for a lost
	// one, two for a doubled one, shorter than those of an earlier packet to
	// overtake it. nil: one copy, at once. It is called once for each receiver,
	// one call at a time.
	Fate func(Packet) []time.Duration
	// Buffer is the receive buffer of each Conn, in octets; 0: Linux' default.
	Buffer int

	mu     sync.Mutex
	conns  map[netip.AddrPort]*Conn
	groups map[netip.AddrPort][]*Conn // in the order of joining
	stats  Stats
	air    flights
	sent   uint64 // copies so far
}

// Stats count packets since the start. A multicast counts once for each
// receiver.
type Stats struct {
	Sent       int // unicasts, and multicasts by receiver
	Lost       int // by Fate
	Unreached  int // nobody listened, or not any more
	Overflowed int // the receiver's buffer was full
	Delivered  int // copies put into a receive buffer
}

// Stats is the count until now.
func (n *Net) Stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stats
}

// ListenPacket opens a socket at a unicast address. Port 0 gives a free port.
func (n *Net) ListenPacket(at netip.AddrPort) (*Conn, error) {
	return n.open(at, netip.AddrPort{})
}

// Dial opens a socket that speaks with one peer only: what others send to it
// is not received.
func (n *Net) Dial(at, peer netip.AddrPort) (*Conn, error) {
	if !peer.IsValid() || peer.Port() == 0 {
		return nil, opError("dial", at, syscall.EINVAL)
	}
	return n.open(at, peer)
}

func (n *Net) open(at, peer netip.AddrPort) (*Conn, error) {
	if !at.Addr().IsValid() || at.Addr().IsUnspecified() || at.Addr().IsMulticast() {
		return nil, opError("listen", at, fmt.Errorf("simnet: want a unicast address"))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conns == nil {
		n.conns = map[netip.AddrPort]*Conn{}
		n.groups = map[netip.AddrPort][]*Conn{}
	}
	if at.Port() == 0 {
		for p := firstEphemeral; p <= 65535; p++ {
			if try := netip.AddrPortFrom(at.Addr(), uint16(p)); n.conns[try] == nil {
				at = try
				break
			}
		}
	}
	if at.Port() == 0 || n.conns[at] != nil {
		return nil, opError("listen", at, syscall.EADDRINUSE)
	}
	c := &Conn{net: n, at: at, peer: peer, room: n.Buffer, arrived: make(chan struct{}, 1), done: make(chan struct{}), moved: make(chan struct{})}
	if c.room == 0 {
		c.room = defaultBuffer
	}
	n.conns[at] = c
	return c, nil
}

// send puts data on the way to one receiver or to the members of a group.
func (n *Net) send(from, to netip.AddrPort, data []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if to.Addr().IsMulticast() {
		members := n.groups[to]
		if len(members) == 0 {
			n.stats.Sent++
			n.stats.Unreached++
		}
		for _, c := range members { // the sender too: sockets hear themselves
			n.start(Packet{From: from, To: c.at, Group: to, Data: data})
		}
		return
	}
	n.start(Packet{From: from, To: to, Data: data})
}

func (n *Net) start(p Packet) {
	n.stats.Sent++
	delays := []time.Duration{0}
	if n.Fate != nil {
		delays = n.Fate(p)
	}
	if len(delays) == 0 {
		n.stats.Lost++
	}
	for _, d := range delays {
		if d <= 0 {
			n.arrive(p)
			continue
		}
		n.later(p, d)
	}
}

// arrive hands a packet to its receiver, if that is still there.
func (n *Net) arrive(p Packet) {
	c := n.conns[p.To]
	switch {
	case c == nil || p.Group.IsValid() && !slices.Contains(n.groups[p.Group], c) || c.peer.IsValid() && c.peer != p.From:
		n.stats.Unreached++
	case !c.put(p):
		n.stats.Overflowed++
	default:
		n.stats.Delivered++
	}
}

func (n *Net) leave(c *Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conns[c.at] == c {
		delete(n.conns, c.at)
	}
	for g, members := range n.groups {
		n.groups[g] = slices.DeleteFunc(members, func(m *Conn) bool { return m == c })
	}
}

func opError(op string, at netip.AddrPort, err error) error {
	return &net.OpError{Op: op, Net: "udp", Addr: net.UDPAddrFromAddrPort(at), Err: err}
}

// errDeadline is what a real socket gives; it is a timeout.
var errDeadline = os.ErrDeadlineExceeded
