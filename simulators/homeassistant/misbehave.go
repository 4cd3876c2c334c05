package homeassistant

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
)

// A Misbehaviour is what a broken or hostile Home Assistant does with a command.
type Misbehaviour uint8

// The misbehaviours.
const (
	Behave     Misbehaviour = iota
	Hang                    // no answer
	Garbage                 // text that is no JSON
	Huge                    // an answer of 100 MB
	Drop                    // the connection is cut in the middle of the answer
	WrongTypes              // a result of other kinds
	Deep                    // a hundred thousand brackets
	Quote                   // the client's token in all texts of the answer
	Redirect                // of "connect": to another host
	Refuse                  // the error "unknown_error"
)

// hugeSize is what Huge sends at least, in octets.
const hugeSize = 100 << 20

func (c *session) misbehave(ctx context.Context, m Misbehaviour, a object) {
	switch m {
	case Garbage:
		c.write(ctx, []byte("<html>502 Bad Gateway</html>"))
	case Huge:
		c.huge(ctx, `{"id":1,"type":"result","success":true,"result":"`)
	case Drop:
		w, err := c.ws.Writer(ctx, 1) // a text message
		if err == nil {
			b := encode(a)
			_, _ = w.Write(b[:len(b)/2])
		}
		c.ws.CloseNow()
	case WrongTypes:
		a["result"] = wrong(decode(a["result"]))
		c.send(ctx, a)
	case Deep:
		c.write(ctx, []byte(`{"id":1,"result":`+strings.Repeat("[", 100000)))
	case Quote:
		c.write(ctx, encode(quote(decode(a), c.token)))
	case Refuse:
		c.send(ctx, object{"id": a["id"], "type": "result", "success": false, "error": object{"code": "unknown_error", "message": "Traceback: token=" + c.token}})
	default:
		c.send(ctx, a)
	}
}

// decode makes plain values of v.
func decode(v any) any {
	d := json.NewDecoder(bytes.NewReader(encode(v)))
	d.UseNumber()
	var out any
	if d.Decode(&out) != nil {
		return nil
	}
	return out
}

// wrong turns every leaf of a value into one of another type.
func wrong(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = wrong(e)
		}
		return v
	case []any:
		for i, e := range v {
			v[i] = wrong(e)
		}
		return v
	case string:
		return -1.5
	case json.Number:
		return []any{v.String()}
	case bool:
		return "maybe"
	}
	return map[string]any{}
}

// quote puts the token into names and texts.
func quote(v any, token string) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			switch k {
			case "name", "name_by_user", "model", "network_name", "message", "version":
				if s, ok := e.(string); ok {
					v[k] = s + " " + token
					continue
				}
			}
			v[k] = quote(e, token)
		}
		return v
	case []any:
		for i, e := range v {
			v[i] = quote(e, token)
		}
		return v
	}
	return v
}
