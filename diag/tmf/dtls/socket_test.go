package dtls

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// loopback is a listener on a real socket, with an echo.
func loopback(t testing.TB) *Listener {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(pc, secret(t, "475689122"), ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func dialUDP(t testing.TB, to net.Addr) *Conn {
	t.Helper()
	raw, err := net.Dial("udp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := Client(ctx, raw, secret(t, "475689122"), Config{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Many goroutines on many sessions, closed in the midst of it all: for the race
// detector and the leak checker.
func TestConcurrent(t *testing.T) {
	l := loopback(t)
	go echo(l)
	var wg sync.WaitGroup
	for i := range 4 {
		c := dialUDP(t, l.Addr())
		answered := make(chan struct{})
		var once sync.Once
		for range 2 {
			wg.Go(func() {
				b := make([]byte, 100)
				for {
					c.SetReadDeadline(time.Now().Add(time.Minute))
					if _, err := c.Read(b); err != nil {
						return
					}
					once.Do(func() { close(answered) })
				}
			})
			wg.Go(func() {
				for j := 0; ; j++ {
					c.SetWriteDeadline(time.Now().Add(time.Minute))
					if _, err := fmt.Fprintf(c, "%d of %d", j, i); err != nil {
						return
					}
				}
			})
		}
		wg.Go(func() {
			<-answered
			var closing sync.WaitGroup
			for range 3 {
				closing.Go(func() { c.Close() })
			}
			closing.Wait()
		})
	}
	wg.Wait()
	l.Close()
}

// A port where nobody listens is said at once, not after all the waits.
func TestRefused(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := pc.LocalAddr()
	pc.Close()
	raw, err := net.Dial("udp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err = Client(ctx, raw, secret(t, "475689122"), Config{})
	if errors.Is(err, ErrTimeout) {
		t.Skip("this system does not report a refused datagram")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v", err)
	}
}

// A peer whose socket vanished ends the session of who writes to it.
func TestVanished(t *testing.T) {
	l := loopback(t)
	c := dialUDP(t, l.Addr())
	defer c.Close()
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	l.pc.Close() // without close_notify
	<-l.done
	if _, err := s.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("Accept goes on without a socket")
	}
}

func BenchmarkHandshakeUDP(b *testing.B) {
	l := loopback(b)
	go echo(l)
	for b.Loop() {
		dialUDP(b, l.Addr()).Close()
	}
}

func BenchmarkRoundTripUDP(b *testing.B) {
	l := loopback(b)
	go echo(l)
	c := dialUDP(b, l.Addr())
	defer c.Close()
	p := make([]byte, 200)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(p); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Read(p); err != nil {
			b.Fatal(err)
		}
	}
}
