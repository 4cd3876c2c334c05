package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/names"
	"threadmap/topology"
)

// An aliasFlag is --names: the file in which users say what they call their
// devices.
type aliasFlag struct{ file string }

func (f *aliasFlag) add(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "names", "", "what you call your devices: a `FILE` of lines \"ID: Name\"; default names.yaml beside the logins, where there is one")
	c.MarkFlagFilename("names", "yaml", "yml")
}

// read reads the file that was named, else the one beside the logins. A named one
// that can't be read ends the run; the other one is said, costs the names, and
// makes the map partial.
func (f *aliasFlag) read(c *cobra.Command, a *app) ([]topology.Alias, error) {
	if c.Flags().Changed("names") {
		called, err := a.readAliases(c, f.file)
		if err != nil {
			return nil, fmt.Errorf("--names: %w", err)
		}
		return called, nil
	}
	store, err := a.store()
	if err != nil {
		return nil, nil // nothing is beside what is not there
	}
	file := store.NamesFile()
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	called, err := a.readAliases(c, file)
	if err != nil {
		a.warn(err)
		a.partial = true
	}
	return called, nil
}

// maxNamesFile bounds what is read, in bytes; what is understood is less.
const maxNamesFile = 1 << 20

func (a *app) readAliases(c *cobra.Command, file string) ([]topology.Alias, error) {
	b, name, _, err := a.readFile(c.Context(), file, maxNamesFile)
	if err != nil {
		return nil, err
	}
	called, err := names.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return called, nil
}

// tellAmbiguous says in one line which names were given to several nodes at once.
func (a *app) tellAmbiguous(aliases []topology.Alias) {
	const most = 4
	var words []string
	for i, alias := range aliases {
		if i == most {
			words = append(words, fmt.Sprintf("%d more", len(aliases)-most))
			break
		}
		words = append(words, fmt.Sprintf("%q", clean(alias.Identity)))
	}
	switch len(words) {
	case 0:
	case 1:
		a.hint("Names: %s fits several devices and names none: write one of their ids, which --json tells.", words[0])
	default:
		a.hint("Names: %s each fit several devices and name none: write ids, which --json tells.", list(words, "and"))
	}
}
