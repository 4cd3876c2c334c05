package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"

	"threadmap/diag"
)

const (
	format  = "threadmap-snapshot"
	version = 1

	// maxSize bounds a file: some 20 times a scan of 16,000 nodes.
	maxSize = 256 << 20
)

var (
	// selfDescribed is tag 55799 (RFC 8949, section 3.4.6).
	selfDescribed = []byte{0xd9, 0xd9, 0xf7}
	// head follows it and the first octet of the map: deterministic encoding
	// sorts shorter keys first, so "format" and "version" precede "contents"
	// and every longer key that may be added.
	head = append(append([]byte{0x66}, "format"...), append([]byte{0x60 + byte(len(format))}, format...)...)
)

// A file is the outermost item.
type file struct {
	Format   string    `cbor:"format"`
	Version  uint64    `cbor:"version"`
	Contents diag.Scan `cbor:"contents"`
}

// Write writes the snapshot of a scan, which it does not change.
//
// What a snapshot can't hold (see the package comment) is left out, and the
// problems in the file say so. Errors are those of w, and a scan that is too
// large.
func Write(w io.Writer, s *diag.Scan) error {
	b, err := diag.CBOREncoding.Marshal(file{format, version, *clean(s)})
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	if len(selfDescribed)+len(b) > maxSize {
		return fmt.Errorf("snapshot: the scan takes %d MiB, a file may have %d: leave out sources with --source", len(b)>>20, maxSize>>20)
	}
	for _, part := range [][]byte{selfDescribed, b} {
		if _, err := w.Write(part); err != nil {
			return fmt.Errorf("snapshot: write: %w", err)
		}
	}
	return nil
}

// Sniff reports whether a file that begins with b is a snapshot of any version,
// as Write makes it. It wants the first 30 octets.
func Sniff(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, selfDescribed)
	return ok && len(rest) > 0 && rest[0]>>5 == 5 && rest[0]&0x1f < 24 && bytes.HasPrefix(rest[1:], head)
}

// errNot is the error for what is no snapshot at all.
var errNot = errors.New("snapshot: not a threadmap snapshot")

// Read reads a snapshot of this version or an older one. Values that no source
// could have said have become unknown, and the last of the scan's Problems say
// so.
func Read(r io.Reader) (*diag.Scan, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("snapshot: read: %w", err)
	case len(b) > maxSize:
		return nil, fmt.Errorf("snapshot: larger than %d MiB", maxSize>>20)
	case len(b) == 0:
		return nil, errors.New("snapshot: the file is empty")
	}
	rest, ok := bytes.CutPrefix(b, selfDescribed)
	if !ok {
		return nil, errNot
	}
	if v, ok := peekVersion(b); ok && v > version {
		return nil, tooNew(v) // before the rules of this version are applied to it
	}
	var f struct {
		Format   string `cbor:"format"`
		Version  uint64 `cbor:"version"`
		Contents span   `cbor:"contents"`
	}
	if err := decoding.Unmarshal(rest, &f); err != nil {
		return nil, damaged(b, err)
	}
	switch {
	case f.Format != format || f.Version == 0:
		return nil, errNot
	case f.Version > version:
		return nil, tooNew(f.Version)
	case f.Contents == nil:
		return nil, errors.New("snapshot: damaged: no contents")
	}
	contents, err := upgrade(f.Contents, f.Version, upgrades)
	if err != nil {
		return nil, fmt.Errorf("snapshot: version %d: %w", f.Version, err)
	}
	return decode(contents)
}

// peekVersion reads the version of a file that begins as Write makes it.
func peekVersion(b []byte) (v uint64, ok bool) {
	if !Sniff(b) {
		return 0, false
	}
	b = b[len(selfDescribed)+1+len(head):]
	var key string
	b, err := decoding.UnmarshalFirst(b, &key)
	if err != nil || key != "version" {
		return 0, false
	}
	_, err = decoding.UnmarshalFirst(b, &v)
	return v, err == nil
}

func tooNew(v uint64) error {
	return fmt.Errorf("snapshot: version %d is newer than this program reads (%d): update threadmap", v, version)
}

// damaged words an error of the decoder for a user.
func damaged(b []byte, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("snapshot: damaged: cut off after %d bytes", len(b))
	}
	return fmt.Errorf("snapshot: damaged: %w", err)
}

// A span is an item left as it is: a part of the file's octets, not a copy. A
// decoder of one slice gives UnmarshalCBOR a part of that slice, and nobody
// changes the file's octets after they are read.
type span []byte

func (s *span) UnmarshalCBOR(b []byte) error {
	*s = b
	return nil
}

// MarshalCBOR makes a span round-trip.
func (s span) MarshalCBOR() ([]byte, error) { return s, nil }

// decoding is for the outer items, which have many reports; each report by
// itself is decoded with the narrower [diag.CBORDecoding].
var decoding = mustDecoding()

func mustDecoding() cbor.DecMode {
	o := diag.CBORDecoding.DecOptions()
	o.MaxNestedLevels, o.MaxArrayElements = 24, maxReports
	m, err := o.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}
