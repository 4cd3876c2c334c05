package homeassistant

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// elements calls each with every element of a JSON array, one after the other,
// so that a long one is never held in pieces all at once. Anything but an array
// has none.
func elements(raw []byte, each func(json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil
	}
	for d.More() {
		var e json.RawMessage
		if err := d.Decode(&e); err != nil {
			return errGarbage
		}
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

// rows decodes the elements of a JSON array, at most most of them. What does not
// fit T costs itself: T's fields are optional and of types that take anything.
func rows[T any](raw json.RawMessage, most int) (out []T, dropped int) {
	_ = elements(raw, func(e json.RawMessage) error { // part of an answer that was valid JSON
		var v T
		if len(out) >= most || json.Unmarshal(e, &v) != nil {
			dropped++
			return nil
		}
		out = append(out, v)
		return nil
	})
	return out, dropped
}

// A text is a JSON string; anything else is "".
type text string

// UnmarshalJSON never fails: what is no string is no text.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = text(clip(str(b), 256))
	return nil
}

// str decodes a JSON string, "" for anything else.
func str(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// clip makes one line of s: valid UTF-8 of at most most octets, without control
// characters.
func clip(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.TrimSpace(s)
	if len(s) <= most {
		return s
	}
	for !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
