package topology_test

import (
	"slices"
	"testing"

	"threadmap/diag"
	"threadmap/topology"
)

// TestRename names nodes by each kind of identity, and never by one that
// another node may have tomorrow.
func TestRename(t *testing.T) {
	build := func() *topology.Map {
		plug, bulb := says(xA, 0x1000), says(xB, 0x2000)
		plug.Names = []diag.Name{{Value: "TS0001", Kind: diag.NameLabel}}
		plug.Hosts, plug.Instances = []string{"host-a"}, []string{"Plug instance"}
		plug.Matter = []diag.MatterID{{Fabric: 0x1122334455667788, Node: 21}}
		plug.BorderAgentID = "00112233445566778899aabbccddeeff"
		bulb.Names = []diag.Name{{Value: "Bulb", Kind: diag.NameLabel}}
		return topology.Build([]diag.Report{plug, bulb})
	}
	for _, identity := range []string{
		"0e01010101010101", "0E:01:01:01:01:01:01:01", "TS0001", "host-a", "Plug instance", "21", "1122334455667788-0000000000000015",
		"00112233445566778899aabbccddeeff",
	} {
		m := build()
		if a := m.Rename([]topology.Alias{{Identity: identity, Name: "Desk plug", Room: "Study"}}); a != nil {
			t.Errorf("%s: ambiguous", identity)
		}
		n := find(t, m, xA.String())
		if n.Name != "Desk plug" || n.Room != "Study" || n.Names[0].Kind != diag.NameAlias || n.Label() != "Desk plug" {
			t.Errorf("%s: the node is %q in %q, names %v", identity, n.Name, n.Room, n.Names)
		}
		if !slices.ContainsFunc(n.Evidence, func(e topology.Evidence) bool { return e.Source == "names" && e.Field == identity }) {
			t.Errorf("%s: no evidence of the alias", identity)
		}
	}
	for _, identity := range []string{"0x1000", "1000", "0e01", "TS", "", "nobody"} {
		m := build()
		m.Rename([]topology.Alias{{Identity: identity, Name: "X"}})
		if slices.ContainsFunc(m.Nodes, func(n *topology.Node) bool { return n.Name == "X" }) {
			t.Errorf("%q named a node", identity)
		}
	}
}

// TestRenameNeverGuesses: an identity of two nodes names neither, and names given
// by one alias do not count as identities for the next.
func TestRenameNeverGuesses(t *testing.T) {
	a, b := says(xA, 0x1000), says(xB, 0x2000)
	a.Names = []diag.Name{{Value: "Lamp", Kind: diag.NameLabel}}
	b.Names = a.Names
	m := topology.Build([]diag.Report{a, b})
	got := m.Rename([]topology.Alias{{Identity: "Lamp", Name: "X"}, {Identity: xA.String(), Name: "Y"}, {Identity: "Y", Name: "Z"}})
	if len(got) != 1 || got[0].Identity != "Lamp" {
		t.Errorf("ambiguous: %v", got)
	}
	if n := find(t, m, xA.String()); n.Name != "Y" {
		t.Errorf("named %q", n.Name)
	}
}
