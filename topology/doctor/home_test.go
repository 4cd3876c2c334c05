package doctor

import (
	"net/netip"
	"slices"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// A sick home is the sound one of soundHome with something planted in it: in the
// home itself, or in what its nodes told.
type sick struct {
	net     *mesh.Mesh
	home    *mesh.Home
	reports []diag.Report
	scan    func(*diag.Scan) // nil: nothing to change in it
	host    *Host            // nil: the machine was not looked at
}

var full = diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}

const testFabric = 0x87e1b004e235a130

// soundHome is a home in which nothing is wrong: two border routers and five
// other routers that all hear each other well, nine sleepy devices and a lamp
// that could become a router.
func soundHome() *mesh.Mesh {
	m := &mesh.Mesh{
		Name: "MyHome", ExtPANID: home, PANID: 0xface, Channel: 25, MeshLocalPrefix: netip.MustParsePrefix("fd00:db8:a0::/64"),
		OMRPrefixes: []netip.Prefix{netip.MustParsePrefix("fd11:22:33:44::/64")}, ActiveTimestamp: 1 << 16,
		Partitions: []mesh.Partition{{ID: 7, Leader: 0, Weighting: 64, IDSequence: 9}},
	}
	for i, name := range []string{"Kitchen hub", "Hall hub", "Desk plug", "Landing lamp", "Attic plug", "Garage outlet", "Bedroom lamp"} {
		m.Nodes = append(m.Nodes, mesh.Node{Name: name, ExtAddr: addressOf(uint8(i + 1)), RouterID: uint8(i * 5), Mode: full, BorderRouter: i < 2, ThreadVersion: 5})
		if i < 2 {
			m.Nodes[i].BorderAgentID = []string{"0123456789abcdef0123456789abcde0", "0123456789abcdef0123456789abcde1"}[i]
		} else {
			m.Nodes[i].Vendor, m.Nodes[i].Model, m.Nodes[i].Firmware = "Eve Systems", "Eve Energy", "3.5.0"
		}
		for j := range i {
			m.Links = append(m.Links, mesh.Link{A: j, B: i, AToB: mesh.Hear(-55), BToA: mesh.Hear(-56), Age: 10 * time.Second, Up: time.Hour})
		}
	}
	for i, c := range []struct {
		name   string
		parent int
	}{{"Window sensor", 2}, {"Desk button", 2}, {"Office thermostat", 2}, {"Motion sensor", 3}, {"Landing button", 3}, {"Smoke alarm", 3},
		{"Kitchen leak sensor", 0}, {"Garage door sensor", 5}, {"Bedroom thermostat", 6}, {"Reading lamp", 1}} {
		n := mesh.Node{
			Name: c.name, ExtAddr: 0x0c00_0000_0000_0001 + diag.ExtAddr(i), RouterID: m.Nodes[c.parent].RouterID, ChildID: uint16(i + 1), ThreadVersion: 5,
			Timeout: 240 * time.Second, Supervision: 129 * time.Second, Battery: 80, MLEIID: 1<<63 + uint64(i), OMRIID: 1<<63 + 100 + uint64(i),
		}
		if c.name == "Reading lamp" {
			n.Mode, n.REED, n.Battery = full, true, 0
		}
		m.Nodes = append(m.Nodes, n)
		m.Links = append(m.Links, mesh.Link{A: c.parent, B: len(m.Nodes) - 1, AToB: mesh.Hear(-60), BToA: mesh.Hear(-61), Age: 30 * time.Second, Up: time.Hour})
	}
	for i := range m.Nodes {
		if !m.Nodes[i].BorderRouter {
			m.Nodes[i].Matter = []diag.MatterID{{Fabric: testFabric, Node: uint64(i)}}
		}
	}
	return m
}

// caseOf is what the rules get to see.
func (s *sick) caseOf() *Case {
	scan := &diag.Scan{From: at, To: at.Add(10 * time.Second), Complete: true, Reports: s.reports}
	if s.scan != nil {
		s.scan(scan)
	}
	return New(topology.Build(s.reports), scan, s.host)
}

// node is the node of that name.
func (s *sick) node(name string) *mesh.Node { return nodeOf(s.net, name) }

func nodeOf(m *mesh.Mesh, name string) *mesh.Node { return &m.Nodes[m.FindName(name)] }

// link is the link of two nodes, the direction to the second first.
func link(m *mesh.Mesh, a, b string) *mesh.Link {
	i, j := m.FindName(a), m.FindName(b)
	for k := range m.Links {
		if l := &m.Links[k]; l.A == i && l.B == j || l.A == j && l.B == i {
			return l
		}
	}
	panic("no link " + a + " - " + b)
}

// hearing sets both directions of a link.
func hearing(l *mesh.Link, rssi int8) { l.AToB, l.BToA = mesh.Hear(rssi), mesh.Hear(rssi) }

// unlink takes the links of a router to other routers away, but for those to
// some.
func unlink(m *mesh.Mesh, name string, but ...string) {
	i := m.FindName(name)
	m.Links = slices.DeleteFunc(m.Links, func(l mesh.Link) bool {
		other := l.A + l.B - i
		return (l.A == i || l.B == i) && m.Nodes[other].IsRouter() && m.Nodes[i].IsRouter() && !slices.Contains(but, m.Nodes[other].Name)
	})
}

// word is what a node told.
func (s *sick) word(name string) *diag.Report {
	x := s.node(name).ExtAddr
	for i := range s.reports {
		if s.reports[i].Own[0].ExtAddr == x {
			return &s.reports[i]
		}
	}
	panic("no report of " + name)
}

// forgetTables takes a node out of all tables.
func (s *sick) forgetTables(name string) {
	x := s.node(name).ExtAddr
	for i := range s.reports {
		r := &s.reports[i]
		gone := func(n diag.Neighbor) bool { return n.ExtAddr == x }
		if r.Children != nil {
			r.Children = slices.DeleteFunc(slices.Clone(r.Children), gone)
		}
		if r.Neighbors != nil {
			r.Neighbors = slices.DeleteFunc(slices.Clone(r.Neighbors), gone)
		}
	}
}

// mute leaves of children what their parents say.
func (s *sick) mute() {
	s.reports = slices.DeleteFunc(s.reports, func(r diag.Report) bool { return r.RLOC16.IsChild() })
}

// controlled adds the word of a Matter controller about nodes.
func (s *sick) controlled(available bool, names ...string) {
	for _, name := range names {
		n := s.node(name)
		s.reports = append(s.reports, diag.Report{
			Source: "matter-server", Via: "ws://192.0.2.7:5580", At: at, Cached: true, Transport: diag.TransportThread,
			Own: []diag.AddrClaim{{ExtAddr: n.ExtAddr, Witness: diag.WitnessInterface}}, Matter: n.Matter,
			Names: []diag.Name{{Value: name, Kind: diag.NameLabel}}, Available: diag.Some(available),
			Network: diag.Network{ExtPANID: s.net.ExtPANID},
		})
	}
}

// announced adds a device's DNS-SD record.
func (s *sick) announced(x diag.ExtAddr, id uint64, iid uint64) {
	p := s.net.OMRPrefixes[0].Addr().As16()
	for k := range 8 {
		p[8+k] = byte(iid >> (56 - 8*k))
	}
	s.reports = append(s.reports, diag.Report{
		Source: "mdns", Via: "eth0", At: at, Transport: diag.TransportThread, Own: []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessHost}},
		Matter: []diag.MatterID{{Fabric: testFabric, Node: id}}, Hosts: []string{x.String()}, Instances: []string{"87E1B004E235A130-" + diag.ExtAddr(id).String()},
		Addresses: []netip.Addr{netip.AddrFrom16(p)},
	})
}

// borderAnnounced adds a border router's announcement.
func (s *sick) borderAnnounced(x diag.ExtAddr, id, host string, in diag.Network, state uint32, addrs ...string) {
	r := diag.Report{
		Source: "mdns", Via: "eth0", At: at, Transport: diag.TransportThread, Own: []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessMeshCoP}},
		BorderAgentID: id, BorderRouter: diag.Some(true), Hosts: []string{host}, Network: in, BorderAgent: diag.Some(diag.BorderAgent{StateBitmap: diag.Some(state)}),
	}
	for _, a := range addrs {
		r.Addresses = append(r.Addresses, netip.MustParseAddr(a))
	}
	s.reports = append(s.reports, r)
}
