package state

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"
	"unicode/utf8"

	"threadmap/cmd/threadmap/internal/writefile"
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
	Format  string             `json:"format"`
	Version int                `json:"version"`
	Thread  []storedCredential `json:"thread"`
}

// CredentialsFile is where the credentials are.
func (s *Store) CredentialsFile() string { return filepath.Join(s.Config, "credentials.json") }

// Credentials lists the credentials, in the order in which they were added. No
// error of it quotes the file.
func (s *Store) Credentials() ([]Credential, error) {
	b, err := credentialsDocument.read(s.CredentialsFile())
	defer clear(b)
	if b == nil || err != nil {
		return nil, err
	}
	out, err := parseCredentials(b)
	if err != nil {
		return nil, fmt.Errorf("%s %w", s.CredentialsFile(), err)
	}
	return out, nil
}

func parseCredentials(b []byte) ([]Credential, error) {
	var doc credentialsFile
	if err := credentialsDocument.parse(b, &doc); err != nil {
		return nil, err
	}
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
	return s.editCredentials(ctx, true, func(have []Credential) ([]Credential, error) {
		for i := range have {
			if have[i].ExtPANID == c.ExtPANID {
				have[i] = c
				return have, nil
			}
		}
		if len(have) >= maxCredentials {
			return nil, fmt.Errorf("there are %d credentials already: remove some with threadmap login remove", maxCredentials)
		}
		return append(have, c), nil
	})
}

// RemoveCredential forgets the credential of a network, and reports whether
// there was one.
func (s *Store) RemoveCredential(ctx context.Context, network diag.PANID64) (removed bool, err error) {
	_, err = s.editCredentials(ctx, false, func(have []Credential) ([]Credential, error) {
		var keep []Credential
		for _, c := range have {
			if c.ExtPANID != network {
				keep = append(keep, c)
			}
		}
		removed = len(keep) < len(have)
		return keep, nil
	})
	return removed && err == nil, err
}

func (s *Store) editCredentials(ctx context.Context, renew bool, change func([]Credential) ([]Credential, error)) (aside string, err error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	have, err := s.Credentials()
	if renew && errors.Is(err, ErrDamaged) {
		if aside, err = keepAside(s.CredentialsFile()); err != nil {
			return "", err
		}
	} else if err != nil {
		return "", err
	}
	if have, err = change(have); err != nil {
		return aside, err
	}
	if err := mkdir(s.Config); err != nil {
		return aside, err
	}
	doc := credentialsFile{credentialsFormat, credentialsVersion, []storedCredential{}}
	for _, c := range have {
		doc.Thread = append(doc.Thread, storedCredential{c.ExtPANID.String(), c.Network, hex.EncodeToString(c.PSKc.Bytes()), c.Added})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		return aside, err
	}
	defer clear(b.Bytes())
	return aside, writefile.Atomic(s.CredentialsFile(), writefile.Private, func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
}
