package otbr

import (
	"bytes"
	"encoding/json"
	"strconv"
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

// only keeps the fields that keep says.
func (o object) only(keep func(key string) bool) object {
	out := object{}
	for _, f := range o {
		if keep(f.key) {
			out = append(out, f)
		}
	}
	return out
}

// A share is a number from 0 to 1, printed as the border router prints it: 15
// digits, 17 where those don't say it exactly.
type share float64

// MarshalJSON writes the digits.
func (f share) MarshalJSON() ([]byte, error) {
	s := strconv.FormatFloat(float64(f), 'g', 15, 64)
	if back, err := strconv.ParseFloat(s, 64); err != nil || back != float64(f) {
		s = strconv.FormatFloat(float64(f), 'g', 17, 64)
	}
	return []byte(s), nil
}

// pretty is the document with tabs, as the border router sends most of them.
func pretty(v any) []byte {
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return []byte("null") // our own types marshal
	}
	return b
}
