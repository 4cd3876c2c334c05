package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	dir := t.TempDir()
	return &Store{Config: filepath.Join(dir, "config", "threadmap"), Cache: filepath.Join(dir, "cache", "threadmap")}
}

func TestLocate(t *testing.T) {
	dir := t.TempDir()
	s, err := Locate(func(k string) string { return map[string]string{Env: dir}[k] })
	if err != nil {
		t.Fatal(err)
	}
	if s.Config != dir || s.Cache != dir {
		t.Errorf("$%s=%s gives %+v", Env, dir, s)
	}
	if runtime.GOOS == "linux" {
		t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "c"))
		t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "k"))
		s, err := Locate(func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		if want := (Store{filepath.Join(dir, "c", "threadmap"), filepath.Join(dir, "k", "threadmap")}); *s != want {
			t.Errorf("XDG gives %+v, want %+v", *s, want)
		}
		t.Setenv("XDG_CONFIG_HOME", "relative")
		if _, err := Locate(func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "$"+Env) {
			t.Errorf("error %v says not what to do", err)
		}
	}
}

// checkPrivate fails where somebody else could read what is under dir.
func checkPrivate(t *testing.T, dir string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		return
	}
	err := filepath.Walk(dir, func(p string, fi os.FileInfo, err error) error {
		if err == nil && fi.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has permissions %v", p, fi.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLogins(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	if got, err := s.Logins(); err != nil || got != nil {
		t.Fatalf("a new store has %v, %v", got, err)
	}
	a := Login{Source: "otbr", URL: "http://otbr.local:8081", Network: "MyHome", ExtPANID: "dead00beef00cafe", Added: time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)}
	b := Login{Source: "otbr", URL: "http://[fd00::1]:8081"}
	for _, l := range []Login{a, b, a} {
		if aside, err := s.AddLogin(ctx, l); err != nil || aside != "" {
			t.Fatalf("adding: %q, %v", aside, err)
		}
	}
	if got, err := s.Logins(); err != nil || !reflect.DeepEqual(got, []Login{a, b}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	checkPrivate(t, s.Config)
	checkPrivate(t, s.Cache)
	gone, err := s.RemoveLogin(ctx, func(l Login) bool { return l.URL == a.URL })
	if err != nil || !reflect.DeepEqual(gone, []Login{a}) {
		t.Fatalf("removed %+v, %v", gone, err)
	}
	if got, err := s.Logins(); err != nil || !reflect.DeepEqual(got, []Login{b}) {
		t.Fatalf("left %+v, %v", got, err)
	}
	if _, err := s.AddLogin(ctx, Login{Source: "otbr", URL: "http://me:canary@otbr:8081"}); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("a URL with a password gave %v", err)
	}
}

func TestLoginsDamaged(t *testing.T) {
	for name, content := range map[string]string{
		"empty":           "",
		"half":            `{"format":"threadmap-logins","version":1,"logins":[{"so`,
		"other document":  `{"format":"threadmap-map","version":1}`,
		"array":           `[]`,
		"wrong type":      `{"format":"threadmap-logins","version":1,"logins":[{"source":5}]}`,
		"no source":       `{"format":"threadmap-logins","version":1,"logins":[{"url":"http://a"}]}`,
		"URL with secret": `{"format":"threadmap-logins","version":1,"logins":[{"source":"otbr","url":"http://a:canary@b"}]}`,
		"too large":       `{"format":"threadmap-logins","version":1,"x":"` + strings.Repeat("x", maxLoginsFile) + `"}`,
		"deep":            strings.Repeat("[", 1<<19),
		"too many":        `{"format":"threadmap-logins","version":1,"logins":[` + strings.Repeat(`{},`, maxLogins) + `{}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			s, ctx := newStore(t), context.Background()
			if err := os.MkdirAll(s.Config, 0o700); err != nil {
				t.Fatal(err)
			}
			write := func() {
				if err := os.WriteFile(s.LoginsFile(), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write()
			_, err := s.Logins()
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), s.LoginsFile()) || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "canary") {
				t.Fatalf("error is %v", err)
			}
			if _, err := s.RemoveLogin(ctx, func(Login) bool { return true }); !errors.Is(err, ErrDamaged) {
				t.Fatalf("removing from a damaged file: %v", err)
			}
			l := Login{Source: "otbr", URL: "http://a:8081"}
			for i := range 2 {
				write()
				aside, err := s.AddLogin(ctx, l)
				if err != nil || aside != fmt.Sprintf("%s.damaged-%d", s.LoginsFile(), i+1) {
					t.Fatalf("aside %q, %v", aside, err)
				}
				if b, err := os.ReadFile(aside); err != nil || string(b) != content {
					t.Fatalf("kept aside: %d bytes, %v; want %d", len(b), err, len(content))
				}
			}
			if got, err := s.Logins(); err != nil || !reflect.DeepEqual(got, []Login{l}) {
				t.Fatalf("afterwards %v, %v", got, err)
			}
		})
	}
}

// TestLoginsOfANewerVersion: a file that only a newer program understands is
// neither damaged nor ours to change.
func TestLoginsOfANewerVersion(t *testing.T) {
	s := newStore(t)
	if err := os.MkdirAll(s.Config, 0o700); err != nil {
		t.Fatal(err)
	}
	content := []byte(`{"format":"threadmap-logins","version":2,"logins":{"new":"shape"}}`)
	if err := os.WriteFile(s.LoginsFile(), content, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		func() error { _, err := s.Logins(); return err }(),
		func() error {
			_, err := s.AddLogin(context.Background(), Login{Source: "otbr", URL: "http://a:8081"})
			return err
		}(),
	} {
		if err == nil || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "newer") {
			t.Errorf("error is %v", err)
		}
	}
	if b, _ := os.ReadFile(s.LoginsFile()); string(b) != string(content) {
		t.Errorf("the file is now %s", b)
	}
}

func TestLoginsSideBySide(t *testing.T) {
	s := newStore(t)
	const n = 20
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if _, err := s.AddLogin(context.Background(), Login{Source: "otbr", URL: fmt.Sprintf("http://h%d:8081", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, err := s.Logins(); err != nil || len(got) != n {
		t.Errorf("%d logins, %v; want %d", len(got), err, n)
	}
}

func scanAt(at time.Time) *diag.Scan {
	return &diag.Scan{From: at.Add(-time.Second), To: at, Complete: true,
		Reports: []diag.Report{{Source: "test", At: at, RLOC16: diag.MakeRLOC16(0)}}}
}

func TestScans(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	if _, _, err := s.LastScan(); !errors.Is(err, ErrNoScan) {
		t.Fatalf("a new store gives %v", err)
	}
	start := time.Date(2026, 11, 22, 14, 2, 33, 123456789, time.FixedZone("", 3600))
	for i := range KeptScans + 3 {
		saved, err := s.SaveScan(ctx, scanAt(start.Add(time.Duration(i)*time.Minute)))
		if err != nil {
			t.Fatal(err)
		}
		if fi, err := os.Stat(saved.File); err != nil || !fi.Mode().IsRegular() {
			t.Fatal(err)
		}
	}
	stranger := filepath.Join(s.ScansFolder(), "mine.cbor")
	if err := os.WriteFile(stranger, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	have, err := s.Scans()
	if err != nil || len(have) != KeptScans {
		t.Fatalf("%d scans, %v; want %d", len(have), err, KeptScans)
	}
	if want := start.Add(3 * time.Minute).Truncate(time.Millisecond); !have[0].At.Equal(want) {
		t.Errorf("the oldest is of %v, want %v", have[0].At, want)
	}
	scan, last, err := s.LastScan()
	if err != nil {
		t.Fatal(err)
	}
	if want := start.Add((KeptScans + 2) * time.Minute); !scan.To.Equal(want) || !last.At.Equal(want.Truncate(time.Millisecond)) {
		t.Errorf("the last is of %v (%v), want %v", scan.To, last.At, want)
	}
	if r, known := scan.Reports[0].RLOC16.Get(); r != 0 || !known {
		t.Errorf("RLOC16 0x0000 came back as %v, %v", r, known)
	}
	checkPrivate(t, s.Cache)
}

func TestScansOfOneMillisecond(t *testing.T) {
	s := newStore(t)
	at := time.Date(2026, 11, 22, 14, 2, 33, 0, time.UTC)
	for range 3 {
		if _, err := s.SaveScan(context.Background(), scanAt(at)); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := s.Scans(); err != nil || len(have) != 3 {
		t.Errorf("%d scans, %v; want 3", len(have), err)
	}
}

// TestScanAfterTheClockWentBack: the scan just made is kept although it seems
// to be the oldest.
func TestScanAfterTheClockWentBack(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	at := time.Date(2026, 11, 22, 14, 2, 33, 0, time.UTC)
	for i := range KeptScans {
		if _, err := s.SaveScan(ctx, scanAt(at.Add(time.Duration(i)*time.Second))); err != nil {
			t.Fatal(err)
		}
	}
	saved, err := s.SaveScan(ctx, scanAt(at.Add(-time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(saved.File); err != nil {
		t.Error(err)
	}
}

func TestLastScanDamaged(t *testing.T) {
	s := newStore(t)
	saved, err := s.SaveScan(context.Background(), scanAt(time.Date(2026, 11, 22, 14, 2, 33, 0, time.UTC)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(saved.File, 10); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.LastScan(); err == nil || !strings.Contains(err.Error(), saved.File) {
		t.Errorf("error %v does not name the file", err)
	}
}

func TestLockGivesUp(t *testing.T) {
	s := newStore(t)
	unlock, err := s.lock(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := s.lock(t.Context())
		if err == nil || !strings.Contains(err.Error(), "another threadmap") {
			t.Errorf("error is %v", err)
		}
		if d := time.Since(start); d != lockWait {
			t.Errorf("waited %v, want %v", d, lockWait)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.lock(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v, want that of the context", err)
		}
	})
	unlock()
	unlock, err = s.lock(context.Background())
	if err != nil {
		t.Fatalf("a freed lock: %v", err)
	}
	unlock()
}

func FuzzLogins(f *testing.F) {
	good, err := json.Marshal(loginsFile{loginsFormat, loginsVersion, []Login{{Source: "otbr", URL: "http://a:8081"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"format":"threadmap-logins","version":1e99}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		logins, err := parseLogins(b)
		if err != nil {
			return
		}
		again, err := json.Marshal(loginsFile{loginsFormat, loginsVersion, logins})
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseLogins(again)
		if err != nil || len(got) != len(logins) {
			t.Errorf("%s is read, but not when written again: %v", b, err)
		}
	})
}
