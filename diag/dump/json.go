package dump

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// maxMembers bounds an object and an array of JSON that is looked into: more
// than the nodes of a mesh, and than the attributes of a node.
const maxMembers = 1 << 16

// object decodes a JSON object into its members, nil for anything else and for
// objects with more than maxMembers.
func object(raw json.RawMessage) map[string]json.RawMessage {
	dec, ok := open(raw, '{')
	if !ok {
		return nil
	}
	o := map[string]json.RawMessage{}
	for n := 0; dec.More(); n++ { // counted, since names may repeat
		key, err := dec.Token()
		name, is := key.(string)
		var v json.RawMessage
		if err != nil || !is || n == maxMembers || dec.Decode(&v) != nil {
			return nil
		}
		o[name] = v
	}
	return o
}

// array decodes a JSON array, of a longer one the first maxMembers elements.
func array(raw json.RawMessage) ([]json.RawMessage, bool) {
	dec, ok := open(raw, '[')
	if !ok {
		return nil, false
	}
	l := []json.RawMessage{}
	for dec.More() && len(l) < maxMembers {
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			return nil, false
		}
		l = append(l, v)
	}
	return l, true
}

// open reads the bracket at the begin of raw.
func open(raw json.RawMessage, bracket byte) (*json.Decoder, bool) {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != bracket {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, err := dec.Token()
	return dec, err == nil
}

// exactUint reads an integer of up to 64 bits, without going through a float.
func exactUint(raw json.RawMessage) (uint64, bool) {
	v, err := strconv.ParseUint(string(bytes.Trim(raw, "\" \t\r\n")), 10, 64)
	return v, err == nil
}

// jsonString decodes a JSON string of at most limit octets, "" for anything else.
func jsonString(raw json.RawMessage, limit int) string {
	var s string
	if json.Unmarshal(raw, &s) != nil || len(s) > limit {
		return ""
	}
	return s
}
