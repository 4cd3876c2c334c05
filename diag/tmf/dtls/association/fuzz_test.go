package association

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"threadmap/diag/tmf/ecjpake"
)

// fuzzed cuts fuzz input into datagrams: each is preceded by its length in two
// octets.
func fuzzed(b []byte) (out [][]byte) {
	for len(b) > 2 && len(out) < 50 {
		n := min(int(b[0])<<8|int(b[1]), len(b)-2)
		out = append(out, b[2:2+n])
		b = b[2+n:]
	}
	return out
}

func fuzzSeed(datagrams ...[]byte) (b []byte) {
	for _, d := range datagrams {
		b = append(append(b, byte(len(d)>>8), byte(len(d))), d...)
	}
	return b
}

// bounded checks what holds for every association at every time.
func bounded(t *testing.T, a *Association, received int) {
	t.Helper()
	for _, p := range a.inbox.partial {
		if p != nil && (len(p.body) > maxMessage || p.missing > len(p.body)) {
			t.Fatalf("a message of %d octets is kept", len(p.body))
		}
	}
	if len(a.early) > maxEarly || a.earlyLen > maxEarlyOctets || len(a.in) > maxQueue || a.inLen > maxQueueOctets {
		t.Fatalf("%d early records, %d messages are kept", len(a.early), len(a.in))
	}
	if (a.Err() != nil) != (a.state == ended) || a.Established() && a.Err() != nil {
		t.Fatalf("state %d with error %v", a.state, a.Err())
	}
	out := 0
	for _, d := range a.Datagrams() {
		out += len(d)
	}
	if out > 4000 {
		t.Fatalf("%d octets in answer to %d", out, received)
	}
}

// FuzzClient: without the key, nobody gets a client to be established, and
// nothing breaks it otherwise.
func FuzzClient(f *testing.F) {
	r := readRecording(f, "pskc")
	for steps := range byte(3) {
		f.Add(steps, fuzzSeed(r.flow[1].datagram, r.flow[3].datagram, r.flow[5].datagram))
		f.Add(steps, fuzzSeed(records(f, r.flow[3].datagram)...))
		f.Add(steps, fuzzSeed([]byte{21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 4, 0, 2, 2, 20}))
	}
	f.Fuzz(func(t *testing.T, steps byte, b []byte) {
		// Another key than the recording's: its Finished does not fit.
		c := client(t, []byte("another key"), Config{script: r.script(t, ecjpake.Client)})
		c.Start()
		for i := range steps % 3 {
			c.Receive(r.flow[1+2*i].datagram)
		}
		c.Datagrams()
		for _, d := range fuzzed(b) {
			c.Receive(d)
			bounded(t, c, len(d))
			if c.Established() || c.Messages() != nil {
				t.Fatal("established without the key")
			}
		}
		c.Timeout()
		c.Close()
	})
}

// FuzzServer is the same for a server.
func FuzzServer(f *testing.F) {
	r := readRecording(f, "pskc")
	for steps := range byte(2) {
		f.Add(steps, fuzzSeed(r.flow[2].datagram, r.flow[4].datagram, r.flow[6].datagram))
		f.Add(steps, fuzzSeed(records(f, r.flow[4].datagram)...))
	}
	var one ecjpake.Scalar
	one[31] = 1
	f.Fuzz(func(t *testing.T, steps byte, b []byte) {
		s, err := NewServer([]byte("another key"), Config{script: &script{random: new([32]byte), scalars: &ecjpake.Scalars{X1: one, X2: one, V1: ecjpake.Scalar{2}, V2: ecjpake.Scalar{3}, V3: ecjpake.Scalar{4}}}})
		if err != nil {
			t.Fatal(err)
		}
		if steps%2 > 0 {
			s.Receive(r.flow[2].datagram)
		}
		s.Datagrams()
		for _, d := range fuzzed(b) {
			s.Receive(d)
			bounded(t, s, len(d))
			if s.Established() || s.Messages() != nil {
				t.Fatal("established without the key")
			}
		}
		s.Timeout()
		s.Close()
	})
}

// FuzzRecords: nothing that was not sealed by the peer comes out of an
// established session, and nothing ends it.
func FuzzRecords(f *testing.F) {
	r := readRecording(f, "pskc")
	genuine := map[string]bool{}
	for _, d := range r.flow[6:] {
		if !d.fromClient {
			f.Add(fuzzSeed(d.datagram))
			genuine[string(d.plaintext)] = true
		}
	}
	f.Add(fuzzSeed(r.flow[7].datagram, r.flow[7].datagram, r.flow[5].datagram))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := clientAt(t, r, 3)
		for _, d := range fuzzed(b) {
			c.Receive(d)
			bounded(t, c, len(d))
			for _, m := range c.Messages() {
				if !genuine[string(m)] {
					t.Fatalf("%x came out", m)
				}
			}
		}
		if c.Err() != nil && !bytes.Contains(b, r.flow[19].datagram[headerLen:]) { // the genuine close_notify
			t.Fatalf("ended: %v", c.Err())
		}
	})
}

// FuzzHellos: what can be read is written again just so, as long as its
// extensions are not an empty list.
func FuzzHellos(f *testing.F) {
	r := readRecording(f, "pskc")
	f.Add(r.message(f, typeClientHello).body)
	f.Add(r.message(f, typeServerHello).body)
	f.Add(r.message(f, typeHelloVerifyRequest).body)
	f.Fuzz(func(t *testing.T, b []byte) {
		var ch clientHello
		if ch.unmarshal(b) {
			roundTrip(t, b, &ch, len(ch.extensions) == 0)
		}
		var sh serverHello
		if sh.unmarshal(b) {
			roundTrip(t, b, &sh, len(sh.extensions) == 0)
		}
		if cookie, err := unmarshalHelloVerifyRequest(b); err == nil {
			again, err := unmarshalHelloVerifyRequest(marshalHelloVerifyRequest(cookie))
			if err != nil || !bytes.Equal(again, cookie) {
				t.Fatalf("%x, %v", again, err)
			}
		}
	})
}

func roundTrip(t *testing.T, b []byte, h interface{ marshal() ([]byte, error) }, empty bool) {
	t.Helper()
	again, err := h.marshal()
	if empty {
		b = slices.Clone(b[:min(len(b), len(again))])
	}
	if err != nil || !bytes.Equal(again, b) {
		t.Fatalf("%x, %v, want %x", again, err, b)
	}
}

// Every strict prefix of a hello is refused, but for the one without
// extensions, which is a hello of old.
func TestHelloPrefixes(t *testing.T) {
	r := readRecording(t, "pskc")
	for _, h := range []interface{ unmarshal([]byte) bool }{new(clientHello), new(serverHello)} {
		typ := typeClientHello
		if _, ok := h.(*serverHello); ok {
			typ = typeServerHello
		}
		b := r.message(t, typ).body
		var accepted []int
		for n := range b {
			before := reflect.ValueOf(h).Elem().Interface()
			if h.unmarshal(b[:n]) {
				accepted = append(accepted, n)
			} else if !reflect.DeepEqual(before, reflect.ValueOf(h).Elem().Interface()) {
				t.Fatalf("%v: a refused message of %d octets left something", typ, n)
			}
		}
		if len(accepted) != 1 {
			t.Errorf("%v: accepted with %v octets of %d", typ, accepted, len(b))
		}
		if !h.unmarshal(b) {
			t.Errorf("%v: refused", typ)
		}
	}
}

func BenchmarkSealOpen(b *testing.B) {
	p := newProtection([keyLen]byte{1}, [ivLen]byte{2})
	plaintext := make([]byte, 200)
	d := p.appendSealed(nil, typeApplicationData, 1, plaintext)
	r, _, _ := cutRecord(d)
	b.Run("seal 200", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(plaintext)))
		out := make([]byte, 0, 300)
		for b.Loop() {
			out = p.appendSealed(out[:0], typeApplicationData, 1, plaintext)
		}
	})
	b.Run("open 200", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(plaintext)))
		for b.Loop() {
			if _, err := p.open(r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
