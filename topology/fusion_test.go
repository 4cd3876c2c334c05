package topology_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/topology"
)

const stories = 300

type radio struct{ net, node int }

// A judge holds a map against a story.
type judge struct {
	*story
	m     *topology.Map
	byExt map[diag.ExtAddr]radio // all addresses that a radio ever had
	names map[string]radio       // border agents and Matter nodes
	is    map[*topology.Node]radio
	out   []string
	told  int // parents that somebody told
	known int // parents beside these
}

func newJudge(s *story, m *topology.Map) *judge {
	j := &judge{story: s, m: m, byExt: map[diag.ExtAddr]radio{}, names: map[string]radio{}, is: map[*topology.Node]radio{}}
	for k, h := range s.nets {
		for _, w := range h.states {
			for i, n := range w.nodes {
				j.byExt[n.ext] = radio{k, i}
			}
		}
		for i := range h.Start.Nodes {
			n := &h.Start.Nodes[i]
			if n.BorderAgentID != "" {
				j.names[n.BorderAgentID] = radio{k, i}
			}
			for _, id := range n.Matter {
				j.names[fmt.Sprint(id)] = radio{k, i}
			}
		}
	}
	return j
}

func (j *judge) say(format string, args ...any) { j.out = append(j.out, fmt.Sprintf(format, args...)) }

// judge holds all that the map says against the truth.
func (j *judge) judge() []string {
	j.identities()
	for _, n := range j.m.Nodes {
		if r, ok := j.is[n]; ok {
			j.node(n, r)
		}
	}
	for _, l := range j.m.Links {
		j.link(l)
	}
	for k, h := range j.nets {
		for i, w := range h.states[h.at(j.now)].nodes {
			if w.attached && !w.router {
				j.parent(k, i, w)
			}
		}
	}
	return j.out
}

// identities finds which radio each node of the map is: all its names must be of
// one, and a name of a radio must stand on one node only.
func (j *judge) identities() {
	owner := map[string]*topology.Node{}
	for _, n := range j.m.Nodes {
		var all []radio
		add := func(r radio, ok bool) {
			if ok && !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
		r, ok := j.byExt[n.ExtAddr]
		add(r, ok)
		names := []string{}
		if n.BorderAgentID != "" {
			names = append(names, n.BorderAgentID)
		}
		for _, id := range n.Matter {
			names = append(names, fmt.Sprint(id))
		}
		for _, name := range names {
			r, ok := j.names[name]
			add(r, ok)
			if o := owner[name]; o != nil {
				j.say("%s and %s are one device: both have %s", o.ID, n.ID, name)
			}
			owner[name] = n
		}
		if len(all) > 1 {
			j.say("%s is made of several radios: %v", n.ID, all)
		}
		if len(all) == 1 {
			j.is[n] = all[0]
		}
		if len(all) == 0 && n.ExtAddr != 0 {
			j.say("%s is nobody", n.ID)
		}
	}
	for _, id := range j.wifi {
		n := owner[fmt.Sprint(id)]
		if n == nil || n.Transport != diag.TransportWiFi || n.Network != nil || n.Parent != nil {
			j.say("Wi-Fi device %v is %+v", id, n)
		}
	}
}

// ever reports whether something was so at some time of the story.
func (j *judge) ever(k int, so func(*moment) bool) bool {
	h := j.nets[k]
	for x := range h.states {
		if h.states[x].from <= j.now && so(&h.states[x]) {
			return true
		}
	}
	return false
}

func (j *judge) node(n *topology.Node, r radio) {
	h := j.nets[r.net]
	now := h.states[h.at(j.now)].nodes[r.node]
	if n.Network != nil && n.Network.ExtPANID != h.Start.ExtPANID {
		j.say("%s is in network %s, want %s", n.ID, n.Network.ID, h.Start.ExtPANID)
	}
	if v, known := n.RLOC16.Get(); known && !j.ever(r.net, func(w *moment) bool { return w.nodes[r.node].attached && w.nodes[r.node].rloc16 == v }) {
		j.say("%s has RLOC16 %v, which it never had", n.ID, n.RLOC16)
	}
	if n.Role.Routes() && !j.ever(r.net, func(w *moment) bool { return w.nodes[r.node].router }) {
		j.say("%s is a %s, which it never was", n.ID, n.Role)
	}
	// Of a part of a split mesh that nobody asked nothing but old rows may be left.
	if n.State == topology.NodeGhost && now.attached && now.ext == n.ExtAddr && j.mentioned(r, n.ExtAddr) {
		j.say("%s is up, yet a ghost: %s %+v", n.ID, n.Why, n.Evidence)
	}
	// Gone for longer than any stack keeps a router.
	patience := 10*time.Minute + h.Start.Nodes[r.node].Timeout
	gone := !j.ever(r.net, func(w *moment) bool {
		return w.nodes[r.node].attached && (w.from > j.earlier-patience || w.from == h.states[h.at(j.earlier-patience)].from)
	})
	if gone && n.State == topology.NodeOK && j.earlier > patience {
		j.say("%s is gone for long, yet %s: %s %+v", n.ID, n.State, n.Why, n.Evidence)
	}
	// A radio that nothing joins with its former address stands there twice.
	if n.ExtAddr == now.ext && j.spoke(r) && (n.RLOC16 != diag.MakeRLOC16(now.rloc16) || n.Role.Routes() != now.router) {
		j.say("%s is a %s under %v, want router %v under %04x, as it said itself%s", n.ID, n.Role, n.RLOC16, now.router, now.rloc16, conflicts(n))
	}
}

// spoke reports whether the radio itself told live of its present place.
func (j *judge) spoke(r radio) bool {
	for x, f := range j.facts {
		if f.net == r.net && f.node == r.node && f.live && !f.nameless && j.reports[x].RLOC16.Known() && j.nets[r.net].steady(r.node, f.seen, j.now) {
			return true
		}
	}
	return false
}

// mentioned reports whether a live table has the radio where it is.
func (j *judge) mentioned(r radio, x diag.ExtAddr) bool {
	for k, f := range j.facts {
		p := &j.reports[k]
		lists := func(w diag.Neighbor) bool { return w.ExtAddr == x }
		if f.net == r.net && f.live && j.nets[r.net].steady(r.node, f.seen, j.now) && (slices.ContainsFunc(p.Children, lists) || slices.ContainsFunc(p.Neighbors, lists)) {
			return true
		}
	}
	return false
}

// parent holds the parent of the child i of net k, which is w now.
func (j *judge) parent(k, i int, w whereabouts) {
	byNode, byParent := j.story.told(k, i)
	for n, r := range j.is {
		if r != (radio{k, i}) || n.ExtAddr != w.ext {
			continue
		}
		is := func(x *moment) bool {
			p := x.nodes[i].parent
			if p < 0 || n.Parent == nil {
				return false
			}
			if q, ok := j.is[n.Parent]; ok {
				return q == radio{k, p}
			}
			return n.Parent.ExtAddr == 0 && n.Parent.RLOC16 == diag.MakeRLOC16(x.nodes[p].rloc16)
		}
		h := j.nets[k]
		switch {
		case byNode || byParent:
			j.told++
			if n.Parent == nil {
				j.say("%s: no parent, want %s (told by child %v, by parent %v)%s", n.ID, w.parentExt, byNode, byParent, conflicts(n))
			} else if !is(&h.states[h.at(j.now)]) {
				j.say("%s: parent is %s (%s), want %s (told by child %v, by parent %v)%s", n.ID, n.Parent.ID, n.ParentConfidence, w.parentExt, byNode, byParent, conflicts(n))
			}
		case n.Parent != nil:
			j.known++
			if !j.ever(k, is) {
				j.say("%s: parent is %s (%s), which it never was%s", n.ID, n.Parent.ID, n.ParentConfidence, conflicts(n))
			}
		}
	}
}

func conflicts(n *topology.Node) string {
	out := ""
	for _, c := range n.Conflicts {
		out += "\n\t" + c.About
		for _, x := range c.Claims {
			out += fmt.Sprintf("\n\t\t%s: %s %s by %s at %s cached %v", x.Value, x.Evidence.Source, x.Evidence.Field, x.Evidence.By, x.Evidence.At.Sub(at), x.Evidence.Cached)
		}
	}
	return out
}

// link: a link that is said to live was one, and one that both ends reported
// after it was dead for long is not said to live.
func (j *judge) link(l *topology.Link) {
	a, okA := j.is[l.A]
	b, okB := j.is[l.B]
	if !okA || !okB || l.State == topology.LinkStale || l.State == topology.LinkDead || l.Confidence == topology.Inferred {
		return
	}
	if a.net != b.net || !j.ever(a.net, func(w *moment) bool { return w.links[[2]int{a.node, b.node}] }) {
		j.say("link %s - %s (%s, %s) never was: %+v", l.A.ID, l.B.ID, l.Kind, l.State, l.Evidence)
		return
	}
	h := j.nets[a.net]
	last := time.Duration(-1) // when it was last up
	for x := range h.states {
		if w := &h.states[x]; w.from <= j.now && w.links[[2]int{a.node, b.node}] {
			if last = j.now; x+1 < len(h.states) {
				last = h.states[x+1].from
			}
		}
	}
	if l.State == topology.LinkOK && l.Kind == topology.LinkRouter && last+190*time.Second < j.earlier && j.spoke(a) && j.spoke(b) &&
		l.A.ExtAddr == j.where(a.net, a.node, j.now).ext && l.B.ExtAddr == j.where(b.net, b.node, j.now).ext {
		j.say("link %s - %s is ok, but was cut %s ago: %+v", l.A.ID, l.B.ID, j.now-last, l.Evidence)
	}
}

// TestFusionOfManySources: hundreds of homes in time, each told by up to six
// sources that saw it at different moments and in part. What somebody honest told
// of the present is what the map says; what nobody told is unknown, or was so when
// it was last told.
func TestFusionOfManySources(t *testing.T) {
	told, known := 0, 0
	for seed := range uint64(stories) {
		s := tell(seed)
		j := newJudge(s, topology.Build(s.reports))
		fail(t, fmt.Sprintf("story %d", seed), j.judge())
		told, known = told+j.told, known+j.known
	}
	t.Logf("%d parents told and right, %d more of older word", told, known)
	if told < 500 || known < 50 {
		t.Errorf("%d parents were told and %d are of older word: the stories do not test them", told, known)
	}
}

// TestFusionIgnoresOrder: shuffled and repeated, the reports of a story give the
// same map.
func TestFusionIgnoresOrder(t *testing.T) {
	for seed := range uint64(stories / 4) {
		s := tell(seed)
		want := topology.Build(s.reports)
		r := rand.New(rand.NewPCG(seed, 7))
		for range 3 {
			all := append(slices.Clone(s.reports), s.reports[:r.IntN(len(s.reports)+1)]...)
			r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			if !reflect.DeepEqual(topology.Build(all), want) {
				t.Fatalf("story %d: another order gave another map", seed)
			}
		}
	}
}

// TestFusionOfFewerReports: whatever part of the reports is there, what the map
// says was so.
func TestFusionOfFewerReports(t *testing.T) {
	for seed := range uint64(stories / 4) {
		s := tell(seed)
		for keep := len(s.reports) * 2 / 3; keep > 0; keep = keep * 2 / 3 {
			part := *s
			part.reports, part.facts = nil, nil
			for _, x := range s.rng.Perm(len(s.reports))[:keep] {
				part.add(s.reports[x], s.facts[x])
			}
			j := newJudge(&part, topology.Build(part.reports))
			j.wifi = nil
			fail(t, fmt.Sprintf("story %d, %d of %d reports", seed, keep, len(s.reports)), j.judge())
		}
	}
}
