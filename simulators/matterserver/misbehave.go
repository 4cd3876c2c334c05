package matterserver

import (
	"bytes"
	"context"
	"strings"

	"github.com/coder/websocket"
)

// A Misbehaviour is what a broken or hostile server does with a command.
type Misbehaviour uint8

// The misbehaviours.
const (
	Behave     Misbehaviour = iota
	Hang                    // no answer
	Garbage                 // text that is no JSON
	NotObject               // JSON that is no message
	Huge                    // an answer of 100 MB
	Drop                    // the connection is cut in the middle of the answer
	WrongTypes              // a result of another kind
	Deep                    // ten thousand brackets and more
	Binary                  // the answer in a binary frame
	Shutdown                // the server says that it shuts down, and does
	Abort                   // error 0, "Operation aborted", after Options.AbortAfter
	Echo                    // the answer ten times, among events that nobody asked for
)

// hugeSize is what Huge sends at least, in octets.
const hugeSize = 100 << 20

func (c *session) misbehave(ctx context.Context, m Misbehaviour, answer object) {
	write := func(kind websocket.MessageType, b []byte) {
		c.ws.Write(ctx, kind, b) // the client may be gone; nothing to do about it
	}
	id := ""
	for _, f := range answer {
		if f.Key == "message_id" {
			id, _ = f.Value.(string)
		}
	}
	switch m {
	case Hang:
	case Garbage:
		write(websocket.MessageText, []byte("<!DOCTYPE html><title>Router</title>"))
	case NotObject:
		write(websocket.MessageText, []byte(`[1,2,3]`))
	case Huge:
		w, err := c.ws.Writer(ctx, websocket.MessageText)
		if err != nil {
			return
		}
		chunk := bytes.Repeat([]byte(`{"node_id":29,"attributes":{"0/53/1":5}},`), 1000)
		w.Write([]byte(`{"message_id":"` + id + `","result":[`))
		for sent := 0; sent < hugeSize; sent += len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
		w.Write([]byte(`{}]}`))
		w.Close()
	case Drop:
		b := encode(answer)
		if w, err := c.ws.Writer(ctx, websocket.MessageText); err == nil {
			w.Write(b[:len(b)/2])
		}
		c.ws.CloseNow()
	case WrongTypes:
		write(websocket.MessageText, encode(object{{"message_id", id}, {"result", object{{"node_id", "x"}, {"attributes", 7}}}}))
	case Deep:
		write(websocket.MessageText, []byte(`{"message_id":"`+id+`","result":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)+`}`))
	case Binary:
		write(websocket.MessageBinary, encode(answer))
	case Shutdown:
		write(websocket.MessageText, encode(object{{"event", "server_shutdown"}, {"data", object{}}}))
		c.ws.Close(websocket.StatusGoingAway, "server shutting down")
	case Abort:
		if wait(ctx, c.s.o.AbortAfter) == nil {
			write(websocket.MessageText, encode(object{{"message_id", id}, {"error_code", 0}, {"details", "Operation aborted"}}))
		}
	case Echo:
		for i := range 10 {
			write(websocket.MessageText, encode(object{{"event", "attribute_updated"}, {"data", []any{29, "0/53/1", i}}}))
			write(websocket.MessageText, encode(answer))
		}
	}
}
