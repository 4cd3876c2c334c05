package homeassistant

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/coder/websocket"

	"threadmap/diag"
	"threadmap/diag/internal/apiurl"
)

// The Matter server as an app of Home Assistant OS and Supervised.
const (
	matterServerInfo = "/addons/core_matter_server/info"
	ingressSession   = "/ingress/session"
	ingressBegin     = "/api/hassio_ingress/"
)

// MatterServer is a way to the WebSocket of the Matter server that is an app of
// the Home Assistant at url and whose port is closed: through Home Assistant's
// ingress, by which its own dashboard gets there, opened with the same token.
// The func is one that dials; it ignores the URL it is given. Its errors are
// [diag.Problem]s.
//
// The path and the cookie that open the ingress are secrets like the token: they
// are in no error. A session of the ingress outlives a scan, so it is not
// renewed. It follows Home Assistant's frontend and has not met a real one.
func (s Source) MatterServer(url string) func(ctx context.Context, _ string) (*websocket.Conn, error) {
	return func(ctx context.Context, _ string) (*websocket.Conn, error) {
		at, err := parseEndpoint(url)
		if err != nil {
			return nil, diag.Problem{Source: Name, Target: "unreadable URL", Stage: diag.StageResolve, Text: err.Error(), Hint: "give it as http://HOST:8123"}
		}
		ws, err := s.dialIngress(ctx, at)
		if err != nil {
			f := asFailure(err)
			return nil, diag.Problem{Source: Name, Target: at.String(), Stage: f.stage, Text: "Home Assistant " + f.text, Hint: f.hint}
		}
		return ws, nil
	}
}

func (s Source) dialIngress(ctx context.Context, at apiurl.URL) (*websocket.Conn, error) {
	login, ok := s.login(at)
	if !ok {
		return nil, &failure{stage: diag.StageHandshake, text: "wants a token", hint: "threadmap login ha " + at.String()}
	}
	c, done := s.newClient(at, login)
	defer done()
	path, cookie, err := s.openIngress(ctx, c)
	if err != nil {
		return nil, err
	}
	limit := c.pace.scale(connectWithin)
	inner, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	head := http.Header{"Cookie": {"ingress_session=" + cookie}, "User-Agent": {"threadmap"}}
	ws, resp, err := websocket.Dial(inner, at.String()+path+"ws", &websocket.DialOptions{HTTPClient: c.http, HTTPHeader: head})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			f := c.status(resp.StatusCode, "the way to its Matter server")
			if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusBadGateway {
				f.text, f.hint = "does not open the way to its Matter server", "publish port 5580 of the Matter server in its settings, and log in to it by that"
			}
			return nil, f
		}
		return nil, c.explain(ctx, err, "the way to its Matter server", limit)
	}
	return ws, nil
}

// openIngress asks for the path of the Matter server and for a session.
func (s Source) openIngress(ctx context.Context, c *client) (path, cookie string, err error) {
	conn, err := c.connect(ctx)
	if err != nil {
		s.refused(c.at, err)
		return "", "", err
	}
	defer conn.close()
	app, err := conn.matterServer(ctx)
	if err != nil {
		return "", "", err
	}
	raw, err := conn.supervisor(ctx, ingressSession, "post")
	if err != nil {
		return "", "", err
	}
	var answer struct {
		Session string `json:"session"`
	}
	_ = json.Unmarshal(raw, &answer) // another shape has none
	clear(raw)
	if !isEntryID(answer.Session) && !isHex(answer.Session, 256) {
		return "", "", &failure{stage: diag.StageParse, text: "gives no session for its apps"}
	}
	return app.path, answer.Session, nil
}

// A serverApp is the Matter server as an app.
type serverApp struct {
	path string // under which the ingress serves it; a secret
	port uint16 // TCP; 0: closed
}

// matterServer asks for the Matter server among the apps.
func (s *socket) matterServer(ctx context.Context) (serverApp, error) {
	raw, err := s.supervisor(ctx, matterServerInfo, "get")
	if err != nil {
		return serverApp{}, err
	}
	var app struct {
		URL   string                     `json:"ingress_url"`
		State text                       `json:"state"`
		Ports map[string]json.RawMessage `json:"network"`
	}
	_ = json.Unmarshal(raw, &app)
	token, ok := strings.CutPrefix(app.URL, ingressBegin)
	token = strings.TrimSuffix(token, "/")
	switch {
	case app.State != "" && app.State != "started":
		return serverApp{}, &failure{stage: diag.StageAsk, text: "has a Matter server that is not running", hint: "start it in Home Assistant's settings"}
	case !ok || !isEntryID(token) && !isHex(token, 256):
		return serverApp{}, &failure{stage: diag.StageParse, text: "does not say how to get to its Matter server"}
	}
	port, err := strconv.ParseUint(string(app.Ports["5580/tcp"]), 10, 16) // null: closed
	if err != nil {
		port = 0
	}
	return serverApp{ingressBegin + token + "/", uint16(port)}, nil
}

// supervisor asks Home Assistant's supervisor, which manages its apps.
func (s *socket) supervisor(ctx context.Context, endpoint, method string) (json.RawMessage, error) {
	raw, err := s.call(ctx, "supervisor/api", map[string]any{"endpoint": endpoint, "method": method}, quickWithin)
	if f := asFailure(err); err != nil && f.code != "" {
		f := &failure{stage: diag.StageAsk, code: f.code, text: "has no Matter server among its apps, or does not let this user ask", hint: "is the Matter server an app of this Home Assistant?"}
		return nil, f
	}
	return raw, err
}

func isHex(s string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}
