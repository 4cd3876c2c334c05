package tlv

import (
	"bytes"
	"strings"
)

// Display returns what of a text is meant to be read: without the localisation
// id that follows the first 0x1F (Matter Core Specification, appendix A.11.2),
// and as valid UTF-8.
func Display(text []byte) string {
	shown, _, _ := bytes.Cut(text, []byte{0x1F})
	return strings.ToValidUTF8(string(shown), "\uFFFD")
}
