// Package writefile puts files in place whole or not at all: it writes beside
// the target and renames, so that neither a full disk nor a Ctrl-C leaves half
// a picture or half a state, and a reader never sees one.
//
// The reader is below the verbs of cmd/threadmap and below package state.
package writefile

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Permissions of what threadmap writes, before the user's umask.
const (
	Public  fs.FileMode = 0o644 // pictures and reports
	Private fs.FileMode = 0o600 // snapshots, logins
)

const tempMark = ".threadmap-tmp-"

// Atomic writes what write gives to the file name, with these permissions
// (before umask). On an error the file that was there is untouched. A
// symbolic link is followed, and a target that is no regular file is refused.
func Atomic(name string, perm fs.FileMode, write func(io.Writer) error) (err error) {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if fi, err := os.Stat(name); err == nil && !fi.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", name)
	}
	temp := filepath.Join(filepath.Dir(name), tempMark+rand.Text())
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		// The temporary name is of no use to anybody: speak of the file.
		if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
			err = &fs.PathError{Op: "create", Path: name, Err: pe.Err}
		}
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(temp)
			if pe := (*fs.PathError)(nil); errors.As(err, &pe) && pe.Path == temp {
				err = &fs.PathError{Op: pe.Op, Path: name, Err: pe.Err}
			}
		}
	}()
	w := bufio.NewWriterSize(f, 64<<10)
	if err = write(w); err != nil {
		return err
	}
	if err = w.Flush(); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(temp, name); err != nil {
		if le := (*os.LinkError)(nil); errors.As(err, &le) {
			err = &fs.PathError{Op: "replace", Path: name, Err: le.Err}
		}
	}
	return err
}

// Can reports why Atomic can't write the file name, as far as is known before:
// its folder must be there and take files, and what has that name must be a
// regular file. Nothing of that name is made; a file beside it is, for a moment,
// since no permission bits tell what a network share or a full quota allow.
func Can(name string) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if fi, err := os.Stat(name); err == nil && !fi.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", name)
	}
	temp := filepath.Join(filepath.Dir(name), tempMark+rand.Text())
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, Private)
	if err != nil {
		if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
			err = &fs.PathError{Op: "create", Path: name, Err: pe.Err}
		}
		return err
	}
	f.Close()
	return os.Remove(temp)
}

// Sweep removes what a killed program left half written in a folder, if it is
// older than a day: nobody writes one file for so long.
func Sweep(folder string, now time.Time) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), tempMark) {
			continue
		}
		if fi, err := e.Info(); err == nil && fi.Mode().IsRegular() && now.Sub(fi.ModTime()) > 24*time.Hour {
			os.Remove(filepath.Join(folder, e.Name()))
		}
	}
}
