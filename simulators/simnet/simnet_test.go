package simnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

var (
	alice = netip.MustParseAddrPort("192.0.2.1:5000")
	bob   = netip.MustParseAddrPort("[2001:db8::2]:5000")
	carol = netip.MustParseAddrPort("192.0.2.3:5353")
	group = netip.MustParseAddrPort("224.0.0.251:5353")
)

func open(t *testing.T, n *Net, at netip.AddrPort) *Conn {
	t.Helper()
	c, err := n.ListenPacket(at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t *testing.T, c *Conn, to netip.AddrPort, words ...string) {
	t.Helper()
	for _, w := range words {
		if n, err := c.WriteTo([]byte(w), net.UDPAddrFromAddrPort(to)); err != nil || n != len(w) {
			t.Fatalf("write: %d, %v", n, err)
		}
	}
}

// drain reads until nothing comes for ten seconds.
func drain(t *testing.T, c *Conn) (words []string) {
	t.Helper()
	b := make([]byte, 100)
	for {
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, _, err := c.ReadFrom(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return words
		}
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, string(b[:n]))
	}
}

func TestFate(t *testing.T) {
	for name, c := range map[string]struct {
		fate func(Packet) []time.Duration
		want string
	}{
		"perfect": {nil, "a b c"},
		"late":    {func(Packet) []time.Duration { return []time.Duration{time.Second} }, "a b c"},
		"loss": {func(p Packet) []time.Duration {
			if string(p.Data) == "b" {
				return nil
			}
			return []time.Duration{0}
		}, "a c"},
		"doubled": {func(Packet) []time.Duration { return []time.Duration{time.Second, 2 * time.Second} }, "a b c a b c"},
		"overtaken": {func(p Packet) []time.Duration {
			return []time.Duration{time.Duration('z'-p.Data[0]) * time.Second / 10}
		}, "c b a"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &Net{Fate: c.fate}
				a, b := open(t, n, alice), open(t, n, bob)
				send(t, a, bob, "a", "b", "c")
				if got := strings.Join(drain(t, b), " "); got != c.want {
					t.Errorf("arrived %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Net{Fate: func(Packet) []time.Duration { return []time.Duration{90 * time.Minute} }}
		a, b := open(t, n, alice), open(t, n, bob)
		start := time.Now()
		send(t, a, bob, "slow")
		got := make([]byte, 2)
		k, from, err := b.ReadFrom(got)
		if took := time.Since(start); err != nil || took != 90*time.Minute {
			t.Errorf("took %v, %v", took, err)
		}
		if k != 2 || string(got) != "sl" || from.String() != alice.String() { // cut off, as UDP does
			t.Errorf("read %q from %v", got[:k], from)
		}
	})
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Net{}
		c := open(t, n, alice)
		read := func() error { _, _, err := c.ReadFrom(make([]byte, 10)); return err }
		c.SetDeadline(time.Now().Add(time.Second))
		start := time.Now()
		err := read()
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() || time.Since(start) != time.Second {
			t.Errorf("read: %v after %v", err, time.Since(start))
		}
		if _, err := c.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(bob)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write past the deadline: %v", err)
		}
		c.SetDeadline(time.Time{})
		got := make(chan error)
		go func() { got <- read() }()
		synctest.Wait() // the read is blocked now
		c.SetReadDeadline(time.Now().Add(3 * time.Second))
		if err := <-got; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 4*time.Second {
			t.Errorf("blocked read: %v after %v", err, time.Since(start))
		}
		c.SetReadDeadline(time.Time{})
		go func() { got <- read() }()
		synctest.Wait()
		c.Close()
		if err := <-got; !errors.Is(err, net.ErrClosed) {
			t.Errorf("read of a closed one: %v", err)
		}
		for what, err := range map[string]error{"read": read(), "deadline": c.SetDeadline(time.Now()), "close": c.Close(), "join": c.JoinGroup(group)} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s after close: %v", what, err)
			}
		}
		if _, err := c.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(bob)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after close: %v", err)
		}
	})
}

func TestGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Net{Fate: func(p Packet) []time.Duration {
			if p.Group.IsValid() && p.To == bob {
				return nil
			}
			return []time.Duration{time.Millisecond}
		}}
		a, b, c := open(t, n, alice), open(t, n, bob), open(t, n, carol)
		for _, m := range []*Conn{b, c, c} {
			if err := m.JoinGroup(group); err != nil {
				t.Fatal(err)
			}
		}
		send(t, a, group, "one")
		send(t, c, group, "two")
		if got := drain(t, c); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("carol heard %v", got)
		}
		if got := drain(t, a); got != nil {
			t.Errorf("alice is no member and heard %v", got)
		}
		if got := drain(t, b); got != nil {
			t.Errorf("what bob heard is lost on the way, but he heard %v", got)
		}
		if s := n.Stats(); s != (Stats{Sent: 4, Lost: 2, Delivered: 2}) {
			t.Errorf("%+v", s)
		}
		if err := a.JoinGroup(alice); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("a unicast address as group: %v", err)
		}
	})
}

func TestBufferOverflows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Net{Buffer: 3 * (packetCost + 1)}
		a, b := open(t, n, alice), open(t, n, bob)
		send(t, a, bob, "1", "2", "3", "4")
		if got := strings.Join(drain(t, b), ""); got != "123" {
			t.Errorf("got %s", got)
		}
		send(t, a, bob, "5")
		if got := strings.Join(drain(t, b), ""); got != "5" {
			t.Errorf("after making room: %s", got)
		}
		if s := n.Stats(); s.Overflowed != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAddresses(t *testing.T) {
	n := &Net{}
	open(t, n, alice)
	if _, err := n.ListenPacket(alice); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("address in use: %v", err)
	}
	for _, bad := range []string{"0.0.0.0:1", "224.0.0.1:1"} {
		if _, err := n.ListenPacket(netip.MustParseAddrPort(bad)); err == nil {
			t.Errorf("%s was opened", bad)
		}
	}
	a, b := open(t, n, netip.AddrPortFrom(alice.Addr(), 0)), open(t, n, netip.AddrPortFrom(alice.Addr(), 0))
	if a.at.Port() == 0 || a.at == b.at {
		t.Errorf("free ports %v, %v", a.at, b.at)
	}
	for _, c := range []struct {
		data []byte
		to   net.Addr
		want error
	}{
		{make([]byte, maxDatagram+1), net.UDPAddrFromAddrPort(bob), syscall.EMSGSIZE},
		{nil, &net.TCPAddr{}, syscall.EINVAL},
		{nil, &net.UDPAddr{}, syscall.EINVAL},
	} {
		if _, err := a.WriteTo(c.data, c.to); !errors.Is(err, c.want) {
			t.Errorf("write to %v: %v, want %v", c.to, err, c.want)
		}
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EDESTADDRREQ) {
		t.Errorf("write without a peer: %v", err)
	}
	if _, err := a.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(bob)); err != nil || n.Stats().Unreached != 1 {
		t.Errorf("nobody there: %v, %+v", err, n.Stats())
	}
	port := a.at
	a.Close()
	open(t, n, port) // free again
}

func TestDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Net{}
		b, c := open(t, n, bob), open(t, n, carol)
		a, err := n.Dial(alice, bob)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		if _, err := a.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if got := drain(t, b); !slices.Equal(got, []string{"hello"}) {
			t.Errorf("bob heard %v", got)
		}
		send(t, c, alice, "stranger")
		send(t, b, alice, "friend", "") // an empty datagram is one
		if got := drain(t, a); !slices.Equal(got, []string{"friend", ""}) {
			t.Errorf("alice heard %v", got)
		}
		if _, err := a.WriteToAddrPort(nil, carol); !errors.Is(err, net.ErrWriteToConnected) {
			t.Errorf("write to another: %v", err)
		}
		if a.RemoteAddr().String() != bob.String() || b.RemoteAddr() != nil {
			t.Error("remote addresses")
		}
		if _, err := n.Dial(alice, netip.AddrPort{}); err == nil {
			t.Error("dialled nobody")
		}
	})
}

// Many readers and writers of one Conn lose nothing and race nowhere.
func TestConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Net{Fate: func(p Packet) []time.Duration { return []time.Duration{time.Duration(len(p.Data)) * time.Millisecond} }}
		a, b := open(t, n, alice), open(t, n, bob)
		var mu sync.Mutex
		seen := map[string]int{}
		var readers, writers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				buf := make([]byte, 100)
				for {
					k, _, err := b.ReadFrom(buf)
					if err != nil {
						return
					}
					mu.Lock()
					seen[string(buf[:k])]++
					mu.Unlock()
				}
			})
		}
		for w := range 4 {
			writers.Go(func() {
				for k := range 50 {
					a.WriteToAddrPort(fmt.Append(nil, w, "/", k), bob)
				}
			})
		}
		writers.Wait()
		b.SetReadDeadline(time.Now().Add(time.Minute))
		readers.Wait()
		if len(seen) != 200 {
			t.Errorf("%d of 200 arrived", len(seen))
		}
	})
}
