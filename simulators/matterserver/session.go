package matterserver

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/coder/websocket"
)

// Bounds of what a client may do.
const (
	maxCommand   = 64 << 10 // octets
	maxUnderWay  = 256      // commands
	maxDifferent = 100      // names of commands that are counted
)

// A session is one client's connection.
type session struct {
	s      *Server
	ws     *websocket.Conn
	cancel context.CancelFunc
}

// serve greets, and then answers commands side by side, until the client goes.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ws.SetReadLimit(maxCommand)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := &session{s: s, ws: ws, cancel: cancel}
	var under sync.WaitGroup
	defer under.Wait()
	defer s.listen(c, false)
	defer cancel()
	under.Go(func() { c.send(ctx, "greeting", 0, s.greeting()) })
	slots := make(chan struct{}, maxUnderWay)
	for {
		kind, b, err := ws.Read(ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageText {
			continue
		}
		var q request
		if json.Unmarshal(b, &q) != nil {
			return
		}
		s.mu.Lock()
		if len(s.requests) < maxDifferent || s.requests[q.Command] > 0 {
			s.requests[q.Command]++
		}
		s.mu.Unlock()
		slots <- struct{}{}
		under.Go(func() {
			defer func() { <-slots }()
			c.send(ctx, q.Command, q.Args.Node, s.answer(ctx, &q))
			if q.Command == "start_listening" {
				s.listen(c, true)
			}
		})
	}
}

// A request is a command of a client.
type request struct {
	ID      string `json:"message_id"`
	Command string `json:"command"`
	Args    struct {
		Node  uint64          `json:"node_id"`
		Path  json.RawMessage `json:"attribute_path"`
		Avail bool            `json:"only_available"`
	} `json:"args"`
}

// send sends an answer, or does what the misbehaviour says. A nil answer is
// none.
func (c *session) send(ctx context.Context, command string, node uint64, answer object) {
	if m := c.s.o.Misbehave; m != nil {
		if how := m(command, node); how != Behave {
			c.misbehave(ctx, how, answer)
			return
		}
	}
	if answer != nil {
		c.ws.Write(ctx, websocket.MessageText, encode(answer)) // the client may be gone; nothing to do about it
	}
}
