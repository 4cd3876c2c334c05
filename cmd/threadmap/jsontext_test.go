package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestHarmlessJSON: no escape code, C1 control or sign that turns text around
// gets out, and the document says the same.
func TestHarmlessJSON(t *testing.T) {
	for _, s := range []string{"", "plain", "Küche 🔥 東京", "\x1b[31m\x7f\u009b31m", "a\u202eb\u2066c\u200d", "tag\U000e0041", "\u00ad"} {
		b, err := json.Marshal(map[string]string{s: s})
		if err != nil {
			t.Fatal(err)
		}
		got := harmlessJSON(bytes.Clone(b))
		var back map[string]string
		if err := json.Unmarshal(got, &back); err != nil || back[s] != s {
			t.Errorf("%q became %s, %v", s, got, err)
		}
		if strings.ContainsAny(string(got), "\x1b\x7f\u009b\u202e\u2066\u200d\U000e0041\u00ad") {
			t.Errorf("%q: %q", s, got)
		}
		if s == "Küche 🔥 東京" && !bytes.Equal(got, b) {
			t.Errorf("%s is not left alone: %s", b, got)
		}
	}
}
