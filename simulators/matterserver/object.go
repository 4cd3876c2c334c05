package matterserver

import (
	"bytes"
	"encoding/json"
)

// An object is a JSON object whose keys stay in the order of the captures.
type object []field

type field struct {
	key   string
	value any
}

// MarshalJSON writes the keys in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(f.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(f.value)
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

// encode is v as JSON: integers of 64 bits as bare numbers, octets in base64.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte("null") // our own types marshal
	}
	return b
}
