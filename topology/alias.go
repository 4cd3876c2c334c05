package topology

import (
	"slices"

	"threadmap/diag"
)

// An Alias is what the user calls a node, and the room it is in.
type Alias struct {
	Identity   string // what names the node: see [Map.Rename]
	Name, Room string // "": left as it is
}

// Rename gives nodes the names and rooms that the user chose. An identity names
// one node for good: an extended address, a border agent id, a Matter node
// (FABRIC-NODE, or its node id alone), a host or instance name, a node's name
// as somebody else gives it, or an IPv6 address; not an RLOC16, which another
// node may have tomorrow. Aliases that fit no node are left out, because the
// node may just not have been seen; those that fit several are given back and
// not used.
func (m *Map) Rename(aliases []Alias) (ambiguous []Alias) {
	found := make([][]*Node, len(aliases)) // before any name changes
	for i, a := range aliases {
		found[i] = m.named(a.Identity)
	}
	for i, a := range aliases {
		if len(found[i]) > 1 {
			ambiguous = append(ambiguous, a)
		}
		if len(found[i]) != 1 {
			continue
		}
		n := found[i][0]
		e := Evidence{Source: "names", Field: a.Identity}
		if a.Name != "" {
			n.Name = a.Name
			n.Names = slices.Insert(n.Names, 0, NameBy{Value: a.Name, Kind: diag.NameAlias, Source: e.Source})
		}
		if a.Room != "" {
			n.Room = a.Room
		}
		n.Evidence = append(n.Evidence, e)
		slices.SortFunc(n.Evidence, compareEvidence)
	}
	return ambiguous
}

// named is Find without what can change hands.
func (m *Map) named(identity string) []*Node {
	q, ok := parseQuery(identity)
	if !ok {
		return nil
	}
	q.rloc16 = diag.RLOC16{}
	for _, hit := range tiers[:len(tiers)-1] {
		var found []*Node
		for _, n := range m.Nodes {
			if hit(q, n) {
				found = append(found, n)
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}
