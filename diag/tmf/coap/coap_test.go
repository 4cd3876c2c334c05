package coap

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Messages captured between a commissioner, a border agent and mesh nodes
// (OpenThread border router of 2026-08).
var captured = []struct {
	name, hex string
	m         Message
}{
	{"request for the dataset", "440210017a3e0001b163026167ff0d080e0001350203070c",
		Message{Confirmable, Post, 0x1001, []byte{0x7a, 0x3e, 0, 1}, "c/ag", []byte{0x0d, 8, 0x0e, 0, 1, 0x35, 2, 3, 7, 0x0c}}},
	{"empty acknowledgement", "60001003", Message{Type: Acknowledgement, MID: 0x1003}},
	{"separate answer", "544408597a3e0004ff100101", Message{NonConfirmable, Changed, 0x0859, []byte{0x7a, 0x3e, 0, 4}, "", []byte{0x10, 1, 1}}},
	{"answer without payload", "644410077a3e0007", Message{Acknowledgement, Changed, 0x1007, []byte{0x7a, 0x3e, 0, 7}, "", nil}},
	{"acknowledgement of an answer", "6244cfac2008", Message{Acknowledgement, Changed, 0xcfac, []byte{0x20, 8}, "", nil}},
	{"query", "440210077a3e0007b164026471ff12031d1e1f21025109",
		Message{Confirmable, Post, 0x1007, []byte{0x7a, 0x3e, 0, 7}, "d/dq", []byte{0x12, 3, 0x1d, 0x1e, 0x1f, 0x21, 2, 0x51, 9}}},
}

func TestCaptured(t *testing.T) {
	for _, c := range captured {
		b := unhex(t, c.hex)
		m, err := Parse(b)
		if err != nil || !reflect.DeepEqual(m, c.m) {
			t.Errorf("%s: parsed %+v, %v", c.name, m, err)
		}
		if got, err := c.m.Append(nil); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: appended %x, %v", c.name, got, err)
		}
		for n := range min(len(b), 4+len(c.m.Token)) {
			if m, err := Parse(b[:n]); err == nil {
				t.Errorf("%s: the first %d octets are %+v", c.name, n, m)
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	for name, s := range map[string]string{
		"nothing":                  "",
		"version 2":                "84021001",
		"token of 9":               "4902100100000000000000000000",
		"option cut short":         "44021001000000" + "00b5616263",
		"reserved option length":   "4402100100000000bf61",
		"empty with a token":       "6100100101",
		"empty with a payload":     "60001001ff01",
		"option delta out of sync": "440210010000000" + "0e1ff",
	} {
		if m, err := Parse(unhex(t, s)); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if _, err := Parse(make([]byte, maxMessage+1)); err == nil {
		t.Error("too long a message is read")
	}
	if got, err := (Message{Code: Post, Token: make([]byte, 9)}).Append([]byte{1}); err == nil || len(got) != 1 {
		t.Errorf("a token of 9 is written: %x", got)
	}
}

// A pair is an Endpoint with a clock.
type pair struct {
	t   *testing.T
	e   *Endpoint
	now time.Time
}

var peer = netip.MustParseAddr("fd00:db8::ff:fe00:5c00")

func newPair(t *testing.T, cfg Config) *pair {
	return &pair{t, NewEndpoint(cfg, rand.New(rand.NewPCG(1, 1))), time.Unix(1e9, 0)}
}

func (p *pair) request() (ID, Message) {
	p.t.Helper()
	id, err := p.e.Request(p.now, peer, "d/dg", []byte{1})
	if err != nil {
		p.t.Fatal(err)
	}
	return id, p.sent(1)[0]
}

func (p *pair) sent(n int) (out []Message) {
	p.t.Helper()
	for _, d := range p.e.Datagrams() {
		m, err := Parse(d.Data)
		if err != nil {
			p.t.Fatal(err)
		}
		if d.To != peer {
			p.t.Errorf("sent to %v", d.To)
		}
		out = append(out, m)
	}
	if len(out) != n {
		p.t.Fatalf("%d messages sent, want %d", len(out), n)
	}
	return out
}

func (p *pair) receive(m Message) {
	p.t.Helper()
	b, err := m.Append(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.e.Receive(p.now, peer, b); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pair) events(kinds ...EventKind) []Event {
	p.t.Helper()
	v := p.e.Events()
	var got []EventKind
	for _, e := range v {
		got = append(got, e.Kind)
	}
	if !slices.Equal(got, kinds) {
		p.t.Fatalf("events %v, want %v", got, kinds)
	}
	return v
}

// A request that nobody answers is repeated, the same each time, after waits
// that double, and then given up.
func TestRepeats(t *testing.T) {
	p := newPair(t, Config{Wait: 2 * time.Second, Tries: 4})
	id, first := p.request()
	start := p.now
	var at []time.Duration
	for range 10 {
		next := p.e.Next()
		if next.IsZero() {
			break
		}
		p.now = next
		p.e.Tick(p.now)
		for _, d := range p.e.Datagrams() {
			if m, err := Parse(d.Data); err != nil || !reflect.DeepEqual(m, first) {
				t.Errorf("repeated %+v, %v", m, err)
			}
			at = append(at, p.now.Sub(start))
		}
	}
	if len(at) != 3 || at[0] < 2*time.Second || at[0] > 3*time.Second || at[1]-at[0] != 2*at[0] || at[2]-at[1] != 4*at[0] {
		t.Errorf("repeated after %v", at)
	}
	if e := p.events(TimedOut); e[0].ID != id || p.now.Sub(start) != 15*at[0] || p.e.Repeats != 3 {
		t.Errorf("%+v after %v", e, p.now.Sub(start))
	}
	p.receive(Message{Type: Acknowledgement, Code: Changed, MID: first.MID, Token: first.Token})
	p.events() // too late
}

func TestAnswers(t *testing.T) {
	p := newPair(t, Config{})
	// In the acknowledgement, from another address than was asked.
	id, m := p.request()
	p.receive(Message{Type: Acknowledgement, Code: Changed, MID: m.MID, Token: m.Token, Payload: []byte{9}})
	if e := p.events(Responded); e[0].ID != id || e[0].From != peer || e[0].Message.Payload[0] != 9 || p.e.Busy() {
		t.Errorf("%+v", e)
	}
	// Apart from it; a confirmable answer is acknowledged.
	id, m = p.request()
	p.receive(Message{Type: Acknowledgement, MID: m.MID})
	p.receive(Message{Type: Acknowledgement, MID: m.MID})
	p.events(Acknowledged)
	p.now = p.now.Add(9 * time.Second)
	p.e.Tick(p.now)
	p.sent(0)
	p.receive(Message{Type: Confirmable, Code: Changed, MID: 77, Token: m.Token})
	if e := p.events(Responded); e[0].ID != id {
		t.Errorf("%+v", e)
	}
	if a := p.sent(1)[0]; a.Type != Acknowledgement || a.Code != Empty || a.MID != 77 {
		t.Errorf("%+v", a)
	}
	// An answer that never comes.
	_, m = p.request()
	p.receive(Message{Type: Acknowledgement, MID: m.MID})
	p.events(Acknowledged)
	p.now = p.e.Next()
	p.e.Tick(p.now)
	p.events(TimedOut)
	// A reset, a wrong token, a wrong id.
	_, m = p.request()
	p.receive(Message{Type: Acknowledgement, Code: Changed, MID: m.MID + 1, Token: m.Token})
	p.receive(Message{Type: Acknowledgement, Code: Changed, MID: m.MID, Token: []byte{1}})
	p.receive(Message{Type: Reset, MID: m.MID + 1})
	p.events()
	p.receive(Message{Type: Reset, MID: m.MID})
	p.events(Refused)
	// One that is no longer wanted.
	id, m = p.request()
	p.e.Cancel(id)
	p.receive(Message{Type: Acknowledgement, Code: Changed, MID: m.MID, Token: m.Token})
	p.events()
	if !p.e.Next().IsZero() {
		t.Error("it still waits")
	}
}

// A request that comes twice is told once and answered twice alike.
func TestDuplicates(t *testing.T) {
	p := newPair(t, Config{})
	m := Message{Type: Confirmable, Code: Post, MID: 5, Token: []byte{1, 2}, Path: "d/da", Payload: []byte{3}}
	p.receive(m)
	if e := p.events(Requested); !reflect.DeepEqual(e[0].Message, m) {
		t.Errorf("%+v", e)
	}
	p.receive(m) // before there is a reply
	p.sent(0)
	if err := p.e.Reply(peer, m, Changed, nil); err != nil {
		t.Fatal(err)
	}
	first := p.sent(1)[0]
	p.receive(m)
	if again := p.sent(1)[0]; !reflect.DeepEqual(first, again) || again.Code != Changed || again.MID != 5 || !bytes.Equal(again.Token, m.Token) {
		t.Errorf("%+v, then %+v", first, again)
	}
	p.events()
	if p.e.Doubles != 2 {
		t.Errorf("%d duplicates", p.e.Doubles)
	}
	p.now = p.now.Add(lifetime)
	p.receive(m)
	p.events(Requested)
	// Of another node the same id is another message.
	b, _ := m.Append(nil)
	if err := p.e.Receive(p.now, netip.MustParseAddr("fd00::1"), b); err != nil {
		t.Fatal(err)
	}
	p.events(Requested)
	// Nothing is said to a request that wants no answer, a ping gets a reset.
	p.receive(Message{Type: NonConfirmable, Code: Post, MID: 6, Path: "c/ur"})
	e := p.events(Requested)
	if err := p.e.Reply(peer, e[0].Message, Changed, nil); err != nil {
		t.Error(err)
	}
	p.sent(0)
	p.receive(Message{Type: Confirmable, MID: 9})
	if m := p.sent(1)[0]; m.Type != Reset || m.MID != 9 {
		t.Errorf("%+v", m)
	}
}

// No message id comes twice in a session, and sessions begin anywhere.
func TestMessageIDs(t *testing.T) {
	starts := map[uint16]bool{}
	for seed := range uint64(50) {
		e := NewEndpoint(Config{}, rand.New(rand.NewPCG(seed, 0)))
		seen := map[uint16]bool{}
		for i := range 3000 {
			if err := e.Notify(peer, "c/ut", nil); err != nil {
				t.Fatal(err)
			}
			m, err := Parse(e.Datagrams()[0].Data)
			if err != nil || seen[m.MID] {
				t.Fatalf("message %d: id %04x again, %v", i, m.MID, err)
			}
			if i == 0 {
				starts[m.MID] = true
			}
			seen[m.MID] = true
		}
	}
	if len(starts) < 48 {
		t.Errorf("%d different first ids", len(starts))
	}
}

// Whoever floods us with message ids is forgotten in time.
func TestMemoryIsBounded(t *testing.T) {
	p := newPair(t, Config{})
	for i := range 3 * maxRemembered {
		from := netip.AddrFrom16([16]byte{0xfd, 14: byte(i >> 16), 15: 1})
		b, _ := Message{Type: Confirmable, Code: Post, MID: uint16(i)}.Append(nil)
		p.e.Receive(p.now, from, b)
	}
	if len(p.e.seen) > maxRemembered || len(p.e.order) > maxRemembered || len(p.e.Events()) > maxWaiting {
		t.Errorf("%d, %d remembered", len(p.e.seen), len(p.e.order))
	}
}

// A path is told by its segments: one with a slash inside, or of more segments
// than are read, is not taken for another.
func TestPathSegments(t *testing.T) {
	head := []byte{0x40, 0x02, 0x30, 0x30}
	if m, err := Parse(append(head, 0xb1, 'd', 0x02, 'd', 'g')); err != nil || m.Path != "d/dg" {
		t.Errorf("two segments: %+v, %v", m, err)
	}
	if m, err := Parse(append(head, 0xb4, 'd', '/', 'd', 'g')); err == nil {
		t.Errorf("a slash in a segment was read as %q", m.Path)
	}
	if _, err := (Message{Code: Post, Path: strings.Repeat("0/", maxOptions-1) + "0"}).Append(nil); err != nil {
		t.Errorf("%d segments: %v", maxOptions, err)
	}
	if _, err := (Message{Code: Post, Path: strings.Repeat("0/", maxOptions) + "0"}).Append(nil); err == nil {
		t.Errorf("%d segments were written", maxOptions+1)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range captured {
		f.Add(unhex(f, c.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		w, err := m.Append(nil)
		if err != nil {
			return // a path with what SetPath does not take
		}
		if again, err := Parse(w); err != nil || again.MID != m.MID || again.Type != m.Type || again.Code != m.Code || !bytes.Equal(again.Payload, m.Payload) || !bytes.Equal(again.Token, m.Token) {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
	})
}

func FuzzReceive(f *testing.F) {
	for _, c := range captured {
		f.Add(unhex(f, c.hex), unhex(f, c.hex))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		e := NewEndpoint(Config{}, rand.New(rand.NewPCG(1, 1)))
		now := time.Unix(1e9, 0)
		if _, err := e.Request(now, peer, "d/dg", nil); err != nil {
			t.Fatal(err)
		}
		for _, x := range [][]byte{a, b} {
			e.Receive(now, peer, x)
			for _, v := range e.Events() {
				if v.Kind == Requested {
					e.Reply(v.From, v.Message, Changed, nil)
				}
			}
			now = now.Add(time.Second)
			e.Tick(now)
		}
		if n := len(e.Datagrams()); n > 6 {
			t.Errorf("%d datagrams for two", n)
		}
	})
}

// Waits double up to a limit, and what only a repetition brought back is known.
func TestMaxWaitAndRescued(t *testing.T) {
	now := time.Unix(1e9, 0)
	e := NewEndpoint(Config{Wait: 100 * time.Millisecond, MaxWait: 300 * time.Millisecond, Tries: 6}, rand.New(rand.NewPCG(1, 1)))
	peer := netip.MustParseAddr("fd00::1")
	if _, err := e.Request(now, peer, "d/dg", nil); err != nil {
		t.Fatal(err)
	}
	var waits []time.Duration
	for range 5 {
		at := e.Next()
		waits = append(waits, at.Sub(now))
		now = at
		e.Tick(now)
	}
	if slices.Max(waits) != 300*time.Millisecond || waits[4] != waits[3] || !slices.IsSorted(waits) || e.Repeats != 5 || e.Rescued != 0 {
		t.Errorf("waits %v, %d repetitions, %d rescued", waits, e.Repeats, e.Rescued)
	}
	m, err := Parse(e.Datagrams()[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is a duplicate
		b, _ := Message{Type: Acknowledgement, Code: Changed, MID: m.MID, Token: m.Token}.Append(nil)
		e.Receive(now, peer, b)
	}
	if e.Rescued != 1 || e.Doubles != 1 {
		t.Errorf("%d rescued, %d duplicates", e.Rescued, e.Doubles)
	}
}
