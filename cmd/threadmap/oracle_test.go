package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/diag/dnssd"
	"threadmap/diag/otbr"
	"threadmap/simulators/mesh"
	"threadmap/simulators/world"
	"threadmap/topology"
)

// scanOf scans a simulated home as the demo does: what it announces, its border
// routers' REST, or both.
func scanOf(t *testing.T, home *mesh.Home, announced, asked bool) *diag.Scan {
	t.Helper()
	w := startWorld(t, home, world.Options{})
	j := job{limit: time.Minute, plan: planned(nil, nil)}
	if asked {
		var endpoints []diag.Endpoint
		for _, url := range w.OTBRs() {
			endpoints = append(endpoints, diag.Endpoint{Source: otbr.Name, URL: url})
		}
		j.plan = planned(sources(nil), endpoints)
	}
	if announced {
		r, err := parseResponder(w.MDNS().String())
		if err != nil {
			t.Fatal(err)
		}
		j.lan = &lan{ask: []responder{r}, explicit: true, settle: demoSettle}
	}
	a := &app{err: io.Discard, getenv: func(string) string { return "" }}
	scan, services := a.collect(context.Background(), j)
	if len(home.Networks[0].Faults) == 0 && !scan.Complete || announced == (services == nil) {
		t.Fatalf("complete %v, %d services, %v", scan.Complete, len(services), scan.Problems)
	}
	return scan
}

// TestScanEqualsTheModel: what a home announces and what its border routers
// tell are one map, and that is the home, node by node and link by link.
func TestScanEqualsTheModel(t *testing.T) {
	t.Parallel()
	home := mesh.HomeOf50(demoSeed)
	m := topology.Build(scanOf(t, home, true, true).Reports)
	byID := map[string]*topology.Node{}
	for _, n := range m.Nodes {
		byID[n.ID] = n
	}
	link := map[[2]*topology.Node]*topology.Link{}
	for _, l := range m.Links {
		link[[2]*topology.Node{l.A, l.B}], link[[2]*topology.Node{l.B, l.A}] = l, l
	}
	faceless, links := 0, 0
	for _, net := range home.Networks {
		v := net.Truth()
		got := make([]*topology.Node, len(net.Nodes))
		for i := range net.Nodes {
			want := &net.Nodes[i]
			n := byID[want.ExtAddr.String()]
			if n == nil {
				t.Errorf("%s is missing", want.Name)
				continue
			}
			got[i] = n
			if n.Network == nil || n.Network.ExtPANID != net.ExtPANID || !slices.Contains(n.Hosts, fmt.Sprintf("%016X", uint64(want.ExtAddr))) && len(want.Matter) > 0 {
				t.Errorf("%s: network %v, hosts %v", want.Name, n.Network, n.Hosts)
			}
			if want.BorderRouter && (n.BorderAgentID != want.BorderAgentID || n.Name == "" || n.Product != want.Model) {
				t.Errorf("%s: border agent %s, name %q, product %q", want.Name, n.BorderAgentID, n.Name, n.Product)
			}
			if !n.RLOC16.Known() && want.ChildID != 0 {
				// The oldest REST names children by their short address only; which of
				// the announced devices that is, nothing tells.
				faceless++
				if got[i] = child(m, net, want); got[i] == nil || n.Parent != nil || n.Why != "announced, not asked" {
					t.Errorf("%s: child %v, parent %v, %q", want.Name, got[i], n.Parent, n.Why)
				}
			}
		}
		for i, n := range got {
			if n == nil {
				continue
			}
			if n.RLOC16 != diag.MakeRLOC16(net.Nodes[i].RLOC16()) || n.Role != net.Role(i) && !(net.Role(i) == diag.RoleREED && n.Role == diag.RoleEndDevice) {
				t.Errorf("%s: %s %s, want %04x %s", net.Nodes[i].Name, n.RLOC16, n.Role, net.Nodes[i].RLOC16(), net.Role(i))
			}
			if p := v.Parent(i); p >= 0 && n.Parent != got[p] || p < 0 && n.Parent != nil {
				t.Errorf("%s: parent is %v", net.Nodes[i].Name, n.Parent)
			}
		}
		links += len(net.Links)
		for _, l := range net.Links {
			x := link[[2]*topology.Node{got[l.A], got[l.B]}]
			if x == nil {
				t.Errorf("no link %s - %s", net.Nodes[l.A].Name, net.Nodes[l.B].Name)
				continue
			}
			ab, ba := x.AToB, x.BToA
			if x.A != got[l.A] {
				ab, ba = ba, ab
			}
			if ab.LQ.Or(l.AToB.LQ) != l.AToB.LQ || ba.LQ.Or(l.BToA.LQ) != l.BToA.LQ {
				t.Errorf("link %s - %s: %v %v, want %d %d", net.Nodes[l.A].Name, net.Nodes[l.B].Name, ab.LQ, ba.LQ, l.AToB.LQ, l.BToA.LQ)
			}
		}
	}
	if len(m.Networks) != 3 || len(m.Nodes) != home.Nodes()+faceless || len(m.Links) != links {
		t.Errorf("%d networks, %d nodes, %d links; want 3, %d and %d more, %d", len(m.Networks), len(m.Nodes), len(m.Links), home.Nodes(), faceless, links)
	}
	if faceless != 5 {
		t.Errorf("%d children without an address, want the 5 of the oldest border router", faceless)
	}
}

// child is the node that is known by the short address of want only.
func child(m *topology.Map, net *mesh.Mesh, want *mesh.Node) *topology.Node {
	for _, n := range m.Nodes {
		if n.ExtAddr == 0 && n.Network != nil && n.Network.ExtPANID == net.ExtPANID && n.RLOC16 == diag.MakeRLOC16(want.RLOC16()) {
			return n
		}
	}
	return nil
}

// TestAnnouncementsHideNothing: a registration is no sign of life, so whatever
// is wrong in the mesh stays wrong on the map when the LAN is listened to.
func TestAnnouncementsHideNothing(t *testing.T) {
	t.Parallel()
	home := mesh.TroubledHome(demoSeed)
	without, with := topology.Build(scanOf(t, home, false, true).Reports), topology.Build(scanOf(t, home, true, true).Reports)
	now := map[string]*topology.Node{}
	for _, n := range with.Nodes {
		now[n.ID] = n
	}
	silent := 0
	for _, n := range without.Nodes {
		if n.State != topology.NodeOK {
			silent++
		}
		if o := now[n.ID]; o == nil || o.State != n.State || o.Role != n.Role || (o.Parent == nil) != (n.Parent == nil) {
			t.Errorf("%s was %s %s, with announcements it is %+v", n.ID, n.State, n.Role, o)
		}
	}
	if silent < 2 || len(without.Links) != len(with.Links) {
		t.Errorf("%d nodes are not ok, %d and %d links", silent, len(without.Links), len(with.Links))
	}
}

// TestAnnouncedOnly: without any login the networks, the border routers and who
// is in which network are known, and nothing else is said.
func TestAnnouncedOnly(t *testing.T) {
	t.Parallel()
	home := mesh.HomeOf50(demoSeed)
	scan := scanOf(t, home, true, false)
	m := topology.Build(scan.Reports)
	if len(m.Networks) != 3 || len(m.Nodes) != home.Nodes() || len(m.Links) != 0 {
		t.Fatalf("%d networks, %d nodes, %d links", len(m.Networks), len(m.Nodes), len(m.Links))
	}
	for _, net := range home.Networks {
		for i := range net.Nodes {
			want := &net.Nodes[i]
			k := slices.IndexFunc(m.Nodes, func(n *topology.Node) bool { return n.ExtAddr == want.ExtAddr })
			if k < 0 || m.Nodes[k].Network == nil || m.Nodes[k].Network.ExtPANID != net.ExtPANID || m.Nodes[k].Parent != nil ||
				m.Nodes[k].BorderRouter.Or(false) != want.BorderRouter || m.Nodes[k].RLOC16.Known() {
				t.Errorf("%s: %+v", want.Name, m.Nodes[k])
			}
		}
	}
	if s := scan.Sources; len(s) != 1 || s[0].Name != dnssd.Name || s[0].State != diag.StateAnswered {
		t.Errorf("sources %+v", s)
	}
}
