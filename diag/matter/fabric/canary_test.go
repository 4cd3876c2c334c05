package fabric

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// TestSecretsStaySecret prints, logs and encodes everything that has a secret
// in it, in every way there is, and looks for the secrets in the output.
func TestSecretsStaySecret(t *testing.T) {
	rootKey, ownKey := testKey(t, 0x5A), testKey(t, 0xA5)
	epoch := mustIPK(t, "c0ffee00c0ffee11c0ffee22c0ffee33")
	a, err := New(Config{RootKey: rootKey, PrivateKey: ownKey, EpochKey: epoch})
	if err != nil {
		t.Fatal(err)
	}
	m := a.Member()
	secrets := [][]byte{bytes.Repeat([]byte{0x5A}, 32), bytes.Repeat([]byte{0xA5}, 32), epoch.Bytes(), m.IPK.Bytes()}

	type holder struct {
		Public  *Authority
		Member  *Member
		Key     Key
		private *Authority
		member  *Member
		value   Member
		whole   Authority
		key     Key
		any     any
	}
	h := holder{a, m, epoch, a, m, *m, *a, epoch, *a}
	var out bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&out, nil))
	textLogger := slog.New(slog.NewTextHandler(&out, nil))
	values := []any{a, *a, m, *m, epoch, &epoch, h, &h, []any{a, m, epoch}, map[string]any{"a": a, "m": *m}, []Key{epoch}, m.Root,
		Config{RootKey: rootKey, PrivateKey: ownKey, EpochKey: epoch}.EpochKey, Credentials{IPK: epoch}}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v)
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		if b, err := xml.Marshal(v); err == nil {
			out.Write(b)
		}
		if b, err := cbor.Marshal(v); err == nil {
			out.Write(b)
		}
		var g bytes.Buffer
		if gob.NewEncoder(&g).Encode(v) == nil {
			out.Write(g.Bytes())
		}
		logger.Info("x", "v", v)
		textLogger.Info("x", "v", v)
	}
	for _, s := range secrets {
		decimal := strings.Trim(fmt.Sprint(s), "[]")
		goSyntax := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", s), "[]byte{"), "}")
		for _, form := range []string{string(s), hex.EncodeToString(s), strings.ToUpper(hex.EncodeToString(s)), base64.StdEncoding.EncodeToString(s), decimal, strings.ReplaceAll(decimal, " ", ","), goSyntax} {
			if bytes.Contains(out.Bytes(), []byte(form)) {
				t.Errorf("the secret %x is in the output, as %s", s, form)
			}
		}
	}
	if !bytes.Contains(out.Bytes(), []byte("(secret)")) || out.Len() < 10000 {
		t.Error("nothing was printed")
	}
	// The canary itself: File shows them all.
	file, err := a.File()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets[:3] {
		if !bytes.Contains(file, []byte(hex.EncodeToString(s))) {
			t.Errorf("File lacks %x", s)
		}
	}

	var k Key
	if k.UnmarshalText([]byte("(secret)")) == nil || k.UnmarshalBinary(nil) == nil || k.UnmarshalCBOR(nil) == nil {
		t.Error("a key is read back")
	}
	if !k.IsZero() || k.Bytes() != nil || k.Equal(epoch) || !epoch.Equal(epoch) {
		t.Error("the zero key")
	}
	if _, err := NewKey(make([]byte, 15)); err == nil {
		t.Error("a key of 15 octets")
	}
	b := epoch.Bytes()
	b[0] ^= 1
	if bytes.Equal(b, epoch.Bytes()) {
		t.Error("a key can be changed from outside")
	}
}
