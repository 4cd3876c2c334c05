package homeassistant

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"threadmap/diag"
	"threadmap/simulators/homeassistant"
)

// Whatever one answer is, the scan ends soon, says it in a line or passes over
// it, and keeps what the others said.
func TestHostile(t *testing.T) {
	for _, command := range []string{"get_config", "auth/current_user", "config_entries/get", "config/device_registry/list", "config/area_registry/list", "config/entity_registry/list",
		"get_states", "thread/list_datasets", "thread/get_dataset_tlv", "otbr/info", "download"} {
		for name, m := range map[string]homeassistant.Misbehaviour{"hang": homeassistant.Hang, "garbage": homeassistant.Garbage, "drop": homeassistant.Drop, "wrong types": homeassistant.WrongTypes,
			"deep": homeassistant.Deep, "quote": homeassistant.Quote, "refuse": homeassistant.Refuse} {
			t.Run(command+" "+name, func(t *testing.T) {
				t.Parallel()
				g := start(t, homeassistant.Options{Misbehave: only(command, m)})
				began := time.Now()
				reports, problems := g.scan(t, adminToken, pace{shorter: 20, routers: 50 * time.Millisecond})
				if took := time.Since(began); took > 15*time.Second {
					t.Errorf("took %v", took)
				}
				if len(problems) > 40 {
					t.Errorf("%d problems", len(problems))
				}
				cut := m == homeassistant.Garbage || m == homeassistant.Drop || m == homeassistant.Deep
				if cut && len(problems) == 0 {
					t.Error("not a word")
				}
				least := 6 // the border routers
				switch {
				case slices.Contains([]string{"config/area_registry/list", "config/entity_registry/list", "get_states"}, command):
					least = 44 // the names
				case cut && command != "download":
					least = 0 // it may be the first answer
				}
				if len(reports) < least {
					t.Errorf("%d reports, want %d or more, %s", len(reports), least, lines(problems))
				}
				if command == "download" && len(reports) < 44 {
					t.Errorf("%d reports, %s", len(reports), lines(problems))
				}
			})
		}
	}
}

// The handshake and answers of 100 MB.
func TestBeginningsAndFloods(t *testing.T) {
	for _, tt := range []struct {
		command string
		m       homeassistant.Misbehaviour
		want    string
		reports int
	}{
		{"connect", homeassistant.Redirect, "sends us to another address, which is not followed", 0},
		{"auth", homeassistant.Hang, "did not answer the handshake within", 0},
		{"auth", homeassistant.Garbage, "does not greet as Home Assistant does", 0},
		{"auth", homeassistant.Drop, "broke off in the middle of the handshake", 0},
		{"auth", homeassistant.Huge, "answered more than 32 MiB at once", 0},
		{"config/device_registry/list", homeassistant.Huge, "answered more than 32 MiB at once", 0},
		{"download", homeassistant.Huge, "answered more than 64 MiB to the diagnostics download", 44},
	} {
		t.Run(tt.command+" "+tt.want, func(t *testing.T) {
			g := start(t, homeassistant.Options{Misbehave: only(tt.command, tt.m)})
			p := pace{routers: 50 * time.Millisecond}
			if tt.m == homeassistant.Hang {
				p.greet = 300 * time.Millisecond
			}
			reports, problems := g.scan(t, adminToken, p)
			if len(problems) == 0 || !strings.Contains(lines(problems), tt.want) || len(reports) < tt.reports {
				t.Errorf("%d reports, want %q in:\n%s", len(reports), tt.want, lines(problems))
			}
			if tt.reports == 0 && len(problems) != 1 {
				t.Errorf("%d reports:\n%s", len(reports), lines(problems))
			}
		})
	}
}

// A download that broke off gives the nodes before the break.
func TestHalfADownload(t *testing.T) {
	g := start(t, homeassistant.Options{Misbehave: only("download", homeassistant.Drop)})
	reports, problems := g.scan(t, adminToken, short)
	n := 0
	for _, r := range reports {
		if r.Network.Channel.Known() && len(r.Matter) > 0 {
			n++
		}
	}
	if n < 15 || n > 30 || len(problems) != 1 || problems[0].Text != "broke off in the middle of the diagnostics download" {
		t.Errorf("%d nodes, %s", n, lines(problems))
	}
}

// What answers is no Home Assistant.
func TestOthersThatAnswer(t *testing.T) {
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + refused.Addr().String()
	refused.Close()
	for _, tt := range []struct {
		name string
		h    http.HandlerFunc
		want string
	}{
		{"404", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, "has no /api/websocket (404)"},
		{"banned", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, "does not let this computer in (403)"},
		{"proxy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) }, "does not take the request for /api/websocket (400)"},
		{"starting", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }, "is not ready (502)"},
		{"no WebSocket", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }, "answered /api/websocket with 200 OK"},
		{"other WebSocket", func(w http.ResponseWriter, r *http.Request) {
			ws, err := websocket.Accept(w, r, nil)
			if err == nil {
				ws.Write(r.Context(), websocket.MessageText, []byte(`{"fabric_id":1}`))
				ws.Read(r.Context())
			}
		}, "does not greet as Home Assistant does"},
		{"nobody", nil, "nothing listens on port"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := start(t, homeassistant.Options{})
			g.url = nobody
			if tt.h != nil {
				srv := httptest.NewServer(tt.h)
				defer srv.Close()
				g.url = srv.URL
			}
			reports, problems := g.scan(t, adminToken, short)
			if len(reports) != 0 || len(problems) != 1 || !strings.Contains(problems[0].Text, tt.want) || problems[0].Hint == "" && tt.name != "no WebSocket" {
				t.Errorf("%d reports, want %q:\n%s", len(reports), tt.want, lines(problems))
			}
		})
	}
}

// A certificate that is not trusted is named by its fingerprint, by which it can
// be; with another certificate the token is never sent.
func TestCertificates(t *testing.T) {
	g := start(t, homeassistant.Options{})
	srv := httptest.NewUnstartedServer(g.sim)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	plain := g.url
	g.url = srv.URL
	_, problems := g.scan(t, adminToken, short)
	shown := fingerprint(srv.Certificate()).String()
	if len(problems) != 1 || problems[0].Stage != diag.StageHandshake || !strings.Contains(problems[0].Text, shown) {
		t.Fatal(lines(problems))
	}
	var err error
	if g.trust, err = ParseFingerprint("sha256 Fingerprint=" + strings.ToLower(shown)); err != nil {
		t.Fatal(err)
	}
	if reports, problems := g.scan(t, adminToken, short); len(reports) < 88 || len(problems) != 0 {
		t.Errorf("%d reports, %s", len(reports), lines(problems))
	}
	before := g.sim.Requests()["get_config"]
	g.trust[0]++
	if _, problems := g.scan(t, adminToken, short); len(problems) != 1 || !strings.Contains(problems[0].Text, "another certificate than the one that was trusted: now "+shown) {
		t.Error(lines(problems))
	}
	if g.sim.Requests()["get_config"] != before || g.sim.WrongLogins() != 0 {
		t.Error("the token went to a stranger")
	}
	// The wrong scheme, both ways.
	g.url = strings.Replace(srv.URL, "https:", "http:", 1)
	if _, problems := g.scan(t, adminToken, short); len(problems) != 1 {
		t.Error(lines(problems))
	}
	g.url = strings.Replace(plain, "http:", "https:", 1)
	if _, problems := g.scan(t, adminToken, short); len(problems) != 1 || problems[0].Text != "does not speak TLS" {
		t.Error(lines(problems))
	}
}

// FuzzConversation answers every command with the same bytes.
func FuzzConversation(f *testing.F) {
	for _, s := range []string{`null`, `[]`, `{"datasets":[{"dataset_id":"1"}],"tlv":"0e08","components":["matter"],"is_admin":true}`,
		`[{"entry_id":"a","domain":"matter","state":"loaded","id":"d","identifiers":[["matter","deviceid_00000000000000FF-0000000000000001-MatterNodeDevice"]],"entity_id":"sensor.x","device_id":"d","state":"5","attributes":{"device_class":"battery"}}]`,
		`{"nodes":[{"kind":"matter","node_id":1,"network_type":"thread","ext_address":"00000000000000FF"}]}`, `{"0000000000000001":{"active_dataset_tlvs":null}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/websocket" {
				w.Write(answer)
				return
			}
			ws, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer ws.CloseNow()
			say := func(s string) { ws.Write(r.Context(), websocket.MessageText, []byte(s)) }
			say(`{"type":"auth_required","ha_version":"x"}`)
			if _, _, err := ws.Read(r.Context()); err != nil {
				return
			}
			say(`{"type":"auth_ok","ha_version":"x"}`)
			for id := 1; ; id++ {
				if _, _, err := ws.Read(r.Context()); err != nil {
					return
				}
				say(fmt.Sprintf(`{"id":%d,"type":"result","success":true,"result":%s}`, id, answer))
				say(fmt.Sprintf(`{"id":%d,"type":"event","event":%s}`, id, answer))
			}
		}))
		defer srv.Close()
		token, err := ParseToken(adminToken)
		if err != nil {
			t.Fatal(err)
		}
		s := Source{Logins: func(string) (Login, bool) { return Login{Token: token}, true }, OnDataset: func(Dataset) {}, pace: pace{routers: time.Millisecond}}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, problems := diag.Collect(ctx, s.Probes(diag.Known{Endpoints: []diag.Endpoint{{Source: Name, URL: srv.URL}}}), nil)
		for _, p := range problems {
			if strings.Contains(p.Text, "internal error") || strings.ContainsAny(p.Text, "\n\r") {
				t.Errorf("%+v", p)
			}
		}
	})
}
