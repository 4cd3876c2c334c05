package state

import (
	"context"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/pskc"
)

const canary = "82bd66995ab150de4dab943937b2b66d"

func credential(t *testing.T, network diag.PANID64, name, key string) Credential {
	t.Helper()
	s, err := pskc.Parse(key)
	if err != nil {
		t.Fatal(err)
	}
	return Credential{ExtPANID: network, Network: name, PSKc: s, Added: time.Unix(1795356120, 0).UTC()}
}

func TestCredentials(t *testing.T) {
	s := &Store{Config: t.TempDir(), Cache: t.TempDir()}
	if have, err := s.Credentials(); err != nil || len(have) != 0 {
		t.Fatalf("%v, %v", have, err)
	}
	lab, other := credential(t, 0xdead00beef00cafe, "Lab", canary), credential(t, 0xffffffffffffffff, "", strings.Repeat("0f", 16))
	renewed := credential(t, lab.ExtPANID, "Lab two", strings.Repeat("a5", 16))
	for _, c := range []Credential{lab, other, renewed} {
		if aside, err := s.AddCredential(context.Background(), c); err != nil || aside != "" {
			t.Fatal(aside, err)
		}
	}
	have, err := s.Credentials()
	if err != nil || len(have) != 2 {
		t.Fatalf("%v, %v", have, err)
	}
	for i, want := range []Credential{renewed, other} {
		if got := have[i]; got.ExtPANID != want.ExtPANID || got.Network != want.Network || !got.PSKc.Equal(want.PSKc) || !got.Added.Equal(want.Added) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if fi, err := os.Stat(s.CredentialsFile()); err != nil || runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi, err)
	}
	for i, want := range []bool{true, false} {
		if removed, err := s.RemoveCredential(context.Background(), lab.ExtPANID); err != nil || removed != want {
			t.Errorf("time %d: %v, %v", i+1, removed, err)
		}
	}
	if have, err := s.Credentials(); err != nil || len(have) != 1 || have[0].ExtPANID != other.ExtPANID {
		t.Errorf("%v, %v", have, err)
	}
	for what, c := range map[string]Credential{
		"no network": credential(t, 0, "Lab", canary), "no key": {ExtPANID: 1}, "long name": credential(t, 1, "seventeen octets.", canary), "no text": credential(t, 1, "\xff", canary),
	} {
		if _, err := s.AddCredential(context.Background(), c); err == nil {
			t.Errorf("%s was kept", what)
		}
	}
}

// What can't be understood stays as it is until something is to be written, and
// no error tells what is in it.
func TestCredentialsDamaged(t *testing.T) {
	entry := func(s string) string {
		return `{"format":"threadmap-credentials","version":1,"thread":[` + s + `]}`
	}
	one := `{"ext_pan_id":"dead00beef00cafe","pskc":"` + canary + `"}`
	for what, text := range map[string]string{
		"cut off":         entry(one)[:90],
		"another format":  `{"format":"threadmap-logins","version":1,"thread":[` + one + `]}`,
		"no network":      entry(`{"pskc":"` + canary + `"}`),
		"network zero":    entry(`{"ext_pan_id":"0000000000000000","pskc":"` + canary + `"}`),
		"short key":       entry(`{"ext_pan_id":"dead00beef00cafe","pskc":"` + canary[2:] + `"}`),
		"secret as id":    entry(`{"ext_pan_id":"` + canary + `","pskc":"` + canary + `"}`),
		"key of a number": entry(`{"ext_pan_id":"dead00beef00cafe","pskc":82}`),
		"long name":       entry(`{"ext_pan_id":"dead00beef00cafe","network":"` + canary + `","pskc":"` + canary + `"}`),
		"too many":        entry(strings.Repeat(one+",", maxCredentials) + one),
		"too large":       strings.Repeat(" ", maxCredentialsFile) + entry(one),
		"newer":           `{"format":"threadmap-credentials","version":2,"thread":[` + one + `]}`,
	} {
		s := &Store{Config: t.TempDir(), Cache: t.TempDir()}
		if err := os.WriteFile(s.CredentialsFile(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		have, err := s.Credentials()
		if err == nil || have != nil || strings.Contains(err.Error(), canary[:6]) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, %v", what, have, err)
		}
		aside, err := s.AddCredential(context.Background(), credential(t, 1, "Lab", canary))
		kept := s.CredentialsFile()
		if what == "newer" {
			if err == nil {
				t.Errorf("%s was replaced", what)
			}
		} else if err != nil || aside == "" {
			t.Errorf("%s: %q, %v", what, aside, err)
		} else {
			kept = aside
		}
		if b, err := os.ReadFile(kept); err != nil || string(b) != text {
			t.Errorf("%s is lost: %v", what, err)
		}
	}
	s := &Store{Config: t.TempDir(), Cache: t.TempDir()}
	if err := os.WriteFile(s.CredentialsFile(), []byte(entry(one)), 0o600); err != nil {
		t.Fatal(err)
	}
	if have, err := s.Credentials(); err != nil || len(have) != 1 {
		t.Errorf("%v, %v", have, err)
	}
}
