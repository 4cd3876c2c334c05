package mesh

import (
	"fmt"
	"time"
)

// Line is one network of n nodes: routers in a row, each hearing the next, at
// most 32; the nodes that are left are sleepy children of the last. Farther
// than 15 hops nothing has a path, as in real Thread.
func Line(n int) *Home {
	k := newMaker(uint64(n))
	m := k.network("line", 11)
	routers := max(1, min(n, MaxRouters))
	for i := range max(1, min(n, MaxRouters+MaxChildren)) {
		x := k.node(fmt.Sprintf("node %d", i), smartPlug)
		if i == 0 {
			x = k.node("border router", otbr2026)
			x.OTBR = 3
		} else if i >= routers {
			x = k.node(fmt.Sprintf("node %d", i), contact)
			x.ChildID = uint16(i - routers + 1)
		}
		x.RouterID, x.X = uint8(min(i, routers-1)), i*800
		m.Nodes = append(m.Nodes, x)
		if i > 0 {
			m.Links = append(m.Links, Link{A: min(i, routers) - 1, B: i, AToB: Hear(-60), BToA: Hear(-60), Age: 10 * time.Second, Up: time.Hour})
		}
	}
	return &Home{Name: "line", Networks: []*Mesh{m}}
}

// Office is one network of n nodes (2..2000) on a floor of an office: 32
// routers, the first two of them border routers.
func Office(seed uint64, n int) *Home {
	k := newMaker(seed)
	return &Home{Name: "office", Networks: []*Mesh{k.floor("office", 15, "Office", max(2, min(n, 2000)))}}
}

// Campus is ten networks of two hundred nodes each.
func Campus(seed uint64) *Home { return buildings(seed, "campus", 2000, 10) }

// ScaleTo is n nodes in networks of at most 250, for benchmarks.
func ScaleTo(n int) *Home { return buildings(1, "scale", n, (n+249)/250) }

func buildings(seed uint64, name string, n, networks int) *Home {
	k := newMaker(seed)
	h := &Home{Name: name}
	for b := range networks {
		h.Networks = append(h.Networks, k.floor(fmt.Sprintf("%s-%d", name, b+1), uint8(11+b%16), fmt.Sprintf("Building %d", b+1), n*(b+1)/networks-n*b/networks))
	}
	return h
}

// floor makes a network of n nodes spread over rooms of five metres.
func (k *maker) floor(name string, channel uint8, place string, n int) *Mesh {
	s := site{cell: 500, storey: 300}
	m := k.network(name, channel)
	routers := min(n, MaxRouters)
	across := max(2, isqrt(n)) // rooms: about one a node, twice as wide as deep
	deep := max(1, across/2)
	plugs, kids := []device{smartPlug, bulb, ceiling, outlet}, []device{contact, motion, thermo, button, climate, smoke, airMeter}
	for i := range n {
		d := kids[k.rng.IntN(len(kids))]
		rx, ry := k.rng.IntN(across), k.rng.IntN(deep)
		if i < routers { // spread evenly
			d = plugs[k.rng.IntN(len(plugs))]
			rx, ry = i%8*across/8, i/8*deep/4%deep
		}
		if i < 2 && n >= 2 || i == 0 {
			d = otbr2026
		}
		x := k.node(fmt.Sprintf("%s %d", d.word, i+1), d)
		x.Room = fmt.Sprintf("%s, room %d.%02d", place, ry+1, rx+1)
		x.X, x.Y, x.Z = rx*500+k.rng.IntN(500), ry*500+k.rng.IntN(500), 100+k.rng.IntN(100)
		m.Nodes = append(m.Nodes, x)
	}
	for i, id := range k.routerIDs(routers) {
		m.Nodes[i].RouterID = id
		m.Nodes[i].SequenceLag = uint8(k.rng.IntN(2))
	}
	m.Nodes[0].OTBR, m.Nodes[0].SequenceLag = 3, 0
	m.Partitions[0].Leader = m.Nodes[routers/2].RouterID
	m.Nodes[routers/2].SequenceLag = 0
	k.wire(m, s, routers, (n-routers)/routers*4+10)
	return m
}
