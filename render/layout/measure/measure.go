// Package measure judges drawings: how many lines cross, how many boxes lie on
// each other, how even lines are. It takes lines and boxes of any drawing, so
// that those of other programs are judged by the same rule as ours.
//
// The reader is beside the tests and benchmarks; the product doesn't import it.
package measure

import (
	"cmp"
	"math"
	"slices"
)

// A Point is a place in any unit.
type Point struct{ X, Y float64 }

// A Line is the line of one link as drawn, curves broken into pieces, and the
// two nodes that it joins.
type Line struct {
	A, B   int
	Points []Point
}

// A Box is what one node or its text takes up.
type Box struct{ X, Y, W, H float64 }

type piece struct {
	line int32
	p, q Point
}

// Crossings counts the pairs of lines that cross, each pair once. Lines with a
// node in common meet there and don't count.
func Crossings(lines []Line) int {
	var all []piece
	for i, l := range lines {
		for k := 1; k < len(l.Points); k++ {
			p, q := l.Points[k-1], l.Points[k]
			if p.X > q.X {
				p, q = q, p
			}
			all = append(all, piece{int32(i), p, q})
		}
	}
	slices.SortFunc(all, func(a, b piece) int { return cmp.Compare(a.p.X, b.p.X) })
	type pair struct{ a, b int32 }
	seen := map[pair]bool{}
	for i, a := range all {
		for _, b := range all[i+1:] {
			if b.p.X > a.q.X {
				break
			}
			x, y := lines[a.line], lines[b.line]
			if a.line == b.line || x.A == y.A || x.A == y.B || x.B == y.A || x.B == y.B || !cross(a, b) {
				continue
			}
			seen[pair{min(a.line, b.line), max(a.line, b.line)}] = true
		}
	}
	return len(seen)
}

func cross(a, b piece) bool {
	if min(a.p.Y, a.q.Y) > max(b.p.Y, b.q.Y) || min(b.p.Y, b.q.Y) > max(a.p.Y, a.q.Y) {
		return false
	}
	return side(a, b.p)*side(a, b.q) < 0 && side(b, a.p)*side(b, a.q) < 0
}

func side(l piece, p Point) int {
	return cmp.Compare((l.q.X-l.p.X)*(p.Y-l.p.Y), (l.q.Y-l.p.Y)*(p.X-l.p.X))
}

// Overlaps counts the pairs of boxes that lie on each other by more than a
// hair.
func Overlaps(boxes []Box) int {
	boxes = slices.Clone(boxes)
	slices.SortFunc(boxes, func(a, b Box) int { return cmp.Compare(a.X, b.X) })
	const hair = 0.01
	n := 0
	for i, a := range boxes {
		for _, b := range boxes[i+1:] {
			if b.X >= a.X+a.W-hair {
				break
			}
			if a.Y < b.Y+b.H-hair && b.Y < a.Y+a.H-hair {
				n++
			}
		}
	}
	return n
}

// Spread is how uneven the distances between linked nodes are: their standard
// deviation as a part of their mean.
func Spread(at map[int]Point, links [][2]int) float64 {
	if len(links) == 0 {
		return 0
	}
	sum, squares := 0.0, 0.0
	for _, l := range links {
		a, b := at[l[0]], at[l[1]]
		d := math.Hypot(a.X-b.X, a.Y-b.Y)
		sum, squares = sum+d, squares+d*d
	}
	n := float64(len(links))
	mean := sum / n
	if mean == 0 {
		return 0
	}
	return math.Sqrt(max(0, squares/n-mean*mean)) / mean
}

// Quad breaks a quadratic Bézier curve into pieces.
func Quad(a, m, b Point) []Point {
	const n = 8
	out := make([]Point, 0, n+1)
	for i := range n + 1 {
		t := float64(i) / n
		u := 1 - t
		out = append(out, Point{u*u*a.X + 2*u*t*m.X + t*t*b.X, u*u*a.Y + 2*u*t*m.Y + t*t*b.Y})
	}
	return out
}

// Cubic breaks a cubic Bézier curve into pieces.
func Cubic(a, m, n, b Point) []Point {
	const pieces = 6
	out := make([]Point, 0, pieces+1)
	for i := range pieces + 1 {
		t := float64(i) / pieces
		u := 1 - t
		out = append(out, Point{u*u*u*a.X + 3*u*u*t*m.X + 3*u*t*t*n.X + t*t*t*b.X, u*u*u*a.Y + 3*u*u*t*m.Y + 3*u*t*t*n.Y + t*t*t*b.Y})
	}
	return out
}
