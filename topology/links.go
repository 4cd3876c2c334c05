package topology

import (
	"cmp"
	"slices"

	"threadmap/diag"
)

// A half is what one end of a link says of it: its best row of each kind.
type half struct {
	nb    *diag.Neighbor // of its child or neighbor table
	rt    *diag.Route
	nbRow int32 // as index of rows, -1 none
	rtRow int32
	fresh bool // one of the rows is of the newest epoch and not of a node that is out of reach
}

func (h *half) says() bool { return h.nb != nil || h.rt != nil }

// in is the quality of what this end receives.
func (h *half) in() diag.Opt[uint8] {
	if h.nb != nil && h.nb.LinkQualityIn.Known() {
		return h.nb.LinkQualityIn
	}
	if h.rt != nil {
		return h.rt.LinkQualityIn
	}
	return diag.Opt[uint8]{}
}

// out is the quality of what the other end receives, as it told this one.
func (h *half) out() diag.Opt[uint8] {
	if h.rt != nil {
		return h.rt.LinkQualityOut
	}
	return diag.Opt[uint8]{}
}

// makeLinks joins the rows of each pair of nodes to a link.
func (b *builder) makeLinks() {
	type pairRow struct {
		pair uint64 // both ends, the smaller index first
		row  int32
	}
	pairs := make([]pairRow, 0, len(b.rows))
	for x := range b.rows {
		if w := &b.rows[x]; b.linkRow(w) {
			pairs = append(pairs, pairRow{uint64(min(w.from, w.to))<<32 | uint64(max(w.from, w.to)), int32(x)})
		}
	}
	// Sorted by the smaller index with one pass, the few of each by comparing.
	starts := make([]int32, len(b.nodes)+1)
	for _, p := range pairs {
		starts[p.pair>>32+1]++
	}
	for k := range b.nodes {
		starts[k+1] += starts[k]
	}
	sorted := make([]pairRow, len(pairs))
	at := slices.Clone(starts)
	for _, p := range pairs {
		sorted[at[p.pair>>32]] = p
		at[p.pair>>32]++
	}
	pairs = sorted
	for k := range b.nodes {
		slices.SortFunc(pairs[starts[k]:starts[k+1]], func(x, y pairRow) int {
			if x.pair != y.pair {
				return cmp.Compare(x.pair, y.pair)
			}
			return cmp.Or(b.rows[x.row].rank.compare(b.rows[y.row].rank), cmp.Compare(x.row, y.row))
		})
	}
	drawn := make([]bool, len(b.nodes)) // child whose link to its parent is made
	b.links = make([]*Link, 0, len(pairs)/2)
	b.ends = make([][2]int32, 0, len(pairs)/2)
	var rows []int32
	for lo := 0; lo < len(pairs); {
		rows = rows[:0]
		hi := lo
		for ; hi < len(pairs) && pairs[hi].pair == pairs[lo].pair; hi++ {
			rows = append(rows, pairs[hi].row)
		}
		p, q := int32(pairs[lo].pair>>32), int32(uint32(pairs[lo].pair))
		b.makeLink(p, q, rows)
		for _, e := range [][2]int32{{p, q}, {q, p}} {
			if n := b.nodes[e[0]]; n.Parent != nil && n.parent == e[1] {
				drawn[e[0]] = true
			}
		}
		lo = hi
	}
	for k, n := range b.nodes { // parents known by address only
		if n.Parent != nil && !drawn[k] {
			b.makeLink(min(int32(k), n.parent), max(int32(k), n.parent), nil)
		}
	}
}

// linkRow reports whether a row tells of a mesh link. Only routers have links
// with each other; a child has one, to its parent. What a full child merely
// overhears is no link, nor is a route without one.
func (b *builder) linkRow(w *row) bool {
	from, to := b.nodes[w.from], b.nodes[w.to]
	if w.rt != nil && !linked(w.rt) {
		return false
	}
	if w.kind == childRow {
		return b.kindOf(w.to) != kindRouter // a router listed as a child was one once
	}
	if from.Parent == to.Node || to.Parent == from.Node {
		return true
	}
	if b.kindOf(w.from) == kindUnknown {
		// A lone neighbor of a node that says nothing else is its parent, or the
		// other one of two routers: unknown which, so no link.
		if r := b.reps[w.rep]; w.kind == neighborRow && len(r.Neighbors) == 1 && r.Children == nil && len(r.Routes) < 2 {
			return false
		}
	}
	return b.kindOf(w.from) != kindChild && b.kindOf(w.to) != kindChild
}

func (b *builder) makeLink(p, q int32, rows []int32) {
	var ends [2]half // what p says, what q says
	for i := range ends {
		ends[i].nbRow, ends[i].rtRow = -1, -1
	}
	l := &b.linkRoom.take(1)[:1][0]
	guess, live := true, 0 // whether all rows are guesses; how many are live
	l.Kind, l.Evidence = LinkRouter, b.proof.take(max(1, len(rows)))
	for _, x := range rows { // weakest first: better rows overwrite
		w := &b.rows[x]
		h := &ends[0]
		if w.from == q {
			h = &ends[1]
		}
		if w.nb != nil {
			if h.nb != nil && w.rank.sameClass(b.rows[h.nbRow].rank) {
				h.nb = fill(w.nb, h.nb)
			} else {
				h.nb = w.nb
			}
			h.nbRow = x
			if age, known := w.nb.Age.Get(); known {
				if have, k := l.Age.Get(); !k || age < have {
					l.Age = diag.Some(age)
				}
			}
		} else {
			h.rt, h.rtRow = w.rt, x
		}
		guess = guess && w.guess
		if w.rank.trust == trustLive {
			live++
		}
		h.fresh = h.fresh || !w.old && w.rank.trust > trustLost
		if w.kind == childRow {
			l.Kind = LinkChild
		}
		l.Evidence = append(l.Evidence, b.evidence(w.rep, w.kind.String()))
	}
	for i := range ends {
		// Of a table that the newer one of the other kind outranks, only the signal is
		// kept, where it is as good as it was.
		if h := &ends[i]; h.nb != nil && h.rt != nil && b.rankOf(b.rows[h.rtRow].rep).outranks(b.rankOf(b.rows[h.nbRow].rep)) {
			if h.nb.LinkQualityIn != h.rt.LinkQualityIn {
				h.nb = nil
			}
		}
	}
	a, z := b.nodes[p], b.nodes[q]
	parent := false // it is the link of a child to its present parent
	for _, e := range [][2]*node{{a, z}, {z, a}} {
		if e[0].Parent == e[1].Node {
			parent = true
			l.Kind = LinkChild
			l.Confidence = e[0].ParentConfidence
			if len(rows) == 0 {
				i := e[0].reports[len(e[0].reports)-1]
				l.Evidence = append(l.Evidence, b.evidence(i, "own RLOC16"))
			}
		}
	}
	if !parent {
		l.Confidence = OneSided
		if ends[0].says() && ends[1].says() {
			l.Confidence = Confirmed
		}
		if guess {
			l.Confidence = Inferred
		}
	}
	if l.Kind == LinkChild { // a child's word on what its parent receives is none
		for i, n := range []*node{a, z} {
			if n.Parent != nil && ends[i].rt != nil {
				rt := *ends[i].rt
				rt.LinkQualityOut = diag.Opt[uint8]{}
				ends[i].rt = &rt
			}
		}
	}
	l.A, l.B = a.Node, z.Node
	l.AToB, l.BToA = direction(&ends[1], &ends[0]), direction(&ends[0], &ends[1])
	l.State = linkState(l, &ends)
	apart := live == 0 && b.elsewhere(a.place, z.place) // no link goes from one partition to another
	if apart || l.Kind == LinkChild && !parent || a.ghost != "" || z.ghost != "" || a.outdated != "" || z.outdated != "" ||
		len(rows) > 0 && !ends[0].fresh && !ends[1].fresh {
		l.State = LinkStale
	}
	if a.ID > z.ID {
		l.A, l.B, l.AToB, l.BToA = l.B, l.A, l.BToA, l.AToB
	}
	slices.SortFunc(l.Evidence, compareEvidence)
	l.Evidence = slices.Compact(l.Evidence)
	b.links = append(b.links, l)
	b.ends = append(b.ends, [2]int32{p, q})
}

// fill is the better row with what only the worse one says of the link: one
// table has the quality, another the signal.
func fill(better, worse *diag.Neighbor) *diag.Neighbor {
	out := *worse
	setOpt(&out.LinkQualityIn, better.LinkQualityIn)
	setOpt(&out.AverageRSSI, better.AverageRSSI)
	setOpt(&out.LastRSSI, better.LastRSSI)
	setOpt(&out.LinkMargin, better.LinkMargin)
	setOpt(&out.FrameErrorRate, better.FrameErrorRate)
	setOpt(&out.MessageErrorRate, better.MessageErrorRate)
	return &out
}

// direction is what the receiving end hears of the sending one: its own word,
// else what the sender says that it was told.
func direction(receiver, sender *half) Direction {
	var d Direction
	d.LQ = receiver.in()
	if !d.LQ.Known() {
		if d.LQ = sender.out(); d.LQ.Known() {
			d.SecondHand = true
		}
	}
	if nb := receiver.nb; nb != nil {
		d.RSSI = nb.AverageRSSI
		if !d.RSSI.Known() {
			d.RSSI = nb.LastRSSI
		}
		d.Margin, d.FrameError, d.MessageError = nb.LinkMargin, nb.FrameErrorRate, nb.MessageErrorRate
	}
	if !d.LQ.Known() && d.Margin.Known() {
		// Thread 4.7.1 defines the quality by the margin; tables that give only
		// the margin (Child and Router Neighbor TLVs) give it no less.
		d.LQ = diag.Some(qualityOfMargin(d.Margin.Or(0)))
	}
	return d
}

// qualityOfMargin maps a link margin in dB to a link quality, without the 2 dB
// of hysteresis that the stack itself applies.
func qualityOfMargin(dB uint8) uint8 {
	switch {
	case dB > 20:
		return 3
	case dB > 10:
		return 2
	case dB > 2:
		return 1
	}
	return 0
}

func linkState(l *Link, ends *[2]half) LinkState {
	ab, abKnown := l.AToB.LQ.Get()
	ba, baKnown := l.BToA.LQ.Get()
	if l.Kind == LinkRouter {
		// A broken link shows for minutes as "I hear it well, it hears me not", at
		// both ends, because each has stopped hearing what the other says of it.
		deaf := func(h *half) bool {
			out, known := h.out().Get()
			return known && out == 0 && h.in().Or(0) > 0
		}
		switch {
		case deaf(&ends[0]) && deaf(&ends[1]):
			return LinkDying
		case deaf(&ends[0]) && !ends[1].says(), deaf(&ends[1]) && !ends[0].says():
			return LinkOneWay
		}
	}
	switch {
	case abKnown && baKnown && ab == 0 && ba == 0,
		abKnown && ab == 0 && !baKnown,
		baKnown && ba == 0 && !abKnown:
		return LinkDead
	case abKnown && ab == 0, baKnown && ba == 0:
		return LinkOneWay
	}
	return LinkOK
}

func compareEvidence(a, b Evidence) int {
	// One after the other: most are of one source and one time, and cmp.Or would
	// compare all before it looks.
	switch {
	case a.Source != b.Source:
		return cmp.Compare(a.Source, b.Source)
	case a.Via != b.Via:
		return cmp.Compare(a.Via, b.Via)
	case !a.At.Equal(b.At):
		return a.At.Compare(b.At)
	case a.By != b.By:
		return cmp.Compare(a.By, b.By)
	case a.Field != b.Field:
		return cmp.Compare(a.Field, b.Field)
	}
	return compareBool(a.Cached, b.Cached)
}
