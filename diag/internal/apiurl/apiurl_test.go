package apiurl

import (
	"strings"
	"testing"
)

var web = API{Of: "the oven", Plain: "http", Secure: "https", Alias: map[string]string{"ws": "http", "wss": "https"}, Port: "8081"}

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		"br.local":                     "http://br.local:8081",
		" BR.local:80 ":                "http://br.local:80",
		"http://192.0.2.7:8081/":       "http://192.0.2.7:8081",
		"https://br.example/otbr/":     "https://br.example:443/otbr",
		"WSS://br.example":             "https://br.example:443",
		"fd11:db8::1":                  "http://[fd11:db8::1]:8081",
		"[fd11:db8::1]":                "http://[fd11:db8::1]:8081",
		"[fd11:db8::1]:9000":           "http://[fd11:db8::1]:9000",
		"fe80::1%enP3s0":               "http://[fe80::1%25enP3s0]:8081",
		"http://[fe80::1%25enP3s0]:80": "http://[fe80::1%25enP3s0]:80",
		"http://me:hunter2@br":         "http://br:8081",
		"http://br/x?a=b#c":            "http://br:8081/x",
		"":                             "",
		"http://":                      "",
		"ftp://br":                     "",
		"http://br:0":                  "",
		"http://br:70000":              "",
		"http://me:hunter2@br:x":       "",
		"http://[fd11":                 "",
		":0:1":                         "",
		"://":                          "",
		"http://a b":                   "",
		strings.Repeat("a", maxURL+1):  "",

		strings.Repeat("a", maxHost+1):           "",
		"b\xff\xffr":                             "",
		"br/" + strings.Repeat("\x01", maxURL/2): "",
		"br/" + strings.Repeat("é", maxURL/3):    "",
	} {
		u, err := web.Parse(in)
		if want == "" {
			if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "the oven") {
				t.Errorf("%q: %s, %v", in, u, err)
			}
			continue
		}
		if err != nil || u.String() != want {
			t.Errorf("%q: %s, %v; want %s", in, u, err, want)
		}
		if again, err := web.Parse(u.String()); err != nil || again.String() != want {
			t.Errorf("%q is not stable: %s, %v", in, again, err)
		}
	}
}

// What came after the path is said, and user info is in Full alone.
func TestParts(t *testing.T) {
	u, err := web.Parse("https://me:hunter%202@br/a?token=x")
	if err != nil || !u.More || u.String() != "https://br:443/a" || u.Full() != "https://me:hunter%202@br:443/a" {
		t.Errorf("%+v, %v", u, err)
	}
	if u, err := web.Parse("br"); err != nil || u.More || u.Full() != u.String() {
		t.Errorf("%+v, %v", u, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"ha.local", "ws://u:p@h:1/x", "[fd00::1]", "fe80::1%e0", "https://a/b?c#d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := web.Parse(s)
		if err != nil {
			return
		}
		if again, err := web.Parse(u.String()); err != nil || again.String() != u.String() || again.User != nil {
			t.Errorf("%q, then %q, %v", u, again, err)
		}
	})
}
