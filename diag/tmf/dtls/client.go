package dtls

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"threadmap/diag/tmf/dtls/association"
	"threadmap/diag/tmf/pskc"
)

// maxDatagram is the longest UDP payload.
const maxDatagram = 1<<16 - 1

// Client runs the handshake of a client over raw, which must be connected to
// one peer and keep datagrams apart, and takes possession of it: raw is closed
// with the Conn, and also if the handshake fails or ctx ends before. Use a new
// socket, with a new local port, for each session: border agents keep the old
// one in mind for some seconds.
func Client(ctx context.Context, raw net.Conn, key pskc.Secret, cfg Config) (*Conn, error) {
	// Before anything is sent: each try counts against a one-time code.
	var a *association.Association
	err := context.Cause(ctx)
	if err == nil {
		a, err = association.NewClient(key.Bytes(), cfg)
	}
	if err != nil {
		raw.Close()
		return nil, handshakeError(raw.RemoteAddr(), err)
	}
	c := newConn(a, raw.LocalAddr(), raw.RemoteAddr())
	c.write = func(b []byte) error { _, err := raw.Write(b); return err }
	c.closeSocket = raw.Close
	c.setWriteDeadline = raw.SetWriteDeadline
	buf := make([]byte, maxDatagram)
	if err := c.handshake(ctx, raw, buf); err != nil {
		c.Close() // also frees the place at the peer, if it knows of us
		return nil, handshakeError(raw.RemoteAddr(), err)
	}
	go c.serve(raw, buf)
	return c, nil
}

// handshake returns when the association is established.
func (c *Conn) handshake(ctx context.Context, raw net.Conn, buf []byte) error {
	// A context that ends wakes the read by a deadline in the past.
	interrupt := context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })
	defer interrupt()

	c.mu.Lock()
	c.assoc.Start()
	err := c.flush()
	c.mu.Unlock()
	sent := 0
	var until time.Time
	for {
		// Before the socket's errors, what they come from.
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err // refused, unreachable: the user can do something about it now
		}
		c.mu.Lock()
		ended, established := c.assoc.Err(), c.assoc.Established()
		if n := c.assoc.Sent(); n != sent {
			sent, until = n, time.Now().Add(c.assoc.Wait())
		}
		c.mu.Unlock()
		switch {
		case ended != nil:
			return ended
		case established:
			if !interrupt() {
				return context.Cause(ctx) // too late: the deadline is or will be set
			}
			return raw.SetReadDeadline(time.Time{})
		}
		if err = raw.SetReadDeadline(until); err != nil {
			continue
		}
		if ctx.Err() != nil { // it may have ended before the deadline was set anew
			continue
		}
		var n int
		n, err = raw.Read(buf)
		c.mu.Lock()
		switch {
		case err == nil:
			c.assoc.Receive(buf[:n])
			err = c.flush()
		case errors.Is(err, os.ErrDeadlineExceeded) && !time.Now().Before(until):
			c.assoc.Timeout()
			err = c.flush()
		}
		c.mu.Unlock()
	}
}

// serve reads the socket until the session ends.
func (c *Conn) serve(raw net.Conn, buf []byte) {
	for {
		n, err := raw.Read(buf)
		if err != nil {
			c.mu.Lock()
			c.finish(err)
			c.mu.Unlock()
			return
		}
		c.receive(buf[:n])
		select {
		case <-c.done:
			return
		default:
		}
	}
}

// PacketPeer makes a connected net.Conn of a socket that is not: it writes to
// peer, and reads only what peer sent. It takes possession of pc.
func PacketPeer(pc net.PacketConn, peer netip.AddrPort) net.Conn {
	return &packetPeer{pc, netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())}
}

type packetPeer struct {
	net.PacketConn
	peer netip.AddrPort
}

func (p *packetPeer) Read(b []byte) (int, error) {
	for {
		n, from, err := p.ReadFrom(b)
		if err != nil {
			return 0, err
		}
		if ap, ok := addrPort(from); ok && ap == p.peer {
			return n, nil
		}
	}
}

func (p *packetPeer) Write(b []byte) (int, error) { return p.WriteTo(b, p.RemoteAddr()) }
func (p *packetPeer) RemoteAddr() net.Addr        { return net.UDPAddrFromAddrPort(p.peer) }

// addrPort is the address of a UDP socket; IPv4 in IPv6 is IPv4.
func addrPort(a net.Addr) (netip.AddrPort, bool) {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	ap := u.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), ap.IsValid()
}
