package layout

import (
	"threadmap/diag"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// Costs of a drawing. A line that passes over the mark of a router that is not
// at its end tells a lie, so that is the worst.
const (
	costCross = 48 // as much as two lines right across
	costPast  = 60
	costInner = 12 // for children whose rows are not beside their parent
	costTilt  = 2  // for each row by which one side is higher
	// Trunks never cross each other: no device looks as if it hung on another
	// parent.
	costTrunks = 1000
)

// A tangle is hubs on slots with the lines between them.
type tangle struct {
	s       *slots
	at      []int   // hub -> slot
	who     []int   // slot -> hub, -1: free
	near    [][]int // hub -> hubs
	rows    []int   // of children
	fixed   int     // this hub stays, -1: none
	present []uint64
	taken   []uint64
	tilt    int
	scratch []int
}

// untangle gives each hub a slot so that few lines cross. It begins with the
// hubs on the outer ring in order seq, and then moves or swaps hubs as long as
// time is given; small worsenings are let pass at first, so that it does not
// end at the next best. The steps are the same every time, and depend on which
// hubs there are and who hears whom, but not on the number of children unless
// that changes much: so a picture stays what it was when a device comes. Each start
// takes other steps.
func untangle(s *slots, hubs []*view.Hub, seq []int, steps, start int) (at []int, knots int) {
	n := len(hubs)
	t := &tangle{s: s, at: make([]int, n), who: make([]int, len(s.at)), near: make([][]int, n), rows: make([]int, n), fixed: -1,
		present: make([]uint64, (s.segs+63)/64), taken: make([]uint64, (len(s.at)+63)/64)}
	index := make(map[*topology.Node]int, n)
	for i, h := range hubs {
		index[h.Node] = i
		t.rows[i] = coarse(len(h.Children))
	}
	links := 0
	for i, h := range hubs {
		seen := map[int]bool{i: true}
		for _, l := range h.Links {
			if k, ok := index[view.Far(l, h.Node)]; ok && !seen[k] {
				seen[k] = true
				t.near[i] = append(t.near[i], k)
				links++
			}
		}
	}
	links /= 2
	for i := range t.who {
		t.who[i] = -1
	}
	for i, k := range seq {
		t.at[k], t.who[i] = i, k
		if hubs[k].Node.Role == diag.RoleLeader && t.fixed < 0 && !central(len(t.near[k]), links) {
			t.fixed = k
		}
	}
	cost := 0
	for i := range hubs {
		cost += t.add(i)
	}
	cost += costTilt * abs(t.tilt)
	best, bestAt := cost, append([]int(nil), t.at...)
	random := uint64(0x9e3779b97f4a7c15) * uint64(2*start+1)
	next := func(n int) int {
		random ^= random << 13
		random ^= random >> 7
		random ^= random << 17
		return int(random >> 33 % uint64(n))
	}
	heat := costCross * (3 + links/16)
	for i := range steps {
		hub, to := next(n), next(len(s.at))
		if t.at[hub] == to || hub == t.fixed || t.who[to] >= 0 && t.who[to] == t.fixed {
			continue
		}
		allowed := max(0, heat-heat*i/(steps*3/4))
		from := t.at[hub]
		d := t.move(hub, to)
		if d > 0 && (allowed == 0 || d > next(allowed+1)) {
			t.undo(hub, from)
			continue
		}
		if cost += d; cost < best {
			best, bestAt = cost, append(bestAt[:0], t.at...)
		}
	}
	return bestAt, t.knots(bestAt)
}

// knots counts the lines that cross or pass over a hub when hubs stand at these slots.
func (t *tangle) knots(at []int) int {
	clear(t.present)
	clear(t.taken)
	var all []int
	for hub, i := range at {
		set(t.taken, i)
		for _, k := range t.near[hub] {
			if k < hub {
				all = append(all, t.s.seg(i, at[k]))
			}
		}
		if !t.s.at[i].outer {
			all = append(all, t.s.trunk(i))
		}
	}
	n := 0
	for _, l := range all { // those before it
		n += both(t.s.rows[l], t.present) + both(t.s.past[l], t.taken)
		set(t.present, l)
	}
	return n
}

// central reports whether a hub with so many of all links is the middle of a star
// or a wheel. Such a leader is not kept at the edge, where its links would cross
// all others.
func central(own, all int) bool { return own > 4 && 2*own >= all }

// coarse is a number of rows that seldom changes when one is added. Even a hub
// without children has some: else its first one would move it.
func coarse(rows int) int {
	switch {
	case rows <= 6:
		return 4
	case rows <= 16:
		return 12
	}
	return 24
}

// move brings a hub to a slot; whoever stands there goes where it was. It
// returns by how much that costs more.
func (t *tangle) move(hub, to int) int {
	from, other := t.at[hub], t.who[to]
	d := -costTilt * abs(t.tilt)
	d -= t.remove(hub)
	if other >= 0 {
		d -= t.remove(other)
		t.at[other] = from
	}
	t.who[from], t.at[hub], t.who[to] = other, to, hub
	d += t.add(hub)
	if other >= 0 {
		d += t.add(other)
	}
	return d + costTilt*abs(t.tilt)
}

// undo takes a move back.
func (t *tangle) undo(hub, from int) {
	to, other := t.at[hub], t.who[from]
	t.lift(hub)
	if other >= 0 {
		t.lift(other)
		t.at[other] = to
	}
	t.who[to], t.at[hub], t.who[from] = other, from, hub
	t.stand(hub)
	if other >= 0 {
		t.stand(other)
	}
}

// lines lists the lines of a hub to those that stand.
func (t *tangle) lines(hub int) []int {
	out, at := t.scratch[:0], t.at[hub]
	for _, k := range t.near[hub] {
		if has(t.taken, t.at[k]) && t.who[t.at[k]] == k {
			out = append(out, t.s.seg(at, t.at[k]))
		}
	}
	if !t.s.at[at].outer {
		out = append(out, t.s.trunk(at))
	}
	t.scratch = out
	return out
}

// add puts a hub on its slot, and returns what that costs.
func (t *tangle) add(hub int) int { return t.price(hub, t.stand(hub)) }

// stand puts a hub on its slot, and returns its lines.
func (t *tangle) stand(hub int) []int {
	set(t.taken, t.at[hub])
	lines := t.lines(hub)
	for _, l := range lines {
		set(t.present, l)
	}
	t.tilt += t.weight(hub)
	return lines
}

// remove takes a hub off its slot, and returns what that saves.
func (t *tangle) remove(hub int) int {
	lines := t.lines(hub)
	saved := t.price(hub, lines)
	t.clear(hub, lines)
	return saved
}

// lift takes a hub off its slot.
func (t *tangle) lift(hub int) { t.clear(hub, t.lines(hub)) }

func (t *tangle) clear(hub int, lines []int) {
	for _, l := range lines {
		unset(t.present, l)
	}
	unset(t.taken, t.at[hub])
	t.tilt -= t.weight(hub)
}

// price is what the lines of a hub, and its mark, cost.
func (t *tangle) price(hub int, lines []int) int {
	c := costPast * both(t.s.by[t.at[hub]], t.present)
	for _, l := range lines {
		c += costCross*both(t.s.rows[l], t.present) + costPast*both(t.s.past[l], t.taken) + t.s.size[l]
	}
	if !t.s.at[t.at[hub]].outer {
		c += costInner
	}
	return c
}

// weight is how high a hub makes its side, in rows.
func (t *tangle) weight(hub int) int {
	at := t.s.at[t.at[hub]]
	w := t.rows[hub]
	if at.outer {
		w = max(w, hubHeight/rowHeight)
	}
	return w * at.side
}

func abs(n int) int { return max(n, -n) }
