package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	simha "threadmap/simulators/homeassistant"
	simms "threadmap/simulators/matterserver"
	"threadmap/simulators/mesh"
	"threadmap/simulators/world"
	"threadmap/topology"
)

// homeOf50 is the demo's home with a Home Assistant.
func homeOf50(t *testing.T, o world.HomeOptions) (*mesh.Home, *world.World, world.HomeAssistant) {
	t.Helper()
	home := mesh.HomeOf50(demoSeed)
	w := startWorld(t, home, world.Options{HomeAssistant: &o})
	ha, _ := w.HomeAssistant()
	return home, w, ha
}

func loginTo(t *testing.T, u *user, ha world.HomeAssistant, token string) {
	t.Helper()
	u.env = map[string]string{tokenEnv: token}
	if o, e, status := u.run("", "login", "ha", ha.URL); status != exitDone {
		t.Fatal(o, e)
	}
	u.env = nil
}

// TestDemoHasNamesAndRooms: the demo's map is the home, with the name and the room
// that every device has in Home Assistant.
func TestDemoHasNamesAndRooms(t *testing.T) {
	t.Parallel()
	home, w, ha := homeOf50(t, world.HomeOptions{})
	scan, err := quiet().scanWorld(t.Context(), w)
	if err != nil || !scan.Complete || len(scan.Sources) != 3+len(w.OTBRs())+len(home.Networks) {
		t.Fatalf("%v, %+v, %v", err, scan.Sources, scan.Problems)
	}
	m := topology.Build(scan.Reports)
	differsFromHome(t, home, m)
	named(t, home, m)
	if w := ha.Server.Writing(); len(w) > 0 || ha.Server.WrongLogins() > 0 {
		t.Errorf("Home Assistant was asked to change %v", w)
	}
	rolesAreFree(t, w)
}

// named checks names and rooms of the Matter nodes.
func named(t *testing.T, home *mesh.Home, m *topology.Map) {
	t.Helper()
	n := 0
	for _, net := range home.Networks {
		for _, want := range net.Nodes {
			if len(want.Matter) == 0 {
				continue
			}
			n++
			k := slices.IndexFunc(m.Nodes, func(x *topology.Node) bool { return x.ExtAddr == want.ExtAddr })
			if k < 0 || m.Nodes[k].Name != want.Name || m.Nodes[k].Room != want.Room {
				t.Errorf("%s in %s: %+v", want.Name, want.Room, m.Nodes[max(k, 0)])
			}
		}
	}
	if n < 40 {
		t.Errorf("%d Matter nodes", n)
	}
}

// TestHomeAssistantAlone: one token, and nothing else, gives the whole home: the
// datasets open the border agents.
func TestHomeAssistantAlone(t *testing.T) {
	t.Parallel()
	home, w, _ := homeOf50(t, world.HomeOptions{})
	r, err := parseResponder(w.MDNS().String())
	if err != nil {
		t.Fatal(err)
	}
	keys, h := keyring{}, worldHomes(w)
	var endpoints []diag.Endpoint
	for url := range h.tokens {
		endpoints = append(endpoints, diag.Endpoint{Source: "home-assistant", URL: url})
	}
	st := h.stage(h.in(sources(keys), false), endpoints, keys, planned)
	scan, _ := quiet().collect(t.Context(), job{limit: time.Minute, lan: &lan{ask: []responder{r}, explicit: true, settle: demoSettle}, first: st.first, plan: st.plan})
	if !scan.Complete || len(scan.Sources) != 3+len(home.Networks) || len(st.said.lent) != len(home.Networks) {
		t.Fatalf("%+v, %v", scan.Sources, scan.Problems)
	}
	m := topology.Build(scan.Reports)
	differsFromHome(t, home, m)
	named(t, home, m)
}

// TestHomeAssistantInTrouble: whatever Home Assistant or its Matter server does, a
// scan says it in a line or two, keeps the rest of the map, and lets no secret out.
func TestHomeAssistantInTrouble(t *testing.T) {
	t.Parallel()
	only := func(command string, m simha.Misbehaviour) world.HomeOptions {
		return world.HomeOptions{Options: simha.Options{Misbehave: func(c string) simha.Misbehaviour {
			if c == command {
				return m
			}
			return simha.Behave
		}}}
	}
	server := func(command string, m simms.Misbehaviour) world.HomeOptions {
		return world.HomeOptions{Matter: simms.Options{Misbehave: func(c string, _ uint64) simms.Misbehaviour {
			if c == command {
				return m
			}
			return simms.Behave
		}}}
	}
	for name, tt := range map[string]struct {
		o    world.HomeOptions
		want string // of the one line; "": none
		more int    // lines beside it
	}{
		"drops the download":      {only("download", simha.Drop), "home-assistant .* the diagnostics download", 0},
		"download of 100 MB":      {only("download", simha.Huge), "home-assistant .* more than ", 0},
		"registry of 100 MB":      {only("config/area_registry/list", simha.Huge), "home-assistant ", 0},
		"garbage":                 {only("get_states", simha.Garbage), "home-assistant .* no message of Home Assistant", 0},
		"dataset refused":         {only("thread/list_datasets", simha.Refuse), "home-assistant .* unknown_error", 0},
		"greets with garbage":     {only("auth", simha.Garbage), "home-assistant .* greet", 0},
		"drops at the greeting":   {only("auth", simha.Drop), "home-assistant .* broke off", 0},
		"sends elsewhere":         {only("connect", simha.Redirect), "home-assistant .* another address", 0},
		"quotes the token":        {only("config/device_registry/list", simha.Quote), "", 0},
		"old":                     {world.HomeOptions{Options: simha.Options{Old: true}}, "", 0},
		"no Matter server":        {world.HomeOptions{NoMatter: true}, "home-assistant .* Matter integration is not loaded", 0},
		"Matter server drops":     {server("get_nodes", simms.Drop), "home-assistant .* diagnostics download with 500", 1},
		"Matter server's garbage": {server("greeting", simms.Garbage), "matter-server ", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home, w, ha := homeOf50(t, world.HomeOptions{}) // it was well when the user logged in
			u := newUser(t)
			loginTo(t, u, ha, world.AdminToken)
			bad := startWorld(t, home, world.Options{HomeAssistant: &tt.o})
			moved, _ := bad.HomeAssistant()
			moveLogin(t, u, ha.URL, moved.URL)
			o, e, status := u.run("", "scan", "--ask", w.MDNS().String(), "--json")
			var doc struct {
				Nodes    []json.RawMessage `json:"nodes"`
				Problems []struct{ Source, Target, Error, Stage string }
			}
			if err := json.Unmarshal([]byte(o), &doc); err != nil {
				t.Fatalf("%v: %s%s", err, o, e)
			}
			var lines []string
			wantStatus := exitDone
			for _, p := range doc.Problems {
				wantStatus = exitPartial
				if p.Source != "mdns" { // a busy machine's simulated home answers late: not what this is about
					lines = append(lines, p.Source+" "+p.Target+" "+p.Error)
				}
			}
			if status != wantStatus || tt.want == "" && len(lines) > 0 || tt.want != "" && (len(lines) == 0 || len(lines) > 1+tt.more || !regexp.MustCompile(tt.want).MatchString(lines[0])) {
				t.Errorf("status %d, %d problems:\n%s", status, len(lines), strings.Join(lines, "\n"))
			}
			if len(doc.Nodes) < home.Nodes() {
				t.Errorf("%d nodes are left", len(doc.Nodes))
			}
			if where, err := secretIn(secretsOf(home), o+e, u.dir); where != "" || err != nil {
				t.Errorf("a secret is in %s: %v", where, err)
			}
		})
	}
}

// moveLogin makes a login and its token be those of another place.
func moveLogin(t *testing.T, u *user, from, to string) {
	t.Helper()
	for _, name := range []string{"/logins.json", "/credentials.json"} {
		b, err := os.ReadFile(u.dir + name)
		if err == nil && !bytes.Contains(b, []byte(from)) {
			err = fmt.Errorf("%s is not in %s", from, name)
		}
		if err == nil {
			err = os.WriteFile(u.dir+name, bytes.ReplaceAll(b, []byte(from), []byte(to)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestRecordedMatterServer: a scan of the answers of a real Matter server (captured
// from matter-js/matterjs-server of 2026-08, schema 13, with 14 nodes on matter.js).
func TestRecordedMatterServer(t *testing.T) {
	t.Parallel()
	read := func(name string) []byte {
		b, err := os.ReadFile("testdata/matterserver/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		return bytes.TrimSpace(b)
	}
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(rw, r, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		write := func(b []byte) { ws.Write(context.Background(), websocket.MessageText, b) }
		write(read("server_info"))
		for {
			_, b, err := ws.Read(r.Context())
			if err != nil {
				return
			}
			var q struct {
				ID      string `json:"message_id"`
				Command string `json:"command"`
			}
			var a map[string]json.RawMessage
			if json.Unmarshal(b, &q) != nil {
				return
			}
			file := q.Command
			if q.Command != "get_nodes" && q.Command != "get_thread_border_routers" {
				file = "read_attribute_bad" // a node that is gone
			}
			if json.Unmarshal(read(file), &a) != nil {
				return
			}
			a["message_id"], _ = json.Marshal(q.ID)
			b, _ = json.Marshal(a)
			write(b)
		}
	}))
	defer s.Close()
	u := newUser(t)
	if o, e, status := u.run("", "login", "matter-server", s.URL); status != exitDone || !strings.Contains(o, "/ws: Matter server with 14 nodes") {
		t.Fatal(o, e)
	}
	o, e, status := u.run("", "scan", "--source", "matter-server", "--json")
	var doc struct {
		Nodes []struct {
			Name   string
			Parent *string
			Matter []json.RawMessage
		}
		Links    []json.RawMessage
		Problems []json.RawMessage
	}
	if err := json.Unmarshal([]byte(o), &doc); err != nil {
		t.Fatalf("%v: %s%s", err, o, e)
	}
	matter := 0
	for _, n := range doc.Nodes {
		matter += min(1, len(n.Matter))
	}
	// What could not be read is said; what the server keeps is drawn.
	if status != exitPartial || matter != 14 || len(doc.Links) < 20 || len(doc.Problems) == 0 || !strings.Contains(e, "could not be read") {
		t.Errorf("status %d, %d Matter nodes, %d links, %d problems: %s", status, matter, len(doc.Links), len(doc.Problems), e)
	}
}

// TestHomesDontHoldUpTheScan: a Home Assistant that takes the connection and says
// nothing is waited for once, and not asked again.
func TestHomesDontHoldUpTheScan(t *testing.T) {
	t.Parallel()
	tries := make(chan struct{}, 100)
	over := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		tries <- struct{}{}
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	defer close(over)
	_, w, _ := homeOf50(t, world.HomeOptions{NoMatter: true})
	h := worldHomes(w)
	for url, token := range h.tokens {
		delete(h.tokens, url)
		token.URL = s.URL
		h.tokens[s.URL] = state.Token{URL: s.URL, Token: token.Token}
		break
	}
	endpoints := []diag.Endpoint{{Source: "home-assistant", URL: s.URL}}
	st := h.stage(h.in(sources(nil), false), endpoints, keyring{}, planned)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan *diag.Scan, 1)
	go func() {
		scan, _ := quiet().collect(ctx, job{limit: time.Second, first: st.first, plan: st.plan})
		done <- scan
	}()
	scan := <-done
	if len(tries) != 1 || scan.Complete || len(scan.Problems) != 1 || len(scan.Sources) != 1 || scan.Sources[0].State != diag.StateFailed {
		t.Errorf("%d tries, %+v, %v", len(tries), scan.Sources, scan.Problems)
	}
}

// A name that fits several devices is said, once, and used for none.
func TestAmbiguousNames(t *testing.T) {
	t.Parallel()
	report := func(x diag.ExtAddr) diag.Report {
		return diag.Report{Source: "test", Own: []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessDiagnostic}}, Network: diag.Network{ExtPANID: 1}, Role: diag.RoleRouter,
			Names: []diag.Name{{Value: "Plug", Kind: diag.NameHome}}}
	}
	var e bytes.Buffer
	a := &app{err: &e, getenv: func(string) string { return "" }}
	d := a.document(&diag.Scan{Reports: []diag.Report{report(0x11), report(0x12)}}, []topology.Alias{{Identity: "Plug", Name: "Mine"}, {Identity: "0000000000000012", Name: "Twelve"}})
	if want := "Names: \"Plug\" fits several devices and names none: write one of their ids, which --json tells.\n"; e.String() != want {
		t.Errorf("%q", e.String())
	}
	if d.Map.Nodes[0].Name != "Plug" || d.Map.Nodes[1].Name != "Twelve" || d.Findings == nil {
		t.Errorf("%+v", d.Map.Nodes)
	}
}
