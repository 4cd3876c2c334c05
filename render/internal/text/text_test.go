package text

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	long := strings.Repeat("é", MaxLen)
	for _, c := range []struct{ name, in, want string }{
		{"plain", "Desk plug", "Desk plug"},
		{"empty", "", ""},
		{"umlaut", "Küche – Fenster", "Küche – Fenster"},
		{"chinese", "客厅", "客厅"},
		{"colour", "\x1b[31mred\x1b[0m", "red"},
		{"cursor", "a\x1b[2;5Hb", "ab"},
		{"window title", "a\x1b]0;owned\x07b", "ab"},
		{"window title, ST", "a\x1b]0;owned\x1b\\b", "ab"},
		{"unfinished title", "a\x1b]0;owned", "a0;owned"},
		{"two-character escape", "a\x1bcb", "ab"},
		{"lone escape", "\x1b", ""},
		{"C1 as UTF-8", "\u009b31mC1", "C1"},
		{"C1 as octet", "\x9b31mC1", "\ufffd31mC1"},
		{"NUL", "nul\x00nul", "nulnul"},
		{"line breaks", "line\r\nbreak\u2028here\u0085now", "line break here now"},
		{"tabs and blanks", " \t a \u00a0 b ", "a b"},
		{"override", "\u202egnp.exe", "gnp.exe"},
		{"isolates", "a\u2066b\u2069c", "abc"},
		{"zero width", "zero\u200bwidth\ufeff", "zerowidth"},
		{"fillers", "\u3164\u115f", ""},
		{"tags", "a\U000e0041b", "ab"},
		{"broken UTF-8", "bad\xff\xfeutf8", "bad\ufffdutf8"},
		{"surrogate", "\xed\xa0\x80", "\ufffd"},
		{"noncharacter", "\ufffe", "\ufffd"},
		{"heap of marks", "e\u0301\u0301\u0301\u0301\u0301\u0301x", "e\u0301\u0301\u0301\u0301x"},
		{"long", long, long[:MaxLen-4] + "…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Clean(c.in); got != c.want {
				t.Errorf("Clean(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

// FuzzClean: what comes out is one line of visible text, bounded, and stays as
// it is when cleaned again.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"a", "\x1b[31m", "\x1b]0;x\x07", "\u202e", "\xff", "a  b ", strings.Repeat("ab ", 600), "\u009b1m", "\x1b\u200b[0m"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := Clean(s)
		if len(c) > MaxLen {
			t.Fatalf("%d bytes", len(c))
		}
		if !utf8.ValidString(c) {
			t.Fatalf("invalid UTF-8: %q", c)
		}
		for _, r := range c {
			if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r != ' ' && unicode.Is(unicode.Zs, r) {
				t.Fatalf("%U got through: %q", r, c)
			}
		}
		if strings.Contains(c, "  ") || strings.TrimSpace(c) != c {
			t.Fatalf("blanks: %q", c)
		}
		if again := Clean(c); again != c {
			t.Fatalf("Clean(%q) = %q", c, again)
		}
		if n := Columns(c); n > 2*utf8.RuneCountInString(c) {
			t.Fatalf("%d columns: %q", n, c)
		}
		for _, w := range []int{0, 1, 5, 20} {
			if cut := Truncate(c, w); Columns(cut) > w {
				t.Fatalf("Truncate(%q, %d) = %q", c, w, cut)
			}
			if cut := Fit(c, w*Em); Room(cut) > w*Em {
				t.Fatalf("Fit(%q, %d) = %q", c, w*Em, cut)
			}
		}
	})
}

func TestColumns(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "客厅": 4, "e\u0301": 1, "💡": 2, "ｶﾅ": 2, "한국": 4, "é": 1, "−": 1} {
		if got := Columns(s); got != want {
			t.Errorf("Columns(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestTruncate(t *testing.T) {
	for _, c := range []struct {
		s    string
		cols int
		want string
	}{
		{"abcdef", 6, "abcdef"}, {"abcdefg", 6, "abcde…"}, {"ab cdef", 4, "ab…"}, {"客厅的边", 5, "客厅…"}, {"客厅的边", 4, "客…"}, {"a", 0, ""}, {"ab", 1, "…"},
	} {
		if got := Truncate(c.s, c.cols); got != c.want {
			t.Errorf("Truncate(%q, %d) = %q, want %q", c.s, c.cols, got, c.want)
		}
	}
	if got := Pad("客", 4); got != "客  " {
		t.Errorf("Pad gives %q", got)
	}
}

func BenchmarkCleanPlain(b *testing.B) {
	for b.Loop() {
		Clean("Living room motion sensor 4")
	}
}
