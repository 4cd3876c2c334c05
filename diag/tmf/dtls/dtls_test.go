package dtls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag/tmf/dtls/association"
	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/simnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	agentAddr = netip.MustParseAddrPort("[2001:db8::1]:49154")
	here      = netip.MustParseAddrPort("[2001:db8::2]:0")
	samePort  = netip.AddrPortFrom(here.Addr(), 50000)
)

const (
	key      = "475689122" // of the agent
	wrongKey = "475689131"
)

func secret(t testing.TB, s string) pskc.Secret {
	t.Helper()
	k, err := pskc.New([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// listen is the agent.
func listen(t testing.TB, n *simnet.Net, cfg ListenConfig) *Listener {
	t.Helper()
	pc, err := n.ListenPacket(agentAddr)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(pc, secret(t, key), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func dial(t testing.TB, n *simnet.Net, from netip.AddrPort, key string, cfg Config) (*Conn, error) {
	t.Helper()
	raw, err := n.Dial(from, agentAddr)
	if err != nil {
		t.Fatal(err)
	}
	return Client(context.Background(), raw, secret(t, key), cfg)
}

// dialed is a session with the agent.
func dialed(t testing.TB, n *simnet.Net, from netip.AddrPort) *Conn {
	t.Helper()
	c, err := dial(t, n, from, key, Config{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// connect makes an agent and a session with it, as both of them see it.
func connect(t testing.TB, n *simnet.Net, cfg ListenConfig) (l *Listener, client *Conn, agent net.Conn) {
	t.Helper()
	l = listen(t, n, cfg)
	client = dialed(t, n, here)
	agent, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return l, client, agent
}

// ask has a message echoed.
func ask(t testing.TB, c *Conn, m string) {
	t.Helper()
	c.Write([]byte(m))
	b := make([]byte, 100)
	if k, err := c.Read(b); err != nil || string(b[:k]) != m {
		t.Fatalf("%q, %v", b[:k], err)
	}
}

// failures are what a listener hears of handshakes that came to nothing.
type failures struct {
	mu  sync.Mutex
	all []error
}

func (f *failures) add(_ netip.AddrPort, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, err)
}

func (f *failures) get() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.all)
}

// echo answers each message of each session with itself.
func echo(l *Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			b := make([]byte, 2000)
			for {
				n, err := c.Read(b)
				if err != nil {
					return
				}
				c.Write(b[:n])
			}
		}()
	}
}

// bad is a fate of packets with loss, doubling and overtaking of p each.
func bad(seed uint64, p float64) func(simnet.Packet) []time.Duration {
	r := rand.New(rand.NewPCG(seed, 1))
	return func(simnet.Packet) (out []time.Duration) {
		for again := true; again; again = r.Float64() < p {
			if r.Float64() < p {
				continue
			}
			d := time.Duration(1+r.IntN(5)) * time.Millisecond
			if r.Float64() < p {
				d += time.Duration(r.IntN(1500)) * time.Millisecond
			}
			out = append(out, d)
		}
		return out
	}
}

// Sessions through loss, doubling and overtaking, in virtual time: the
// handshake is completed and what arrives is right.
func TestLossyNetwork(t *testing.T) {
	for _, percent := range []int{0, 10, 30, 50} {
		t.Run(fmt.Sprintf("%d %%", percent), func(t *testing.T) {
			var slowest time.Duration
			for seed := range uint64(10) {
				synctest.Test(t, func(t *testing.T) {
					n := &simnet.Net{Fate: bad(seed, float64(percent)/100)}
					l := listen(t, n, ListenConfig{Config: Config{HandshakeTime: 10 * time.Minute}})
					go echo(l)
					start := time.Now()
					c, err := dial(t, n, here, key, Config{Repeats: 40})
					if err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
					slowest = max(slowest, time.Since(start))
					// One question at a time, asked until it is answered.
					b := make([]byte, 100)
					for i := range 5 {
						m := fmt.Sprintf("message %d", i)
						for try := 0; ; try++ {
							if try == 200 {
								t.Fatalf("seed %d: %q is never answered", seed, m)
							}
							if _, err := c.Write([]byte(m)); err != nil {
								t.Fatal(err)
							}
							c.SetReadDeadline(time.Now().Add(3 * time.Second))
							k, err := c.Read(b)
							if err == nil && string(b[:k]) == m {
								break
							}
							if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
								t.Fatal(err)
							}
							if err == nil && !strings.HasPrefix(string(b[:k]), "message ") {
								t.Fatalf("%q arrived", b[:k])
							}
						}
					}
					c.Close()
					l.Close()
				})
			}
			t.Logf("slowest handshake of 10: %v", slowest)
			if percent == 0 && slowest > 100*time.Millisecond {
				t.Error("without loss, nothing is waited for")
			}
		})
	}
}

// With the waits of a real client and of OpenThread's server, 10 % loss is
// nothing.
func TestDefaultsWithLoss(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			n := &simnet.Net{Fate: bad(seed, 0.1)}
			l := listen(t, n, ListenConfig{})
			go echo(l)
			start := time.Now()
			c, err := dial(t, n, here, key, Config{})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("seed %d: %v", seed, d)
			}
			c.Close()
			l.Close()
		})
	}
}

func TestWrongKey(t *testing.T) {
	for _, loss := range []float64{0, 0.2} {
		for seed := range uint64(5) {
			synctest.Test(t, func(t *testing.T) {
				var failed failures
				n := &simnet.Net{Fate: bad(seed, loss)}
				l := listen(t, n, ListenConfig{Failed: failed.add})
				_, err := dial(t, n, here, wrongKey, Config{Repeats: 20})
				var alert *AlertError
				if !errors.Is(err, ErrWrongKey) || !errors.As(err, &alert) {
					t.Errorf("%v", err)
				}
				if s := fmt.Sprint(err); strings.Contains(s, "475") || strings.Contains(s, "\n") || !strings.Contains(s, "[2001:db8::1]:49154") {
					t.Errorf("the error is %q", s)
				}
				l.Close()
				if f := failed.get(); len(f) == 0 || !errors.Is(f[0], ErrWrongKey) {
					t.Errorf("the listener heard of %v", f)
				}
			})
		}
	}
}

// The alert is said again to a client that did not hear it.
func TestWrongKeyAlertLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := 0
		n := &simnet.Net{Fate: func(p simnet.Packet) []time.Duration {
			if p.From == agentAddr && p.Data[0] == 21 && lost == 0 {
				lost++
				return nil
			}
			return []time.Duration{0}
		}}
		l := listen(t, n, ListenConfig{})
		defer l.Close()
		start := time.Now()
		if _, err := dial(t, n, here, wrongKey, Config{}); !errors.Is(err, ErrWrongKey) || lost != 1 || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// Of a socket that is open to all, only the peer's datagrams are read.
func TestPacketPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(simnet.Net)
		pc, _ := n.ListenPacket(samePort)
		agent, _ := n.ListenPacket(agentAddr)
		stranger, _ := n.ListenPacket(netip.MustParseAddrPort("[2001:db8::1]:49155"))
		c := PacketPeer(pc, agentAddr)
		stranger.WriteTo([]byte("stranger"), c.LocalAddr())
		agent.WriteTo([]byte("agent"), c.LocalAddr())
		b := make([]byte, 100)
		if k, err := c.Read(b); err != nil || string(b[:k]) != "agent" {
			t.Errorf("%q, %v", b[:k], err)
		}
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Error(err)
		}
		if k, from, err := agent.ReadFrom(b); err != nil || string(b[:k]) != "hello" || from.String() != c.LocalAddr().String() {
			t.Errorf("%q from %v, %v", b[:k], from, err)
		}
		c.Close()
		if _, err := c.Read(b); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := dial(t, new(simnet.Net), here, key, Config{})
		var timeout net.Error
		if !errors.Is(err, ErrTimeout) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v", err)
		}
		if d := time.Since(start); d != 23*time.Second {
			t.Errorf("gave up after %v", d)
		}
	})
}

func TestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(simnet.Net)
		raw, _ := n.Dial(here, agentAddr)
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := Client(ctx, raw, secret(t, key), Config{})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3500*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if _, err := raw.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Error("the socket is still open")
		}
		// One that has ended already sends nothing: a try may be precious.
		sent := n.Stats().Sent
		raw, _ = n.Dial(here, agentAddr)
		if _, err := Client(ctx, raw, secret(t, key), Config{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if n.Stats().Sent != sent {
			t.Error("something was sent although the context had ended")
		}
		raw, _ = n.Dial(here, agentAddr)
		if _, err := Client(t.Context(), raw, pskc.Secret{}, Config{}); err == nil {
			t.Error("no key is no error")
		}
	})
}

// The end of a session as the reader sees it.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(simnet.Net)
		l, c, s := connect(t, n, ListenConfig{})
		if s.LocalAddr().String() != agentAddr.String() || s.RemoteAddr().String() != c.LocalAddr().String() || c.RemoteAddr().String() != agentAddr.String() || l.Addr().String() != agentAddr.String() {
			t.Errorf("%v → %v", s.LocalAddr(), s.RemoteAddr())
		}
		// Data before close_notify is read before the end is.
		s.Write([]byte("last words"))
		s.Close()
		synctest.Wait()
		b := make([]byte, 4)
		if k, err := c.Read(b); k != 4 || err != nil || string(b) != "last" {
			t.Errorf("%q, %v", b[:k], err)
		}
		if _, err := c.Read(b); err != io.EOF {
			t.Errorf("%v", err)
		}
		if _, err := c.Write(b); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%v", err)
		}
		if _, err := s.Read(b); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		c.Close()
		if _, err := c.Read(b); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
		if _, err := c.Write(b); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
		if err := c.SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
		l.Close()
		l.Close()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}

// A listener that is closed ends its sessions and whoever waits for one.
func TestListenerClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(simnet.Net)
		l, c, s := connect(t, n, ListenConfig{})
		done := make(chan error, 2)
		go func() { _, err := s.Read(make([]byte, 1)); done <- err }()
		go func() { _, err := l.Accept(); done <- err }()
		synctest.Wait()
		l.Close()
		for range 2 {
			if err := <-done; !errors.Is(err, net.ErrClosed) {
				t.Errorf("%v", err)
			}
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%v", err)
		}
		c.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		l = listen(t, n, ListenConfig{})
		if _, err := l.AcceptWithContext(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		l.Close()
	})
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(simnet.Net)
		l, c, s := connect(t, n, ListenConfig{})
		defer l.Close()
		defer c.Close()
		for i, conn := range []net.Conn{c, s} {
			b := make([]byte, 10)
			start := time.Now()
			conn.SetReadDeadline(start.Add(2 * time.Second))
			if _, err := conn.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 2*time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			if _, err := conn.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("again: %v", err)
			}
			// A read under way obeys a new deadline.
			conn.SetReadDeadline(time.Time{})
			start = time.Now()
			done := make(chan error)
			go func() { _, err := conn.Read(b); done <- err }()
			synctest.Wait()
			conn.SetDeadline(start.Add(time.Second))
			if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			if _, err := conn.Write(b); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("write: %v", err)
			}
			conn.SetDeadline(time.Time{})
			// A deadline that is over holds even if there is something to read.
			[]net.Conn{s, c}[i].Write([]byte("waiting"))
			synctest.Wait()
			conn.SetReadDeadline(time.Now())
			if _, err := conn.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v", err)
			}
			conn.SetReadDeadline(time.Now().Add(time.Second))
			if k, err := conn.Read(b); k != 7 || err != nil {
				t.Errorf("%d, %v", k, err)
			}
			conn.SetReadDeadline(time.Time{})
			if _, err := conn.Write(b); err != nil {
				t.Errorf("write: %v", err)
			}
			if k, err := []net.Conn{s, c}[i].Read(make([]byte, 100)); k != 10 || err != nil {
				t.Errorf("%d, %v", k, err)
			}
		}
	})
}

// Half-open handshakes take places only for a while, and one too many gets no
// answer.
func TestHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failed failures
		n := new(simnet.Net)
		l := listen(t, n, ListenConfig{MaxSessions: 2, Failed: failed.add})
		defer l.Close()
		go echo(l)
		for i := range 2 { // clients that fall silent after the ClientHello with the cookie
			raw, _ := n.Dial(netip.AddrPortFrom(here.Addr(), uint16(50000+i)), agentAddr)
			a, err := association.NewClient([]byte(key), Config{})
			if err != nil {
				t.Fatal(err)
			}
			a.Start()
			b := make([]byte, 2000)
			for range 2 {
				raw.Write(a.Datagrams()[0])
				k, _ := raw.Read(b)
				a.Receive(b[:k])
			}
			raw.Close()
		}
		if _, err := dial(t, n, here, key, Config{FirstWait: time.Second, Repeats: 2}); !errors.Is(err, ErrTimeout) {
			t.Errorf("a third session: %v", err)
		}
		dialed(t, n, here).Close() // after the others' time
		if f := failed.get(); len(f) != 2 || !errors.Is(f[0], ErrTimeout) {
			t.Errorf("%v", f)
		}
	})
}

// A one-time code: one session, and the next one as soon as that is over.
func TestOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(simnet.Net)
		l := listen(t, n, ListenConfig{MaxSessions: 1})
		defer l.Close()
		c := dialed(t, n, here)
		if _, err := dial(t, n, here, key, Config{Repeats: 1}); !errors.Is(err, ErrTimeout) {
			t.Errorf("a second session: %v", err)
		}
		c.Close()
		synctest.Wait()
		start := time.Now()
		c = dialed(t, n, samePort)
		if d := time.Since(start); d != 0 {
			t.Errorf("the place became free only after %v", d)
		}
		c.Close()
	})
}

// More sessions than places are no problem one after the other, though nobody
// accepts them.
func TestNobodyAccepts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(simnet.Net)
		l := listen(t, n, ListenConfig{MaxSessions: 3})
		defer l.Close()
		for range 8 {
			dialed(t, n, here).Close()
			synctest.Wait()
		}
	})
}

// A client that lost its session, and begins again from the same port, is let
// in; a stranger in its name is not.
func TestSamePortAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(simnet.Net)
		l := listen(t, n, ListenConfig{})
		defer l.Close()
		go echo(l)
		muted := false
		n.Fate = func(p simnet.Packet) []time.Duration {
			if muted && p.From == samePort {
				return nil
			}
			return []time.Duration{0}
		}
		var first *Conn
		for range 3 {
			c := dialed(t, n, samePort)
			ask(t, c, "hello")
			if first == nil {
				first = c
			}
			muted = true // its close_notify is lost
			c.Close()
			muted = false
		}
	})
}

// So is one that was in the midst of a handshake, whose late answers reach the
// new one.
func TestSamePortHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &simnet.Net{Fate: func(p simnet.Packet) []time.Duration { return []time.Duration{10 * time.Millisecond} }}
		l := listen(t, n, ListenConfig{})
		defer l.Close()
		for _, after := range []time.Duration{5, 15, 25, 35, 45, 55, 1000} {
			raw, _ := n.Dial(samePort, agentAddr)
			ctx, cancel := context.WithTimeout(t.Context(), after*time.Millisecond)
			n.Fate = func(p simnet.Packet) []time.Duration {
				if ctx.Err() != nil && p.From == samePort { // its close_notify is lost
					return nil
				}
				return []time.Duration{10 * time.Millisecond}
			}
			c, err := Client(ctx, raw, secret(t, key), Config{})
			cancel()
			if err == nil {
				c.Close()
			} else if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after %v ms: %v", int(after), err)
			}
		}
	})
}

// Garbage does not disturb a handshake or a session.
func TestGarbage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(simnet.Net)
		l := listen(t, n, ListenConfig{})
		defer l.Close()
		go echo(l)
		r := rand.New(rand.NewPCG(1, 2))
		quit := make(chan struct{})
		var wg sync.WaitGroup
		stranger, _ := n.ListenPacket(netip.MustParseAddrPort("[2001:db8::bad]:1"))
		wg.Go(func() {
			for {
				select {
				case <-quit:
					return
				case <-time.After(time.Millisecond):
				}
				b := make([]byte, r.IntN(100))
				for i := range b {
					b[i] = byte(r.Uint32())
				}
				if len(b) > 13 { // that of a record, at times
					copy(b, []byte{byte(20 + r.IntN(4)), 0xfe, 0xfd, 0, byte(r.IntN(2)), 0, 0, 0, 0, 0, 200, 0, byte(len(b) - 13)})
				}
				stranger.WriteToAddrPort(b, agentAddr)
				stranger.WriteToAddrPort(b, samePort)
			}
		})
		// Behind PacketPeer, what strangers send does not reach the client.
		pc, _ := n.ListenPacket(samePort)
		c, err := Client(t.Context(), PacketPeer(pc, agentAddr), secret(t, key), Config{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			ask(t, c, fmt.Sprint("message ", i))
			time.Sleep(10 * time.Millisecond) // virtual: lets garbage come in between
		}
		c.Close()
		close(quit)
		wg.Wait()
		stranger.Close()
	})
}

// What is too long for a border agent of 768 octets is an error that says so.
func TestSendLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(simnet.Net)
		l, c, s := connect(t, n, ListenConfig{Config: Config{MaxSend: 768}})
		defer l.Close()
		defer c.Close()
		if _, err := s.Write(make([]byte, 769)); !errors.Is(err, ErrTooLong) {
			t.Errorf("%v", err)
		}
		if _, err := s.Write(make([]byte, 768)); err != nil {
			t.Errorf("%v", err)
		}
		if k, err := c.Read(make([]byte, 2000)); k != 768 || err != nil {
			t.Errorf("%d, %v", k, err)
		}
	})
}

// A Conn that nobody reads keeps the first records and drops the others.
func TestUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &simnet.Net{Buffer: 1 << 24}
		l, c, s := connect(t, n, ListenConfig{})
		defer l.Close()
		defer c.Close()
		for i := range 2 * maxUnread {
			c.Write([]byte{byte(i >> 8), byte(i)})
		}
		synctest.Wait()
		b := make([]byte, 2)
		for i := range maxUnread {
			if _, err := s.Read(b); err != nil || int(b[0])<<8|int(b[1]) != i {
				t.Fatalf("%x, %v", b, err)
			}
		}
		s.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := s.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%x, %v", b, err)
		}
	})
}

// A key that can't be used is noticed when listening begins.
func TestListenWithoutKey(t *testing.T) {
	pc, err := new(simnet.Net).ListenPacket(agentAddr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(pc, pskc.Secret{}, ListenConfig{}); err == nil {
		t.Error("no key is no error")
	}
	if _, err := pc.WriteToAddrPort(nil, agentAddr); !errors.Is(err, net.ErrClosed) {
		t.Error("the socket is still open")
	}
}
