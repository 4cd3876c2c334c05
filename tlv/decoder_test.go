package tlv_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"threadmap/tlv"
)

// Containers that are not entered, entered and left early, and entered twice.
func TestEnterAndLeave(t *testing.T) {
	b := unhex(t, "15"+"3601"+"0401"+"1524010218"+"18"+"350229011824032a"+"18")
	d := tlv.NewDecoder(b)
	d.Next()
	d.Enter()
	var tags []string
	for d.Next() {
		tags = append(tags, d.Tag().String())
	}
	d.Leave()
	if got := strings.Join(tags, " "); got != "tag 1 tag 2 tag 3" || d.Next() || d.Err() != nil {
		t.Errorf("%s, %v", got, d.Err())
	}

	d.Reset(b)
	d.Next()
	d.Enter()
	d.Next()
	d.Enter()
	d.Next() // 1
	d.Next() // the structure, which Leave steps over with what follows
	d.Leave()
	if !d.Next() || d.Tag() != tlv.Context(2) {
		t.Errorf("after Leave: %v %v", d.Tag(), d.Err())
	}
	if raw := d.Raw(); string(raw) != "\x35\x02\x29\x01\x18" || cap(raw) != len(raw) {
		t.Errorf("%x", raw)
	}
	if !d.Next() || d.Uint() != 42 {
		t.Errorf("after Raw: %v", d.Err())
	}
	if d.Next() {
		t.Error("an element behind the last")
	}
	if d.Next() {
		t.Error("an element behind the end")
	}
	d.Leave()
	if d.Next() || d.Err() != nil || d.Depth() != 0 {
		t.Error(d.Err(), d.Depth())
	}
	d.Leave()
	if d.Err() == nil {
		t.Error("left what was not entered")
	}

	d.Reset(b)
	d.Next()
	d.Raw()
	if d.Enter(); d.Err() == nil {
		t.Error("entered what Raw had stepped over")
	}
}

func TestWrongKinds(t *testing.T) {
	for h, read := range map[string]func(*tlv.Decoder){
		"0401":                         func(d *tlv.Decoder) { d.Octets() },
		"0501ff":                       func(d *tlv.Decoder) { d.Uint8() },
		"0601000100":                   func(d *tlv.Decoder) { d.Uint16() },
		"07" + "ffffffff" + "01000000": func(d *tlv.Decoder) { d.Uint32() },
		"00ff":                         func(d *tlv.Decoder) { d.Uint() },
		"07ffffffffffffffff":           func(d *tlv.Decoder) { d.Int() },
		"0180ff":                       func(d *tlv.Decoder) { d.Bool() },
		"018000":                       func(d *tlv.Decoder) { d.Int8() },
		"09":                           func(d *tlv.Decoder) { d.Uint() },
		"14":                           func(d *tlv.Decoder) { d.Text() },
		"1000":                         func(d *tlv.Decoder) { d.Text() },
		"0c00":                         func(d *tlv.Decoder) { d.Octets() },
		"0400":                         func(d *tlv.Decoder) { d.Float() },
		"0c0161":                       func(d *tlv.Decoder) { d.Int() },
		"1518":                         func(d *tlv.Decoder) { d.EnterKind(tlv.List) },
		"0402":                         func(d *tlv.Decoder) { d.Enter() },
	} {
		d := tlv.NewDecoder(append(unhex(t, h), 0x04, 0x07))
		d.Next()
		read(&d)
		if d.Err() == nil || d.Next() || d.Uint() != 0 || d.Int() != 0 || d.Bool() || d.Float() != 0 || d.Octets() != nil || d.Text() != nil || d.Raw() != nil {
			t.Errorf("%s: %v", h, d.Err())
		}
	}
	d := tlv.NewDecoder(unhex(t, "0401"))
	if d.Uint(); d.Err() == nil {
		t.Error("a value before the first element")
	}
}

// Schemas fix the signedness, some writers do not keep to it.
func TestEitherSignedness(t *testing.T) {
	d := tlv.NewDecoder(unhex(t, "007f"+"04ff"+"06ffffffff"+"0380000000000000"+"00"))
	for _, want := range []int64{127, 255, math.MaxUint32, 128} {
		d.Next()
		if u, i := d.Uint(), d.Int(); u != uint64(want) || i != want {
			t.Errorf("%d %d, want %d", u, i, want)
		}
	}
	if d.Err() != nil {
		t.Error(d.Err())
	}
}

func TestFail(t *testing.T) {
	mine := errors.New("no such thing")
	d := tlv.NewDecoder(unhex(t, "04010402"))
	d.Next()
	d.Next()
	d.Fail(nil)
	d.Fail(mine)
	d.Fail(errors.New("later"))
	if !errors.Is(d.Err(), mine) || d.Err().Error() != "TLV at offset 2: no such thing" || d.Next() {
		t.Error(d.Err())
	}
}

// A copy reads on by itself.
func TestFork(t *testing.T) {
	d := tlv.NewDecoder(unhex(t, "152401012402022403031815"))
	d.Next()
	d.Enter()
	d.Next()
	ahead := d
	ahead.Next()
	ahead.Next()
	if ahead.Uint() != 3 || d.Uint() != 1 || !d.Next() || d.Uint() != 2 {
		t.Error(ahead.Err(), d.Err())
	}
}

func TestDisplay(t *testing.T) {
	for in, want := range map[string]string{"Hall": "Hall", "Hall\x1f12\x1fa": "Hall", "\x1f1": "", "a\xffb": "a\uFFFDb", "": ""} {
		if got := tlv.Display([]byte(in)); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestTags(t *testing.T) {
	seen := map[tlv.Tag]string{}
	for _, c := range []struct {
		tag  tlv.Tag
		want string
	}{
		{tlv.Anonymous, "anonymous"}, {tlv.Context(0), "tag 0"}, {tlv.Context(255), "tag 255"}, {tlv.Implicit(0), "implicit tag 0"},
		{tlv.Implicit(math.MaxUint32), "implicit tag 4294967295"}, {tlv.Profile(0, 0, 0), "tag 0x0000/0x0000/0"}, {tlv.Profile(0, 0, 256), "tag 0x0000/0x0000/256"},
		{tlv.Profile(0xFFFE, 0xFFFF, 1), "tag 0xfffe/0xffff/1"}, {tlv.Profile(0xFFF1, 0xDEED, 0xAA55FEED), "tag 0xfff1/0xdeed/2857762541"},
	} {
		if c.tag.String() != c.want {
			t.Errorf("%s, want %s", c.tag, c.want)
		}
		if other, ok := seen[c.tag]; ok {
			t.Errorf("%s is %s", c.tag, other)
		}
		seen[c.tag] = c.want
		if n, ok := c.tag.Context(); ok != (c.want == "tag 0" || c.want == "tag 255") {
			t.Errorf("%s: Context() = %d, %v", c.want, n, ok)
		}
	}
	if v, p, n, ok := tlv.Profile(1, 2, 3).Profile(); v != 1 || p != 2 || n != 3 || !ok {
		t.Error(v, p, n, ok)
	}
	if _, _, _, ok := tlv.Context(3).Profile(); ok {
		t.Error("a context tag has a profile")
	}
}

func TestEncoderMisuse(t *testing.T) {
	raw := []byte{0x24, 0x01, 0x05}
	for name, use := range map[string]func(*tlv.Encoder){
		"member without tag": func(e *tlv.Encoder) { e.Struct(tlv.Anonymous); e.PutUint(tlv.Anonymous, 1); e.End() },
		"tag in an array":    func(e *tlv.Encoder) { e.Array(tlv.Anonymous); e.PutNull(tlv.Context(1)); e.End() },
		"repeated tag": func(e *tlv.Encoder) {
			e.Struct(tlv.Anonymous)
			e.PutNull(tlv.Context(200))
			e.PutNull(tlv.Context(200))
			e.End()
		},
		"end too many":         func(e *tlv.Encoder) { e.PutNull(tlv.Anonymous); e.End() },
		"end too few":          func(e *tlv.Encoder) { e.List(tlv.Anonymous) },
		"too deep":             func(e *tlv.Encoder) { deepList(e, 33) },
		"no element":           func(e *tlv.Encoder) { e.PutElement(tlv.Anonymous, nil) },
		"two elements":         func(e *tlv.Encoder) { e.PutElement(tlv.Anonymous, []byte{0x14, 0x14}) },
		"no such tag":          func(e *tlv.Encoder) { e.PutNull(7) },
		"vendor 0xffff":        func(e *tlv.Encoder) { e.PutNull(tlv.Profile(0xFFFF, 1, 1)) },
		"an error of the user": func(e *tlv.Encoder) { e.Fail(errors.New("mine")) },
	} {
		var e tlv.Encoder
		use(&e)
		if _, err := e.Bytes(); err == nil {
			t.Errorf("%s: no error", name)
		}
		n := e.Len()
		if name != "end too few" {
			e.PutNull(tlv.Anonymous)
			e.PutElement(tlv.Anonymous, raw)
			if e.Len() != n {
				t.Errorf("%s: goes on after the error", name)
			}
		}
	}
	var e tlv.Encoder
	deepList(&e, 32)
	if b, err := e.Bytes(); err != nil || tlv.Check(b) != nil {
		t.Error("depth 32", err)
	}
	e.Reset()
	e.Struct(tlv.Anonymous)
	e.PutElement(tlv.Context(9), raw)
	e.PutElement(tlv.Profile(0xFFF1, 1, 1), []byte{0x15, 0x18})
	e.End()
	if b, err := e.Bytes(); err != nil || string(b) != "\x15\x24\x09\x05\xd5\xf1\xff\x01\x00\x01\x00\x18\x18" {
		t.Errorf("%x %v", b, err)
	}
}

func deepList(e *tlv.Encoder, n int) {
	for range n {
		e.List(tlv.Anonymous)
	}
	for range n {
		e.End()
	}
}
