package session

import (
	"context"
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

	"threadmap/diag"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
	"threadmap/simulators/simnet"
)

func delay(d time.Duration) func(simnet.Packet) []time.Duration {
	return func(simnet.Packet) []time.Duration { return []time.Duration{d} }
}

func TestOrder(t *testing.T) {
	var in []netip.AddrPort
	for _, a := range []string{
		"10.0.0.1:5540", "[fe80::1%eth0]:5540", "[fe80::2]:5540", "[fd00::1]:5540", "[::ffff:10.0.0.2]:5540", "[::]:5540",
		"[2001:db8::1]:5540", "[ff02::1%eth0]:5540", "[fd00::1]:5540", "10.0.0.1:0", "169.254.1.1:5540",
	} {
		in = append(in, netip.MustParseAddrPort(a))
	}
	in = append(in, netip.AddrPort{})
	const want = "[[fd00::1]:5540 [2001:db8::1]:5540 [fe80::1%eth0]:5540 10.0.0.1:5540 10.0.0.2:5540 169.254.1.1:5540]"
	if got := fmt.Sprint(order(in)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	in = in[:0]
	for i := range 1000 {
		in = append(in, netip.AddrPortFrom(netip.AddrFrom16([16]byte{0xfd, 14: byte(i >> 8), 15: byte(i)}), 5540))
	}
	if n := len(order(in)); n != MaxAddresses {
		t.Errorf("%d addresses", n)
	}
}

func TestNoAddress(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		e := refusal(t, w, w.config())
		if e.Stage != diag.StageResolve || !strings.Contains(e.Text, "no address is known") {
			t.Error(e)
		}
		e = refusal(t, w, w.config(netip.MustParseAddrPort("[fe80::1]:5540")))
		if e.Stage != diag.StageResolve || !strings.Contains(e.Error(), "needs its interface") {
			t.Error(e)
		}
	})
}

// An address where nobody is costs a moment, not the time of all repetitions.
func TestSilentAddress(t *testing.T) {
	bubble(t, delay(5*time.Millisecond), func(t *testing.T, w *world) {
		w.node(deviceID, device)
		began := time.Now()
		s, err := CASE(t.Context(), w.controller, w.config(nobody, device))
		ok(t, err)
		if took := time.Since(began); took != stagger+4*5*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if s.Session.Peer() != device {
			t.Errorf("%v", s)
		}
		synctest.Wait()
		sent := w.controller.Stats().Sent
		<-time.After(20 * time.Second)
		if now := w.controller.Stats().Sent; now != sent {
			t.Errorf("%d more datagrams went to an address that lost the race", now-sent)
		}
	})
}

// refusing is a socket from which there is no way to some addresses.
type refusing struct {
	net.PacketConn
	to   netip.AddrPort
	with error
}

func (c refusing) WriteTo(b []byte, to net.Addr) (int, error) {
	if to.(*net.UDPAddr).AddrPort() == c.to {
		return 0, &net.OpError{Op: "write", Net: "udp", Addr: to, Err: os.NewSyscallError("sendto", c.with)}
	}
	return c.PacketConn.WriteTo(b, to)
}

// An address to which there is no way costs nothing.
func TestUnreachableAddress(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.node(deviceID, device)
		pc, err := w.net.ListenPacket(netip.MustParseAddrPort("[fd00::5]:40000"))
		ok(t, err)
		ep := transport.New(refusing{pc, nobody, syscall.ENETUNREACH}, transport.Options{})
		defer ep.Close()
		began := time.Now()
		s, err := CASE(t.Context(), ep, w.config(nobody, device))
		ok(t, err)
		works(t, s)
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v", took)
		}
		_, err = CASE(t.Context(), ep, w.config(nobody))
		var e *Error
		if !errors.As(err, &e) || e.Stage != diag.StageConnect || !errors.Is(err, syscall.ENETUNREACH) || !strings.Contains(err.Error(), "no way to [fd00::bad]:5540") {
			t.Error(err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

func TestNobodyAnswers(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		began := time.Now()
		other := netip.MustParseAddrPort("[fd00::bae]:5540")
		e := refusal(t, w, w.config(nobody, other))
		took := time.Since(began)
		if e.Stage != diag.StageConnect || !strings.Contains(e.Text, "no answer from [fd00::bad]:5540, [fd00::bae]:5540 in ") || !errors.As(e, new(*transport.NoAckError)) {
			t.Error(e)
		}
		if most := message.GivesUpAfter(message.DefaultIdle) + stagger; took > most || took < 5*time.Second {
			t.Errorf("took %v, at most %v", took, most)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := CASE(ctx, w.controller, w.config(nobody))
		if !errors.As(err, &e) || e.Stage != diag.StageConnect || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "in 1s") {
			t.Error(err)
		}
		cancel()
		if _, err := CASE(ctx, w.controller, w.config(nobody)); err == nil {
			t.Error("a session after the deadline")
		}
	})
}

// A device at two addresses that are both slow hears Sigma1 twice and can only
// do one handshake. One session comes of it, and nothing else goes on.
func TestTwoWaysToOneDevice(t *testing.T) {
	for name, slow := range map[string][2]time.Duration{"the first": {200 * time.Millisecond, 230 * time.Millisecond}, "the second": {900 * time.Millisecond, 10 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			second := netip.MustParseAddrPort("[fd00::3]:5540")
			fate := func(p simnet.Packet) []time.Duration {
				if p.From == second || p.To == second {
					return []time.Duration{slow[1]}
				}
				return []time.Duration{slow[0]}
			}
			bubble(t, fate, func(t *testing.T, w *world) {
				p := w.node(deviceID, device, second)
				p.AtOnce = 1
				s, err := CASE(t.Context(), w.controller, w.config(device, second))
				ok(t, err)
				works(t, s)
				<-time.After(time.Minute)
				if all := p.sessions(); len(all) != 1 {
					t.Errorf("%d sessions, %v", len(all), p.failures())
				}
				if p.running != 0 {
					t.Errorf("%d handshakes go on", p.running)
				}
			})
		})
	}
}

// The same of a device that does both handshakes: the one that loses is told.
func TestLoserIsTold(t *testing.T) {
	second := netip.MustParseAddrPort("[fd00::3]:5540")
	fate := func(p simnet.Packet) []time.Duration {
		if p.From == device { // acknowledgements come, Sigma2 is late
			return []time.Duration{400 * time.Millisecond}
		}
		return []time.Duration{time.Millisecond}
	}
	bubble(t, fate, func(t *testing.T, w *world) {
		p := w.node(deviceID, device, second)
		s, err := CASE(t.Context(), w.controller, w.config(device, second))
		ok(t, err)
		if s.Session.Peer() != second {
			t.Errorf("%v", s)
		}
		began := time.Now()
		synctest.Wait()
		<-time.After(5 * time.Second)
		if p.mu.Lock(); len(p.made) != 1 || p.running != 0 {
			t.Errorf("%d sessions, %d handshakes go on after %v", len(p.made), p.running, time.Since(began))
		}
		p.mu.Unlock()
	})
}

// An address that acknowledged is waited for before the mesh is troubled again.
func TestAcknowledgedIsWaitedFor(t *testing.T) {
	bubble(t, delay(10*time.Millisecond), func(t *testing.T, w *world) {
		p := w.node(deviceID, device)
		p.instead = func(*transport.Exchange, transport.Message) bool {
			<-time.After(3 * time.Second) // it computes
			return false
		}
		s, err := CASE(t.Context(), w.controller, w.config(device, nobody))
		ok(t, err)
		works(t, s)
		if sent := w.net.Stats().Unreached; sent != 0 {
			t.Errorf("%d datagrams went to the other address", sent)
		}
	})
}

// A stale address that is another device's now: it acknowledges, and says no.
func TestStaleAddress(t *testing.T) {
	bubble(t, delay(10*time.Millisecond), func(t *testing.T, w *world) {
		other := netip.MustParseAddrPort("[fd00::9]:5540")
		w.node(9, other)
		w.node(deviceID, device)
		began := time.Now()
		s, err := CASE(t.Context(), w.controller, w.config(other, device))
		ok(t, err)
		if took := time.Since(began); took > 100*time.Millisecond || s.Session.Peer() != device {
			t.Errorf("%v, took %v", s, took)
		}
	})
}

func TestBusy(t *testing.T) {
	for name, said := range map[string]time.Duration{"1.5 s": 1500 * time.Millisecond, "without a time": 0} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				p := w.node(deviceID, device)
				var mu sync.Mutex
				var at []time.Duration
				began := time.Now()
				p.instead = func(x *transport.Exchange, _ transport.Message) bool {
					mu.Lock()
					defer mu.Unlock()
					at = append(at, time.Since(began))
					if len(at) <= 2 {
						x.Send(t.Context(), message.SecureChannel, message.Status, sigma.Busy(said)[0].Payload)
						return true
					}
					return false
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				s, err := CASE(ctx, w.controller, w.config(device))
				ok(t, err)
				works(t, s)
				wait := said
				if wait == 0 {
					wait = busyUnknown
				}
				if !slices.Equal(at, []time.Duration{0, wait, 2 * wait}) {
					t.Errorf("asked at %v", at)
				}
			})
		})
	}
}

// A node that wants more time than there is, and one that is always busy.
func TestTooBusy(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		p := w.node(deviceID, device)
		p.instead = func(x *transport.Exchange, _ transport.Message) bool {
			x.Send(t.Context(), message.SecureChannel, message.Status, sigma.Busy(20 * time.Second)[0].Payload)
			return true
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		_, err := CASE(ctx, w.controller, w.config(device))
		var e *Error
		if !errors.As(err, &e) || e.Stage != diag.StageHandshake || !strings.Contains(err.Error(), "is busy with another controller") || time.Since(began) != 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		var report message.StatusReport
		if !errors.As(err, &report) || report.General != message.Busy {
			t.Error(err)
		}
		_, err = CASE(t.Context(), w.controller, w.config(device))
		if took := time.Since(began); !errors.As(err, &e) || took != maxBusy*20*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// More handshakes than a responder does at once are told to come back.
func TestResponderIsBusy(t *testing.T) {
	bubble(t, delay(time.Millisecond), func(t *testing.T, w *world) {
		p := w.node(deviceID, device)
		p.AtOnce, p.Busy = 1, 700*time.Millisecond
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				s, err := CASE(t.Context(), w.controller, w.config(device))
				if err != nil {
					t.Error(err)
					return
				}
				works(t, s)
			})
		}
		all.Wait()
		if len(p.sessions()) != 3 || len(p.failures()) == 0 {
			t.Errorf("%d sessions, %v", len(p.sessions()), p.failures())
		}
	})
}

// A caller that gives up sets the node free at once.
func TestCancel(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		p := w.node(deviceID, device)
		ctx, cancel := context.WithCancel(t.Context())
		w.net.Fate = func(k simnet.Packet) []time.Duration {
			if k.From == device && len(k.Data) > 100 { // Sigma2
				cancel()
				return []time.Duration{50 * time.Millisecond}
			}
			return []time.Duration{0}
		}
		p.instead = func(x *transport.Exchange, _ transport.Message) bool {
			<-time.After(time.Second) // so that there is an acknowledgement first
			return false
		}
		began := time.Now()
		_, err := CASE(ctx, w.controller, w.config(device))
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, context.Canceled) || !strings.Contains(e.Text, "stopped after 1s") || e.Stage != diag.StageHandshake {
			t.Error(err)
		}
		<-time.After(100 * time.Millisecond)
		var report message.StatusReport
		if f := p.failures(); len(f) != 1 || !errors.As(f[0], &report) || time.Since(began) > 2*time.Second {
			t.Errorf("%v", f)
		}
	})
}
