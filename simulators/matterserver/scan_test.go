package matterserver_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	client "threadmap/diag/matterserver"
	"threadmap/simulators/matterserver"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// scan asks a simulated server as the product does, in virtual time.
func scan(t *testing.T, h http.Handler, sleepy bool) (reports []diag.Report, problems []diag.Problem) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		reports, problems = inside(t, h, sleepy)
	})
	return reports, problems
}

func inside(t *testing.T, h http.Handler, sleepy bool) ([]diag.Report, []diag.Problem) {
	s := client.Source{AskSleepy: sleepy, Dial: client.Through(&http.Client{Transport: &http.Transport{DialContext: matterserver.InProcess(h), DisableKeepAlives: true}}, nil)}
	return diag.Collect(t.Context(), diag.Plan([]diag.Source{s}, diag.Known{Endpoints: []diag.Endpoint{{Source: client.Name, URL: "ha.test"}}}), nil)
}

// differences compares a map with the home, for all its Matter nodes and those
// links that one of them can know.
func differences(h *mesh.Home, m *topology.Map) (out []string) {
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	byExt := map[diag.ExtAddr]*topology.Node{}
	for _, n := range m.Nodes {
		byExt[n.ExtAddr] = n
	}
	link := map[[2]*topology.Node]*topology.Link{}
	for _, l := range m.Links {
		link[[2]*topology.Node{l.A, l.B}], link[[2]*topology.Node{l.B, l.A}] = l, l
	}
	links := 0
	for _, net := range h.Networks {
		v := net.Truth()
		for i := range net.Nodes {
			want := &net.Nodes[i]
			n := byExt[want.ExtAddr]
			if len(want.Matter) == 0 {
				continue
			}
			if n == nil {
				say("%s is missing", want.Name)
				continue
			}
			if n.RLOC16 != diag.MakeRLOC16(want.RLOC16()) || n.Role != net.Role(i) || n.Network == nil || n.Network.ExtPANID != net.ExtPANID || !slices.Contains(n.Matter, want.Matter[0]) {
				say("%s: %s %s in %v as %v", want.Name, n.RLOC16, n.Role, n.Network, n.Matter)
			}
			if n.Name != want.Name || n.Vendor != want.Vendor || n.Firmware != want.Firmware || n.Battery.Or(0) != want.Battery || n.Transport != diag.TransportThread {
				say("%s: name %q, %s %s, battery %v, %s", want.Name, n.Name, n.Vendor, n.Firmware, n.Battery, n.Transport)
			}
			if n.State != topology.NodeOK {
				say("%s: %s %s", want.Name, n.State, n.Why)
			}
			if p := v.Parent(i); p >= 0 && n.Parent != byExt[net.Nodes[p].ExtAddr] || p < 0 && n.Parent != nil {
				say("%s: parent is %v", want.Name, n.Parent)
			}
		}
		for _, l := range net.Links {
			a, b := &net.Nodes[l.A], &net.Nodes[l.B]
			if len(a.Matter)+len(b.Matter) == 0 {
				continue // between two that the server has not
			}
			links++
			x := link[[2]*topology.Node{byExt[a.ExtAddr], byExt[b.ExtAddr]}]
			if x == nil {
				say("no link %s - %s", a.Name, b.Name)
				continue
			}
			ab, ba := x.AToB, x.BToA
			if x.A != byExt[a.ExtAddr] {
				ab, ba = ba, ab
			}
			for _, d := range []struct {
				got  topology.Direction
				want mesh.Direction
				ear  *mesh.Node
			}{{ab, l.AToB, b}, {ba, l.BToA, a}} {
				if lq, known := d.got.LQ.Get(); known && lq != d.want.LQ || !known && len(d.ear.Matter) > 0 {
					say("link %s - %s: quality at %s is %v, want %d", a.Name, b.Name, d.ear.Name, d.got.LQ, d.want.LQ)
				}
				if rssi, known := d.got.RSSI.Get(); known && rssi != d.want.RSSI || !known && len(d.ear.Matter) > 0 {
					say("link %s - %s: RSSI at %s is %v, want %d", a.Name, b.Name, d.ear.Name, d.got.RSSI, d.want.RSSI)
				}
			}
		}
	}
	if links != len(m.Links) {
		say("%d links, want %d", len(m.Links), links)
	}
	return out
}

// allMatter gives every node of a home a Matter id, border routers included.
func allMatter(h *mesh.Home) *mesh.Home {
	id := uint64(0)
	for _, m := range h.Networks {
		for i := range m.Nodes {
			id++
			m.Nodes[i].Matter = []diag.MatterID{{Fabric: 1<<63 + 5, Node: id}}
		}
	}
	return h
}

// TestScanEqualsTheModel: what the product learns of a simulated home through
// its Matter server is the home, whichever server, and whatever its nodes leave
// out.
func TestScanEqualsTheModel(t *testing.T) {
	old := func(n *mesh.Node) bool { return uint64(n.ExtAddr)%3 == 0 }
	for name, o := range map[string]matterserver.Options{
		"js":             {ReadTime: 120 * time.Millisecond},
		"python":         {Flavour: matterserver.Python, ReadTime: 120 * time.Millisecond},
		"schema 6":       {Flavour: matterserver.Python, Schema: 6},
		"old nodes":      {OldRevision: func(n *mesh.Node) bool { return !n.Sleepy() && old(n) }},
		"CHIP nodes":     {ParentRoute: true},
		"just started":   {Unloaded: func(n *mesh.Node) bool { return uint64(n.ExtAddr)%2 == 0 }},
		"other people's": {TestNodes: 2},
	} {
		for _, sleepy := range []bool{false, true} {
			h := mesh.HomeOf50(7)
			s, err := matterserver.New(h, o)
			if err != nil {
				t.Fatal(err)
			}
			reports, problems := scan(t, s, sleepy)
			for _, d := range differences(h, topology.Build(reports)) {
				t.Errorf("%s, sleepy %v: %s", name, sleepy, d)
			}
			for _, p := range problems {
				if p.Partial {
					t.Errorf("%s: %v", name, p)
				}
			}
		}
	}
}

// TestRandomHomes: router id 0, several partitions, equal RLOC16s in different
// networks.
func TestRandomHomes(t *testing.T) {
	for seed := range uint64(12) {
		h := allMatter(mesh.Random(seed, mesh.RandomOptions{}))
		s, err := matterserver.New(h, matterserver.Options{})
		if err != nil {
			t.Fatal(err)
		}
		reports, problems := scan(t, s, seed%2 == 0)
		diffs := differences(h, topology.Build(reports))
		if len(diffs) > 0 || len(problems) > 0 {
			t.Errorf("seed %d: %d differences, first %s; %v", seed, len(diffs), diffs[0], problems)
		}
	}
}

// TestStaleTables: what the server kept of a link that has changed since does
// not outlive what the nodes say now; a node that the server can't reach, or
// only believes to reach, is shown as such.
func TestStaleTables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := mesh.HomeOf50(7)
		s, err := matterserver.New(h, matterserver.Options{Unavailable: func(n *mesh.Node) bool { return n.Name == "Attic plug" }})
		if err != nil {
			t.Fatal(err)
		}
		now := mesh.HomeOf50(7)
		m := now.Networks[0]
		at := func(name string) int { return m.FindName(name) }
		gone := m.Nodes[at("Desk plug")].ExtAddr
		m.Faults = []mesh.Fault{{Kind: mesh.FaultSilent, Node: gone}}
		for i := range m.Links {
			l := &m.Links[i]
			if m.Nodes[l.A].IsRouter() && m.Nodes[l.B].IsRouter() && l.AToB.RSSI > -80 {
				l.AToB, l.BToA = mesh.Hear(l.AToB.RSSI-9), mesh.Hear(l.BToA.RSSI-9)
			}
		}
		s.SetHome(now)
		reports, problems := inside(t, s, false)
		built := topology.Build(reports)
		silent := 0
		for _, n := range built.Nodes {
			switch n.Name {
			case "Attic plug", "Desk plug":
				if n.State == topology.NodeOK {
					t.Errorf("%s is ok", n.Name)
				}
				silent++
			}
		}
		if silent != 2 || len(problems) != 1 {
			t.Errorf("%d, %v", silent, problems)
		}
		asleep := func(n *mesh.Node) bool {
			return n.Sleepy() || n.BorderRouter || n.Name == "Attic plug" || n.ExtAddr == gone
		}
		compared := 0
		for _, l := range m.Links {
			a, b := &m.Nodes[l.A], &m.Nodes[l.B]
			if asleep(a) || asleep(b) {
				continue
			}
			for _, x := range built.Links {
				if x.A.ExtAddr == b.ExtAddr && x.B.ExtAddr == a.ExtAddr {
					x.A, x.B, x.AToB, x.BToA = x.B, x.A, x.BToA, x.AToB
				}
				if x.A.ExtAddr == a.ExtAddr && x.B.ExtAddr == b.ExtAddr {
					compared++
					if x.AToB.RSSI != diag.Some(l.AToB.RSSI) || x.BToA.RSSI != diag.Some(l.BToA.RSSI) {
						t.Errorf("%s - %s: %v %v, want %d %d", a.Name, b.Name, x.AToB.RSSI, x.BToA.RSSI, l.AToB.RSSI, l.BToA.RSSI)
					}
				}
			}
		}
		if compared < 10 {
			t.Errorf("%d links compared", compared)
		}
	})
}
