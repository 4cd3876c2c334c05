package names

import (
	"slices"
	"strings"
	"testing"

	"threadmap/topology"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []topology.Alias
	}{
		{"", nil},
		{"# nothing yet\n", nil},
		{"86c42aee25485123: Hall button", []topology.Alias{{Identity: "86c42aee25485123", Name: "Hall button"}}},
		// Digits only, or digits and an e, are addresses and no numbers.
		{"0123456789012345: 42\n12345678901234e5: \"yes\"\n0x5c0000: no\n", []topology.Alias{
			{Identity: "0123456789012345", Name: "42"}, {Identity: "12345678901234e5", Name: "yes"}, {Identity: "0x5c0000", Name: "no"}}},
		{"Kitchen HomePod._meshcop._udp: {name: HomePod, room: Kitchen}\n\"fd11::1\":\n  room: Hall\n", []topology.Alias{
			{Identity: "Kitchen HomePod._meshcop._udp", Name: "HomePod", Room: "Kitchen"}, {Identity: "fd11::1", Room: "Hall"}}},
	} {
		got, err := Parse([]byte(c.in))
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: %+v, %v; want %+v", c.in, got, err, c.want)
		}
	}
}

// TestParseRefuses wants one line that tells where it is wrong.
func TestParseRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"- a\n- b\n":                        "line 1",
		"a: &x b\n":                         "line 1",
		"a: b\nA: c\n":                      "line 2",
		"a: b\nc: {title: d}\n":             "line 2",
		"a: [b, c]\n":                       "line 1",
		"a: |\n  b\n  c\n":                  "line 1",
		"a:\n":                              "line 1",
		"a: " + strings.Repeat("b", 200):    "200 octets",
		strings.Repeat("a", 1000) + ": b":   "line 1",
		strings.Repeat("a: b\n", MaxSize/4): "octets",
		"a: {{{{{{{{{{b":                    "line 1",
		"a: {name: b":                       "YAML",
	} {
		got, err := Parse([]byte(in))
		if err == nil {
			t.Errorf("%.30q: read as %+v", in, got)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.30q: %q; want %q", in, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("86c42aee25485123: Hall button\nx: {name: a, room: b}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Parse(b)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("an error of several lines: %q", err)
		}
		for _, a := range got {
			if a.Identity == "" || len(a.Name) > maxName || len(a.Room) > maxName {
				t.Errorf("%+v", a)
			}
		}
	})
}
