package state

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"

	"threadmap/cmd/threadmap/internal/writefile"
)

// pseudonymKeyLen is the length of the key, in octets.
const pseudonymKeyLen = 32

var pseudonymsDocument = document{"threadmap-pseudonyms", 1, 4 << 10}

type pseudonymsFile struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Key     string `json:"key"` // 64 hex digits
}

// PseudonymsFile is where the key of this user's pseudonyms is.
func (s *Store) PseudonymsFile() string { return filepath.Join(s.Config, "pseudonyms.json") }

// PseudonymKey is the key that redacted reports of this user are made with, so
// that a device has one pseudonym in all of them and another user's has another.
// It is made when it is first asked for. Who has it and guesses an address can
// check the guess, so it is for the user alone. A damaged file is left as it is.
func (s *Store) PseudonymKey(ctx context.Context) ([]byte, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	name := s.PseudonymsFile()
	b, err := pseudonymsDocument.read(name)
	if err != nil {
		return nil, err
	}
	var doc pseudonymsFile
	if b != nil {
		if err := pseudonymsDocument.parse(b, &doc); err != nil {
			return nil, fmt.Errorf("%s %w", name, err)
		}
		key, err := hex.DecodeString(doc.Key)
		if err != nil || len(key) != pseudonymKeyLen {
			return nil, fmt.Errorf("%s %w", name, damaged("no key of %d octets", pseudonymKeyLen))
		}
		return key, nil
	}
	key := make([]byte, pseudonymKeyLen)
	rand.Read(key)
	if err := mkdir(s.Config); err != nil {
		return nil, err
	}
	doc = pseudonymsFile{pseudonymsDocument.format, pseudonymsDocument.version, hex.EncodeToString(key)}
	err = writefile.Atomic(name, writefile.Private, func(w io.Writer) error { return json.NewEncoder(w).Encode(doc) })
	return key, err
}
