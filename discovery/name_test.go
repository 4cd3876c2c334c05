package discovery

import (
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	for _, tt := range []struct {
		labels []string
		text   string
	}{
		{nil, "."},
		{[]string{"a", "local"}, "a.local"},
		{[]string{"LabBR ThreadMapLabBR #76D1", "_meshcop", "_udp", "local"}, "LabBR ThreadMapLabBR #76D1._meshcop._udp.local"},
		{[]string{"Dr. Who's \\ lamp", "local"}, `Dr\. Who's \\ lamp.local`},
		{[]string{"💡 Küche", "local"}, "💡 Küche.local"},
		{[]string{"\x00\x1b\x7f\xff\"", "local"}, `\000\027\127\255".local`},
	} {
		n, err := NewName(tt.labels...)
		if err != nil || n.String() != tt.text {
			t.Errorf("%q: %s, %v", tt.labels, n, err)
		}
		back, err := ParseName(tt.text)
		if err != nil || back != n {
			t.Errorf("%s: %q, %v", tt.text, back, err)
		}
		if dotted, err := ParseName(tt.text + "."); tt.labels != nil && (err != nil || dotted != n) {
			t.Errorf("%s.: %q, %v", tt.text, dotted, err)
		}
		if got := strings.Join(n.Labels(), "\xfe"); got != strings.Join(tt.labels, "\xfe") {
			t.Errorf("%q: %q", tt.labels, got)
		}
	}
	for _, bad := range []string{"a..b", `a\`, `a\25`, `a\256`, strings.Repeat("x", 64), strings.Repeat("abcdefg.", 33), "." + "a", ".."} {
		if n, err := ParseName(bad); err == nil {
			t.Errorf("%q: %q", bad, n)
		}
	}
	if _, err := NewName(""); err == nil {
		t.Error("an empty label")
	}
}

func TestNameCompare(t *testing.T) {
	a, b := mustName("LabBR Ä", "_UDP", "Local"), mustName("labbr Ä", "_udp", "local")
	if !a.Equal(b) || a == b || a.Fold() != b || b.Fold() != b {
		t.Error(a.Fold(), b)
	}
	if a.Equal(mustName("labbr ä", "_udp", "local")) { // only A to Z have no case (RFC 4343)
		t.Error("Ä is ä")
	}
	if n := mustName("a.b"); n.Equal(mustName("a", "b")) {
		t.Error("a dot in a label is no border of labels")
	}
	if !a.In(mustName("_udp", "local")) || !a.In(a) || mustName("local").In(a) || mustName("x", "bocal").In(mustName("local")) || !a.In(Name{}) {
		t.Error("In")
	}
	if a.Parent().String() != "_UDP.Local" || (Name{}).Parent() != (Name{}) || a.First() != "LabBR Ä" {
		t.Error("Parent, First")
	}
	var n Name
	if err := n.UnmarshalText([]byte(a.String())); err != nil || n != a {
		t.Error(n, err)
	}
	if err := n.UnmarshalText([]byte("..")); err == nil || n != a {
		t.Error(n, err)
	}
}

// FuzzName: the presentation form of whatever parses parses to the same name.
func FuzzName(f *testing.F) {
	for _, s := range []string{"a.local", `Dr\. Who\032.local.`, "💡", `\000\255`, ".", strings.Repeat("abcdefg.", 31)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseName(s)
		if err != nil {
			return
		}
		back, err := ParseName(n.String())
		if err != nil || back != n || len(n.wire) > maxName || !n.Equal(n.Fold()) {
			t.Errorf("%q: %q, %v", n, back, err)
		}
		if again, err := NewName(n.Labels()...); err != nil || again != n {
			t.Errorf("%q: %q, %v", n, again, err)
		}
	})
}
