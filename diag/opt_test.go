package diag

import (
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestOpt(t *testing.T) {
	var unknown Opt[uint8]
	zero := Some[uint8](0)
	if unknown.Known() || !unknown.IsZero() || unknown.String() != "?" || unknown.Or(7) != 7 {
		t.Errorf("unknown: %+v", unknown)
	}
	if !zero.Known() || zero.IsZero() || zero.String() != "0" || zero.Or(7) != 0 {
		t.Errorf("known zero: %+v", zero)
	}
	if unknown == zero {
		t.Error("unknown equals a known zero")
	}
	if v, known := Some(-89).Get(); v != -89 || !known {
		t.Error(v, known)
	}
	if v, known := unknown.Get(); v != 0 || known {
		t.Error(v, known)
	}
}

func TestOptCBOR(t *testing.T) {
	for _, tt := range []struct {
		value any // an Opt
		bytes string
	}{
		{Opt[uint8]{}, "\xf6"},
		{Some[uint8](0), "\x00"},
		{Some[uint8](255), "\x18\xff"},
		{Some[int8](-128), "\x38\x7f"},
		{Some[uint64](math.MaxUint64), "\x1b\xff\xff\xff\xff\xff\xff\xff\xff"},
		{Some[uint64](1<<53 + 1), "\x1b\x00\x20\x00\x00\x00\x00\x00\x01"},
		{Some(false), "\xf4"},
		{Some(time.Second), "\x1a\x3b\x9a\xca\x00"},
		{Some(Rate(656)), "\x19\x02\x90"},
		{Some(Mode{FullThreadDevice: true}), "\xa3\x6frx_on_when_idle\xf4\x71full_network_data\xf4\x72full_thread_device\xf5"},
		{Some(BorderAgent{}), "\xa0"},
		{Some(BorderAgent{Endpoints: []netip.AddrPort{netip.MustParseAddrPort("[fd00::1]:5")}}), "\xa1\x69endpoints\x81\x6b[fd00::1]:5"},
	} {
		b, err := CBOREncoding.Marshal(tt.value)
		if err != nil || string(b) != tt.bytes {
			t.Errorf("%v: written as %x, %v\nwant %x", tt.value, b, err, tt.bytes)
			continue
		}
		back := reflect.New(reflect.TypeOf(tt.value))
		if err := CBORDecoding.Unmarshal(b, back.Interface()); err != nil || !reflect.DeepEqual(back.Elem().Interface(), tt.value) {
			t.Errorf("%v: read as %v, %v", tt.value, back.Elem(), err)
		}
		for n := range b { // every strict prefix is refused
			if err := CBORDecoding.Unmarshal(b[:n], back.Interface()); err == nil {
				t.Errorf("%v: %x was read", tt.value, b[:n])
			}
		}
	}
}

// TestOptHostile: what is not the value leaves the Opt as it was, and nothing
// but the value makes it known.
func TestOptHostile(t *testing.T) {
	for name, b := range map[string]string{
		"text":                       "\x611",
		"too large":                  "\x19\x01\x00",
		"negative":                   "\x20",
		"float":                      "\xf9\x3c\x00",
		"null in a tag":              "\xd8\x64\xf6",
		"undefined in two tags":      "\xd8\x64\xd9\x01\x00\xf7",
		"bignum":                     "\xc2\x41\x01",
		"array":                      "\x81\x01",
		"a very large nested item":   strings.Repeat("\x9a\x00\x01\x00\x00", 3) + strings.Repeat("\x00", 1<<16),
		"a thousand levels":          strings.Repeat("\x81", 1000) + "\x00",
		"4 G elements":               "\x9a\xff\xff\xff\xff",
		"indefinite":                 "\x9f\xff",
		"two items":                  "\x01\x02",
		"nothing":                    "",
		"break":                      "\xff",
		"reserved additional number": "\x1c",
	} {
		o := Some[uint8](7)
		if err := CBORDecoding.Unmarshal([]byte(b), &o); err == nil || o != Some[uint8](7) {
			t.Errorf("%s: %v, %v", name, o, err)
		}
		if err := o.UnmarshalCBOR([]byte(b)); err == nil || o != Some[uint8](7) { // called by another decoder
			t.Errorf("%s: %v, %v", name, o, err)
		}
	}
	for _, b := range []string{"\xf6", "\xf7"} {
		o := Some[uint8](7)
		if err := o.UnmarshalCBOR([]byte(b)); err != nil || o.Known() {
			t.Errorf("%x: %v, %v", b, o, err)
		}
	}
	var m Opt[Mode]
	if err := m.UnmarshalCBOR([]byte("\xa2\x6frx_on_when_idle\xf4\x6frx_on_when_idle\xf5")); err == nil {
		t.Errorf("a key twice was read as %v", m)
	}
	var ba Opt[BorderAgent]
	if err := ba.UnmarshalCBOR([]byte("\xa1\x69endpoints\x19\x00\x01")); err == nil {
		t.Errorf("a number was read as endpoints %v", ba)
	}
	if err := ba.UnmarshalCBOR(append([]byte("\xa1\x69endpoints\x99\x04\x01"), make([]byte, 1025)...)); err == nil {
		t.Error("1025 endpoints were read")
	}
}
