package cluster

import (
	"strings"
	"unicode/utf8"
)

// cleanText makes a name of s: valid UTF-8 of at most maxText octets, without
// the padding that some devices leave around it.
func cleanText(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
		if r, _ := utf8.DecodeLastRuneInString(s); r == utf8.RuneError && len(s) > 0 {
			s = s[:len(s)-1]
		}
	}
	return strings.Trim(strings.ToValidUTF8(s, ""), "\x00 \t\r\n")
}
