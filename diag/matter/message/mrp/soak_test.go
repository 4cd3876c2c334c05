package mrp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"threadmap/diag/matter/message"
)

// On a way that loses, doubles and reorders, every message is delivered at most
// once and in order within its exchange, and what does not arrive is an error.
// Two exchanges are few enough for late messages to stay within the window of
// 32: what falls out of it counts as a duplicate, by the standard.
func TestSoak(t *testing.T) {
	finished := 0
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			p := newPairOf(t, seed)
			a, _ := p.secure(message.SessionParameters{})
			r := rand.New(rand.NewPCG(seed, 3))
			loss := []float64{0, 0.1, 0.2, 0.4}[seed%4]
			p.fate = func(*side, []byte) (copies []time.Duration) {
				for len(copies) < 3 && (len(copies) == 0 || r.Float64() < 0.2) {
					copies = append(copies, time.Duration(r.IntN(700))*time.Millisecond)
				}
				if r.Float64() < loss {
					copies = copies[1:]
				}
				return copies
			}
			const exchanges, rounds = 2, 30
			var mine []*Exchange
			for i := range exchanges {
				x := p.open(a)
				mine = append(mine, x)
				p.send(x, fmt.Sprintf("%d/0", i))
			}
			next := map[*Exchange]int{}
			answered := map[*Exchange]int{}
			for range 20000 {
				p.run(50 * time.Millisecond)
				busy := false
				for _, y := range p.b.opened {
					v, ok := y.Take()
					if !ok || y.Err() != nil {
						continue
					}
					var i, n int
					if _, err := fmt.Sscanf(string(v.Payload), "%d/%d", &i, &n); err != nil || n != answered[y] {
						t.Fatalf("got %q after %d messages", v.Payload, answered[y])
					}
					answered[y]++
					p.send(y, string(v.Payload))
				}
				for i, x := range mine {
					if x.Err() != nil {
						continue
					}
					busy = true
					v, ok := x.Take()
					if !ok {
						continue
					}
					if want := fmt.Sprintf("%d/%d", i, next[x]); string(v.Payload) != want {
						t.Fatalf("got %q, want %q", v.Payload, want)
					}
					if next[x]++; next[x] == rounds {
						p.a.m.CloseExchange(p.now, x)
					} else {
						p.send(x, fmt.Sprintf("%d/%d", i, next[x]))
					}
				}
				if !busy {
					break
				}
				if lost := p.b.m.Stats().GivenUp; lost > 0 { // the answer is gone: nobody goes on
					for _, x := range mine {
						if x.Flushed() && len(x.inbox) == 0 && x.Err() == nil {
							over := true
							for _, y := range p.b.opened {
								over = over && (y.ID() != x.ID() || y.Err() != nil)
							}
							if over {
								p.a.m.Abort(p.now, x)
							}
						}
					}
				}
			}
			for i, x := range mine {
				var gone *NoAckError
				switch {
				case next[x] == rounds:
					finished++
				case loss == 0, !errors.As(x.Err(), &gone) && x.Err() != errAborted:
					t.Errorf("exchange %d ended after %d rounds: %v", i, next[x], x.Err())
				}
			}
			s := p.a.m.Stats()
			if loss > 0 && s.Retransmitted == 0 || s.Dropped[message.Duplicate] == 0 {
				t.Errorf("nothing was lost or doubled: %+v", s)
			}
		})
	}
	if finished < 40 {
		t.Errorf("%d of 80 exchanges finished", finished)
	}
	t.Logf("%d of 80 exchanges finished", finished)
}

// FuzzMachine plays a script to a machine: what it must never do is panic, use
// a nonce twice, lose count, or keep more than its limits.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	f.Add([]byte{0, 3, 5, 16, 0, 0, 0, 1, 5, 4, 0, 7, 0, 1, 0, 6, 9, 9})
	f.Add(append([]byte{7}, stranger(5, 6, message.Protocol{Initiator: true, Reliable: true, Opcode: message.Sigma1})...))
	f.Add(append([]byte{7}, fromBob(6, message.Protocol{Initiator: true, Reliable: true, ID: 1}, "x")...))
	f.Add([]byte{8, 0, 8, 0, 1, 9, 5, 48, 0, 0, 0, 2, 5, 48, 0, 0, 0, 2, 10, 2, 11, 255})
	f.Fuzz(func(t *testing.T, script []byte) {
		p := newPair(t)
		a, _ := p.secure(message.SessionParameters{})
		cipher := message.NewCipher(keys.R2I, 20)
		sessions := []*Session{a}
		var exchanges []*Exchange
		byteOf := func() byte {
			if len(script) == 0 {
				return 0
			}
			b := script[0]
			script = script[1:]
			return b
		}
		pick := func() *Exchange {
			if len(exchanges) == 0 {
				return nil
			}
			return exchanges[int(byteOf())%len(exchanges)]
		}
		collect := func() {
			for _, v := range p.a.m.Events() {
				if v.Kind == Opened {
					exchanges = append(exchanges, v.Exchange)
				}
			}
			for _, d := range p.a.m.Datagrams() {
				p.record(p.a, d.Data)
				if len(d.Data) > message.MaxDatagram || !d.To.IsValid() {
					t.Fatalf("datagram of %d octets to %v", len(d.Data), d.To)
				}
			}
			checkSchedule(t, p.a.m)
		}
		for steps := 0; len(script) > 0 && steps < 2000; steps++ {
			switch byteOf() % 13 {
			case 0:
				if x, err := p.a.m.Open(sessions[int(byteOf())%len(sessions)]); err == nil {
					exchanges = append(exchanges, x)
				}
			case 1, 2:
				if x := pick(); x != nil {
					p.a.m.Send(p.now, x, Message{Protocol: uint16(byteOf()) & 1, Opcode: byteOf(), Payload: make([]byte, byteOf())})
				}
			case 3:
				if x := pick(); x != nil {
					p.a.m.SendOnce(p.now, x, Message{Opcode: byteOf()})
				}
			case 4:
				if x := pick(); x != nil {
					x.Take()
				}
			case 5, 6: // an authentic message of the peer, of whatever kind
				var number [4]byte
				v := message.Protocol{Opcode: byteOf(), ID: uint16(byteOf()) & 1}
				flags := byteOf()
				v.Initiator, v.Reliable, v.HasAck = flags&1 != 0, flags&2 != 0, flags&4 != 0
				v.Exchange = uint16(byteOf())
				if x := pick(); flags&8 != 0 && x != nil {
					v.Exchange, v.Ack = x.ID(), x.counter
				}
				number[0] = byteOf()
				if flags&16 != 0 {
					v.Vendor = 1
				}
				n := int(byteOf())
				p.a.m.Receive(p.now, bob, cipher.Seal(nil, message.Header{SessionID: 1, Counter: binary.LittleEndian.Uint32(number[:])}, v, script[:min(len(script), n)]))
			case 7: // anything at all
				n := min(len(script), 64)
				p.a.m.Receive(p.now, bob, script[:n])
				script = script[n:]
			case 8: // a stranger, or the responder of a handshake
				v := message.Protocol{Initiator: true, Reliable: true, Opcode: []uint8{message.Sigma1, message.CheckIn, message.Sigma3, message.Status}[byteOf()&3], Exchange: uint16(byteOf())}
				b := stranger(uint64(byteOf()), uint32(byteOf()), v)
				if s := sessions[int(byteOf())%len(sessions)]; !s.isSecure {
					b = message.AppendPlain(nil, message.Header{Counter: uint32(byteOf()), Destination: s.ephemeral, HasDestination: true}, message.Protocol{Reliable: true, Opcode: message.Sigma2, Exchange: v.Exchange}, nil)
				}
				p.a.m.Receive(p.now, bob, b)
			case 9:
				if x := pick(); x != nil {
					p.a.m.CloseExchange(p.now, x)
				}
			case 10:
				if x := pick(); x != nil {
					p.a.m.Abort(p.now, x)
				}
			case 11:
				p.now = p.now.Add(time.Duration(byteOf()) * 50 * time.Millisecond)
				p.a.m.Tick(p.now)
				if next := p.a.m.Next(); !next.IsZero() && !next.After(p.now) {
					t.Fatalf("%v after a tick, the next one is wanted at %v", p.now, next)
				}
			case 12:
				if b := byteOf(); b < 16 && len(sessions) < 8 {
					sessions = append(sessions, p.a.m.Unsecured(bob, message.SessionParameters{}))
				} else if b < 32 {
					p.a.m.CloseSession(p.now, sessions[int(byteOf())%len(sessions)])
				}
			}
			collect()
		}
		p.a.m.Close(errWeClosed)
		collect()
		if p.a.m.accepted != 0 || !p.a.m.Next().IsZero() {
			t.Fatal("something is left")
		}
	})
}

func BenchmarkReceive(b *testing.B) {
	p := newPair(b)
	a, _ := p.secure(message.SessionParameters{})
	cipher := message.NewCipher(keys.R2I, 20)
	payload := make([]byte, 1000)
	x := p.open(a)
	buf := make([]byte, 0, message.MaxDatagram)
	n := uint32(0)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		n++
		buf = cipher.Seal(buf[:0], message.Header{SessionID: 1, Counter: n}, message.Protocol{ID: 1, Exchange: x.ID()}, payload)
		if err := p.a.m.Receive(p.now, bob, buf); err != nil {
			b.Fatal(err)
		}
		p.a.m.Events()
		x.Take()
	}
}
