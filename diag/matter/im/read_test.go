package im

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"threadmap/tlv"
)

// A captured message of a read.
type captured struct {
	peer, dir string
	opcode    uint8
	payload   []byte
}

func capturedRead(t testing.TB) (list []captured) {
	t.Helper()
	b, err := os.ReadFile("testdata/read.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Fields(line)
		op, err := strconv.ParseUint(f[2], 10, 8)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, captured{f[0], f[1], uint8(op), unhex(t, f[3])})
	}
	return list
}

// reports are the payloads of one peer's ReportData.
func reports(t testing.TB, peer string) (list [][]byte) {
	for _, m := range capturedRead(t) {
		if m.peer == peer && m.opcode == OpReportData {
			list = append(list, m.payload)
		}
	}
	return list
}

// A whole read: the requests are ours to the byte, the chunks make the values
// that the other implementation made of them.
func TestCapturedRead(t *testing.T) {
	file, err := os.ReadFile("testdata/read-values.json")
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(file))
	dec.UseNumber()
	var want map[string]map[string]any
	if err := dec.Decode(&want); err != nil {
		t.Fatal(err)
	}
	assemblies := map[string]*Assembly{"1": {}, "2": {}}
	chunks := 0
	for _, m := range capturedRead(t) {
		switch m.opcode {
		case OpReadRequest:
			r := ReadRequest{Attributes: []AttributePath{Whole(0, 0x35)}, FabricFiltered: true}
			if b, err := r.Encode(); err != nil || !bytes.Equal(b, m.payload) {
				t.Errorf("request %x, want %x (%v)", b, m.payload, err)
			}
		case OpStatusResponse:
			if b := EncodeStatusResponse(Success); !bytes.Equal(b, m.payload) {
				t.Errorf("status response %x, want %x", b, m.payload)
			}
		case OpReportData:
			chunks++
			payload := bytes.Clone(m.payload)
			info, err := assemblies[m.peer].Add(payload, nil)
			if err != nil || info.More == info.SuppressResponse || info.Subscription.Known() {
				t.Errorf("%+v, %v", info, err)
			}
			clear(payload) // what is kept is a copy
		}
	}
	if chunks != 11 {
		t.Errorf("%d chunks", chunks)
	}
	for peer, a := range assemblies {
		if a.Len() != len(want[peer]) || a.Len() != 39 {
			t.Errorf("peer %s: %d attributes, want %d", peer, a.Len(), len(want[peer]))
		}
		for v := range a.Values() {
			if v.Err != nil || v.Data == nil || !v.Version.Known() {
				t.Errorf("%s: %+v", v.Path, v)
				continue
			}
			d := tlv.NewDecoder(v.Data)
			d.Next()
			if got := asJSON(&d); !reflect.DeepEqual(got, want[peer][v.Path.String()]) || d.Err() != nil || tlv.Check(v.Data) != nil {
				t.Errorf("peer %s: %s (%v)\n got %v\nwant %v", peer, v.Path, d.Err(), got, want[peer][v.Path.String()])
			}
		}
	}
	for path, rows := range map[Path]int{{0, 0x35, 7}: 60, {0, 0x35, 8}: 63} {
		if v, ok := assemblies["2"].Value(path); !ok || countEntries(v.Data) != rows {
			t.Errorf("%s has %d rows, want %d", path, countEntries(v.Data), rows)
		}
	}
	if _, ok := assemblies["2"].Value(Path{1, 0x35, 7}); ok {
		t.Error("a value that nobody sent")
	}
}

// asJSON is the current element in the form of read-values.json.
func asJSON(d *tlv.Decoder) any {
	switch d.Kind() {
	case tlv.Uint:
		return json.Number(strconv.FormatUint(d.Uint(), 10))
	case tlv.Int:
		return json.Number(strconv.FormatInt(d.Int(), 10))
	case tlv.Bool:
		return d.Bool()
	case tlv.Text:
		return string(d.Text())
	case tlv.Octets:
		return "hex:" + hex.EncodeToString(d.Octets())
	case tlv.Null:
		return nil
	case tlv.Array:
		list := []any{}
		d.Enter()
		for d.Next() {
			list = append(list, asJSON(d))
		}
		d.Leave()
		return list
	case tlv.Struct:
		m := map[string]any{}
		d.Enter()
		for d.Next() {
			n, _ := d.Tag().Context()
			m[strconv.Itoa(int(n))] = asJSON(d)
		}
		d.Leave()
		return m
	}
	return d.Kind().String()
}

func TestReportReaderAllocatesNothing(t *testing.T) {
	list := reports(t, "2")
	var r ReportReader
	if n := testing.AllocsPerRun(10, func() {
		for _, b := range list {
			r.Reset(b)
			for r.Next() {
				if a, ok := r.Attribute(); !ok || a.Data == nil {
					t.Fatal("no attribute")
				}
			}
			if _, err := r.End(); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func size(list [][]byte) (n int64) {
	for _, b := range list {
		n += int64(len(b))
	}
	return n
}

// BenchmarkReportReader walks the nine chunks of a node with 60 neighbors and
// 63 routes: each attribute's path, version and data.
func BenchmarkReportReader(b *testing.B) {
	list := reports(b, "2")
	b.SetBytes(size(list))
	b.ReportAllocs()
	var r ReportReader
	for b.Loop() {
		for _, p := range list {
			r.Reset(p)
			for r.Next() {
			}
			if _, err := r.End(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkAssembly puts the lists of the same chunks together.
func BenchmarkAssembly(b *testing.B) {
	list := reports(b, "2")
	b.SetBytes(size(list))
	b.ReportAllocs()
	for b.Loop() {
		var a Assembly
		for _, p := range list {
			if _, err := a.Add(p, nil); err != nil {
				b.Fatal(err)
			}
		}
	}
}
