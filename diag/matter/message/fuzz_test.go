package message

import (
	"bytes"
	"testing"
)

func seeds(f *testing.F) {
	for _, v := range sealed {
		f.Add(unhex(f, v.wire))
	}
	h := Header{SessionID: 1, Counter: 2, Source: 3, Destination: 4, HasSource: true, HasDestination: true}
	for _, p := range []Protocol{{}, {Vendor: 1, HasAck: true, Ack: 7}, {Initiator: true, Reliable: true, Opcode: Sigma1}} {
		f.Add(AppendPlain(nil, h, p, []byte("payload")))
		f.Add(AppendPlain(nil, Header{Counter: 9}, p, nil))
	}
	f.Add(unhex(f, "00010020010000000200aabb0810010200000200aabb"))
}

// FuzzHeaderRoundTrip: what parses is made again from its parts, but for
// extensions and reserved bits.
func FuzzHeaderRoundTrip(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := Parse(b)
		if err != nil {
			if _, ok := err.(Drop); !ok || h != (Header{}) || n != 0 {
				t.Fatalf("%v, %+v, %d", err, h, n)
			}
			return
		}
		if again := h.Append(nil); b[3]&^3 == 0 && b[0]&0x08 == 0 && !(bytes.Equal(again[:3], b[:3]) && bytes.Equal(again[4:], b[4:n])) {
			t.Fatalf("%x became %x", b[:n], again)
		}
		p, payload, err := ParseProtocol(b[n:])
		if err != nil {
			if _, ok := err.(Drop); !ok {
				t.Fatal(err)
			}
			return
		}
		p2, payload2, err := ParseProtocol(append(p.Append(nil), payload...))
		if err != nil || p2 != p || !bytes.Equal(payload, payload2) {
			t.Fatalf("%+v became %+v, %v", p, p2, err)
		}
	})
}

// FuzzOpen: only what was sealed opens.
func FuzzOpen(f *testing.F) {
	seeds(f)
	c := NewCipher([KeySize]byte(unhex(f, sealed[0].key)), sealed[0].sender)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := Parse(b)
		if err != nil {
			return
		}
		if plain, err := c.Open(nil, h, n, b); err == nil && !bytes.Equal(b, unhex(t, sealed[0].wire)) {
			t.Fatalf("opened %x as %x", b, plain)
		}
	})
}

// FuzzStatusReportRoundTrip: what parses is made again.
func FuzzStatusReportRoundTrip(f *testing.F) {
	for _, r := range []StatusReport{{}, {General: Busy, Code: CodeBusy, Data: []byte{1, 2}}, {General: Failure, Protocol: 2, Code: CodeNone}} {
		f.Add(r.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseStatusReport(b)
		if err == nil && !bytes.Equal(r.Append(nil), b) {
			t.Fatalf("%x became %x", b, r.Append(nil))
		}
		if r.Error() == "" {
			t.Fatal("no words")
		}
		r.Wait()
	})
}

// FuzzSessionParametersRoundTrip: what decodes is encoded and decoded to the
// same, once times are within their limits.
func FuzzSessionParametersRoundTrip(f *testing.F) {
	f.Add(encode(f, SessionParameters{}))
	f.Add(encode(f, SessionParameters{}.WithDefaults()))
	f.Add(encode(f, SessionParameters{SpecificationVersion: 0x01040000, Said: 0x3fe}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > MaxDatagram {
			return
		}
		p, err := decode(b)
		if err != nil {
			return
		}
		p.Idle, p.Active = min(p.Idle, MaxInterval), min(p.Active, MaxInterval)
		if q, err := decode(encode(t, p)); err != nil || q != p {
			t.Fatalf("%+v became %+v, %v", p, q, err)
		}
		if d := p.WithDefaults(); d.Idle < 0 || d.Idle > MaxInterval {
			t.Fatalf("%+v", d)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	c := NewCipher([KeySize]byte{1}, 2)
	payload := make([]byte, 1000)
	buf := make([]byte, 0, MaxDatagram)
	h, p := Header{SessionID: 1, Counter: 1}, Protocol{Reliable: true, ID: InteractionModel}
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		c.Seal(buf, h, p, payload)
	}
}

func BenchmarkOpen(b *testing.B) {
	c := NewCipher([KeySize]byte{1}, 2)
	wire := c.Seal(nil, Header{SessionID: 1, Counter: 1}, Protocol{ID: InteractionModel}, make([]byte, 1000))
	buf := make([]byte, 0, MaxDatagram)
	b.SetBytes(1000)
	b.ReportAllocs()
	for b.Loop() {
		h, n, err := Parse(wire)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Open(buf, h, n, wire); err != nil {
			b.Fatal(err)
		}
	}
}
