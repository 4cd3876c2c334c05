package host

import (
	"bufio"
	"bytes"
	"io"
	"io/fs"
	"iter"
	"strings"
)

// Bounds of what is read. Files are the system's own, but no reason to trust them
// with memory.
const (
	maxFile    = 1 << 20
	maxEntries = 512 // of a folder
	maxLine    = 4 << 10
)

// read gives a file whole; ok is false where it is missing, can't be read, is no
// regular file, or is too long, so that part of it might be taken for all.
func read(root fs.FS, name string) (b []byte, ok bool) {
	if !fs.ValidPath(name) {
		return nil, false
	}
	// Looked at before it is opened: opening a pipe waits.
	if info, err := fs.Stat(root, name); err != nil || !info.Mode().IsRegular() {
		return nil, false
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	b, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	return b, err == nil && len(b) <= maxFile
}

// exists reports whether there is a file or folder of that name.
func exists(root fs.FS, name string) bool {
	_, err := fs.Stat(root, name)
	return err == nil
}

// entries are the names in a folder, some of them where it is large.
func entries(root fs.FS, name string) (out []string) {
	f, err := root.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	d, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil
	}
	list, _ := d.ReadDir(maxEntries)
	for _, e := range list {
		out = append(out, e.Name())
	}
	return out
}

// lines are the lines of a file without surrounding blanks; ok turns false where
// one is too long.
func lines(b []byte, ok *bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		s := bufio.NewScanner(bytes.NewReader(b))
		s.Buffer(nil, maxLine)
		for s.Scan() {
			if !yield(strings.TrimSpace(s.Text())) {
				return
			}
		}
		*ok = *ok && s.Err() == nil
	}
}

// setting is the value of a KEY=VALUE line, as configuration files of many
// programs have them; the last one counts.
func setting(b []byte, key string) (value string, found bool) {
	ok := true
	for line := range lines(b, &ok) {
		if k, v, is := strings.Cut(line, "="); is && strings.TrimSpace(k) == key {
			value, found = strings.Trim(strings.TrimSpace(v), `"'`), true
		}
	}
	return value, found && ok
}
