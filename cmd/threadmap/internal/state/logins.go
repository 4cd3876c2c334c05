package state

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Bounds of the logins file; far beyond what a person logs in to.
const (
	maxLoginsFile = 1 << 20
	maxLogins     = 1000
	maxLoginText  = 2048 // of one value, in bytes
)

const (
	loginsFormat  = "threadmap-logins"
	loginsVersion = 1
)

// A Login is a place that the user told threadmap of for good.
type Login struct {
	Source   string    `json:"source"`               // the diag.Source that asks it: "otbr"
	URL      string    `json:"url"`                  // never with user info
	Network  string    `json:"network,omitempty"`    // its network's name when it was added
	ExtPANID string    `json:"ext_pan_id,omitempty"` // 16 hex digits, or ""
	Name     string    `json:"name,omitempty"`       // what the place calls itself: a home
	Added    time.Time `json:"added,omitzero"`
}

var loginsDocument = document{loginsFormat, loginsVersion, maxLoginsFile}

type loginsFile struct {
	Format  string  `json:"format"`
	Version int     `json:"version"`
	Logins  []Login `json:"logins"`
}

// ErrDamaged is what Logins gives where the file can't be understood. It stays
// as it is until something is to be written; then it is kept aside.
var ErrDamaged = errors.New("is damaged")

// Logins lists the logins, in the order in which they were added.
func (s *Store) Logins() ([]Login, error) {
	b, err := loginsDocument.read(s.LoginsFile())
	if b == nil || err != nil {
		return nil, err
	}
	logins, err := parseLogins(b)
	if err != nil {
		return nil, fmt.Errorf("%s %w", s.LoginsFile(), err)
	}
	return logins, nil
}

func parseLogins(b []byte) ([]Login, error) {
	var doc loginsFile
	if err := loginsDocument.parse(b, &doc); err != nil {
		return nil, err
	}
	if len(doc.Logins) > maxLogins {
		return nil, damaged("more than %d logins", maxLogins)
	}
	for i, l := range doc.Logins {
		if err := l.check(); err != nil {
			return nil, damaged("login %d: %v", i+1, err)
		}
	}
	return doc.Logins, nil
}

func (l Login) check() error {
	if err := checkTexts(maxLoginText, l.Source, l.URL, l.Network, l.ExtPANID, l.Name); err != nil {
		return err
	}
	if l.Source == "" {
		return errors.New("no source")
	}
	u, err := url.Parse(l.URL)
	if err != nil || u.Host == "" || u.User != nil {
		return errors.New("its URL is none that threadmap writes")
	}
	return nil
}

// AddLogin keeps a login; one with the same source and URL is replaced. Where
// a damaged file was in the way, aside is the name under which it is kept.
func (s *Store) AddLogin(ctx context.Context, l Login) (aside string, err error) {
	if err := l.check(); err != nil {
		return "", err
	}
	return s.editLogins(ctx, true, func(have []Login) ([]Login, error) {
		for i := range have {
			if have[i].Source == l.Source && have[i].URL == l.URL {
				have[i] = l
				return have, nil
			}
		}
		if len(have) >= maxLogins {
			return nil, fmt.Errorf("there are %d logins already: remove some with threadmap login remove", maxLogins)
		}
		return append(have, l), nil
	})
}

// RemoveLogin forgets the logins for which gone is true, and returns them.
func (s *Store) RemoveLogin(ctx context.Context, gone func(Login) bool) (removed []Login, err error) {
	_, err = s.editLogins(ctx, false, func(have []Login) ([]Login, error) {
		var keep []Login
		for _, l := range have {
			if gone(l) {
				removed = append(removed, l)
			} else {
				keep = append(keep, l)
			}
		}
		return keep, nil
	})
	if err != nil {
		return nil, err
	}
	return removed, nil
}

func (s *Store) editLogins(ctx context.Context, renew bool, change func([]Login) ([]Login, error)) (aside string, err error) {
	return edit(ctx, s, s.LoginsFile(), renew, s.Logins, change, func(logins []Login) any {
		return loginsFile{loginsFormat, loginsVersion, append([]Login{}, logins...)}
	})
}
