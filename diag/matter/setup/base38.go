package setup

import (
	"errors"
	"fmt"
	"strings"
)

// alphabet of base 38 (Core 5.1.3): what a QR code's alphanumeric mode has,
// without blank and $%*+/:.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-."

// charsFor is how many characters 1, 2 or 3 octets become.
var charsFor = [...]int{0, 2, 4, 5}

// encode38 writes groups of three octets, little-endian, the least significant
// character first.
func encode38(b []byte) string {
	var s strings.Builder
	for len(b) > 0 {
		n := min(len(b), 3)
		var v uint32
		for i, o := range b[:n] {
			v |= uint32(o) << (8 * i)
		}
		for range charsFor[n] {
			s.WriteByte(alphabet[v%38])
			v /= 38
		}
		b = b[n:]
	}
	return s.String()
}

// decode38 is the reverse. It refuses what encode38 does not write.
func decode38(s string) ([]byte, error) {
	b := make([]byte, 0, len(s)*3/5+1)
	for at := 0; at < len(s); {
		chars := min(len(s)-at, 5)
		octets := 0
		for n, c := range charsFor {
			if c == chars {
				octets = n
			}
		}
		if octets == 0 {
			return nil, errors.New("setup code: the text of the QR code is cut off or too long: scan it again")
		}
		var v uint32
		for i := chars - 1; i >= 0; i-- {
			d := strings.IndexByte(alphabet, s[at+i])
			if d < 0 {
				return nil, fmt.Errorf("setup code: character %d behind %s is none that a QR code of Matter has: scan it again", at+i+1, Prefix)
			}
			v = 38*v + uint32(d) // at most 38⁵-1 < 2³²
		}
		if v>>(8*octets) != 0 {
			return nil, fmt.Errorf("setup code: characters %d to %d behind %s stand for no number of %d octets: scan it again", at+1, at+chars, Prefix, octets)
		}
		for range octets {
			b = append(b, byte(v))
			v >>= 8
		}
		at += chars
	}
	return b, nil
}
