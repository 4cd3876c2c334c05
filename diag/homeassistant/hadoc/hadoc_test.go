package hadoc

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

var ctx = Context{Source: "home-assistant", Via: "x.json", Session: "s", At: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}

func load(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(t testing.TB, b []byte) Document {
	t.Helper()
	doc, ok := Read(b, ctx)
	if !ok {
		t.Fatalf("not a download: %.80s", b)
	}
	for _, p := range doc.Problems {
		if p.Source != ctx.Source || p.Target != ctx.Via || p.Stage != diag.StageParse || strings.ContainsAny(p.Text, "\n\r") {
			t.Errorf("%+v", p)
		}
	}
	return doc
}

func TestMatterEntry(t *testing.T) {
	doc := read(t, load(t, "matter-entry.json"))
	if doc.Domain != "matter" || doc.Version != "2026.8.1" || !doc.Whole || !doc.Matter || doc.Thread || len(doc.Problems) != 0 || len(doc.Reports) != 1 {
		t.Fatalf("%+v", doc)
	}
	r := doc.Reports[0]
	if got, want := fmt.Sprint(r.Source, r.Via, r.Session, r.At.Year(), r.Cached, r.Matter, r.Available, r.Role, r.RLOC16, r.Own, r.Names, r.Vendor, r.Network.ExtPANID, r.Network.Channel, len(r.Routes), len(r.Neighbors)),
		"home-assistantx.jsons beefbeefcafecafe2026true[{1234605616436508552 29}]truerouter0x8400[{a1b2c3d4e5f60718 network interface} {a1b2c3d4e5f60718 ExtAddress attribute}][{Hall plug label} {Acme Plug product}]Acmebeefbeefcafecafe1511"; strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("\n%s\n%s", got, want)
	}
	if n := r.Neighbors[0]; n.ExtAddr != 0x0a0b0c0d0e0f1011 || n.RLOC16 != diag.MakeRLOC16(22528) || n.AverageRSSI != diag.Some(int8(-61)) {
		t.Errorf("%+v", n)
	}
}

func TestMatterDevice(t *testing.T) {
	doc := read(t, load(t, "matter-device.json"))
	if !doc.Whole || len(doc.Problems) != 0 || len(doc.Reports) != 1 {
		t.Fatalf("%+v", doc)
	}
	r := doc.Reports[0]
	if r.Matter[0] != (diag.MatterID{Fabric: 1234605616436508552, Node: 1<<64 - 1}) || r.Available != diag.Some(false) || r.Role != diag.RoleSleepyEndDevice || len(r.Neighbors) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestThread(t *testing.T) {
	doc := read(t, load(t, "thread.json"))
	if doc.Domain != "thread" || !doc.Thread || doc.Matter || !doc.Whole || len(doc.Reports) != 2 {
		t.Fatalf("%+v", doc)
	}
	r := doc.Reports[0]
	if got, want := fmt.Sprint(r.Hosts, r.Addresses, r.BorderRouter, r.Vendor, r.Product, r.ThreadVersion, r.Network.ExtPANID, r.Network.Name, r.Network.OMRPrefixes, r.Session),
		"[br1] [192.0.2.7 fd00:2::7] true Home Assistant OpenThread Border Router 5 beefbeefcafecafe HomeMesh [fd5a:1:2:3::/64] s beefbeefcafecafe"; strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("\n%s\n%s", got, want)
	}
	if r := doc.Reports[1]; r.Hosts[0] != "br2" || r.ThreadVersion.Known() || r.Vendor != "" || r.Network.OMRPrefixes != nil {
		t.Errorf("%+v", r)
	}
	if len(doc.Problems) != 1 || doc.Problems[0].Text != "fe80::dead leads into network beefbeefcafecafe and is no border router of it that Home Assistant knows" {
		t.Errorf("%v", doc.Problems)
	}
}

// Whatever is blanked out costs itself, and 2022's keys and another order of
// keys are the same document.
func TestVariants(t *testing.T) {
	whole := string(load(t, "matter-entry.json"))
	for name, tt := range map[string]struct {
		old, new string
		reports  int
		problem  string
		check    func(diag.Report) bool
	}{
		"node id":      {`"node_id":29`, `"node_id":"**REDACTED**"`, 1, "", func(r diag.Report) bool { return len(r.Matter) == 0 && len(r.Own) == 2 }},
		"fabric":       {`"compressed_fabric_id":1234605616436508552`, `"compressed_fabric_id":"**REDACTED**"`, 1, "", func(r diag.Report) bool { return r.Matter[0] == diag.MatterID{Node: 29} }},
		"fabric text":  {`1234605616436508552`, `"1234605616436508552"`, 1, "", func(r diag.Report) bool { return r.Matter[0].Fabric == 1234605616436508552 }},
		"label":        {`"Hall plug"`, `"**REDACTED**"`, 1, "", func(r diag.Report) bool { return len(r.Names) == 1 && r.Names[0].Value == "Acme Plug" }},
		"ext address":  {`"obLD1OX2Bxg="`, `"**REDACTED**"`, 1, "", func(r diag.Report) bool { return len(r.Own) == 1 }},
		"a table":      {`"0/53/8":[{"0"`, `"0/53/8":"**REDACTED**","0/1/1":[{"0"`, 1, "", func(r diag.Report) bool { return r.Routes == nil }},
		"info":         {`"info":{"fabric_id":2,"compressed_fabric_id":1234605616436508552`, `"info":"**REDACTED**","x":{"fabric_id":2`, 1, "", func(r diag.Report) bool { return r.Matter[0].Fabric == 0 }},
		"attributes":   {`"attributes":{`, `"attributes":"**REDACTED**","x":{`, 1, "node 29: its attributes are missing or blanked out", func(r diag.Report) bool { return r.Matter[0].Node == 29 && r.Role == "" }},
		"of 2022":      {`"data":{`, `"diagnostics-data":{`, 1, "", func(r diag.Report) bool { return len(r.Routes) == 1 }},
		"nodes object": {`"nodes":[`, `"nodes":{"x":1},"y":[`, 0, "", nil},
		"other server": {`"server":{`, `"server":[],"x":{`, 0, "", nil},
		"data null":    {`"data":{`, `"data":null,"x":{`, 0, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(whole, tt.old) {
				t.Fatal("the sample has changed")
			}
			doc := read(t, []byte(strings.Replace(whole, tt.old, tt.new, 1)))
			if !doc.Whole || len(doc.Reports) != tt.reports {
				t.Fatalf("%+v", doc)
			}
			if tt.check != nil && !tt.check(doc.Reports[0]) {
				t.Errorf("%+v", doc.Reports[0])
			}
			if text := fmt.Sprint(doc.Problems); tt.problem == "" && len(doc.Problems) != 0 || !strings.Contains(text, tt.problem) {
				t.Errorf("%s", text)
			}
		})
	}
	// Keys sorted by a tool: the manifest and the fabric come last.
	sorted := `{"data":{"server":{"events":[],"nodes":[{"attributes":{"0/53/64":0},"available":null,"node_id":7}],"server_info":{"compressed_fabric_id":9}}},"home_assistant":{"version":"1"},"integration_manifest":{"domain":"matter"}}`
	if doc := read(t, []byte(sorted)); len(doc.Reports) != 1 || doc.Reports[0].Matter[0] != (diag.MatterID{Fabric: 9, Node: 7}) || doc.Reports[0].RLOC16 != diag.MakeRLOC16(0) || doc.Reports[0].Available.Known() {
		t.Errorf("%+v", doc)
	}
	// Twice the same node: the later one counts.
	twice := `{"integration_manifest":{"domain":"matter"},"data":{"server":{"nodes":[{"node_id":7,"attributes":{"0/53/64":1024}},{"node_id":7,"attributes":{"0/53/64":2048}},5,{"node_id":"x","attributes":{}}]}}}`
	if doc := read(t, []byte(twice)); len(doc.Reports) != 1 || doc.Reports[0].RLOC16 != diag.MakeRLOC16(2048) || len(doc.Problems) != 3 {
		t.Errorf("%+v", doc)
	}
}

// A document that was cut off gives what stands before the cut, and says so.
func TestEveryPrefix(t *testing.T) {
	for _, name := range []string{"matter-entry.json", "matter-device.json", "thread.json"} {
		b := bytes.TrimRight(load(t, name), "\n")
		most := 0
		for n := range b {
			doc, ok := Read(b[:n], ctx)
			if !ok {
				continue
			}
			if doc.Whole || len(doc.Problems) == 0 || !strings.HasPrefix(doc.Problems[len(doc.Problems)-1].Text, "the document ends in the middle") {
				t.Fatalf("%s: %d of %d octets: whole %v, %v", name, n, len(b), doc.Whole, doc.Problems)
			}
			if len(doc.Reports) < most {
				t.Fatalf("%s: %d octets give less than fewer do", name, n)
			}
			most = len(doc.Reports)
		}
		if most == 0 {
			t.Errorf("%s: no prefix gives anything", name)
		}
	}
}

func TestNotADownload(t *testing.T) {
	for _, s := range []string{"", "x", "{}", "[]", `{"data":{"server":{}}}`, `[{"integration_manifest":{}}]`, `{"integration_manifest"`, `"integration_manifest"`, strings.Repeat("[", 1<<20), strings.Repeat(`{"data":`, 1<<18)} {
		if doc, ok := Read([]byte(s), ctx); ok && len(doc.Reports) > 0 || ok && s != `{"integration_manifest"` {
			t.Errorf("%.40q: %+v", s, doc)
		}
	}
	if _, ok := Read(make([]byte, MaxBytes+1), ctx); ok {
		t.Error("too large")
	}
	deep := `{"integration_manifest":{"domain":"matter"},"data":{"server":{"nodes":[` + strings.Repeat("[", 1<<20)
	if doc := read(t, []byte(deep)); doc.Whole {
		t.Error("whole")
	}
}

func TestManyNodes(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"integration_manifest":{"domain":"matter"},"data":{"server":{"nodes":[`)
	for i := range maxNodes + 10 {
		fmt.Fprintf(&b, `{"node_id":%d,"attributes":{"0/53/64":"bad"}},`, i+1)
	}
	b.WriteString(`{}]}}}`)
	doc := read(t, []byte(b.String()))
	if len(doc.Reports) != maxNodes || len(doc.Problems) != maxProblems+1 {
		t.Errorf("%d reports, %d problems", len(doc.Reports), len(doc.Problems))
	}
}

func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		"fd00:11:2233:4400::": "fd00:11:2233:4400::/64", "fdad:70bf:e5aa:15dd": "fdad:70bf:e5aa:15dd::/64", "fd00:1:2:3::5/64": "fd00:1:2:3::/64",
		"": "", "x": "", "192.0.2.0": "", "::": "", "fe80::1%eth0": "", "1:2:3:4:5": "1:2:3:4::/64",
	} {
		if p, ok := parsePrefix(in); ok != (want != "") || ok && p.String() != want {
			t.Errorf("%q: %v %v", in, p, ok)
		}
	}
	for in, want := range map[string]string{"1.3.0": "4", "1.4": "5", "1.1.1": "2", "": "?", "1.30": "?", "2": "?"} {
		if got := ThreadVersion(in).String(); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
	if got := clip(strings.Repeat("é", 200)); len(got) != 256 || got != strings.Repeat("é", 128) {
		t.Errorf("%d", len(got))
	}
	if got := clip("x" + strings.Repeat("é", 200)); got != "x"+strings.Repeat("é", 127) {
		t.Errorf("%d %q", len(got), got)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"matter-entry.json", "matter-device.json", "thread.json"} {
		f.Add(load(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		doc, ok := Read(b, ctx)
		if !ok && (len(doc.Reports) > 0 || len(doc.Problems) > 0) {
			t.Fatalf("%+v", doc)
		}
		if len(doc.Problems) > maxProblems+1 || !doc.Whole && ok && len(doc.Problems) == 0 {
			t.Fatalf("%d problems", len(doc.Problems))
		}
		again, _ := Read(b, ctx)
		if fmt.Sprintf("%+v", doc) != fmt.Sprintf("%+v", again) {
			t.Fatal("not the same twice")
		}
	})
}

// BenchmarkRead reads a download of 250 nodes, most of whose attributes are of no
// use here.
func BenchmarkRead(b *testing.B) {
	whole := string(load(b, "matter-entry.json"))
	begin, rest, _ := strings.Cut(whole, `{"node_id":29`)
	node, end, _ := strings.Cut(rest, "}],\n  \"events\"")
	var more strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&more, `,"%d/%d/65531":[0,1,2,65528,65529,65531,65532,65533]`, i%8, 1000+i)
	}
	node = strings.Replace(node, `"0/53/64":33792`, `"0/53/64":33792`+more.String(), 1)
	var doc strings.Builder
	doc.WriteString(begin)
	for i := range 250 {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `{"node_id":%d%s}`, i+1, node)
	}
	doc.WriteString("],\n  \"events\"" + end)
	in := []byte(doc.String())
	if got := read(b, in); len(got.Reports) != 250 || !got.Whole {
		b.Fatalf("%d reports, %v", len(got.Reports), got.Problems)
	}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		Read(in, ctx)
	}
}
