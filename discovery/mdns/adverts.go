package mdns

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/ipv6"

	"threadmap/discovery"
)

// routerAdvertisement is its ICMPv6 type (RFC 4861).
const routerAdvertisement = 134

// advertListener hears the router advertisements of some interfaces. It only
// listens: it solicits none.
type advertListener struct {
	conn net.PacketConn
	p    *ipv6.PacketConn
	nics []*nic
}

// listenAdverts opens a raw socket, which needs rights.
func listenAdverts(nics []*nic) (*advertListener, error) {
	conn, err := net.ListenPacket("ip6:ipv6-icmp", "::")
	if err != nil {
		return nil, err
	}
	p := ipv6.NewPacketConn(conn)
	var f ipv6.ICMPFilter
	f.SetAll(true)
	f.Accept(routerAdvertisement)
	err = errors.Join(p.SetICMPFilter(&f), p.SetControlMessage(ipv6.FlagInterface|ipv6.FlagHopLimit, true))
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &advertListener{conn, p, nics}, nil
}

func (l *advertListener) close() { l.conn.Close() }

// read hands advertisements to the engine until the socket is closed. As RFC
// 4861, section 6.1.2, wants, only those that no router forwarded count.
func (l *advertListener) read(ctx context.Context, in chan<- packet) {
	b := make([]byte, maxPacket)
	for failures := 0; failures < maxFailures; {
		n, cm, from, err := l.p.ReadFrom(b)
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			failures++
			continue
		}
		failures = 0
		ip, ok := from.(*net.IPAddr)
		if !ok || cm == nil || cm.HopLimit != 255 {
			continue
		}
		i := slices.IndexFunc(l.nics, func(n *nic) bool { return n.Index == cm.IfIndex })
		addr, ok := netip.AddrFromSlice(ip.IP)
		if i < 0 || !ok || !addr.IsLinkLocalUnicast() {
			continue
		}
		a, err := discovery.ParseAdvert(b[:n])
		if err != nil {
			continue
		}
		a.At, a.From, a.Interface = time.Now(), addr.WithZone(l.nics[i].Name), l.nics[i].Name
		select {
		case in <- packet{ra: &a}:
		case <-ctx.Done():
			return
		}
	}
}
