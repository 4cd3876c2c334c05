package layout

import (
	"fmt"
	"testing"

	"threadmap/render/internal/fixture"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// planarMeshes are meshes of routers that can be drawn without a crossing.
func planarMeshes() map[string]*topology.Map {
	type pairs [][2]int
	ring := func(n int) (p pairs) {
		for i := range n {
			p = append(p, [2]int{i, (i + 1) % n})
		}
		return p
	}
	grid := func(w, h int) (p pairs) {
		for i := range w * h {
			if i%w+1 < w {
				p = append(p, [2]int{i, i + 1})
			}
			if i+w < w*h {
				p = append(p, [2]int{i, i + w})
			}
		}
		return p
	}
	var tree, wheel pairs
	for i := 1; i < 31; i++ {
		tree = append(tree, [2]int{i, (i - 1) / 2})
	}
	for i := 1; i < 16; i++ {
		wheel = append(wheel, [2]int{0, i}, [2]int{i, i%15 + 1})
	}
	fan := ring(24)
	for i := 2; i < 23; i += 2 {
		fan = append(fan, [2]int{0, i})
	}
	out := map[string]*topology.Map{}
	for name, x := range map[string]struct {
		n int
		p pairs
	}{
		"ring of 8": {8, ring(8)}, "ring of 32": {32, ring(32)}, "line of 31": {31, ring(31)[:30]}, "grid of 4 x 4": {16, grid(4, 4)},
		"grid of 5 x 6": {30, grid(5, 6)}, "grid of 6 x 6": {36, grid(6, 6)}, "ladder of 2 x 16": {32, grid(2, 16)}, "tree of 31": {31, tree},
		"wheel of 16": {16, wheel}, "fan of 24": {24, fan},
	} {
		b := &fixture.Builder{}
		net := b.Network("Planar", 0xf300000000000000, 15)
		var all []*topology.Node
		for i := range x.n {
			all = append(all, b.Router(net, fmt.Sprintf("Router %d", i), uint8(i)))
		}
		b.Lead(all[0], 1)
		for _, e := range x.p {
			b.Link(all[e[0]], all[e[1]], 3, 3)
		}
		out[name] = b.Done()
	}
	return out
}

// TestPlanarCores: a mesh that can be drawn without a crossing is, or nearly.
func TestPlanarCores(t *testing.T) {
	most := map[string]int{"grid of 6 x 6": 6, "grid of 5 x 6": 1, "ladder of 2 x 16": 3, "tree of 31": 2}
	for name, m := range planarMeshes() {
		n := 0
		for _, p := range Place(view.New(m, true)).Panels {
			for i, a := range p.Links {
				for _, b := range p.Links[:i] {
					if a.A != b.A && a.A != b.B && a.B != b.A && a.B != b.B && pathsCross(curve(a), curve(b)) {
						n++
					}
				}
			}
		}
		if t.Logf("%s: %d crossings", name, n); n > most[name] {
			t.Errorf("%s: %d crossings, more than %d", name, n, most[name])
		}
	}
}

// curve breaks a link into straight pieces.
func curve(l Link) (out []Point) {
	const n = 8
	for i := range n + 1 {
		u := n - i
		out = append(out, Point{(u*u*l.A.X + 2*u*i*l.Bend.X + i*i*l.B.X) / (n * n), (u*u*l.A.Y + 2*u*i*l.Bend.Y + i*i*l.B.Y) / (n * n)})
	}
	return out
}
