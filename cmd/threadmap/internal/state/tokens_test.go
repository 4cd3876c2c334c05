package state

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"threadmap/diag/homeassistant"
	"threadmap/diag/tmf/pskc"
)

const canaryToken = "eyJhbGciOiJIUzI1NiJ9.canary-token.0123456789"

func aToken(t *testing.T, url, text string) Token {
	t.Helper()
	token, err := homeassistant.ParseToken(text)
	if err != nil {
		t.Fatal(err)
	}
	return Token{URL: url, Token: token, Added: time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)}
}

// Tokens come back as they were, beside the credentials of networks, and a refusal
// is for good.
func TestTokens(t *testing.T) {
	s := &Store{Config: t.TempDir(), Cache: t.TempDir()}
	key, err := pskc.Parse("00112233445566778899aabbccddeeff")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddCredential(t.Context(), Credential{ExtPANID: 0xdead, Network: "MyHome", PSKc: key}); err != nil {
		t.Fatal(err)
	}
	one, two := aToken(t, "http://192.0.2.7:8123", canaryToken), aToken(t, "https://ha.example:443", canaryToken+"x")
	if two.Trust, err = homeassistant.ParseFingerprint(strings.Repeat("ab", 32)); err != nil {
		t.Fatal(err)
	}
	for _, x := range []Token{one, two} {
		if aside, err := s.AddToken(t.Context(), x); aside != "" || err != nil {
			t.Fatal(aside, err)
		}
	}
	check := func(refused ...bool) {
		t.Helper()
		got, err := s.Tokens()
		networks, err2 := s.Credentials()
		if err != nil || err2 != nil || len(got) != len(refused) || len(networks) != 1 || networks[0].Network != "MyHome" {
			t.Fatalf("%v %v, %v %v", got, err, networks, err2)
		}
		for i, x := range got {
			if want := []Token{one, two}[i]; x.URL != want.URL || x.Token.Text() != want.Token.Text() || x.Trust != want.Trust || !x.Added.Equal(want.Added) || x.Refused != refused[i] || x.Token.Refused() != refused[i] {
				t.Errorf("%+v", x)
			}
			if out := fmt.Sprintf("%v %+v %#v %s", x, x, x, must(json.Marshal(x))); strings.Contains(out, "canary") {
				t.Errorf("the token is printed: %s", out)
			}
		}
	}
	check(false, false)
	if err := s.RefuseToken(t.Context(), aToken(t, two.URL, canaryToken)); err != nil { // an older one
		t.Fatal(err)
	}
	check(false, false)
	if err := s.RefuseToken(t.Context(), two); err != nil {
		t.Fatal(err)
	}
	check(false, true)
	if _, err := s.AddToken(t.Context(), two); err != nil { // a new login
		t.Fatal(err)
	}
	check(false, false)
	if removed, err := s.RemoveCredential(t.Context(), 1); removed || err != nil {
		t.Fatal(removed, err)
	}
	check(false, false)
	if err := s.RemoveToken(t.Context(), two.URL); err != nil {
		t.Fatal(err)
	}
	check(false)
}

func must(b []byte, err error) string { return string(b) + fmt.Sprint(err) }

// A damaged token costs the file, in one line that does not quote it.
func TestDamagedTokens(t *testing.T) {
	for _, row := range []string{
		`{"url":"http://192.0.2.7:8123","token":"canary"}`, `{"url":"http://192.0.2.7:8123","token":"` + canaryToken + `","fingerprint":"canary"}`,
		`{"url":"http://192.0.2.7","token":"` + canaryToken + `"}`, `{"url":"http://u:canary@192.0.2.7:8123","token":"` + canaryToken + `"}`,
		`{"url":"","token":"` + canaryToken + `"}`, `{"url":"http://192.0.2.7:8123","token":"canary canary canary canary"}`, `5`,
		strings.TrimSuffix(strings.Repeat(`{"url":"http://192.0.2.7:8123","token":"`+canaryToken+`"},`, maxTokens+1), ","),
	} {
		s := &Store{Config: t.TempDir(), Cache: t.TempDir()}
		doc := `{"format":"threadmap-credentials","version":1,"thread":[],"home_assistant":[` + row + `]}`
		if err := os.WriteFile(s.CredentialsFile(), []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Tokens(); err == nil || got != nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.80s: %v, %v", row, got, err)
		}
		if aside, err := s.AddToken(t.Context(), aToken(t, "http://192.0.2.8:8123", canaryToken)); err != nil || aside == "" {
			t.Errorf("%.80s: %q, %v", row, aside, err)
		}
		if got, err := s.Tokens(); err != nil || len(got) != 1 {
			t.Errorf("%.80s: %v, %v", row, got, err)
		}
	}
	s := &Store{Config: t.TempDir(), Cache: t.TempDir()}
	if _, err := s.AddToken(t.Context(), Token{URL: "http://192.0.2.7:8123"}); err == nil {
		t.Error("no token is kept")
	}
}
