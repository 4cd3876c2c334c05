package layout

import (
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// Improving an order costs its square, so a crowd is left in the order in
// which it was found, and the passes are few. A Thread partition has at most
// 32 routers.
const (
	maxImproved = 64
	maxPasses   = 6
)

// order gives the hubs an order round a circle in which those that hear each
// other stand near each other, the leader first. Ties go to the order of the
// map.
func order(hubs []*view.Hub) []int {
	n := len(hubs)
	at := make(map[*topology.Node]int, n)
	for i, h := range hubs {
		at[h.Node] = i
	}
	near := make([][]neighbor, n)
	for i, h := range hubs {
		for _, l := range h.Links {
			if k, ok := at[view.Far(l, h.Node)]; ok {
				near[i] = append(near[i], neighbor{k, 1 + int(view.Worst(l))})
			}
		}
	}
	seq := walk(hubs, near)
	if n > 3 && n <= maxImproved {
		improve(seq, near)
	}
	for i, k := range seq { // the leader to the front
		if hubs[k].Node.Role == "leader" {
			return append(seq[i:n:n], seq[:i]...)
		}
	}
	return seq
}

type neighbor struct{ hub, weight int }

// walk goes through the mesh depth first, along the strongest links, from the
// hub with the fewest: a chain comes out as a chain.
func walk(hubs []*view.Hub, near [][]neighbor) []int {
	n := len(hubs)
	seen := make([]bool, n)
	seq := make([]int, 0, n)
	starts := make([]int, 0, n)
	for few := range n + 1 { // counting sort by number of links
		if len(starts) == n {
			break
		}
		for i := range n {
			if len(near[i]) == few {
				starts = append(starts, i)
			}
		}
		if few == 8 { // the rest as they come
			for i := range n {
				if len(near[i]) > few {
					starts = append(starts, i)
				}
			}
			break
		}
	}
	for _, s := range starts {
		stack := []int{s}
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if seen[i] {
				continue
			}
			seen[i] = true
			seq = append(seq, i)
			for w := 1; w <= 1+int(view.GradeGood); w++ { // the strongest is taken first, so pushed last
				for k := len(near[i]) - 1; k >= 0; k-- {
					if x := near[i][k]; x.weight == w && !seen[x.hub] {
						stack = append(stack, x.hub)
					}
				}
			}
		}
	}
	return seq
}

// improve swaps pairs as long as that shortens the links.
func improve(seq []int, near [][]neighbor) {
	n := len(seq)
	pos := make([]int, n)
	for i, k := range seq {
		pos[k] = i
	}
	length := func(k int) int {
		s := 0
		for _, x := range near[k] {
			d := pos[k] - pos[x.hub]
			if d < 0 {
				d = -d
			}
			s += x.weight * min(d, n-d)
		}
		return s
	}
	for range maxPasses {
		better := false
		for i := range n {
			for k := i + 1; k < n; k++ {
				a, b := seq[i], seq[k]
				before := length(a) + length(b)
				pos[a], pos[b] = k, i
				if length(a)+length(b) < before {
					seq[i], seq[k] = b, a
					better = true
				} else {
					pos[a], pos[b] = i, k
				}
			}
		}
		if !better {
			return
		}
	}
}

// link draws each link between hubs once: inside a panel bent to its middle,
// between panels straight.
func (p *Picture) link(v *view.View) {
	for i, x := range p.Panels {
		for k := range x.Hubs {
			p.where[x.Hubs[k].Node] = place{i, x.Hubs[k].At}
		}
		for k := range x.Loose {
			p.where[x.Loose[k].Node] = place{i, x.Loose[k].At}
		}
	}
	for _, g := range v.Groups {
		for _, h := range g.Hubs {
			for _, l := range h.Links {
				if l.A != h.Node {
					continue
				}
				a, okA := p.where[l.A]
				b, okB := p.where[l.B]
				if !okA || !okB {
					continue
				}
				mid := Point{(a.at.X + b.at.X) / 2, (a.at.Y + b.at.Y) / 2}
				if a.panel != b.panel {
					p.Across = append(p.Across, Link{l, a.at, mid, b.at})
					continue
				}
				x := p.Panels[a.panel]
				x.Links = append(x.Links, Link{l, a.at, x.bend(l, a.at, b.at), b.at})
			}
		}
	}
}
