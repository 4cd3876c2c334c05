package hidden

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

type unseen = Methods

type key struct {
	unseen
	p **[]byte
}

// TestNothingShows: a secret does not come out by any verb or encoder, alone or
// inside of other values, even in fields whose methods nobody may call.
func TestNothingShows(t *testing.T) {
	const canary = "canary-bytes"
	b := []byte(canary)
	p := &b
	k := key{p: &p}
	for _, v := range []any{k, &k, []key{k}, map[string]key{"x": k}, struct{ K key }{k}, struct{ k key }{k}, struct{ k *key }{&k}, &struct{ k any }{k}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p"} {
			if s := fmt.Sprintf(verb, v); leaks(s, canary) {
				t.Errorf("%s of %T shows %s", verb, v, s)
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", v)
		j, _ := json.Marshal(v)
		c, _ := cbor.Marshal(v)
		for _, s := range []string{log.String(), string(j), string(c)} {
			if leaks(s, canary) {
				t.Errorf("%T shows %q", v, s)
			}
		}
	}
	var g bytes.Buffer
	if err := gob.NewEncoder(&g).Encode(k); err != nil || leaks(g.String(), canary) {
		t.Errorf("gob: %v, %q", err, g.Bytes())
	}
	if j, err := json.Marshal(k); string(j) != `"(secret)"` || !errors.Is(json.Unmarshal(j, &k), ErrNotStored) {
		t.Errorf("JSON: %s, %v", j, err)
	}
	if c, err := cbor.Marshal(k); string(c) != "\x68(secret)" || cbor.Unmarshal(c, &k) == nil {
		t.Errorf("CBOR: %q, %v", c, err)
	}
}

// leaks looks for the secret as text, in hexadecimal and as a list of numbers.
func leaks(s, secret string) bool {
	s = strings.ToLower(s)
	return strings.Contains(s, secret) || strings.Contains(s, fmt.Sprintf("%x", secret)) || strings.Contains(s, strings.Trim(fmt.Sprint([]byte(secret)), "[]")) || strings.Contains(s, "0x63, 0x61, 0x6e")
}
