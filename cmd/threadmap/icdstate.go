package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/cmd/threadmap/internal/writefile"
	icdcanary "threadmap/diag/icd/canary"
)

// canaryStates remember what canaries have left on devices: a file for each
// device, beside the logins, written before anything is left there.
type canaryStates struct{ store *state.Store }

// maxCanaryFile bounds what is read, maxCanaries how many there may be.
const (
	maxCanaryFile = 64 << 10
	maxCanaries   = 1000
)

func (s canaryStates) folder() string { return filepath.Join(s.store.Config, "icd-canary") }

func (s canaryStates) file(fabric, node uint64) string {
	return filepath.Join(s.folder(), fmt.Sprintf("%016x-%016x.json", fabric, node))
}

// read is what is left on a device; the zero State: nothing.
func (s canaryStates) read(fabric, node uint64) (icdcanary.State, error) {
	return readCanary(s.file(fabric, node))
}

func readCanary(file string) (icdcanary.State, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return icdcanary.State{}, nil
	}
	if err != nil {
		return icdcanary.State{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxCanaryFile+1))
	if err != nil {
		return icdcanary.State{}, err
	}
	st, err := icdcanary.ParseState(b)
	if err != nil {
		return icdcanary.State{}, fmt.Errorf("%s: %w: move it away, and what it stood for stays on the device until that is reset or the subscription lapses", file, err)
	}
	return st, nil
}

// keep writes what is, or is about to be, on a device.
func (s canaryStates) keep(fabric, node uint64, st icdcanary.State) error {
	file := s.file(fabric, node)
	if st.Empty() {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(s.folder(), 0o700); err != nil {
		return err
	}
	b, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return err
	}
	return writefile.Atomic(file, writefile.Private, func(w io.Writer) error {
		_, err := w.Write(append(b, '\n'))
		return err
	})
}

// A keptCanary is a file of them.
type keptCanary struct {
	file         string
	fabric, node uint64
}

// all lists the devices that something is left on.
func (s canaryStates) all() ([]keptCanary, error) {
	entries, err := os.ReadDir(s.folder())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []keptCanary
	for _, e := range entries {
		fabric, node, ok := strings.Cut(strings.TrimSuffix(e.Name(), ".json"), "-")
		f, isFabric := hex16(fabric)
		n, isNode := hex16(node)
		if ok && isFabric && isNode && strings.HasSuffix(e.Name(), ".json") && len(out) < maxCanaries {
			out = append(out, keptCanary{filepath.Join(s.folder(), e.Name()), f, n})
		}
	}
	return out, nil
}
