package pase

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"threadmap/diag/internal/vectors"
	"threadmap/diag/matter/internal/establish/establishtest"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/spake2p"
	"threadmap/tlv"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var (
	chipParameters = message.SessionParameters{Idle: 500 * time.Millisecond, Active: 300 * time.Millisecond, ActiveThreshold: 4 * time.Second}
	testSalt       = []byte("SPAKE2P Key Salt")
)

// registration is that of the passcode 20202021.
var registration = sync.OnceValue(func() spake2p.Registration {
	s, err := spake2p.Derive(20202021, testSalt, spake2p.MinIterations)
	if err != nil {
		panic(err)
	}
	return s.Registration()
})

// Both roles compute a handshake again that another implementation computed,
// and agree with it in every octet.
func TestComputed(t *testing.T) {
	n := vectors.Read(t, "testdata/computed.txt", 15)
	request, err := decodeRequest(n["PBKDFParamRequest"])
	ok(t, err)
	response, err := decodeResponse(n["PBKDFParamResponse"])
	ok(t, err)
	i, err := NewInitiator(InitiatorConfig{
		Passcode: 20202021, SessionID: request.session, Parameters: chipParameters,
		Random: &Random{request.random, spake2p.Scalar(n["x"])},
	})
	ok(t, err)
	reg, err := spake2p.ParseRegistration(append(bytes.Clone(n["w0"]), n["L"]...))
	ok(t, err)
	r, err := NewResponder(ResponderConfig{
		Registration: reg, Salt: n["salt"], Iterations: 1000, SessionID: response.session, Parameters: chipParameters,
		Random: &Random{response.random, spake2p.Scalar(n["y"])},
	})
	ok(t, err)

	b := i.Start().Payload
	vectors.Same(t, "PBKDFParamRequest", b, n["PBKDFParamRequest"])
	b = establishtest.One(t, message.PBKDFParamResponse)(r.Receive(message.PBKDFParamRequest, b))
	vectors.Same(t, "PBKDFParamResponse", b, n["PBKDFParamResponse"])
	vectors.Same(t, "the responder's context", r.context.Context, n["context"])
	b = establishtest.One(t, message.Pake1)(i.Receive(message.PBKDFParamResponse, b))
	vectors.Same(t, "Pake1", b, n["Pake1"])
	vectors.Same(t, "the initiator's context", i.context.Context, n["context"])
	b = establishtest.One(t, message.Pake2)(r.Receive(message.Pake1, b))
	vectors.Same(t, "Pake2", b, n["Pake2"])
	b = establishtest.One(t, message.Pake3)(i.Receive(message.Pake2, b))
	vectors.Same(t, "Pake3", b, n["Pake3"])
	if _, done := i.Done(); done {
		t.Error("the initiator is done before the responder said so")
	}
	b = establishtest.One(t, message.Status)(r.Receive(message.Pake3, b))
	vectors.Same(t, "StatusReport", b, make([]byte, 8))
	if ms, err := i.Receive(message.Status, b); err != nil || ms != nil {
		t.Fatal(ms, err)
	}
	want := message.Keys{
		I2R: [16]byte(n["I2RKey"]), R2I: [16]byte(n["R2IKey"]), AttestationChallenge: [16]byte(n["AttestationChallenge"]),
	}
	if want != message.NewKeys([48]byte(slices.Concat(n["I2RKey"], n["R2IKey"], n["AttestationChallenge"]))) {
		t.Fatal("the order of the keys")
	}
	ie, done := i.Done()
	if !done || ie.Keys != want || ie.LocalSessionID != 0x1234 || ie.PeerSessionID != 0x4321 {
		t.Errorf("initiator: %+v", ie)
	}
	re, done := r.Done()
	if !done || re.Keys != want || re.LocalSessionID != 0x4321 || re.PeerSessionID != 0x1234 {
		t.Errorf("responder: %+v", re)
	}
	for _, p := range []message.SessionParameters{ie.PeerParameters, re.PeerParameters} {
		if p.Said != message.SaidIdle|message.SaidActive|message.SaidActiveThreshold || p.Idle != 500*time.Millisecond ||
			p.Active != 300*time.Millisecond || p.ActiveThreshold != 4*time.Second {
			t.Errorf("parameters: %+v", p)
		}
	}
}

// The initiator against a real device, from a capture: it says what the other
// controller said, call by call.
func TestMatterJS(t *testing.T) {
	n := vectors.Read(t, "testdata/matterjs.txt", 14)
	request, err := decodeRequest(n["PBKDFParamRequest"])
	ok(t, err)
	i, err := NewInitiator(InitiatorConfig{
		Passcode: 20209001, SessionID: 34006, Parameters: request.parameters,
		Random: &Random{[32]byte(n["initiatorRandom"]), spake2p.Scalar(n["x"])},
	})
	ok(t, err)
	vectors.Same(t, "PBKDFParamRequest", i.Start().Payload, n["PBKDFParamRequest"])
	vectors.Same(t, "Pake1", establishtest.One(t, message.Pake1)(i.Receive(message.PBKDFParamResponse, n["PBKDFParamResponse"])), n["Pake1"])
	vectors.Same(t, "context", i.context.Context, n["context"])
	vectors.Same(t, "Pake3", establishtest.One(t, message.Pake3)(i.Receive(message.Pake2, n["Pake2"])), n["Pake3"])
	if ms, err := i.Receive(message.Status, n["StatusReport"]); ms != nil || err != nil {
		t.Fatal(ms, err)
	}
	e, done := i.Done()
	if !done || e.Keys != message.NewKeys([48]byte(n["sessionKeys"])) || e.PeerSessionID != 50817 || e.LocalSessionID != 34006 {
		t.Errorf("%+v, %v", e, done)
	}
	if e.PeerParameters.SpecificationVersion == 0 || e.PeerParameters.Said&message.SaidMaxPathsPerInvoke == 0 {
		t.Errorf("what the device says of itself: %+v", e.PeerParameters)
	}
	vectors.Same(t, "Ke", sessionKeysOf(n["keySchedule"][16:]), n["sessionKeys"])
	// The other inputs and outputs of that controller's key derivation.
	s, err := spake2p.Derive(20209001, n["salt"], 1000)
	ok(t, err)
	wide := func(b []byte) []byte { // 40 octets mod n, by subtraction of shifted n: slow and plain
		v := slices.Clone(b)
		order, _ := hex.DecodeString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
		for shift := 64; shift >= 0; shift-- {
			m := make([]byte, 41)
			for k, o := range order {
				w := uint16(o) << (shift % 8)
				m[41-32-shift/8+k] |= byte(w)
				m[41-32-shift/8+k-1] |= byte(w >> 8)
			}
			if w := append([]byte{0}, v...); bytes.Compare(w, m) >= 0 {
				borrow := 0
				for k := 40; k >= 0; k-- {
					d := int(w[k]) - int(m[k]) - borrow
					borrow = 0
					if d < 0 {
						d, borrow = d+256, 1
					}
					w[k] = byte(d)
				}
				v = w[1:]
			}
		}
		return v[8:]
	}
	vectors.Same(t, "w0", s.Registration().Bytes()[:32], wide(n["ws"][:40]))
}

func sessionKeysOf(ke []byte) []byte {
	k := sessionKeys([16]byte(ke))
	return slices.Concat(k.I2R[:], k.R2I[:], k.AttestationChallenge[:])
}

// A pair of machines, and their messages so far.
type pair struct {
	i *Initiator
	r *Responder
}

func newPair(t testing.TB, passcode uint32) pair {
	t.Helper()
	i, err := NewInitiator(InitiatorConfig{Passcode: passcode, SessionID: 7, Random: fixed(1)})
	ok(t, err)
	r, err := NewResponder(ResponderConfig{
		Registration: registration(), Salt: testSalt, Iterations: spake2p.MinIterations, SessionID: 9,
		Parameters: chipParameters, Random: fixed(2),
	})
	ok(t, err)
	return pair{i, r}
}

// fixed are random numbers that are the same every time.
func fixed(n byte) *Random {
	return &Random{[32]byte{31: n}, spake2p.Scalar(bytes.Repeat([]byte{n}, 32))}
}

// run lets the two talk; see [establishtest.Run].
func (p pair) run(change func(number int, m Message) Message) (ie, re error) {
	return establishtest.Run(p.i, p.r, change)
}

func TestBothRoles(t *testing.T) {
	for range 4 {
		i, err := NewInitiator(InitiatorConfig{Passcode: 20202021, SessionID: 1})
		ok(t, err)
		r, err := NewResponder(ResponderConfig{Registration: registration(), Salt: testSalt, Iterations: 1000, SessionID: 2})
		ok(t, err)
		p := pair{i, r}
		if ie, re := p.run(nil); ie != nil || re != nil {
			t.Fatal(ie, re)
		}
		ie, iok := i.Done()
		re, rok := r.Done()
		if !iok || !rok || ie.Keys != re.Keys || ie.Keys == (message.Keys{}) || ie.PeerSessionID != 2 || re.PeerSessionID != 1 {
			t.Fatal(ie, re)
		}
		if !r.Tried() {
			t.Error("the attempt was not seen")
		}
		if _, err := i.Receive(message.Status, make([]byte, 8)); err == nil {
			t.Error("a handshake that is over takes a message")
		}
	}
}

func TestWrongPasscode(t *testing.T) {
	p := newPair(t, 20202022)
	ie, re := p.run(nil)
	if !errors.Is(ie, ErrPasscode) || ie.Error() != ErrPasscode.Error() {
		t.Errorf("the initiator says %v", ie)
	}
	var report message.StatusReport
	if !errors.As(re, &report) || report.Code != message.CodeInvalidParameter || report.General != message.Failure {
		t.Errorf("the responder says %v", re)
	}
	if !p.r.Tried() {
		t.Error("the attempt was not counted")
	}
	p.neither(t, "wrong passcode")

	// An initiator that goes on nevertheless, guessing.
	p = newPair(t, 20202022)
	_, re = p.run(func(n int, m Message) Message {
		if n == 4 {
			b, err := encodePake3([32]byte{})
			ok(t, err)
			return Message{Opcode: message.Pake3, Payload: b}
		}
		return m
	})
	if !errors.Is(re, ErrPasscode) {
		t.Errorf("the responder says %v", re)
	}
	p.neither(t, "guess")
}

func (p pair) neither(t *testing.T, what string) {
	t.Helper()
	ie, iok := p.i.Done()
	re, rok := p.r.Done()
	if iok || rok || ie != (Established{}) || re != (Established{}) {
		t.Errorf("%s: there is a session: %v %v", what, iok, rok)
	}
}

// opcodes of the messages of a handshake, in order.
var opcodes = []uint8{
	message.PBKDFParamRequest, message.PBKDFParamResponse, message.Pake1, message.Pake2, message.Pake3, message.Status,
}

// flight are the payloads of a handshake of newPair.
func flight(t testing.TB) (payloads [][]byte) {
	p := newPair(t, 20202021)
	ie, re := p.run(func(_ int, m Message) Message { payloads = append(payloads, bytes.Clone(m.Payload)); return m })
	ok(t, ie)
	ok(t, re)
	if len(payloads) != len(opcodes) {
		t.Fatalf("%d messages", len(payloads))
	}
	return payloads
}

// at brings a pair to where message n is due; receive hands it over.
func at(t testing.TB, payloads [][]byte, n int) (p pair, receive func(opcode uint8, b []byte) ([]Message, error)) {
	t.Helper()
	p = newPair(t, 20202021)
	for k := range n {
		if k%2 == 0 {
			_, err := p.r.Receive(opcodes[k], payloads[k])
			ok(t, err)
		} else {
			_, err := p.i.Receive(opcodes[k], payloads[k])
			ok(t, err)
		}
	}
	if n%2 == 0 {
		return p, p.r.Receive
	}
	return p, p.i.Receive
}

// refused checks that message n with another payload ends the handshake and
// that what is left in the machine is dead.
func refused(t *testing.T, what string, payloads [][]byte, n int, opcode uint8, b []byte) {
	t.Helper()
	p, receive := at(t, payloads, n)
	ms, err := receive(opcode, b)
	if err == nil {
		t.Fatalf("message %d, %s: was taken", n, what)
	}
	if strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "pase: ") {
		t.Errorf("message %d, %s: %q", n, what, err)
	}
	if opcode != message.Status && (len(ms) != 1 || !bytes.Equal(ms[0].Payload, []byte{1, 0, 0, 0, 0, 0, 2, 0})) {
		t.Errorf("message %d, %s: the peer is told %v", n, what, ms)
	}
	if _, err := receive(opcodes[n], payloads[n]); err == nil {
		t.Errorf("message %d, %s: the handshake went on", n, what)
	}
	if n == 5 {
		if _, done := p.i.Done(); done {
			t.Errorf("message %d, %s: done", n, what)
		}
		return
	}
	p.neither(t, what)
}

func TestRefused(t *testing.T) {
	payloads := flight(t)
	deep := append(bytes.Repeat([]byte{0x15}, 600), bytes.Repeat([]byte{0x18}, 600)...)
	nested := append([]byte{0x15}, bytes.Repeat([]byte{0x35, 0x77}, 300)...)
	for n, b := range payloads {
		for k := range b {
			refused(t, fmt.Sprintf("cut to %d octets", k), payloads, n, opcodes[n], b[:k])
		}
		if opcodes[n] == message.Status {
			continue // may have data of any kind
		}
		for what, b := range map[string][]byte{
			"an octet more": append(bytes.Clone(b), 0), "twice": append(bytes.Clone(b), b...),
			"too long": make([]byte, message.MaxDatagram+1), "giant length": {0x15, 0x33, 1, 255, 255, 255, 255, 255, 255, 255, 127},
			"deep": deep, "nested": nested, "an array": append([]byte{0x16}, b[1:]...), "empty structure": {0x15, 0x18},
			"a tag":          append([]byte{0x35, 1}, b[1:]...),
			"a member twice": append(append(bytes.Clone(b[:len(b)-1]), b[1:3]...), 0x18),
		} {
			refused(t, what, payloads, n, opcodes[n], b)
		}
	}
}

// Every other message at every place.
func TestOrder(t *testing.T) {
	payloads := flight(t)
	for n := range payloads {
		for k := range payloads {
			if k != n {
				refused(t, fmt.Sprintf("message %d", k), payloads, n, opcodes[k], payloads[k])
			}
		}
		refused(t, "unknown opcode", payloads, n, 0x7f, payloads[n])
		busy := message.StatusReport{General: message.Busy, Code: message.CodeBusy, Data: []byte{0xf4, 1}}
		_, receive := at(t, payloads, n)
		ms, err := receive(message.Status, busy.Append(nil))
		var r message.StatusReport
		if !errors.As(err, &r) || ms != nil {
			t.Fatalf("message %d: %v, %v", n, ms, err)
		}
		if d, isBusy := r.Wait(); !isBusy || d != 500*time.Millisecond {
			t.Errorf("message %d: wait %v", n, d)
		}
	}
}

// No bit of any message may be changed without the handshake failing: both
// PBKDF messages are in the context, the rest is confirmed. (The last message,
// the StatusReport, is not: it can only say yes or no.) Every third bit is
// tried, so that of every octet there are some.
func TestBits(t *testing.T) {
	payloads := flight(t)
	for n := range payloads[:5] {
		for bit := 0; bit < 8*len(payloads[n]); bit += 3 {
			p := newPair(t, 20202021)
			ie, re := p.run(func(k int, m Message) Message {
				if k == n {
					m.Payload = bytes.Clone(m.Payload)
					m.Payload[bit/8] ^= 1 << (bit % 8)
				}
				return m
			})
			if ie == nil && re == nil {
				t.Errorf("message %d, bit %d: nobody noticed", n, bit)
			}
			p.neither(t, fmt.Sprintf("message %d, bit %d", n, bit))
		}
	}
}

// Messages of another handshake of the same two parties.
func TestReplay(t *testing.T) {
	payloads := flight(t)
	other, err := NewInitiator(InitiatorConfig{Passcode: 20202021, SessionID: 7})
	ok(t, err)
	if _, err := other.Receive(message.PBKDFParamResponse, payloads[1]); err == nil || !strings.Contains(err.Error(), "another request") {
		t.Errorf("an old PBKDFParamResponse: %v", err)
	}
	r, err := NewResponder(ResponderConfig{Registration: registration(), Salt: testSalt, Iterations: 1000, SessionID: 9})
	ok(t, err)
	for _, n := range []int{0, 2} {
		_, err := r.Receive(opcodes[n], payloads[n])
		ok(t, err) // nothing in them is ours
	}
	if _, err := r.Receive(message.Pake3, payloads[4]); !errors.Is(err, ErrPasscode) {
		t.Errorf("an old Pake3: %v", err)
	}
	if _, done := r.Done(); done {
		t.Error("a replayed handshake made a session")
	}
}

// The salt and the iterations are checked before any work is done with them.
func TestPBKDFBounds(t *testing.T) {
	for _, c := range []struct {
		iterations uint32
		salt       int
		fine       bool
	}{{1000, 16, true}, {100000, 32, true}, {999, 16, false}, {100001, 16, false}, {1<<32 - 1, 16, false}, {0, 16, false}, {1000, 15, false}, {1000, 33, false}, {1000, 0, false}} {
		i, err := NewInitiator(InitiatorConfig{Passcode: 1, SessionID: 1, Random: fixed(1)})
		ok(t, err)
		b, err := response{initiatorRandom: fixed(1).Random, session: 1, pbkdf: &pbkdf{c.iterations, make([]byte, c.salt)}}.encode()
		ok(t, err)
		if _, err := i.Receive(message.PBKDFParamResponse, b); (err == nil) != c.fine {
			t.Errorf("%+v: %v", c, err)
		}
	}
	i, err := NewInitiator(InitiatorConfig{Passcode: 1, SessionID: 1, Random: fixed(1)})
	ok(t, err)
	b, err := response{initiatorRandom: fixed(1).Random, session: 1}.encode()
	ok(t, err)
	if _, err := i.Receive(message.PBKDFParamResponse, b); !errors.Is(err, errNoPBKDF) {
		t.Errorf("no parameters: %v", err)
	}
}

// An initiator that knows salt and iterations is not told them; one that asks
// for another passcode is sent away.
func TestRequests(t *testing.T) {
	new := func() *Responder { return newPair(t, 20202021).r }
	b, err := request{session: 1, knowsPBKDF: true}.encode()
	ok(t, err)
	m, err := decodeResponse(establishtest.One(t, message.PBKDFParamResponse)(new().Receive(message.PBKDFParamRequest, b)))
	ok(t, err)
	if m.pbkdf != nil || m.session != 9 {
		t.Errorf("%+v", m)
	}
	b, err = request{session: 1, passcodeID: 1}.encode()
	ok(t, err)
	if _, err := new().Receive(message.PBKDFParamRequest, b); err == nil {
		t.Error("passcode 1 was served")
	}
	b, err = request{session: 0}.encode()
	ok(t, err)
	if _, err := new().Receive(message.PBKDFParamRequest, b); err == nil {
		t.Error("session id 0 was taken")
	}
	// Members from the future are skipped.
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	e.PutOctets(tlv.Context(1), make([]byte, 32))
	e.PutUint(tlv.Context(2), 1)
	e.PutUint(tlv.Context(3), 0)
	e.PutBool(tlv.Context(4), false)
	e.Struct(tlv.Context(200))
	e.PutText(tlv.Context(1), "later")
	e.End()
	e.End()
	b, err = e.Bytes()
	ok(t, err)
	establishtest.One(t, message.PBKDFParamResponse)(new().Receive(message.PBKDFParamRequest, b))
}

func TestConfig(t *testing.T) {
	for _, c := range []InitiatorConfig{{Passcode: 0, SessionID: 1}, {Passcode: 11111111, SessionID: 1}, {Passcode: 1}} {
		if _, err := NewInitiator(c); err == nil {
			t.Errorf("%d, %d: was taken", c.Passcode, c.SessionID)
		}
	}
	g := registration()
	for _, c := range []ResponderConfig{
		{Registration: g, Salt: testSalt, Iterations: 1000}, {Registration: g, Salt: testSalt, SessionID: 1},
		{Registration: g, Iterations: 1000, SessionID: 1}, {Salt: testSalt, Iterations: 1000, SessionID: 1},
	} {
		if _, err := NewResponder(c); err == nil {
			t.Errorf("%+v: was taken", c)
		}
	}
}

// No way of printing tells a secret.
func TestNothingPrinted(t *testing.T) {
	p := newPair(t, 20202021)
	ie, re := p.run(nil)
	ok(t, ie)
	ok(t, re)
	e, _ := p.i.Done()
	var all strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		fmt.Fprintf(&all, verb+verb+verb+verb+verb, p.i, p.r, e, p.i.cfg, p.r.cfg)
	}
	j, err := json.Marshal([]any{p.i, p.r, e})
	ok(t, err)
	all.Write(j)
	for what, b := range map[string][]byte{"I2R": e.Keys.I2R[:], "R2I": e.Keys.R2I[:], "challenge": e.Keys.AttestationChallenge[:]} {
		for _, s := range []string{string(b), hex.EncodeToString(b), strings.Trim(fmt.Sprint(b), "[]")} {
			if strings.Contains(all.String(), s) {
				t.Errorf("%s was printed", what)
			}
		}
	}
	if strings.Contains(all.String(), "20202021") || strings.Contains(all.String(), fmt.Sprintf("%x", 20202021)) {
		t.Errorf("the passcode was printed: %s", all.String())
	}
}

func FuzzInitiator(f *testing.F) {
	payloads := flight(f)
	for n, b := range payloads {
		f.Add(uint8(n), opcodes[n], b)
	}
	f.Fuzz(func(t *testing.T, steps, opcode uint8, b []byte) {
		n := int(steps) % 3 * 2 // before PBKDFParamResponse, Pake2, StatusReport
		p, _ := at(t, payloads, n+1)
		// Same octets as the genuine message, or it is an error.
		_, err := p.i.Receive(opcode, b)
		if _, done := p.i.Done(); done && (n != 4 || err != nil || opcode != message.Status) {
			t.Errorf("after %d messages, 0x%02x %x: done", n, opcode, b)
		}
		if err == nil && n == 2 && !bytes.Equal(b, payloads[3]) {
			m, _ := decodePake2(b) // another encoding of the same values
			if g, _ := decodePake2(payloads[3]); m != g {
				t.Errorf("Pake2 %x was taken", b)
			}
		}
	})
}

func FuzzResponder(f *testing.F) {
	payloads := flight(f)
	for n, b := range payloads {
		f.Add(uint8(n), opcodes[n], b)
	}
	f.Fuzz(func(t *testing.T, steps, opcode uint8, b []byte) {
		n := int(steps) % 3 * 2
		p, receive := at(t, payloads, n)
		receive(opcode, b)
		if _, done := p.r.Done(); done {
			m, err := decodePake3(b)
			if g, _ := decodePake3(payloads[4]); n != 4 || err != nil || m != g {
				t.Errorf("after %d messages, 0x%02x %x: done", n, opcode, b)
			}
		}
	})
}

func BenchmarkHandshake(b *testing.B) {
	g := registration()
	for b.Loop() {
		i, err := NewInitiator(InitiatorConfig{Passcode: 20202021, SessionID: 1})
		ok(b, err)
		r, err := NewResponder(ResponderConfig{Registration: g, Salt: testSalt, Iterations: 1000, SessionID: 2})
		ok(b, err)
		if ie, re := (pair{i, r}).run(nil); ie != nil || re != nil {
			b.Fatal(ie, re)
		}
	}
}
