package listen

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv6"
)

// Sizes of ICMPv6 in IPv6 (RFC 8200, RFC 4443).
const (
	protocolICMPv6 = 58
	headerIPv6     = 40
	tokenSize      = 16
)

// A pinger is a socket for echo requests.
type pinger struct {
	conn *icmp.PacketConn
	raw  bool
	id   uint16
	mu   sync.Mutex
	seq  uint16
	wait map[[tokenSize]byte]chan error // nil: the reply came
	done chan struct{}
}

// openPinger opens a socket that needs no rights where the system has such
// (Linux where net.ipv4.ping_group_range allows it, macOS), else a raw one.
func openPinger() (*pinger, error) {
	p := &pinger{wait: map[[tokenSize]byte]chan error{}, done: make(chan struct{}), id: uint16(os.Getpid())}
	var err error
	if p.conn, err = icmp.ListenPacket("udp6", "::"); err != nil {
		if p.conn, err = icmp.ListenPacket("ip6:ipv6-icmp", "::"); err != nil {
			if errors.Is(err, os.ErrPermission) {
				return nil, errNoRights
			}
			return nil, fmt.Errorf("pings can't be sent: %s", oneLine(err))
		}
		p.raw = true
		var f ipv6.ICMPFilter
		f.SetAll(true)
		f.Accept(ipv6.ICMPTypeEchoReply)
		f.Accept(ipv6.ICMPTypeDestinationUnreachable)
		p.conn.IPv6PacketConn().SetICMPFilter(&f) // else more is looked at
	}
	go p.read()
	return p, nil
}

func (p *pinger) close() {
	p.conn.Close()
	<-p.done
}

// echo sends a request and waits for its reply until ctx ends.
func (p *pinger) echo(ctx context.Context, to netip.Addr) (time.Duration, error) {
	var token [tokenSize]byte
	rand.Read(token[:])
	answer := make(chan error, 1)
	p.mu.Lock()
	p.seq++
	seq := p.seq
	p.wait[token] = answer
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.wait, token)
		p.mu.Unlock()
	}()
	b, err := (&icmp.Message{Type: ipv6.ICMPTypeEchoRequest, Body: &icmp.Echo{ID: int(p.id), Seq: int(seq), Data: token[:]}}).Marshal(nil)
	if err != nil {
		return 0, err
	}
	var addr net.Addr = &net.UDPAddr{IP: to.AsSlice(), Zone: to.Zone()}
	if p.raw {
		addr = &net.IPAddr{IP: to.AsSlice(), Zone: to.Zone()}
	}
	start := time.Now()
	p.conn.SetWriteDeadline(start.Add(time.Second))
	if _, err := p.conn.WriteTo(b, addr); err != nil {
		if errors.Is(err, os.ErrPermission) {
			return 0, errNoRights
		}
		return 0, err
	}
	select {
	case err := <-answer:
		return time.Since(start), err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// read hands replies to those who wait, until the socket is closed.
func (p *pinger) read() {
	defer close(p.done)
	b := make([]byte, 2048)
	for failures := 0; failures < 8; {
		n, _, err := p.conn.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			failures++
			continue
		}
		failures = 0
		if token, result, ok := reply(b[:n]); ok {
			p.mu.Lock()
			if c := p.wait[token]; c != nil {
				select {
				case c <- result:
				default:
				}
			}
			p.mu.Unlock()
		}
	}
}

// reply reads an echo reply, or an error about an echo request of ours. The
// token, which nobody can guess, says which request it is about.
func reply(b []byte) (token [tokenSize]byte, result error, ok bool) {
	const echoHeader = 8
	if len(b) < echoHeader {
		return token, nil, false
	}
	switch ipv6.ICMPType(b[0]) {
	case ipv6.ICMPTypeEchoReply:
		b = b[echoHeader:]
	case ipv6.ICMPTypeDestinationUnreachable:
		code := b[1]
		b = b[echoHeader:]
		if len(b) < headerIPv6+echoHeader || b[6] != protocolICMPv6 || ipv6.ICMPType(b[headerIPv6]) != ipv6.ICMPTypeEchoRequest || binary.BigEndian.Uint16(b[4:]) < echoHeader {
			return token, nil, false
		}
		b = b[headerIPv6+echoHeader:]
		result = fmt.Errorf("unreachable: %s", unreachableCode(code))
	default:
		return token, nil, false
	}
	if len(b) < tokenSize {
		return token, nil, false
	}
	copy(token[:], b)
	return token, result, true
}

// unreachableCode is RFC 4443, section 3.1, in words.
func unreachableCode(code byte) string {
	switch code {
	case 0:
		return "no route to destination"
	case 1:
		return "administratively prohibited"
	case 3:
		return "address unreachable"
	}
	return fmt.Sprintf("code %d", code)
}

// oneLine is the innermost error: "network is unreachable" without the
// addresses around it.
func oneLine(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return strings.Join(strings.Fields(err.Error()), " ")
		}
		err = inner
	}
}
