package matterserver

import (
	"encoding/json"

	"threadmap/simulators/internal/ordered"
)

// The keys of an object stay in the order of the captures.
type (
	object = ordered.Object
	field  = ordered.Field
)

// encode is v as JSON: integers of 64 bits as bare numbers, octets in base64.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte("null") // our own types marshal
	}
	return b
}
