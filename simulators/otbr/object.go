package otbr

import (
	"encoding/json"
	"strconv"

	"threadmap/simulators/internal/ordered"
)

// The keys of an object stay in the order of the captures.
type (
	object = ordered.Object
	field  = ordered.Field
)

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
