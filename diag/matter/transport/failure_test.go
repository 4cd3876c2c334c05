package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag/matter/message"
	"threadmap/simulators/simnet"
)

// A peer that is not there costs the repetitions, or the caller's deadline.
func TestSilentPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, listen(t, &simnet.Net{}, client), Options{})
		s := c.Unsecured(server, message.SessionParameters{})
		begin := time.Now()
		x, _ := s.Open(t.Context())
		if err := x.Send(t.Context(), message.SecureChannel, message.Sigma1, nil); err != nil {
			t.Fatal(err)
		}
		_, err := x.Receive(t.Context())
		var gone *NoAckError
		if d := time.Since(begin); !errors.As(err, &gone) || gone.Transmissions != 5 || d < 5600*time.Millisecond || d > s.GivesUpAfter() {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if _, again := x.Receive(t.Context()); again != err {
			t.Errorf("then %v", again)
		}
		if err := x.Flush(t.Context()); !errors.As(err, &gone) {
			t.Errorf("flush: %v", err)
		}
		if !s.Defunct() {
			t.Error("not defunct")
		}
		x.Close()
		begin = time.Now()
		why := errors.New("the user has gone")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
		defer cancel()
		y, _ := s.Open(ctx)
		y.Send(ctx, message.SecureChannel, message.Sigma1, nil)
		if _, err := y.Receive(ctx); !errors.Is(err, why) || !strings.Contains(err.Error(), server.String()) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if err := y.Flush(ctx); !errors.Is(err, why) {
			t.Errorf("%v", err)
		}
		if _, err := s.Open(ctx); !errors.Is(err, why) {
			t.Errorf("%v", err)
		}
		if err := s.Close(ctx); !errors.Is(err, why) {
			t.Errorf("%v", err)
		}
		sent := c.Stats().Sent
		y.Abort()
		<-time.After(time.Minute)
		if c.Stats().Sent != sent {
			t.Error("repeated after Abort")
		}
	})
}

// A peer that stops in the middle costs Options.Response after its
// acknowledgement.
func TestMutePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c, s := two(t, &simnet.Net{}, func(*Exchange) { <-release })
		cs, _ := secure(t, c, s)
		x, _ := cs.Open(t.Context())
		begin := time.Now()
		if err := x.Send(t.Context(), message.InteractionModel, 2, nil); err != nil {
			t.Fatal(err)
		}
		if err := x.Flush(t.Context()); err != nil || time.Since(begin) != message.AckTimeout {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		_, err := x.Receive(t.Context())
		var mute *TimeoutError
		if !errors.As(err, &mute) || !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != message.AckTimeout+defaultResponse || mute.Peer != server {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if !mute.Timeout() || !strings.Contains(mute.Error(), "45s") || cs.Defunct() {
			t.Error(mute)
		}
		x.Close()
		close(release)
	})
}

// A broken is a socket that fails.
type broken struct {
	net.PacketConn
	mu     sync.Mutex
	reads  int
	err    error
	writes error
}

func (b *broken) ReadFrom(p []byte) (int, net.Addr, error) {
	b.mu.Lock()
	if b.reads > 0 {
		b.reads--
		defer b.mu.Unlock()
		return 0, nil, b.err
	}
	b.mu.Unlock()
	return b.PacketConn.ReadFrom(p)
}

func (b *broken) WriteTo(p []byte, to net.Addr) (int, error) {
	b.mu.Lock()
	err := b.writes
	b.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return b.PacketConn.WriteTo(p, to)
}

func TestReadErrors(t *testing.T) {
	for name, v := range map[string]struct {
		reads int
		err   error
		lost  bool
	}{
		"a few":                      {3, syscall.EIO, false},
		"for good":                   {1000, syscall.EIO, true},
		"echoes of earlier messages": {1000, syscall.ECONNRESET, false},
		"closed by somebody":         {1, net.ErrClosed, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &simnet.Net{}
				pc := &broken{PacketConn: listen(t, n, client), reads: v.reads, err: v.err}
				pc.mu.Lock() // it does not fail before there is a session
				c := start(t, pc, Options{})
				s := start(t, listen(t, n, server), Options{Accept: echo})
				cs, _ := secure(t, c, s)
				pc.mu.Unlock()
				<-time.After(time.Minute)
				err := ask(t.Context(), cs, 1)
				if v.lost != (err != nil) || v.lost && !errors.Is(err, v.err) {
					t.Errorf("%v", err)
				}
				if reads, _ := c.SocketErrors(); reads == 0 {
					t.Error("not counted")
				}
			})
		})
	}
}

func TestWriteErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &simnet.Net{}
		b := &broken{PacketConn: listen(t, n, client)}
		c := start(t, b, Options{})
		s := start(t, listen(t, n, server), Options{Accept: echo})
		cs, _ := secure(t, c, s)
		set := func(err error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.writes = err
		}
		begin := time.Now()
		for _, err := range []error{syscall.EADDRNOTAVAIL, syscall.ENETUNREACH, syscall.EPERM} {
			set(&net.OpError{Op: "write", Err: err})
			if got := ask(t.Context(), cs, 1); !errors.Is(got, err) || !strings.Contains(got.Error(), "no way to") {
				t.Errorf("%v", got)
			}
		}
		if d := time.Since(begin); d != 0 {
			t.Errorf("it took %v to know that there is no way", d)
		}
		if _, writes := c.SocketErrors(); writes < 3 {
			t.Errorf("%d errors counted", writes)
		}
		set(syscall.ENOBUFS)
		time.AfterFunc(100*time.Millisecond, func() { set(nil) })
		if err := ask(t.Context(), cs, 1); err != nil {
			t.Errorf("a full queue is no reason: %v", err)
		}
	})
}

// An address of the other family is refused at once, by a real socket too.
func TestNoWay(t *testing.T) {
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, pc, Options{})
	x, err := c.Unsecured(netip.MustParseAddrPort("[::1]:5540"), message.SessionParameters{Idle: time.Hour}).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Send(t.Context(), message.SecureChannel, message.Sigma1, nil); err != nil {
		t.Fatal(err)
	}
	var gone *NoAckError
	if _, err := x.Receive(t.Context()); !errors.As(err, &gone) || gone.Cause == nil {
		t.Errorf("%v", err)
	}
}
