package message

import (
	"bytes"
	"errors"
	"testing"
)

func TestDrops(t *testing.T) {
	for name, v := range map[string]struct {
		b    string
		want Drop
	}{
		"nothing":                 {"", Truncated},
		"seven octets":            {"00010000010000", Truncated},
		"version 1":               {"1001000001000000", UnknownVersion},
		"version 15":              {"f001000001000000", UnknownVersion},
		"group session":           {"0001000101000000", NotUnicast},
		"group session and id":    {"06010001010000001122334455667788aabb", NotUnicast},
		"session type 2":          {"0001000201000000", NotUnicast},
		"session type 3":          {"0001000301000000", NotUnicast},
		"group id in unicast":     {"0201000001000000aabb", BadNodeIDs},
		"DSIZ 3":                  {"0301000001000000aabb", BadNodeIDs},
		"privacy":                 {"0001008001000000", Private},
		"control":                 {"0001004001000000", Control},
		"source cut":              {"040100000100000011223344556677", Truncated},
		"destination cut":         {"05010000010000001122334455667788112233", Truncated},
		"extension without":       {"0001002001000000", Truncated},
		"extension length cut":    {"000100200100000001", Truncated},
		"extension cut":           {"00010020010000000200aa", Truncated},
		"extension of 65535":      {"0001002001000000ffffaa", Truncated},
		"one octet over the most": {string(bytes.Repeat([]byte("00"), MaxDatagram+1)), Oversized},
	} {
		if _, _, err := Parse(unhex(t, v.b)); err != v.want {
			t.Errorf("%s: %v, want %v", name, err, v.want)
		}
	}
	for name, v := range map[string]string{
		"nothing": "", "five octets": "0002010200", "vendor cut": "100201020000", "ack cut": "02100102000001020", "ack missing": "021001020000",
		"extension cut": "0810010200000200aa", "giant extension": "081001020000ffff",
	} {
		if len(v)%2 == 1 {
			v = v[:len(v)-1]
		}
		if _, _, err := ParseProtocol(unhex(t, v)); err != Truncated {
			t.Errorf("protocol header, %s: %v", name, err)
		}
	}
	for d := range Drop(DropReasons + 1) {
		if d.String() == "" || errors.As(d, new(Drop)) == false {
			t.Errorf("reason %d has no name", d)
		}
	}
}

// Extensions are stepped over in both headers, and count as authenticated.
func TestExtensions(t *testing.T) {
	b := unhex(t, "0134122001000000"+"0807060504030201"+"0300aabbcc")
	h, n, err := Parse(append(b, 1, 2, 3))
	if err != nil || n != len(b) || h.SessionID != 0x1234 || h.Destination != 0x0102030405060708 || h.HasSource {
		t.Errorf("%+v, %d, %v", h, n, err)
	}
	p, payload, err := ParseProtocol(unhex(t, "1a"+"10"+"3412"+"f1ff"+"0500"+"04030201"+"0200aabb"+"cafe"))
	want := Protocol{HasAck: true, Ack: 0x01020304, Opcode: 0x10, Exchange: 0x1234, Vendor: 0xfff1, ID: 5}
	if err != nil || p != want || !bytes.Equal(payload, []byte{0xca, 0xfe}) {
		t.Errorf("%+v, %x, %v", p, payload, err)
	}
	if cap(payload) != len(payload) {
		t.Error("the payload can grow over what is behind it")
	}
}

// Every strict prefix of a header is refused.
func TestPrefixes(t *testing.T) {
	h := Header{SessionID: 1, Counter: 2, Source: 3, Destination: 4, HasSource: true, HasDestination: true}
	b := h.Append(nil)
	for n := range b {
		if _, _, err := Parse(b[:n]); err != Truncated {
			t.Errorf("header cut to %d: %v", n, err)
		}
	}
	b = Protocol{Vendor: 1, HasAck: true}.Append(nil)
	for n := range b {
		if _, _, err := ParseProtocol(b[:n]); err != Truncated {
			t.Errorf("protocol header cut to %d: %v", n, err)
		}
	}
	for _, v := range sealed {
		wire, c := unhex(t, v.wire), NewCipher([KeySize]byte(unhex(t, v.key)), v.sender)
		for n := range wire {
			if n < minHeader {
				continue
			}
			if _, err := c.Open(nil, v.h, minHeader, wire[:n]); err == nil {
				t.Errorf("%s: cut to %d and opened", v.name, n)
			}
		}
	}
	if _, err := NewCipher([KeySize]byte{}, 0).Open(nil, Header{}, 30, make([]byte, 20)); err != Truncated {
		t.Errorf("a header longer than the datagram: %v", err)
	}
}

// No bit of a message can be changed.
func TestTampering(t *testing.T) {
	for _, v := range sealed {
		c := NewCipher([KeySize]byte(unhex(t, v.key)), v.sender)
		for bit := range len(v.wire) / 2 * 8 {
			wire := unhex(t, v.wire)
			wire[bit/8] ^= 1 << (bit % 8)
			h, n, err := Parse(wire)
			if err != nil {
				continue
			}
			if plain, err := c.Open(nil, h, n, wire); err == nil {
				t.Errorf("%s: bit %d changed, and %x came out", v.name, bit, plain)
			}
		}
	}
}
