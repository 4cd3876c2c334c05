// Package golden compares what a test made with what is kept in a file of
// testdata, and writes that file anew where the environment says UPDATE=1.
//
// The reader is beside the tests of packages that draw or tell something at
// length; the product does not import it.
package golden

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Updating reports whether the kept files are to be written anew.
func Updating() bool { return os.Getenv("UPDATE") != "" }

// Same fails the test where got is not what the file of that name in testdata
// holds.
func Same[T string | []byte](t *testing.T, name string, got T) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if Updating() {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (UPDATE=1 writes it)", err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs (UPDATE=1 writes it anew):\n%s", file, cmp.Diff(string(want), string(got)))
	}
}
