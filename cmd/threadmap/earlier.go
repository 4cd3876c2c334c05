package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"threadmap/diag/snapshot"
	"threadmap/render"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// maxEarlier is how many saved scans a page can go back to: each makes it some
// hundred kilobytes larger.
const maxEarlier = 10

// earlier gives the page, where one is to be written, the saved scans before this
// one: of the same home, which shares a network with it. What can't be read is
// left out; "threadmap render" says why.
func (a *app) earlier(outs []output, d *render.Document, called []topology.Alias) {
	if !slices.ContainsFunc(outs, func(o output) bool { return strings.EqualFold(filepath.Ext(o.file), ".html") }) {
		return
	}
	store, err := a.store()
	if err != nil {
		return
	}
	have, _ := store.Scans()
	for _, saved := range slices.Backward(have) {
		if len(d.Earlier) == maxEarlier {
			break
		}
		f, err := os.Open(saved.File)
		if err != nil {
			continue
		}
		scan, err := snapshot.Read(f)
		f.Close()
		if err != nil || !scan.To.Before(d.Scan.To) {
			continue
		}
		m := topology.Build(scan.Reports)
		m.Rename(called)
		if sameHome(m, d.Map) {
			d.Earlier = append(d.Earlier, &render.Document{Map: m, Scan: scan, Findings: doctor.Examine(doctor.New(m, scan, nil))})
		}
	}
	slices.Reverse(d.Earlier)
}

func sameHome(a, b *topology.Map) bool {
	return slices.ContainsFunc(a.Networks, func(n *topology.Network) bool {
		return slices.ContainsFunc(b.Networks, func(o *topology.Network) bool { return n.ID == o.ID })
	})
}
