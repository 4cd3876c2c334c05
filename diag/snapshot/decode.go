package snapshot

import (
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"threadmap/diag"
)

// decode decodes the contents of the current version: a [diag.Scan], whose
// lists are taken one item at a time, so that a bad item costs only itself and
// memory stays in proportion.
func decode(contents []byte) (*diag.Scan, error) {
	var c struct {
		From     time.Time `cbor:"from"`
		To       time.Time `cbor:"to"`
		Probe    string    `cbor:"probe"`
		Complete bool      `cbor:"complete"`
		Sources  []span    `cbor:"sources"`
		Reports  []span    `cbor:"reports"`
		Problems []span    `cbor:"problems"`
	}
	if err := decoding.Unmarshal(contents, &c); err != nil {
		return nil, damaged(contents, err)
	}
	s := &diag.Scan{From: c.From, To: c.To, Probe: c.Probe, Complete: c.Complete}
	k := &cleaner{own: true}
	var err error
	if s.Sources, err = items(k, c.Sources, "source", k.source); err != nil {
		return nil, err
	}
	if s.Reports, err = items(k, c.Reports, "report", k.report); err != nil {
		return nil, err
	}
	if s.Problems, err = items(k, c.Problems, "problem", k.problem); err != nil {
		return nil, err
	}
	k.scan(s)
	return s, nil
}

// items decodes and cleans a list, leaving out the items that can't be read.
func items[T any](k *cleaner, list []span, what string, keep func(*T) bool) ([]T, error) {
	var out []T
	for i, b := range list {
		k.enter(what, i)
		if k.full() {
			k.tooMany(len(list) - i)
			break
		}
		var v T
		err := diag.CBORDecoding.Unmarshal(b, &v)
		var twice *cbor.DupMapKeyError
		switch {
		case errors.As(err, &twice): // no writer of ours: nothing in it can be believed
			return nil, fmt.Errorf("snapshot: damaged: %s %d: %w", what, i+1, err)
		case err != nil || b[0]>>5 != majorMap: // null, say
			k.lost(what+" that can't be read", 1)
		case keep(&v):
			out = append(out, v)
		}
	}
	return out, nil
}

// majorMap is the major type of a map (RFC 8949, section 3.1).
const majorMap = 5
