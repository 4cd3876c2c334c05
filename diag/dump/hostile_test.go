package dump

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) < 15 {
		t.Fatal(err, files)
	}
	out := map[string][]byte{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = b
	}
	return out
}

// check holds what must be true of any answer to any input.
func check(t testing.TB, s *diag.Scan, err error) {
	t.Helper()
	switch {
	case err != nil:
		if s != nil || strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 1000 {
			t.Fatalf("error is not one line: %q", err)
		}
	case len(s.Reports) == 0 || len(s.Reports) > maxReports || len(s.Problems) > maxProblems+1 || len(s.Sources) == 0:
		t.Fatalf("%d reports, %d problems, sources %v", len(s.Reports), len(s.Problems), s.Sources)
	default:
		for _, r := range s.Reports {
			if r.Source == sourceOTBR { // package restdoc's word, tested there
				continue
			}
			for _, n := range append(append([]diag.Neighbor(nil), r.Children...), r.Neighbors...) {
				if n.ExtAddr == 0 && !n.RLOC16.Known() {
					t.Fatalf("a row that names nobody: %+v", n)
				}
				if lq, _ := n.LinkQualityIn.Get(); lq > 3 {
					t.Fatalf("link quality %d", lq)
				}
			}
			for _, x := range r.Routes {
				if x.RouterID > diag.MaxRouterID {
					t.Fatalf("router id %d", x.RouterID)
				}
			}
			if r.Source == "" || r.Via == "" {
				t.Fatalf("no origin: %+v", r)
			}
		}
	}
}

// A file may have been cut anywhere.
func TestEveryPrefix(t *testing.T) {
	for name, b := range samples(t) {
		step := 1
		switch { // the large ones are of the same make as small ones
		case len(b) > 15000:
			step = 101
		case len(b) > 3000:
			step = 7
		}
		if testing.Short() {
			step *= 53
		}
		for n := 0; n < len(b); n += step {
			s, err := Read(name, b[:n], time.Time{})
			check(t, s, err)
		}
	}
}

// Of text, nothing that stood before the cut is lost but the row that was cut.
func TestCutTextKeepsRows(t *testing.T) {
	b := sample(t, "openthread-3094-neighbor-table.txt")
	last := 0
	for n := range b {
		s, err := Read("x", b[:n], time.Time{})
		rows := 0
		if err == nil {
			rows = len(s.Reports[0].Neighbors)
		}
		if rows < last {
			t.Fatalf("%d octets give %d rows, fewer gave %d", n, rows, last)
		}
		last = rows
	}
	if last != 17 {
		t.Errorf("%d rows at the end", last)
	}
}

const (
	networkKey = "00112233445566778899aabbccddeeff"
	pskc       = "82bd66995ab150de4dab943937b2b66d"
	token      = "eyJhbGciOiJIUzI1NiJ9.canary"
)

// No key that stands in a dump is in what is made of it, errors included.
func TestKeysNeverAppear(t *testing.T) {
	dataset := `Active Timestamp: 1
Channel: 15
Channel Mask: 0x07fff800
Ext PAN ID: dead00beef00cafe
Mesh Local Prefix: fd00:db8:a0:0::/64
Network Key: ` + networkKey + `
Network Name: ThreadMapLab
PAN ID: 0xface
PSKc: ` + pskc + `
Security Policy: 672 onrc
Done
`
	hexadecimal := "0e080000000000010000000300000f0510" + networkKey + "030c5468726561644d61704c61620410" + pskc
	asJSON := `{"activeTimestamp":{"seconds":1},"networkKey":"` + networkKey + `","networkName":"ThreadMapLab","extPanId":"dead00beef00cafe","panId":64206,"channel":15,"pskc":"` + pskc + `"}`
	inputs := map[string]string{
		"text":             "> dataset active\n" + dataset,
		"text, no command": dataset,
		"text, mangled":    strings.ReplaceAll("> dataset active\n"+dataset, ": ", ":"),
		"text, cut":        "> dataset active\n" + dataset[:strings.Index(dataset, "Network Name")],
		"with a table":     "> dataset active\n" + dataset + "> router table\n" + smallTable,
		"networkkey":       "> extaddr\n0e00000000000001\nDone\n> networkkey\n" + networkKey + "\nDone\n> pskc\n" + pskc + "\nDone\n",
		"wrong answers":    "> networkname\n" + networkKey + "\nDone\n> extpanid\n" + networkKey + "\nDone\n> extaddr\n" + networkKey + "\nDone\n" + smallTable,
		"set":              "> dataset networkkey " + networkKey + "\nDone\n" + smallTable,
		"-x":               "> dataset active -x\n" + hexadecimal + "\nDone\n" + smallTable,
		"hex":              hexadecimal,
		"JSON":             asJSON,
		"JSON, wrong":      strings.ReplaceAll(asJSON, `"ThreadMapLab"`, `["`+networkKey+`"]`),
		"JSON, cut":        asJSON[:len(asJSON)-20],
		"key as a name":    `{"node_id":1,"networkKey":"` + networkKey + `","attributes":{"0/53/64":"` + pskc + `"}}`,
		"table of keys":    "| ID | RLOC16 | Next Hop | Extended MAC |\n| " + networkKey + " | " + pskc + " | 1 | 1 |\n| " + networkKey + "\n" + smallTable,
		"REST":             string(sample(t, "otbr-2026-dataset-json.txt")),
		"REST, hex":        string(sample(t, "otbr-2026-dataset-text.txt")),
		"curl":             "$ curl -i -H 'Authorization: Bearer " + token + "' http://user:" + token + "@h/node\nHTTP/1.1 200 OK\n\n" + string(sample(t, "otbr-2025-node.txt")),
	}
	for name, text := range inputs {
		s, err := Read(name, []byte(text), time.Time{})
		check(t, s, err)
		all := strings.ToLower(fmt.Sprintf("%+v %v", s, err))
		for _, secret := range []string{networkKey, pskc, token, networkKey[:16], pskc[16:]} {
			if strings.Contains(all, strings.ToLower(secret)) {
				t.Errorf("%s: %s appears", name, secret)
			}
		}
	}
	s, err := Read("d", []byte(inputs["text"]), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	n := s.Reports[0].Network
	if got := fmt.Sprint(n.Name, " ", n.ExtPANID, " ", n.Channel, " ", n.PANID, " ", n.MeshLocalPrefix); got != "ThreadMapLab dead00beef00cafe 15 64206 fd00:db8:a0::/64" {
		t.Errorf("harmless part: %s", got)
	}
}

// Large and repetitive input costs time in proportion, and bounded memory.
func TestBounds(t *testing.T) {
	row := "|  5 | 0x1400 |        5 |         1 |     3 |      2 |   4 | 0e00000000000002 |    1 |\n"
	head := smallTable[:strings.IndexByte(smallTable, '\n')+1]
	for name, text := range map[string]string{
		"rows":         head + strings.Repeat(row, 5000),
		"bad rows":     head + strings.Repeat("| 5 |\n", 5000),
		"columns":      head + "|" + strings.Repeat(" 5 |", 5000) + "\n",
		"a long line":  head + row + strings.Repeat("x", 1<<20) + "\n",
		"tables":       strings.Repeat(head+row+"Done\n", 20000),
		"quotes":       strings.Repeat(">", 1<<16-1) + "\n" + head + row,
		"lists":        strings.Repeat("0x0000 0x0400\n", 20000),
		"nesting":      strings.Repeat("[", 1<<20),
		"objects":      strings.Repeat(`{"result":`, 5000) + "1" + strings.Repeat("}", 5000),
		"answers":      strings.Repeat("DIAG_GET.rsp/ans from ::1: 00\nRloc16: 0x0400\nChild Table:\n- ChildId: 0x0001\n", 20000),
		"transcripts":  strings.Repeat("$ curl http://h/node/rloc16\n\"0x0400\"\n", 5000),
		"meshdiag":     "id:26 rloc16:0x6800 ext-addr:0e01010101010101\n3-links:{ " + strings.Repeat("23 ", 15000) + "}\n",
		"rows of JSON": `{"node_id":1,"attributes":{"0/53/7":[` + strings.Repeat(`{"0":1},`, 5000) + `{"0":1}]}}`,
		"members":      "{" + strings.Repeat(`"%":1,`, 200000) + `"result":[]}`,
		"elements":     `{"result":[` + strings.Repeat("{},", 200000) + "{}]}",
		"lines":        strings.Repeat("a\n", 1<<20),
		"markup":       strings.Repeat("&gt;&#62;<b>\n", 1<<16),
	} {
		s, err := Read(name, []byte(text), time.Time{})
		check(t, s, err)
		if err != nil {
			continue
		}
		for _, r := range s.Reports {
			if len(r.Routes) > maxRows || len(r.Children) > maxRows || len(r.Neighbors) > 2*maxRows {
				t.Errorf("%s: %d routes, %d children, %d neighbors", name, len(r.Routes), len(r.Children), len(r.Neighbors))
			}
		}
	}
	many, err := Read("many", []byte(smallTable+strings.Repeat("\n", maxLines)+smallTable), time.Time{})
	check(t, many, err)
	if len(many.Reports) != 1 || len(many.Problems) != 1 || !strings.Contains(many.Problems[0].Text, "1000000 lines") {
		t.Errorf("%d reports, %v", len(many.Reports), many.Problems)
	}
	if _, err := Read("big", make([]byte, MaxSize+1), time.Time{}); err == nil || !strings.Contains(err.Error(), "64 MiB") {
		t.Errorf("too large: %v", err)
	}
	if _, err := Read("a\nb", nil, time.Time{}); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("empty: %v", err)
	}
}

// The same bytes give the same scan.
func TestDeterministic(t *testing.T) {
	for name, b := range samples(t) {
		one, err1 := Read(name, b, time.Time{})
		two, err2 := Read(name, bytes.Clone(b), time.Time{})
		if fmt.Sprintf("%+v %v", one, err1) != fmt.Sprintf("%+v %v", two, err2) {
			t.Errorf("%s: two readings differ", name)
		}
	}
}

func FuzzText(f *testing.F) {
	for name, b := range samples(f) {
		if strings.HasSuffix(name, ".txt") || strings.HasSuffix(name, ".md") {
			f.Add(b)
		}
	}
	for _, text := range []string{dnssdLookup + dnssdAddresses, zeroconfLog, "=;eth0;IPv4;OT\\0320607;_meshcop._udp;local;pi.local;192.0.2.7;49154;" + avahiTXT} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Read("fuzz.txt", b, time.Time{})
		check(t, s, err)
	})
}

func FuzzJSON(f *testing.F) {
	for name, b := range samples(f) {
		if strings.Contains(name, ".json") && len(b) < 20000 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Read("fuzz.json", b, time.Time{})
		check(t, s, err)
	})
}

func BenchmarkReadMatterNodes(b *testing.B) {
	raw := sample(b, "matter-get_nodes.json")
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read("n", raw, time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadCLI(b *testing.B) {
	raw := sample(b, "ot-ctl-diag.txt")
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read("n", raw, time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
}
