package im

import (
	"bytes"
	"reflect"
	"testing"

	"threadmap/tlv"
)

// What is read can be written, and is read the same then, by every kind of
// message.
func FuzzMessages(f *testing.F) {
	for _, c := range golden {
		f.Add(unhex(f, c.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		seen := map[reflect.Type]bool{}
		for _, c := range golden {
			if typ := reflect.TypeOf(c.value); seen[typ] {
				continue
			} else {
				seen[typ] = true
			}
			v, err := parse(c.value, b)
			if err != nil {
				continue
			}
			out, err := encode(v)
			if err != nil {
				if w, ok := v.(WriteRequest); ok && numbered(w.Writes) {
					continue
				}
				t.Fatalf("%x: %+v can't be written: %v", b, v, err)
			}
			if again, err := parse(c.value, out); err != nil || !equal(again, v) {
				t.Fatalf("%x: %+v\n%x: %+v, %v", b, v, out, again, err)
			}
		}
	})
}

func numbered(list []AttributeReport) bool {
	for _, r := range list {
		if r.Index == NumberedEntry {
			return true
		}
	}
	return false
}

// equal compares what messages say; an empty list is none, missing fields are
// empty ones, and the tags of elements are of no matter.
func equal(a, b any) bool {
	x, err1 := encode(a)
	y, err2 := encode(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// Hostile reports end, stay within bounds, and what was assembled is TLV; what
// one reader delivers, the other keeps.
func FuzzReports(f *testing.F) {
	for _, c := range goldenReports {
		b := unhex(f, c.hex)
		f.Add(b, b)
	}
	list := reports(f, "2")
	for i := range list[1:] {
		f.Add(list[i], list[i+1])
	}
	events, err := EncodeReports(ReportOptions{Subscription: Some[uint32](1)}, nil, []EventReport{{Number: 1, Time: EventTime{UnixClock, 1}}, {IsStatus: true, Result: Result{Failure, Some[uint8](1)}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(events[0], list[0])
	f.Fuzz(func(t *testing.T, one, two []byte) {
		a := Assembly{MaxBytes: 4000, MaxAttributes: 20}
		for _, b := range [][]byte{one, two} {
			r := NewReportReader(b)
			n := 0
			for r.Next() {
				n++
				if x, ok := r.Attribute(); ok && x.Data != nil && tlv.Check(x.Data) != nil {
					t.Fatalf("%x is no element", x.Data)
				}
				if e, ok := r.Event(); ok && e.Data != nil && tlv.Check(e.Data) != nil {
					t.Fatalf("%x is no element", e.Data)
				}
			}
			info, err := r.End()
			if n > len(b) {
				t.Fatalf("%d reports in %d bytes", n, len(b))
			}
			info2, err2 := a.Add(b, nil)
			if err2 == nil && (err != nil || info != info2) {
				t.Fatalf("%x: %v %v and %v %v", b, info, err, info2, err2)
			}
		}
		sum := 0
		var back []AttributeReport
		for v := range a.Values() {
			sum += len(v.Data)
			if v.Data != nil && tlv.Check(v.Data) != nil {
				t.Fatalf("%s: %x is no element", v.Path, v.Data)
			}
			if v.Err == nil {
				back = append(back, AttributeReport{Path: v.Path, Version: v.Version, Data: v.Data, Result: v.Result})
			}
		}
		if sum > 4000 || sum != a.bytes || a.Len() > 20 {
			t.Fatalf("%d attributes, %d bytes, counted %d", a.Len(), sum, a.bytes)
		}
		for _, style := range []Chunking{EmptyThenAppend, FirstThenAppend} {
			messages, err := EncodeReports(ReportOptions{Chunking: style, Limit: 5000}, back, nil)
			if err != nil {
				t.Fatal(err)
			}
			var again Assembly
			for _, m := range messages {
				if _, err := again.Add(m, nil); err != nil {
					t.Fatal(err)
				}
			}
			for _, r := range back {
				if v, ok := again.Value(r.Path); !ok || v.Err != nil || !bytes.Equal(v.Data, r.Data) || v.Result != r.Result {
					t.Fatalf("%s: %x, want %x", r.Path, v.Data, r.Data)
				}
			}
		}
	})
}
