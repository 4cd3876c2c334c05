package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/writefile"
)

// openRecord opens the file of --record; nobody else may read it.
func openRecord(file string) (*os.File, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, writefile.Private)
	if errors.Is(err, os.ErrExist) {
		return nil, fail("--record %s: it exists already: name a new file", clean(file))
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil, fail("--record: cannot write %s: %w: name another place", clean(file), bare(err))
	}
	if err != nil {
		return nil, fail("--record: cannot write %s: %w", clean(file), bare(err))
	}
	return f, nil
}

// checkRecord looks at the value of --record before anything is done.
func checkRecord(c *cobra.Command, file string) error {
	if c.Flags().Changed("record") && file == "" {
		return usage(c, "--record: the name of the FILE is empty")
	}
	return nil
}
