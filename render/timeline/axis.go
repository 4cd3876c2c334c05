package timeline

import (
	"slices"
	"time"

	"threadmap/diag/icd"
)

// An axis turns times into places, in tenths of a pixel. Most of what matters
// happens within seconds and is then waited on for an hour, so times in which
// nothing happens are cut out where they are long, and the cuts are shown.
//
// What is awaited is often hours away: it stands behind, one time after the other,
// not to scale.
type axis struct {
	from, to int // the room that it has
	parts    []part
	future   []icd.Seconds
	x0, x1   int // the room of the future
}

// A part is a stretch of time without a cut.
type part struct {
	t0, t1 icd.Seconds
	x0, x1 int
}

const (
	cutWidth = 520 // of a cut: room for its length in words
	padding  = 140 // before the first and behind the last time of a part
	maxCuts  = 5
	aside    = 22                            // percent of the room, for the future
	shortest = icd.Seconds(20 * time.Second) // no gap below it is cut out
)

// newAxis makes room for all times until now, of which there is at least one, and
// for those that come later.
func newAxis(times []icd.Seconds, now icd.Seconds, from, to int) *axis {
	times = slices.Clone(times)
	slices.Sort(times)
	times = slices.Compact(times)
	a := &axis{from: from, to: to}
	i := slices.IndexFunc(times, func(t icd.Seconds) bool { return t > now })
	if i > 0 {
		a.future, times = times[i:], times[:i]
		a.x0, a.x1 = to-(to-from)*aside/100, to
		to = a.x0
	}
	cut := cuts(times)
	start, linear := times[0], icd.Seconds(0)
	for i := 1; i <= len(times); i++ {
		if i == len(times) || cut[i] {
			a.parts = append(a.parts, part{t0: start, t1: times[i-1]})
			linear += times[i-1] - start
			if i < len(times) {
				start = times[i]
			}
		}
	}
	room := to - from - (len(a.parts)-1)*cutWidth - len(a.parts)*2*padding
	x := from
	for i := range a.parts {
		p := &a.parts[i]
		p.x0 = x + padding
		w := room / len(a.parts)
		if linear > 0 {
			w = scale(p.t1-p.t0, linear, room)
		}
		p.x1 = p.x0 + w
		x = p.x1 + padding + cutWidth
	}
	return a
}

// scale is room·part/whole, in milliseconds so that nothing overflows: times of
// a timeline are below 2^37 ms, room is below 2^20.
func scale(part, whole icd.Seconds, room int) int {
	ms := int64(max(time.Duration(whole).Milliseconds(), 1))
	return int(int64(room) * time.Duration(part).Milliseconds() / ms)
}

// cuts says before which times the axis is cut: where a gap is longer than all
// shorter ones together.
func cuts(times []icd.Seconds) map[int]bool {
	var gaps []int // the index of the time behind
	for i := 1; i < len(times); i++ {
		gaps = append(gaps, i)
	}
	length := func(i int) icd.Seconds { return times[i] - times[i-1] }
	slices.SortStableFunc(gaps, func(i, j int) int { return int(min(max(length(i)-length(j), -1), 1)) })
	sum := icd.Seconds(0)
	var out []int
	for _, i := range gaps {
		if length(i) > max(sum, shortest) {
			out = append(out, i)
		} else {
			sum += length(i)
		}
	}
	cut := map[int]bool{}
	for _, i := range out[max(0, len(out)-maxCuts):] {
		cut[i] = true
	}
	return cut
}

// at is the place of a time; one within a cut is in its middle.
func (a *axis) at(t icd.Seconds) int {
	for i, p := range a.parts {
		switch {
		case t < p.t0 && i == 0:
			return p.x0
		case t < p.t0:
			return (a.parts[i-1].x1 + p.x0) / 2
		case t <= p.t1:
			if p.t1 == p.t0 {
				return p.x0 + (p.x1-p.x0)/2
			}
			return p.x0 + scale(t-p.t0, p.t1-p.t0, p.x1-p.x0)
		}
	}
	end := a.parts[len(a.parts)-1]
	if len(a.future) == 0 {
		return end.x1
	}
	i, found := slices.BinarySearch(a.future, t)
	place := func(i int) int { return a.x0 + (a.x1-a.x0)*(2*i+1)/(2*len(a.future)) }
	switch {
	case found:
		return place(i)
	case i == 0:
		return (end.x1 + place(0)) / 2
	case i == len(a.future):
		return a.x1
	}
	return (place(i-1) + place(i)) / 2
}

// A tick is a labelled time.
type tick struct {
	x    int
	t    icd.Seconds
	text string
}

// steps are the distances of ticks, in seconds.
var steps = []int64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800, 2592000}

// ticks are clock times at even distances, as many as there is room for.
func (a *axis) ticks(start time.Time, apart int) []tick {
	var out []tick
	last := -1 << 30
	add := func(t icd.Seconds, clock time.Time) {
		if x := a.at(t); x-last >= apart && x >= a.from && x+apart/2 <= a.to+apart/2 {
			out = append(out, tick{x, t, clock.Format(time.TimeOnly)})
			last = x
		}
	}
	for _, p := range a.parts {
		span := int64(time.Duration(p.t1-p.t0) / time.Second)
		room := int64((p.x1 - p.x0) / apart)
		if span == 0 || room == 0 {
			add(p.t0, start.Add(time.Duration(p.t0)))
			continue
		}
		step := steps[len(steps)-1]
		for _, s := range steps {
			if span/s <= room {
				step = s
				break
			}
		}
		before := len(out)
		first := start.Add(time.Duration(p.t0))
		midnight := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, first.Location())
		k := int64(first.Sub(midnight)/time.Second) / step
		for range 2 * (room + 2) {
			at := midnight.Add(time.Duration(k*step) * time.Second)
			t := icd.Seconds(at.Sub(start))
			if k++; t < p.t0 {
				continue
			}
			if t > p.t1 {
				break
			}
			add(t, at)
		}
		if len(out) == before {
			add(p.t0, first)
		}
	}
	for _, t := range a.future {
		add(t, start.Add(time.Duration(t)))
	}
	return out
}
