package canary

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"unicode/utf8"

	"threadmap/tlv"
)

// Bounds of a value in an observation, whose line has one of its own.
const (
	maxValue    = 8 << 10
	maxElements = 2048
)

var errLarge = errors.New("the value is too large for an observation")

// jsonOf is one TLV element in the form of observations: octet strings in base64,
// structures as objects by tag.
func jsonOf(element []byte) (json.RawMessage, error) {
	d := tlv.NewDecoder(element)
	w := writer{d: &d, left: maxElements}
	if !d.Next() {
		return nil, errors.Join(errors.New("there is no value"), d.Err())
	}
	w.element()
	switch {
	case d.Err() != nil:
		return nil, d.Err()
	case w.left < 0 || len(w.b) > maxValue:
		return nil, errLarge
	}
	return w.b, nil
}

type writer struct {
	d    *tlv.Decoder
	b    []byte
	left int
}

func (w *writer) element() {
	if w.left--; w.left < 0 || len(w.b) > maxValue {
		w.d.Fail(errLarge)
		return
	}
	switch w.d.Kind() {
	case tlv.Uint:
		w.b = strconv.AppendUint(w.b, w.d.Uint(), 10)
	case tlv.Int:
		w.b = strconv.AppendInt(w.b, w.d.Int(), 10)
	case tlv.Bool:
		w.b = strconv.AppendBool(w.b, w.d.Bool())
	case tlv.Float32, tlv.Float64:
		if f := w.d.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			w.b = append(w.b, "null"...)
		} else {
			w.b = strconv.AppendFloat(w.b, f, 'g', -1, 64)
		}
	case tlv.Text:
		t := w.d.Text()
		if len(t) > maxValue || !utf8.Valid(t) {
			t = nil
		}
		w.text(string(t))
	case tlv.Octets:
		o := w.d.Octets()
		if len(o) > maxValue {
			o = nil
			w.d.Fail(errLarge)
		}
		w.text(base64.StdEncoding.EncodeToString(o))
	case tlv.Struct:
		w.container('{', '}')
	case tlv.Array, tlv.List:
		w.container('[', ']')
	default:
		w.b = append(w.b, "null"...)
	}
}

func (w *writer) text(s string) {
	b, err := json.Marshal(s)
	if err != nil {
		w.d.Fail(err)
		return
	}
	w.b = append(w.b, b...)
}

func (w *writer) container(open, shut byte) {
	w.b = append(w.b, open)
	first := true
	w.d.Enter()
	for w.d.Next() {
		n, ok := w.d.Tag().Context()
		if open == '{' && !ok { // a vendor's
			continue
		}
		if !first {
			w.b = append(w.b, ',')
		}
		first = false
		if open == '{' {
			w.b = append(strconv.AppendUint(append(w.b, '"'), uint64(n), 10), '"', ':')
		}
		w.element()
	}
	w.d.Leave()
	w.b = append(w.b, shut)
}
