package mdns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
)

func wrapped(err error) error {
	return &net.OpError{Op: "write", Net: "udp4", Addr: &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}, Err: os.NewSyscallError("sendto", err)}
}

func TestClassify(t *testing.T) {
	linux, mac, windows := environment{os: "linux"}, environment{os: "darwin"}, environment{os: "windows"}
	for _, tt := range []struct {
		env      environment
		directed bool
		err      error
		want     Reason
		hint     string // part of it
	}{
		{linux, false, syscall.EADDRINUSE, PortTaken, "stop that program"},
		{mac, false, syscall.EHOSTUNREACH, Denied, "Local Network"},
		{mac, true, syscall.EHOSTUNREACH, Denied, "Local Network"},
		{linux, false, syscall.EPERM, Denied, "firewall"},
		{linux, true, syscall.EPERM, Unreachable, "check the address"},
		{linux, false, syscall.ENETUNREACH, NoRoute, "VPN"},
		{mac, false, syscall.EADDRNOTAVAIL, NoRoute, "VPN"},
		{linux, true, syscall.ENETUNREACH, Unreachable, "check the address"},
		{environment{os: "linux", wsl: true}, false, syscall.ENETUNREACH, NoMulticast, "networkingMode=mirrored"},
		{environment{os: "linux", container: true}, false, syscall.ENETUNREACH, NoMulticast, "--network host"},
		{windows, false, syscall.Errno(10048), PortTaken, "stop that program"},
		{windows, false, syscall.Errno(10065), NoRoute, "VPN"},
		{windows, false, syscall.Errno(10013), Denied, "firewall"},
		{windows, true, syscall.Errno(10054), Unreachable, "check the address"},
		{linux, false, syscall.EMSGSIZE, SocketFailed, "--interface"},
		{linux, false, errors.New("odd"), SocketFailed, "--interface"},
	} {
		err := wrapped(tt.err)
		got := classify(tt.env, tt.directed, err)
		p := Problem{Reason: got, Interface: "eth0", Err: err, env: tt.env}
		if got != tt.want || !strings.Contains(p.Hint(), tt.hint) {
			t.Errorf("%v on %+v: %s, %q", tt.err, tt.env, got, p.Hint())
		}
		line := p.Error()
		if strings.ContainsAny(line+p.Hint(), "\n") || !strings.HasPrefix(line, "eth0: ") || !strings.Contains(line, tt.err.Error()) || strings.Contains(line, "sendto") || !errors.Is(p, tt.err) {
			t.Errorf("%q", line)
		}
	}
	for _, r := range []Reason{NoInterface, Denied, PortTaken, NoRoute, NoMulticast, Unreachable, Silence, NoRights, SocketFailed} {
		for _, env := range []environment{linux, mac, windows, {os: "linux", wsl: true}, {os: "linux", container: true}} {
			p := Problem{Reason: r, env: env}
			if p.Error() == "" || p.Hint() == "" && r != NoMulticast {
				t.Errorf("%s on %+v: %q, %q", r, env, p.Error(), p.Hint())
			}
		}
	}
}

// A hint is about what was asked for: a name mistyped, or a host that is off, is not
// mended by another network of a container.
func TestHintOfWhatWasNamed(t *testing.T) {
	inside := environment{os: "linux", container: true}
	for _, p := range []Problem{
		{Reason: NoInterface, Err: errors.New(`there is no interface "eth9", but eth0`), env: inside},
		{Reason: Silence, Interface: "192.0.2.1:5353", env: inside},
	} {
		if h := p.Hint(); strings.Contains(h, "docker") || strings.Contains(h, "--ask") {
			t.Errorf("%s: %s", p.Error(), h)
		}
	}
}

func TestChoose(t *testing.T) {
	const up = net.FlagUp | net.FlagRunning
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	all := []net.Interface{
		{Index: 1, Name: "lo", Flags: up | net.FlagLoopback | net.FlagMulticast},
		{Index: 2, Name: "wg-home", Flags: up | net.FlagBroadcast | net.FlagMulticast, HardwareAddr: mac}, // its name is no reason
		{Index: 3, Name: "eth0", Flags: up | net.FlagPointToPoint | net.FlagMulticast},                    // nor is this one
		{Index: 4, Name: "tun", Flags: up | net.FlagMulticast},
		{Index: 5, Name: "down", Flags: net.FlagMulticast, HardwareAddr: mac},
		{Index: 6, Name: "unplugged", Flags: net.FlagUp | net.FlagMulticast, HardwareAddr: mac},
		{Index: 7, Name: "deaf", Flags: up, HardwareAddr: mac},
		{Index: 8, Name: "wlan0", Flags: up | net.FlagMulticast, HardwareAddr: mac},
	}
	names := func(is []net.Interface, err error) string {
		out := ""
		for _, i := range is {
			out += i.Name + " "
		}
		if err != nil {
			return err.Error()
		}
		return strings.TrimSpace(out)
	}
	for _, tt := range []struct {
		all  []net.Interface
		ask  []string
		want string
	}{
		{all, nil, "wg-home wlan0"},
		{all[:1], nil, "none is up, able to multicast and no tunnel"},
		{all, []string{"lo", "lo", "tun"}, "lo tun"},
		{all, []string{"down"}, `interface "down" is down`},
		{all[:3], []string{"en0"}, `there is no interface "en0", but lo, wg-home, eth0`},
	} {
		if got := names(choose(tt.all, tt.ask)); got != tt.want {
			t.Errorf("%v: %q", tt.ask, got)
		}
	}
}

func TestOnLink(t *testing.T) {
	n := nic{prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/24"), netip.MustParsePrefix("fd00:1::7/64"), netip.MustParsePrefix("fe80::7/64")}}
	for _, tt := range []struct {
		from string
		hops int
		want bool
	}{
		{"192.0.2.99", 0, true}, {"::ffff:192.0.2.99", 0, true}, {"192.0.3.1", 0, false}, {"192.0.3.1", 254, false}, {"192.0.3.1", 255, true},
		{"fe80::1%eth0", 0, true}, {"fd00:1::1", 64, true}, {"2001:db8::1", 64, false}, {"2001:db8::1", 255, true}, {"169.254.1.1", 0, true},
	} {
		if got := n.onLink(netip.MustParseAddr(tt.from), tt.hops); got != tt.want {
			t.Errorf("%s with %d hops left: %v", tt.from, tt.hops, got)
		}
	}
	if !n.has4() || !n.has6() || (&nic{}).has4() || (&nic{}).has6() {
		t.Error(fmt.Sprint(n.has4(), n.has6()))
	}
}
