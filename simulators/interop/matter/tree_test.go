//go:build linux

package matter

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"threadmap/tlv"
)

// treeOf decodes a TLV element to what normal makes of the same value in JSON,
// knowing nothing of what it means.
func treeOf(t testing.TB, element []byte) any {
	t.Helper()
	if err := tlv.Check(element); err != nil {
		t.Fatal(err)
	}
	d := tlv.NewDecoder(element)
	d.Next()
	return tree(&d)
}

func tree(d *tlv.Decoder) any {
	switch d.Kind() {
	case tlv.Uint:
		return strconv.FormatUint(d.Uint(), 10)
	case tlv.Int:
		return strconv.FormatInt(d.Int(), 10)
	case tlv.Bool:
		return d.Bool()
	case tlv.Text:
		return string(d.Text())
	case tlv.Octets:
		return hex.EncodeToString(d.Octets())
	case tlv.Struct:
		out := fields{}
		d.Enter()
		for d.Next() {
			id, _ := d.Tag().Context()
			out[strconv.Itoa(int(id))] = tree(d)
		}
		d.Leave()
		return out
	case tlv.Array:
		out := []any{}
		d.Enter()
		for d.Next() {
			out = append(out, tree(d))
		}
		d.Leave()
		return out
	}
	return nil
}

// normal is a JSON value with its numbers as text.
func normal(t testing.TB, v any) any {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		out := fields{}
		for k, e := range v {
			out[k] = normal(t, e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = normal(t, e)
		}
		return out
	case nil, bool, string:
		return v
	case json.Number:
		return v.String()
	case int, int8, uint8, uint16, uint32, uint64:
		return fmt.Sprint(v)
	}
	t.Fatalf("%T in a fixture", v)
	return nil
}
