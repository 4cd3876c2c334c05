package areas

import (
	"hash/fnv"
	"maps"
	"slices"

	"threadmap/render/layout"
)

// Tints is how many tints there are.
const Tints = 6

// beside is how near areas may be before they need tints of their own.
const beside = 16 * px

// paint gives each room a tint, the same in all panels, and rooms side by side
// different ones. Of those that are free it takes the one that the fewest other rooms
// of the same panels have, and of these the same as in other pictures.
func paint(plans []*plan) map[string]int {
	next := map[string]map[string]bool{} // room -> rooms beside it
	with := map[string]map[string]bool{} // room -> rooms in the same panel
	meet := func(a, b string) {
		next[a][b], next[b][a] = true, true
	}
	type shape struct {
		room   string
		points []layout.Point
		box    layout.Rect
	}
	for _, p := range plans {
		var all []shape
		for i := range p.blocks {
			b := &p.blocks[i]
			if next[b.room] == nil {
				next[b.room], with[b.room] = map[string]bool{}, map[string]bool{}
			}
			r := grow(b.outer, beside/2, beside/2)
			all = append(all, shape{b.room, corners(r), r})
		}
		for i := range p.necks {
			all = append(all, shape{p.necks[i].room, p.necks[i].outer, bounds(p.necks[i].outer)})
		}
		for i, a := range all {
			for _, b := range all[:i] {
				with[a.room][b.room], with[b.room][a.room] = true, true
				if a.room != b.room && !next[a.room][b.room] && a.box.Overlaps(b.box) && touches(a.points, b.points) {
					meet(a.room, b.room)
				}
			}
		}
	}
	tints := map[string]int{}
	left := slices.Sorted(maps.Keys(next))
	for len(left) > 0 {
		// The room with the least choice is next, then the one with most beside it.
		best, taken, choice := 0, [Tints]bool{}, Tints+1
		for i, room := range left {
			var t [Tints]bool
			free := Tints
			for o := range next[room] {
				if k, ok := tints[o]; ok && !t[k] {
					t[k] = true
					free--
				}
			}
			if free < choice || free == choice && len(next[room]) > len(next[left[best]]) {
				best, taken, choice = i, t, free
			}
		}
		room := left[best]
		left = slices.Delete(left, best, best+1)
		var used [Tints]int
		for o := range with[room] {
			if t, ok := tints[o]; ok {
				used[t]++
			}
		}
		h := fnv.New32a()
		h.Write([]byte(room))
		pick := -1
		for k := range Tints {
			if t := (int(h.Sum32()%Tints) + k) % Tints; !taken[t] && (pick < 0 || used[t] < used[pick]) {
				pick = t
			}
		}
		if pick >= 0 {
			tints[room] = pick
		}
	}
	return tints
}
