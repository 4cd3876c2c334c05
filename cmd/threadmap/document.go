package main

import (
	"net/netip"
	"slices"
	"time"

	"threadmap/cmd/threadmap/internal/host"
	"threadmap/diag"
	"threadmap/render"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// document makes what every verb draws: the map of a scan, with the names that
// the user gave, and what the doctor finds in it. What of the names can't be told
// apart is said. The machine itself is not looked at.
func (a *app) document(scan *diag.Scan, called []topology.Alias) *render.Document {
	return a.documentOn(nil, scan, called)
}

// documentOn is document, with what the doctor finds in the machine that made the
// scan, as look sees it; nil: it is not looked at.
func (a *app) documentOn(look func(*topology.Map) *doctor.Host, scan *diag.Scan, called []topology.Alias) *render.Document {
	m := topology.Build(scan.Reports)
	a.tellAmbiguous(m.Rename(called))
	var machine *doctor.Host
	if look != nil {
		machine = look(m)
	}
	return &render.Document{Map: m, Scan: scan, Findings: doctor.Examine(doctor.New(m, scan, machine))}
}

// sameMachine is for how long after a scan the machine is taken to be as it was:
// a notebook soon is in another network.
const sameMachine = 15 * time.Minute

// madeHere is thisMachine for a scan that it has made just now; nil where files
// were named, or the scan is one of another place or day.
func madeHere(scan *diag.Scan, files []string) func(*topology.Map) *doctor.Host {
	if len(files) > 0 || scan.Probe != "" || time.Since(scan.To) > sameMachine {
		return nil
	}
	return thisMachine
}

// thisMachine looks at the machine that the program runs on, and at its ways to
// the meshes of a map. Nothing is sent.
func thisMachine(m *topology.Map) *doctor.Host {
	var prefixes []netip.Prefix
	for _, n := range m.Networks {
		prefixes = append(prefixes, n.OMRPrefixes...)
	}
	return host.Look(prefixes...)
}

// around narrows a document to the neighborhood of a node, and to what the doctor
// found there and nowhere else.
func around(d *render.Document, center *topology.Node, hops int) {
	d.Map = d.Map.Around([]*topology.Node{center}, hops)
	here := map[string]bool{}
	for _, n := range d.Map.Nodes {
		here[n.ID] = true
	}
	d.Findings = slices.DeleteFunc(d.Findings, func(f doctor.Finding) bool {
		return len(f.Nodes) == 0 || slices.ContainsFunc(f.Nodes, func(n *topology.Node) bool { return !here[n.ID] })
	})
}
