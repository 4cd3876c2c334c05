package wsdoc

import (
	"encoding/json"
	"errors"
	"strings"

	"threadmap/diag"
)

// A Message is one frame that a Matter server sent: one of its greeting, an
// answer, a refusal, or an event.
type Message struct {
	Greeting *Greeting
	ID       string          // of the request that it answers
	Result   json.RawMessage // of an answer
	Refusal  *Refusal
	Event    string
}

// A Greeting is what a server says of itself, unasked, when a client connects.
type Greeting struct {
	Fabric uint64           // compressed fabric id; 0: not said
	Schema diag.Opt[uint64] // version of the API
	SDK    string           // what it runs on, as it says
}

// JS reports whether the server is the one on matter.js.
func (g Greeting) JS() bool { return strings.Contains(g.SDK, "matter.js") }

// A Refusal is an error answer.
type Refusal struct {
	Code    uint64
	Details string // one short line
}

// Error codes, of both servers.
const (
	CodeUnknown        = 0 // whatever went wrong inside
	CodeNotReady       = 3 // the node is not available
	CodeNotResolving   = 4 // no session with the node could be made
	CodeNoSuchNode     = 5
	CodeStack          = 7 // of the Matter stack; also: nothing was read
	CodeArguments      = 8
	CodeUnknownCommand = 9
)

var errNoMessage = errors.New("is no message of a Matter server")

// ErrCutShort is of a message that ends in the middle.
var ErrCutShort = errors.New("ends in the middle")

// Parse reads one frame. Its result is not looked into.
func Parse(b []byte) (Message, error) {
	var m struct {
		ID      json.RawMessage `json:"message_id"`
		Result  json.RawMessage `json:"result"`
		Code    json.RawMessage `json:"error_code"`
		Details json.RawMessage `json:"details"`
		Event   json.RawMessage `json:"event"`

		Schema json.RawMessage `json:"schema_version"`
		Fabric json.RawMessage `json:"compressed_fabric_id"`
		SDK    json.RawMessage `json:"sdk_version"`
	}
	var bad *json.SyntaxError
	switch err := json.Unmarshal(b, &m); {
	case errors.As(err, &bad) && len(b) > 0 && b[0] == '{' && bad.Offset >= int64(len(b)):
		return Message{}, ErrCutShort
	case err != nil:
		return Message{}, errNoMessage
	}
	id := text(m.ID, 64)
	switch {
	case id != "" && m.Code != nil:
		code, ok := exactUint(m.Code)
		if !ok {
			return Message{}, errNoMessage
		}
		return Message{ID: id, Refusal: &Refusal{code, clip(text(m.Details, 4096))}}, nil
	case id != "":
		return Message{ID: id, Result: m.Result}, nil
	case m.Event != nil:
		return Message{Event: text(m.Event, 64)}, nil
	case m.Schema != nil || m.SDK != nil:
		g := &Greeting{SDK: text(m.SDK, 128)}
		if v, ok := exactUint(m.Schema); ok {
			g.Schema = diag.Some(v)
		}
		g.Fabric, _ = exactUint(m.Fabric)
		return Message{Greeting: g}, nil
	}
	return Message{}, errNoMessage
}

// clip shortens what a server explains: it may quote a whole stack trace.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
