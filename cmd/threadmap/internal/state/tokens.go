package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"threadmap/diag/homeassistant"
)

// maxTokens bounds the tokens of the credentials file.
const maxTokens = 100

// A Token is what opens one Home Assistant. It is kept beside the credentials of
// Thread networks; the login that belongs to it says what may be shown.
type Token struct {
	URL   string // as homeassistant.NormalizeURL writes it
	Token homeassistant.Token
	Trust homeassistant.Fingerprint // of its certificate; zero: verified as browsers do
	// Refused: Home Assistant does not take it any more. It is not sent again,
	// since Home Assistant bans who does; a new login replaces it.
	Refused bool
	Added   time.Time
}

// storedToken is the form on disk, and the only one that tells the token.
type storedToken struct {
	URL         string    `json:"url"`
	Token       string    `json:"token"`
	Fingerprint string    `json:"fingerprint,omitempty"` // SHA-256 of the certificate
	Refused     bool      `json:"refused,omitempty"`
	Added       time.Time `json:"added,omitzero"`
}

// Tokens lists the tokens, in the order in which they were added. One that was
// refused is marked so ([homeassistant.Token.Refused]). No error of it quotes the
// file.
func (s *Store) Tokens() ([]Token, error) {
	have, err := s.secrets()
	return have.tokens, err
}

func parseTokens(doc *credentialsFile) ([]Token, error) {
	if len(doc.HomeAssistant) > maxTokens {
		return nil, damaged("more than %d tokens", maxTokens)
	}
	var out []Token
	for i, d := range doc.HomeAssistant {
		token, err := homeassistant.ParseToken(d.Token)
		if err != nil {
			return nil, damaged("token %d: no token of Home Assistant", i+1)
		}
		t := Token{URL: d.URL, Token: token, Refused: d.Refused, Added: d.Added}
		if d.Fingerprint != "" {
			if t.Trust, err = homeassistant.ParseFingerprint(d.Fingerprint); err != nil {
				return nil, damaged("token %d: no fingerprint", i+1)
			}
		}
		if err := t.check(); err != nil {
			return nil, damaged("token %d: %v", i+1, err)
		}
		if t.Refused {
			token.Refuse()
		}
		out = append(out, t)
	}
	return out, nil
}

func storeTokens(tokens []Token) (out []storedToken) {
	for _, t := range tokens {
		out = append(out, storedToken{t.URL, t.Token.Text(), t.Trust.String(), t.Refused, t.Added})
	}
	return out
}

func (t Token) check() error {
	if url, err := homeassistant.NormalizeURL(t.URL); err != nil || url != t.URL {
		return errors.New("its URL is none that threadmap writes")
	}
	if t.Token.IsZero() {
		return errors.New("no token")
	}
	return nil
}

// AddToken keeps a token; that of the same Home Assistant is replaced. Where a
// damaged file was in the way, aside is the name under which it is kept.
func (s *Store) AddToken(ctx context.Context, t Token) (aside string, err error) {
	if err := t.check(); err != nil {
		return "", err
	}
	return s.editSecrets(ctx, true, func(have *secrets) error {
		for i := range have.tokens {
			if have.tokens[i].URL == t.URL {
				have.tokens[i] = t
				return nil
			}
		}
		if len(have.tokens) >= maxTokens {
			return fmt.Errorf("there are %d tokens already: remove some with threadmap login remove", maxTokens)
		}
		have.tokens = append(have.tokens, t)
		return nil
	})
}

// RemoveToken forgets the token of a Home Assistant.
func (s *Store) RemoveToken(ctx context.Context, url string) error {
	_, err := s.editSecrets(ctx, false, func(have *secrets) error {
		have.tokens = slices.DeleteFunc(have.tokens, func(t Token) bool { return t.URL == url })
		return nil
	})
	return err
}

// RefuseToken notes that a token was refused, unless there is another one for that
// Home Assistant by now.
func (s *Store) RefuseToken(ctx context.Context, refused Token) error {
	_, err := s.editSecrets(ctx, false, func(have *secrets) error {
		for i := range have.tokens {
			if t := &have.tokens[i]; t.URL == refused.URL && t.Token.Text() == refused.Token.Text() {
				t.Refused = true
			}
		}
		return nil
	})
	return err
}
