package tmf

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
)

// known is what a plan is made from in the scene.
func (s *scene) known() diag.Known {
	s.t.Helper()
	e, err := Endpoint(agentAddr.String(), s.m.ExtPANID, false)
	if err != nil {
		s.t.Fatal(err)
	}
	return diag.Known{Endpoints: []diag.Endpoint{e}}
}

// TestRoutersAsksOnlyThem: each router asked costs one request, one query where
// it has children, and the acknowledgements of its answer; nobody else hears
// anything.
func TestRoutersAsksOnlyThem(t *testing.T) {
	for name, m := range map[string]*mesh.Mesh{"office": office(), "lab": mesh.Lab(0)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := m.View()
				var asked []diag.ExtAddr
				s := stage(t, m, borderagent.Options{Lose: func(d borderagent.Datagram) bool {
					if !d.Up && !slices.Contains(asked, d.Node) {
						asked = append(asked, d.Node)
					}
					return false
				}})
				var routers []diag.RLOC16
				var want []diag.ExtAddr
				children := 0
				for i := range m.Nodes {
					if n := &m.Nodes[i]; n.IsRouter() && n.Partition == 0 && len(routers) < 3 {
						routers = append(routers, diag.MakeRLOC16(n.RLOC16()))
						want = append(want, n.ExtAddr)
						if len(v.Children(i)) > 0 {
							children++
						}
					}
				}
				ask := s.source.Routers(s.known())
				reports, problems := ask(t.Context(), routers)
				if len(problems) > 0 {
					t.Fatalf("problems: %v", problems)
				}
				r := s.record
				if r.Questions.Multicast != 0 || r.Questions.Unicast != len(routers)+children || r.Questions.Again != 0 {
					t.Errorf("asked %+v, want %d requests and %d queries", r.Questions, len(routers), children)
				}
				// An answer to a query is acknowledged message by message, of 800 octets
				// each; a far node's first answer gets lost.
				if most := 2*len(routers) + 2*children + children*512/15; r.Traffic.Sent > most || r.Traffic.Multicasts != 0 || r.Traffic.Repeated > len(routers) {
					t.Errorf("traffic %+v, want at most %d messages", r.Traffic, most)
				}
				slices.Sort(asked)
				slices.Sort(want)
				if !slices.Equal(asked, want) {
					t.Errorf("messages went to %v, want %v", asked, want)
				}
				netdata := 0
				for i, x := range want {
					rows := map[diag.ExtAddr]diag.Neighbor{}
					told := false
					for _, r := range reports {
						if ownOf(&r) != x {
							continue
						}
						told = told || r.Children != nil
						for _, c := range r.Children {
							if c.ConnectedFor.Known() {
								rows[c.ExtAddr] = c
							}
						}
						if r.Network.NetworkData != nil {
							netdata++
						}
					}
					truth := v.Children(v.Find(x))
					if !told || len(rows) != len(truth) {
						t.Fatalf("router %v (%d): %d children told, want %d", x, i, len(rows), len(truth))
					}
					for _, c := range truth {
						if got := rows[c.ExtAddr]; got.Age.Or(-1) != c.Age.Truncate(time.Second) || got.LinkMargin != diag.Some(c.Heard.Margin) {
							t.Errorf("child %v: %+v, want age %v margin %d", c.ExtAddr, got, c.Age, c.Heard.Margin)
						}
					}
				}
				if netdata == 0 {
					t.Error("no Network Data")
				}
				if busy, held := s.agent.Commissioner(); held {
					t.Errorf("the role is still held by %q", busy)
				}
				// The leader, where no router is named.
				reports, problems = ask(t.Context(), nil)
				if len(problems) > 0 || len(reports) == 0 || s.record.Questions.Unicast > 2 || reports[0].Routes == nil {
					t.Errorf("the leader: %d reports, problems %v, asked %+v", len(reports), problems, s.record.Questions)
				}
				// A child is not asked.
				before := s.record
				if reports, problems = ask(t.Context(), []diag.RLOC16{diag.RouterRLOC16(0).Child(1)}); reports != nil || problems != nil || fmt.Sprint(before) != fmt.Sprint(s.record) {
					t.Errorf("a child was asked: %v %v", reports, problems)
				}
			})
		})
	}
}

func ownOf(r *diag.Report) diag.ExtAddr {
	if len(r.Own) == 0 {
		return 0
	}
	return r.Own[0].ExtAddr
}

// TestRoutersSilent: a router that does not answer is named, asked twice, and
// the others are asked nevertheless.
func TestRoutersSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(0)
		var routers []diag.RLOC16
		var silent *mesh.Node
		for i := range m.Nodes {
			if n := &m.Nodes[i]; n.IsRouter() && n.Partition == 0 && n.ExtAddr != border(m) {
				routers = append(routers, diag.MakeRLOC16(n.RLOC16()))
				if silent == nil && n.RouterID != m.Partitions[0].Leader {
					silent = n
				}
			}
		}
		m.Faults = append(m.Faults, mesh.Fault{Kind: mesh.FaultSilent, Node: silent.ExtAddr})
		s := stage(t, m, borderagent.Options{})
		reports, problems := s.source.Routers(s.known())(t.Context(), routers)
		want := fmt.Sprintf("router %v did not answer", diag.MakeRLOC16(silent.RLOC16()))
		if len(problems) != 1 || problems[0].Text != want {
			t.Errorf("problems %v, want %q", problems, want)
		}
		if s.record.Questions.Silent != 1 || s.record.Questions.Again != 1 {
			t.Errorf("%+v", s.record.Questions)
		}
		answered := map[diag.RLOC16]bool{}
		for _, r := range reports {
			answered[r.RLOC16] = true
		}
		for _, r := range routers {
			if !answered[r] && r != diag.MakeRLOC16(silent.RLOC16()) {
				t.Errorf("%v was not asked", r)
			}
		}
	})
}

// TestRoutersStopped: a watch that ends in the middle gives the role back and
// keeps what came.
func TestRoutersStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stage(t, office(), borderagent.Options{})
		var routers []diag.RLOC16
		for id := range uint8(32) {
			routers = append(routers, diag.RouterRLOC16(id))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begun := time.Now()
		_, problems := s.source.Routers(s.known())(ctx, routers)
		if took := time.Since(begun); took > 6*time.Second {
			t.Errorf("took %v", took)
		}
		if len(problems) == 0 || !strings.Contains(problems[0].Text, "the time was over") && !strings.Contains(problems[0].Text, "stopped") {
			t.Errorf("problems %v", problems)
		}
		if busy, held := s.agent.Commissioner(); held {
			t.Errorf("the role is still held by %q", busy)
		}
	})
}
