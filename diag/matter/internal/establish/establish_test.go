package establish

import (
	"errors"
	"strings"
	"testing"
	"time"

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

func TestPayload(t *testing.T) {
	a, b := []byte("ab"), []byte("xyz")
	p, err := OctetsPayload(a, b)
	if want := "\x15\x30\x01\x02ab\x30\x02\x03xyz\x18"; err != nil || string(p) != want {
		t.Errorf("%x, %v, want %x", p, err, want)
	}
	for _, c := range []struct {
		p    message.SessionParameters
		want string
	}{
		{message.SessionParameters{}, "\x15\x18"}, // says nothing
		{message.SessionParameters{Said: message.SaidIdle, Idle: 500 * time.Millisecond}, "\x15\x35\x05\x25\x01\xf4\x01\x18\x18"},
	} {
		got, err := Payload(func(e *tlv.Encoder) { PutParameters(e, tlv.Context(5), c.p) })
		if err != nil || string(got) != c.want {
			t.Errorf("%+v: %x, %v, want %x", c.p, got, err, c.want)
		}
	}
	if _, err := Payload(func(e *tlv.Encoder) { e.Struct(tlv.Anonymous) }); err == nil {
		t.Error("a structure without its end is a payload")
	}
}

func TestReports(t *testing.T) {
	var r message.StatusReport
	for _, c := range []struct {
		got, want uint8
		payload   []byte
		say       bool   // whether there is something to tell the peer
		err       string // part of it; "": none
		wraps     bool
	}{
		{message.Sigma2, message.Sigma2, nil, false, "", false},
		{message.Status, message.Status, []byte{1}, false, "", false}, // due: its payload is another's business
		{message.Pake1, message.Pake2, nil, true, "got Pake1, want Pake2", false},
		{message.Pake1, message.Status, nil, true, "got Pake1, want StatusReport", false},
		{message.Status, message.Sigma2, Failure(message.CodeNoSharedTrustRoots)[0].Payload, false, "instead of Sigma2", true},
		{message.Status, message.Pake2, Success()[0].Payload, false, "success before Pake2", false},
		{message.Status, message.Pake2, []byte{1}, false, "at least 8 octets", false},
	} {
		reply, err := Due(c.got, c.want, c.payload)
		if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) || errors.As(err, &r) != c.wraps {
			t.Errorf("0x%02x where 0x%02x is due: %v", c.got, c.want, err)
		}
		if (len(reply) != 0) != c.say || c.say && (len(reply) != 1 || reply[0].Opcode != message.Status) {
			t.Errorf("0x%02x where 0x%02x is due: %v is to be sent", c.got, c.want, reply)
		}
	}
	if r.Code != message.CodeNoSharedTrustRoots {
		t.Errorf("the report of the peer became %v", r)
	}

	if err := Confirmed(Success()[0].Payload, message.Sigma3); err != nil {
		t.Error(err)
	}
	if err := Confirmed(Failure(message.CodeInvalidParameter)[0].Payload, message.Sigma2Resume); !errors.As(err, &r) ||
		r.Code != message.CodeInvalidParameter || !strings.Contains(err.Error(), "after Sigma2_Resume") {
		t.Error(err)
	}
	if err := Confirmed([]byte{1}, message.Pake3); err == nil {
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
