package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"threadmap/diag/hidden"
	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/internal/establish/establishtest"
	"threadmap/diag/matter/message"
)

// A script is one kind of handshake, with fixed numbers.
type script struct {
	name     string
	opcodes  []uint8
	payloads [][]byte
	begin    func(testing.TB) (*Initiator, *Responder)
	end      Established // the initiator's
}

func scripts(t testing.TB) (full, resumed script) {
	t.Helper()
	controller, device := recorded(t)
	ie, re := session(t, controller, device)
	full = script{name: "full", opcodes: []uint8{message.Sigma1, message.Sigma2, message.Sigma3, message.Status},
		begin: func(t testing.TB) (*Initiator, *Responder) {
			return initiator(t, controller, device.NodeID, Record{}), responder(t, device)
		}}
	resumed = script{name: "resumed", opcodes: []uint8{message.Sigma1, message.Sigma2Resume, message.Status},
		begin: func(t testing.TB) (*Initiator, *Responder) {
			return initiator(t, controller, device.NodeID, ie.Record), responder(t, device, re.Record)
		}}
	for _, s := range []*script{&full, &resumed} {
		i, r := s.begin(t)
		a, b := establishtest.Run(i, r, func(n int, m Message) Message {
			if m.Opcode != s.opcodes[n] {
				t.Fatalf("%s: message %d is 0x%02x", s.name, n, m.Opcode)
			}
			s.payloads = append(s.payloads, bytes.Clone(m.Payload))
			return m
		})
		if a != nil || b != nil {
			t.Fatal(a, b)
		}
		s.end, _ = agreed(t, i, r)
	}
	return full, resumed
}

// at brings a pair to where message n is due; to is who gets it.
func (s script) at(t testing.TB, n int) (i *Initiator, r *Responder, to machine) {
	t.Helper()
	i, r = s.begin(t)
	for k := range n {
		to = r
		if k%2 == 1 {
			to = i
		}
		_, err := to.Receive(s.opcodes[k], s.payloads[k])
		ok(t, err)
	}
	if n%2 == 1 {
		return i, r, i
	}
	return i, r, r
}

// refused checks that something else in place of message n ends the handshake
// and that what is left in the machine is dead.
func (s script) refused(t *testing.T, what string, n int, opcode uint8, b []byte) {
	t.Helper()
	_, _, to := s.at(t, n)
	what = fmt.Sprintf("%s, message %d: %s", s.name, n, what)
	ms, err := to.Receive(opcode, b)
	if err == nil {
		t.Fatalf("%s: was taken", what)
	}
	if strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "sigma: ") {
		t.Errorf("%s: %q", what, err)
	}
	if opcode != message.Status && s.opcodes[n] != message.Status && (len(ms) != 1 || ms[0].Opcode != message.Status || ms[0].Payload[0] != 1) {
		t.Errorf("%s: the peer is told %v", what, ms)
	}
	if _, err := to.Receive(s.opcodes[n], s.payloads[n]); err == nil {
		t.Errorf("%s: the handshake went on", what)
	}
	neither(t, what, to)
}

func TestRefused(t *testing.T) {
	deep := append(bytes.Repeat([]byte{0x15}, 600), bytes.Repeat([]byte{0x18}, 600)...)
	nested := append([]byte{0x15}, bytes.Repeat([]byte{0x35, 0x77}, 300)...)
	full, resumed := scripts(t)
	for _, s := range []script{full, resumed} {
		for n, b := range s.payloads {
			for k := range b {
				s.refused(t, fmt.Sprintf("cut to %d octets", k), n, s.opcodes[n], b[:k])
			}
			if s.opcodes[n] == message.Status {
				continue // may have data of any kind
			}
			for what, b := range map[string][]byte{
				"an octet more": append(bytes.Clone(b), 0), "twice": append(bytes.Clone(b), b...),
				"too long": make([]byte, message.MaxDatagram+1), "giant length": {0x15, 0x33, 1, 255, 255, 255, 255, 255, 255, 255, 127},
				"deep": deep, "nested": nested, "an array": append([]byte{0x16}, b[1:]...), "empty structure": {0x15, 0x18},
				"a tag": append([]byte{0x35, 1}, b[1:]...),
			} {
				s.refused(t, what, n, s.opcodes[n], b)
			}
		}
	}
}

// Every other message at every place.
func TestOrder(t *testing.T) {
	full, resumed := scripts(t)
	for _, s := range []script{full, resumed} {
		for n := range s.payloads {
			for _, other := range []script{full, resumed} {
				for k, opcode := range other.opcodes {
					if opcode != s.opcodes[n] && !(s.name == "resumed" && n == 1 && opcode == message.Sigma2) {
						s.refused(t, fmt.Sprintf("message %d of %s", k, other.name), n, opcode, other.payloads[k])
					}
				}
			}
			s.refused(t, "unknown opcode", n, 0x7f, s.payloads[n])
			s.refused(t, "PASE", n, message.Pake1, s.payloads[n])
			_, _, to := s.at(t, n)
			no := message.StatusReport{General: message.Failure, Code: message.CodeInvalidParameter}
			ms, err := to.Receive(message.Status, no.Append(nil))
			var r message.StatusReport
			if !errors.As(err, &r) || r.Code != no.Code || ms != nil {
				t.Errorf("%s, message %d: %v, %v", s.name, n, ms, err)
			}
		}
	}
}

// No bit of Sigma1, Sigma2 and Sigma3 may be changed without the handshake
// failing: all three are in the hash of the session keys. Every third bit is
// tried, so that of every octet there are some.
func TestBits(t *testing.T) {
	full, _ := scripts(t)
	for n, b := range full.payloads[:3] {
		for bit := 0; bit < 8*len(b); bit += 3 {
			i, r, to := full.at(t, n)
			ms, err := to.Receive(full.opcodes[n], flipBit(b, bit))
			// What the receiver can't notice the other has to, by the next message.
			if n == 0 && err == nil {
				_, err = i.Receive(ms[0].Opcode, ms[0].Payload)
			} else if n == 1 && err == nil {
				_, err = r.Receive(ms[0].Opcode, ms[0].Payload)
			}
			if err == nil {
				t.Errorf("message %d, bit %d: nobody noticed", n, bit)
			}
			neither(t, fmt.Sprintf("message %d, bit %d", n, bit), i, r)
		}
	}
}

func flipBit(b []byte, bit int) []byte {
	b = bytes.Clone(b)
	b[bit/8] ^= 1 << (bit % 8)
	return b
}

// In a resumption some members are covered by no MIC: the standard has it so.
// Changing them must not change keys or peer, whatever else it does.
func TestBitsResumed(t *testing.T) {
	_, resumed := scripts(t)
	taken := map[string]int{}
	for n, b := range resumed.payloads[:2] {
		for bit := range 8 * len(b) {
			i, r := resumed.begin(t)
			establishtest.Run(i, r, func(k int, m Message) Message {
				if k == n {
					m.Payload = flipBit(m.Payload, bit)
				}
				return m
			})
			for _, m := range []machine{i, r} {
				e, done := m.Done()
				if !done {
					continue
				}
				if !e.Resumed || e.Keys != resumed.end.Keys || e.Record.ID() != resumed.end.Record.ID() {
					t.Fatalf("message %d, bit %d: another session", n, bit)
				}
				if e.Peer.NodeID != e.Record.Peer().NodeID || e.Peer.FabricID != resumed.end.Peer.FabricID {
					t.Fatalf("message %d, bit %d: another peer", n, bit)
				}
				taken[fmt.Sprint(n)]++
			}
		}
	}
	// Most of Sigma1 is neither checked nor used; of Sigma2_Resume it is the
	// session id and the parameters.
	if taken["0"] == 0 || taken["1"] == 0 {
		t.Errorf("%v: this test looks at nothing", taken)
	}
}

// Messages of another handshake of the same two nodes.
func TestReplay(t *testing.T) {
	controller, device := recorded(t)
	full, resumed := scripts(t)
	fresh := func(old Record, records ...Record) (*Initiator, *Responder) {
		i, err := NewInitiator(InitiatorConfig{Member: controller.Member, PeerNodeID: device.NodeID, SessionID: 0x1111, Time: now, Record: old})
		ok(t, err)
		r, err := NewResponder(ResponderConfig{
			Identities: []Identity{{Member: device.Member}}, SessionID: 0x2222, Time: now, Record: store(records),
		})
		ok(t, err)
		return i, r
	}
	i, r := fresh(Record{})
	if _, err := i.Receive(message.Sigma2, full.payloads[1]); !errors.Is(err, errSeal) {
		t.Errorf("an old Sigma2: %v", err)
	}
	establishtest.One(t, message.Sigma2)(r.Receive(message.Sigma1, full.payloads[0])) // nothing in Sigma1 is ours
	if _, err := r.Receive(message.Sigma3, full.payloads[2]); !errors.Is(err, errSeal) {
		t.Errorf("an old Sigma3: %v", err)
	}
	neither(t, "replayed", i, r)

	_, before := session(t, controller, device)
	i, _ = fresh(before.Record.flipRoles(device))
	if _, err := i.Receive(message.Sigma2Resume, resumed.payloads[1]); !errors.Is(err, errMIC) {
		t.Errorf("an old Sigma2_Resume: %v", err)
	}
	neither(t, "replayed resumption", i)
	// A responder that resumed has another id now: the old Sigma1 makes it go on
	// in full, which an eavesdropper can't.
	_, r = fresh(Record{}, resumed.end.Record)
	establishtest.One(t, message.Sigma2)(r.Receive(message.Sigma1, resumed.payloads[0]))
	neither(t, "an old Sigma1", r)
}

// flipRoles is the same record as its other holder has it.
func (r Record) flipRoles(other party) Record {
	next := *r.get()
	next.peer.NodeID, next.peer.CATs, next.peer.PublicKey = other.NodeID, other.CATs, &other.key.PublicKey
	return newRecord(next)
}

func TestSigma1Members(t *testing.T) {
	controller, device := recorded(t)
	m, err := decodeSigma1(initiator(t, controller, device.NodeID, Record{}).Start().Payload)
	ok(t, err)
	for what, change := range map[string]func(*sigma1){
		"session id 0":         func(m *sigma1) { m.session = 0 },
		"a key off the curve":  func(m *sigma1) { m.ephemeral[64] ^= 1 },
		"a key of zeros":       func(m *sigma1) { m.ephemeral = [65]byte{} },
		"a compressed key":     func(m *sigma1) { m.ephemeral[0] = 2 },
		"a key of point (0,0)": func(m *sigma1) { m.ephemeral = [65]byte{4} },
	} {
		m := m
		change(&m)
		b, err := m.encode()
		ok(t, err)
		r := responder(t, device)
		if _, err := r.Receive(message.Sigma1, b); err == nil {
			t.Errorf("%s: was taken", what)
		}
		neither(t, what, r)
	}
	// One half of a resumption: a Sigma1 with both, cut after the id.
	m.resume = &resume{}
	b, err := m.encode()
	ok(t, err)
	half := append(bytes.Clone(b[:len(b)-1-19]), 0x18)
	if _, err := responder(t, device).Receive(message.Sigma1, half); !errors.Is(err, errHalfResumption) {
		t.Errorf("half a resumption: %v", err)
	}
	// Members from the future are skipped.
	m.resume = nil
	b, err = m.encode()
	ok(t, err)
	later := append(bytes.Clone(b[:len(b)-1]), 0x24, 0xc8, 1, 0x18)
	establishtest.One(t, message.Sigma2)(responder(t, device).Receive(message.Sigma1, later))
}

func TestRecord(t *testing.T) {
	controller, device := recorded(t)
	ie, re := session(t, controller, device)
	for _, r := range []Record{ie.Record, re.Record} {
		b := r.Bytes()
		q, err := ParseRecord(b)
		ok(t, err)
		if !q.Equal(r) || q.ID() != r.ID() || !q.Peer().PublicKey.Equal(r.Peer().PublicKey) || len(q.Peer().CATs) != len(r.Peer().CATs) {
			t.Errorf("%x became %x", b, q.Bytes())
		}
		if !q.In(controller.Member) || !q.In(device.Member) {
			t.Error("the fabric was lost")
		}
		for n := range b {
			if _, err := ParseRecord(b[:n]); err == nil {
				t.Errorf("%d octets are taken for a record", n)
			}
		}
		if _, err := ParseRecord(append(b, 0)); err == nil {
			t.Error("an octet more is taken")
		}
	}
	// A record that was stored resumes.
	mine, err := ParseRecord(ie.Record.Bytes())
	ok(t, err)
	theirs, err := ParseRecord(re.Record.Bytes())
	ok(t, err)
	i, r := initiator(t, controller, device.NodeID, mine), responder(t, device, theirs)
	if a, b := establishtest.Run(i, r, nil); a != nil || b != nil {
		t.Fatal(a, b)
	}
	if e, _ := agreed(t, i, r); !e.Resumed {
		t.Error("not resumed")
	}

	change := func(f func(*record)) []byte {
		c := *re.Record.get()
		f(&c)
		return newRecord(c).Bytes()
	}
	future := re.Record.Bytes()
	future[3] = 2
	for what, b := range map[string][]byte{
		"another version": future,
		"no fabric":       change(func(r *record) { r.peer.FabricID = 0 }),
		"no node":         change(func(r *record) { r.peer.NodeID = 0 }),
		"a group":         change(func(r *record) { r.peer.NodeID = cert.MaxNodeID + 1 }),
		"no root":         change(func(r *record) { r.root = [65]byte{} }),
		"four CATs":       change(func(r *record) { r.peer.CATs = make([]uint32, 4) }),
	} {
		if _, err := ParseRecord(b); err == nil {
			t.Errorf("a record with %s", what)
		}
	}
	var none Record
	if !none.IsZero() || none.Bytes() != nil || none.ID() != [16]byte{} || none.In(controller.Member) || none.Peer().NodeID != 0 {
		t.Error("the zero record is something")
	}
	if err := new(Record).UnmarshalText([]byte(hidden.Text)); err == nil {
		t.Error("a hidden record was read back")
	}
}

// seeded are the scripts, each message of which is in the corpus.
func seeded(f *testing.F) (full, resumed script) {
	full, resumed = scripts(f)
	for _, s := range []script{full, resumed} {
		for n, b := range s.payloads {
			f.Add(uint8(n), s.opcodes[n], b)
		}
	}
	return full, resumed
}

func FuzzInitiator(f *testing.F) {
	full, resumed := seeded(f)
	f.Fuzz(func(t *testing.T, where, opcode uint8, b []byte) {
		s, n := full, 1
		switch where % 3 {
		case 1:
			n = 3
		case 2:
			s = resumed
		}
		i, _, _ := s.at(t, n)
		i.Receive(opcode, b)
		e, done := i.Done()
		if !done {
			return
		}
		if e.Keys != s.end.Keys || e.Peer.NodeID != s.end.Peer.NodeID || e.Record.ID() != s.end.Record.ID() {
			t.Errorf("%s, message %d, 0x%02x %x: another session", s.name, n, opcode, b)
		}
		if s.name == "full" && (n != 3 || opcode != message.Status) {
			t.Errorf("message %d, 0x%02x %x: done too early", n, opcode, b)
		}
	})
}

func FuzzResponder(f *testing.F) {
	full, resumed := seeded(f)
	f.Fuzz(func(t *testing.T, where, opcode uint8, b []byte) {
		s, n := full, 0
		switch where % 4 {
		case 1:
			n = 2
		case 2:
			s = resumed
		case 3:
			s, n = resumed, 2
		}
		_, r, _ := s.at(t, n)
		r.Receive(opcode, b)
		e, done := r.Done()
		if done && (n != 2 || e.Record.ID() != s.end.Record.ID() || e.Peer.NodeID != 0x1b669) {
			t.Errorf("%s, message %d, 0x%02x %x: another session", s.name, n, opcode, b)
		}
		// Another encoding of Sigma3 gives other keys: see TestBits.
		if done && s.name == "full" && (e.Keys == s.end.Keys) != bytes.Equal(b, s.payloads[2]) {
			t.Errorf("Sigma3 %x: the keys do not depend on it", b)
		}
	})
}

// FuzzTBE reads what only the holder of the key can have written.
func FuzzTBE(f *testing.F) {
	controller, device := recorded(f)
	for _, p := range []party{controller, device} {
		b, err := encodeTBE(proof{noc: p.NOC, icac: p.ICAC}, &[16]byte{1})
		ok(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var id [16]byte
		if p, err := decodeTBE(b, &id); err == nil {
			if e, err := p.verify(controller.Member, b, now); err == nil {
				t.Errorf("%x: is taken for node %016X", b, e.NodeID)
			}
		}
	})
}

func FuzzParseRecord(f *testing.F) {
	controller, device := recorded(f)
	ie, re := session(f, controller, device)
	f.Add(ie.Record.Bytes())
	f.Add(re.Record.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRecord(b)
		if err != nil {
			return
		}
		q, err := ParseRecord(r.Bytes())
		ok(t, err)
		if !q.Equal(r) {
			t.Errorf("%x changes when it is written", b)
		}
	})
}
