package topology_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// A story is a home in time, told by several sources that saw it at different
// moments, in part, and each in its own form.
type story struct {
	seed    uint64
	rng     *rand.Rand
	now     time.Duration // the moment of the newest source, which is the time at
	nets    []*history
	reports []diag.Report
	facts   []fact // of reports, in their order
	wifi    []diag.MatterID
	earlier time.Duration // the moment of the oldest live source
}

// A fact says of a report what it was made of.
type fact struct {
	net, node int           // whose; node -1: no radio
	seen      time.Duration // the moment of the view
	live      bool
	nameless  bool // it does not say whose it is, but for the RLOC16
}

// A history is a mesh in time with what the oracle needs of it.
type history struct {
	*mesh.History
	views  map[time.Duration]*mesh.View
	states []moment
}

// A moment is where everybody is from a time on, by index of the history.
type moment struct {
	from  time.Duration
	nodes []whereabouts
	links map[[2]int]bool
}

type whereabouts struct {
	ext       diag.ExtAddr
	attached  bool
	rloc16    uint16
	partition uint32
	parent    int // -1: none
	parentExt diag.ExtAddr
	router    bool
}

func (h *history) view(t time.Duration) *mesh.View {
	if h.views[t] == nil {
		h.views[t] = h.View(t)
	}
	return h.views[t]
}

// at is the index of what is so at t.
func (h *history) at(t time.Duration) int {
	k := len(h.states) - 1
	for k > 0 && h.states[k].from > t {
		k--
	}
	return k
}

func newHistory(h *mesh.History, end time.Duration) *history {
	out := &history{History: h, views: map[time.Duration]*mesh.View{}}
	ext := make([]diag.ExtAddr, len(h.Start.Nodes))
	for i := range ext {
		ext[i] = h.Start.Nodes[i].ExtAddr
	}
	record := func(t time.Duration, events []mesh.Event) {
		m := (&mesh.History{Start: h.Start, Events: events}).Mesh(t)
		w := moment{from: t, nodes: make([]whereabouts, len(ext)), links: map[[2]int]bool{}}
		index := make([]int, len(m.Nodes)) // of the mesh to that of the history
		for i := range ext {
			w.nodes[i] = whereabouts{ext: ext[i], parent: -1}
			if k := m.Find(ext[i]); k >= 0 {
				n := &m.Nodes[k]
				index[k] = i
				w.nodes[i] = whereabouts{ext: ext[i], attached: true, rloc16: n.RLOC16(), partition: m.Partitions[n.Partition].ID, parent: -1, router: n.IsRouter()}
			}
		}
		for _, l := range m.Links {
			a, b := index[l.A], index[l.B]
			w.links[[2]int{a, b}], w.links[[2]int{b, a}] = true, true
			for _, e := range [][2]int{{a, b}, {b, a}} {
				if !w.nodes[e[0]].router {
					w.nodes[e[0]].parent, w.nodes[e[0]].parentExt = e[1], w.nodes[e[1]].ext
				}
			}
		}
		out.states = append(out.states, w)
	}
	record(0, nil)
	for k, e := range h.Events {
		if e.At > end {
			break
		}
		if e.Kind == mesh.EventReaddress {
			ext[e.Node] = e.ExtAddr
		}
		record(e.At, h.Events[:k+1])
	}
	return out
}

// steady reports whether node i is and was at the same place from t to end.
func (h *history) steady(i int, t, end time.Duration) bool {
	for k := h.at(t); k < h.at(end); k++ {
		if h.states[k].nodes[i] != h.states[k+1].nodes[i] {
			return false
		}
	}
	return true
}

func (s *story) chance(percent int) bool { return s.rng.IntN(100) < percent }

func (s *story) ago(lo, hi time.Duration) time.Duration {
	return max(0, s.now-lo-time.Duration(s.rng.Int64N(int64(hi-lo)+1))).Truncate(time.Second)
}

const secondFabric = 0x8000000000000003

// tell makes the story of a seed.
func tell(seed uint64) *story {
	s := &story{seed: seed, rng: rand.New(rand.NewPCG(seed, 99))}
	const length = 40 * time.Minute
	s.now = time.Duration(15*60+s.rng.IntN(25*60)) * time.Second
	s.earlier = s.now
	for member := range 1 + int(seed%2) {
		h := mesh.RandomHistory(seed, member, length, 4+int(seed%20))
		for i := range h.Start.Nodes { // every other device is on two fabrics
			if n := &h.Start.Nodes[i]; len(n.Matter) > 0 && i%2 == 0 {
				n.Matter = append(n.Matter, diag.MatterID{Fabric: secondFabric, Node: n.Matter[0].Node + 1000})
			}
		}
		s.nets = append(s.nets, newHistory(h, s.now))
	}
	for k := range s.nets {
		s.live(k, "tmf", s.now, 75, mesh.ReportOptions{})
		s.live(k, "otbr", s.ago(20*time.Second, 150*time.Second), 40, mesh.ReportOptions{ChildTableOnly: s.chance(33), NoNeighbors: s.chance(30)})
		s.matter(k)
		s.cache(k)
		s.announced(k)
		s.registry(k)
	}
	for k := range 2 {
		id := diag.MatterID{Fabric: secondFabric, Node: uint64(9000 + k)}
		s.wifi = append(s.wifi, id)
		s.add(diag.Report{Source: "matter-server", Via: "server", At: at, Cached: true, Matter: []diag.MatterID{id}, Transport: diag.TransportWiFi, Available: diag.Some(true)}, fact{net: -1, node: -1})
		s.add(diag.Report{Source: "mdns", Via: "LAN", At: at, Hosts: []string{fmt.Sprintf("0a1b2c3d4e%02x", k)}, Matter: []diag.MatterID{id}}, fact{net: -1, node: -1})
	}
	return s
}

func (s *story) add(r diag.Report, f fact) {
	s.reports, s.facts = append(s.reports, r), append(s.facts, f)
	if f.live {
		s.earlier = min(s.earlier, f.seen)
	}
}

// addAll adds reports about net k that were made of the view at t.
func (s *story) addAll(k int, t time.Duration, live bool, reports []diag.Report) {
	h := s.nets[k]
	who := map[diag.ExtAddr]int{}
	for i, n := range h.states[h.at(t)].nodes {
		who[n.ext] = i
	}
	matter := map[diag.MatterID]int{}
	for i := range h.Start.Nodes {
		for _, id := range h.Start.Nodes[i].Matter {
			matter[id] = i
		}
	}
	for _, r := range reports {
		i := -1
		if len(r.Own) > 0 {
			i = who[r.Own[0].ExtAddr]
		} else if len(r.Matter) > 0 {
			i = matter[r.Matter[0]]
		}
		s.add(r, fact{net: k, node: i, seen: t, live: live})
	}
}

func (s *story) stamp(t time.Duration) time.Time { return at.Add(t - s.now) }

// reached tells which nodes a router in the mesh can ask at t.
func (s *story) reached(k int, t time.Duration) (skip func(*mesh.Node) bool, asker diag.ExtAddr) {
	v := s.nets[k].view(t)
	m := v.Mesh()
	var routers []int
	for i := range m.Nodes {
		if m.Nodes[i].IsRouter() {
			routers = append(routers, i)
		}
	}
	if len(routers) == 0 {
		return nil, 0
	}
	from := routers[s.rng.IntN(len(routers))]
	hidden := map[diag.ExtAddr]bool{}
	percent := s.rng.IntN(60)
	for i := range m.Nodes {
		hidden[m.Nodes[i].ExtAddr] = !v.Reaches(from, i) || s.chance(percent)
	}
	return func(n *mesh.Node) bool { return hidden[n.ExtAddr] }, m.Nodes[from].ExtAddr
}

// live is a source that asks the stacks through one of the routers.
func (s *story) live(k int, source string, t time.Duration, percent int, o mesh.ReportOptions) {
	for range 2 { // two askers may be in two partitions
		if !s.chance(percent) {
			continue
		}
		skip, asker := s.reached(k, t)
		if skip == nil {
			return
		}
		o.Source, o.Via, o.Session, o.At = source, source+" "+asker.String(), source+" "+asker.String(), s.stamp(t)
		o.Skip, o.RoutersOnly = skip, s.chance(30)
		reports := s.nets[k].view(t).Reports(o)
		s.addAll(k, t, true, reports)
		if s.chance(10) { // an asker that only knows whom it asked
			for x := len(s.reports) - len(reports); x < len(s.reports); x++ {
				r := &s.reports[x]
				r.Own, r.EUI64, r.BorderAgentID, r.Addresses = nil, 0, "", nil
				s.facts[x].nameless = true
			}
		}
	}
}

func (s *story) matter(k int) {
	t := s.ago(0, 40*time.Second)
	skip, _ := s.reached(k, t)
	if skip == nil || !s.chance(60) {
		return
	}
	asleep := s.chance(50)
	s.addAll(k, t, true, s.nets[k].view(t).MatterReports(mesh.MatterOptions{
		ReportOptions: mesh.ReportOptions{Source: "matter", Via: "fabric", At: s.stamp(t), Skip: func(n *mesh.Node) bool { return skip(n) || asleep && n.Sleepy() }},
		Old:           func(n *mesh.Node) bool { return n.ThreadVersion < 5 },
	}))
}

// cache is a Matter server that read each node when it last subscribed.
func (s *story) cache(k int) {
	if !s.chance(60) {
		return
	}
	t := s.ago(5*time.Minute, 40*time.Minute)
	h := s.nets[k]
	lately := &h.states[h.at(max(0, s.now-5*time.Minute))]
	up := map[diag.ExtAddr]bool{}
	for i, n := range h.states[h.at(t)].nodes {
		up[n.ext] = lately.nodes[i].attached
	}
	o := mesh.MatterOptions{
		ReportOptions: mesh.ReportOptions{Source: "matter-server", Via: "server", At: s.stamp(t), Skip: func(*mesh.Node) bool { return s.chance(15) }},
		Cached:        true, Reaches: func(n *mesh.Node) bool { return up[n.ExtAddr] }, Old: func(n *mesh.Node) bool { return n.ThreadVersion < 5 },
	}
	if s.chance(50) {
		o.At = at // the server does not say when it read them
	}
	if s.chance(50) {
		o.Session = "server " + h.Start.ExtPANID.String() + " kept"
	}
	reports := h.view(t).MatterReports(o)
	for i := range reports {
		if ids := reports[i].Matter; len(ids) > 1 { // its own fabric
			reports[i].Matter = ids[1:]
		}
	}
	s.addAll(k, t, false, reports)
}

func (s *story) announced(k int) {
	t := s.ago(0, 5*time.Minute)
	if s.chance(70) {
		s.addAll(k, t, false, s.nets[k].view(t).Announcements(mesh.ReportOptions{At: s.stamp(t), Skip: func(n *mesh.Node) bool { return !n.BorderRouter }}, nil))
	}
	was := s.ago(0, 40*time.Minute) // registrations outlive their nodes
	if s.chance(60) {
		s.addAll(k, was, false, s.nets[k].view(was).Announcements(mesh.ReportOptions{At: at, Skip: func(n *mesh.Node) bool { return n.BorderRouter }}, nil))
	}
}

func (s *story) registry(k int) {
	if s.chance(60) {
		s.addAll(k, s.now, false, s.nets[k].Start.Registry(mesh.ReportOptions{At: at}))
	}
}

// told reports whether an honest source told, of what is so now, who the parent of
// node i of net k is: the node itself or its parent, lately and live.
func (s *story) told(k, i int) (byNode, byParent bool) {
	h := s.nets[k]
	c := h.states[h.at(s.now)].nodes[i]
	for x := range s.facts {
		f, r := &s.facts[x], &s.reports[x]
		if f.net != k || !f.live {
			continue
		}
		switch {
		case f.node == i && !f.nameless && h.steady(i, f.seen, s.now) && (r.RLOC16.Known() || namesParent(h, i, r)):
			byNode = true
		case f.node == c.parent && h.steady(i, f.seen, s.now) && h.steady(c.parent, f.seen, s.now) &&
			slices.ContainsFunc(r.Children, func(w diag.Neighbor) bool { return w.ExtAddr == c.ext }):
			byParent = true
		}
	}
	return byNode, byParent
}

// namesParent reports whether a child that does not give its RLOC16 tells its parent
// by its tables: a minimal device has one neighbor, a full one goes over its parent
// wherever it goes.
func namesParent(h *history, i int, r *diag.Report) bool {
	if !h.Start.Nodes[i].Mode.FullThreadDevice {
		return len(r.Neighbors) == 1
	}
	return slices.ContainsFunc(r.Routes, func(w diag.Route) bool { return w.NextHop.Or(63) <= diag.MaxRouterID })
}
