package otbr

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

// hang waits until the client has gone, which a server sees only after it has
// read what the client sent.
func hang(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func pour(w http.ResponseWriter, _ *http.Request) {
	chunk := bytes.Repeat([]byte(" "), 1<<16)
	for range 50 << 20 / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	for range 500 {
		if _, err := z.Write(make([]byte, 1<<16)); err != nil {
			return
		}
	}
	z.Close()
}

// breakOff promises more than it sends.
func breakOff(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)+1000))
		fmt.Fprint(w, body)
	}
}

// However the border router misbehaves, the probe ends soon, says what was
// wrong in one line, and keeps what it had.
func TestHostile(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect to another host was followed") }))
	defer elsewhere.Close()
	node, all := string(file(t, "2025-node.json")), string(file(t, "2025-diagnostics.json"))
	camel := string(file(t, "2026-node.json"))
	good := say(200, node)
	for _, c := range []struct {
		name        string
		node, other http.HandlerFunc // other: /diagnostics and /api/*
		reports     int
		want        string // in the problems
	}{
		{"404 everywhere", say(404, ""), say(404, ""), 0, "has neither /diagnostics nor /api/actions"},
		{"500 everywhere", say(500, "x"), say(500, "x"), 0, "answered /node with 500 Internal Server Error"},
		{"401", say(401, ""), say(401, ""), 0, "does not let us in (401)"},
		{"hangs at once", hang, hang, 0, "did not answer /node within 5s"},
		{"hangs at /diagnostics", good, hang, 1, "did not answer /diagnostics within 15s"},
		{"hangs at tasks", say(200, camel), hang, 1, "did not answer /api/actions within 5s"},
		{"409", good, say(409, ""), 1, "can't answer /diagnostics in its present state (409)"},
		{"422", say(200, camel), say(422, `{"title":"Unprocessable Content","status":422,"detail":""}`), 1, "looking for devices: does not know what was asked of /api/actions (422)"},
		{"503", say(200, camel), say(503, ""), 1, "looking for devices: is too busy for /api/actions (503)"},
		{"50 MB as /node", pour, pour, 0, "answered more than 8 MiB to /node"},
		{"50 MB as /diagnostics", good, pour, 1, "answered more than 8 MiB to /diagnostics"},
		{"gzip bomb", good, bomb, 1, "answered /diagnostics compressed, which was not asked for"},
		{"half JSON", good, say(200, all[:len(all)/2]), 3, "the document ends in the middle"},
		{"broken off", good, breakOff(all[:len(all)/2]), 3, "broke off in the middle of /diagnostics"},
		{"no JSON", say(200, "<html>"), say(200, "<html>"), 0, "none of the documents of an OpenThread Border Router"},
		{"wrong types", good, say(200, `[{"extAddress":{},"rloc16":[],"route":7,"childTable":"x"}]`), 1, "entry 1: extaddress: want 16 hexadecimal digits"},
		{"numbers for tasks", say(200, camel), say(200, "7"), 1, "its answer to a new task can't be read"},
		{"redirect to another host", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusFound)
		}, good, 0, "sends us to another host"},
		{"redirect in circles", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, good, 0, "sends us in circles"},
		{"headers without end", func(w http.ResponseWriter, _ *http.Request) {
			for i := range 50000 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("a", 100))
			}
		}, good, 0, "the answer to /node is not HTTP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("/node", c.node)
			mux.HandleFunc("/diagnostics", c.other)
			mux.HandleFunc("/api/", c.other)
			mux.HandleFunc("/", say(404, ""))
			srv := httptest.NewServer(mux)
			defer srv.Close()
			began := time.Now()
			limits := generous
			if strings.HasPrefix(c.name, "hangs") {
				limits = short
			}
			reports, problems := scanUntil(t, t.Context(), srv.URL, limits)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			if len(reports) != c.reports && c.reports == 0 || len(reports) < c.reports {
				t.Errorf("%d reports, want %d", len(reports), c.reports)
			}
			if len(problems) == 0 || len(problems) > 20 || !strings.Contains(texts(problems), c.want) {
				t.Errorf("problems:\n%swant one with %q", texts(problems), c.want)
			}
			for _, p := range problems {
				if p.Target != srv.URL || !p.Partial || strings.ContainsAny(p.Text, "\n\r") || len(p.Text) > 300 {
					t.Errorf("problem %+v", p)
				}
			}
		})
	}
}

// Without /node the single values tell the same.
func TestSingleValuesInsteadOfNode(t *testing.T) {
	asked := 0
	inner := generation1(t, &asked, []int{0, 1, 2, 3, 4, 5, 6})
	values := map[string]string{"/node/ext-address": `"0E01010101010101"`, "/node/state": `"router"`, "/node/rloc16": "26624", "/node/ext-panid": `"DEAD00BEEF00CAFE"`, "/node/network-name": `"ThreadMapLab"`}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v, ok := values[r.URL.Path]; ok {
			fmt.Fprint(w, v)
		} else if r.URL.Path == "/node" {
			w.WriteHeader(500)
		} else {
			inner.ServeHTTP(w, r)
		}
	}))
	defer srv.Close()
	reports, problems := scan(t, srv.URL)
	if _, byRLOC := nodes(reports); len(byRLOC) != 29 || len(problems) > 0 {
		t.Errorf("%d nodes, problems:\n%s", len(byRLOC), texts(problems))
	}
	if r := reports[0]; ownExt(&r) != 0x0e01010101010101 || r.RLOC16 != diag.MakeRLOC16(0x6800) || r.Network.Name != "ThreadMapLab" {
		t.Errorf("%+v", r)
	}
}

func TestNothingListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	reports, problems := scan(t, "http://user:hunter2@"+at)
	if len(reports) != 0 || len(problems) != 1 || problems[0].Stage != diag.StageConnect || !strings.HasPrefix(problems[0].Text, "nothing listens on port ") ||
		!strings.Contains(problems[0].Hint, "REST API switched on") || problems[0].Target != "http://"+at {
		t.Errorf("%+v", problems)
	}
	_, err = Check(t.Context(), nil, "user:hunter2@"+at)
	if err == nil || !strings.Contains(err.Error(), "nothing listens on port") || !strings.Contains(err.Error(), "switched on?") || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}

func TestUserInfoIsSentAndNeverShown(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != "me" || p != "hunter2" {
			w.WriteHeader(401)
			return
		}
		if r.URL.Path == "/otbr/node" {
			w.Write(file(t, "2025-node.json"))
			return
		}
		w.WriteHeader(500)
	}))
	defer srv.Close()
	reports, problems := scan(t, strings.Replace(srv.URL, "://", "://me:hunter2@", 1)+"/otbr/")
	if len(reports) != 1 || reports[0].Via != srv.URL+"/otbr" || len(problems) != 1 {
		t.Errorf("%+v\n%s", reports, texts(problems))
	}
}

func TestCheck(t *testing.T) {
	f := generation3(t)
	srv := f.start()
	got, err := Check(t.Context(), srv.Client(), srv.URL+"/")
	want := Info{URL: srv.URL, NetworkName: "ThreadMapLab", ExtPANID: 0xdead00beef00cafe, ExtAddr: 0x0e01010101010101, Generation: 3, APIVersion: "0.5.0", State: diag.RoleRouter}
	if err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	asked := 0
	old := httptest.NewServer(generation1(t, &asked, []int{0}))
	defer old.Close()
	want = Info{URL: old.URL, NetworkName: "ThreadMapLab", ExtPANID: 0xdead00beef00cafe, ExtAddr: 0x0e01010101010101, Generation: 1, State: diag.RoleRouter}
	if got, err = Check(t.Context(), nil, old.URL); err != nil || got != want || asked != 0 {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	other := httptest.NewServer(say(200, `{"hello":"world"}`))
	defer other.Close()
	if _, err = Check(t.Context(), nil, other.URL); err == nil || !strings.Contains(err.Error(), "is this the REST API of an OpenThread Border Router?") {
		t.Errorf("%v", err)
	}
	if _, err = Check(t.Context(), nil, "ftp://x"); err == nil {
		t.Error("ftp accepted")
	}
	// A TLS client at a plain server.
	if _, err = Check(t.Context(), nil, strings.Replace(old.URL, "http:", "https:", 1)); err == nil || !strings.Contains(err.Error(), "write http:// instead") {
		t.Errorf("%v", err)
	}
}

func TestNormalizeURL(t *testing.T) {
	for in, want := range map[string]string{
		"br.local": "http://br.local:8081", "BR.local:80": "http://br.local:80", "http://br": "http://br:8081", " http://192.0.2.7:8081/ ": "http://192.0.2.7:8081",
		"https://br.example/otbr/": "https://br.example:443/otbr", "fd11:db8::1": "http://[fd11:db8::1]:8081", "[fd11:db8::1]": "http://[fd11:db8::1]:8081",
		"[fd11:db8::1]:9000": "http://[fd11:db8::1]:9000", "fe80::1%enP3s0": "http://[fe80::1%25enP3s0]:8081", "http://[fe80::1%25enP3s0]:80": "http://[fe80::1%25enP3s0]:80",
		"http://me:hunter2@br": "http://br:8081", "me:hunter2@br:1": "http://br:1", "http://br/?a=b#c": "http://br:8081",
	} {
		got, err := NormalizeURL(in)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", in, got, err, want)
		}
		if again, err := NormalizeURL(got); err != nil || again != got {
			t.Errorf("%s is not stable: %s, %v", got, again, err)
		}
	}
	for _, in := range []string{"", "http://", "ftp://br", "http://br:0", "http://br:70000", "http://br:x", "http://[fd11", "://", "http://a b", strings.Repeat("a", 2000), "http://me:hunter2@br:x"} {
		if got, err := NormalizeURL(in); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
}

func TestProbesArePlannedWithoutAsking(t *testing.T) {
	k := diag.Known{Endpoints: []diag.Endpoint{{Source: "otbr", URL: "http://me:hunter2@BR"}, {Source: "otbr", URL: "br:8081"}, {Source: "otbr", URL: "http://me:hunter2@br:x"}, {Source: "ha", URL: "ha"}}}
	probes := diag.Plan([]diag.Source{Source{}}, k)
	if len(probes) != 2 || probes[0].Target != "http://br:8081" || probes[1].Target != "unreadable URL" || probes[0].Within != within {
		t.Fatalf("%+v", probes)
	}
	_, problems := diag.Collect(context.Background(), probes[1:], nil)
	if len(problems) != 1 || problems[0].Stage != diag.StageResolve || strings.Contains(fmt.Sprint(problems), "hunter2") {
		t.Errorf("%+v", problems)
	}
}

// All types that a task asks for are ones that OTBR knows, at most nine of them.
func TestTypesAreFew(t *testing.T) {
	known := map[string]bool{}
	for n := range strings.FieldsSeq("extAddress rloc16 mode timeout connectivity route leaderData networkData ipv6Addresses macCounters batteryLevel supplyVoltage childTable channelPages maxChildTimeout eui threadVersion vendorName vendorModel vendorSwVersion threadStackVersion children childIpv6Addresses routerNeighbors mleCounters") {
		known[n] = true
	}
	for _, types := range [][]string{mainTypes, againTypes, moreTypes, sharedTypes} {
		if len(types) > 9 {
			t.Errorf("%d types: %v", len(types), types)
		}
		for _, n := range types {
			if !known[n] {
				t.Errorf("%s is no type of OTBR", n)
			}
		}
	}
}

func BenchmarkProbeGeneration1(b *testing.B) {
	asked := 0
	srv := httptest.NewServer(generation1(b, &asked, []int{0, 1, 2, 3, 4, 5, 6}))
	defer srv.Close()
	for b.Loop() {
		if r, _ := scan(b, srv.URL); len(r) != 9 {
			b.Fatal(len(r))
		}
	}
}
