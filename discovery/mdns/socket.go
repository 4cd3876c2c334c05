package mdns

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"threadmap/discovery"
)

// Port is multicast DNS' port (RFC 6762, section 3).
const Port = 5353

// Group4 and Group6 are its groups.
var (
	Group4 = netip.AddrPortFrom(netip.AddrFrom4([4]byte{224, 0, 0, 251}), Port)
	Group6 = netip.AddrPortFrom(netip.AddrFrom16([16]byte{0xff, 0x02, 15: 0xfb}), Port)
)

// readBuffer is asked of the system: hundreds of answers may come at once.
const readBuffer = 4 << 20

// A Socket is an open socket to ask with. Tests and simulators may give their
// own in [Config.Sockets].
type Socket struct {
	Link discovery.Link
	Conn net.PacketConn
	To   netip.AddrPort // where questions go: a group, or one responder
	// Only, where it is valid, is the only address that answers are taken from.
	Only netip.Addr
}

// openLink opens the sockets of one interface, one for each family that it
// has.
func openLink(ctx context.Context, n *nic, env environment) ([]Socket, []Problem) {
	var out []Socket
	var problems []Problem
	var taken []func() (net.PacketConn, netip.AddrPort, error)
	link := discovery.Link{Name: n.Name, Zone: n.Name}
	for _, f := range []struct {
		has  bool
		open func(context.Context, *nic, int) (net.PacketConn, error)
		to   netip.AddrPort
	}{{n.has6(), listen6, Group6}, {n.has4(), listen4, Group4}} {
		if !f.has {
			continue
		}
		conn, err := f.open(ctx, n, Port)
		if err == nil {
			out = append(out, Socket{Link: link, Conn: conn, To: f.to})
			continue
		}
		p := Problem{Reason: classify(env, false, err), Interface: n.Name, Err: err, env: env}
		problems = append(problems, p)
		if p.Reason == PortTaken {
			taken = append(taken, func() (net.PacketConn, netip.AddrPort, error) {
				conn, err := f.open(ctx, n, 0)
				return conn, f.to, err
			})
		}
	}
	if len(out) == 0 {
		// Nobody shares port 5353: ask from a port of our own, as a simple resolver
		// does; the answers come by unicast (section 6.7).
		link.Plain = true
		for _, open := range taken {
			if conn, to, err := open(); err == nil {
				out = append(out, Socket{Link: link, Conn: conn, To: to})
			}
		}
	}
	if len(out) == 0 {
		if len(problems) == 0 {
			problems = append(problems, Problem{Reason: NoRoute, Interface: n.Name, Err: errNoAddress, env: env})
		}
		problems[0].Fatal = true
		return nil, problems[:1]
	}
	return out, problems
}

var errNoAddress = errors.New("it has no IP address")

// openAsk opens a socket to ask one responder.
func openAsk(ctx context.Context, to netip.AddrPort) (Socket, error) {
	network := "udp6"
	if to.Addr().Unmap().Is4() {
		network = "udp4"
	}
	var lc net.ListenConfig
	conn, err := lc.ListenPacket(ctx, network, ":0")
	if err != nil {
		return Socket{}, err
	}
	if c, ok := conn.(*net.UDPConn); ok {
		c.SetReadBuffer(readBuffer) // a smaller buffer loses packets, no more
	}
	return Socket{
		Link: discovery.Link{Name: to.String(), Zone: to.Addr().Zone(), Plain: true},
		Conn: conn, To: to, Only: to.Addr().Unmap(),
	}, nil
}

func listen(ctx context.Context, network, at string, n *nic) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: func(network, _ string, c syscall.RawConn) error {
		var err error
		if cerr := c.Control(func(fd uintptr) { err = share(fd, network, &n.Interface) }); cerr != nil {
			return cerr
		}
		return err
	}}
	c, err := lc.ListenPacket(ctx, network, at)
	if err != nil {
		return nil, err
	}
	u := c.(*net.UDPConn)
	u.SetReadBuffer(readBuffer)
	return u, nil
}

// listen4 opens an IPv4 socket on one interface. Where port is Port it hears
// the group.
func listen4(ctx context.Context, n *nic, port int) (net.PacketConn, error) {
	u, err := listen(ctx, "udp4", (&net.UDPAddr{IP: net.IPv4zero, Port: port}).String(), n)
	if err != nil {
		return nil, err
	}
	p := ipv4.NewPacketConn(u)
	err = errors.Join(p.SetMulticastInterface(&n.Interface), p.SetMulticastTTL(255))
	if err == nil && port == Port {
		err = p.JoinGroup(&n.Interface, &net.UDPAddr{IP: Group4.Addr().AsSlice()})
	}
	if err != nil {
		u.Close()
		return nil, err
	}
	p.SetTTL(255)
	p.SetMulticastLoopback(true)                               // responders on this machine are worth hearing
	p.SetControlMessage(ipv4.FlagInterface|ipv4.FlagTTL, true) // not everywhere
	return &nicConn{UDPConn: u, nic: n, read: func(b []byte) (int, int, int, net.Addr, error) {
		size, cm, from, err := p.ReadFrom(b)
		if cm == nil {
			return size, 0, 0, from, err
		}
		return size, cm.IfIndex, cm.TTL, from, err
	}}, nil
}

// listen6 is listen4 for IPv6.
func listen6(ctx context.Context, n *nic, port int) (net.PacketConn, error) {
	u, err := listen(ctx, "udp6", (&net.UDPAddr{IP: net.IPv6unspecified, Port: port}).String(), n)
	if err != nil {
		return nil, err
	}
	p := ipv6.NewPacketConn(u)
	err = errors.Join(p.SetMulticastInterface(&n.Interface), p.SetMulticastHopLimit(255))
	if err == nil && port == Port {
		err = p.JoinGroup(&n.Interface, &net.UDPAddr{IP: Group6.Addr().AsSlice()})
	}
	if err != nil {
		u.Close()
		return nil, err
	}
	p.SetHopLimit(255)
	p.SetMulticastLoopback(true)
	p.SetControlMessage(ipv6.FlagInterface|ipv6.FlagHopLimit, true)
	return &nicConn{UDPConn: u, nic: n, zone: n.Name, read: func(b []byte) (int, int, int, net.Addr, error) {
		size, cm, from, err := p.ReadFrom(b)
		if cm == nil {
			return size, 0, 0, from, err
		}
		return size, cm.IfIndex, cm.HopLimit, from, err
	}}, nil
}

// A nicConn is a socket that gives only what came in by its interface, from
// senders on its link. A socket of some systems hears a group on interfaces
// that only other sockets joined it on.
type nicConn struct {
	*net.UDPConn
	nic  *nic
	zone string // for link-local destinations
	read func(b []byte) (size, index, hops int, from net.Addr, err error)
}

// ReadFrom is net.PacketConn's.
func (c *nicConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		size, index, hops, from, err := c.read(b)
		if err != nil {
			return size, from, err
		}
		u, ok := from.(*net.UDPAddr)
		if !ok || index != 0 && index != c.nic.Index || !c.nic.onLink(u.AddrPort().Addr(), hops) {
			continue
		}
		return size, from, nil
	}
}

// WriteTo is net.PacketConn's.
func (c *nicConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if u, ok := to.(*net.UDPAddr); ok && u.Zone == "" && u.IP.To4() == nil {
		to = &net.UDPAddr{IP: u.IP, Port: u.Port, Zone: c.zone}
	}
	return c.UDPConn.WriteTo(b, to)
}

// writeWithin bounds a write; UDP hardly ever waits.
const writeWithin = time.Second

func send(s *Socket, b []byte) error {
	s.Conn.SetWriteDeadline(time.Now().Add(writeWithin))
	_, err := s.Conn.WriteTo(b, net.UDPAddrFromAddrPort(s.To))
	return err
}
