// Package vectors reads the known numbers of key exchanges and handshakes in
// tests, and compares with them.
//
// A file has a line "name = hex" for each number, with what else there is to say
// of it, as its length, between name and "="; lines that begin with # say where
// the numbers come from. The reader is beside the tests of every package with
// such a file in its testdata; the product doesn't import it.
package vectors

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// Read is the numbers of a file by name. It fails the test unless there are
// count of them.
func Read(t testing.TB, file string, count int) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, " = "); ok && line[0] != '#' {
			b, err := hex.DecodeString(strings.TrimSpace(value))
			if err != nil {
				t.Fatalf("%s: %s: %v", file, name, err)
			}
			name, _, _ = strings.Cut(name, " ")
			all[name] = b
		}
	}
	if len(all) != count {
		t.Fatalf("%s: %d numbers, want %d", file, len(all), count)
	}
	return all
}

// Same ends the test unless got is want.
func Same(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Fatalf("%s:\n%x, want\n%x", what, got, want)
	}
}
