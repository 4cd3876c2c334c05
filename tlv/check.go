package tlv

import "fmt"

// Check reports whether b is one well-formed element and nothing else.
func Check(b []byte) error {
	d := NewDecoder(b)
	if d.Next(); d.err == nil && d.kind == None {
		return &SyntaxError{Reason: "no element"}
	}
	d.Raw()
	if d.err == nil && d.pos != len(b) {
		return &SyntaxError{Offset: d.pos, Reason: "something follows the element"}
	}
	return d.err
}

// A SyntaxError says where the input is no TLV, or not what its reader
// expected.
type SyntaxError struct {
	Offset int // bytes from the beginning of the input
	Reason string
}

// Error is the error in one line.
func (e *SyntaxError) Error() string { return fmt.Sprintf("TLV at offset %d: %s", e.Offset, e.Reason) }
