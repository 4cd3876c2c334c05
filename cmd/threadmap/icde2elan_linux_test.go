package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"threadmap/discovery/mdns"
	"threadmap/simulators/matternode"
	sim "threadmap/simulators/mdns"
	"threadmap/simulators/mesh"
)

// inLoopback runs the calling test once more in a network of its own, where
// loopback is all that there is, so that it may multicast on port 5353 and hears
// no other test. It is true in there; outside, the test is over when it returns.
func inLoopback(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inNamespace) == t.Name() {
		return true
	}
	t.Parallel()
	args := []string{"-test.run=^" + t.Name() + "$", "-test.v", "-test.timeout=10m"}
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), inNamespace+"="+t.Name())
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid := os.Geteuid(); uid != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	out, err := c.CombinedOutput()
	switch exit := (*exec.ExitError)(nil); {
	case err != nil && !errors.As(err, &exit):
		t.Skipf("there is no network namespace for the test: %v", err)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Skipf("%s", out)
	}
	return false
}

// loopbackUp is the interface, up, with an address that packets to a group can
// come from, which 127.0.0.1 is not.
func loopbackUp(t *testing.T) *net.Interface {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING | unix.IFF_LOOPBACK | unix.IFF_MULTICAST)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r); err != nil {
		t.Fatal(err)
	}
	alias, err := unix.NewIfreq("lo:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := alias.SetInet4Addr([]byte{192, 0, 2, 1}); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, alias); err != nil {
		t.Fatal(err)
	}
	i, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// groupSocket opens a socket of multicast DNS on loopback.
func groupSocket(t *testing.T, lo *net.Interface) net.PacketConn {
	t.Helper()
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		})
	}}
	conn, err := lc.ListenPacket(t.Context(), "udp4", mdns.Group4.String()) // hears the group only: no unicast of others is lost here
	if err != nil {
		t.Fatal(err)
	}
	p := ipv4.NewPacketConn(conn)
	if err := errors.Join(p.SetMulticastInterface(lo), p.SetMulticastTTL(255), p.SetMulticastLoopback(true), p.JoinGroup(lo, &net.UDPAddr{IP: mdns.Group4.Addr().AsSlice()})); err != nil {
		conn.Close()
		t.Fatal(err)
	}
	return conn
}

// A buttonHome is a home on loopback: a button with a battery, what a border
// router announces for it, and how it finds its subscribers.
type buttonHome struct {
	t      *testing.T
	lo     *net.Interface
	router *sim.Responder
	button *matternode.Node

	mu    sync.Mutex
	quiet bool // the border router announces nothing
	asks  int  // for subscribers
}

// sleepyButton has its radio off but for a moment every 400 ms.
var sleepyButton = matternode.Sleep{Slow: 400 * time.Millisecond, Fast: 100 * time.Millisecond, Threshold: 4 * time.Second}

func newButtonHome(t *testing.T, r matternode.Resumption, change func(*matternode.Device, *matternode.Options)) *buttonHome {
	t.Helper()
	h := &buttonHome{t: t, lo: loopbackUp(t)}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	h.router = sim.New(groupSocket(t, h.lo), mdns.Group4, nil, sim.Behaviour{})
	go func() { defer close(over); h.router.Serve(ctx) }()
	t.Cleanup(func() { cancel(); <-over })

	view := mesh.Lab(0).View()
	d := matternode.FromMesh(view, 6) // it sleeps
	d.Name, d.Vendor, d.Model, d.Firmware, d.Type, d.Battery = "Hall button", "ACME", "Button", "1.0.9", matternode.GenericSwitch, 80
	d.ICD = &matternode.ICD{Idle: time.Second, Active: time.Second, Threshold: sleepyButton.Threshold}
	sleep := sleepyButton
	o := owned(t, matternode.Options{Resumption: r, Sleep: &sleep, Resolve: h.resolve, Changed: h.announce, Registers: h.register})
	if change != nil {
		change(&d, &o)
	}
	pc, err := net.ListenPacket("udp6", "[::1]:0") // as of a Thread device, which has no IPv4
	if err != nil {
		t.Fatal(err)
	}
	n, err := matternode.New(pc, d, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	h.mu.Lock()
	h.button = n
	h.mu.Unlock()
	h.announce()
	return h
}

func (h *buttonHome) services() []sim.Service {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.button == nil || h.quiet {
		return nil
	}
	at := h.button.Addr()
	return h.button.Services(matternode.Place{Port: at.Port(), Addrs: []netip.Addr{at.Addr()}})
}

func (h *buttonHome) announce() { h.router.Set(h.services()) }

// register is what the border router does when the button, just started, removes
// its registration and makes it anew.
func (h *buttonHome) register() {
	var names []string
	for _, s := range h.services() {
		names = append(names, s.Instance)
	}
	h.router.Goodbye(names...)
	h.announce()
}

// resolve finds a node as the border router does it for the button: by multicast
// questions on the LAN, so that who listens there hears them.
func (h *buttonHome) resolve(ctx context.Context, fabric, node uint64) ([]netip.AddrPort, error) {
	h.mu.Lock()
	h.asks++
	h.mu.Unlock()
	conn := groupSocket(h.t, h.lo)
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })()
	instance := fmt.Sprintf("%016X-%016X._matter._tcp.local.", fabric, node)
	ask := func() {
		m := new(dns.Msg)
		m.Question = []dns.Question{{Name: instance, Qtype: dns.TypeSRV, Qclass: dns.ClassINET}, {Name: instance, Qtype: dns.TypeTXT, Qclass: dns.ClassINET}}
		if b, err := m.Pack(); err == nil {
			conn.WriteTo(b, net.UDPAddrFromAddrPort(mdns.Group4))
		}
	}
	again := time.NewTicker(time.Second)
	defer again.Stop()
	go func() {
		for ask(); ; ask() {
			select {
			case <-again.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	b := make([]byte, 9000)
	for {
		n, _, err := conn.ReadFrom(b)
		if err != nil {
			return nil, fmt.Errorf("nobody answers for %s", instance)
		}
		m := new(dns.Msg)
		if m.Unpack(b[:n]) != nil || !m.Response {
			continue
		}
		var port uint16
		var host string
		var at []netip.AddrPort
		all := append(slices.Clone(m.Answer), m.Extra...)
		for _, rr := range all {
			if srv, ok := rr.(*dns.SRV); ok && strings.EqualFold(srv.Hdr.Name, instance) && srv.Hdr.Ttl > 0 {
				port, host = srv.Port, srv.Target
			}
		}
		for _, rr := range all {
			if a, ok := rr.(*dns.AAAA); ok && strings.EqualFold(a.Hdr.Name, host) {
				if addr, ok := netip.AddrFromSlice(a.AAAA); ok {
					at = append(at, netip.AddrPortFrom(addr, port))
				}
			}
		}
		if len(at) > 0 {
			return at, nil
		}
	}
}

// pair brings the button to threadmap's fabric, and saves a scan in which it is.
func (h *buttonHome) pair() *user {
	h.t.Helper()
	u := newUser(h.t)
	if out, errs, status := u.run("", "pair", window(h.t, h.button), "--interface", "lo", "--name", "Hall button"); status != exitDone {
		h.t.Fatalf("status %d: %s%s", status, out, errs)
	}
	// Loopback has no way for IPv6 multicast, so the scan is partial.
	if out, errs, status := u.run("", "scan", "--source", "matter", "--ask-sleepy", "--interface", "lo"); status != exitDone && status != exitPartial {
		h.t.Fatalf("status %d: %s%s", status, out, errs)
	}
	return u
}
