package secret

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const canary = "canary-0123456789"

func request(env map[string]string) Request {
	return Request{What: "test token", Env: "THREADMAP_TEST_TOKEN", Getenv: func(k string) string { return env[k] },
		Stdin: strings.NewReader(""), Prompt: &bytes.Buffer{}}
}

func TestGet(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	env := map[string]string{"THREADMAP_TEST_TOKEN": canary}
	for _, c := range []struct {
		name, file, stdin string
		env               map[string]string
		want, err         string
	}{
		{name: "environment", env: env, want: canary},
		{name: "file", file: file("a", canary+"\r\n"), want: canary},
		{name: "file before environment", file: file("b", "other"), env: env, want: "other"},
		{name: "standard input", file: "-", stdin: canary + "\n", want: canary},
		{name: "empty file", file: file("c", " \n"), err: "is empty"},
		{name: "empty variable counts as none", env: map[string]string{"THREADMAP_TEST_TOKEN": ""}, err: "no terminal to ask at"},
		{name: "no such file", file: filepath.Join(dir, "none"), err: "no such file"},
		{name: "largest", file: file("d", strings.Repeat("x", maxSecret)), want: strings.Repeat("x", maxSecret)},
		{name: "too large", file: file("e", canary+strings.Repeat("x", maxSecret)), err: "more than"},
		{name: "nothing anywhere", stdin: canary, err: "$THREADMAP_TEST_TOKEN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(c.env)
			r.File, r.Stdin = c.file, strings.NewReader(c.stdin)
			s, err := Get(context.Background(), r)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error is %v, want one with %q", err, c.err)
				}
				if strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %q tells the secret or has two lines", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := string(s.Reveal()); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	s := New([]byte(canary))
	var log, bin bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s, "in", struct{ S Secret }{s})
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s, "in", struct{ S Secret }{s})
	said := log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		said += fmt.Sprintf(verb, s) + fmt.Sprintf(verb, &s) + fmt.Sprintf(verb, struct{ S Secret }{s})
	}
	if b, err := json.Marshal(s); err == nil {
		t.Errorf("JSON took it: %s", b)
	}
	if err := gob.NewEncoder(&bin).Encode(s); err == nil {
		t.Error("gob took it")
	}
	for _, leak := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprint([]byte(canary)), canary[:6]} {
		if strings.Contains(said+bin.String(), leak) {
			t.Errorf("the secret was printed as %q", leak)
		}
	}
	s.Wipe()
	if strings.Trim(string(s.Reveal()), "\x00") != "" {
		t.Error("Wipe left something")
	}
}
