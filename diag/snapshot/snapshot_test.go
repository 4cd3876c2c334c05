package snapshot

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"threadmap/diag"
)

// exact makes cmp look inside of the vocabulary and keep nil and empty apart.
var exact = cmp.Exporter(func(reflect.Type) bool { return true })

func written(t testing.TB, s *diag.Scan) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t testing.TB, b []byte) *diag.Scan {
	t.Helper()
	s, err := Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRoundTrip(t *testing.T) {
	for seed := range uint64(150) {
		want := newGenerator(seed).scan(int(seed % 5))
		b := written(t, want)
		if !Sniff(b) {
			t.Fatalf("seed %d: not recognised", seed)
		}
		got := read(t, b)
		if diff := cmp.Diff(want, got, exact); diff != "" {
			t.Fatalf("seed %d: (-written +read)\n%s", seed, diff)
		}
		if !bytes.Equal(written(t, got), b) {
			t.Fatalf("seed %d: written again, the bytes differ", seed)
		}
	}
}

// TestSameBytes: equal scans give equal bytes, whatever the zone of their times
// and the history of their maps.
func TestSameBytes(t *testing.T) {
	a, b := newGenerator(7).scan(20), newGenerator(7).scan(20)
	zone := time.FixedZone("", 5*3600+1800)
	for i := range b.Reports {
		r := &b.Reports[i]
		if !r.At.IsZero() {
			r.At = r.At.In(zone)
		}
		if r.Counters != nil {
			m := map[diag.Counter]uint64{}
			for j := range 1000 {
				m[diag.Counter(rune(j))] = 1
			}
			clear(m)
			for k, v := range r.Counters {
				m[k] = v
			}
			r.Counters = m
		}
	}
	want := written(t, a)
	for range 10 {
		if !bytes.Equal(written(t, b), want) {
			t.Fatal("equal scans, different bytes")
		}
	}
}

// TestWriteChangesNothing: the scan is shared with the rest of the program.
func TestWriteChangesNothing(t *testing.T) {
	s, twin := hostileScan(), hostileScan()
	written(t, s)
	if diff := cmp.Diff(twin, s, exact); diff != "" {
		t.Errorf("(-before +after Write)\n%s", diff)
	}
}

func TestEveryStrictPrefixIsRefused(t *testing.T) {
	b := written(t, newGenerator(11).scan(2))
	for n := range b {
		if s, err := Read(bytes.NewReader(b[:n])); err == nil || s != nil {
			t.Fatalf("the first %d of %d bytes were read", n, len(b))
		} else if n >= len(selfDescribed) && !strings.Contains(err.Error(), "cut off") {
			t.Fatalf("first %d bytes: %v", n, err)
		}
	}
	if _, err := Read(bytes.NewReader(append(b, 0))); err == nil {
		t.Error("a byte after the end was not noticed")
	}
}

// TestDamage flips bits: whatever comes back must be fit for a second writing,
// and nothing may panic.
func TestDamage(t *testing.T) {
	b := written(t, newGenerator(3).scan(2))
	r := rand.New(rand.NewPCG(1, 2))
	readable := 0
	for range 1000 {
		c := slices.Clone(b)
		for range 1 + r.IntN(3) {
			c[r.IntN(len(c))] ^= 1 << r.IntN(8)
		}
		s, err := Read(bytes.NewReader(c))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("more than one line: %q", err)
			}
			continue
		}
		readable++
		if again := read(t, written(t, s)); !cmp.Equal(s, again, exact) {
			t.Fatal("what was read from a damaged file is not clean:", cmp.Diff(s, again, exact))
		}
	}
	if readable == 0 {
		t.Error("no damaged file was readable: the test tests nothing")
	}
}

func TestRefused(t *testing.T) {
	env := func(v any) []byte {
		b, err := diag.CBOREncoding.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return append(slices.Clone(selfDescribed), b...)
	}
	type m = map[string]any
	deep := []byte{}
	for range 40 {
		deep = append(deep, 0x81)
	}
	deep = append(deep, 0)
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"empty", nil, "empty"},
		{"JSON", []byte(`{"format":"threadmap-map"}`), "not a threadmap snapshot"},
		{"another self-described item", env(m{"format": "jam"}), "not a threadmap snapshot"},
		{"no map", env([]int{1}), "damaged"},
		{"no version", env(m{"format": format, "contents": m{}}), "not a threadmap snapshot"},
		{"no contents", env(m{"format": format, "version": 1}), "no contents"},
		{"contents of another type", env(m{"format": format, "version": 1, "contents": 3}), "damaged"},
		{"a newer version", env(m{"format": format, "version": 2, "contents": m{}}), "version 2 is newer than this program reads (1): update threadmap"},
		{"a newer version in another order", append(slices.Clone(selfDescribed),
			append([]byte("\xa2\x67version\x05\x66format"), head[7:]...)...), "version 5 is newer"},
		{"a newer version with rules of its own", append(append(env(m{"format": format, "version": 1 << 40})[:len(selfDescribed)+1+len(head)+8+9],
			0x68), append([]byte("contents\x9f"), deep...)...), "version 1099511627776 is newer"},
		{"indefinite length", append(slices.Clone(selfDescribed), 0xbf, 0xff), "damaged"},
		{"a key twice", append(slices.Clone(selfDescribed), []byte("\xa2\x66format\x61x\x66format\x61x")...), "damaged"},
		{"a key twice in a report", env(m{"format": format, "version": 1, "contents": m{"reports": []any{
			cbor.RawMessage("\xa2\x66source\x61x\x66source\x61y")}}}), "report 1"},
		{"too deep, where nobody would look", env(m{"format": format, "version": 1, "contents": m{}, "deeper than the rest": cbor.RawMessage(deep)}), "nested level"},
		{"four thousand million elements", append(slices.Clone(selfDescribed), 0x9a, 0xff, 0xff, 0xff, 0xff), "damaged"},
		{"four thousand million pairs", append(slices.Clone(selfDescribed), 0xba, 0xff, 0xff, 0xff, 0xff), "damaged"},
		{"a text of 2^63-1 bytes", append(slices.Clone(selfDescribed), 0x7b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), "damaged"},
		{"too many reports", env(m{"format": format, "version": 1, "contents": m{"reports": make([]m, maxReports+1)}}), "damaged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Read(bytes.NewReader(tt.in))
			if err == nil {
				t.Fatalf("read as %+v", s)
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v\nwant: …%s…", err, tt.want)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	if _, err := Read(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	if err := Write(errWriter{}, &diag.Scan{}); !errors.Is(err, io.ErrShortWrite) {
		t.Error(err)
	}
	endless := io.MultiReader(bytes.NewReader(selfDescribed), zeros{})
	if testing.Short() {
		t.Skip("reads 256 MiB")
	}
	if _, err := Read(endless); err == nil || !strings.Contains(err.Error(), "larger than 256 MiB") {
		t.Error(err)
	}
}

type errWriter struct{}

func (errWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestMemory: a file takes memory in proportion to its size, whatever it
// claims and however densely it is packed.
func TestMemory(t *testing.T) {
	pack := func(reports int, r string) []byte {
		b := append(slices.Clone(selfDescribed), 0xa3)
		b = append(b, head...)
		b = append(b, "\x67version\x01\x68contents\xa1\x67reports\x9a"...)
		b = append(b, byte(reports>>24), byte(reports>>16), byte(reports>>8), byte(reports))
		return append(b, strings.Repeat(r, reports)...)
	}
	rows := func(n int) string { // a child table of empty rows
		return "\xa1\x68children\x99" + string([]byte{byte(n >> 8), byte(n)}) + strings.Repeat("\xa0", n)
	}
	for _, tt := range []struct {
		name    string
		in      []byte
		most    uint64 // octets
		reports int    // at most
	}{
		{"a claim of 4 G elements", append(slices.Clone(selfDescribed), 0x9a, 0xff, 0xff, 0xff, 0xff), 1 << 20, 0},
		{"a claim of 4 G reports", pack(1<<32-1, ""), 1 << 20, 0},
		{"a claim of 16 MiB of text", append(slices.Clone(selfDescribed), 0x7a, 1, 0, 0, 0), 1 << 20, 0},
		{"empty reports", pack(maxReports, "\xa0"), 256 << 20, maxReports},
		{"empty rows", pack(4000, rows(1000)), 512 << 20, 3000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			s, err := Read(bytes.NewReader(tt.in))
			runtime.ReadMemStats(&after)
			if tt.reports == 0 && err == nil {
				t.Fatal("read")
			}
			if got := after.TotalAlloc - before.TotalAlloc; tt.reports == 0 && got > tt.most {
				t.Errorf("%d bytes allocated for a file of %d", got, len(tt.in))
			}
			if tt.reports == 0 {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
			t.Logf("%d bytes of file: %d reports, %d MiB held", len(tt.in), len(s.Reports), held>>20)
			if held > int64(tt.most) || len(s.Reports) > tt.reports {
				t.Errorf("%d MiB held by %d reports", held>>20, len(s.Reports))
			}
			runtime.KeepAlive(s)
		})
	}
}

// TestForeignTimes: another encoder may write a time with an offset, or as
// seconds since 1970 (tag 1).
func TestForeignTimes(t *testing.T) {
	want := time.Date(2026, 11, 22, 14, 2, 3, 0, time.UTC)
	for _, at := range []string{"\xc0\x78\x192026-11-22T19:32:03+05:30", "\xc0\x742026-11-22T14:02:03Z", "\xc1\x1a\x6b\x02\xf5\xdb"} {
		b := "\xd9\xd9\xf7\xa3\x66format\x72threadmap-snapshot\x67version\x01\x68contents\xa2\x64from" + at + "\x67reports\x81\xa2\x62at" + at + "\x66source\x61x"
		s := read(t, []byte(b))
		if s.From != want || len(s.Reports) != 1 || s.Reports[0].At != want {
			t.Errorf("%x: %v, %v, %v", at, s.From, s.Reports, s.Problems)
		}
	}
}

// TestUnknownKeys: a file of a newer program with the same version.
func TestUnknownKeys(t *testing.T) {
	s := newGenerator(5).scan(3)
	var tree map[string]any
	if err := cbor.Unmarshal(written(t, s)[len(selfDescribed):], &tree); err != nil {
		t.Fatal(err)
	}
	var grow func(v any)
	grow = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, e := range v {
				grow(e)
			}
			v["zz_new"] = []any{map[int]any{1: nil, -2: []byte{1}}, 1.5, cbor.Tag{Number: 1, Content: 5}}
		case map[any]any:
			for _, e := range v {
				grow(e)
			}
			if _, counters := v["TxTotalCount"]; !counters {
				v["zz_new"] = "later"
			}
		case []any:
			for _, e := range v {
				grow(e)
			}
		}
	}
	for i := range s.Reports { // their keys are data, not fields
		s.Reports[i].Counters = nil
	}
	if err := cbor.Unmarshal(written(t, s)[len(selfDescribed):], &tree); err != nil {
		t.Fatal(err)
	}
	grow(tree)
	b, err := diag.CBOREncoding.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	b = append(slices.Clone(selfDescribed), b...)
	if !Sniff(b) {
		t.Error("not recognised")
	}
	if diff := cmp.Diff(s, read(t, b), exact); diff != "" {
		t.Errorf("(-written +read)\n%s", diff)
	}
}

func TestSniff(t *testing.T) {
	b := written(t, &diag.Scan{})
	for n := range b {
		if got, want := Sniff(b[:n]), n >= 30; got != want {
			t.Fatalf("%d bytes: %v", n, got)
		}
	}
	for _, s := range []string{"", "\xd9\xd9\xf7", "\xd9\xd9\xf7\xa1\x66format\x63jam", "<svg xmlns=", "{}"} {
		if Sniff([]byte(s)) {
			t.Errorf("%q was taken for a snapshot", s)
		}
	}
}

// TestUpgrade drives the list of upgrades with versions that do not exist yet.
func TestUpgrade(t *testing.T) {
	step := func(c string) func([]byte) ([]byte, error) {
		return func(b []byte) ([]byte, error) { return append(slices.Clone(b), c...), nil }
	}
	list := []func([]byte) ([]byte, error){step("→2"), step("→3")}
	for from, want := range map[uint64]string{1: "x→2→3", 2: "x→3", 3: "x"} {
		if got, err := upgrade([]byte("x"), from, list); err != nil || string(got) != want {
			t.Errorf("from %d: %q, %v", from, got, err)
		}
	}
	list[1] = func([]byte) ([]byte, error) { return nil, io.ErrNoProgress }
	if _, err := upgrade(nil, 1, list); !errors.Is(err, io.ErrNoProgress) || !strings.Contains(err.Error(), "version 3") {
		t.Error(err)
	}
	if len(upgrades) != version-1 {
		t.Errorf("version %d needs %d upgrades, there are %d", version, version-1, len(upgrades))
	}
	for v := 1; v <= version; v++ {
		if _, err := os.Stat(frozenName(v)); err != nil {
			t.Errorf("no frozen file of version %d: %v", v, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(written(f, newGenerator(seed).scan(int(seed))))
	}
	f.Add(written(f, hostileScan()))
	f.Add([]byte("\xd9\xd9\xf7\xa3\x66format\x72threadmap-snapshot\x67version\x01\x68contents\xa1\x67reports\x81\xa1\x66source\xf7"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		again := written(t, s)
		if got := read(t, again); !cmp.Equal(s, got, exact) {
			t.Fatalf("not clean:\n%s", cmp.Diff(s, got, exact))
		}
		if again2 := written(t, s); !bytes.Equal(again, again2) {
			t.Fatal("the same scan gave two files")
		}
	})
}

// home makes a scan like one of a home with n nodes: a router for eight
// nodes, each with a child table, neighbors and a route table.
func home(n int) *diag.Scan {
	g := newGenerator(uint64(n))
	s := &diag.Scan{From: time.Unix(1.8e9, 0).UTC(), To: time.Unix(1.8e9+6, 0).UTC(), Complete: true, Reports: []diag.Report{}}
	for i := range n {
		r := diag.Report{Source: "otbr", Via: "http://192.0.2.7:8081", Session: "1", At: s.From, RLOC16: g.rloc(),
			Own: []diag.AddrClaim{{ExtAddr: diag.ExtAddr(g.Uint64() | 1), Witness: diag.WitnessDiagnostic}}}
		for range 4 {
			r.Addresses = append(r.Addresses, g.addr())
		}
		if i%8 == 0 {
			for range 7 {
				r.Children = append(r.Children, g.neighbor())
				r.Neighbors = append(r.Neighbors, g.neighbor())
			}
			for range 20 {
				r.Routes = append(r.Routes, diag.Route{RouterID: g.router(), PathCost: diag.Some(g.u8()),
					LinkQualityIn: diag.Some(g.lq()), LinkQualityOut: diag.Some(g.lq())})
			}
		}
		s.Reports = append(s.Reports, r)
	}
	return s
}

func benchmark(b *testing.B, n int) {
	s := home(n)
	file := written(b, s)
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		b.ReportAllocs()
		for b.Loop() {
			if err := Write(io.Discard, s); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Read(bytes.NewReader(file)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func Benchmark250(b *testing.B)  { benchmark(b, 250) }
func Benchmark5000(b *testing.B) { benchmark(b, 5000) }
