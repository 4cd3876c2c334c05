package tlv_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"threadmap/tlv"
)

// notation prints all elements that d still has at its level.
func notation(d *tlv.Decoder) string {
	var parts []string
	for d.Next() {
		parts = append(parts, element(d))
	}
	return strings.Join(parts, ", ")
}

func element(d *tlv.Decoder) string {
	tag := strings.TrimPrefix(d.Tag().String(), "tag ") + ": "
	if d.Tag() == tlv.Anonymous {
		tag = ""
	}
	tag = strings.Replace(tag, "implicit tag", "implicit", 1)
	return tag + value(d)
}

func value(d *tlv.Decoder) string {
	in := func(open, end string) string {
		d.Enter()
		s := notation(d)
		d.Leave()
		return open + s + end
	}
	switch d.Kind() {
	case tlv.Int:
		return strconv.FormatInt(d.Int(), 10)
	case tlv.Uint:
		return strconv.FormatUint(d.Uint(), 10) + "U"
	case tlv.Bool:
		return strconv.FormatBool(d.Bool())
	case tlv.Float32:
		return float(d.Float()) + "f"
	case tlv.Float64:
		return float(d.Float()) + "d"
	case tlv.Text:
		return `"` + string(d.Text()) + `"`
	case tlv.Octets:
		return fmt.Sprintf("h'%x'", d.Octets())
	case tlv.Null:
		return "null"
	case tlv.Struct:
		return in("{", "}")
	case tlv.Array:
		return in("[", "]")
	case tlv.List:
		return in("[[", "]]")
	}
	return "?"
}

// float prints as JavaScript does, which made the vectors.
func float(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0 && math.Signbit(f):
		return "-0"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// copyAll encodes all elements that d still has at its level.
func copyAll(d *tlv.Decoder, e *tlv.Encoder) {
	for d.Next() {
		t := d.Tag()
		switch d.Kind() {
		case tlv.Int:
			e.PutInt(t, d.Int())
		case tlv.Uint:
			e.PutUint(t, d.Uint())
		case tlv.Bool:
			e.PutBool(t, d.Bool())
		case tlv.Float32:
			e.PutFloat32(t, float32(d.Float()))
		case tlv.Float64:
			e.PutFloat64(t, d.Float())
		case tlv.Text:
			e.PutText(t, string(d.Text()))
		case tlv.Octets:
			e.PutOctets(t, d.Octets())
		case tlv.Null:
			e.PutNull(t)
		default:
			switch d.Kind() {
			case tlv.Struct:
				e.Struct(t)
			case tlv.Array:
				e.Array(t)
			default:
				e.List(t)
			}
			d.Enter()
			copyAll(d, e)
			d.Leave()
			e.End()
		}
	}
}
