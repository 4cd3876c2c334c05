// Package ordered writes JSON objects whose keys stand in the order in which a
// real server writes them, which a Go map would lose.
//
// The simulators of servers that answer with JSON build their documents of it.
package ordered

import (
	"bytes"
	"encoding/json"
)

// An Object is a JSON object with its members in order.
type Object []Field

// A Field is a member. It is an alias, so that a literal of another package
// may go without the names: Object{{"state", "leader"}}.
type Field = struct {
	Key   string
	Value any
}

// MarshalJSON writes the members in order.
func (o Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(f.Key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(f.Value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Only keeps the members that keep says.
func (o Object) Only(keep func(key string) bool) Object {
	out := Object{}
	for _, f := range o {
		if keep(f.Key) {
			out = append(out, f)
		}
	}
	return out
}
