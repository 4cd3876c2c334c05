package homeassistant

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"threadmap/diag"
)

// Bounds of one conversation.
const (
	maxMessage = 32 << 20  // octets of one message: the registries of a large home have 5 MB
	maxTotal   = 256 << 20 // octets of all messages
	maxBatch   = 10000     // messages in one
)

const socketPath = "/api/websocket"

// A socket is a conversation with Home Assistant's WebSocket API after the
// token was accepted. Commands may be asked side by side.
type socket struct {
	c       *client
	ws      *websocket.Conn
	version string // of Home Assistant
	stop    context.CancelFunc
	over    chan struct{} // closed when nothing more will be read

	sending sync.Mutex // ids go up on the wire
	mu      sync.Mutex
	last    int // id
	waiting map[int]chan message
	events  map[int]func(json.RawMessage)
	why     *failure // the conversation ended before its time
}

// A message is what the server says.
type message struct {
	ID        json.RawMessage `json:"id"`
	Type      string          `json:"type"`
	Success   bool            `json:"success"`
	Result    json.RawMessage `json:"result"`
	Event     json.RawMessage `json:"event"`
	Error     json.RawMessage `json:"error"`
	HAVersion json.RawMessage `json:"ha_version"`
	Message   json.RawMessage `json:"message"`
}

// connect opens a socket and hands over the token, once.
func (c *client) connect(ctx context.Context) (*socket, error) {
	if c.login.Token.Refused() {
		return nil, &failure{stage: diag.StageHandshake, text: "refused this token before, so it is not tried again: Home Assistant bans who does", hint: tokenHint, fatal: true}
	}
	limit := cmp.Or(c.pace.greet, connectWithin+authWithin)
	inner, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ws, resp, err := websocket.Dial(inner, c.at.String()+socketPath, &websocket.DialOptions{HTTPClient: c.http})
	if err != nil {
		if resp != nil && resp.StatusCode != 101 {
			return nil, c.status(resp.StatusCode, socketPath)
		}
		return nil, c.explain(ctx, err, socketPath, limit)
	}
	ws.SetReadLimit(maxMessage)
	s := &socket{c: c, ws: ws, over: make(chan struct{}), waiting: map[int]chan message{}, events: map[int]func(json.RawMessage){}}
	if err := s.authenticate(inner); err != nil {
		ws.CloseNow()
		var f *failure
		if !errors.As(err, &f) {
			f = c.explain(ctx, err, "the handshake", limit)
		}
		return nil, f
	}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx)) // ended by close, after what was asked has come
	s.stop = stop
	go s.read(reading)
	return s, nil
}

var errNoHandshake = &failure{stage: diag.StageHandshake, text: "does not greet as Home Assistant does", hint: "is this Home Assistant?", fatal: true}

// authenticate is the phase without ids: auth_required, auth, auth_ok.
func (s *socket) authenticate(ctx context.Context) error {
	hello, err := s.next(ctx)
	if err != nil {
		return err
	}
	if hello.Type != "auth_required" {
		return errNoHandshake
	}
	auth, err := json.Marshal(struct {
		Type  string `json:"type"`
		Token string `json:"access_token"`
	}{"auth", s.c.login.Token.Text()})
	if err != nil {
		return err
	}
	err = s.ws.Write(ctx, websocket.MessageText, auth)
	clear(auth)
	if err != nil {
		return err
	}
	answer, err := s.next(ctx)
	if err != nil {
		return err
	}
	switch answer.Type {
	case "auth_ok":
		s.version = clip(str(answer.HAVersion), 40)
		return nil
	case "auth_invalid":
		s.c.login.Token.Refuse()
		text := "refused the token"
		if m := clip(str(answer.Message), 120); m != "" {
			text += ": " + m
		}
		return &failure{stage: diag.StageHandshake, text: text, hint: "it is not tried again, since Home Assistant bans who does; " + tokenHint, code: "auth_invalid", fatal: true}
	}
	return errNoHandshake
}

// next reads one message of the handshake.
func (s *socket) next(ctx context.Context) (m message, err error) {
	_, b, err := s.ws.Read(ctx)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(s.c.login.Token.scrub(b), &m); err != nil {
		return m, errNoHandshake
	}
	return m, nil
}

// read passes on what the server says, until it is over.
func (s *socket) read(ctx context.Context) {
	defer close(s.over)
	total := 0
	for {
		_, b, err := s.ws.Read(ctx)
		if err == nil {
			if total += len(b); total > maxTotal {
				err = &failure{stage: diag.StageParse, text: fmt.Sprintf("answered more than %d MiB in all", maxTotal>>20)}
			} else {
				err = s.dispatch(s.c.login.Token.scrub(b))
				clear(b) // the parts that are waited for are copies; a dataset may be among them
			}
		}
		if err != nil {
			f := s.c.explain(context.Background(), err, "the conversation", 0)
			f.fatal = true
			s.mu.Lock()
			s.why = f
			s.mu.Unlock()
			return
		}
	}
}

var errGarbage = &failure{stage: diag.StageParse, text: "sent something that is no message of Home Assistant", hint: "is this Home Assistant?"}

// dispatch takes in one frame: a message or an array of messages.
func (s *socket) dispatch(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) == 0 || b[0] != '[' {
		return s.take(b)
	}
	n := 0
	return elements(b, func(raw json.RawMessage) error {
		if n++; n > maxBatch {
			return errGarbage
		}
		return s.take(raw)
	})
}

func (s *socket) take(b []byte) error {
	var m message
	if json.Unmarshal(b, &m) != nil {
		return errGarbage
	}
	id, err := strconv.Atoi(string(m.ID))
	if err != nil {
		return nil // of no request of ours
	}
	s.mu.Lock()
	wait, event := s.waiting[id], s.events[id]
	if m.Type != "event" {
		delete(s.waiting, id)
	}
	if m.Type == "result" && !m.Success {
		delete(s.events, id) // what was refused has no events, whatever comes
	}
	s.mu.Unlock()
	switch {
	case m.Type == "event" && event != nil:
		event(m.Event)
	case m.Type == "result" && wait != nil:
		wait <- m // has room for it
	}
	return nil
}

// call asks one command and waits for its result. A command that is not answered
// in time costs itself.
func (s *socket) call(ctx context.Context, command string, fields map[string]any, limit time.Duration) (json.RawMessage, error) {
	return s.ask(ctx, command, fields, limit, nil)
}

// ask is call with, where event is not nil, what is done with every event that
// follows; it is called by the reader, one call at a time.
func (s *socket) ask(ctx context.Context, command string, fields map[string]any, limit time.Duration, event func(json.RawMessage)) (json.RawMessage, error) {
	limit = s.c.pace.scale(limit)
	wait := make(chan message, 1)
	id, err := s.send(ctx, command, fields, limit, wait, event)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var m message
	select {
	case m = <-wait:
	case <-s.over:
		select { // it may have come before the end
		case m = <-wait:
		default:
			return nil, s.ended()
		}
	case <-timer.C:
		s.forget(id)
		return nil, &failure{stage: diag.StageAsk, text: fmt.Sprintf("did not answer %s within %v", command, limit)}
	case <-ctx.Done():
		s.forget(id)
		return nil, &failure{stage: diag.StageAsk, text: fmt.Sprintf("was still busy with %s when the time was over", command), fatal: true}
	}
	if m.Success {
		return m.Result, nil
	}
	var e struct {
		Code json.RawMessage `json:"code"`
	}
	_ = json.Unmarshal(m.Error, &e) // another shape: no code
	return nil, s.refusal(command, code(e.Code))
}

// refusal makes a failure of an error code. The message beside it is not quoted:
// it may quote the request.
func (s *socket) refusal(command, code string) *failure {
	f := &failure{stage: diag.StageAsk, code: code}
	switch code {
	case "unauthorized":
		f.text, f.hint = "lets only an administrator ask "+command, "log in with a token of an administrator"
	case "unknown_command":
		f.text, f.hint = fmt.Sprintf("does not know %s (version %s)", command, or(s.version, "unknown")), "the integration is not loaded, or Home Assistant is too old for it"
	case "not_loaded":
		f.text, f.hint = "can't answer "+command+": the integration is not loaded", "look at it in Home Assistant's settings"
	default:
		f.text = fmt.Sprintf("answered %s with the error %s", command, or(code, "without a code"))
	}
	return f
}

// code reads an error code, a word or the number of the Matter server.
func code(raw json.RawMessage) string {
	s := clip(strings.Trim(string(raw), `"`), 40)
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_0123456789") != "" {
		return "with a strange code"
	}
	return s
}

// send writes one request.
func (s *socket) send(ctx context.Context, command string, fields map[string]any, limit time.Duration, wait chan message, event func(json.RawMessage)) (int, error) {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.mu.Lock()
	s.last++
	id := s.last
	s.waiting[id] = wait
	if event != nil {
		s.events[id] = event
	}
	s.mu.Unlock()
	request := map[string]any{"id": id, "type": command}
	maps.Copy(request, fields)
	b, err := json.Marshal(request)
	if err != nil {
		return id, err
	}
	inner, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := s.ws.Write(inner, websocket.MessageText, b); err != nil {
		s.forget(id)
		if f := s.ended(); f != nil {
			return id, f
		}
		f := s.c.explain(ctx, err, command, limit)
		f.fatal = true
		return id, f
	}
	return id, nil
}

func (s *socket) forget(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, id)
	delete(s.events, id)
}

// ended is why the conversation ended, an untyped nil while it has not.
func (s *socket) ended() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why == nil {
		return nil
	}
	return s.why
}

// close ends the conversation and waits for the reader. Saying goodbye would let
// a server that does not answer hold us up.
func (s *socket) close() {
	s.stop()
	s.ws.CloseNow()
	<-s.over
}
