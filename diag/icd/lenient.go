package icd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// TXT are the pairs of a TXT record. In files a value may also be a number, as
// tools write it that know the keys, or null for a key without a value.
type TXT map[string]string

// UnmarshalJSON takes strings, numbers, true and false, and null.
func (t *TXT) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	if raw == nil {
		*t = nil
		return nil
	}
	m := make(TXT, len(raw))
	for k, v := range raw {
		v = bytes.TrimSpace(v)
		switch v[0] {
		case '"':
			var s string
			if err := json.Unmarshal(v, &s); err != nil {
				return err
			}
			m[k] = s
		case '{', '[':
			return fmt.Errorf("TXT key %q: want a string", quote(k))
		case 'n':
			m[k] = ""
		case 't':
			m[k] = "1"
		case 'f':
			m[k] = "0"
		default:
			m[k] = string(v)
		}
	}
	*t = m
	return nil
}

// maxMends is how many fields of one line may be of a kind that others write.
const maxMends = 8

// mend rewrites the field that could not be read: a number where this package
// has a string (an RLOC16, which is then written in hexadecimal), or a string of
// digits where it has a number, as writers do whose numbers end at 2^53. It
// returns nil where the line can't be mended.
func mend(line []byte, err error) []byte {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) || wrong.Field == "" || strings.Contains(wrong.Field, ".") {
		return nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(line, &fields) != nil {
		return nil
	}
	raw := bytes.TrimSpace(fields[wrong.Field])
	switch {
	case len(raw) == 0:
		return nil
	case raw[0] == '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return nil
		}
		if _, err := strconv.ParseUint(s, 0, 64); err != nil {
			return nil
		}
		n, _ := strconv.ParseUint(s, 0, 64)
		fields[wrong.Field] = strconv.AppendUint(nil, n, 10)
	default:
		n, err := strconv.ParseUint(string(raw), 10, 64)
		if err != nil {
			return nil
		}
		s := string(raw)
		if n <= 0xffff && (wrong.Field == "rloc16" || wrong.Field == "parent") {
			s = fmt.Sprintf("0x%04x", n)
		}
		fields[wrong.Field], _ = json.Marshal(s)
	}
	out, err2 := json.Marshal(fields)
	if err2 != nil || bytes.Equal(out, line) {
		return nil
	}
	return out
}
