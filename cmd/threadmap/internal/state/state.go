// Package state keeps what threadmap remembers between two runs: logins and credentials, in
// the system's folder for configuration, and the last scans, in its folder for
// caches. Folders are for the user alone (0700), so are files (0600). Files are
// replaced whole; what changes them holds one lock, which the system frees when
// a program dies. What can't be read is kept aside and never overwritten.
//
// The reader is below the verbs of cmd/threadmap.
package state

import (
	"fmt"
	"os"
	"path/filepath"
)

// Env is the variable that names one folder for all state, in place of the
// system's: for a portable installation, and for tests.
const Env = "THREADMAP_STATE"

// A Store is the state of one user. It creates folders when it first writes.
type Store struct {
	Config string // folder of the logins and the credentials
	Cache  string // folder of the saved scans and of the lock
}

// Locate finds the state's folders: that of $THREADMAP_STATE, else those of
// the system (XDG on Linux).
func Locate(getenv func(string) string) (*Store, error) {
	if dir := getenv(Env); dir != "" {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return nil, fmt.Errorf("$%s: %w", Env, err)
		}
		return &Store{Config: dir, Cache: dir}, nil
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return nil, noFolder(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, noFolder(err)
	}
	return &Store{Config: filepath.Join(config, "threadmap"), Cache: filepath.Join(cache, "threadmap")}, nil
}

func noFolder(err error) error {
	return fmt.Errorf("no folder for state (%w): set $%s to one", err, Env)
}

// ScansFolder is where the saved scans are.
func (s *Store) ScansFolder() string { return filepath.Join(s.Cache, "scans") }

// LoginsFile is where the logins are.
func (s *Store) LoginsFile() string { return filepath.Join(s.Config, "logins.json") }

// NamesFile is where the user may say what the devices are called. It is the
// user's own: it is read and never written.
func (s *Store) NamesFile() string { return filepath.Join(s.Config, "names.yaml") }

// mkdir makes a folder of ours. One that is there already is left as it is: it
// may be one that the user named; the files in it are for the user alone anyway.
func mkdir(dir string) error { return os.MkdirAll(dir, 0o700) }
