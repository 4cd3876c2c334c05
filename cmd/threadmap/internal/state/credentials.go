package state

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"
	"unicode/utf8"

	"threadmap/diag"
	"threadmap/diag/tmf/pskc"
)

// Bounds of the credentials file; far beyond the networks that a person has.
const (
	maxCredentialsFile = 1 << 20
	maxCredentials     = 1000
)

const (
	credentialsFormat  = "threadmap-credentials"
	credentialsVersion = 1
)

// A Credential is what lets a commissioner into one Thread network. It is kept
// in a file of its own, so that a login can be shown or copied without it.
type Credential struct {
	ExtPANID diag.PANID64 // never 0
	Network  string       // the network's name when it was added; "": not known
	PSKc     pskc.Secret  // 16 octets
	Added    time.Time
}

// storedCredential is the form on disk, and the only one that tells the PSKc.
type storedCredential struct {
	ExtPANID string    `json:"ext_pan_id"` // 16 hex digits
	Network  string    `json:"network,omitempty"`
	PSKc     string    `json:"pskc"` // 32 hex digits
	Added    time.Time `json:"added,omitzero"`
}

var credentialsDocument = document{credentialsFormat, credentialsVersion, maxCredentialsFile}

type credentialsFile struct {
	Format        string             `json:"format"`
	Version       int                `json:"version"`
	Thread        []storedCredential `json:"thread"`
	HomeAssistant []storedToken      `json:"home_assistant,omitempty"`
}

// CredentialsFile is where the credentials are.
func (s *Store) CredentialsFile() string { return filepath.Join(s.Config, "credentials.json") }

// Credentials lists the credentials, in the order in which they were added. No
// error of it quotes the file.
func (s *Store) Credentials() ([]Credential, error) {
	have, err := s.secrets()
	return have.thread, err
}

// secrets is what the file holds.
type secrets struct {
	thread []Credential
	tokens []Token
}

// secrets reads the file. No error of it quotes the file.
func (s *Store) secrets() (secrets, error) {
	b, err := credentialsDocument.read(s.CredentialsFile())
	defer clear(b)
	if b == nil || err != nil {
		return secrets{}, err
	}
	out, err := parseSecrets(b)
	if err != nil {
		return secrets{}, fmt.Errorf("%s %w", s.CredentialsFile(), err)
	}
	return out, nil
}

func parseSecrets(b []byte) (out secrets, err error) {
	var doc credentialsFile
	if err := credentialsDocument.parse(b, &doc); err != nil {
		return secrets{}, err
	}
	if out.thread, err = parseCredentials(&doc); err != nil {
		return secrets{}, err
	}
	if out.tokens, err = parseTokens(&doc); err != nil {
		return secrets{}, err
	}
	return out, nil
}

func parseCredentials(doc *credentialsFile) ([]Credential, error) {
	if len(doc.Thread) > maxCredentials {
		return nil, damaged("more than %d credentials", maxCredentials)
	}
	var out []Credential
	for i, d := range doc.Thread {
		id, err := diag.ParsePANID64(d.ExtPANID)
		if err != nil {
			return nil, damaged("credential %d: no extended PAN id", i+1)
		}
		key, err := pskc.Parse(d.PSKc)
		if err != nil {
			return nil, damaged("credential %d: no PSKc", i+1)
		}
		c := Credential{ExtPANID: id, Network: d.Network, PSKc: key, Added: d.Added}
		if err := c.check(); err != nil {
			return nil, damaged("credential %d: %v", i+1, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// pskcLen is the length of a PSKc, in octets (Thread 8.4.1).
const pskcLen = 16

func (c Credential) check() error {
	switch {
	case c.ExtPANID == 0:
		return errors.New("no extended PAN id")
	case len(c.PSKc.Bytes()) != pskcLen:
		return errors.New("no PSKc")
	case len(c.Network) > pskc.MaxName || !utf8.ValidString(c.Network):
		return fmt.Errorf("the network's name has more than %d octets, or is no text", pskc.MaxName)
	}
	return nil
}

// AddCredential keeps a credential; that of the same network is replaced. Where
// a damaged file was in the way, aside is the name under which it is kept.
func (s *Store) AddCredential(ctx context.Context, c Credential) (aside string, err error) {
	if err := c.check(); err != nil {
		return "", err
	}
	return s.editSecrets(ctx, true, func(have *secrets) error {
		for i := range have.thread {
			if have.thread[i].ExtPANID == c.ExtPANID {
				have.thread[i] = c
				return nil
			}
		}
		if len(have.thread) >= maxCredentials {
			return fmt.Errorf("there are %d credentials already: remove some with threadmap login remove", maxCredentials)
		}
		have.thread = append(have.thread, c)
		return nil
	})
}

// RemoveCredential forgets the credential of a network, and reports whether
// there was one.
func (s *Store) RemoveCredential(ctx context.Context, network diag.PANID64) (removed bool, err error) {
	_, err = s.editSecrets(ctx, false, func(have *secrets) error {
		before := len(have.thread)
		have.thread = slices.DeleteFunc(have.thread, func(c Credential) bool { return c.ExtPANID == network })
		removed = len(have.thread) < before
		return nil
	})
	return removed && err == nil, err
}

// editSecrets changes the file, all of it that is not changed staying as it is.
func (s *Store) editSecrets(ctx context.Context, renew bool, change func(*secrets) error) (aside string, err error) {
	changed := func(have secrets) (secrets, error) {
		err := change(&have)
		return have, err
	}
	return edit(ctx, s, s.CredentialsFile(), renew, s.secrets, changed, func(have secrets) any {
		doc := credentialsFile{Format: credentialsFormat, Version: credentialsVersion, Thread: []storedCredential{}, HomeAssistant: storeTokens(have.tokens)}
		for _, c := range have.thread {
			doc.Thread = append(doc.Thread, storedCredential{c.ExtPANID.String(), c.Network, hex.EncodeToString(c.PSKc.Bytes()), c.Added})
		}
		return doc
	})
}
