package layout

import (
	"math/bits"
	"sync"
)

// maxSlotted is the most hubs that are set on rings of slots; a Thread
// partition has at most 32 routers. More stand on the outer ring in the order
// in which they were found.
const maxSlotted = 40

// unit is the radius of the outer ring in the slots' own measure.
const unit = 1000

// A slot is a place where a hub may stand, in a disc of radius unit.
type slot struct {
	Point
	outer bool
	side  int   // -1 left, +1 right: where its children's rows go
	port  Point // where the trunk to those rows leaves the disc
}

// slots are the places for n hubs: so many on the outer ring, as many again on
// two rings inside, and for every line between two slots which other such
// lines it crosses. So to judge a move is to count bits.
type slots struct {
	at   []slot
	segs int // lines between two slots, then one trunk for each slot
	rows [][]uint64
	// past tells for each line by which slots it passes too near; by the same
	// for each slot.
	past [][]uint64
	by   [][]uint64
	size []int // of each line, in cost
}

// slotsFor keeps the slots for each number of hubs, since they depend on
// nothing else.
func slotsFor(n int) *slots {
	k := &kept[n]
	k.once.Do(func() { k.slots = makeSlots(n) })
	return k.slots
}

var kept [maxSlotted + 1]struct {
	once  sync.Once
	slots *slots
}

func makeSlots(n int) *slots {
	s := &slots{}
	s.ring(n, unit, 0)
	s.ring(n*5/8, unit*62/100, 1)
	s.ring(n/3, unit*28/100, 2)
	k := len(s.at)
	s.segs = k*(k-1)/2 + k
	ends := make([][2]Point, s.segs)
	who := make([][2]int, s.segs)
	for a := range k {
		for b := range a {
			i := s.seg(a, b)
			ends[i], who[i] = [2]Point{s.at[a].Point, s.at[b].Point}, [2]int{a, b}
		}
		i := s.trunk(a)
		ends[i], who[i] = [2]Point{s.at[a].Point, s.at[a].port}, [2]int{a, a}
	}
	words := (s.segs + 63) / 64
	table := make([]uint64, s.segs*words)
	s.rows, s.size = make([][]uint64, s.segs), make([]int, s.segs)
	for i := range s.rows {
		s.rows[i] = table[i*words : (i+1)*words]
	}
	for i, e := range ends {
		s.size[i] = isqrt(square(e[0].X-e[1].X)+square(e[0].Y-e[1].Y)) / 80
		for k := range i {
			x, y := who[i], who[k]
			if x[0] != y[0] && x[0] != y[1] && x[1] != y[0] && x[1] != y[1] && crosses(e[0], e[1], ends[k][0], ends[k][1]) {
				set(s.rows[i], k)
				set(s.rows[k], i)
			}
		}
	}
	near := min(max(22*unit/(20*n), 25), 80)
	s.past, s.by = make([][]uint64, s.segs), make([][]uint64, k)
	for c := range s.by {
		s.by[c] = make([]uint64, words)
	}
	for i, e := range ends {
		s.past[i] = make([]uint64, (k+63)/64)
		for c := range k {
			if c != who[i][0] && c != who[i][1] && passes(e[0], e[1], s.at[c].Point, near) {
				set(s.past[i], c)
				set(s.by[c], i)
			}
		}
	}
	return s
}

// ring adds k slots, half of them on each side, at even heights: so that the
// rows beside them have room. The ends of the oval stay open.
func (s *slots) ring(k, radius, number int) {
	for i := range k {
		side, of, n := 1, i, (k+1)/2
		if i >= n { // the circle goes on upwards on the left
			side, of, n = -1, k-1-i, k/2
		}
		y := -unit + (2*of+1)*unit/n
		x := 300 + 700*isqrt(max(0, 1210_000-square(y)))/1100
		if number > 0 { // off the lines on which others stand
			y += (37*(i+1)*number%5 - 2) * 14
			x += (53*(i+2)*number%7 - 3) * 12
		}
		p := Point{side * x * radius / unit, y * radius / unit}
		edge := 300 + 700*isqrt(max(0, 1210_000-square(p.Y)))/1100
		s.at = append(s.at, slot{Point: p, outer: number == 0, side: side, port: Point{side * edge, p.Y}})
	}
}

// seg is the line between two slots, whichever is named first.
func (s *slots) seg(a, b int) int {
	if a < b {
		a, b = b, a
	}
	return a*(a-1)/2 + b
}

func (s *slots) trunk(a int) int { k := len(s.at); return k*(k-1)/2 + a }

func set(b []uint64, i int)      { b[i>>6] |= 1 << (i & 63) }
func unset(b []uint64, i int)    { b[i>>6] &^= 1 << (i & 63) }
func has(b []uint64, i int) bool { return b[i>>6]>>(i&63)&1 == 1 }

// both counts the bits that are set in both.
func both(a, b []uint64) int {
	n := 0
	b = b[:len(a)]
	for i, w := range a {
		n += bits.OnesCount64(w & b[i])
	}
	return n
}

// crosses reports whether two lines cross, not merely touch.
func crosses(a, b, c, d Point) bool {
	if max(a.X, b.X) < min(c.X, d.X) || max(c.X, d.X) < min(a.X, b.X) || max(a.Y, b.Y) < min(c.Y, d.Y) || max(c.Y, d.Y) < min(a.Y, b.Y) {
		return false
	}
	return turn(a, b, c)*turn(a, b, d) < 0 && turn(c, d, a)*turn(c, d, b) < 0
}

// turn is +1 where the way from a to b to c turns one way, -1 the other, 0 straight.
func turn(a, b, c Point) int {
	v := int64(b.X-a.X)*int64(c.Y-a.Y) - int64(b.Y-a.Y)*int64(c.X-a.X)
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// passes reports whether the line from a to b comes nearer to p than that.
func passes(a, b, p Point, near int) bool {
	if p.X < min(a.X, b.X)-near || p.X > max(a.X, b.X)+near || p.Y < min(a.Y, b.Y)-near || p.Y > max(a.Y, b.Y)+near {
		return false
	}
	dx, dy := int64(b.X-a.X), int64(b.Y-a.Y)
	n := dx*dx + dy*dy
	if n == 0 {
		return square(p.X-a.X)+square(p.Y-a.Y) < square(near)
	}
	along := int64(p.X-a.X)*dx + int64(p.Y-a.Y)*dy
	switch {
	case along <= 0:
		return square(p.X-a.X)+square(p.Y-a.Y) < square(near)
	case along >= n:
		return square(p.X-b.X)+square(p.Y-b.Y) < square(near)
	}
	away := int64(p.X-a.X)*dy - int64(p.Y-a.Y)*dx
	length := int64(isqrt(n))
	return max(away, -away) < int64(near)*max(length, 1)
}
