package homeassistant

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"threadmap/simulators/matterserver"
	"threadmap/simulators/mesh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, o Options) (*Server, string) {
	t.Helper()
	home := mesh.HomeOf50(1)
	ms, err := matterserver.New(home, matterserver.Options{Session: IngressSession})
	if err != nil {
		t.Fatal(err)
	}
	o.MatterServer = ms
	o.Users = map[string]User{"admin": {"Anna", true}, "guest": {"Gus", false}}
	s, err := New(home, o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, srv.URL
}

// talk sends texts and returns what came: the greeting, and one answer each.
func talk(t *testing.T, url string, texts ...string) (out []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, url+"/api/websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	ws.SetReadLimit(16 << 20)
	read := func() {
		_, b, err := ws.Read(ctx)
		if err != nil {
			b = []byte("closed")
		}
		out = append(out, string(b))
	}
	read()
	for _, s := range texts {
		if err := ws.Write(ctx, websocket.MessageText, []byte(s)); err != nil {
			out = append(out, "closed")
			continue
		}
		read()
	}
	return out
}

// The handshake, the ids and the errors are those of Home Assistant.
func TestConversation(t *testing.T) {
	s, url := start(t, Options{Version: "2026.8.1"})
	for _, tt := range []struct {
		say  []string
		want []string
	}{
		{[]string{`{"type":"auth","access_token":"wrong"}`, `{"id":1,"type":"get_config"}`}, []string{`{"ha_version":"2026.8.1","type":"auth_required"}`, `{"message":"Invalid access token or password","type":"auth_invalid"}`, "closed"}},
		{[]string{`{"type":"auth","access_token":"guest"}`, `{"id":5,"type":"thread/list_datasets"}`, `{"id":5,"type":"ping"}`, `{"id":6,"type":"ping"}`, `{"id":7,"type":"no/such"}`}, []string{
			`{"ha_version":"2026.8.1","type":"auth_required"}`, `{"ha_version":"2026.8.1","type":"auth_ok"}`,
			`{"error":{"code":"unauthorized","message":"Unauthorized"},"id":5,"success":false,"type":"result"}`,
			`{"error":{"code":"id_reuse","message":"Identifier values have to increase."},"id":5,"success":false,"type":"result"}`,
			`{"id":6,"type":"pong"}`, `{"error":{"code":"unknown_command","message":"Unknown command."},"id":7,"success":false,"type":"result"}`}},
		{[]string{`{"type":"auth","access_token":"admin"}`, `{"id":1,"type":"config_entries/get","domain":"thread"}`}, []string{
			`{"ha_version":"2026.8.1","type":"auth_required"}`, `{"ha_version":"2026.8.1","type":"auth_ok"}`,
			`{"id":1,"result":[{"disabled_by":null,"domain":"thread","entry_id":"01JC0THREAD0ENTRY000000000","reason":null,"source":"import","state":"loaded","title":"Thread"}],"success":true,"type":"result"}`}},
	} {
		got := talk(t, url, tt.say...)
		for i := range tt.want {
			if got[i] != tt.want[i] {
				t.Errorf("%d of %q:\n%s\n%s", i, tt.say, got[i], tt.want[i])
			}
		}
	}
	if s.WrongLogins() != 1 || s.Requests()["ping"] != 2 || len(s.Writing()) != 0 {
		t.Errorf("%d wrong logins, %v", s.WrongLogins(), s.Requests())
	}
	talk(t, url, `{"type":"auth","access_token":"admin"}`, `{"id":1,"type":"otbr/create_network"}`)
	if w := s.Writing(); len(w) != 1 {
		t.Error("a command that changes something went unnoticed")
	}
}

// A download has the nodes of the Matter server, 64-bit integers exact, and is
// opened by the token only; the ingress by the cookie only.
func TestDownloadAndIngress(t *testing.T) {
	s, url := start(t, Options{})
	get := func(path, header, value string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(header, value)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	defer http.DefaultClient.CloseIdleConnections()
	const path = "/api/diagnostics/config_entry/"
	code, body := get(path+matterEntry, "Authorization", "Bearer guest")
	var doc struct {
		Manifest struct{ Domain string } `json:"integration_manifest"`
		Data     struct {
			Server struct {
				Info struct {
					CompressedFabricID uint64 `json:"compressed_fabric_id"`
				}
				Nodes []struct {
					NodeID     uint64 `json:"node_id"`
					Attributes map[string]json.RawMessage
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil || code != 200 || doc.Manifest.Domain != "matter" || len(doc.Data.Server.Nodes) != 44 ||
		doc.Data.Server.Info.CompressedFabricID != s.fabric || !strings.Contains(body, fmt.Sprintf(`"0/53/4":%d`, uint64(s.home.Networks[0].ExtPANID))) {
		t.Errorf("%d %v %.200s", code, err, body)
	}
	if strings.Index(body, "integration_manifest") > strings.Index(body, `"data"`) || strings.Index(body, "compressed_fabric_id") > strings.Index(body, "node_id") {
		t.Error("not in Home Assistant's order")
	}
	for _, tt := range []struct {
		path, header, value string
		want                int
	}{
		{path + threadEntry, "Authorization", "Bearer admin", 200}, {path + otbrEntry, "Authorization", "Bearer admin", 404}, {path + matterEntry, "Authorization", "Bearer x", 401},
		{"/api/hassio_ingress/" + IngressToken + "/health", "Cookie", "ingress_session=" + IngressSession, 200},
		{"/api/hassio_ingress/" + IngressToken + "/health", "Authorization", "Bearer admin", 401},
		{"/api/hassio_ingress/x/health", "Cookie", "ingress_session=" + IngressSession, 404}, {"/", "X", "y", 404},
	} {
		if code, _ := get(tt.path, tt.header, tt.value); code != tt.want {
			t.Errorf("%s with %s: %d, want %d", tt.path, tt.value, code, tt.want)
		}
	}
	if s.WrongLogins() != 1 {
		t.Errorf("%d wrong logins", s.WrongLogins())
	}
}
