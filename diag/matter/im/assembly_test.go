package im

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"threadmap/tlv"
)

// at makes a report of 0/53/7; data is an element in hex, with or without tag.
func at(t testing.TB, version uint32, index ListIndex, data string) AttributeReport {
	return AttributeReport{Path: Path{0, 0x35, 7}, Index: index, Version: Some(version), Data: unhex(t, data)}
}

func TestAssembly(t *testing.T) {
	status := AttributeReport{Path: Path{0, 0x35, 7}, Result: Result{Status: Busy}}
	list := func(r ...AttributeReport) []AttributeReport { return r }
	for _, c := range []struct {
		name    string
		reports []AttributeReport
		want    string // data in hex, or the error
	}{
		{"empty, then entries", list(at(t, 1, WholeValue, "1618"), at(t, 1, AppendEntry, "0401"), at(t, 1, AppendEntry, "240202")), "160401040218"},
		{"some, then entries under a tag", list(at(t, 1, WholeValue, "3602040118"), at(t, 1, AppendEntry, "350224010518")), "1604011524010518" + "18"},
		{"entries that are lists", list(at(t, 1, WholeValue, "1618"), at(t, 1, AppendEntry, "36020401040218")), "1616040104021818"},
		{"entries under all tags", list(at(t, 1, WholeValue, "d6f1ff010001001"+"8"), at(t, 1, AppendEntry, "4401002a"), at(t, 1, AppendEntry, "e4f1ff01000100000"+"02b"), at(t, 1, AppendEntry, "a4010000002c")), "16042a042b042c18"},
		{"replaced", list(at(t, 1, WholeValue, "16040118"), at(t, 1, AppendEntry, "0402"), at(t, 2, WholeValue, "16040918"), at(t, 2, AppendEntry, "0408")), "160409040818"},
		{"a value again: the last counts", list(at(t, 1, WholeValue, "0401"), at(t, 2, WholeValue, "250200a4")), "0500a4"},
		{"another version", list(at(t, 1, WholeValue, "1618"), at(t, 2, AppendEntry, "0401"), at(t, 2, AppendEntry, "0402")), ErrInconsistent.Error()},
		{"another version, then whole", list(at(t, 1, WholeValue, "1618"), at(t, 2, AppendEntry, "0401"), at(t, 2, WholeValue, "1618"), at(t, 2, AppendEntry, "0402")), "16040218"},
		{"versions that are not told", list(at(t, 1, WholeValue, "1618"), AttributeReport{Path: Path{0, 0x35, 7}, Index: AppendEntry, Data: []byte{4, 1}}), "16040118"},
		{"no list", list(at(t, 1, WholeValue, "0401"), at(t, 1, AppendEntry, "0401")), ErrNoBase.Error()},
		{"nothing to add to", list(at(t, 1, AppendEntry, "0401")), ErrNoBase.Error()},
		{"a status to add to", list(status, at(t, 1, AppendEntry, "0401")), ErrNoBase.Error()},
		{"by number", list(at(t, 1, WholeValue, "16040118"), at(t, 1, NumberedEntry, "0401")), ErrNumbered.Error()},
		{"a status last", list(at(t, 1, WholeValue, "16040118"), status), "BUSY"},
		{"a status first", list(status, at(t, 1, WholeValue, "16040118")), "16040118"},
	} {
		var a Assembly
		messages, err := encodeAll(c.reports)
		if err != nil {
			t.Fatal(c.name, err)
		}
		for _, m := range messages {
			if _, err := a.Add(m, nil); err != nil {
				t.Fatal(c.name, err)
			}
		}
		v, _ := a.Value(Path{0, 0x35, 7})
		got := fmt.Sprintf("%x", v.Data)
		switch {
		case v.Err != nil:
			got = v.Err.Error()
		case v.Data == nil:
			got = v.Result.Status.String()
		}
		if got != c.want || a.Len() != 1 {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if a.bytes != len(v.Data) {
			t.Errorf("%s: %d bytes counted of %d", c.name, a.bytes, len(v.Data))
		}
	}
}

// encodeAll makes one message of each report, numbered entries too, which no
// encoder writes.
func encodeAll(list []AttributeReport) (out [][]byte, err error) {
	for _, r := range list {
		numbered := r.Index == NumberedEntry
		if numbered {
			r.Index = AppendEntry
		}
		m, err := EncodeReports(ReportOptions{}, []AttributeReport{r}, nil)
		if err != nil {
			return nil, err
		}
		if numbered {
			m[0] = bytes.Replace(m[0], []byte{0x34, 5}, []byte{0x24, 5, 3}, 1)
		}
		out = append(out, m[0])
	}
	return out, nil
}

func TestAssemblyBounds(t *testing.T) {
	big, err := zeroOctets(4000)
	if err != nil {
		t.Fatal(err)
	}
	report := func(attribute uint32, index ListIndex, data []byte) []byte {
		b, err := EncodeReports(ReportOptions{Limit: 8000}, []AttributeReport{{Path: Path{0, 1, attribute}, Index: index, Data: data}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return b[0]
	}
	a := Assembly{MaxBytes: 10000, MaxAttributes: 3}
	for _, c := range []struct {
		payload []byte
		want    error
	}{
		{report(1, WholeValue, big), nil}, {report(2, WholeValue, big), nil}, {report(3, WholeValue, big), ErrTooLarge},
		{report(1, WholeValue, []byte{0x16, 0x18}), nil}, {report(1, AppendEntry, big), nil}, {report(1, AppendEntry, big), ErrTooLarge},
		{report(4, WholeValue, []byte{0x14}), ErrTooMany}, {report(2, WholeValue, []byte{0x14}), nil}, {report(1, AppendEntry, big), nil},
	} {
		if _, err := a.Add(c.payload, nil); !errors.Is(err, c.want) {
			t.Errorf("%v, want %v", err, c.want)
		}
	}
	a = Assembly{}
	for _, payload := range append([][]byte{report(1, WholeValue, []byte{0x16, 0x14, 0x18})}, repeat(report(1, AppendEntry, []byte{0x14}), maxEntries)...) {
		if _, err := a.Add(payload, nil); err != nil {
			t.Fatal(err)
		}
	}
	if v, _ := a.Value(Path{0, 1, 1}); !errors.Is(v.Err, ErrLongList) || v.Data != nil {
		t.Errorf("%d bytes, %v", len(v.Data), v.Err)
	}
}

func TestEndlessReport(t *testing.T) {
	var a Assembly
	n := 0
	for ; n < 10000; n++ {
		if _, err := a.Add(unhex(t, "15290324ff0c18"), nil); err != nil {
			if !errors.Is(err, ErrEndless) {
				t.Error(err)
			}
			break
		}
	}
	if n != maxMessages {
		t.Errorf("%d empty chunks are taken", n)
	}
}

func repeat[T any](v T, n int) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = v
	}
	return list
}

// zeroOctets is an octet string of n zero octets.
func zeroOctets(n int) ([]byte, error) {
	var e tlv.Encoder
	e.PutOctets(tlv.Anonymous, make([]byte, n))
	return e.Bytes()
}

// What came before the place of an error is kept.
func TestBrokenChunk(t *testing.T) {
	m, err := EncodeReports(ReportOptions{}, []AttributeReport{{Path: Path{0, 1, 1}, Data: []byte{0x14}}, {Path: Path{0, 1, 2}, Data: []byte{0x14}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var a Assembly
	if _, err := a.Add(m[0][:len(m[0])-12], nil); err == nil {
		t.Error("no error")
	}
	if _, ok := a.Value(Path{0, 1, 1}); !ok || a.Len() != 1 {
		t.Errorf("%d attributes are kept", a.Len())
	}
}

// Members that a compressed path leaves out are those of the path before.
func TestTagCompression(t *testing.T) {
	report := func(path string) string { return "15" + "3501" + "3701" + path + "18" + "2402" + "05" + "18" + "18" }
	read := func(paths ...string) ([]Path, error) {
		h := "153601"
		for _, p := range paths {
			h += report(p)
		}
		r := NewReportReader(unhex(t, h+"1824ff0c18"))
		var got []Path
		for r.Next() {
			a, _ := r.Attribute()
			got = append(got, a.Path)
		}
		_, err := r.End()
		return got, err
	}
	got, err := read("240201240335240407", "2900240408", "29002403332404"+"01", "2900240209")
	if want := "[1/53/7 1/53/8 1/51/1 9/51/1]"; fmt.Sprint(got) != want || err != nil {
		t.Errorf("%v %v", got, err)
	}
	for _, paths := range [][]string{{"2900240408"}, {"240201240335240407", "240408"}, {"240201240335240407", "2800240408"}} {
		if got, err := read(paths...); err == nil {
			t.Errorf("%v", got)
		}
	}
}

// Any attributes, in chunks of any size, in either style, come back.
func TestChunksComeBack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	cut := 0
	for round := range 300 {
		list := randomReports(rnd)
		o := ReportOptions{Limit: 150 + rnd.IntN(1300), Chunking: Chunking(rnd.IntN(2)), SuppressResponse: rnd.IntN(2) == 0}
		if rnd.IntN(2) == 0 {
			o.Subscription = Some(rnd.Uint32())
		}
		events := []EventReport{{Endpoint: 0, Cluster: 0x33, Event: 3, Number: rnd.Uint64(), Priority: 2, Time: EventTime{UnixClock, rnd.Uint64()}, Data: []byte{0x37, 0x07, 0x24, 0, 1, 0x18}}}
		messages, err := EncodeReports(o, list, events)
		if err != nil {
			t.Fatal(err)
		}
		var a Assembly
		got := 0
		for i, m := range messages {
			last := i == len(messages)-1
			if len(m) > o.Limit {
				t.Errorf("round %d: %d bytes, limit %d", round, len(m), o.Limit)
			}
			info, err := a.Add(m, func(e EventReport) {
				got++
				if e.Number != events[0].Number || e.Time != events[0].Time || !bytes.Equal(e.Data, events[0].Data) {
					t.Errorf("%+v", e)
				}
			})
			if want := (ReportInfo{o.Subscription, !last, last && o.SuppressResponse}); err != nil || info != want {
				t.Errorf("round %d: %+v, %v, want %+v", round, info, err, want)
			}
		}
		if a.Len() != len(list) || got != 1 {
			t.Errorf("round %d: %d attributes, want %d; %d events", round, a.Len(), len(list), got)
		}
		if len(messages) > 1 {
			cut++
		}
		i := 0
		for v := range a.Values() {
			if want := list[i]; v.Path != want.Path || v.Err != nil || v.Version != want.Version || v.Result != want.Result || !bytes.Equal(v.Data, want.Data) {
				t.Errorf("round %d, style %d: %s\n got %x %v\nwant %x", round, o.Chunking, v.Path, v.Data, v.Err, want.Data)
			}
			i++
		}
	}
	if cut < 100 {
		t.Errorf("only %d of 300 were cut", cut)
	}
}

// randomReports are reports of different attributes with anonymous data.
func randomReports(rnd *rand.Rand) (list []AttributeReport) {
	for i := range rnd.IntN(8) {
		r := AttributeReport{Path: Path{uint16(rnd.IntN(3)), 0x35, uint32(i)}}
		var e tlv.Encoder
		switch rnd.IntN(4) {
		case 0:
			r.Result = Result{Status: UnsupportedAccess}
		case 1:
			e.PutUint(tlv.Anonymous, rnd.Uint64()>>rnd.IntN(64))
		default:
			e.Array(tlv.Anonymous)
			for range rnd.IntN(60) {
				e.Struct(tlv.Anonymous)
				e.PutUint(tlv.Context(0), rnd.Uint64())
				e.PutOctets(tlv.Context(1), make([]byte, rnd.IntN(30)))
				e.End()
			}
			e.End()
		}
		if e.Len() > 0 {
			r.Version = Some(rnd.Uint32())
			r.Data, _ = e.Bytes()
		}
		list = append(list, r)
	}
	return list
}

// The two ways of cutting a list are those of the stacks in the field.
func TestChunkingStyles(t *testing.T) {
	var e tlv.Encoder
	e.Array(tlv.Anonymous)
	for i := range 40 {
		e.PutOctets(tlv.Anonymous, bytes.Repeat([]byte{byte(i)}, 30))
	}
	e.End()
	data, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	list := []AttributeReport{{Path: Path{0, 1, 1}, Data: []byte{0x14}}, {Path: Path{0, 1, 2}, Data: data}}
	for style, want := range map[Chunking]string{
		EmptyThenAppend: "1 2[0] 2+ 2+ 2+ 2+ 2+ 2+ 2+ 2+ 2+ | 2+",
		FirstThenAppend: "1 | 2[15] | 2+",
	} {
		messages, err := EncodeReports(ReportOptions{Limit: 530, Chunking: style}, list, nil)
		if err != nil {
			t.Fatal(err)
		}
		var parts []string
		for _, m := range messages {
			r := NewReportReader(m)
			var one []string
			for r.Next() {
				a, _ := r.Attribute()
				s := fmt.Sprint(a.Path.Attribute)
				switch {
				case a.Index == AppendEntry:
					s += "+"
				case a.Path.Attribute == 2:
					d := tlv.NewDecoder(a.Data)
					d.Next()
					s += fmt.Sprintf("[%d]", countEntries(a.Data))
				}
				one = append(one, s)
			}
			parts = append(parts, strings.Join(one, " "))
		}
		if got := strings.Join(parts, " | "); !strings.HasPrefix(got, want) {
			t.Errorf("style %d: %s\nwant %s…", style, got, want)
		}
	}
	if _, err := EncodeReports(ReportOptions{Limit: 530}, []AttributeReport{{Data: append([]byte{0x11, 0x00, 0x04}, make([]byte, 1024)...)}}, nil); err == nil {
		t.Error("a value that fits nowhere was sent")
	}
	if _, err := EncodeReports(ReportOptions{Limit: 10}, nil, nil); err == nil {
		t.Error("a limit that nothing fits into")
	}
}
