package discovery

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of a domain name (RFC 1035, section 2.3.4).
const (
	maxLabel = 63
	maxName  = 254 // octets with their length octets, without the root's
)

// A Name is a domain name: labels of raw octets. The zero Name is the root.
// Names are comparable with ==, which is case-sensitive; names of DNS are
// compared with [Name.Equal].
type Name struct {
	wire string // each label behind its length, without the root
}

var (
	errLabel    = errors.New("a label has 1 to 63 octets")
	errLongName = errors.New("longer than 255 octets")
	errEscape   = errors.New(`want \DDD or \X after a backslash`)
)

// NewName makes a name of labels, the first one first.
func NewName(labels ...string) (Name, error) {
	var b strings.Builder
	for _, l := range labels {
		if len(l) == 0 || len(l) > maxLabel {
			return Name{}, errLabel
		}
		if b.Len()+1+len(l) > maxName {
			return Name{}, errLongName
		}
		b.WriteByte(byte(len(l)))
		b.WriteString(l)
	}
	return Name{b.String()}, nil
}

// mustName is [NewName] for names that are written in this package.
func mustName(labels ...string) Name {
	n, err := NewName(labels...)
	if err != nil {
		panic(err)
	}
	return n
}

// ParseName reads the presentation form of RFC 1035, section 5.1: labels
// between dots, a dot or backslash in a label behind a backslash, any octet as
// \DDD (decimal). A dot at the end may be missing. Other octets stand for themselves.
func ParseName(s string) (Name, error) {
	var labels []string
	label := make([]byte, 0, maxLabel)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			if len(label) == 0 && s == "." {
				return Name{}, nil
			}
			if len(labels) > maxName/2 {
				return Name{}, errLongName
			}
			labels = append(labels, string(label))
			label = label[:0]
		case c != '\\':
			label = append(label, c)
		case i+3 < len(s) && digit(s[i+1]) && digit(s[i+2]) && digit(s[i+3]):
			v := int(s[i+1]-'0')*100 + int(s[i+2]-'0')*10 + int(s[i+3]-'0')
			if v > 255 {
				return Name{}, errEscape
			}
			label = append(label, byte(v))
			i += 3
		case i+1 < len(s) && !digit(s[i+1]):
			label = append(label, s[i+1])
			i++
		default:
			return Name{}, errEscape
		}
		if len(label) > maxLabel {
			return Name{}, errLabel
		}
	}
	if len(label) > 0 {
		labels = append(labels, string(label))
	}
	return NewName(labels...)
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// IsRoot reports whether the name has no labels.
func (n Name) IsRoot() bool { return n.wire == "" }

// Labels are the labels, the first one first.
func (n Name) Labels() []string {
	var out []string
	for w := n.wire; w != ""; w = w[1+w[0]:] {
		out = append(out, w[1:1+w[0]])
	}
	return out
}

// First is the first label, "" of the root.
func (n Name) First() string {
	if n.wire == "" {
		return ""
	}
	return n.wire[1 : 1+n.wire[0]]
}

// Parent is the name without its first label; the root is its own parent.
func (n Name) Parent() Name {
	if n.wire == "" {
		return n
	}
	return Name{n.wire[1+n.wire[0]:]}
}

// Under is the name of label below n.
func (n Name) Under(label string) (Name, error) {
	switch {
	case len(label) == 0 || len(label) > maxLabel:
		return Name{}, errLabel
	case 1+len(label)+len(n.wire) > maxName:
		return Name{}, errLongName
	}
	return Name{string([]byte{byte(len(label))}) + label + n.wire}, nil
}

// Fold is the name with the letters A to Z in lower case, to be a key: two
// names are one in DNS where their folds are equal. Length octets are no
// letters: a label is shorter than 'A'.
func (n Name) Fold() Name {
	for i := range len(n.wire) {
		if c := n.wire[i]; c >= 'A' && c <= 'Z' {
			b := []byte(n.wire)
			for ; i < len(b); i++ {
				if c := b[i]; c >= 'A' && c <= 'Z' {
					b[i] = c + 'a' - 'A'
				}
			}
			return Name{string(b)}
		}
	}
	return n
}

// Equal reports whether both are one name of DNS: letters A to Z compare
// without case (RFC 4343), other octets exactly.
func (n Name) Equal(o Name) bool { return n == o || n.Fold() == o.Fold() }

// In reports whether n is zone or below it.
func (n Name) In(zone Name) bool {
	zone = zone.Fold()
	for n = n.Fold(); len(n.wire) > len(zone.wire); n = n.Parent() {
	}
	return n == zone
}

// String is the presentation form, without a dot at the end: dots and
// backslashes of a label behind a backslash, control characters and octets
// that are no UTF-8 as \DDD. [ParseName] reads it back.
func (n Name) String() string {
	if n.wire == "" {
		return "."
	}
	var b strings.Builder
	for i, l := range n.Labels() {
		if i > 0 {
			b.WriteByte('.')
		}
		escape(&b, l)
	}
	return b.String()
}

func escape(b *strings.Builder, l string) {
	for len(l) > 0 {
		r, size := utf8.DecodeRuneInString(l)
		switch {
		case r == utf8.RuneError && size == 1 || r < ' ' || r == 0x7f:
			fmt.Fprintf(b, `\%03d`, l[0])
			size = 1
		case r == '.' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteString(l[:size])
		}
		l = l[size:]
	}
}

// MarshalText is [Name.String].
func (n Name) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText is [ParseName].
func (n *Name) UnmarshalText(b []byte) error {
	v, err := ParseName(string(b))
	if err == nil {
		*n = v
	}
	return err
}
