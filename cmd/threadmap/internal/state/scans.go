package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"threadmap/cmd/threadmap/internal/writefile"
	"threadmap/diag"
	"threadmap/diag/snapshot"
)

// KeptScans is how many scans are kept; older ones are forgotten.
const KeptScans = 200

// stamp is the form of a scan's name: its time in UTC. Names sort by time.
const stamp = "20060102T150405.000Z"

const scanExt = ".cbor"

// A SavedScan is a scan on disk.
type SavedScan struct {
	At   time.Time // when it ended, to a millisecond
	File string
}

// ErrNoScan is what LastScan gives where no scan is saved.
var ErrNoScan = errors.New("no scan is saved yet")

// SaveScan keeps a scan, and forgets all but the last 200.
func (s *Store) SaveScan(ctx context.Context, scan *diag.Scan) (SavedScan, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return SavedScan{}, err
	}
	defer unlock()
	dir := s.ScansFolder()
	if err := mkdir(dir); err != nil {
		return SavedScan{}, err
	}
	at := scan.To.UTC().Truncate(time.Millisecond)
	name := filepath.Join(dir, at.Format(stamp)+scanExt)
	for taken(name) { // two scans may end in one millisecond
		at = at.Add(time.Millisecond)
		name = filepath.Join(dir, at.Format(stamp)+scanExt)
	}
	if err := writefile.Atomic(name, writefile.Private, func(w io.Writer) error { return snapshot.Write(w, scan) }); err != nil {
		return SavedScan{}, err
	}
	have, err := s.Scans()
	if err != nil {
		return SavedScan{}, err
	}
	for _, old := range have[:max(0, len(have)-KeptScans)] {
		if old.File == name {
			continue // a clock that went back must not cost the scan just made
		}
		if err := os.Remove(old.File); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return SavedScan{}, err
		}
	}
	writefile.Sweep(dir, time.Now())
	return SavedScan{At: at, File: name}, nil
}

func taken(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// Scans lists the saved scans, oldest first. Other files in the folder are
// none of ours and are left alone.
func (s *Store) Scans() ([]SavedScan, error) {
	entries, err := os.ReadDir(s.ScansFolder())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []SavedScan
	for _, e := range entries {
		base, ok := strings.CutSuffix(e.Name(), scanExt)
		if !ok || !e.Type().IsRegular() {
			continue
		}
		at, err := time.Parse(stamp, base)
		if err != nil {
			continue
		}
		out = append(out, SavedScan{At: at, File: filepath.Join(s.ScansFolder(), e.Name())})
	}
	slices.SortFunc(out, func(a, b SavedScan) int { return a.At.Compare(b.At) })
	return out, nil
}

// LastScan reads the newest saved scan, or gives ErrNoScan.
func (s *Store) LastScan() (*diag.Scan, SavedScan, error) {
	have, err := s.Scans()
	if err != nil {
		return nil, SavedScan{}, err
	}
	if len(have) == 0 {
		return nil, SavedScan{}, ErrNoScan
	}
	last := have[len(have)-1]
	f, err := os.Open(last.File)
	if err != nil {
		return nil, last, err
	}
	defer f.Close()
	scan, err := snapshot.Read(f)
	if err != nil {
		return nil, last, fmt.Errorf("%s: %w", last.File, err)
	}
	return scan, last, nil
}
