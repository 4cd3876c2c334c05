package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
	"threadmap/simulators/simnet"
)

func addresses(a ...netip.AddrPort) []netip.AddrPort { return a }

// Whatever side falls silent, after whichever datagram, both end with an error
// or a session, in bounded time.
func TestSilenceAtEveryDatagram(t *testing.T) {
	for _, resumed := range []bool{false, true} {
		for _, silent := range []netip.AddrPort{device, home} {
			for after := range 5 {
				t.Run(fmt.Sprintf("resumed %v, %v, after %d", resumed, silent, after), func(t *testing.T) {
					armed, left := false, after
					fate := func(p simnet.Packet) []time.Duration {
						if armed && p.From == silent {
							if left == 0 {
								return nil
							}
							left--
						}
						return []time.Duration{time.Millisecond}
					}
					bubble(t, fate, func(t *testing.T, w *world) {
						p := w.node(deviceID, device)
						c := w.config(device)
						if resumed {
							s, err := CASE(t.Context(), w.controller, c)
							ok(t, err)
							c.Record = &s.Record
							<-time.After(time.Second)
						}
						before := len(p.sessions())
						armed = true
						began := time.Now()
						s, err := CASE(t.Context(), w.controller, c)
						took := time.Since(began)
						// What the initiator needs: Sigma2 and StatusReport, or
						// Sigma2_Resume and an acknowledgement; what the responder
						// needs: Sigma1 and Sigma3, or Sigma1 and StatusReport.
						if want := after >= 2; (err == nil) != want {
							t.Errorf("%v", err)
						}
						var e *Error
						if err != nil {
							if !errors.As(err, &e) || took > time.Minute {
								t.Errorf("%v after %v", err, took)
							}
							if stage := e.Stage; (stage == diag.StageConnect) != (after == 0) {
								t.Errorf("%v", err)
							}
						} else if took > 10*time.Millisecond || s.Resumed != resumed {
							t.Errorf("took %v", took)
						}
						<-time.After(2 * time.Minute)
						p.mu.Lock()
						defer p.mu.Unlock()
						if p.running != 0 || len(p.made)-before > 1 || len(p.failed) > 1 {
							t.Errorf("%d go on, %d sessions, %v", p.running, len(p.made)-before, p.failed)
						}
					})
				})
			}
		}
	}
}

// Loss, doubles and disorder: a handshake ends in a session that works, or, where
// a message was lost five times, in an error.
func TestBadNetwork(t *testing.T) {
	good, all := 0, 0
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		fate := func(simnet.Packet) (copies []time.Duration) {
			for n := 0; r.Float64() < []float64{0.8, 0.2, 0.1, 0}[n]; n++ {
				copies = append(copies, time.Duration(r.IntN(80))*time.Millisecond)
			}
			return copies
		}
		bubble(t, fate, func(t *testing.T, w *world) {
			w.node(deviceID, device)
			c := w.config(device)
			for range 3 {
				all++
				s, err := CASE(t.Context(), w.controller, c)
				if err != nil {
					if !errors.As(err, new(*transport.NoAckError)) && !errors.As(err, new(*transport.TimeoutError)) {
						t.Errorf("%v", err)
					}
					continue
				}
				if err := echo(t.Context(), s); err != nil && !errors.Is(err, ErrDefunct) {
					t.Errorf("%v", err)
					continue
				}
				good++
				c.Record = &s.Record
			}
		})
	}
	if good < all-2 {
		t.Errorf("%d of %d", good, all)
	}
}

// A message of the peer that is changed anywhere never gives a session with
// somebody else, or a panic.
func TestChangedMessages(t *testing.T) {
	refused := 0
	for n := range 2 {
		for at := 8; at < 700; at += 13 { // primes meet every member
			changed := false
			bubble(t, nil, func(t *testing.T, w *world) {
				p := w.node(deviceID, device)
				seen := 0
				p.ends[0].Close()
				pc, err := w.net.ListenPacket(device)
				ok(t, err)
				ep := transport.New(&changing{Conn: pc, change: func(b []byte) []byte {
					if len(b) <= 26 {
						return b
					}
					if seen++; seen-1 == n && at < len(b) {
						b = slices.Clone(b)
						b[at] ^= 0x41
						changed = true
					}
					return b
				}}, transport.Options{Accept: p.accept})
				defer ep.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				s, err := CASE(ctx, w.controller, w.config(device))
				if err == nil && (s.Node() != deviceID || s.AttestationChallenge() == [16]byte{}) {
					t.Errorf("%v", s)
				}
				if err != nil {
					refused++
					if !errors.As(err, new(*Error)) {
						t.Errorf("%T %v", err, err)
					}
				}
			})
			if !changed {
				break
			}
		}
	}
	if refused < 20 {
		t.Errorf("%d handshakes failed", refused)
	}
}

// Nonsense in place of each message is refused with a word to the peer.
func TestNonsense(t *testing.T) {
	for _, opcode := range []uint8{message.Sigma2, message.Sigma2Resume, message.Status, message.Sigma3, message.PBKDFParamResponse, 0xff} {
		for _, payload := range [][]byte{nil, {0x15}, {0x15, 0x18}, make([]byte, message.MaxPayload)} {
			bubble(t, nil, func(t *testing.T, w *world) {
				p := w.node(deviceID, device)
				p.instead = func(x *transport.Exchange, _ transport.Message) bool {
					ok(t, x.Send(t.Context(), message.SecureChannel, opcode, payload))
					x.Receive(t.Context())
					return true
				}
				began := time.Now()
				e := refusal(t, w, w.config(device))
				if e.Stage != diag.StageHandshake || time.Since(began) > time.Second {
					t.Errorf("opcode 0x%02x: %v after %v", opcode, e, time.Since(began))
				}
			})
		}
	}
}

// Strangers can't fill a responder: what they begin ends, and others get in.
func TestManyStrangers(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		p := w.node(deviceID, device)
		p.AtOnce, p.Busy = 4, time.Second
		stranger := w.endpoint(netip.MustParseAddrPort("[fd00::66]:1"), transport.Options{})
		other, err := sigma.NewInitiator(sigma.InitiatorConfig{Member: w.authority.Member(), PeerNodeID: deviceID, SessionID: 1, Time: now})
		ok(t, err)
		for range 100 { // each Sigma1 is good, and nothing follows it
			u := stranger.Unsecured(device, message.SessionParameters{})
			x, err := u.Open(t.Context())
			ok(t, err)
			ok(t, x.Send(t.Context(), message.SecureChannel, other.Start().Opcode, other.Start().Payload))
		}
		synctest.Wait()
		if p.running > 4 {
			t.Errorf("%d handshakes go on", p.running)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		var s *Secure
		for s == nil && ctx.Err() == nil {
			s, err = CASE(ctx, w.controller, w.config(device))
		}
		ok(t, err)
		works(t, s)
	})
}

// changing is a socket that changes what it sends.
type changing struct {
	*simnet.Conn
	mu     sync.Mutex
	change func([]byte) []byte
}

func (c *changing) WriteTo(b []byte, to net.Addr) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Conn.WriteTo(c.change(b), to)
}
