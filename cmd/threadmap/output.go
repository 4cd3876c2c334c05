package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/writefile"
	"threadmap/diag/snapshot"
	"threadmap/render"
)

// An output is one -o FILE.
type output struct {
	file  string
	perm  fs.FileMode
	write func(io.Writer, *render.Document, render.Options) error
}

const snapshotExt = ".cbor"

// writeSnapshot is the format of .cbor files: not a drawing but what all
// drawings are made from.
func writeSnapshot(w io.Writer, d *render.Document, _ render.Options) error {
	return snapshot.Write(w, d.Scan)
}

// extensions lists what -o understands.
func extensions() []string {
	var out []string
	for _, f := range render.Formats {
		out = append(out, f.Ext)
	}
	return append(out, snapshotExt)
}

// outputFlag adds -o.
func outputFlag(c *cobra.Command, files *namesFlag) {
	files.kind = "FILE"
	c.Flags().VarP(files, "output", "o", "also write FILE, as its ending says ("+strings.Join(extensions(), " ")+"); may be repeated")
	var bare []string
	for _, e := range extensions() {
		bare = append(bare, strings.TrimPrefix(e, "."))
	}
	c.MarkFlagFilename("output", bare...)
}

// outputs reads the values of -o, before anything else is done.
func outputs(c *cobra.Command, files []string) ([]output, error) {
	var out []output
	seen := map[string]bool{}
	for _, file := range files {
		o, ok := outputFor(file)
		if !ok {
			return nil, usage(c, "-o %s: the name must end in %s", file, list(extensions(), "or"))
		}
		if key := filepath.Clean(file); seen[key] {
			return nil, usage(c, "-o %s: named twice", file)
		} else {
			seen[key] = true
		}
		out = append(out, o)
	}
	return out, nil
}

// writable refuses files that can't be written before minutes of work are done
// for them. It makes none of them.
func writable(c *cobra.Command, outs []output) error {
	for _, o := range outs {
		if err := writefile.Can(o.file); err != nil {
			return usage(c, "-o: %w", cannotWrite(o.file, err))
		}
	}
	return nil
}

func outputFor(file string) (output, bool) {
	if strings.EqualFold(filepath.Ext(file), snapshotExt) {
		return output{file, writefile.Private, writeSnapshot}, true
	}
	f, ok := render.ByExt(file)
	return output{file, writefile.Public, f.Write}, ok
}

// writeOutputs writes all files; one that fails costs none of the others. tell
// says which were written: files are written before anything is printed, so that
// a pipe that closes costs no file, but told of at the end, where one looks.
func (a *app) writeOutputs(outs []output, d *render.Document, o render.Options) (tell func()) {
	var wrote []string
	for _, out := range outs {
		o := render.Options{ShowDead: o.ShowDead, Note: func(s string) { a.hint("%s", s) }} // a file has neither colors nor a terminal's width
		err := writefile.Atomic(out.file, out.perm, func(w io.Writer) error { return out.write(w, d, o) })
		if err != nil {
			a.warn(cannotWrite(out.file, err))
			a.failed = true
			continue
		}
		wrote = append(wrote, out.file)
	}
	return func() {
		if len(wrote) > 0 {
			a.hint("Wrote %s.", list(wrote, "and"))
		}
	}
}

func cannotWrite(file string, err error) error {
	hint := ""
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		hint = ": name another place with -o"
	}
	return fmt.Errorf("cannot write %w%s", err, hint)
}

// show prints a document on standard output: the tree, or with --json the map.
func (a *app) show(d *render.Document, l look, o render.Options) error {
	write := render.Tree
	if l.json {
		write = render.JSON
	}
	return a.print(func(w io.Writer) error { return write(w, d, o) })
}
