package mesh

import (
	"math/rand/v2"
	"slices"
	"time"

	"threadmap/diag"
)

// RandomHistory is up to events things that happen to a random mesh within
// length: what is possible at each moment is drawn, and what follows from it (a
// lost leader, orphans that look for a parent) comes in its time. Two histories of
// one family (same seed, another member) use the same RLOC16s with other radios.
func RandomHistory(seed uint64, member int, length time.Duration, events int) *History {
	h := Random(seed, RandomOptions{Networks: 1 + member, Routers: 3 + int(seed%8), Children: 1 + int(seed/8%12)})
	start := h.Networks[member]
	start.Nodes = slices.Clone(start.Nodes)
	for i := range start.Nodes { // so that most rows of children that left are seen to go
		start.Nodes[i].Timeout = []time.Duration{60, 240, 240, 3600}[i%4] * time.Second
	}
	g := &happenings{rng: rand.New(rand.NewPCG(seed, 0x74696d65+uint64(member))), h: &History{Start: start}, s: newState(start)}
	for g.s.now < length {
		g.next(events)
		step := time.Duration(1+g.rng.IntN(max(2, int(2*length/time.Second)/max(1, events)))) * time.Second
		g.s.now += step
	}
	return g.h
}

// happenings draws what happens.
type happenings struct {
	rng  *rand.Rand
	h    *History
	s    *state
	done int
	lost map[int]time.Duration // router -> since when it has no leader in reach
}

func (g *happenings) try(e Event) bool {
	e.At = g.s.now
	if !g.s.apply(e) {
		return false
	}
	g.h.Events = append(g.h.Events, e)
	return true
}

func (g *happenings) next(events int) {
	g.elect()
	g.settle()
	if g.done >= events {
		return
	}
	n := g.rng.IntN(len(g.s.m.Nodes))
	p := g.rng.IntN(len(g.s.m.Nodes))
	ok := false
	switch g.rng.IntN(8) {
	case 0:
		if peers := g.s.peers(n); g.s.router(n) && len(peers) > 0 {
			ok = g.try(Event{Kind: EventCut, Node: n, Peer: peers[g.rng.IntN(len(peers))]})
		}
	case 1:
		if g.alive() > 3 || !g.s.router(n) {
			ok = g.try(Event{Kind: EventDie, Node: n})
		}
	case 2, 3:
		if !g.s.router(n) && g.s.attached(n) {
			ok = g.try(Event{Kind: EventMove, Node: n, Peer: p, ChildID: g.childID(p), Told: g.rng.IntN(3) == 0})
		}
	case 4:
		if g.alive() > 2 {
			ok = g.try(Event{Kind: EventDemote, Node: n, Peer: p, ChildID: g.childID(p)})
		}
	case 5:
		ok = g.try(Event{Kind: EventPromote, Node: n, Nodes: g.some(n), RouterID: g.routerID(n)})
	case 6:
		id := g.s.m.Nodes[n].RouterID
		if g.rng.IntN(3) > 0 && g.s.router(n) && !g.s.leads(n) {
			id = g.routerID(n)
		}
		x := diag.ExtAddr(g.rng.Uint64()&^(1<<56) | 1<<57)
		ok = g.try(Event{Kind: EventReaddress, Node: n, ExtAddr: x, RouterID: id})
	case 7:
		for k := 0; k < len(g.s.m.Nodes) && !ok; k++ {
			ok = g.try(Event{Kind: EventJoin, Node: n, Peer: (p + k) % len(g.s.m.Nodes)})
		}
	}
	if ok {
		g.done++
	}
}

func (g *happenings) alive() int {
	n := 0
	for i := range g.s.m.Nodes {
		if g.s.router(i) {
			n++
		}
	}
	return n
}

// routerID is a router id, mostly one that was used before.
func (g *happenings) routerID(n int) uint8 {
	if k := len(g.s.ids); k > 0 && g.rng.IntN(3) > 0 {
		return g.s.ids[g.rng.IntN(k)].id
	}
	return uint8(g.rng.IntN(diag.MaxRouterID + 1))
}

func (g *happenings) childID(p int) uint16 {
	for id := uint16(1 + g.rng.IntN(4)); ; id++ {
		if !g.s.router(p) || g.s.freeChild(p, id) || id > 100 {
			return id
		}
	}
}

// some are other routers of the partition of n.
func (g *happenings) some(n int) []int {
	var out []int
	for i := range g.s.m.Nodes {
		if g.s.router(i) && i != n && g.s.m.Nodes[i].Partition == g.s.m.Nodes[n].Partition && g.rng.IntN(3) == 0 {
			out = append(out, i)
		}
	}
	return out
}

// elect lets routers that are cut off from their leader make a partition of their
// own when the time has come.
func (g *happenings) elect() {
	if g.lost == nil {
		g.lost = map[int]time.Duration{}
	}
	led := map[int]bool{}
	for i := range g.s.m.Nodes {
		if g.s.router(i) && g.s.leads(i) {
			for _, k := range g.group(i) {
				led[k] = true
			}
		}
	}
	for i := range g.s.m.Nodes {
		since, waits := g.lost[i]
		switch {
		case !g.s.router(i) || led[i]:
			delete(g.lost, i)
		case !waits:
			g.lost[i] = g.s.now
		case g.s.now >= since+LeaderLostTime:
			nodes := g.group(i)
			if g.try(Event{Kind: EventPart, Node: i, Nodes: nodes, PartitionID: g.rng.Uint32()}) {
				for _, k := range nodes {
					led[k] = true
					delete(g.lost, k)
				}
			}
		}
	}
}

// group are the routers that are in one piece with router i.
func (g *happenings) group(i int) []int {
	out := []int{i}
	for k := 0; k < len(out); k++ {
		for _, o := range g.s.peers(out[k]) {
			if !slices.Contains(out, o) {
				out = append(out, o)
			}
		}
	}
	return out
}

// settle lets orphans find a parent, some sooner than others.
func (g *happenings) settle() {
	for i := range g.s.m.Nodes {
		if !g.s.adrift[i] || g.s.gone[i] || g.rng.IntN(3) == 0 {
			continue
		}
		if p := g.rng.IntN(len(g.s.m.Nodes)); g.s.router(p) {
			g.try(Event{Kind: EventMove, Node: i, Peer: p, ChildID: g.childID(p)})
		}
	}
}
