package icd

import (
	"cmp"
	"slices"
)

// A Cause is one known reason why a device does not come back.
type Cause struct {
	ID    string // R… as collected from public threads, N… and H… found since
	Title string // in a few plain words
	About string // one line for somebody who never heard of it
	Party Party  // whose it is
	Link  Link   // the first link that it breaks

	examine func(*exam)
}

// Causes are all that are known, those of one link in the order in which they
// are met in homes. Among causes of equal confidence this order is the rank.
var Causes = []*Cause{
	causeN6, causeR17, causeR20, causeR8,
	causeH1, causeR7, causeR19,
	causeR9, causeR10,
	causeN4, causeN10,
	causeR1, causeR3, causeR2, causeN3, causeR11, causeR12, causeR15, causeR13,
	causeN5, causeR4, causeR6, causeN1, causeR14, causeN7,
	causeN2, causeN8, causeN9,
}

// CauseByID finds a cause, nil where there is none of that name.
func CauseByID(id string) *Cause {
	for _, c := range Causes {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// An exam is what a cause looks at, and where it says what it thinks.
type exam struct {
	*view
	h   *history
	c   *chain
	bad trace // the last word that it does not work; its o is nil where nobody said so

	proofs, signs, fits, counter []string
	out                          string // why it can't be
	vague                        bool   // what fits it fits most others as well
	partial                      bool   // the link holds for some, and this is why not for all
}

// proof is an observation of the mechanism itself: it excludes other
// explanations of the same link.
func (x *exam) proof(why string) { x.proofs = append(x.proofs, why) }

// sign is an observation that this cause brings about and most others do not.
func (x *exam) sign(why string) { x.signs = append(x.signs, why) }

// fit is a circumstance that the cause needs, and that proves nothing.
func (x *exam) fit(why string) { x.fits = append(x.fits, why) }

// against is an observation that the cause does not explain.
func (x *exam) against(why string) { x.counter = append(x.counter, why) }

// exclude rules the cause out.
func (x *exam) exclude(why string) {
	if x.out == "" {
		x.out = why
	}
}

// confidence follows the rules of [Confidence]; 0: nothing speaks for it.
func (x *exam) confidence() Confidence {
	switch {
	case len(x.proofs)+len(x.signs)+len(x.fits) == 0:
		return 0
	case len(x.counter) > 0:
		return Low
	case len(x.proofs) > 0:
		return High
	case len(x.signs) > 0:
		return Medium
	}
	return Low
}

// recently is how long before a complaint a link may have been seen to hold and
// still be taken to hold.
const recently = 10 * minute

type opinion struct {
	cause *Cause
	*exam
	conf   Confidence
	filler bool // nothing speaks for it but that nothing speaks against it
}

// weight ranks opinions of one confidence: what has a sign of its own stands
// before what only looks the same, and that before what is merely possible.
func (o *opinion) weight() int {
	switch {
	case len(o.proofs)+len(o.signs) > 0:
		return 2
	case o.filler, o.vague, len(o.counter) > 0:
		return 0
	}
	return 1
}

// causes weighs all causes. first is the first broken link, 0 for none.
func (v *view) causes(h *history, c *chain, first Link) (found []CauseFound, excluded []Exclusion) {
	bad, unhappy := h.complaint()
	if first == 0 && !unhappy {
		return nil, nil // nobody says that anything is wrong
	}
	if !unhappy {
		bad = trace{at: never}
	}
	ops := make([]*opinion, 0, len(Causes))
	for _, cause := range Causes {
		x := &exam{view: v, h: h, c: c, bad: bad}
		cause.examine(x)
		if x.out == "" && !x.partial && c.state(cause.Link) == Seen && len(x.proofs) == 0 && c.at(cause.Link) >= bad.at-recently {
			x.exclude(cause.Link.String() + " holds: " + c.because(cause.Link))
		}
		if x.out == "" && first != 0 && len(x.proofs) == 0 && cause.Link > first && first < L7 {
			// What comes later in the chain can't be seen before this one is mended.
			if len(x.signs) == 0 {
				continue
			}
			x.against(first.String() + " is broken, which this does not explain")
		}
		if x.out == "" && cause.Link < first && first >= L10 && len(x.proofs) == 0 {
			x.exclude("values still arrive: " + c.because(L9))
		}
		ops = append(ops, &opinion{cause: cause, exam: x, conf: x.confidence()})
	}
	if !slices.ContainsFunc(ops, func(o *opinion) bool { return o.out == "" && o.conf >= Medium }) {
		// There is no sign of anything: whatever is not ruled out is possible.
		for _, o := range ops {
			if o.conf == 0 && o.out == "" && len(o.counter) == 0 && (first == 0 || o.cause.Link <= first || first >= L7 && o.cause.Link >= L7) {
				o.fit("nothing that was observed rules it out")
				o.conf, o.filler = Low, true
			}
		}
	}
	v.excludeByProof(ops)
	v.lookAlikes(ops, h)

	slices.SortStableFunc(ops, func(a, b *opinion) int {
		return cmp.Or(cmp.Compare(b.conf, a.conf), cmp.Compare(b.weight(), a.weight()), cmp.Compare(b2i(b.cause.Link == first), b2i(a.cause.Link == first)))
	})
	for _, o := range ops {
		switch {
		case o.out != "":
			excluded = append(excluded, Exclusion{o.cause.ID, o.out})
		case o.conf > 0:
			supports := slices.Concat(o.proofs, o.signs, o.fits)
			found = append(found, CauseFound{ID: o.cause.ID, Confidence: o.conf, For: some(clipList(supports)), Against: some(clipList(o.counter)), signs: len(o.proofs) + len(o.signs)})
		}
	}
	slices.SortStableFunc(excluded, func(a, b Exclusion) int { return cmp.Compare(a.ID, b.ID) })
	return found, excluded
}

func clipList(l []string) []string { return l[:min(len(l), maxBecause)] }

// excludeByProof rules out what has no sign of its own where another cause was
// seen at work.
func (v *view) excludeByProof(ops []*opinion) {
	for _, p := range ops {
		if p.conf != High || p.out != "" {
			continue
		}
		for _, o := range ops {
			if o != p && o.out == "" && o.conf > 0 && len(o.signs)+len(o.proofs) == 0 {
				o.exclude(p.cause.ID + " was seen at work: " + p.proofs[0])
			}
		}
	}
}

// A group of causes that look the same from outside, until something tells them apart.
type group struct {
	ids  []string
	when func(*view, *history) bool
}

var groups = []group{
	{ids: []string{"R1", "N5"}, when: func(v *view, _ *history) bool {
		is, known := v.hubIsBorderRouter()
		return (is || !known) && (v.sub.kind == darwinController || v.sub.kind == anyController)
	}},
	{ids: []string{"R4", "N5"}, when: func(v *view, _ *history) bool { return v.sub.kind == darwinController || v.sub.kind == anyController }},
	{ids: []string{"R11", "R12", "N1"}},
	{ids: []string{"R6", "R4"}},
	{ids: []string{"R3", "R1"}},
	{ids: []string{"R1", "R13"}, when: func(v *view, _ *history) bool { return v.mayBeBusy() }},
	{ids: []string{"R1", "N10"}, when: func(v *view, h *history) bool { return v.quietRouter(h) != "" }},
}

// lookAlikes gives causes that can't be told apart the same confidence: that of
// the best of them that has no proof. Groups that share a member are not joined:
// R1 and R4 differ by the start of the device.
func (v *view) lookAlikes(ops []*opinion, h *history) {
	byID := map[string]*opinion{}
	for _, o := range ops {
		byID[o.cause.ID] = o
	}
	before := map[string]Confidence{}
	for id, o := range byID {
		before[id] = o.conf
	}
	for _, g := range groups {
		if g.when != nil && !g.when(v, h) {
			continue
		}
		best := Confidence(0)
		for _, id := range g.ids {
			if o := byID[id]; o != nil && o.out == "" {
				best = max(best, min(before[id], Medium))
				if before[id] == High {
					best = 0 // told apart
					break
				}
			}
		}
		for _, id := range g.ids {
			o := byID[id]
			if o == nil || o.out != "" || best == 0 || len(o.counter) > 0 || o.conf >= best {
				continue
			}
			o.conf, o.filler = best, false
			o.fits = append(o.fits, "looks the same from outside as "+other(g.ids, id))
		}
	}
}

func other(ids []string, id string) string {
	s := ""
	for _, i := range ids {
		if i != id {
			if s != "" {
				s += " and "
			}
			s += i
		}
	}
	return s
}

// because is a reason with the line that it rests on.
func because(o *Observation, why string) string {
	if o == nil {
		return why
	}
	return why + ": " + o.String()
}
