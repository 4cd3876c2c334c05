package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// readFile reads a file that was named on the command line, "-" being standard
// input. name is what to call it, at when it was written: for what is no
// stored file, now. It stops reading at limit, which is a fault.
func (a *app) readFile(ctx context.Context, file string, limit int64) (b []byte, name string, at time.Time, err error) {
	open := func() (io.ReadCloser, error) { return os.Open(file) }
	if file == "-" {
		name, at = "standard input", time.Now()
		open = func() (io.ReadCloser, error) { return io.NopCloser(a.in), nil }
	} else {
		if file == "" {
			return nil, file, at, errors.New("the name of a FILE is empty")
		}
		fi, err := os.Stat(file)
		if err != nil {
			return nil, file, at, err
		}
		if fi.IsDir() {
			return nil, file, at, fmt.Errorf("%s: is a folder: name a file in it", file)
		}
		if name, at = file, fi.ModTime(); fi.Mode()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice) != 0 {
			at = time.Now()
		}
	}
	b, err = readAll(ctx, open, limit+1)
	if err != nil {
		return nil, name, at, err
	}
	if int64(len(b)) > limit {
		return nil, name, at, fmt.Errorf("%s: is larger than %d MiB: that is not a file of this kind", name, limit>>20)
	}
	return b, name, at, nil
}

// readAll reads up to limit bytes. A read that does not end (a terminal, a pipe
// that nobody writes to) is left behind when ctx ends.
func readAll(ctx context.Context, open func() (io.ReadCloser, error), limit int64) ([]byte, error) {
	type result struct {
		b   []byte
		err error
	}
	got := make(chan result, 1)
	go func() {
		f, err := open()
		if err != nil {
			got <- result{nil, err}
			return
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, limit))
		got <- result{b, err}
	}()
	select {
	case r := <-got:
		return r.b, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
