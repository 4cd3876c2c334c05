package tlv_test

import (
	"reflect"
	"testing"

	"threadmap/tlv"
)

// slowly is what Scalars does, member by member.
func slowly(d *tlv.Decoder, into []tlv.Scalar) {
	clear(into)
	if d.Enter(); d.Err() != nil {
		return
	}
	for d.Next() {
		n, ok := d.Tag().Context()
		if !ok || int(n) >= len(into) {
			continue
		}
		s := tlv.Scalar{Kind: d.Kind()}
		switch s.Kind {
		case tlv.Uint:
			s.Bits = d.Uint()
		case tlv.Int:
			s.Bits = uint64(d.Int())
		case tlv.Bool:
			if d.Bool() {
				s.Bits = 1
			}
		}
		into[n] = s
	}
	d.Leave()
}

// FuzzScalars: whatever the input is, reading structures and lists at once and member by
// member gives the same values, the same error, and goes on at the same place.
func FuzzScalars(f *testing.F) {
	f.Add(reportData())
	for _, s := range []string{
		"\x15\x18", "\x15\x24\x00\x01\x24\x00\x02\x18", "\x15\x24\xff\x01\x24\xff\x02\x18", "\x15\x20\x00\x80\x21\x01\x00\x80\x22\x02\x00\x00\x00\x80\x23\x03\x00\x00\x00\x00\x00\x00\x00\x80\x29\x04\x28\x05\x34\x06\x18",
		"\x15\x30\x00\x02ab\x36\x01\x15\x18\x18\x24\x02\x05\x18\x04\x07", "\x15\x04\x01\x18", "\x15\x24\x00", "\x15", "\x15\x30\x00\xff", "\x15\xc4\xff\xff\x01\x00\x02\x00\x05\x18", "\x15\x35\x00\x24\x00\x01\x24\x00\x01\x18\x18", "\x16\x15\x24\x01\x03\x18\x15\x18\x18", "\x17\x24\x00\x01\x04\x05\x24\x00\x02\x18", "\x17\x15\x18\x18",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		one, two := tlv.NewDecoder(b), tlv.NewDecoder(b)
		var at, by [14]tlv.Scalar
		for range 200 {
			next := one.Next()
			if next != two.Next() {
				t.Fatalf("one goes on, the other does not: %v, %v", one.Err(), two.Err())
			}
			if !next {
				if one.Depth() == 0 || one.Err() != nil {
					break
				}
				one.Leave()
				two.Leave()
				continue
			}
			switch {
			case one.Kind() == tlv.Struct, one.Kind() == tlv.List:
				one.Scalars(at[:])
				slowly(&two, by[:])
			case one.Kind().Container():
				one.Enter()
				two.Enter()
			}
			if (one.Err() == nil) != (two.Err() == nil) || one.Err() != nil && one.Err().Error() != two.Err().Error() {
				t.Fatalf("at once: %v, member by member: %v", one.Err(), two.Err())
			}
			if one.Err() == nil && !reflect.DeepEqual(at, by) {
				t.Fatalf("at once\n%v\nmember by member\n%v", at, by)
			}
		}
	})
}

// TestScalarsOfOthers: what is no structure, or was entered, is an error.
func TestScalarsOfOthers(t *testing.T) {
	for _, b := range []string{"", "\x16\x18", "\x04\x01"} {
		d := tlv.NewDecoder([]byte(b))
		d.Next()
		var s [3]tlv.Scalar
		if d.Scalars(s[:]); d.Err() == nil {
			t.Errorf("%x: no error", b)
		}
	}
	d := tlv.NewDecoder([]byte("\x15\x24\x00\x01\x18"))
	d.Next()
	d.Enter()
	var s [3]tlv.Scalar
	if d.Scalars(s[:]); d.Err() == nil {
		t.Error("entered: no error")
	}
}

// BenchmarkScalars reads the rows of a ReportData at once.
func BenchmarkScalars(b *testing.B) {
	data := reportData()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	var row [14]tlv.Scalar
	for b.Loop() {
		d := tlv.NewDecoder(data)
		d.Next()
		d.Enter()
		d.Next()
		d.Enter()
		d.Next()
		d.Enter()
		d.Next()
		d.Enter()
		for d.Next() {
			if d.Kind() == tlv.Array {
				d.Enter()
				for d.Next() {
					d.Scalars(row[:])
				}
				d.Leave()
			}
		}
		if row[0].Kind != tlv.Uint {
			b.Fatal(row, d.Err())
		}
	}
}
