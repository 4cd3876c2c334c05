package layout

import (
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// lines are the straight lines of the links of a panel, to judge places by.
type lines struct {
	index map[*topology.Node]int
	at    []Point // of each hub, then of the end of each trunk
	hubs  int     // so many of at are hubs
	all   []line
	of    [][]int // the lines that end at a hub
}

// A line joins two hubs, or a hub with the end of its trunk.
type line struct{ a, b int }

func newLines(hubs []*view.Hub, where map[*topology.Node]Point) *lines {
	l := &lines{index: make(map[*topology.Node]int, len(hubs)), at: make([]Point, len(hubs)), hubs: len(hubs), of: make([][]int, len(hubs))}
	for i, h := range hubs {
		l.index[h.Node], l.at[i] = i, where[h.Node]
	}
	seen := map[line]bool{} // a hostile file may name a link any number of times
	for i, h := range hubs {
		for _, k := range h.Links {
			if b, ok := l.index[k.B]; ok && k.A == h.Node && b != i && !seen[line{i, b}] {
				seen[line{i, b}] = true
				l.add(line{i, b})
			}
		}
	}
	return l
}

func (l *lines) add(x line) {
	l.of[x.a] = append(l.of[x.a], len(l.all))
	if x.b < l.hubs {
		l.of[x.b] = append(l.of[x.b], len(l.all))
	}
	l.all = append(l.all, x)
}

// trunk adds the line from a hub to where its trunk leaves the oval.
func (l *lines) trunk(n *topology.Node, end Point) {
	l.at = append(l.at, end)
	l.add(line{l.index[n], len(l.at) - 1})
}

// cost is what the lines of a hub, and its mark, cost if it stood at a place;
// counting ends where it is more than limit.
func (l *lines) cost(n int, at Point, limit int) int {
	const near = HubRadius + 8*Px
	old := l.at[n]
	l.at[n] = at
	c := 0
	for _, y := range l.all {
		if y.a != n && y.b != n && passes(l.at[y.a], l.at[y.b], at, near) {
			c += l.past(y)
		}
	}
	for _, i := range l.of[n] {
		if c > limit {
			break
		}
		x := l.all[i]
		a, b := l.at[x.a], l.at[x.b]
		for _, y := range l.all {
			if x.a == y.a || x.a == y.b || x.b == y.a || x.b == y.b || !crosses(a, b, l.at[y.a], l.at[y.b]) {
				continue
			}
			c += costCross
			if x.b >= l.hubs && y.b >= l.hubs {
				c += costTrunks
			}
		}
		for m, p := range l.at[:l.hubs] {
			if m != x.a && m != x.b && passes(a, b, p, near) {
				c += l.past(x)
			}
		}
	}
	l.at[n] = old
	return c
}

// past is what it costs that a line runs over the mark of a hub. A link can still
// bend away; a trunk can't, and the devices behind it would seem to hang on both.
func (l *lines) past(x line) int {
	if x.b >= l.hubs {
		return costTrunks
	}
	return costPast
}
