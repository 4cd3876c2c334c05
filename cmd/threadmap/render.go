package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/dump"
	"threadmap/diag/snapshot"
	"threadmap/topology"
)

const renderText = `Draw snapshots, or files of other tools, without asking anybody. Without FILE
the last saved scan is drawn; - is standard input. Several files make one map.

Understood are snapshots (scan -o FILE.cbor), answers of a border router's REST,
files of Home Assistant's Matter server, text copied from OpenThread's command
line, and lists of announcements (of avahi-browse, dns-sd). What a file is, is
seen from its content.

A file that can't be read costs one line and exit status 3; the others are
drawn. With -o nothing but the files is written; else the tree is printed.`

type renderFlags struct {
	look
	output namesFlag
	layout layoutFlag
	called aliasFlag
	all    bool
	around string
	hops   countFlag
}

func (a *app) renderCommand() *cobra.Command {
	f := &renderFlags{}
	c := &cobra.Command{
		Use:   "render [FILE...]",
		Short: "draw a saved scan, or files of other tools",
		Long:  renderText,
		Example: `  threadmap render -o mesh.svg
  threadmap render monday.cbor router-table.txt
  ot-ctl router table | threadmap render -
  threadmap render --around "Hall button" --hops 2`,
	}
	outputFlag(c, &f.output)
	f.layout.add(c)
	f.called.add(c)
	f.jsonFlag(c)
	c.Flags().BoolVar(&f.all, "all", false, "draw dead links, too")
	c.Flags().StringVar(&f.around, "around", "", "draw only the neighborhood of this `NODE`")
	f.hops = 1
	c.Flags().Var(&f.hops, "hops", "how far that goes, in links")
	f.colorFlag(c)
	c.RunE = verb(func(c *cobra.Command, args []string) error { return a.render(c, f, args) })
	return c
}

func (a *app) render(c *cobra.Command, f *renderFlags, files []string) error {
	outs, err := outputs(c, f.output.names)
	if err != nil {
		return err
	}
	if err := f.layout.over(c, a, outs); err != nil {
		return err
	}
	if c.Flags().Changed("around") && f.around == "" {
		return usage(c, "--around: the name is empty")
	}
	if c.Flags().Changed("hops") && f.around == "" {
		return usage(c, "--hops needs --around NODE")
	}
	called, err := f.called.read(c, a)
	if err != nil {
		return err
	}
	scan, faults, err := a.load(c, files)
	if err != nil {
		return err
	}
	doc := a.document(scan, called)
	if f.around != "" {
		center, err := one(doc.Map, f.around)
		if err != nil {
			return err
		}
		around(doc, center, int(f.hops))
		a.hint("Only the neighborhood of %s.", namesOf([]*topology.Node{center}))
	} else if len(files) == 0 {
		a.earlier(outs, doc, called)
	}
	o := a.options(f.look)
	o.ShowDead = f.all
	a.writeOutputs(outs, doc, o)()
	switch {
	case f.json:
	case len(outs) > 0:
		return nil
	default: // the faults stand on standard error already
		without := *scan
		without.Problems = scan.Problems[:len(scan.Problems)-faults]
		doc.Scan = &without
	}
	return a.show(doc, f.look, o)
}

// one resolves a NODE that must be exactly one.
func one(m *topology.Map, query string) (*topology.Node, error) {
	switch hits := m.Find(query); len(hits) {
	case 0:
		return nil, fail("no node fits %q: threadmap render lists them all", query)
	case 1:
		return hits[0], nil
	default:
		return nil, fail("%q fits %d nodes: %s: write one of the ids", query, len(hits), namesOf(hits))
	}
}

// load reads the files and merges them. Without files it is the last scan.
// Files that can't be read are said, and are the last problems of the scan.
func (a *app) load(c *cobra.Command, files []string) (scan *diag.Scan, faulty int, err error) {
	if len(files) == 0 {
		store, err := a.store()
		if err != nil {
			return nil, 0, err
		}
		scan, saved, err := store.LastScan()
		if errors.Is(err, state.ErrNoScan) {
			return nil, 0, fail(`%w: make one with "threadmap scan", or name a FILE`, err)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("the last scan: %w: name an older file of that folder", err)
		}
		a.hint("Scan of %s.", localTime(saved.At))
		return scan, 0, nil
	}
	var scans []*diag.Scan
	var faults []error
	var missing []diag.Problem
	stdin := false
	for _, file := range files {
		if file == "-" {
			if stdin {
				return nil, 0, usage(c, "standard input can be read once")
			}
			stdin = true
		}
		scan, err := a.loadFile(c.Context(), file)
		if c.Context().Err() != nil {
			return nil, 0, fail("stopped")
		}
		if err != nil {
			faults = append(faults, err)
			missing = append(missing, diag.Problem{Source: "file", Target: filepath.Base(file), Stage: diag.StageParse, Text: plain(err), Partial: true})
			continue
		}
		scans = append(scans, scan)
	}
	if len(scans) == 0 {
		return nil, 0, &failure{exitFailed, errors.Join(faults...)}
	}
	for _, err := range faults {
		a.warn(err)
	}
	merged := diag.Merge(scans...)
	if len(missing) > 0 {
		a.partial = true
		merged.Complete = false
		merged.Problems = append(merged.Problems, missing...)
	}
	return merged, len(missing), nil
}

// maxFile bounds what is read of a file, in bytes: a snapshot may have as many.
const maxFile = 256 << 20

// loadFile makes a scan of a file.
func (a *app) loadFile(ctx context.Context, file string) (*diag.Scan, error) {
	b, name, at, err := a.readFile(ctx, file, maxFile)
	if err != nil {
		return nil, err
	}
	if snapshot.Sniff(b) {
		scan, err := snapshot.Read(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return scan, nil
	}
	return dump.Read(name, b, at)
}
