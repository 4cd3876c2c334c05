package pskc

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/goccy/go-yaml"

	"threadmap/diag"
)

// The octets of this secret are text, so that they are recognised however they
// are written: as text, in hexadecimal, or as numbers.
const tell = "CANARYcanary9876"

func told(s string) bool {
	for _, form := range []string{tell, "43414e4152", "43414E4152", "67 65 78 65", "67,65,78,65", "0x43, 0x41", "Q0FOQVJ"} {
		if strings.Contains(s, form) {
			return true
		}
	}
	return false
}

type holder struct {
	Exported   Secret
	unexported Secret
	nested     struct{ list []Secret }
}

func newHolder(t *testing.T) (Secret, holder) {
	s, err := New([]byte(tell))
	if err != nil {
		t.Fatal(err)
	}
	h := holder{Exported: s, unexported: s}
	h.nested.list = []Secret{s}
	return s, h
}

func TestSecretIsNotPrinted(t *testing.T) {
	s, h := newHolder(t)
	for _, verb := range strings.Split("v +v #v T s q x X d b o O c U e E f F g G t p w 5s -20v .3x 08d", " ") {
		for _, v := range []any{s, &s, h, &h, []Secret{s}, map[string]Secret{"k": s}, Dataset{PSKc: s}, diag.Some(s), errors.New(fmt.Sprint(s))} {
			if out := fmt.Sprintf("%"+verb, v); told(out) {
				t.Errorf("%%%s of %T: %s", verb, v, out)
			}
		}
		if out := fmt.Sprintf("%"+verb, s); !strings.Contains(out, "(secret)") && !strings.Contains("T p w", verb) { // fmt answers these itself
			t.Errorf("%%%s: %s", verb, out)
		}
	}
	if s.String() != "(secret)" || s.GoString() != "(secret)" {
		t.Errorf("%s, %#v", s, s)
	}
}

func TestSecretIsNotLogged(t *testing.T) {
	s, h := newHolder(t)
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("login", "key", s, "pointer", &s, "holder", h, "list", []Secret{s}, slog.Group("g", "key", s))
	}
	if told(out.String()) || strings.Count(out.String(), "(secret)") < 6 {
		t.Errorf("%s", out.Bytes())
	}
}

func TestSecretIsNotEncoded(t *testing.T) {
	s, h := newHolder(t)
	encoders := map[string]func(any) ([]byte, error){
		"JSON": json.Marshal, "XML": xml.Marshal, "YAML": yaml.Marshal,
		"CBOR":           cbor.Marshal,
		"CBOR of a scan": diag.CBOREncoding.Marshal,
		"gob": func(v any) ([]byte, error) {
			var b bytes.Buffer
			err := gob.NewEncoder(&b).Encode(v)
			return b.Bytes(), err
		},
	}
	for name, encode := range encoders {
		for _, v := range []any{s, h, Dataset{PSKc: s}} {
			b, err := encode(v)
			if err != nil {
				continue // refusing is as good
			}
			if told(string(b)) || told(hex.EncodeToString(b)) {
				t.Errorf("%s of %T: %q", name, v, b)
			}
			if !strings.Contains(string(b), "(secret)") {
				t.Errorf("%s of %T does not say that there is a secret: %q", name, v, b)
			}
		}
	}
	for name, decode := range map[string]func() error{
		"JSON": func() error { return json.Unmarshal([]byte(`"(secret)"`), &s) },
		"CBOR": func() error { return cbor.Unmarshal([]byte{0x61, 'x'}, &s) },
		"gob":  func() error { return s.UnmarshalBinary([]byte("(secret)")) },
	} {
		if err := decode(); err == nil {
			t.Errorf("%s: what an encoder wrote was read back as a secret", name)
		}
	}
}

func TestSecret(t *testing.T) {
	in := []byte(tell)
	s, err := New(in)
	if err != nil {
		t.Fatal(err)
	}
	clear(in)
	if string(s.Bytes()) != tell || s.IsZero() {
		t.Error("New keeps the caller's octets")
	}
	again, _ := New([]byte(tell))
	other, _ := New([]byte(tell[1:]))
	if !s.Equal(again) || s.Equal(other) || s.Equal(Secret{}) {
		t.Error("Equal")
	}
	b, copied := s.Bytes(), s
	s.Wipe()
	if !bytes.Equal(b, make([]byte, len(b))) || !copied.IsZero() {
		t.Errorf("after Wipe: %q", b)
	}
	s.Wipe()
	Secret{}.Wipe()
	for _, n := range []int{0, MaxLen + 1} {
		if _, err := New(make([]byte, n)); err == nil {
			t.Errorf("%d octets were accepted", n)
		}
	}
}
