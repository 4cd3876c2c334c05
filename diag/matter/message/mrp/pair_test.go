package mrp

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"threadmap/diag/matter/message"
)

var (
	alice = netip.MustParseAddrPort("[fe80::1%eth0]:40000")
	bob   = netip.MustParseAddrPort("[fd00::2]:5540")
	start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	keys  = message.Keys{I2R: [16]byte{1}, R2I: [16]byte{2}}
)

// A pair is two machines, a way between them and a clock.
type pair struct {
	t    testing.TB
	now  time.Time
	a, b *side
	// fate gives the delays of the copies of a datagram; nil: one, at once.
	fate func(from *side, b []byte) []time.Duration
	air  []flight
}

type flight struct {
	due  time.Time
	to   *side
	from netip.AddrPort
	data []byte
}

type side struct {
	m      *Machine
	at     netip.AddrPort
	peer   *side
	opened []*Exchange // that the peer opened
	closed []*Session
	sent   [][]byte
	nonces map[[6]byte][]byte // what was sent under each secure counter
}

func newSide(seed uint64, at netip.AddrPort, accept bool) *side {
	return &side{m: New(Config{Rand: rand.New(rand.NewPCG(seed, 2)), Accept: accept}), at: at, nonces: map[[6]byte][]byte{}}
}

func newPair(t testing.TB) *pair { return newPairOf(t, 1) }

func newPairOf(t testing.TB, seed uint64) *pair {
	p := &pair{t: t, now: start, a: newSide(seed, alice, true), b: newSide(seed+1, bob, true)}
	p.a.peer, p.b.peer = p.b, p.a
	return p
}

// secure gives both sides a session. a is the initiator and sends under id 2.
func (p *pair) secure(params message.SessionParameters) (a, b *Session) {
	p.t.Helper()
	a, err := p.a.m.Secure(p.now, Secured{LocalSessionID: 1, PeerSessionID: 2, Keys: keys, Initiator: true, LocalNodeID: 10, PeerNodeID: 20, Peer: bob, Parameters: params})
	if err != nil {
		p.t.Fatal(err)
	}
	b, err = p.b.m.Secure(p.now, Secured{LocalSessionID: 2, PeerSessionID: 1, Keys: keys, LocalNodeID: 20, PeerNodeID: 10, Peer: alice})
	if err != nil {
		p.t.Fatal(err)
	}
	return a, b
}

// settle moves what is to be moved now, without the clock.
func (p *pair) settle() {
	p.t.Helper()
	for again := true; again; {
		again = false
		for _, s := range []*side{p.a, p.b} {
			for _, v := range s.m.Events() {
				switch v.Kind {
				case Opened:
					s.opened = append(s.opened, v.Exchange)
				case Closed:
					s.closed = append(s.closed, v.Session)
				}
			}
			for _, d := range s.m.Datagrams() {
				again = true
				p.record(s, d.Data)
				delays := []time.Duration{0}
				if p.fate != nil {
					delays = p.fate(s, d.Data)
				}
				for _, delay := range delays {
					p.air = append(p.air, flight{p.now.Add(delay), s.peer, s.at, d.Data})
				}
			}
		}
		slices.SortStableFunc(p.air, func(a, b flight) int { return a.due.Compare(b.due) })
		for len(p.air) > 0 && !p.air[0].due.After(p.now) {
			f := p.air[0]
			p.air = p.air[1:]
			f.to.m.Receive(p.now, f.from, f.data)
			again = true
		}
		checkSchedule(p.t, p.a.m)
		checkSchedule(p.t, p.b.m)
	}
}

// record checks that a nonce is never used for two messages.
func (p *pair) record(s *side, b []byte) {
	p.t.Helper()
	s.sent = append(s.sent, b)
	if binary.LittleEndian.Uint16(b[1:]) == 0 {
		return
	}
	key := [6]byte(slices.Concat(b[1:3], b[4:8]))
	if old, ok := s.nonces[key]; ok && !bytes.Equal(old, b) {
		p.t.Fatalf("two messages under one counter:\n%x\n%x", old, b)
	}
	s.nonces[key] = b
}

// run lets time pass until nothing is to be done any more, or d is over.
func (p *pair) run(d time.Duration) {
	p.t.Helper()
	end := p.now.Add(d)
	for {
		p.settle()
		next := end
		for _, at := range []time.Time{p.a.m.Next(), p.b.m.Next()} {
			if !at.IsZero() && at.Before(next) {
				next = at
			}
		}
		if len(p.air) > 0 && p.air[0].due.Before(next) {
			next = p.air[0].due
		}
		if !next.Before(end) {
			p.now = end
			return
		}
		if next.After(p.now) {
			p.now = next
		}
		p.a.m.Tick(p.now)
		p.b.m.Tick(p.now)
	}
}

func (p *pair) open(s *Session) *Exchange {
	p.t.Helper()
	x, err := s.m.Open(s)
	if err != nil {
		p.t.Fatal(err)
	}
	return x
}

func (p *pair) send(x *Exchange, text string) {
	p.t.Helper()
	if err := x.s.m.Send(p.now, x, Message{Protocol: message.InteractionModel, Opcode: 2, Payload: []byte(text)}); err != nil {
		p.t.Fatal(err)
	}
}

// want takes the next message of an exchange.
func (p *pair) want(x *Exchange, text string) {
	p.t.Helper()
	v, ok := x.Take()
	if !ok || string(v.Payload) != text {
		p.t.Fatalf("got %q, %v, want %q", v.Payload, ok, text)
	}
}

func (p *pair) nothing(x *Exchange) {
	p.t.Helper()
	if v, ok := x.Take(); ok {
		p.t.Fatalf("got %q", v.Payload)
	}
}

// header is the protocol header of a datagram of either session.
func (p *pair) header(b []byte) (message.Header, message.Protocol) {
	p.t.Helper()
	h, n, err := message.Parse(b)
	if err != nil {
		p.t.Fatal(err)
	}
	plain := b[n:]
	switch h.SessionID {
	case 1:
		plain, err = message.NewCipher(keys.R2I, 20).Open(nil, h, n, b)
	case 2:
		plain, err = message.NewCipher(keys.I2R, 10).Open(nil, h, n, b)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	v, _, err := message.ParseProtocol(plain)
	if err != nil {
		p.t.Fatal(err)
	}
	return h, v
}

func isAck(v message.Protocol) bool {
	return v.ID == message.SecureChannel && v.Opcode == message.StandaloneAck && v.HasAck && !v.Reliable
}

// fromBob seals a message as bob would.
func fromBob(counter uint32, v message.Protocol, payload string) []byte {
	return message.NewCipher(keys.R2I, 20).Seal(nil, message.Header{SessionID: 1, Counter: counter}, v, []byte(payload))
}

// checkSchedule holds the heap and the counts against what the machine has.
func checkSchedule(t testing.TB, m *Machine) {
	t.Helper()
	waits, accepted, strangers := 0, 0, 0
	sessions := []*Session{}
	for _, s := range m.secure {
		sessions = append(sessions, s)
	}
	for _, s := range m.initiated {
		sessions = append(sessions, s)
	}
	for _, s := range m.answered {
		sessions = append(sessions, s)
	}
	for _, s := range sessions {
		of := 0
		for k, x := range s.exchanges {
			if !k.initiator {
				of++
				accepted++
				if !s.isSecure {
					strangers++
				}
			}
			if x.unacked != nil || !x.ackDue.IsZero() {
				waits++
				if x.place == 0 || m.schedule.waiting[x.place-1] != x {
					t.Fatal("an exchange that waits is not in the schedule")
				}
			} else if x.place != 0 {
				t.Fatal("an exchange that waits for nothing is in the schedule")
			}
			if len(x.inbox) > maxInbox || len(x.outbox) > maxOutbox {
				t.Fatal("a box is too full")
			}
			if x.done || x.err != nil {
				t.Fatal("an exchange that is over is in its session")
			}
		}
		if of != s.accepted || of > maxAcceptedOf {
			t.Fatalf("%d exchanges of a peer, counted %d", of, s.accepted)
		}
		if s.err != nil || !s.isSecure && !s.initiator && len(s.exchanges) == 0 && !s.listed {
			t.Fatal("a session that is over, or will never be, is kept")
		}
	}
	if waits != len(m.schedule.waiting) {
		t.Fatalf("%d exchanges wait, %d are in the schedule", waits, len(m.schedule.waiting))
	}
	if accepted != m.accepted || strangers != m.acceptedUnsecured || accepted > maxAccepted || strangers > maxAcceptedStrangers {
		t.Fatalf("%d exchanges accepted, %d of strangers, counted %d and %d", accepted, strangers, m.accepted, m.acceptedUnsecured)
	}
	if len(m.answered) > maxStrangers {
		t.Fatal("too many strangers")
	}
	for i := 1; i < len(m.schedule.waiting); i++ {
		if m.schedule.waiting[i].due.Before(m.schedule.waiting[(i-1)/2].due) {
			t.Fatal("the schedule is no heap")
		}
	}
}
