package mdns

import (
	"context"
	"errors"
	"hash/maphash"
	"net"
	"net/netip"
	"time"

	"threadmap/discovery"
)

// read hands what a socket receives to the engine until the socket is closed.
func (e *engine) read(ctx context.Context, s *socket, in chan<- packet) {
	b := make([]byte, maxPacket)
	failures := 0
	for {
		n, from, err := s.Conn.ReadFrom(b)
		at := time.Now()
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		p := packet{from: s}
		if err != nil {
			// Some systems report an earlier packet that could not be delivered.
			if failures++; failures < maxFailures {
				continue
			}
			p.err = err
		} else {
			failures = 0
			u, ok := from.(*net.UDPAddr)
			if !ok {
				continue
			}
			src := u.AddrPort()
			src = netip.AddrPortFrom(src.Addr().Unmap(), src.Port())
			if s.Only.IsValid() && src.Addr().WithZone("") != s.Only.WithZone("") || e.ours(b[:n], at) {
				continue
			}
			m, err := Parse(b[:n])
			p.m, p.bad, p.o = m, err != nil, discovery.Origin{Interface: s.Link.Name, From: src, At: at}
		}
		select {
		case in <- p:
		case <-ctx.Done():
			return
		}
		if p.err != nil {
			return
		}
	}
}

// remember and ours tell our own packets, which come back to us, from those of
// a program on this machine that shares port and address with us.
func (e *engine) remember(b []byte) {
	e.sentMu.Lock()
	defer e.sentMu.Unlock()
	now := time.Now()
	for h, at := range e.sent {
		if now.Sub(at) > echoes {
			delete(e.sent, h)
		}
	}
	e.sent[maphash.Bytes(e.seed, b)] = now
}

func (e *engine) ours(b []byte, at time.Time) bool {
	if len(b) < headerSize || b[2]&0x80 != 0 {
		return false // an answer; we give none
	}
	e.sentMu.Lock()
	defer e.sentMu.Unlock()
	sent, ok := e.sent[maphash.Bytes(e.seed, b)]
	return ok && at.Sub(sent) <= echoes
}
