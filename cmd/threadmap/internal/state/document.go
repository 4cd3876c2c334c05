package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"

	"threadmap/cmd/threadmap/internal/writefile"
)

// A document is what the kinds of JSON files in the state folder have in common.
type document struct {
	format  string
	version int   // the newest that is known
	max     int64 // octets
}

// read reads a file, nil where there is none. Of one that is too long it reads
// just so much that parse refuses it.
func (d document) read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, d.max+1))
}

// parse checks what b says of itself, then reads it into doc. No error of it
// quotes b.
func (d document) parse(b []byte, doc any) error {
	if int64(len(b)) > d.max {
		return damaged("more than %d bytes", d.max)
	}
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if !json.Valid(b) {
		return damaged("it is no JSON document")
	}
	if err := json.Unmarshal(b, &head); err != nil || head.Format != d.format || head.Version < 1 {
		return damaged("it is no %s document", d.format)
	}
	if head.Version > d.version {
		return fmt.Errorf("is of version %d, and this threadmap knows %d: use a newer one", head.Version, d.version)
	}
	if err := json.Unmarshal(b, doc); err != nil {
		return damaged("a value has the wrong type")
	}
	return nil
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w (%s)", ErrDamaged, fmt.Sprintf(format, args...))
}

// checkTexts refuses values that are longer than most octets, or no text.
func checkTexts(most int, values ...string) error {
	for _, v := range values {
		if len(v) > most || !utf8.ValidString(v) {
			return errors.New("a value is too long or no text")
		}
	}
	return nil
}

// edit changes what a file in the folder of the logins holds: under the lock it
// is read, changed, and written as the document that says it. With renew, a
// damaged file is kept aside, under the name that is returned, and a new one is
// begun; without it, that is an error.
func edit[T any](ctx context.Context, s *Store, file string, renew bool, read func() (T, error), change func(T) (T, error), document func(T) any) (aside string, err error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	have, err := read()
	if renew && errors.Is(err, ErrDamaged) {
		if aside, err = keepAside(file); err != nil {
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
	return aside, writeJSON(file, document(have))
}

// keepAside renames a file to a name that is free.
func keepAside(name string) (aside string, err error) {
	for i := range 1000 {
		aside = fmt.Sprintf("%s.damaged-%d", name, i+1)
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			return aside, os.Rename(name, aside)
		}
	}
	return "", fmt.Errorf("%s is damaged, and so are 1000 files kept aside: remove some", name)
}

// writeJSON replaces a file. It may hold secrets.
func writeJSON(file string, doc any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		return err
	}
	defer clear(b.Bytes())
	return writefile.Atomic(file, writefile.Private, func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
}
