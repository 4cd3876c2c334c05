package hadoc

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxMembers bounds the members of an object that is looked into.
const maxMembers = 1 << 16

var (
	errShape   = errors.New("not of the expected shape")
	errMembers = errors.New("more members than any document has")
)

func newDecoder(b []byte) *json.Decoder {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d
}

// members calls each with every member of the object that comes next. each must
// take in the value.
func members(d *json.Decoder, each func(key string, d *json.Decoder) error) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return errShape
	}
	return rest(d, each)
}

// rest is members behind the bracket.
func rest(d *json.Decoder, each func(key string, d *json.Decoder) error) error {
	for n := 0; d.More(); n++ {
		if n == maxMembers {
			return errMembers
		}
		t, err := d.Token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return errShape
		}
		if err := each(key, d); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// inside is members for a value that need not be an object: blanked out, or an
// error text. Such a value is passed over.
func inside(d *json.Decoder, each func(key string, d *json.Decoder) error) error {
	t, err := d.Token()
	switch {
	case err != nil:
		return err
	case t == json.Delim('{'):
		return rest(d, each)
	case t == json.Delim('['):
		return restOfArray(d, skip)
	}
	return nil
}

// elements calls each before every element of the array that comes next; other
// values are passed over.
func elements(d *json.Decoder, each func(d *json.Decoder) error) error {
	t, err := d.Token()
	switch {
	case err != nil:
		return err
	case t == json.Delim('['):
		return restOfArray(d, each)
	case t == json.Delim('{'):
		return rest(d, func(_ string, d *json.Decoder) error { return skip(d) })
	}
	return nil
}

func restOfArray(d *json.Decoder, each func(d *json.Decoder) error) error {
	for d.More() {
		if err := each(d); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func skip(d *json.Decoder) error {
	var raw json.RawMessage
	return d.Decode(&raw)
}

// decode takes in the next value. One of another shape leaves v as far as it
// fits; only broken JSON is an error.
func decode(d *json.Decoder, v any) error {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return err
	}
	_ = json.Unmarshal(raw, v) // valid JSON: what does not fit is unknown
	return nil
}

// blank is what Home Assistant, or a person, writes over a value.
const blank = "**REDACTED**"

// A text is a JSON string; anything else, and what is blanked out, is "".
type text string

// UnmarshalJSON never fails: what is no string is no text.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil || s == blank {
		s = ""
	}
	*t = text(clip(s))
	return nil
}

// clip makes a name of s: valid UTF-8 of at most 256 octets.
func clip(s string) string {
	const most = 256
	s = strings.TrimSpace(strings.ToValidUTF8(s, ""))
	for len(s) > most {
		_, n := utf8.DecodeLastRuneInString(s[:most+1])
		s = s[:most+1-n]
	}
	return s
}

// exactUint reads an integer of up to 64 bits, also one in quotes, without going
// through a float.
func exactUint(raw json.RawMessage) (uint64, bool) {
	v, err := strconv.ParseUint(string(bytes.Trim(raw, "\" \t\r\n")), 10, 64)
	return v, err == nil
}
