package writefile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func put(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// onlyFiles fails when the folder holds anything else than these files.
func onlyFiles(t *testing.T, folder string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if len(got) != len(names) {
		t.Fatalf("folder holds %q, want %q", got, names)
	}
	for i := range names {
		if got[i] != names[i] {
			t.Fatalf("folder holds %q, want %q", got, names)
		}
	}
}

func TestAtomic(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "mesh.svg")
	for _, text := range []string{"one", "two, longer", ""} {
		if err := Atomic(name, Private, put(text)); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(name)
		if err != nil || string(b) != text {
			t.Fatalf("read %q, %v; want %q", b, err, text)
		}
	}
	fi, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && fi.Mode().Perm()&0o077 != 0 {
		t.Errorf("permissions are %v, want no access for others", fi.Mode().Perm())
	}
	onlyFiles(t, dir, "mesh.svg")
}

func TestAtomicKeepsTheOldFileOnFailure(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "mesh.svg")
	if err := os.WriteFile(name, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no ink")
	err := Atomic(name, Public, func(w io.Writer) error {
		io.WriteString(w, "half a picture")
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error is %v, want %v", err, broken)
	}
	if b, _ := os.ReadFile(name); string(b) != "old" {
		t.Errorf("the file holds %q, want what was there", b)
	}
	onlyFiles(t, dir, "mesh.svg")
}

func TestAtomicRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := Atomic(dir, Public, put("x")); err == nil {
		t.Error("a folder was overwritten")
	}
	err := Atomic(filepath.Join(dir, "no", "such", "folder.svg"), Public, put("x"))
	if err == nil {
		t.Fatal("wrote into a folder that is not there")
	}
	if want := "create " + filepath.Join(dir, "no", "such", "folder.svg"); len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
		t.Errorf("error %q does not name the file", err)
	}
	onlyFiles(t, dir)
}

func TestAtomicFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.svg"), filepath.Join(dir, "link.svg")
	if err := os.WriteFile(real, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.svg", link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := Atomic(link, Public, put("new")); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(real); string(b) != "new" {
		t.Errorf("the linked file holds %q", b)
	}
	if fi, err := os.Lstat(link); err != nil || fi.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	for name, age := range map[string]time.Duration{
		tempMark + "OLD": 25 * time.Hour, tempMark + "NEW": time.Hour, "old.cbor": 1000 * time.Hour,
	} {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(p, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	Sweep(dir, now)
	onlyFiles(t, dir, tempMark+"NEW", "old.cbor")
}
