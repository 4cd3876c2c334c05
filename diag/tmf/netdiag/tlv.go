package netdiag

import (
	"encoding/binary"
	"fmt"
)

// MaxMessage is the longest list of TLVs that is read, in octets. A message
// that crosses a mesh is bounded by IPv6's 1280; the rest is room for border
// agents that hand over more.
const MaxMessage = 1 << 14

// A TLV is one type-length-value of Thread management traffic: of network
// diagnostics (Thread 10.11.4) or of MeshCoP (Thread 8.10). The two number
// their types apart, but frame them alike: an octet of type, an octet of
// length, and, where that is 0xff, two octets of length more.
type TLV struct {
	Type  uint8
	Value []byte
}

// extended is the length octet that says: two octets of length follow.
const extended = 0xff

// AppendTLV appends a TLV, in the short form where that can hold the value.
func AppendTLV(b []byte, typ uint8, value []byte) []byte {
	if len(value) >= extended {
		return AppendExtendedTLV(b, typ, value)
	}
	return append(append(b, typ, byte(len(value))), value...)
}

// AppendExtendedTLV appends a TLV with two octets of length, whatever its
// length: old OpenThread writes the UDP Encapsulation TLV so. A value is cut
// off at 65535 octets.
func AppendExtendedTLV(b []byte, typ uint8, value []byte) []byte {
	value = value[:min(len(value), 0xffff)]
	b = append(b, typ, extended)
	b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
	return append(b, value...)
}

// AppendTLVs appends several.
func AppendTLVs(b []byte, tlvs []TLV) []byte {
	for _, t := range tlvs {
		b = AppendTLV(b, t.Type, t.Value)
	}
	return b
}

// SplitTLVs takes a message apart. The values are parts of b, in its order;
// unknown types are kept. Where b is broken, the TLVs before the fault are
// returned beside the error.
func SplitTLVs(b []byte) ([]TLV, error) {
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("TLVs of %d octets, more than %d", len(b), MaxMessage)
	}
	var out []TLV
	for at := 0; at < len(b); {
		head, n := 2, 0
		if len(b)-at >= 2 {
			if n = int(b[at+1]); n == extended {
				head = 4
			}
		}
		if len(b)-at < head {
			return out, fmt.Errorf("octet %d: cut short in the head of a TLV", at)
		}
		if head == 4 {
			n = int(binary.BigEndian.Uint16(b[at+2:]))
		}
		if left := len(b) - at - head; left < n {
			return out, fmt.Errorf("octet %d: TLV %d of %d octets, only %d are left", at, b[at], n, left)
		}
		end := at + head + n
		out = append(out, TLV{b[at], b[at+head : end : end]})
		at = end
	}
	return out, nil
}

// Find is the value of the first TLV of that type.
func Find(tlvs []TLV, typ uint8) (value []byte, ok bool) {
	for _, t := range tlvs {
		if t.Type == typ {
			return t.Value, true
		}
	}
	return nil, false
}
