package host

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"threadmap/topology/doctor"
)

// maxRoutes bounds the routes that are kept. Who has more is no home's machine,
// and part of a table is worse than none.
const maxRoutes = 8192

// Flags of routes (linux/route.h, linux/ipv6_route.h).
const (
	flagUp      = 0x00000001
	flagReject  = 0x00000200
	flagAnycast = 0x00100000
	flagCache   = 0x01000000
	flagLocal   = 0x80000000
)

// routes6 reads the IPv6 routes of all tables: /proc/net/ipv6_route does not say
// which table a route is in. nil: can't be read.
func routes6(root fs.FS) []doctor.HostRoute {
	return table(root, "proc/net/ipv6_route", parse6)
}

// routes4 reads the main table of IPv4. nil: can't be read.
func routes4(root fs.FS) []doctor.HostRoute {
	return table(root, "proc/net/route", parse4)
}

func table(root fs.FS, name string, parse func(string) (doctor.HostRoute, bool, error)) []doctor.HostRoute {
	b, ok := read(root, name)
	if !ok {
		return nil
	}
	out := []doctor.HostRoute{}
	for line := range lines(b, &ok) {
		r, is, err := parse(line)
		if err != nil || len(out) >= maxRoutes {
			return nil
		}
		if is {
			out = append(out, r)
		}
	}
	if !ok {
		return nil
	}
	return out
}

var errRoute = errors.New("that is no route")

// parse6 reads a line of /proc/net/ipv6_route: destination, its length, source,
// its length, next hop, metric, two counters, flags, device.
func parse6(line string) (r doctor.HostRoute, is bool, err error) {
	if line == "" {
		return r, false, nil
	}
	f := strings.Fields(line)
	if len(f) != 10 {
		return r, false, errRoute
	}
	to, err1 := address6(f[0])
	length, err2 := strconv.ParseUint(f[1], 16, 8)
	gateway, err3 := address6(f[4])
	metric, err4 := strconv.ParseUint(f[5], 16, 32)
	flags, err5 := strconv.ParseUint(f[8], 16, 32)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil || length > 128 {
		return r, false, errRoute
	}
	r = doctor.HostRoute{To: netip.PrefixFrom(to, int(length)).Masked(), Interface: f[9], Metric: uint32(metric), Refused: flags&flagReject != 0}
	if gateway != netip.IPv6Unspecified() {
		r.Gateway = gateway
	}
	// Refusing routes are not "up". The entry that ends each table, which refuses
	// all, is none that anybody made.
	is = flags&(flagLocal|flagAnycast|flagCache) == 0 && (flags&flagUp != 0 || r.Refused) && metric != 0xffffffff
	return r, is, nil
}

func address6(s string) (netip.Addr, error) {
	var b [16]byte
	if len(s) != 32 {
		return netip.Addr{}, errRoute
	}
	if _, err := hex.Decode(b[:], []byte(s)); err != nil {
		return netip.Addr{}, errRoute
	}
	return netip.AddrFrom16(b), nil
}

// parse4 reads a line of /proc/net/route: device, destination, gateway, flags,
// three counters and the metric among them, mask, three more.
func parse4(line string) (r doctor.HostRoute, is bool, err error) {
	f := strings.Fields(line)
	if len(f) == 0 || f[0] == "Iface" {
		return r, false, nil
	}
	if len(f) != 11 {
		return r, false, errRoute
	}
	to, err1 := address4(f[1])
	gateway, err2 := address4(f[2])
	flags, err3 := strconv.ParseUint(f[3], 16, 32)
	metric, err4 := strconv.ParseUint(f[6], 10, 32)
	mask, err5 := address4(f[7])
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return r, false, errRoute
	}
	m := mask.As4()
	n := bits.LeadingZeros32(^binary.BigEndian.Uint32(m[:]))
	r = doctor.HostRoute{To: netip.PrefixFrom(to, n).Masked(), Interface: f[0], Metric: uint32(metric), Refused: flags&flagReject != 0}
	if gateway != netip.IPv4Unspecified() {
		r.Gateway = gateway
	}
	return r, flags&flagUp != 0 || r.Refused, nil
}

// address4 reads an address that the kernel prints as a number of the machine's
// own byte order.
func address4(s string) (netip.Addr, error) {
	v, err := strconv.ParseUint(s, 16, 32)
	if err != nil || len(s) != 8 {
		return netip.Addr{}, errRoute
	}
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], uint32(v))
	return netip.AddrFrom4(b), nil
}
