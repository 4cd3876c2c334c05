package wsdoc

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// maxMembers bounds an object or array that is walked: more than the
// attributes of any node, and than the nodes of any home.
const maxMembers = 1 << 16

// members walks an object without building it. It stops where each says false,
// and after maxMembers. It reports whether raw was an object.
func members(raw json.RawMessage, each func(key string, value json.RawMessage) bool) bool {
	dec, ok := open(raw, '{')
	if !ok {
		return false
	}
	for n := 0; n < maxMembers && dec.More(); n++ { // counted, since names may repeat
		t, err := dec.Token()
		key, is := t.(string)
		var v json.RawMessage
		if err != nil || !is || dec.Decode(&v) != nil {
			return false
		}
		if !each(key, v) {
			break
		}
	}
	return true
}

// elements walks an array as [members] walks an object.
func elements(raw json.RawMessage, each func(value json.RawMessage) bool) bool {
	dec, ok := open(raw, '[')
	if !ok {
		return false
	}
	for n := 0; n < maxMembers && dec.More(); n++ {
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			return false
		}
		if !each(v) {
			break
		}
	}
	return true
}

// open reads the bracket at the begin of raw.
func open(raw json.RawMessage, bracket byte) (*json.Decoder, bool) {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 || raw[0] != bracket {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, err := dec.Token()
	return dec, err == nil
}

// object keeps the members of a small object, by name.
func object(raw json.RawMessage) map[string]json.RawMessage {
	const most = 64
	o := map[string]json.RawMessage{}
	if !members(raw, func(key string, v json.RawMessage) bool {
		o[key] = v
		return len(o) < most
	}) {
		return nil
	}
	return o
}

// exactUint reads a bare integer of up to 64 bits, without going through a
// float.
func exactUint(raw json.RawMessage) (uint64, bool) {
	v, err := strconv.ParseUint(string(bytes.TrimSpace(raw)), 10, 64)
	return v, err == nil
}

// text reads a string of at most limit octets, "" for anything else: one line,
// without what is no text.
func text(raw json.RawMessage, limit int) string {
	if len(raw) > 6*limit+2 { // an octet may be written as \u00xx
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) != nil || len(s) > limit {
		return ""
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
}
