package doctor

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// A planted fault, and the rule that must find it. Before and after are changes
// of the home and of what its nodes told.
type planted struct {
	what   string
	rule   string
	before func(m *mesh.Mesh)
	after  func(s *sick)
}

var faults = append([]planted{
	{"nothing", "", nil, nil},

	{"two networks of one home", "separate-networks", nil, func(s *sick) {
		for i, name := range []string{"Kitchen hub", "Hall hub"} {
			s.word(name).Addresses = append(s.word(name).Addresses, netip.MustParseAddr(fmt.Sprintf("192.168.1.%d", 10+i)))
		}
		s.borderAnnounced(0x0a01, "a1", "nest", diag.Network{ExtPANID: 0xa, Name: "NEST-PAN"}, 0x1fb1, "192.168.1.20")
	}},
	{"a neighbor's network", "separate-networks", nil, func(s *sick) {
		s.borderAnnounced(0x0a01, "a1", "nest", diag.Network{ExtPANID: 0xa, Name: "NEST-PAN"}, 0x1fb1, "10.9.9.9")
	}},
	{"the network splits", "split-partition", func(m *mesh.Mesh) {
		m.Faults = []mesh.Fault{{Kind: mesh.FaultSplit, Node: nodeOf(m, "Attic plug").ExtAddr, Nodes: []diag.ExtAddr{nodeOf(m, "Garage outlet").ExtAddr, nodeOf(m, "Hall hub").ExtAddr}}}
	}, nil},
	{"the leader changes ten times a day", "leader-flapping", nil, func(s *sick) {
		for _, name := range []string{"Kitchen hub", "Desk plug", "Attic plug"} {
			s.word(name).Counters = map[diag.Counter]uint64{diag.PartitionIDChangeCount: 20, diag.TrackedMillis: 48 * 3600 * 1000}
		}
	}},
	{"border routers publish two prefixes", "several-prefixes", nil, func(s *sick) {
		s.word("Hall hub").Network.OMRPrefixes = []netip.Prefix{netip.MustParsePrefix("fd99:1:2:3::/64")}
	}},
	{"a device kept the address of yesterday's prefix", "unpublished-prefix", nil, func(s *sick) {
		s.word("Window sensor").Addresses = []netip.Addr{netip.MustParseAddr("fd77:1:2:3::5")}
	}},
	{"a device has an old address beside the right one", "unpublished-prefix", nil, func(s *sick) {
		r := s.word("Window sensor")
		r.Addresses = append(r.Addresses, netip.MustParseAddr("fd77:1:2:3::5"))
	}},
	{"Wi-Fi on the channel", "busy-channel", nil, func(s *sick) {
		for i, name := range []string{"Kitchen hub", "Desk plug"} {
			s.word(name).Counters = map[diag.Counter]uint64{diag.TxTotalCount: 50000, diag.TxErrCcaCount: uint64(9000 + 1000*i)}
		}
	}},
	{"an old router", "thread-versions", func(m *mesh.Mesh) { nodeOf(m, "Attic plug").ThreadVersion = 3 }, nil},
	{"another app is the commissioner", "commissioner-role", nil, func(s *sick) {
		s.scan = func(scan *diag.Scan) {
			scan.Problems = []diag.Problem{{Source: "thread", Target: "Kitchen hub (MyHome)", Stage: diag.StageAsk, Text: `another commissioner, "phone", has the commissioner role`}}
		}
	}},
	{"somebody adds a device", "commissioner-role", nil, func(s *sick) {
		s.scan = func(scan *diag.Scan) {
			scan.Problems = []diag.Problem{{Source: "thread", Target: "Kitchen hub (MyHome)", Stage: diag.StageAsk, Text: "somebody is adding a device to this network right now"}}
		}
	}},
	{"a commissioner stands in the network data", "commissioner-role", nil, func(s *sick) {
		s.word("Kitchen hub").Network.NetworkData = []byte{0x08, 0x0b, 0x09, 0x02, 0x68, 0x00, 0x0b, 0x02, 0x30, 0xc2, 0x08, 0x01, 0x00}
	}},
	{"border routers let nobody ask", "commissioner-role", nil, func(s *sick) {
		s.reports = nil
		s.borderAnnounced(addressOf(1), "a1", "kitchen", diag.Network{ExtPANID: home, Name: "MyHome"}, 0x1fb0)
		s.borderAnnounced(addressOf(2), "a2", "hall", diag.Network{ExtPANID: home, Name: "MyHome"}, 0x1db0)
	}},

	{"one border router", "one-border-router", func(m *mesh.Mesh) { nodeOf(m, "Hall hub").BorderRouter = false }, nil},
	{"a border router missed a change of the dataset", "border-router-settings", nil, func(s *sick) { s.word("Hall hub").Network.ActiveTimestamp = diag.Some[uint64](5 << 16) }},
	{"a border router is on another channel", "border-router-settings", nil, func(s *sick) { s.word("Hall hub").Network.Channel = diag.Some[uint8](11) }},
	{"a border router does not answer", "silent-border-router", func(m *mesh.Mesh) {
		m.Faults = []mesh.Fault{{Kind: mesh.FaultSilent, Node: nodeOf(m, "Hall hub").ExtAddr}}
	}, nil},
	{"a ghost in a table", "old-address", func(m *mesh.Mesh) {
		m.Faults = []mesh.Fault{{Kind: mesh.FaultGhost, Node: nodeOf(m, "Desk plug").ExtAddr, Peer: 0x86c42aee25485123, RouterID: 40, LQ: 1, Age: 4 * time.Minute}}
	}, nil},
	{"a border router with a new radio address", "old-address", nil, func(s *sick) {
		s.borderAnnounced(addressOf(1), s.node("Kitchen hub").BorderAgentID, "kitchen-hub", diag.Network{ExtPANID: home}, 0x1fb1)
		s.borderAnnounced(0x0e11_2233_4455_6677, "", "Kitchen-Hub", diag.Network{ExtPANID: home}, 0x1fb1)
	}},

	{"a lamp is switched off at the wall", "silent-router", func(m *mesh.Mesh) {
		m.Faults = []mesh.Fault{{Kind: mesh.FaultSilent, Node: nodeOf(m, "Landing lamp").ExtAddr}}
	}, nil},
	{"a router is cut off", "no-way-out", func(m *mesh.Mesh) { unlink(m, "Garage outlet") }, nil},
	{"routers hang on one router", "single-point-of-failure", func(m *mesh.Mesh) {
		unlink(m, "Garage outlet", "Desk plug", "Attic plug")
		unlink(m, "Attic plug", "Desk plug", "Garage outlet")
	}, nil},
	{"a router hangs on one link with the only border router", "single-point-of-failure", func(m *mesh.Mesh) {
		nodeOf(m, "Hall hub").BorderRouter = false
		nodeOf(m, "Hall hub").BorderAgentID = ""
		unlink(m, "Garage outlet", "Kitchen hub")
	}, nil},
	{"a router has one link, and no border router is known", "lonely-router", func(m *mesh.Mesh) {
		nodeOf(m, "Kitchen hub").BorderRouter, nodeOf(m, "Hall hub").BorderRouter = false, false
		nodeOf(m, "Kitchen hub").BorderAgentID, nodeOf(m, "Hall hub").BorderAgentID = "", ""
		unlink(m, "Garage outlet", "Kitchen hub")
	}, nil},
	{"a router in a far corner", "weak-router", func(m *mesh.Mesh) {
		for k := range m.Links {
			if l := &m.Links[k]; m.Nodes[l.A].IsRouter() && m.Nodes[l.B].IsRouter() && (m.Nodes[l.A].Name == "Attic plug" || m.Nodes[l.B].Name == "Attic plug") {
				hearing(l, -91)
			}
		}
	}, nil},
	{"a link works one way", "one-way-link", func(m *mesh.Mesh) {
		m.Faults = []mesh.Fault{{Kind: mesh.FaultOneWay, Node: nodeOf(m, "Desk plug").ExtAddr, Peer: nodeOf(m, "Attic plug").ExtAddr}}
	}, nil},
	{"a link has just broken", "dying-link", func(m *mesh.Mesh) {
		m.Faults = []mesh.Fault{{Kind: mesh.FaultDying, Node: nodeOf(m, "Desk plug").ExtAddr, Peer: nodeOf(m, "Attic plug").ExtAddr}}
	}, nil},
	{"one router for twelve devices", "few-routers", func(m *mesh.Mesh) {
		m.Nodes, m.Links = m.Nodes[:1], nil
		for i := range uint16(12) {
			m.Nodes = append(m.Nodes, mesh.Node{Name: fmt.Sprint("Sensor ", i+1), ExtAddr: 0x0c01 + diag.ExtAddr(i), ChildID: i + 1, ThreadVersion: 5, Timeout: 240 * time.Second})
			m.Links = append(m.Links, mesh.Link{A: 0, B: int(i) + 1, AToB: mesh.Hear(-60), BToA: mesh.Hear(-60)})
		}
	}, nil},
	{"31 routers", "router-limit", nil, func(s *sick) { s.word("Kitchen hub").RouterCount = diag.Some[uint8](31) }},
	{"a router says that it has hardly any place left", "full-parent", nil, func(s *sick) {
		con, _ := s.word("Desk plug").Connectivity.Get()
		con.ParentPriority = -1
		s.word("Desk plug").Connectivity = diag.Some(con)
	}},
	{"a router carries nearly all devices", "full-parent", func(m *mesh.Mesh) {
		for i := range uint16(12) {
			m.Nodes = append(m.Nodes, mesh.Node{Name: fmt.Sprint("Sensor ", i+1), ExtAddr: 0x0c01 + diag.ExtAddr(i), RouterID: nodeOf(m, "Desk plug").RouterID, ChildID: i + 20, ThreadVersion: 5, Timeout: 240 * time.Second})
			m.Links = append(m.Links, mesh.Link{A: m.FindName("Desk plug"), B: len(m.Nodes) - 1, AToB: mesh.Hear(-60), BToA: mesh.Hear(-60)})
		}
	}, nil},
	{"the devices of one router are lost", "lost-with-parent", nil, func(s *sick) {
		s.mute()
		s.controlled(false, "Window sensor", "Desk button", "Office thermostat")
		s.controlled(true, "Motion sensor", "Landing button")
	}},

	{"a device lost its parent", "orphan", nil, func(s *sick) {
		s.mute()
		s.forgetTables("Motion sensor")
		s.controlled(false, "Motion sensor")
		s.controlled(true, "Landing button")
	}},
	{"the record of a device that is gone", "stale-record", nil, func(s *sick) { s.announced(0x0d00_0000_0000_0001, 99, 77) }},
	{"a record is missing", "missing-record", nil, func(s *sick) {
		for i := range s.net.Nodes {
			if n := &s.net.Nodes[i]; !n.IsRouter() && n.Name != "Smoke alarm" {
				s.announced(n.ExtAddr, n.Matter[0].Node, n.OMRIID)
			}
		}
		s.scan = func(scan *diag.Scan) {
			scan.Sources = []diag.SourceState{{Name: "mdns", State: diag.StateAnswered}}
		}
	}},
	{"a device hangs at its controller", "stuck", nil, func(s *sick) {
		s.mute()
		s.controlled(false, "Motion sensor")
		s.controlled(true, "Landing button", "Window sensor")
	}},
	{"the controller lost its way to the mesh", "stuck", nil, func(s *sick) {
		s.mute()
		s.controlled(false, "Motion sensor", "Landing button", "Window sensor", "Kitchen leak sensor", "Bedroom thermostat")
	}},
	{"a device on a weak link", "weak-link", func(m *mesh.Mesh) { hearing(link(m, "Window sensor", "Desk plug"), -90) }, nil},
	{"a lamp with a weak parent hears a good one", "weak-link", func(m *mesh.Mesh) { hearing(link(m, "Reading lamp", "Hall hub"), -88) }, func(s *sick) {
		r := s.word("Reading lamp")
		r.Neighbors = append(r.Neighbors, diag.Neighbor{ExtAddr: s.node("Desk plug").ExtAddr, LinkQualityIn: diag.Some[uint8](3), AverageRSSI: diag.Some[int8](-60), Age: diag.Some(9 * time.Second)})
	}},
	{"a lamp hears a better parent", "better-parent", func(m *mesh.Mesh) { hearing(link(m, "Reading lamp", "Hall hub"), -80) }, func(s *sick) {
		r := s.word("Reading lamp")
		r.Neighbors = append(r.Neighbors, diag.Neighbor{ExtAddr: s.node("Desk plug").ExtAddr, LinkQualityIn: diag.Some[uint8](3), AverageRSSI: diag.Some[int8](-60), Age: diag.Some(9 * time.Second)})
	}},
	{"a router overhears another one's device", "better-parent", func(m *mesh.Mesh) { hearing(link(m, "Window sensor", "Desk plug"), -80) }, func(s *sick) {
		r := s.word("Attic plug")
		n := s.node("Window sensor")
		r.Neighbors = append(r.Neighbors, diag.Neighbor{ExtAddr: n.ExtAddr, RLOC16: diag.MakeRLOC16(n.RLOC16()), AverageRSSI: diag.Some[int8](-58), Age: diag.Some(20 * time.Second)})
	}},
	{"noise at a parent", "lossy-link", func(m *mesh.Mesh) {
		l := link(m, "Window sensor", "Desk plug")
		l.BToA.FrameError, l.BToA.MessageError = diag.RateFromPercent(24), diag.RateFromPercent(7)
	}, nil},
	{"a high noise floor", "lossy-link", func(m *mesh.Mesh) { link(m, "Window sensor", "Desk plug").BToA.Margin = 7 }, nil},
	{"a device hops between parents", "parent-hopping", nil, func(s *sick) {
		s.word("Motion sensor").Counters = map[diag.Counter]uint64{diag.ParentChangeCount: 33, diag.DetachedRoleCount: 1}
		s.word("Motion sensor").UpTime = diag.Some(72 * time.Hour)
	}},
	{"a device loses the mesh", "parent-hopping", nil, func(s *sick) {
		s.word("Motion sensor").Counters = map[diag.Counter]uint64{diag.ParentChangeCount: 33, diag.DetachedRoleCount: 30}
		s.word("Motion sensor").UpTime = diag.Some(72 * time.Hour)
	}},
	{"a device repeats its frames", "many-retries", nil, func(s *sick) {
		s.word("Garage outlet").Counters = map[diag.Counter]uint64{diag.TxTotalCount: 20000, diag.TxRetryCount: 13000}
	}},
	{"an empty battery", "low-battery", func(m *mesh.Mesh) { nodeOf(m, "Smoke alarm").Battery = 4 }, nil},
	{"two nodes with one short address", "address-conflict", nil, func(s *sick) {
		r := *s.word("Attic plug")
		r.Own = []diag.AddrClaim{{ExtAddr: 0x0e99, Witness: diag.WitnessDiagnostic}}
		r.Names, r.Addresses, r.EUI64, r.Matter = nil, nil, 0, nil
		r.Routes, r.Children, r.Neighbors, r.Connectivity, r.RouterCount = nil, nil, nil, diag.Opt[diag.Connectivity]{}, diag.Opt[uint8]{}
		s.reports = append(s.reports, r)
	}},
	{"two devices with one radio address", "address-conflict", nil, func(s *sick) {
		s.word("Attic plug").EUI64 = 0x18b4_3000_0000_0001
		r := *s.word("Attic plug")
		r.EUI64, r.Source = 0x18b4_3000_0000_0002, "other"
		s.reports = append(s.reports, r)
	}},
	{"a device that reports a wrong radio address", "address-conflict", nil, func(s *sick) {
		r := s.word("Attic plug")
		r.Own = append(slices.Clone(r.Own), diag.AddrClaim{ExtAddr: 0xf4ce_3600_0000_0001, Witness: diag.WitnessInterface})
	}},
	{"plugs with different firmware", "firmware-mix", func(m *mesh.Mesh) { nodeOf(m, "Attic plug").Firmware = "3.2.1" }, nil},
}, hostFaults...)

// plant makes the sick home and tells what its nodes say.
func plant(p planted) *sick {
	s := &sick{net: soundHome()}
	if p.before != nil {
		p.before(s.net)
	}
	s.home = &mesh.Home{Networks: []*mesh.Mesh{s.net}}
	s.reports = s.home.Reports(mesh.ReportOptions{At: at, Names: true, RouteTable: true})
	if p.after != nil {
		p.after(s)
	}
	return s
}

// TestFaultsAreFound plants each fault in a sound home and prints what is found.
// The table is compared with testdata/faults.txt; UPDATE=1 writes it anew.
func TestFaultsAreFound(t *testing.T) {
	var b strings.Builder
	b.WriteString("What was planted in a sound home, and what was found. Written by UPDATE=1 go test ./topology/doctor.\n")
	kinds := map[string]bool{}
	for _, p := range faults {
		s := plant(p)
		found := Examine(s.caseOf())
		fmt.Fprintf(&b, "\n%s\n", p.what)
		hit := p.rule == ""
		for _, f := range found {
			mark := " "
			if f.Rule == p.rule {
				hit, mark = true, "*"
			}
			kinds[f.Rule] = true
			fmt.Fprintf(&b, "  %s %s, %s, %s: %s\n      %s\n      > %s\n", mark, f.Rule, f.Severity, f.Confidence, f.Title, f.Detail, f.NextStep)
			if s.host == nil && len(f.Evidence) == 0 {
				t.Errorf("%s: %q rests on nothing", p.what, f.Title)
			}
		}
		if !hit {
			t.Errorf("%s: %s did not find it", p.what, p.rule)
		}
		if p.rule == "" && len(found) > 0 {
			t.Errorf("%s: %d findings in a sound home: %s", p.what, len(found), found[0].Title)
		}
	}
	for _, r := range Rules {
		if !kinds[r.Name] {
			t.Errorf("nothing is planted for %s", r.Name)
		}
	}
	t.Logf("%d faults planted, %d of %d rules spoke\n%s", len(faults)-1, len(kinds), len(Rules), &b)
	const golden = "testdata/faults.txt"
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the table differs from %s: look at it with -v, and write it anew by UPDATE=1", golden)
	}
}
