package cluster_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/cluster/wsjson"
)

// readTLV is the captured read, by node.
func readTLV(t testing.TB) map[string]map[cluster.Path][]byte {
	t.Helper()
	b, err := os.ReadFile("testdata/read.txt")
	if err != nil {
		t.Fatal(err)
	}
	nodes := map[string]map[cluster.Path][]byte{}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Fields(line)
		p, err := wsjson.ParsePath(f[1])
		if err != nil {
			t.Fatal(err)
		}
		if nodes[f[0]] == nil {
			nodes[f[0]] = map[cluster.Path][]byte{}
		}
		nodes[f[0]][p] = unhex(t, f[2])
	}
	return nodes
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The TLV of a read makes the same report as the values that another
// implementation read from it.
func TestReportOfTLV(t *testing.T) {
	b, err := os.ReadFile("testdata/read-values.json")
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]map[string]json.RawMessage
	if err := json.Unmarshal(b, &values); err != nil {
		t.Fatal(err)
	}
	neighbors := 0
	for node, elements := range readTLV(t) {
		attrs := cluster.Attributes{}
		for p, e := range elements {
			under := append([]byte{e[0] | 0x20, 2}, e[1:]...) // as in a report, under tag 2
			if err := attrs.Add(p, under); err != nil {
				t.Errorf("%s: %v", p, err)
			}
			clear(under) // what is kept is a copy
		}
		got, p1 := cluster.Report(attrs)
		fromJSON, p2 := wsjson.Attributes(values[node])
		if len(attrs) != len(fromJSON) || len(attrs) < 30 {
			t.Errorf("%d attributes, want %d", len(attrs), len(fromJSON))
		}
		want, p3 := cluster.Report(fromJSON)
		if len(p1)+len(p2)+len(p3) != 0 {
			t.Error(p1, p2, p3)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("node %s\n got %+v\nwant %+v", node, got, want)
		}
		neighbors += len(got.Children) + len(got.Neighbors)
	}
	if neighbors != 8+60 {
		t.Errorf("%d neighbors", neighbors)
	}
}

// A table kept as TLV is a list like any other.
func TestTablesAreLists(t *testing.T) {
	for node, elements := range readTLV(t) {
		for _, attribute := range []uint32{7, 8} {
			p := thread(attribute)
			v, err := cluster.FromTLV(p, elements[p])
			other, err2 := cluster.FromTLV(thread(0x3e), elements[p]) // another attribute: read at once
			l, ok := v.List()
			l2, ok2 := other.List()
			if err != nil || err2 != nil || !ok || !ok2 || len(l) == 0 || !reflect.DeepEqual(l, l2) {
				t.Errorf("node %s: %s: %d and %d rows, %v %v", node, p, len(l), len(l2), err, err2)
			}
			r1, _ := cluster.Report(cluster.Attributes{thread(1): u(5), p: v})
			r2, _ := cluster.Report(cluster.Attributes{thread(1): u(5), p: other})
			if !reflect.DeepEqual(r1, r2) {
				t.Errorf("node %s: %s: two readings", node, p)
			}
		}
	}
}

func TestDecodeTables(t *testing.T) {
	elements := readTLV(t)["2"]
	children, neighbors, problems, err := cluster.DecodeNeighborTable(elements[thread(7)])
	if err != nil || len(problems) != 0 || len(children)+len(neighbors) != 60 {
		t.Fatal(len(children), len(neighbors), problems, err)
	}
	routes, problems, err := cluster.DecodeRouteTable(elements[thread(8)])
	if err != nil || len(problems) != 0 || len(routes) != 63 {
		t.Fatal(len(routes), problems, err)
	}
	children, neighbors, _, err = cluster.DecodeNeighborTable(unhex(t, "3602"+"18"))
	if err != nil || children == nil || neighbors == nil || len(children)+len(neighbors) != 0 {
		t.Error("an empty table")
	}
	// the row of a device whose radio has no sample: both RSSI null
	children, _, problems, err = cluster.DecodeNeighborTable(unhex(t, "16"+"152700080706050403020124010c250201a42503e8032504d00724050334063407240801240900280a280b290c290d18"+"18"))
	if want := "{0102030405060708 0xa401 n ? 3 ? ? ? 1.0% 0.0% 12s ? ? ? ? ? 1000 2000 []}"; err != nil || len(children) != 1 || fmt.Sprint(children[0]) != want || len(problems) != 0 {
		t.Errorf("%v %v %q", children, err, problems)
	}
	for _, h := range []string{"16", "1615", "161518", "16" + "18" + "14"} {
		if _, _, problems, err := cluster.DecodeNeighborTable(unhex(t, h)); err != nil || len(problems) == 0 {
			t.Errorf("%s: %v, no problem", h, err)
		}
	}
	for _, h := range []string{"", "14", "1518", "19"} {
		if _, _, _, err := cluster.DecodeNeighborTable(unhex(t, h)); err == nil {
			t.Errorf("%s is a neighbor table", h)
		}
		if _, _, err := cluster.DecodeRouteTable(unhex(t, h)); err == nil {
			t.Errorf("%s is a route table", h)
		}
	}
}

// Bad rows cost themselves, a row that is broken costs the rest of its table.
func TestBadRowsOfTLV(t *testing.T) {
	row := "15" + "240001" + "240201" + "280d" + "18"
	twice := "15" + "240001" + "240001" + "18"
	_, neighbors, problems, err := cluster.DecodeNeighborTable(unhex(t, "16"+row+"0405"+row+twice+row+"18"))
	if err != nil || len(neighbors) != 2 || len(problems) != 2 ||
		problems[0] != "NeighborTable row 2 is no struct: skipped" || !strings.HasPrefix(problems[1], "NeighborTable row 4 and all after it can't be read: TLV at offset") {
		t.Errorf("%d rows, %q, %v", len(neighbors), problems, err)
	}
	_, neighbors, problems, err = cluster.DecodeNeighborTable(unhex(t, "16"+strings.Repeat(row, 1500)+"18"))
	if err != nil || len(neighbors) != 1024 || !slices.Equal(problems, []string{"NeighborTable has 1500 elements: only the first 1024 are read"}) {
		t.Errorf("%d rows, %q, %v", len(neighbors), problems, err)
	}
}

func TestFromTLV(t *testing.T) {
	p := on(cluster.GeneralDiagnostics, 0)
	for h, want := range map[string]cluster.Value{
		"0401": u(1), "00ff": cluster.Int(-1), "09": yes, "14": null, "0a0000803f": cluster.Float(1), "1002ff00": cluster.Octets([]byte{255, 0}),
		"0c0548616c6c1f": cluster.Text("Hall"), "0c02ff41": cluster.Text("\uFFFDA"), "1618": cluster.List(), "1718": cluster.List(), "1518": cluster.Struct(),
		"1524fe01c4f1ff01000100" + "2a18": cluster.Struct(cluster.Field{ID: 254, Value: u(1)}),
	} {
		v, err := cluster.FromTLV(p, unhex(t, h))
		if err != nil || fmt.Sprint(v) != fmt.Sprint(want) || v.Kind() != want.Kind() {
			t.Errorf("%s: %+v, %v, want %+v", h, v, err, want)
		}
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "half": {0x15}, "two": {0x14, 0x14}, "deep": unhex(t, strings.Repeat("16", 12)+strings.Repeat("18", 12)),
		"large": append(append([]byte{0x12, 0, 0, 0x11, 0}, make([]byte, 0x110000)...), 0x14), "many": append(append([]byte{0x16}, bytes.Repeat([]byte{0x14}, 5000)...), 0x18),
		"a tag twice": unhex(t, "152401012401021"+"8"),
	} {
		if v, err := cluster.FromTLV(p, b); err == nil {
			t.Errorf("%s: %v", name, v.Kind())
		}
	}
	attrs := cluster.Attributes{}
	if err := attrs.Add(on(cluster.BasicInformation, 0x0F), unhex(t, "0c0131")); err != nil || len(attrs) != 0 {
		t.Error("a serial number was kept")
	}
}

func TestThreadNetworkDirectory(t *testing.T) {
	network := func(id []byte, name string) cluster.Value {
		return row(cluster.Octets(id), cluster.Text(name), u(25), u(1<<63))
	}
	attrs := cluster.Attributes{
		on(cluster.ThreadNetworkDirectory, 0): cluster.Octets(unhex(t, "dead00beef00cafe")),
		on(cluster.ThreadNetworkDirectory, 1): cluster.List(network(unhex(t, "dead00beef00cafe"), "MyHome"), network(unhex(t, "ff"), "x"), network(make([]byte, 8), "y"),
			row(cluster.Octets(unhex(t, "0000000000000001")), absent, u(300))),
	}
	dir, p := cluster.ThreadNetworks(attrs)
	if got := fmt.Sprintln(dir.Preferred, len(dir.Networks), dir.Networks[0].ExtPANID, dir.Networks[0].Name, dir.Networks[0].Channel, dir.Networks[0].ActiveTimestamp, dir.Networks[1].ExtPANID, dir.Networks[1].Channel); got != "dead00beef00cafe 2 dead00beef00cafe MyHome 25 9223372036854775808 0000000000000001 ?\n" {
		t.Error(got)
	}
	want := []string{
		"0/1107/1 ThreadNetworks row 2: ExtendedPanID is not 8 octets: left out", "0/1107/1 ThreadNetworks row 2 has no ExtendedPanID: skipped",
		"0/1107/1 ThreadNetworks row 3 has no ExtendedPanID: skipped", "0/1107/1 ThreadNetworks row 4: Channel is no number of 0..255: left out",
	}
	if !slices.Equal(p, want) {
		t.Errorf("%q", p)
	}
	for name, attrs := range map[string]cluster.Attributes{"none": nil, "null": {on(cluster.ThreadNetworkDirectory, 0): null, on(cluster.ThreadNetworkDirectory, 1): null}} {
		if dir, p := cluster.ThreadNetworks(attrs); dir.Preferred != 0 || dir.Networks != nil || len(p) != 0 {
			t.Errorf("%s: %+v %q", name, dir, p)
		}
	}
	if dir, _ := cluster.ThreadNetworks(cluster.Attributes{on(cluster.ThreadNetworkDirectory, 1): cluster.List()}); dir.Networks == nil {
		t.Error("an empty list was told")
	}
	// as a Matter server writes it
	attrs, p = wsjson.Attributes(map[string]json.RawMessage{"0/1107/0": json.RawMessage(`"3q0Avu8Ayv4="`), "0/1107/1": json.RawMessage(`[{"0":"3q0Avu8Ayv4=","1":"MyHome","2":25,"3":65536}]`)})
	if dir, p2 := cluster.ThreadNetworks(attrs); len(p)+len(p2) != 0 || dir.Preferred != 0xdead00beef00cafe || len(dir.Networks) != 1 || dir.Networks[0].Name != "MyHome" {
		t.Errorf("%+v %q %q", dir, p, p2)
	}
}

// Any TLV in any place makes a bounded report, and a table makes the same one
// whether it is read row by row or as a whole.
func FuzzFromTLV(f *testing.F) {
	for _, elements := range readTLV(f) {
		for p, e := range elements {
			f.Add(p.Cluster, p.Attribute, e)
		}
	}
	f.Fuzz(func(t *testing.T, c, attribute uint32, b []byte) {
		attrs := cluster.Attributes{}
		p := on(c, attribute)
		if err := attrs.Add(p, b); err == nil {
			r, problems := cluster.Report(attrs)
			_, more := cluster.ThreadNetworks(attrs)
			if len(problems)+len(more) > 102 || len(r.Children)+len(r.Neighbors)+len(r.Routes) > 1024 {
				t.Fatalf("%d problems", len(problems))
			}
			for _, s := range problems {
				if strings.Contains(s, "\n") || len(s) > 300 {
					t.Fatalf("%q", s)
				}
			}
		}
		plain, err := cluster.FromTLV(thread(0x3e), b)
		if err != nil {
			return
		}
		for _, table := range []uint32{7, 8} {
			raw, err := cluster.FromTLV(thread(table), b)
			if err != nil {
				t.Fatal(err)
			}
			r1, p1 := cluster.Report(cluster.Attributes{thread(table): raw})
			r2, p2 := cluster.Report(cluster.Attributes{thread(table): plain})
			if !reflect.DeepEqual(r1, r2) || !slices.Equal(p1, p2) {
				t.Fatalf("%x\n%+v %q\n%+v %q", b, r1, p1, r2, p2)
			}
		}
	})
}

// BenchmarkTables reads both tables of a node with 60 neighbors and 63 routes.
func BenchmarkTables(b *testing.B) {
	elements := readTLV(b)["2"]
	b.SetBytes(int64(len(elements[thread(7)]) + len(elements[thread(8)])))
	b.ReportAllocs()
	var n []diag.Neighbor
	for b.Loop() {
		_, neighbors, _, err := cluster.DecodeNeighborTable(elements[thread(7)])
		_, _, err2 := cluster.DecodeRouteTable(elements[thread(8)])
		if err != nil || err2 != nil {
			b.Fatal(err, err2)
		}
		n = neighbors
	}
	_ = n
}

// BenchmarkFromTLV reads all attributes of the same node generically and makes
// its report.
func BenchmarkFromTLV(b *testing.B) {
	elements := readTLV(b)["2"]
	n := 0
	for _, e := range elements {
		n += len(e)
	}
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		attrs := cluster.Attributes{}
		for p, e := range elements {
			if err := attrs.Add(p, e); err != nil {
				b.Fatal(err)
			}
		}
		cluster.Report(attrs)
	}
}
