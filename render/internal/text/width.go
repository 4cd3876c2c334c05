package text

import (
	"strings"
	"unicode"
)

// wide holds the characters of two columns: East Asian Width W and F of
// Unicode 16 (UAX #11), emoji included.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115f, Stride: 1}, {Lo: 0x231a, Hi: 0x231b, Stride: 1}, {Lo: 0x2329, Hi: 0x232a, Stride: 1}, {Lo: 0x23e9, Hi: 0x23ec, Stride: 1},
		{Lo: 0x23f0, Hi: 0x23f3, Stride: 3}, {Lo: 0x25fd, Hi: 0x25fe, Stride: 1}, {Lo: 0x2614, Hi: 0x2615, Stride: 1}, {Lo: 0x2630, Hi: 0x2637, Stride: 1},
		{Lo: 0x2648, Hi: 0x2653, Stride: 1}, {Lo: 0x267f, Hi: 0x267f, Stride: 1}, {Lo: 0x268a, Hi: 0x268f, Stride: 1}, {Lo: 0x2693, Hi: 0x2693, Stride: 1},
		{Lo: 0x26a1, Hi: 0x26a1, Stride: 1}, {Lo: 0x26aa, Hi: 0x26ab, Stride: 1}, {Lo: 0x26bd, Hi: 0x26be, Stride: 1}, {Lo: 0x26c4, Hi: 0x26c5, Stride: 1},
		{Lo: 0x26ce, Hi: 0x26d4, Stride: 6}, {Lo: 0x26ea, Hi: 0x26ea, Stride: 1}, {Lo: 0x26f2, Hi: 0x26f3, Stride: 1}, {Lo: 0x26f5, Hi: 0x26fa, Stride: 5},
		{Lo: 0x26fd, Hi: 0x26fd, Stride: 1}, {Lo: 0x2705, Hi: 0x2705, Stride: 1}, {Lo: 0x270a, Hi: 0x270b, Stride: 1}, {Lo: 0x2728, Hi: 0x2728, Stride: 1},
		{Lo: 0x274c, Hi: 0x274e, Stride: 2}, {Lo: 0x2753, Hi: 0x2755, Stride: 1}, {Lo: 0x2757, Hi: 0x2757, Stride: 1}, {Lo: 0x2795, Hi: 0x2797, Stride: 1},
		{Lo: 0x27b0, Hi: 0x27bf, Stride: 15}, {Lo: 0x2b1b, Hi: 0x2b1c, Stride: 1}, {Lo: 0x2b50, Hi: 0x2b55, Stride: 5}, {Lo: 0x2e80, Hi: 0x303e, Stride: 1},
		{Lo: 0x3041, Hi: 0xa4cf, Stride: 1}, {Lo: 0xa960, Hi: 0xa97f, Stride: 1}, {Lo: 0xac00, Hi: 0xd7a3, Stride: 1}, {Lo: 0xf900, Hi: 0xfaff, Stride: 1},
		{Lo: 0xfe10, Hi: 0xfe19, Stride: 1}, {Lo: 0xfe30, Hi: 0xfe6f, Stride: 1}, {Lo: 0xff01, Hi: 0xff60, Stride: 1}, {Lo: 0xffe0, Hi: 0xffe6, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x16fe0, Hi: 0x18dff, Stride: 1}, {Lo: 0x1aff0, Hi: 0x1b2ff, Stride: 1}, {Lo: 0x1d300, Hi: 0x1d376, Stride: 1}, {Lo: 0x1f004, Hi: 0x1f004, Stride: 1},
		{Lo: 0x1f0cf, Hi: 0x1f0cf, Stride: 1}, {Lo: 0x1f18e, Hi: 0x1f18e, Stride: 1}, {Lo: 0x1f191, Hi: 0x1f19a, Stride: 1}, {Lo: 0x1f200, Hi: 0x1f265, Stride: 1},
		{Lo: 0x1f300, Hi: 0x1f320, Stride: 1}, {Lo: 0x1f32d, Hi: 0x1f335, Stride: 1}, {Lo: 0x1f337, Hi: 0x1f37c, Stride: 1}, {Lo: 0x1f37e, Hi: 0x1f393, Stride: 1},
		{Lo: 0x1f3a0, Hi: 0x1f3ca, Stride: 1}, {Lo: 0x1f3cf, Hi: 0x1f3d3, Stride: 1}, {Lo: 0x1f3e0, Hi: 0x1f3f0, Stride: 1}, {Lo: 0x1f3f4, Hi: 0x1f3f4, Stride: 1},
		{Lo: 0x1f3f8, Hi: 0x1f43e, Stride: 1}, {Lo: 0x1f440, Hi: 0x1f440, Stride: 1}, {Lo: 0x1f442, Hi: 0x1f4fc, Stride: 1}, {Lo: 0x1f4ff, Hi: 0x1f53d, Stride: 1},
		{Lo: 0x1f54b, Hi: 0x1f54e, Stride: 1}, {Lo: 0x1f550, Hi: 0x1f567, Stride: 1}, {Lo: 0x1f57a, Hi: 0x1f57a, Stride: 1}, {Lo: 0x1f595, Hi: 0x1f596, Stride: 1},
		{Lo: 0x1f5a4, Hi: 0x1f5a4, Stride: 1}, {Lo: 0x1f5fb, Hi: 0x1f64f, Stride: 1}, {Lo: 0x1f680, Hi: 0x1f6c5, Stride: 1}, {Lo: 0x1f6cc, Hi: 0x1f6cc, Stride: 1},
		{Lo: 0x1f6d0, Hi: 0x1f6d2, Stride: 1}, {Lo: 0x1f6d5, Hi: 0x1f6d8, Stride: 1}, {Lo: 0x1f6dc, Hi: 0x1f6df, Stride: 1}, {Lo: 0x1f6eb, Hi: 0x1f6ec, Stride: 1},
		{Lo: 0x1f6f4, Hi: 0x1f6fc, Stride: 1}, {Lo: 0x1f7e0, Hi: 0x1f7eb, Stride: 1}, {Lo: 0x1f7f0, Hi: 0x1f7f0, Stride: 1}, {Lo: 0x1f90c, Hi: 0x1f93a, Stride: 1},
		{Lo: 0x1f93c, Hi: 0x1f945, Stride: 1}, {Lo: 0x1f947, Hi: 0x1f9ff, Stride: 1}, {Lo: 0x1fa70, Hi: 0x1faff, Stride: 1}, {Lo: 0x20000, Hi: 0x3fffd, Stride: 1},
	},
}

// Columns is the room that cleaned text takes on a terminal.
func Columns(s string) int {
	n := 0
	for _, r := range s {
		n += columns(r)
	}
	return n
}

func columns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}

// Truncate cuts cleaned text to at most cols columns, the last one an ellipsis
// where something was cut.
func Truncate(s string, cols int) string { return truncate(s, cols, 1, columns) }

// Pad fills cleaned text with spaces to cols columns, longer text stays.
func Pad(s string, cols int) string {
	return s + strings.Repeat(" ", max(0, cols-Columns(s)))
}

// Em is the unit of [Room]: a font of 10 px makes text of 10 × Room/Em px.
const Em = 1000

// Room estimates the width of cleaned text in a picture, in 1/[Em] of the font
// size. It follows a wide sans-serif face (DejaVu Sans), so other faces leave
// some room rather than overflow.
func Room(s string) int {
	n := 0
	for _, r := range s {
		n += room(r)
	}
	return n
}

// Width is the width that cleaned text is given in a picture, whatever font there
// is, in 1/[Em] of the font size: about what it has in common sans-serif faces, so
// that few letters are moved and by little, and at most [Room]. It is 0 for scripts
// whose letters join or vary so much that they must not be moved.
func Width(s string, bold bool) int {
	n := 0
	for _, r := range s {
		w := width(r)
		if w == 0 {
			return 0
		}
		n += w
	}
	n = n * 108 / 100 // the faces in use are some wider than Helvetica, of which the table is
	if bold {
		n = n * 105 / 100
	}
	return min(n, Room(s))
}

// widths are the widths of printable ASCII in Helvetica, as its font metrics have
// them.
var widths = [...]uint16{
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, // space to /
	556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, // 0 to ?
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, // @ to O
	667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, // P to _
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, // ` to o
	556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584, // p to ~
}

func width(r rune) int {
	switch {
	case r >= ' ' && r <= '~':
		return int(widths[r-' '])
	case r == '·':
		return 278
	case r == 'ß' || r >= 'à' && r <= 'ÿ':
		return 556
	case r >= 'À' && r <= 'Þ':
		return 700
	case r == '−' || r == '×' || r == '–':
		return 570
	case r == '…':
		return 1000
	case r >= 0x3041 && r <= 0x9fff || r >= 0xac00 && r <= 0xd7a3: // kana, hanzi, hangul: squares
		return 1000
	}
	return 0
}

// Fit cuts cleaned text to at most w (unit as [Room]).
func Fit(s string, w int) string { return truncate(s, w, room('…'), room) }

func room(r rune) int {
	switch {
	case r >= 'a' && r <= 'z':
		switch r {
		case 'i', 'j', 'l':
			return 290
		case 'f', 't', 'r':
			return 415
		case 'm':
			return 980
		case 'w':
			return 820
		}
		return 620
	case r >= '0' && r <= '9':
		return 640
	case r >= 'A' && r <= 'Z':
		switch r {
		case 'I', 'J':
			return 300
		case 'M', 'W':
			return 990
		}
		return 740
	case r == ' ' || r == '.' || r == ',' || r == ':' || r == ';' || r == '\'' || r == '|' || r == '!' || r == '·' || r == '/' || r == '(' || r == ')' || r == '-':
		return 400
	case r < 0x300:
		return 850
	}
	switch columns(r) {
	case 0:
		return 0
	case 2:
		return 1100
	}
	return 900
}

func truncate(s string, limit, ellipsis int, measure func(rune) int) string {
	used, keep := 0, 0 // keep: bytes that fit together with an ellipsis
	for i, r := range s {
		w := measure(r)
		if used+w > limit {
			if ellipsis > limit {
				return ""
			}
			return strings.TrimRight(s[:keep], " ") + "…"
		}
		used += w
		if used+ellipsis <= limit {
			keep = i + len(string(r))
		}
	}
	return s
}
