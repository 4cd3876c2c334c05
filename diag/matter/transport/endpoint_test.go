package transport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag/matter/message"
	"threadmap/simulators/simnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A link-local address needs its zone all the way.
var (
	client = netip.MustParseAddrPort("[fe80::1%eth0]:40000")
	server = netip.MustParseAddrPort("[fe80::2%eth0]:5540")
	keys   = message.Keys{I2R: [16]byte{1}, R2I: [16]byte{2}}
)

func listen(t testing.TB, n *simnet.Net, at netip.AddrPort) *simnet.Conn {
	t.Helper()
	c, err := n.ListenPacket(at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func start(t testing.TB, pc net.PacketConn, o Options) *Endpoint {
	t.Helper()
	e := New(pc, o)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// two starts two endpoints on n, the second of which accepts.
func two(t testing.TB, n *simnet.Net, accept func(*Exchange)) (c, s *Endpoint) {
	t.Helper()
	return start(t, listen(t, n, client), Options{}), start(t, listen(t, n, server), Options{Accept: accept})
}

// secure gives two endpoints a session.
func secure(t testing.TB, c, s *Endpoint) (cs, ss *Session) {
	t.Helper()
	addr := func(e *Endpoint) netip.AddrPort { return e.LocalAddr().(*net.UDPAddr).AddrPort() }
	ci, si := c.NewSessionID(), s.NewSessionID()
	cs, err := c.Secure(Secured{LocalSessionID: ci, PeerSessionID: si, Keys: keys, Initiator: true, LocalNodeID: 10, PeerNodeID: 20, Peer: addr(s)})
	if err != nil {
		t.Fatal(err)
	}
	ss, err = s.Secure(Secured{LocalSessionID: si, PeerSessionID: ci, Keys: keys, LocalNodeID: 20, PeerNodeID: 10, Peer: addr(c)})
	if err != nil {
		t.Fatal(err)
	}
	return cs, ss
}

// echo answers every message of an exchange until it ends.
func echo(x *Exchange) {
	ctx := context.Background()
	for {
		v, err := x.Receive(ctx)
		if err != nil || v.Opcode == 0xff {
			return
		}
		if x.Send(ctx, v.Protocol, v.Opcode+1, v.Payload) != nil {
			return
		}
	}
}

func ask(ctx context.Context, s *Session, rounds int) error {
	x, err := s.Open(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	for i := range rounds {
		text := fmt.Sprintf("message %d", i)
		if err := x.Send(ctx, message.InteractionModel, 2, []byte(text)); err != nil {
			return err
		}
		v, err := x.Receive(ctx)
		if err != nil {
			return err
		}
		if v.Opcode != 3 || v.Protocol != message.InteractionModel || string(v.Payload) != text {
			return fmt.Errorf("round %d: got %+v", i, v)
		}
	}
	if err := x.Send(ctx, message.InteractionModel, 0xff, nil); err != nil {
		return err
	}
	return x.Flush(ctx)
}

func TestConversations(t *testing.T) {
	for name, loss := range map[string]float64{"perfect": 0, "lossy": 0.15} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, 2)) // Fate is called one call at a time
				n := &simnet.Net{}
				if loss > 0 {
					n.Fate = func(simnet.Packet) (copies []time.Duration) {
						if r.Float64() < loss {
							return nil
						}
						for len(copies) < 3 && (len(copies) == 0 || r.Float64() < 0.2) {
							copies = append(copies, time.Duration(r.IntN(60))*time.Millisecond)
						}
						return copies
					}
				}
				c, s := two(t, n, echo)
				cs, ss := secure(t, c, s)
				var all sync.WaitGroup
				for range 3 {
					all.Go(func() {
						if err := ask(t.Context(), cs, 10); err != nil && loss == 0 {
							t.Error(err)
						} else if gone := new(NoAckError); err != nil && !errors.As(err, &gone) {
							t.Errorf("%T %v", err, err)
						}
					})
				}
				all.Wait()
				st := cs.Stats()
				if loss == 0 && (st.Retransmitted != 0 || st.Sent != 33 || st.Delivered != 30 || ss.Stats().Delivered != 33) {
					t.Errorf("%+v", st)
				}
				if loss > 0 && (st.Retransmitted == 0 || st.Dropped[message.Duplicate] == 0 || st.Delivered < 15) {
					t.Errorf("%+v", st)
				}
				if c.Stats() != st {
					t.Errorf("%+v, %+v", c.Stats(), st)
				}
				if cs.Peer() != server || ss.Peer() != client {
					t.Errorf("%v, %v", cs.Peer(), ss.Peer())
				}
			})
		})
	}
}

// A handshake in session 0 whose keys are then used.
func TestHandshakeThenSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *Endpoint
		ready := make(chan struct{})
		accept := func(x *Exchange) {
			<-ready
			if x.Session().IsSecure() {
				echo(x)
				return
			}
			v, err := x.Receive(t.Context())
			if err != nil || v.Opcode != message.Sigma1 {
				t.Errorf("%+v, %v", v, err)
				return
			}
			_, err = s.Secure(Secured{LocalSessionID: 7, PeerSessionID: 8, Keys: keys, LocalNodeID: 20, PeerNodeID: 10, Peer: x.Session().Peer()})
			if err != nil {
				t.Error(err)
			}
			if err := x.Send(t.Context(), message.SecureChannel, message.Status, message.StatusReport{}.Append(nil)); err != nil {
				t.Error(err)
			}
			if err := x.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		}
		c, s2 := two(t, &simnet.Net{}, accept)
		s = s2
		close(ready)
		u := c.Unsecured(server, message.SessionParameters{Idle: time.Second})
		if p := u.Parameters(); p.Idle != time.Second || p.Active != 300*time.Millisecond || u.IsSecure() || !u.Heard().IsZero() {
			t.Errorf("%+v", p)
		}
		x, err := u.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Send(t.Context(), message.SecureChannel, message.Sigma1, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		v, err := x.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r, err := message.ParseStatusReport(v.Payload); err != nil || !r.Established() {
			t.Fatalf("%v, %v", r, err)
		}
		x.Close()
		if err := u.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		cs, err := c.Secure(Secured{LocalSessionID: 8, PeerSessionID: 7, Keys: keys, Initiator: true, LocalNodeID: 10, PeerNodeID: 20, Peer: u.Peer()})
		if err != nil {
			t.Fatal(err)
		}
		if err := ask(t.Context(), cs, 3); err != nil {
			t.Fatal(err)
		}
		<-u.Closed() // after it has lingered
		if !errors.Is(u.Err(), ErrSessionClosed) {
			t.Errorf("%v", u.Err())
		}
	})
}

func TestSendWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := true
		n := &simnet.Net{Fate: func(simnet.Packet) []time.Duration {
			if lost {
				return nil
			}
			return []time.Duration{0}
		}}
		c, s := two(t, n, echo)
		cs, _ := secure(t, c, s)
		x, _ := cs.Open(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		for range 5 {
			if err := x.Send(ctx, message.InteractionModel, 2, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.Send(ctx, message.InteractionModel, 2, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		lost = false
		if err := x.Send(t.Context(), message.InteractionModel, 2, nil); err != nil {
			t.Errorf("%v", err)
		}
		if err := x.Flush(t.Context()); err != nil {
			t.Errorf("%v", err)
		}
		x.Abort()
		if err := x.Send(t.Context(), message.InteractionModel, 2, nil); err == nil {
			t.Error("sent after Abort")
		}
		if err := x.SendOnce(message.InteractionModel, 2, nil); err == nil {
			t.Error("sent after Abort")
		}
	})
}

func TestPeerClosesSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := two(t, &simnet.Net{}, echo)
		cs, ss := secure(t, c, s)
		x, _ := cs.Open(t.Context())
		done := make(chan error)
		go func() {
			_, err := x.Receive(context.Background())
			done <- err
		}()
		synctest.Wait()
		if err := ss.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, ErrSessionClosed) {
			t.Errorf("%v", err)
		}
		<-cs.Closed()
		<-ss.Closed()
		if !errors.Is(cs.Err(), ErrSessionClosed) || !cs.Defunct() {
			t.Errorf("%v", cs.Err())
		}
		if _, err := cs.Open(t.Context()); !errors.Is(err, ErrSessionClosed) {
			t.Errorf("%v", err)
		}
	})
}

func TestCheckIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan string, 1)
		c, _ := two(t, &simnet.Net{}, func(x *Exchange) {
			v, err := x.Receive(t.Context())
			if err != nil {
				t.Error(err)
			}
			got <- fmt.Sprintf("%x %s", v.Opcode, v.Payload)
		})
		u := c.Unsecured(server, message.SessionParameters{})
		x, _ := u.Open(t.Context())
		if err := x.SendOnce(message.SecureChannel, message.CheckIn, []byte("sealed")); err != nil {
			t.Fatal(err)
		}
		x.Close()
		u.Close(t.Context())
		if v := <-got; v != "50 sealed" {
			t.Errorf("got %s", v)
		}
	})
}

// Close ends everything that waits, and what is called afterwards says so.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handling := make(chan struct{})
		n := &simnet.Net{}
		c, s := New(listen(t, n, client), Options{}), New(listen(t, n, server), Options{Accept: func(x *Exchange) {
			x.Receive(context.Background())
			close(handling)
			if _, err := x.Receive(context.Background()); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%v", err)
			}
		}})
		cs, _ := secure(t, c, s)
		x, _ := cs.Open(t.Context())
		x.Send(t.Context(), message.InteractionModel, 2, nil)
		<-handling
		done := make(chan error)
		go func() {
			_, err := x.Receive(context.Background())
			done <- err
		}()
		synctest.Wait()
		for range 2 {
			for _, e := range []*Endpoint{s, c} {
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}
		}
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
		<-cs.Closed()
		if _, err := cs.Open(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
		if _, err := c.Secure(Secured{}); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
		u := c.Unsecured(server, message.SessionParameters{})
		<-u.Closed()
		if _, err := u.Open(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
		if err := x.Send(t.Context(), 1, 2, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
		x.Close()
		cs.Close(t.Context())
	})
}

// The same over real sockets of both families.
func TestSockets(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			open := func() net.PacketConn {
				pc, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
				if err != nil {
					t.Skipf("no address %s here: %v", host, err)
				}
				return pc
			}
			c, s := start(t, open(), Options{}), start(t, open(), Options{Accept: echo})
			cs, ss := secure(t, c, s)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := ask(ctx, cs, 20); err != nil {
				t.Fatal(err)
			}
			if ss.Heard().IsZero() || !strings.Contains(ss.String(), host) {
				t.Error(ss)
			}
		})
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	open := func() net.PacketConn {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		return pc
	}
	c, s := start(b, open(), Options{}), start(b, open(), Options{Accept: echo})
	cs, _ := secure(b, c, s)
	x, err := cs.Open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	payload := make([]byte, 1000)
	b.SetBytes(int64(2 * len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if err := x.Send(b.Context(), message.InteractionModel, 2, payload); err != nil {
			b.Fatal(err)
		}
		if _, err := x.Receive(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
