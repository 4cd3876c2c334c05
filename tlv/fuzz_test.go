package tlv_test

import (
	"bytes"
	"testing"

	"threadmap/tlv"
)

// What can be read can be written, and reads the same then; whoever steps over
// elements reads the same as whoever enters them.
func FuzzDecoder(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.bytes)
	}
	f.Add(reportData())
	f.Fuzz(func(t *testing.T, b []byte) {
		d := tlv.NewDecoder(b)
		want := notation(&d)
		ok := d.Err() == nil
		if d.Next() || d.Uint() != 0 {
			t.Fatal("goes on after the end")
		}
		d.Reset(b)
		n := 0
		for d.Next() {
			n++
			raw := d.Raw()
			if err := tlv.Check(raw); err != nil && d.Err() == nil {
				t.Fatalf("%x of %x: %v", raw, b, err)
			}
		}
		if ok && d.Err() != nil {
			t.Fatalf("%x can be read, but not stepped over: %v", b, d.Err())
		}
		if (tlv.Check(b) == nil) != (d.Err() == nil && n == 1) {
			t.Fatalf("%x: Check and Next disagree", b)
		}
		if !ok {
			return
		}
		d.Reset(b)
		var e tlv.Encoder
		copyAll(&d, &e)
		out, err := e.Bytes()
		if err != nil || len(out) > len(b) {
			t.Fatalf("%x: encoded as %x, %v", b, out, err)
		}
		d.Reset(out)
		if got := notation(&d); got != want || d.Err() != nil {
			t.Fatalf("%x: %s, encoded as %x: %s", b, want, out, got)
		}
		var again tlv.Encoder
		d.Reset(out)
		copyAll(&d, &again)
		if b, _ := again.Bytes(); !bytes.Equal(b, out) {
			t.Fatalf("%x and %x", out, b)
		}
	})
}

// reportData is a message like those of a router with many neighbors: 20 rows
// of 14 fields.
func reportData() []byte {
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	e.Array(tlv.Context(1))
	e.Struct(tlv.Anonymous)
	e.Struct(tlv.Context(1))
	e.PutUint(tlv.Context(0), 0xa9115818)
	e.List(tlv.Context(1))
	e.PutUint(tlv.Context(2), 0)
	e.PutUint(tlv.Context(3), 0x35)
	e.PutUint(tlv.Context(4), 7)
	e.End()
	e.Array(tlv.Context(2))
	for i := range 20 {
		e.Struct(tlv.Anonymous)
		for n, v := range []uint64{0x3ee99ced0cdb5c0d + uint64(i), 22, 0x2c00, 230754, 170978, 1} {
			e.PutUint(tlv.Context(uint8(n)), v)
		}
		e.PutInt(tlv.Context(6), -79)
		e.PutInt(tlv.Context(7), -83)
		e.PutUint(tlv.Context(8), 7)
		e.PutUint(tlv.Context(9), 3)
		for n := range 4 {
			e.PutBool(tlv.Context(uint8(10+n)), n < 3)
		}
		e.End()
	}
	e.End()
	e.End()
	e.End()
	e.End()
	e.PutUint(tlv.Context(255), 12)
	e.End()
	b, err := e.Bytes()
	if err != nil {
		panic(err)
	}
	return b
}

func walk(d *tlv.Decoder) (n int) {
	for d.Next() {
		n++
		if d.Kind().Container() {
			d.Enter()
			n += walk(d)
			d.Leave()
		}
	}
	return n
}

func TestWalkAllocatesNothing(t *testing.T) {
	b := reportData()
	if n := testing.AllocsPerRun(100, func() {
		d := tlv.NewDecoder(b)
		if walk(&d); d.Err() != nil {
			t.Fatal(d.Err())
		}
		if tlv.Check(b) != nil {
			t.Fatal("Check")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkWalk enters every container of a ReportData and stands at every
// element.
func BenchmarkWalk(b *testing.B) {
	data := reportData()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	var d tlv.Decoder
	for b.Loop() {
		d.Reset(data)
		walk(&d)
	}
}

// BenchmarkStepOver checks a ReportData without entering anything.
func BenchmarkStepOver(b *testing.B) {
	data := reportData()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := tlv.Check(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	data := reportData()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	e := tlv.NewEncoder(make([]byte, 0, 4096))
	var d tlv.Decoder
	for b.Loop() {
		e.Reset()
		d.Reset(data)
		copyAll(&d, &e)
	}
}
