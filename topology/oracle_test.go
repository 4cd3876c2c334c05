package topology_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// differences compares a map with the home it was made of, node by node and
// link by link, in what both know. complete also demands that nothing is missing.
func differences(h *mesh.Home, m *topology.Map, complete bool) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	index := newIndex(m)
	nodes, links := 0, 0
	for _, net := range h.Networks {
		v := net.Truth()
		nodes += len(net.Nodes)
		links += len(net.Links)
		got := make([]*topology.Node, len(net.Nodes))
		for i := range net.Nodes {
			want := &net.Nodes[i]
			got[i] = index.find(v, i)
			n := got[i]
			if n == nil {
				if complete {
					say("%s: node %s %04x is missing", net.Name, want.ExtAddr, want.RLOC16())
				}
				continue
			}
			if n.RLOC16 != diag.MakeRLOC16(want.RLOC16()) && (complete || n.RLOC16.Known()) {
				say("%s: RLOC16 is %v, want %04x", n.ID, n.RLOC16, want.RLOC16())
			}
			role := net.Role(i)
			if n.Role != role && (complete || n.Role.Routes() != role.Routes() && n.Role != diag.RoleUnknown) {
				if role != diag.RoleREED || n.Role != diag.RoleEndDevice { // a mode can't tell
					say("%s: role is %q, want %q", n.ID, n.Role, role)
				}
			}
			if n.Network == nil || n.Network.ExtPANID != 0 && n.Network.ExtPANID != net.ExtPANID {
				say("%s: network is %v, want %s", n.ID, n.Network, net.ExtPANID)
			}
		}
		for i := range net.Nodes {
			n, p := got[i], v.Parent(i)
			if n == nil {
				continue
			}
			switch {
			case n.Parent == nil && p >= 0:
				if complete {
					say("%s: no parent, want %s", n.ID, net.Nodes[p].ExtAddr)
				}
			case n.Parent != nil && (p < 0 || n.Parent != got[p]):
				say("%s: parent is %s, want node %d", n.ID, n.Parent.ID, p)
			}
		}
		for _, l := range net.Links {
			a, b := got[l.A], got[l.B]
			if a == nil || b == nil {
				continue
			}
			link, swap := index.link(a, b)
			if link == nil {
				if complete {
					say("link %s - %s is missing", a.ID, b.ID)
				}
				continue
			}
			ab, ba := link.AToB, link.BToA
			if swap {
				ab, ba = ba, ab
			}
			for _, d := range []struct {
				way  string
				got  topology.Direction
				want mesh.Direction
			}{{a.ID + " to " + b.ID, ab, l.AToB}, {b.ID + " to " + a.ID, ba, l.BToA}} {
				if lq, known := d.got.LQ.Get(); known && lq != d.want.LQ {
					say("%s: quality is %d, want %d", d.way, lq, d.want.LQ)
				}
				if rssi, known := d.got.RSSI.Get(); known && rssi != d.want.RSSI {
					say("%s: RSSI is %d, want %d", d.way, rssi, d.want.RSSI)
				}
			}
		}
	}
	if complete {
		if len(m.Nodes) != nodes {
			say("%d nodes, want %d", len(m.Nodes), nodes)
		}
		if len(m.Links) != links {
			say("%d links, want %d", len(m.Links), links)
		}
	} else {
		real := index.real(h)
		for _, l := range m.Links {
			if !real[[2]*topology.Node{l.A, l.B}] && l.State != topology.LinkStale && l.State != topology.LinkDead {
				say("link %s - %s does not exist", l.A.ID, l.B.ID)
			}
		}
	}
	return out
}

type index struct {
	byExt  map[diag.ExtAddr]*topology.Node
	byRLOC map[string]*topology.Node
	links  map[[2]*topology.Node]*topology.Link
}

func newIndex(m *topology.Map) *index {
	x := &index{map[diag.ExtAddr]*topology.Node{}, map[string]*topology.Node{}, map[[2]*topology.Node]*topology.Link{}}
	for _, n := range m.Nodes {
		if n.ExtAddr != 0 {
			x.byExt[n.ExtAddr] = n
		} else if n.Network != nil {
			x.byRLOC[fmt.Sprintln(n.Network.ID, n.Partition, n.RLOC16)] = n
		}
	}
	for _, l := range m.Links {
		x.links[[2]*topology.Node{l.A, l.B}] = l
	}
	return x
}

func (x *index) find(v *mesh.View, i int) *topology.Node {
	n := v.Node(i)
	if got := x.byExt[n.ExtAddr]; got != nil {
		return got
	}
	return x.byRLOC[fmt.Sprintln(v.Mesh().ExtPANID, v.Leader(i).ID, diag.MakeRLOC16(n.RLOC16()))]
}

func (x *index) link(a, b *topology.Node) (l *topology.Link, swapped bool) {
	if l = x.links[[2]*topology.Node{a, b}]; l != nil {
		return l, false
	}
	return x.links[[2]*topology.Node{b, a}], true
}

// real are the links of the home, in both orders of their ends.
func (x *index) real(h *mesh.Home) map[[2]*topology.Node]bool {
	out := map[[2]*topology.Node]bool{}
	for _, net := range h.Networks {
		v := net.Truth()
		for _, l := range net.Links {
			a, b := x.find(v, l.A), x.find(v, l.B)
			out[[2]*topology.Node{a, b}], out[[2]*topology.Node{b, a}] = true, true
		}
	}
	return out
}

func fail(t *testing.T, what string, diffs []string) {
	t.Helper()
	for i, d := range diffs {
		if i == 10 {
			t.Errorf("%s: … and %d more", what, len(diffs)-i)
			return
		}
		t.Errorf("%s: %s", what, d)
	}
}

func homes() map[string]*mesh.Home {
	out := map[string]*mesh.Home{
		"lab": {Networks: []*mesh.Mesh{mesh.Lab(20)}}, "home of 50": mesh.HomeOf50(1), "line": mesh.Line(12),
		"office": mesh.Office(3, 250), "campus": mesh.Campus(4),
	}
	for seed := range uint64(200) {
		out[fmt.Sprint("random ", seed)] = mesh.Random(seed, mesh.RandomOptions{})
	}
	return out
}

// TestBuildEqualsTheModel: told everything, in several forms, the map is the home.
func TestBuildEqualsTheModel(t *testing.T) {
	for name, h := range homes() {
		for form, o := range map[string]mesh.ReportOptions{
			"Route64":            {At: at},
			"RouteTable":         {At: at, RouteTable: true},
			"routers only":       {At: at, RoutersOnly: true},
			"child table only":   {At: at, RoutersOnly: true, ChildTableOnly: true},
			"without network":    {At: at, NoNetwork: true, Session: "one"},
			"without neighbors":  {At: at, NoNeighbors: true},
			"at an unknown time": {},
		} {
			if o.NoNetwork && len(h.Networks) > 1 {
				continue // one session is one mesh
			}
			fail(t, name+", "+form, differences(h, topology.Build(h.Reports(o)), true))
		}
	}
}

// TestBuildIgnoresOrder: shuffled and repeated reports give the same map.
func TestBuildIgnoresOrder(t *testing.T) {
	for seed := range uint64(60) {
		h := mesh.Random(seed, mesh.RandomOptions{Faults: 4})
		reports := h.Reports(mesh.ReportOptions{At: at})
		reports = append(reports, h.Reports(mesh.ReportOptions{At: at.Add(time.Minute), RouteTable: true, Source: "other"})...)
		want := topology.Build(reports)
		r := rand.New(rand.NewPCG(seed, 7))
		for range 5 {
			s := append(slices.Clone(reports), reports[:r.IntN(len(reports)+1)]...)
			r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
			if got := topology.Build(s); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: another order gave another map", seed)
			}
		}
	}
}

// TestBuildWithFewerReports: with nodes that say nothing, what the map still
// says is true.
func TestBuildWithFewerReports(t *testing.T) {
	for seed := range uint64(300) {
		h := mesh.Random(seed, mesh.RandomOptions{})
		r := rand.New(rand.NewPCG(seed, 1))
		reports := h.Reports(mesh.ReportOptions{At: at, RouteTable: seed%2 == 0, ChildTableOnly: seed%3 == 0})
		r.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		for keep := len(reports); keep > 0; keep = keep * 2 / 3 {
			fail(t, fmt.Sprintf("seed %d, %d of %d reports", seed, keep, len(reports)), differences(h, topology.Build(reports[:keep]), false))
		}
		if t.Failed() {
			return
		}
	}
}

// TestBuildWithFaults: tables that lie, forget and contradict each other cost
// certainty, not truth, as long as every child speaks for itself.
func TestBuildWithFaults(t *testing.T) {
	ghosts, stale := 0, 0
	for seed := range uint64(400) {
		h := mesh.Random(seed, mesh.RandomOptions{Faults: 6})
		m := topology.Build(h.Reports(mesh.ReportOptions{At: at, RouteTable: seed%2 == 0}))
		index := newIndex(m)
		for _, net := range h.Networks {
			v, seen := net.Truth(), net.View()
			for i := range net.Nodes {
				n := index.find(v, i)
				if n == nil {
					if seen.Answers(i) {
						t.Errorf("seed %d: node %s spoke and is missing", seed, net.Nodes[i].ExtAddr)
					}
					continue
				}
				p := v.Parent(i)
				if !seen.Answers(i) && net.Nodes[i].ChildID != 0 {
					continue // only tables speak of it, and they may be wrong
				}
				if n.Parent != nil && (p < 0 || n.Parent != index.find(v, p)) {
					t.Errorf("seed %d: %s: parent is %s, want node %d", seed, n.ID, n.Parent.ID, p)
				}
				if n.Role.Routes() != net.Role(i).Routes() {
					t.Errorf("seed %d: %s: role is %s, want %s", seed, n.ID, n.Role, net.Role(i))
				}
				if n.State == topology.NodeGhost {
					t.Errorf("seed %d: %s is real, yet a ghost: %s", seed, n.ID, n.Why)
				}
			}
			for _, f := range net.Faults {
				switch f.Kind {
				case mesh.FaultGhost:
					// A fresh row in a mesh of which less than half answered can't be told
					// from one of a router that was not asked.
					if n := index.byExt[f.Peer]; n != nil && n.State == topology.NodeOK && (f.Age > 150*time.Second || mostAnswer(seen, net)) {
						t.Errorf("seed %d: ghost %s is shown as ok", seed, f.Peer)
					} else if n != nil && n.State == topology.NodeGhost {
						ghosts++
					}
				case mesh.FaultStaleChild:
					n, old := index.byExt[f.Node], index.byExt[f.Peer]
					if n == nil || old == nil || n.Parent == old {
						continue
					}
					if l, _ := index.link(n, old); l != nil && l.State != topology.LinkStale {
						t.Errorf("seed %d: link %s - %s of a child that left is %s", seed, n.ID, old.ID, l.State)
					} else if l != nil {
						stale++
					}
				}
			}
		}
	}
	if ghosts < 20 || stale < 20 {
		t.Errorf("recognised %d ghosts and %d stale children: the homes do not test this", ghosts, stale)
	}
}

// mostAnswer reports whether so many routers answer that silence means something.
func mostAnswer(v *mesh.View, net *mesh.Mesh) bool {
	routers, answer := 0, 0
	for i := range net.Nodes {
		if net.Nodes[i].ChildID == 0 {
			routers++
			if v.Answers(i) {
				answer++
			}
		}
	}
	return 2*answer > routers+len(net.Faults)
}

// TestLinkStates: what the tables of a broken link look like.
func TestLinkStates(t *testing.T) {
	for _, tc := range []struct {
		kind mesh.FaultKind
		want topology.LinkState
	}{{mesh.FaultOneWay, topology.LinkOneWay}, {mesh.FaultDying, topology.LinkDying}, {mesh.FaultDead, topology.LinkDead}} {
		h := &mesh.Home{Networks: []*mesh.Mesh{mesh.Lab(0)}}
		net := h.Networks[0]
		a, b := net.Nodes[net.Links[0].A].ExtAddr, net.Nodes[net.Links[0].B].ExtAddr
		net.Faults = []mesh.Fault{{Kind: tc.kind, Node: a, Peer: b, Age: 2 * time.Minute}}
		for _, o := range []mesh.ReportOptions{{At: at}, {At: at, RouteTable: true}} {
			index := newIndex(topology.Build(h.Reports(o)))
			if l, _ := index.link(index.byExt[a], index.byExt[b]); l == nil || l.State != tc.want {
				t.Errorf("%s, RouteTable %v: link is %+v, want state %s", tc.kind, o.RouteTable, l, tc.want)
			}
		}
	}
}
