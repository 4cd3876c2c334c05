package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/diag/snapshot"
	"threadmap/render/schema/schematest"
	"threadmap/simulators/mesh"
	"threadmap/simulators/world"
	"threadmap/topology"
)

// betraying are all words of a scan that could tell whose home it is: names that
// people gave, addresses, ids, hosts, places, credentials.
func betraying(t *testing.T, home *mesh.Home, w *world.World, scan *diag.Scan) []string {
	t.Helper()
	seen := map[string]bool{}
	add := func(words ...string) {
		for _, s := range words {
			if len(s) > 3 { // shorter ones are parts of others
				seen[strings.ToLower(s)] = true
			}
		}
	}
	for _, s := range identifying(home) {
		if !strings.HasPrefix(s, "0x") { // RLOC16s stay; PAN ids are looked for below
			add(s)
		}
	}
	for _, m := range home.Networks {
		add(fmt.Sprintf(`"pan_id":"0x%04x"`, m.PANID))
		for i := range m.Nodes {
			if r := m.Nodes[i].Room; r != "" {
				add(r+`"`, r+" ", r+"<")
			}
		}
	}
	for _, u := range w.OTBRs() {
		add(u)
	}
	if ha, ok := w.HomeAssistant(); ok {
		add(ha.URL, ha.Token)
	}
	rows := func(l []diag.Neighbor) {
		for i := range l {
			add(l[i].ExtAddr.String())
			for _, a := range l[i].Addresses {
				add(a.String())
			}
		}
	}
	for i := range scan.Reports {
		r := &scan.Reports[i]
		var makers []string
		for j := range scan.Reports {
			makers = append(makers, strings.ToLower(scan.Reports[j].Vendor+" "+scan.Reports[j].Product))
		}
		makersWord := func(s string) bool {
			return slices.ContainsFunc(makers, func(m string) bool { return strings.Contains(m, strings.ToLower(s)) })
		}
		for _, n := range r.Names {
			if n.Kind != diag.NameProduct && !makersWord(n.Value) {
				add(n.Value)
			}
		}
		for _, s := range slices.Concat(r.Hosts, r.Instances) {
			if !makersWord(s) {
				add(s)
			}
		}
		for _, a := range r.Addresses {
			add(a.String())
		}
		for _, c := range r.Own {
			add(c.ExtAddr.String())
		}
		if v, ok := r.BorderAgent.Get(); ok {
			for _, p := range v.Endpoints {
				add(p.String())
			}
		}
		for _, p := range r.Network.OMRPrefixes {
			add(p.String())
		}
		add(r.Via, r.BorderAgentID, r.HAPID, r.EUI64.String(), r.Network.Name, r.Network.ExtPANID.String(), r.Network.MeshLocalPrefix.String())
		for _, id := range r.Matter {
			add(fmt.Sprintf("%016x", id.Fabric))
			if id.Node > 0xffff { // small ones are parts of everything
				add(fmt.Sprintf("%016x", id.Node), fmt.Sprint(id.Node))
			}
		}
		rows(r.Children)
		rows(r.Neighbors)
	}
	delete(seen, "invalid prefix")
	out := make([]string, 0, len(seen))
	for s := range seen {
		out = append(out, s)
	}
	if len(out) < 300 {
		t.Fatalf("only %d words to look for", len(out))
	}
	return out
}

// TestRedactedTellsNobody: of a home that all sources tell of, with something
// failed in it, nothing that could tell whose it is stands in any form of a
// redacted report; and what is wrong with it is found as before.
func TestRedactedTellsNobody(t *testing.T) {
	t.Parallel()
	home := mesh.HomeOf50(demoSeed)
	w := startWorld(t, home, world.Options{HomeAssistant: &world.HomeOptions{}})
	u := newUser(t)
	a := &app{in: strings.NewReader(""), out: &bytes.Buffer{}, err: &bytes.Buffer{}, getenv: func(string) string { return "" }}
	scan, err := a.scanWorld(t.Context(), w)
	if err != nil || !scan.Complete {
		t.Fatal(err, scan.Problems)
	}
	words := betraying(t, home, w, scan)
	scan.Complete, scan.Probe = false, "Zanzibar cellar"
	scan.Problems = append(scan.Problems, diag.Problem{Source: "otbr", Target: "http://zanzibar.local:8081", Stage: diag.StageConnect, Partial: true,
		Text: "dial tcp 192.168.17.4:8081: connect: connection refused by Zanzibar", Hint: "look whether Zanzibar is on"})
	scan.Sources = append(scan.Sources, diag.SourceState{Name: "otbr", Via: "http://zanzibar.local:8081", State: diag.StateFailed, Hint: "Zanzibar"})
	words = append(words, "zanzibar", "192.168")
	file := filepath.Join(t.TempDir(), "scan.cbor")
	var b bytes.Buffer
	if err := snapshot.Write(&b, scan); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	at := func(ext string) string { return filepath.Join(dir, "ticket"+ext) }
	_, errs, status := u.run("", "report", "--redact", file, "-o", at(".md"), "-o", at(".json"), "-o", at(".txt"), "-o", at(".dot"), "-o", at(".csv"), "-o", at(".cbor"))
	if status != exitDone {
		t.Fatalf("status %d, %s", status, errs)
	}
	doc, _, status := u.run("", "report", "--redact", "--json", file)
	if status != exitDone {
		t.Fatalf("status %d", status)
	}
	schematest.Document(t, []byte(doc))
	texts := map[string][]byte{"standard output": []byte(doc)}
	err = fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			texts[p], err = os.ReadFile(filepath.Join(dir, p))
		}
		return err
	})
	if err != nil || len(texts) != 8 {
		t.Fatal(err, len(texts))
	}
	found := 0
	for name, text := range texts {
		low := bytes.ToLower(text)
		for _, s := range words {
			if bytes.Contains(low, []byte(s)) {
				if found++; found < 20 {
					i := bytes.Index(low, []byte(s))
					t.Errorf("%s tells %q: …%s…", name, s, text[max(0, i-60):min(len(text), i+len(s)+30)])
				}
			}
		}
		for _, m := range home.Networks {
			for _, key := range [][]byte{m.NetworkKey[:], m.PSKc[:]} {
				if newCanary("key", key, false).in(text) {
					t.Errorf("a key is in %s", name)
				}
			}
		}
	}
	// The words are where nothing is redacted, so this test looks for the right ones.
	plain, _, _ := u.run("", "report", "--json", file)
	missing := 0
	for _, s := range words {
		if !strings.Contains(strings.ToLower(plain), s) {
			missing++
		}
	}
	if missing*2 > len(words) {
		t.Errorf("%d of %d words are not in the plain report either", missing, len(words))
	}

	titles := func(doc string) (out []string) {
		var d struct {
			Map struct {
				Findings []struct{ Rule, Severity, Confidence string }
				Problems []struct{ Error string }
			}
		}
		if err := json.Unmarshal([]byte(doc), &d); err != nil {
			t.Fatal(err)
		}
		for _, f := range d.Map.Findings {
			out = append(out, fmt.Sprint(f.Rule, f.Severity, f.Confidence))
		}
		return append(out, fmt.Sprintf("%d problems", len(d.Map.Problems)))
	}
	if got, want := titles(doc), titles(plain); !slices.Equal(got, want) || len(want) < 5 {
		t.Errorf("redacted: %q\nplain: %q", got, want)
	}
	if !bytes.Contains(texts["ticket.md"], []byte("the connection was refused")) || !bytes.Contains(texts["ticket.md"], []byte("incomplete")) {
		t.Errorf("what failed is not told: %s", texts["ticket.md"])
	}
	back, err := snapshot.Read(bytes.NewReader(texts["ticket.cbor"]))
	if err != nil {
		t.Fatal(err)
	}
	if x, y := topology.Build(scan.Reports), topology.Build(back.Reports); len(x.Nodes) != len(y.Nodes) || len(x.Links) != len(y.Links) {
		t.Errorf("%d nodes, %d links; want %d, %d", len(y.Nodes), len(y.Links), len(x.Nodes), len(x.Links))
	}
}
