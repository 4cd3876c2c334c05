package host

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"threadmap/topology/doctor"
)

// maxWays bounds the prefixes that are asked for.
const maxWays = 64

// An answer is what the system says of the way to an address.
type answer struct {
	unreachable bool
	from        netip.Addr // the source address that it would use
}

// ways asks the system for the way to each prefix.
func (m *machine) ways(prefixes []netip.Prefix, of []doctor.HostInterface) []doctor.HostWay {
	if m.wayTo == nil || len(prefixes) == 0 {
		return nil
	}
	out := []doctor.HostWay{}
	for _, p := range prefixes[:min(len(prefixes), maxWays)] {
		if !p.IsValid() || !p.Addr().Is6() || p.Addr().Is4In6() || !p.Addr().IsGlobalUnicast() {
			continue
		}
		b := p.Masked().Addr().As16()
		b[15] |= 1
		a, ok := m.wayTo(netip.AddrFrom16(b))
		if !ok {
			continue
		}
		w := doctor.HostWay{To: p, Unreachable: a.unreachable}
		for _, i := range of {
			if slices.ContainsFunc(i.Prefixes, func(own netip.Prefix) bool { return own.Addr() == a.from }) {
				w.Interface = i.Name
				break
			}
		}
		out = append(out, w)
	}
	return out
}

// wayTo asks for the way to an address by connecting a UDP socket, which sends
// nothing: the system looks the route up, by all its tables and policies, and
// chooses a source address. ok is false where it does not tell.
func wayTo(a netip.Addr) (answer, bool) {
	const matter = 5540
	c, err := net.DialUDP("udp6", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, matter)))
	if err != nil {
		return answer{unreachable: true}, unreachable(err)
	}
	defer c.Close()
	from, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return answer{}, false
	}
	return answer{from: from.AddrPort().Addr().WithZone("")}, true
}

// unreachable reports whether an error says that no route leads there, and not
// that the question could not be asked.
func unreachable(err error) bool {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return false
	}
	const wsaeNetUnreach, wsaeHostUnreach = 10051, 10065 // winsock2.h
	return no == syscall.ENETUNREACH || no == syscall.EHOSTUNREACH || no == wsaeNetUnreach || no == wsaeHostUnreach
}
