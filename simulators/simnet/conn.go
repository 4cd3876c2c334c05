package simnet

import (
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// A Conn is a datagram socket of a [Net]. It is a net.PacketConn and, where it
// was dialled, a net.Conn; its methods are safe for concurrent use.
type Conn struct {
	net      *Net
	at, peer netip.AddrPort

	arrived chan struct{} // holds a token while the queue may not be empty
	done    chan struct{} // closed by Close
	once    sync.Once

	mu         sync.Mutex
	queue      []Packet
	room       int // octets left
	readUntil  time.Time
	writeUntil time.Time
	moved      chan struct{} // closed and replaced when readUntil changes
}

var (
	_ net.PacketConn = (*Conn)(nil)
	_ net.Conn       = (*Conn)(nil)
)

// put appends a packet to the queue unless the buffer is full. A packet may
// always fill an empty buffer, as in Linux.
func (c *Conn) put(p Packet) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	cost := packetCost + len(p.Data)
	if cost > c.room && len(c.queue) > 0 {
		return false
	}
	c.room -= cost
	c.queue = append(c.queue, p)
	c.wake()
	return true
}

func (c *Conn) wake() {
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// take gives the first packet of the queue.
func (c *Conn) take() (p Packet, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return p, false
	}
	p = c.queue[0]
	c.queue = c.queue[1:]
	c.room += packetCost + len(p.Data)
	if len(c.queue) > 0 {
		c.wake() // for another reader
	}
	return p, true
}

// ReadFromAddrPort waits for a packet and copies what fits into b of it; the
// rest is cut off.
func (c *Conn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		select {
		case <-c.done:
			return 0, netip.AddrPort{}, opError("read", c.at, net.ErrClosed)
		default:
		}
		c.mu.Lock()
		until, moved := c.readUntil, c.moved
		c.mu.Unlock()
		var late <-chan time.Time
		if !until.IsZero() {
			left := time.Until(until)
			if left <= 0 {
				return 0, netip.AddrPort{}, opError("read", c.at, errDeadline)
			}
			t := time.NewTimer(left)
			defer t.Stop()
			late = t.C
		}
		if p, ok := c.take(); ok {
			return copy(b, p.Data), p.From, nil
		}
		select {
		case <-c.arrived:
		case <-moved: // a blocked read obeys the new deadline
		case <-late:
		case <-c.done:
		}
	}
}

// ReadFrom is net.PacketConn's.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// Read is net.Conn's.
func (c *Conn) Read(b []byte) (int, error) {
	n, _, err := c.ReadFromAddrPort(b)
	return n, err
}

// WriteToAddrPort sends a datagram. It never waits.
func (c *Conn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-c.done:
		return 0, opError("write", to, net.ErrClosed)
	default:
	}
	c.mu.Lock()
	until := c.writeUntil
	c.mu.Unlock()
	switch {
	case !until.IsZero() && time.Until(until) <= 0:
		return 0, opError("write", to, errDeadline)
	case len(b) > maxDatagram:
		return 0, opError("write", to, syscall.EMSGSIZE)
	case !to.IsValid() || to.Port() == 0:
		return 0, opError("write", to, syscall.EINVAL)
	case c.peer.IsValid() && to != c.peer:
		return 0, opError("write", to, net.ErrWriteToConnected)
	}
	c.net.send(c.at, to, append([]byte(nil), b...))
	return len(b), nil
}

// WriteTo is net.PacketConn's; to is a *net.UDPAddr.
func (c *Conn) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok || u == nil {
		return 0, opError("write", netip.AddrPort{}, syscall.EINVAL)
	}
	ap := u.AddrPort()
	return c.WriteToAddrPort(b, netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()))
}

// Write is net.Conn's; it needs a dialled Conn.
func (c *Conn) Write(b []byte) (int, error) {
	if !c.peer.IsValid() {
		return 0, opError("write", c.at, syscall.EDESTADDRREQ)
	}
	return c.WriteToAddrPort(b, c.peer)
}

// JoinGroup makes the Conn receive what is sent to a multicast address and
// port, its own packets included.
func (c *Conn) JoinGroup(group netip.AddrPort) error {
	if !group.Addr().IsMulticast() {
		return opError("join", group, syscall.EINVAL)
	}
	n := c.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conns[c.at] != c {
		return opError("join", group, net.ErrClosed)
	}
	for _, m := range n.groups[group] {
		if m == c {
			return nil
		}
	}
	n.groups[group] = append(n.groups[group], c)
	return nil
}

// Close closes the socket; blocked reads return net.ErrClosed.
func (c *Conn) Close() error {
	err := opError("close", c.at, net.ErrClosed)
	c.once.Do(func() {
		c.net.leave(c)
		close(c.done)
		err = nil
	})
	return err
}

// LocalAddr is the address of the socket, a *net.UDPAddr.
func (c *Conn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.at) }

// RemoteAddr is the address of the peer, nil where there is none.
func (c *Conn) RemoteAddr() net.Addr {
	if !c.peer.IsValid() {
		return nil
	}
	return net.UDPAddrFromAddrPort(c.peer)
}

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline is net.PacketConn's: it holds for reads under way too, and
// the zero time is none.
func (c *Conn) SetReadDeadline(t time.Time) error {
	select {
	case <-c.done:
		return opError("set", c.at, net.ErrClosed)
	default:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readUntil = t
	close(c.moved)
	c.moved = make(chan struct{})
	return nil
}

// SetWriteDeadline is net.PacketConn's.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	select {
	case <-c.done:
		return opError("set", c.at, net.ErrClosed)
	default:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeUntil = t
	return nil
}
