package layout

import (
	"slices"
	"testing"

	"threadmap/diag"
	"threadmap/render/internal/fixture"
	"threadmap/topology"
)

// TestOneMoreRouterMovesSome: when a router joins, there is a place more on the oval,
// and all are arranged anew. In half of the homes the others move by less than half
// of the oval's radius on average, in three quarters by less than nine tenths.
func TestOneMoreRouterMovesSome(t *testing.T) {
	var means []int
	for seed := range uint64(40) {
		routers := 5 + int(seed)%20
		before := fixture.Floor(seed, routers, 3*routers, 450)
		after := fixture.Floor(seed, routers, 3*routers, 450)
		var beside *topology.Node
		for _, n := range after.Nodes {
			if n.Role.Routes() {
				beside = n
			}
		}
		added := &topology.Node{ID: "ffff", Name: "New plug", Role: diag.RoleRouter, RLOC16: diag.RouterRLOC16(62), Network: beside.Network, Partition: beside.Partition, State: topology.NodeOK}
		for _, l := range slices.Clone(after.Links) {
			if l.Kind != topology.LinkRouter || l.A != beside && l.B != beside {
				continue
			}
			far := l.A
			if far == beside {
				far = l.B
			}
			after.Links = append(after.Links, &topology.Link{A: far, B: added, Kind: topology.LinkRouter, State: topology.LinkOK, AToB: l.AToB, BToA: l.BToA})
		}
		after.Links = append(after.Links, &topology.Link{A: beside, B: added, Kind: topology.LinkRouter, State: topology.LinkOK, AToB: topology.Direction{LQ: diag.Some(uint8(3))}})
		after.Nodes = append(after.Nodes, added)
		was, is := places(before), places(after)
		sum := 0
		for id, p := range was {
			sum += isqrt(square(p.X-is[id].X) + square(p.Y-is[id].Y))
		}
		means = append(means, sum/len(was))
	}
	slices.Sort(means)
	t.Logf("mean moves: %v", means)
	if m := means[len(means)/2]; m > 500 {
		t.Errorf("in half of the homes, routers move by more than %d thousandths of the radius", m)
	}
	if m := means[len(means)*3/4]; m > 900 {
		t.Errorf("in a quarter of the homes, routers move by more than %d thousandths of the radius", m)
	}
}
