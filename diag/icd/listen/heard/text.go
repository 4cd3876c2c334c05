package heard

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"threadmap/discovery"
)

// maxKeys bounds the pairs of one TXT record.
const maxKeys = 32

// binary are the keys of a border agent's TXT record whose values are octets
// (Thread 8.4.1.1.2), also where they happen to be letters.
var binary = map[string]bool{
	"id": true, "xp": true, "xa": true, "sb": true, "at": true, "pt": true, "sq": true, "bb": true, "omr": true, "vo": true, "vd": true, "dd": true,
}

// textOf is a TXT record as the observations file has it: text as it is, and
// octets in hexadecimal. It is not nil where the record is not.
func textOf(k discovery.Kind, t discovery.TXT) map[string]string {
	if t == nil {
		return nil
	}
	out := map[string]string{}
	for _, p := range t.Pairs() {
		if len(out) >= maxKeys {
			break
		}
		key, value := plain(p.Key), string(p.Value)
		if k != discovery.KindMatter && binary[strings.ToLower(p.Key)] || !printable(value) {
			value = hex.EncodeToString(p.Value)
		}
		out[key] = value
	}
	return out
}

func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// plain is s where it can be printed, else its octets in hexadecimal.
func plain(s string) string {
	if printable(s) {
		return s
	}
	return "0x" + hex.EncodeToString([]byte(s))
}
