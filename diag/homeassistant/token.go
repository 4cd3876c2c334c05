package homeassistant

import (
	"bytes"
	"errors"
	"sync/atomic"

	"threadmap/diag/hidden"
)

// Bounds of a token, in octets: those that Home Assistant gives have about 180.
const (
	minToken = 16
	maxToken = 4096
)

// A Token is a long-lived access token of Home Assistant. The zero Token is
// none. However it is printed, logged or encoded, it says "(secret)"; only Text
// tells.
//
// Home Assistant counts a wrong token as a failed login and may ban the
// address of who tries it, so a Token that was refused once is refused by this
// package from then on, in all its copies.
type Token struct {
	unseen
	p **token
}

// unseen hides a secret wherever it might show.
type unseen = hidden.Methods

type token struct {
	text    string
	refused atomic.Bool
}

var errToken = errors.New("this is no access token: copy the whole of it, as Home Assistant showed it once under your profile, Security, Long-lived access tokens")

// ParseToken reads a token as it is pasted. Its error never quotes it.
func ParseToken(s string) (Token, error) {
	b := bytes.TrimSpace([]byte(s))
	if len(b) < minToken || len(b) > maxToken {
		return Token{}, errToken
	}
	for _, c := range b {
		switch { // the characters of RFC 6750, section 2.1
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case bytes.IndexByte([]byte("-._~+/="), c) >= 0:
		default:
			return Token{}, errToken
		}
	}
	p := &token{text: string(b)}
	return Token{p: &p}, nil
}

// Text is the token itself, for the file that keeps it and for the protocol.
func (t Token) Text() string {
	if t.p == nil {
		return ""
	}
	return (**t.p).text
}

// IsZero reports whether there is no token.
func (t Token) IsZero() bool { return t.Text() == "" }

// Refused reports whether a Home Assistant said that it does not know the token.
func (t Token) Refused() bool { return t.p != nil && (**t.p).refused.Load() }

// Refuse marks the token, in all its copies, as one that must not be sent again.
func (t Token) Refuse() {
	if t.p != nil {
		(**t.p).refused.Store(true)
	}
}

// scrub writes hidden over the token wherever it stands in b: a hostile or
// broken server could send it back, in a name or in an error.
func (t Token) scrub(b []byte) []byte {
	secret := []byte(t.Text())
	if len(secret) == 0 || !bytes.Contains(b, secret) {
		return b
	}
	return bytes.ReplaceAll(b, secret, []byte(hidden.Text))
}
