package topology_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/topology"
)

// A lie changes a report of a story into one that says something false of which
// somebody honest, who spoke no earlier, says otherwise. It returns what was said,
// "" where the story has no room for this lie.
type lie func(s *story) string

var lies = map[string]lie{
	"own RLOC16":        lieOwnRLOC16,
	"child table":       lieChildTable,
	"own address":       lieOwnAddress,
	"neighbor's RLOC16": lieNeighbor,
	"cache":             lieCache,
	"role of an MTD":    lieRole,
}

// pick is one of the reports that fit, -1 for none.
func (s *story) pick(fits func(x int, f *fact, r *diag.Report) bool) int {
	var all []int
	for x := range s.reports {
		if s.facts[x].node >= 0 && fits(x, &s.facts[x], &s.reports[x]) {
			all = append(all, x)
		}
	}
	if len(all) == 0 {
		return -1
	}
	return all[s.rng.IntN(len(all))]
}

func (s *story) where(k, i int, t time.Duration) whereabouts {
	h := s.nets[k]
	return h.states[h.at(t)].nodes[i]
}

// childTable reports whether node i of net k told its whole child table live, at t
// or later and in the place where it is now, and whether child x stands in one.
func (s *story) childTable(k, i int, t time.Duration, x diag.ExtAddr) (full, listed bool) {
	for y, f := range s.facts {
		r := &s.reports[y]
		if f.net != k || f.node != i || !f.live || f.seen < t || r.Children == nil || !s.nets[k].steady(i, f.seen, s.now) {
			continue
		}
		full = full || !slices.ContainsFunc(r.Children, func(w diag.Neighbor) bool { return w.ExtAddr == 0 })
		listed = listed || slices.ContainsFunc(r.Children, func(w diag.Neighbor) bool { return w.ExtAddr == x })
	}
	return full, listed
}

// A child says that it is another router's, whose table does not have it.
func lieOwnRLOC16(s *story) string {
	other := func(f *fact, c *whereabouts) (rloc16 uint16, ok bool) {
		for q := range s.nets[f.net].Start.Nodes {
			w := s.where(f.net, q, s.now)
			if full, listed := s.childTable(f.net, q, f.seen, c.ext); w.router && q != c.parent && w.partition == c.partition && full && !listed {
				return w.rloc16, true
			}
		}
		return 0, false
	}
	x := s.pick(func(x int, f *fact, r *diag.Report) bool {
		c := s.where(f.net, f.node, s.now)
		if !f.live || f.nameless || !r.RLOC16.IsChild() || c.parent < 0 || !s.nets[f.net].steady(f.node, f.seen, s.now) {
			return false
		}
		_, listed := s.childTable(f.net, c.parent, f.seen, c.ext)
		_, ok := other(f, &c)
		return listed && ok
	})
	if x < 0 {
		return ""
	}
	r, f := &s.reports[x], &s.facts[x]
	f.live = false
	c := s.where(f.net, f.node, s.now)
	rloc16, _ := other(f, &c)
	r.RLOC16, r.Neighbors, r.Routes, r.Addresses = diag.MakeRLOC16(rloc16|0x1f0), nil, nil, nil
	return fmt.Sprintf("%s says that it is %v", r.Own[0].ExtAddr, r.RLOC16)
}

// A router lists a child that is another's, as both of them say.
func lieChildTable(s *story) string {
	victim := func(f *fact) (c whereabouts, ok bool) {
		for y, g := range s.facts {
			if g.net != f.net || g.node < 0 || !g.live || g.nameless || g.seen < f.seen || !s.reports[y].RLOC16.IsChild() {
				continue
			}
			w := s.where(g.net, g.node, s.now)
			if w.parent < 0 || w.parent == f.node || !s.nets[g.net].steady(g.node, f.seen, s.now) {
				continue
			}
			if _, listed := s.childTable(f.net, w.parent, f.seen, w.ext); listed {
				return w, true
			}
		}
		return c, false
	}
	x := s.pick(func(x int, f *fact, r *diag.Report) bool {
		_, ok := victim(f)
		return ok && f.live && !f.nameless && len(r.Children) > 0 && r.Children[0].ExtAddr != 0 && r.RLOC16.Known()
	})
	if x < 0 {
		return ""
	}
	r := &s.reports[x]
	c, _ := victim(&s.facts[x])
	rloc16, _ := r.RLOC16.Get()
	row := r.Children[0]
	row.ExtAddr, row.RLOC16, row.Age = c.ext, diag.MakeRLOC16(rloc16|0x1f1), diag.Some(time.Duration(s.rng.IntN(30))*time.Second)
	r.Children = append(slices.Clone(r.Children), row)
	return fmt.Sprintf("%s lists %s", r.Own[0].ExtAddr, c.ext)
}

// One witness of a node's own address gives another one: nobody's, or another
// node's. Two others are right.
func lieOwnAddress(s *story) string {
	x := s.pick(func(x int, f *fact, r *diag.Report) bool {
		honest := 0
		for _, c := range r.Own {
			if c.ExtAddr == s.where(f.net, f.node, f.seen).ext {
				honest++
			}
		}
		if slices.Contains(r.Addresses, s.where(f.net, f.node, f.seen).ext.LinkLocal()) {
			honest++
		}
		return f.live && !f.nameless && honest >= 2
	})
	if x < 0 {
		return ""
	}
	r := &s.reports[x]
	wrong := diag.ExtAddr(s.rng.Uint64() | 1)
	if y := s.pick(func(y int, f *fact, o *diag.Report) bool {
		return len(o.Own) > 0 && o.Own[0].ExtAddr != r.Own[0].ExtAddr
	}); y >= 0 && s.chance(70) {
		wrong = s.reports[y].Own[0].ExtAddr
	}
	w := []diag.Witness{diag.WitnessMeshCoP, diag.WitnessHost}[s.rng.IntN(2)]
	r.Own = append([]diag.AddrClaim{{ExtAddr: wrong, Witness: w}}, r.Own...)
	return fmt.Sprintf("%s of %s says %s", w, r.Own[1].ExtAddr, wrong)
}

// A router has the wrong RLOC16 for another one, which says its own.
func lieNeighbor(s *story) string {
	row := -1
	fits := func(f *fact, w *diag.Neighbor) bool {
		return slices.ContainsFunc(s.facts, func(g fact) bool {
			return g.net == f.net && g.node >= 0 && g.live && g.seen >= f.seen && s.where(g.net, g.node, g.seen).ext == w.ExtAddr && s.nets[g.net].steady(g.node, f.seen, s.now)
		})
	}
	x := s.pick(func(x int, f *fact, r *diag.Report) bool {
		return f.live && !f.nameless && r.RLOC16.IsRouter() && slices.ContainsFunc(r.Neighbors, func(w diag.Neighbor) bool { return fits(f, &w) })
	})
	if x < 0 {
		return ""
	}
	r := &s.reports[x]
	r.Neighbors = slices.Clone(r.Neighbors)
	for j := range r.Neighbors {
		if fits(&s.facts[x], &r.Neighbors[j]) {
			row = j
		}
	}
	w := &r.Neighbors[row]
	spoke := false // with its RLOC16, not with a table only
	for y, g := range s.facts {
		spoke = spoke || !g.nameless && g.net == s.facts[x].net && g.node >= 0 && g.live && g.seen >= s.facts[x].seen && s.reports[y].RLOC16.Known() && s.where(g.net, g.node, g.seen).ext == w.ExtAddr
	}
	if !spoke {
		return ""
	}
	w.RLOC16 = diag.MakeRLOC16(uint16(s.rng.IntN(63)) << 10)
	return fmt.Sprintf("%s has %s under %v", r.Own[0].ExtAddr, w.ExtAddr, w.RLOC16)
}

// A cache has another place for a child that itself or its parent told live.
func lieCache(s *story) string {
	x := s.pick(func(x int, f *fact, r *diag.Report) bool {
		if !r.Cached || !r.RLOC16.IsChild() || !s.where(f.net, f.node, s.now).attached {
			return false
		}
		byNode, byParent := s.told(f.net, f.node)
		return byNode || byParent
	})
	if x < 0 {
		return ""
	}
	r := &s.reports[x]
	r.RLOC16, r.Neighbors, r.Routes, r.Addresses = diag.MakeRLOC16(uint16(s.rng.IntN(63))<<10|uint16(1+s.rng.IntN(20))), nil, nil, nil
	return fmt.Sprintf("a cache has %s under %v", r.Own[0].ExtAddr, r.RLOC16)
}

// A cache has a minimal device as a router.
func lieRole(s *story) string {
	x := s.pick(func(x int, f *fact, r *diag.Report) bool {
		byNode, byParent := s.told(f.net, f.node)
		return r.Cached && r.Role.IsChild() && (byNode || byParent) && !s.nets[f.net].Start.Nodes[f.node].Mode.FullThreadDevice
	})
	if x < 0 {
		return ""
	}
	r := &s.reports[x]
	r.Role, r.RLOC16, r.Routes, r.Neighbors = diag.RoleRouter, diag.RLOC16{}, nil, nil
	return fmt.Sprintf("a cache has %s as a router", r.Own[0].ExtAddr)
}

// TestLiarsAreOutvoted: where somebody honest says otherwise, and no earlier, a
// liar changes nothing: not who is who, not who hangs where. A disagreement that
// the map had to decide is kept.
func TestLiarsAreOutvoted(t *testing.T) {
	said := map[string]int{}
	for seed := range uint64(stories / 2) {
		for name, tell1 := range lies {
			s := tell(seed)
			what := tell1(s)
			if what == "" {
				continue
			}
			said[name]++
			j := newJudge(s, topology.Build(s.reports))
			fail(t, fmt.Sprintf("story %d, where %s", seed, what), j.judge())
		}
	}
	t.Log(said)
	for name := range lies {
		if said[name] < 20 {
			t.Errorf("%s: %d lies were told: the stories do not test it", name, said[name])
		}
	}
}

// TestMinimalDeviceIsNeverARouter: in none of the stories, whoever says so.
func TestMinimalDeviceIsNeverARouter(t *testing.T) {
	for seed := range uint64(stories) {
		s := tell(seed)
		lieRole(s)
		m := topology.Build(s.reports)
		j := newJudge(s, m)
		j.identities()
		for _, n := range m.Nodes {
			r, ok := j.is[n]
			if ok && n.Role.Routes() && !s.nets[r.net].Start.Nodes[r.node].Mode.FullThreadDevice {
				if by, parent := s.told(r.net, r.node); by || parent {
					t.Errorf("story %d: %s is a %s", seed, n.ID, n.Role)
				}
			}
		}
	}
}
