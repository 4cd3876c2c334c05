package homeassistant

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Bounds of what a client may do.
const (
	maxCommand  = 64 << 10         // octets
	maxUnderWay = 256              // commands
	maxAuth     = 10 * time.Second // until the token is there
)

// A session is one client's conversation.
type session struct {
	s     *Server
	ws    *websocket.Conn
	user  User
	token string
}

// An object is a JSON object.
type object map[string]any

func (s *Server) websocket(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ws.SetReadLimit(maxCommand)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c := &session{s: s, ws: ws}
	if !c.authenticate(ctx) {
		return
	}
	var under sync.WaitGroup
	defer under.Wait()
	defer c.unfollow()
	defer cancel()
	slots, last := make(chan struct{}, maxUnderWay), 0
	for {
		_, b, err := ws.Read(ctx)
		if err != nil {
			return
		}
		var q request
		if json.Unmarshal(b, &q) != nil || json.Unmarshal(b, &q.fields) != nil {
			return
		}
		s.count(q.Type)
		if q.ID <= last {
			c.send(ctx, q.fail("id_reuse", "Identifier values have to increase."))
			continue
		}
		last = q.ID
		slots <- struct{}{}
		under.Go(func() {
			defer func() { <-slots }()
			c.answer(ctx, &q)
		})
	}
}

// authenticate is the phase without ids.
func (c *session) authenticate(ctx context.Context) bool {
	inner, cancel := context.WithTimeout(ctx, maxAuth)
	defer cancel()
	switch c.s.misbehaviour("auth") {
	case Hang:
		_, _, _ = c.ws.Read(ctx) // until the client goes
		return false
	case Garbage:
		c.write(ctx, []byte("<html>log in</html>"))
	case Huge:
		c.huge(ctx, `{"type":"auth_required","x":"`)
		return false
	case Drop:
		return false
	}
	c.send(inner, object{"type": "auth_required", "ha_version": c.s.o.Version})
	_, b, err := c.ws.Read(inner)
	var q struct {
		Type  string `json:"type"`
		Token string `json:"access_token"`
	}
	if err != nil || json.Unmarshal(b, &q) != nil {
		return false
	}
	user, ok := c.s.user(q.Token)
	if c.token = q.Token; !ok || q.Type != "auth" {
		c.s.wrongLogin()
		text := "Invalid access token or password"
		if c.s.misbehaviour("auth") == Quote {
			text = "Unknown token " + q.Token
		}
		c.send(inner, object{"type": "auth_invalid", "message": text})
		return false
	}
	c.user = user
	c.send(inner, object{"type": "auth_ok", "ha_version": c.s.o.Version})
	return true
}

// A request is a command of a client.
type request struct {
	ID       int    `json:"id"`
	Type     string `json:"type"`
	Domain   string `json:"domain"`
	Device   string `json:"device_id"`
	Dataset  string `json:"dataset_id"`
	Endpoint string `json:"endpoint"`
	fields   map[string]json.RawMessage
}

func (q *request) ok(result any) object {
	return object{"id": q.ID, "type": "result", "success": true, "result": result}
}

func (q *request) fail(code, text string) object {
	return object{"id": q.ID, "type": "result", "success": false, "error": object{"code": code, "message": text}}
}

func (c *session) answer(ctx context.Context, q *request) {
	m := c.s.misbehaviour(q.Type)
	if m == Hang {
		return
	}
	a, then := c.do(ctx, q)
	c.misbehave(ctx, m, a)
	if then != nil && a["success"] == true {
		then()
	}
}

// send writes a message, as others can be under way: the WebSocket takes one at
// a time.
func (c *session) send(ctx context.Context, a object) {
	b := encode(a)
	if c.s.o.Arrays && a["id"] != nil {
		b = append(append([]byte("["), b...), ']')
	}
	c.write(ctx, b)
}

func (c *session) write(ctx context.Context, b []byte) {
	_ = c.ws.Write(ctx, websocket.MessageText, b) // the client may be gone; nothing to do about it
}

// huge sends more than any client should take, in pieces of one message.
func (c *session) huge(ctx context.Context, begin string) {
	w, err := c.ws.Writer(ctx, websocket.MessageText)
	if err != nil {
		return
	}
	piece := []byte(begin)
	more := bytes.Repeat([]byte("a"), 1<<20)
	for sent := 0; sent < hugeSize; sent += len(piece) {
		if _, err := w.Write(piece); err != nil {
			return
		}
		piece = more
	}
	_, _ = w.Write([]byte(`"}`))
	_ = w.Close()
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte("null") // our own types marshal
	}
	return b
}

// hex of a key or an address in the case of Home Assistant: lower.
func lower(s string) string { return strings.ToLower(s) }
