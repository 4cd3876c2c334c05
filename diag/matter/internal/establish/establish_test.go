package establish

import (
	"errors"
	"strings"
	"testing"

	"threadmap/diag/matter/message"
	"threadmap/tlv"
)

func TestStructure(t *testing.T) {
	var fixed [2]byte
	member := func(n uint8, d *tlv.Decoder) {
		switch n {
		case 1:
			Octets(d, fixed[:])
		case 2:
			SessionID(d)
		}
	}
	for _, c := range []struct {
		in   string
		fine bool
	}{
		{"\x15\x30\x01\x02ab\x18", true},
		{"\x15\x30\x01\x02ab\x24\x02\x01\x18", true},
		{"\x15\x30\x01\x02ab\x24\x09\x01\x18", true},                     // unknown: skipped
		{"\x15\xc4\xf1\xff\xed\xde\x01\x00\x2a\x30\x01\x02ab\x18", true}, // a vendor's: skipped
		{"", false}, {"\x15", false}, {"\x18", false}, {"\x15\x18", false}, // nothing, or 1 is missing
		{"\x15\x30\x01\x01a\x18", false}, {"\x15\x30\x01\x03abc\x18", false}, // another length
		{"\x15\x2c\x01\x02ab\x18", false},                                        // a text
		{"\x15\x30\x01\x02ab\x30\x01\x02ab\x18", false},                          // twice
		{"\x15\x30\x01\x02ab\x24\x02\x00\x18", false},                            // session 0
		{"\x15\x30\x01\x02ab\x26\x02\x01\x00\x01\x00\x18", false},                // session 65537
		{"\x15\x30\x01\x02ab\x18\x15\x18", false},                                // two structures
		{"\x17\x30\x01\x02ab\x18", false}, {"\x35\x07\x30\x01\x02ab\x18", false}, // a list, a tag
		{"\x04\x01", false}, {"\x15\x30\x01\x02ab\x18" + strings.Repeat("\x00", message.MaxDatagram), false},
	} {
		if err := Structure([]byte(c.in), []uint8{1}, member); (err == nil) != c.fine {
			t.Errorf("%x: %v", c.in, err)
		}
	}
}

func TestReports(t *testing.T) {
	var r message.StatusReport
	if err := PeerReport(Failure(message.CodeNoSharedTrustRoots)[0].Payload, message.Sigma2); !errors.As(err, &r) ||
		r.Code != message.CodeNoSharedTrustRoots || !strings.Contains(err.Error(), "Sigma2") {
		t.Error(err)
	}
	if err := PeerReport(Success()[0].Payload, message.Pake2); errors.As(err, &r) || !strings.Contains(err.Error(), "success before Pake2") {
		t.Error(err)
	}
	if err := PeerReport([]byte{1}, message.Pake2); err == nil {
		t.Error("one octet is a report")
	}
	names := map[string]bool{}
	for n := range 256 {
		names[Name(uint8(n))] = true
	}
	if len(names) != 256 || Name(0x7f) != "opcode 0x7f" {
		t.Errorf("%d names", len(names))
	}
}
