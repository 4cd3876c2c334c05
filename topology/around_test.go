package topology

import (
	"fmt"
	"strings"
	"testing"
)

// line is r0 - r1 - r2 - r3 of routers, each with a child c0…c3, and a dead
// link that would join the ends.
func line() *Map {
	net := &Network{ID: "n"}
	other := &Network{ID: "o"}
	m := &Map{Networks: []*Network{net, other}}
	var routers []*Node
	for i := range 4 {
		r := &Node{ID: fmt.Sprintf("r%d", i), Network: net}
		c := &Node{ID: fmt.Sprintf("c%d", i), Network: net, Parent: r}
		r.Children = []*Node{c}
		m.Nodes = append(m.Nodes, r, c)
		m.Links = append(m.Links, &Link{A: c, B: r, Kind: LinkChild, State: LinkOK})
		if i > 0 {
			m.Links = append(m.Links, &Link{A: routers[i-1], B: r, Kind: LinkRouter, State: LinkOK})
		}
		routers = append(routers, r)
	}
	m.Links = append(m.Links, &Link{A: routers[0], B: routers[3], Kind: LinkRouter, State: LinkDead})
	m.Nodes = append(m.Nodes, &Node{ID: "x", Network: other})
	net.Partitions = []Partition{{Leader: routers[3]}}
	return m
}

func TestAround(t *testing.T) {
	for _, c := range []struct {
		center string
		hops   int
		want   string
		links  int
	}{
		{"r0", 0, "r0", 0},
		{"r0", 1, "r0 c0 r1", 2},
		{"c0", 0, "r0 c0", 1}, // a parent always
		{"c0", 2, "r0 c0 r1", 2},
		{"r1", 1, "r0 r1 c1 r2", 3},
		{"r0", 3, "r0 c0 r1 c1 r2 c2 r3", 7}, // the dead link is no way, but stays in the map
		{"r0", 99, "r0 c0 r1 c1 r2 c2 r3 c3", 8},
		{"x", 5, "x", 0},
		{"", 5, "", 0},
	} {
		t.Run(fmt.Sprintf("%s %d", c.center, c.hops), func(t *testing.T) {
			m := line()
			var center []*Node
			for _, n := range m.Nodes {
				if n.ID == c.center {
					center = append(center, n)
				}
			}
			part := m.Around(center, c.hops)
			var got []string
			in := map[*Node]bool{}
			for _, n := range part.Nodes {
				got = append(got, n.ID)
				in[n] = true
			}
			if g := strings.Join(got, " "); g != c.want {
				t.Errorf("nodes are %q, want %q", g, c.want)
			}
			if len(part.Links) != c.links {
				t.Errorf("%d links, want %d", len(part.Links), c.links)
			}
			for _, l := range part.Links {
				if !in[l.A] || !in[l.B] {
					t.Errorf("link %s-%s leaves the part", l.A.ID, l.B.ID)
				}
			}
			for _, n := range part.Nodes {
				if n.Parent != nil && !in[n.Parent] {
					t.Errorf("parent of %s is not in the part", n.ID)
				}
				for _, k := range n.Children {
					if !in[k] {
						t.Errorf("child of %s is not in the part", n.ID)
					}
				}
			}
			for _, net := range part.Networks {
				for _, p := range net.Partitions {
					if strings.Contains(c.want, "r3") != in[p.Leader] {
						t.Errorf("leader %s of the part is the wrong node", p.Leader.ID)
					}
				}
			}
			if len(m.Nodes) != 9 || len(m.Nodes[0].Children) != 1 {
				t.Error("the whole map was changed")
			}
		})
	}
}
