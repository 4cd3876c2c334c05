package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// TestNamesOfTheSameScan: a node that speaks through a border agent has no name;
// what it registered by SRP has one, and the host label of that is the extended
// address. So one scan with a credential and no pairing knows the accessory by
// name, under its parent, and its Matter ids.
func TestNamesOfTheSameScan(t *testing.T) {
	t.Parallel()
	home := mesh.HomeOf50(demoSeed)
	o := atOnce()
	o.MDNS.HomeKit = func(n *mesh.Node) bool { return !n.BorderRouter && n.ExtAddr%3 == 0 }
	w := startWorld(t, home, o)
	j := threadJob(t, w, keysOf(t, home))
	a := &app{err: io.Discard, getenv: func(string) string { return "" }}
	scan, _ := a.collect(t.Context(), j)
	m := topology.Build(scan.Reports)
	named, children, matter := 0, 0, 0
	for _, net := range home.Networks {
		v := net.Truth()
		for i := range net.Nodes {
			want := &net.Nodes[i]
			k := slices.IndexFunc(m.Nodes, func(n *topology.Node) bool { return n.ExtAddr == want.ExtAddr })
			if k < 0 || m.Nodes[k].RLOC16 != diag.MakeRLOC16(want.RLOC16()) {
				t.Errorf("%s is not there, or not by its place in the mesh", want.Name)
				continue
			}
			n := m.Nodes[k]
			if o.MDNS.HomeKit(want) {
				named++
				if n.Name != want.Name {
					t.Errorf("%s is called %q", want.Name, n.Name)
				}
				if p := v.Parent(i); p >= 0 {
					children++
					if n.Parent == nil || n.Parent.ExtAddr != net.Nodes[p].ExtAddr {
						t.Errorf("%s: parent %v", want.Name, n.Parent)
					}
				}
				// The mesh did not say so: the name is the announcement's.
				if !slices.ContainsFunc(n.Names, func(b topology.NameBy) bool { return b.Value == want.Name && b.Source == "mdns" }) {
					t.Errorf("%s: names %v", want.Name, n.Names)
				}
			}
			for _, id := range want.Matter {
				matter++
				if !slices.ContainsFunc(n.Matter, func(got diag.MatterID) bool { return got.Node == id.Node && got.Fabric == id.Fabric }) {
					t.Errorf("%s: Matter %v, want %v", want.Name, n.Matter, id)
				}
				if !slices.Contains(n.Hosts, strings.ToUpper(fmt.Sprintf("%016x", uint64(want.ExtAddr)))) {
					t.Errorf("%s: hosts %v", want.Name, n.Hosts)
				}
			}
		}
	}
	if named < 8 || children < 3 || matter < 20 {
		t.Errorf("%d nodes by name, %d of them children, %d Matter ids: too few to show anything", named, children, matter)
	}
}
