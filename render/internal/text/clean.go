// Package text makes strings from the network and from files safe and
// measurable: it cleans them, counts the columns they take on a terminal and
// estimates the room they take in a picture.
//
// The reader is below every drawing: whatever a stranger could have chosen (a
// name, a vendor, an error that quotes a peer) goes through [Clean] first and
// then through the escaping of the format it is written in.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxLen is the most bytes that [Clean] lets through. Names of DNS-SD, Matter and home systems have at most 255; error
// lines get more room.
const MaxLen = 1024

// maxMarks bounds the combining marks on one character: no script needs more,
// and more would climb over the neighboring lines.
const maxMarks = 4

// Clean makes s one line of visible text: escape sequences, control
// characters, direction overrides and isolates, zero-width characters and
// variation selectors are dropped, line breaks and every kind of blank become
// one space, broken UTF-8 becomes U+FFFD, and what is longer than [MaxLen] is
// cut with an ellipsis.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(min(len(s), MaxLen) + utf8.UTFMax)
	space, broken, marks := false, false, 0
	for len(s) > 0 {
		if n := escapeLen(s); n > 0 {
			s = s[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		bad := r == utf8.RuneError && n == 1
		s = s[n:]
		switch {
		case bad && broken:
			continue // one replacement for a run of broken octets
		case bad:
		case blank(r):
			space, broken = true, false
			continue
		case hidden(r):
			continue
		case nonCharacter(r):
			r = utf8.RuneError
		}
		broken = bad
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
		if b.Len() > MaxLen {
			return cut(b.String())
		}
	}
	return b.String()
}

// cut makes room for an ellipsis within MaxLen.
func cut(s string) string {
	n := MaxLen - len("…")
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimRight(s[:n], " ") + "…"
}

// plain is the way of nearly all names: printable ASCII, single spaces.
func plain(s string) bool {
	if len(s) > MaxLen {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == ' ' && (i == 0 || i == len(s)-1 || s[i+1] == ' ') {
			return false
		}
	}
	return true
}

// escapeLen is the length of the terminal escape sequence (ECMA-48) that s
// begins with, 0 for none. A string sequence without its end is not swallowed:
// only its introducer goes.
func escapeLen(s string) int {
	i := 0
	var kind byte
	switch {
	case len(s) >= 2 && s[0] == 0x1b && s[1] >= 0x40 && s[1] <= 0x5f:
		kind, i = s[1], 2
	case len(s) >= 2 && s[0] == 0x1b && s[1] >= 0x20 && s[1] <= 0x7e:
		return 2
	case len(s) >= 2 && s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f && s[1] != 0x85: // C1 in UTF-8, but for NEL, a line break
		kind, i = s[1]-0x40, 2
	default:
		return 0
	}
	switch kind {
	case '[':
		for i < len(s) && s[i] >= 0x20 && s[i] <= 0x3f {
			i++
		}
		if i < len(s) && s[i] >= 0x40 && s[i] <= 0x7e {
			i++
		}
	case ']', 'P', 'X', '^', '_':
		for k := i; k < len(s) && k < i+MaxLen; k++ {
			switch {
			case s[k] == 0x07:
				return k + 1
			case s[k] == 0x1b && k+1 < len(s) && s[k+1] == '\\', s[k] == 0xc2 && k+1 < len(s) && s[k+1] == 0x9c:
				return k + 2
			}
		}
	}
	return i
}

func blank(r rune) bool {
	return r == ' ' || r >= '\t' && r <= '\r' || r == 0x85 || r == 0x2800 || unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp)
}

// hidden reports whether r takes no room or moves other characters about.
func hidden(r rune) bool {
	switch {
	case unicode.In(r, unicode.Cc, unicode.Cf):
		return true
	case r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0000 && r <= 0xe01ef, r >= 0x180b && r <= 0x180f:
		return true // variation selectors, tags
	case r == 0x34f, r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, r >= 0x2060 && r <= 0x206f, r == 0x17b4, r == 0x17b5:
		return true // joiners and fillers
	}
	return false
}

func nonCharacter(r rune) bool { return r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef }
