package matterserver

import (
	"strings"
	"testing"

	"threadmap/diag"
)

func TestNormalizeURL(t *testing.T) {
	for in, want := range map[string]string{
		"ha.local":                         "ws://ha.local:5580/ws",
		" HA.local:5581 ":                  "ws://ha.local:5581/ws",
		"192.0.2.7":                        "ws://192.0.2.7:5580/ws",
		"fd00::1":                          "ws://[fd00::1]:5580/ws",
		"[fd00::1]:5580":                   "ws://[fd00::1]:5580/ws",
		"fe80::1%Eth0":                     "ws://[fe80::1%25Eth0]:5580/ws",
		"http://ha.local:5580/":            "ws://ha.local:5580/ws",
		"https://matter.example/socket/":   "wss://matter.example:443/socket",
		"ws://u:p@ha.local/ws":             "ws://ha.local:5580/ws",
		"WSS://u@ha.local":                 "wss://ha.local:443/ws",
		"":                                 "",
		"ftp://ha.local":                   "",
		"ws://":                            "",
		"ws://ha.local:0":                  "",
		"ws://ha.local:70000":              "",
		"ws://ha.local/ws?token=x":         "",
		"ws://ha.local/ws#x":               "",
		":0:1":                             "",
		"ws://ha local":                    "",
		"http://h/api/hassio_ingress/t/ws": "",
		strings.Repeat("x", 2000):          "",
	} {
		got, err := NormalizeURL(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
		if want == "" {
			continue
		}
		if again, err := NormalizeURL(got); again != got || err != nil {
			t.Errorf("%q: %q, %v", got, again, err)
		}
	}
}

// TestUnreadableURL: an error never quotes the URL, which may hold a password.
func TestUnreadableURL(t *testing.T) {
	probes := Source{}.Probes(diag.Known{Endpoints: []diag.Endpoint{{Source: Name, URL: "ws://u:" + canary + "@ha/ws?x"}, {Source: Name, URL: "ws://u:" + canary + "@%zz"}}})
	_, problems := diag.Collect(t.Context(), probes, nil)
	if len(problems) != 2 || strings.Contains(texts(problems), canary) || strings.Contains(probes[0].Target, canary) || problems[0].Hint == "" {
		t.Errorf("%+v", problems)
	}
}

func FuzzNormalizeURL(f *testing.F) {
	for _, s := range []string{"ha.local", "ws://u:p@h:1/x", "[fd00::1]", "fe80::1%e0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := NormalizeURL(s)
		if err != nil {
			return
		}
		if again, err := NormalizeURL(u); again != u || err != nil {
			t.Errorf("%q, then %q, %v", u, again, err)
		}
		if strings.Contains(u, "@") && !strings.Contains(u[strings.Index(u, "://")+3:], "/") {
			t.Errorf("user info in %q", u)
		}
	})
}
