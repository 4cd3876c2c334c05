package tlv_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"threadmap/tlv"
)

type vector struct {
	bytes []byte
	want  string
}

func vectors(t testing.TB) (list []vector) {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		h, want, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok {
			t.Fatalf("no tab in %q", line)
		}
		list = append(list, vector{unhex(t, h), want})
	}
	if len(list) < 80 {
		t.Fatalf("%d vectors", len(list))
	}
	return list
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// notMinimal are vectors that an encoder would write shorter.
var notMinimal = map[string]bool{
	"010000": true, "0200000000": true, "030000000000000000": true, "050000": true, "052a00": true, "0600000000": true, "062a000000": true,
	"070000000000000000": true, "072a00000000000000": true, "0e03000000616263": true, "130300000000000000010203": true,
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		d := tlv.NewDecoder(v.bytes)
		if got := notation(&d); got != v.want || d.Err() != nil {
			t.Errorf("%x: %s (%v), want %s", v.bytes, got, d.Err(), v.want)
		}
		if err := tlv.Check(v.bytes); err != nil {
			t.Errorf("%x: %v", v.bytes, err)
		}
		d.Reset(v.bytes)
		var e tlv.Encoder
		copyAll(&d, &e)
		b, err := e.Bytes()
		if err != nil || len(b) > len(v.bytes) {
			t.Errorf("%x: encoded as %x, %v", v.bytes, b, err)
		}
		if h := hex.EncodeToString(v.bytes); !notMinimal[h] && !bytes.Equal(b, v.bytes) {
			t.Errorf("%s: encoded as %x", h, b)
		}
		if d.Reset(b); notation(&d) != v.want {
			t.Errorf("%x: encoded as %x", v.bytes, b)
		}
		for i := range v.bytes {
			if tlv.Check(v.bytes[:i]) == nil {
				t.Errorf("%x: the first %d bytes are an element too", v.bytes, i)
			}
			d.Reset(v.bytes[:i])
			if notation(&d); d.Err() == nil && i > 0 {
				t.Errorf("%x: the first %d bytes are read", v.bytes, i)
			}
		}
		if tlv.Check(append(bytes.Clone(v.bytes), 0x14)) == nil {
			t.Errorf("%x: two elements are one", v.bytes)
		}
	}
}

// Lengths on both sides of where their field grows.
func TestLongStrings(t *testing.T) {
	for _, c := range []struct {
		n      int
		header string
	}{{255, "10ff"}, {256, "110001"}, {300, "112c01"}, {65535, "11ffff"}, {65536, "1200000100"}} {
		var e tlv.Encoder
		v := bytes.Repeat([]byte{7}, c.n)
		e.PutOctets(tlv.Anonymous, v)
		b, err := e.Bytes()
		if err != nil || !bytes.Equal(b, append(unhex(t, c.header), v...)) {
			t.Errorf("%d octets: %x…, %v", c.n, b[:8], err)
		}
		d := tlv.NewDecoder(bytes.Clone(b))
		e.Reset()
		e.PutText(tlv.Context(9), string(v))
		if b, _ = e.Bytes(); b[0] != unhex(t, c.header)[0]-4+0x20 || len(b) != c.n+len(c.header)/2+1 {
			t.Errorf("%d octets of text: %x…", c.n, b[:8])
		}
		if d.Next(); !bytes.Equal(d.Octets(), v) {
			t.Errorf("%d octets: not read back", c.n)
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, c := range []struct{ name, hex, want string }{
		{"end at the top level", "18", "TLV at offset 0: an end of container where none is open"},
		{"structure without end", "15240001", "TLV at offset 4: the input ends within a container"},
		{"truncated number", "05ff", "TLV at offset 0: the input ends within an element"},
		{"truncated tag", "e4f1ff", "TLV at offset 0: the input ends within an element"},
		{"string past the end", "0c05616263", "TLV at offset 0: a string is longer than the input"},
		{"reserved type", "19", "TLV at offset 0: a reserved type of element"},
		{"reserved type with a tag", "153f0118", "TLV at offset 1: a reserved type of element"},
		{"string of 2^63", "0f0000000000000080", "TLV at offset 0: a string is longer than the input"},
		{"string of 2^64-1", "13ffffffffffffffff00", "TLV at offset 0: a string is longer than the input"},
		{"octets of 2^32-1", "12ffffffff00", "TLV at offset 0: a string is longer than the input"},
		{"tagged element of an array", "1624000118", "TLV at offset 1: an element of an array has a tag"},
		{"member without a tag", "15040118", "TLV at offset 1: a member of a structure has no tag"},
		{"container without a tag in a structure", "15151818", "TLV at offset 1: a member of a structure has no tag"},
		{"end with a tag", "15240001380018", "TLV at offset 4: an end of container has a tag"},
		{"end with a tag at the top level", "3800", "TLV at offset 0: an end of container has a tag"},
		{"vendor 0xffff", "c4ffff000001002a", "TLV at offset 0: a tag of vendor 0xFFFF, which does not exist"},
		{"depth 33", strings.Repeat("16", 33) + strings.Repeat("18", 33), "TLV at offset 32: containers are nested too deep"},
		{"depth 2000", strings.Repeat("16", 2000), "TLV at offset 32: containers are nested too deep"},
		{"in a structure in a list", "171535011835021804011818", ""},
	} {
		b := unhex(t, c.hex)
		d := tlv.NewDecoder(b)
		notation(&d)
		if d.Next() || d.Err() == nil || c.want != "" && d.Err().Error() != c.want {
			t.Errorf("%s: walked: %v", c.name, d.Err())
		}
		// whoever steps over it sees the same, but for tags
		if err := tlv.Check(b); (err == nil || c.want != "" && err.Error() != c.want) && c.name != "vendor 0xffff" {
			t.Errorf("%s: stepped over: %v", c.name, err)
		}
	}
	deep := unhex(t, strings.Repeat("16", 32)+strings.Repeat("18", 32))
	if err := tlv.Check(deep); err != nil {
		t.Errorf("depth 32: %v", err)
	}
	d := tlv.NewDecoder(deep)
	if notation(&d); d.Err() != nil {
		t.Errorf("depth 32: %v", d.Err())
	}
}

func TestRepeatedTags(t *testing.T) {
	for h, bad := range map[string]bool{
		"15240101240202240103" + "18": true,
		"1524010124020224030318":      false,
		"1524ff01248002248003" + "18": true,
		"15350124010118240201" + "18": false, // the inner tag 1 is another
		"1724010124010218":            false, // a list may repeat
	} {
		d := tlv.NewDecoder(unhex(t, h))
		notation(&d)
		if (d.Err() != nil) != bad {
			t.Errorf("%s: %v", h, d.Err())
		}
	}
}
