package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
