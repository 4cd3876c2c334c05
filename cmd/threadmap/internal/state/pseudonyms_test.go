package state

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPseudonymKey: made once, kept for the user alone, another for another
// user; a damaged file is told without being quoted, and left as it is.
func TestPseudonymKey(t *testing.T) {
	dir := t.TempDir()
	s := &Store{Config: filepath.Join(dir, "config"), Cache: filepath.Join(dir, "cache")}
	a, err := s.PseudonymKey(t.Context())
	if err != nil || len(a) != 32 || bytes.Equal(a, make([]byte, 32)) {
		t.Fatal(len(a), err)
	}
	b, err := s.PseudonymKey(t.Context())
	if err != nil || !bytes.Equal(a, b) {
		t.Error("the second key is another", err)
	}
	if fi, err := os.Stat(s.PseudonymsFile()); err != nil || fi.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Error(fi.Mode(), err)
	}
	other := &Store{Config: t.TempDir(), Cache: t.TempDir()}
	if c, err := other.PseudonymKey(t.Context()); err != nil || bytes.Equal(a, c) {
		t.Error("another user has the same key", err)
	}
	for _, content := range []string{"", "{", `{"format":"threadmap-logins","version":1}`, `{"format":"threadmap-pseudonyms","version":1,"key":"c0ffee"}`, `{"format":"threadmap-pseudonyms","version":1,"key":7}`, strings.Repeat(" ", 1<<20)} {
		if err := os.WriteFile(s.PseudonymsFile(), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := s.PseudonymKey(t.Context())
		if key != nil || !errors.Is(err, ErrDamaged) || strings.Contains(err.Error(), "c0ffee") {
			t.Errorf("%.60q: %v", content, err)
		}
		if b, _ := os.ReadFile(s.PseudonymsFile()); string(b) != content {
			t.Errorf("%.60q was overwritten", content)
		}
	}
}
