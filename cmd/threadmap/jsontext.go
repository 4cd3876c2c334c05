package main

import (
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// harmlessJSON writes what a terminal would obey, or what would turn text around,
// as JSON's escapes: encoding/json does that below U+0020 only, and what is
// quoted comes from strangers. The document means the same. Outside of strings
// JSON has nothing but ASCII, so b need not be parsed.
func harmlessJSON(b []byte) []byte {
	var out []byte
	done := 0
	for i := 0; i < len(b); {
		if b[i] < 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if unicode.In(r, unicode.Cc, unicode.Cf) {
			out = append(out, b[done:i]...)
			if r <= 0xffff {
				out = fmt.Appendf(out, `\u%04x`, r)
			} else {
				hi, lo := utf16.EncodeRune(r)
				out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
			}
			done = i + n
		}
		i += n
	}
	if done == 0 {
		return b
	}
	return append(out, b[done:]...)
}
