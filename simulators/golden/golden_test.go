package golden

import (
	"os"
	"testing"
)

// TestSame: what was written anew is the same afterwards.
func TestSame(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("UPDATE", "1")
	Same(t, "a.txt", "one\n")
	Same(t, "a.txt", []byte("two\n"))
	t.Setenv("UPDATE", "")
	if b, err := os.ReadFile("testdata/a.txt"); Updating() || err != nil || string(b) != "two\n" {
		t.Errorf("%v, %q, %v", Updating(), b, err)
	}
	Same(t, "a.txt", "two\n")
	var other testing.T
	if Same(&other, "a.txt", "three\n"); !other.Failed() {
		t.Error("another text is the same")
	}
}
