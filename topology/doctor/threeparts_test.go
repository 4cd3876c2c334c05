package doctor

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/meshcop"
	"threadmap/simulators/mesh"
)

// The other two parts of each rule's test, beside the faults that it must find:
// homes that nearly have the trouble and have it not, and homes that may have it
// where too little was told. What they plant is said in their names.
type threeParts struct {
	hasNot, cannotKnow []planted
}

// eachTold is a change of what each node told, its own word included.
func eachTold(change func(r *diag.Report)) func(*sick) {
	return func(s *sick) {
		for i := range s.reports {
			change(&s.reports[i])
		}
	}
}

// then does one change after another.
func then(changes ...func(*sick)) func(*sick) {
	return func(s *sick) {
		for _, c := range changes {
			c(s)
		}
	}
}

// fault is the change of what was told of a planted fault.
func fault(what string) planted {
	k := slices.IndexFunc(faults, func(p planted) bool { return p.what == what })
	if k < 0 {
		panic("no fault: " + what)
	}
	return faults[k]
}

// but is a fault of which something is not told.
func but(what, without string, after func(*sick)) planted {
	p := fault(what)
	if before := p.after; before != nil {
		p.after = then(before, after)
	} else {
		p.after = after
	}
	p.what += ", " + without
	return p
}

func noNeighbors(r *diag.Report) {
	r.Neighbors, r.Routes = nil, nil
	r.Connectivity, r.RouterCount = diag.Opt[diag.Connectivity]{}, diag.Opt[uint8]{}
}
func noChildren(r *diag.Report)  { r.Children = nil }
func noCounters(r *diag.Report)  { r.Counters = nil }
func old(r *diag.Report)         { r.At = r.At.Add(-time.Hour) }
func unsession(r *diag.Report)   { r.Session = "" }
func noPartition(r *diag.Report) { r.Leader.PartitionID = diag.Opt[uint32]{} }

// only keeps what some nodes told.
func only(names ...string) func(*sick) {
	return func(s *sick) {
		s.reports = slices.DeleteFunc(s.reports, func(r diag.Report) bool {
			return !slices.ContainsFunc(names, func(n string) bool { return s.node(n).ExtAddr == r.Own[0].ExtAddr })
		})
	}
}

// without leaves out what a node told.
func without(name string) func(*sick) {
	return func(s *sick) {
		s.reports = slices.DeleteFunc(s.reports, func(r diag.Report) bool { return r.Source == "simulated" && r.Own[0].ExtAddr == s.node(name).ExtAddr })
	}
}

func counters(name string, up time.Duration, of map[diag.Counter]uint64) func(*sick) {
	return func(s *sick) {
		s.word(name).Counters = of
		if up != 0 {
			s.word(name).UpTime = diag.Some(up)
		}
	}
}

func weak(a, b string, rssi int8) func(*mesh.Mesh) {
	return func(m *mesh.Mesh) { hearing(link(m, a, b), rssi) }
}

var parts = withHost(map[string]threeParts{
	"separate-networks": {
		[]planted{{what: "a foreign network without a border router", after: func(s *sick) {
			s.reports = append(s.reports, diag.Report{Source: "other", At: at, Own: []diag.AddrClaim{{ExtAddr: 0xa01, Witness: diag.WitnessDiagnostic}}, Role: diag.RoleRouter,
				RLOC16: diag.RouterRLOC16(1), Network: diag.Network{ExtPANID: 0xa}})
		}}},
		[]planted{but("a neighbor's network", "whose network is not told", func(s *sick) { s.reports[len(s.reports)-1].Network = diag.Network{} })},
	},
	"split-partition": {
		[]planted{{what: "an old partition id stands in an announcement", after: func(s *sick) {
			s.borderAnnounced(addressOf(2), s.node("Hall hub").BorderAgentID, "hall", diag.Network{ExtPANID: home}, 0x1db1)
			last := &s.reports[len(s.reports)-1]
			last.Leader.PartitionID, last.At = diag.Some[uint32](99), at.Add(-10*time.Minute)
		}}},
		[]planted{
			but("the network splits", "and nobody tells its partition", eachTold(noPartition)),
			but("the network splits", "and one half is not seen", only("Kitchen hub", "Desk plug", "Landing lamp")),
		},
	},
	"leader-flapping": {
		[]planted{{what: "four changes in a day", after: counters("Kitchen hub", 24*time.Hour, map[diag.Counter]uint64{diag.PartitionIDChangeCount: 4})},
			{what: "twenty in two months", after: counters("Kitchen hub", 1440*time.Hour, map[diag.Counter]uint64{diag.LeaderRoleCount: 20})}},
		[]planted{{what: "no time", after: counters("Kitchen hub", 0, map[diag.Counter]uint64{diag.PartitionIDChangeCount: 900})},
			{what: "a quarter of an hour", after: counters("Kitchen hub", 15*time.Minute, map[diag.Counter]uint64{diag.PartitionIDChangeCount: 9})},
			but("the leader changes ten times a day", "an hour ago", eachTold(old)),
			but("the leader changes ten times a day", "without counters", eachTold(noCounters))},
	},
	"several-prefixes": {
		[]planted{{what: "the mesh-local prefix among them", after: func(s *sick) {
			r := s.word("Hall hub")
			r.Network.OMRPrefixes = append(slices.Clone(r.Network.OMRPrefixes), s.net.MeshLocalPrefix, netip.MustParsePrefix("fc00::/7"))
		}}},
		[]planted{but("border routers publish two prefixes", "one of them an hour ago", func(s *sick) { old(s.word("Hall hub")) })},
	},
	"unpublished-prefix": {
		[]planted{{what: "addresses that stay in the mesh", after: func(s *sick) {
			r := s.word("Window sensor")
			r.Addresses = append(slices.Clone(r.Addresses), netip.MustParseAddr("fd00:db8:a0::99"), netip.MustParseAddr("fe80::99"))
		}}, {what: "a border router's address on the LAN", after: func(s *sick) {
			r := s.word("Hall hub")
			r.Addresses = append(slices.Clone(r.Addresses), netip.MustParseAddr("fd55::1"))
		}}},
		[]planted{
			but("a device kept the address of yesterday's prefix", "and no prefix is known", eachTold(func(r *diag.Report) { r.Network.OMRPrefixes = nil })),
			but("a device kept the address of yesterday's prefix", "and the prefixes are of an hour ago", func(s *sick) {
				for i := range s.reports {
					if r := &s.reports[i]; !r.RLOC16.IsChild() {
						old(r)
					} else {
						r.Network.OMRPrefixes = nil
					}
				}
			}),
			but("a device kept the address of yesterday's prefix", "which may be mesh-local", eachTold(func(r *diag.Report) {
				r.Network.MeshLocalPrefix = netip.Prefix{}
				r.Addresses = slices.DeleteFunc(slices.Clone(r.Addresses), func(a netip.Addr) bool { return netip.MustParsePrefix("fd00:db8:a0::/64").Contains(a) })
			})),
		},
	},
	"busy-channel": {
		[]planted{{what: "a tenth", after: counters("Desk plug", 0, map[diag.Counter]uint64{diag.TxTotalCount: 50000, diag.TxErrCcaCount: 5000})}},
		[]planted{{what: "few frames", after: counters("Desk plug", 0, map[diag.Counter]uint64{diag.TxTotalCount: 900, diag.TxErrCcaCount: 800})},
			{what: "no total", after: counters("Desk plug", 0, map[diag.Counter]uint64{diag.TxErrCcaCount: 800000})},
			but("Wi-Fi on the channel", "without counters", eachTold(noCounters))},
	},
	"thread-versions": {
		[]planted{{what: "a child speaks an old version", before: func(m *mesh.Mesh) { nodeOf(m, "Window sensor").ThreadVersion = 3 }}},
		[]planted{{what: "a router says no version", after: then(without("Attic plug"), eachTold(func(r *diag.Report) {
			r.Neighbors = slices.Clone(r.Neighbors)
			for i := range r.Neighbors {
				r.Neighbors[i].ThreadVersion = diag.Opt[uint16]{}
			}
		}))}, {what: "a number that is no version", before: func(m *mesh.Mesh) { nodeOf(m, "Attic plug").ThreadVersion = 0 }}},
	},
	"commissioner-role": {
		[]planted{{what: "another problem of that source", after: func(s *sick) {
			s.scan = func(scan *diag.Scan) {
				scan.Problems = []diag.Problem{{Source: "thread", Target: "x", Text: "the key is wrong"}, {Source: "otbr", Target: "x", Text: "another commissioner, x, has the commissioner role"}}
			}
		}}, {what: "commissioning data without a border agent", after: func(s *sick) {
			s.word("Kitchen hub").Network.NetworkData = []byte{0x08, 0x04, 0x0b, 0x02, 0x30, 0xc2}
		}}, {what: "one border router lets in", after: func(s *sick) {
			s.reports = nil
			s.borderAnnounced(addressOf(1), "a1", "kitchen", diag.Network{ExtPANID: home}, 0x1fb0)
			s.borderAnnounced(addressOf(2), "a2", "hall", diag.Network{ExtPANID: home}, 0x1db1)
		}}},
		[]planted{but("a commissioner stands in the network data", "which may be this program", func(s *sick) {
			s.scan = func(scan *diag.Scan) {
				scan.Sources = []diag.SourceState{{Name: "thread", State: diag.StateAnswered}}
			}
		}), but("a commissioner stands in the network data", "cut short", func(s *sick) {
			r := s.word("Kitchen hub")
			r.Network.NetworkData = r.Network.NetworkData[:4]
		}), but("border routers let nobody ask", "and are not active", func(s *sick) {
			for i := range s.reports {
				s.reports[i].BorderAgent = diag.Some(diag.BorderAgent{StateBitmap: diag.Some[uint32](0)})
			}
		})},
	},
	"one-border-router": {
		[]planted{{what: "two"}},
		[]planted{
			but("one border router", "and nobody gave a table", then(eachTold(noNeighbors), eachTold(noChildren))),
			but("one border router", "and who is one is not told", eachTold(func(r *diag.Report) {
				r.BorderRouter, r.BorderAgentID, r.Network.BorderRouters = diag.Opt[bool]{}, "", nil
			})),
		},
	},
	"border-router-settings": {
		[]planted{{what: "the same moment, another clock", after: func(s *sick) { s.word("Hall hub").Network.ActiveTimestamp = diag.Some[uint64](1<<16 | 1) }},
			{what: "a lamp with old settings", after: func(s *sick) { s.word("Desk plug").Network.ActiveTimestamp = diag.Some[uint64](5 << 16) }}},
		[]planted{but("a border router is on another channel", "as it was an hour ago", func(s *sick) { old(s.word("Hall hub")) }),
			but("a border router missed a change of the dataset", "and the other did not tell", func(s *sick) { s.word("Kitchen hub").Network.ActiveTimestamp = diag.Opt[uint64]{} })},
	},
	"silent-border-router": {
		[]planted{{what: "a silent lamp", after: without("Landing lamp")}},
		[]planted{but("a border router does not answer", "but the mesh was not asked as a whole", eachTold(unsession)),
			but("a border router does not answer", "but one node alone was asked", only("Desk plug"))},
	},
	"old-address": {
		[]planted{{what: "two border routers on one machine", after: func(s *sick) {
			s.borderAnnounced(addressOf(1), s.node("Kitchen hub").BorderAgentID, "homeassistant", diag.Network{ExtPANID: home}, 0x1fb1)
			s.borderAnnounced(addressOf(2), s.node("Hall hub").BorderAgentID, "homeassistant", diag.Network{ExtPANID: home}, 0x1fb1)
		}}},
		[]planted{{what: "an announced border router of another host that was not asked", after: func(s *sick) {
			s.borderAnnounced(addressOf(1), s.node("Kitchen hub").BorderAgentID, "kitchen-hub", diag.Network{ExtPANID: home}, 0x1fb1)
			s.borderAnnounced(0x0e11_2233_4455_6677, "", "attic-hub", diag.Network{ExtPANID: home}, 0x1fb1)
		}}, but("a ghost in a table", "and one node alone was asked", then(only("Desk plug"), eachTold(func(r *diag.Report) { r.Routes = nil })))},
	},
	"silent-router": {
		[]planted{{what: "a silent sensor", after: without("Window sensor")}},
		[]planted{but("a lamp is switched off at the wall", "but the mesh was not asked as a whole", eachTold(unsession)),
			but("a lamp is switched off at the wall", "but one node alone was asked", only("Desk plug"))},
	},
	"no-way-out": {
		[]planted{{what: "one link is left", before: func(m *mesh.Mesh) { unlink(m, "Garage outlet", "Attic plug") }}},
		[]planted{but("a router is cut off", "and it gave no table", func(s *sick) { noNeighbors(s.word("Garage outlet")) }),
			but("a router is cut off", "and no border router is known", eachTold(func(r *diag.Report) {
				r.BorderRouter, r.BorderAgentID, r.Network.BorderRouters = diag.Opt[bool]{}, "", nil
			}))},
	},
	"single-point-of-failure": {
		[]planted{{what: "two ways", before: func(m *mesh.Mesh) { unlink(m, "Garage outlet", "Desk plug", "Attic plug") }}},
		[]planted{but("routers hang on one router", "as far as those tell that do not", func(s *sick) {
			noNeighbors(s.word("Garage outlet"))
			noNeighbors(s.word("Attic plug"))
		})},
	},
	"lonely-router": {
		[]planted{{what: "a border router, which has the LAN", before: func(m *mesh.Mesh) { unlink(m, "Hall hub", "Kitchen hub") }}},
		[]planted{but("a router has one link, and no border router is known", "as far as others tell", func(s *sick) { noNeighbors(s.word("Garage outlet")) })},
	},
	"weak-router": {
		[]planted{{what: "one link is good", before: func(m *mesh.Mesh) {
			fault("a router in a far corner").before(m)
			hearing(link(m, "Attic plug", "Desk plug"), -70)
		}}},
		[]planted{but("a router in a far corner", "as far as others tell", func(s *sick) { noNeighbors(s.word("Attic plug")) })},
	},
	"one-way-link": {
		[]planted{{what: "quality 1 one way", before: func(m *mesh.Mesh) { link(m, "Desk plug", "Attic plug").AToB = mesh.Hear(-92) }}},
		[]planted{but("a link works one way", "of a router that did not answer", without("Attic plug"))},
	},
	"dying-link": {
		[]planted{{what: "a dead row", before: func(m *mesh.Mesh) {
			m.Faults = []mesh.Fault{{Kind: mesh.FaultDead, Node: nodeOf(m, "Desk plug").ExtAddr, Peer: nodeOf(m, "Attic plug").ExtAddr, Age: 4 * time.Minute}}
		}}},
		[]planted{but("a link has just broken", "of a router that did not answer", without("Attic plug"))},
	},
	"few-routers": {
		[]planted{{what: "a lamp among them that could become one", before: func(m *mesh.Mesh) {
			fault("one router for twelve devices").before(m)
			m.Nodes[3].Mode, m.Nodes[3].REED = full, true
		}}},
		[]planted{but("one router for twelve devices", "whose kind is not told", func(s *sick) {
			s.mute()
			for i := range s.reports[0].Children {
				s.reports[0].Children[i].Mode = diag.Opt[diag.Mode]{}
			}
		}), {what: "another partition is there", before: func(m *mesh.Mesh) { fault("one router for twelve devices").before(m) }, after: func(s *sick) {
			s.reports[0].RouterCount = diag.Some[uint8](9)
			s.reports[0].Connectivity = diag.Opt[diag.Connectivity]{}
		}}},
	},
	"router-limit": {
		[]planted{{what: "29", after: func(s *sick) { s.word("Kitchen hub").RouterCount = diag.Some[uint8](29) }}},
		[]planted{but("31 routers", "which nobody counted", eachTold(func(r *diag.Report) { r.RouterCount = diag.Opt[uint8]{} }))},
	},
	"full-parent": {
		[]planted{{what: "nine children", before: func(m *mesh.Mesh) {
			for i := range uint16(6) {
				m.Nodes = append(m.Nodes, mesh.Node{Name: fmt.Sprint("Sensor ", i+1), ExtAddr: 0x0c01 + diag.ExtAddr(i), RouterID: nodeOf(m, "Desk plug").RouterID, ChildID: i + 20, ThreadVersion: 5, Timeout: 240 * time.Second})
				m.Links = append(m.Links, mesh.Link{A: m.FindName("Desk plug"), B: len(m.Nodes) - 1, AToB: mesh.Hear(-60), BToA: mesh.Hear(-60)})
			}
		}}},
		[]planted{but("a router carries nearly all devices", "of an hour ago", eachTold(old)),
			but("a router carries nearly all devices", "and the others did not tell", only("Desk plug"))},
	},
	"lost-with-parent": {
		[]planted{{what: "one of three", after: func(s *sick) { s.mute(); s.controlled(false, "Window sensor"); s.controlled(true, "Desk button") }},
			{what: "both of two parents", after: func(s *sick) {
				s.mute()
				s.controlled(false, "Window sensor", "Motion sensor")
				s.controlled(true, "Desk button", "Smoke alarm")
			}}},
		[]planted{but("the devices of one router are lost", "an hour ago", eachTold(func(r *diag.Report) {
			if r.Source == "matter-server" {
				old(r)
			}
		}))},
	},
	"orphan": {
		[]planted{{what: "its parent has it", after: func(s *sick) { s.mute(); s.controlled(false, "Motion sensor"); s.controlled(true, "Landing button") }},
			{what: "it spoke itself", after: func(s *sick) { s.forgetTables("Motion sensor") }}},
		[]planted{
			but("a device lost its parent", "and a router gave no table", func(s *sick) { noChildren(s.word("Desk plug")) }),
			but("a device lost its parent", "and a router did not answer", without("Bedroom lamp")),
			but("a device lost its parent", "and a table names nobody", func(s *sick) {
				r := s.word("Desk plug")
				r.Children = slices.Clone(r.Children)
				r.Children[0].ExtAddr = 0
			}),
			but("a device lost its parent", "and the tables are old", func(s *sick) {
				for i := range s.reports {
					if s.reports[i].Source != "matter-server" {
						old(&s.reports[i])
					}
				}
			}),
		},
	},
	"stale-record": {
		[]planted{{what: "a record of a device that is there", after: func(s *sick) {
			s.mute()
			s.announced(s.node("Motion sensor").ExtAddr, 10, s.node("Motion sensor").OMRIID)
		}}},
		[]planted{
			but("the record of a device that is gone", "and a router gave no table", func(s *sick) { noChildren(s.word("Desk plug")) }),
			but("the record of a device that is gone", "or is of another network", func(s *sick) {
				s.reports[len(s.reports)-1].Addresses = []netip.Addr{netip.MustParseAddr("fd66::1")}
			}),
		},
	},
	"missing-record": {
		[]planted{but("a record is missing", "of a device without Matter", func(s *sick) { s.word("Smoke alarm").Matter = nil })},
		[]planted{
			but("a record is missing", "and nobody listened", func(s *sick) { s.scan = nil }),
			but("a record is missing", "as most are", func(s *sick) {
				n := 0
				s.reports = slices.DeleteFunc(s.reports, func(r diag.Report) bool {
					if r.Source == "mdns" {
						n++
					}
					return r.Source == "mdns" && n > 4
				})
			}),
			but("a record is missing", "or is one of those that fit nobody", func(s *sick) {
				n := s.node("Smoke alarm")
				s.announced(0xd001, n.Matter[0].Node, 123)
				s.reports[len(s.reports)-1].Matter[0].Fabric = 77
			}),
		},
	},
	"stuck": {
		[]planted{{what: "it is available", after: func(s *sick) { s.mute(); s.controlled(true, "Motion sensor") }}},
		[]planted{
			but("a device hangs at its controller", "and its parent heard it long ago", func(s *sick) {
				r := s.word("Landing lamp")
				r.Children = slices.Clone(r.Children)
				for i := range r.Children {
					r.Children[i].Age = diag.Some(10 * time.Minute)
				}
			}),
			but("a device hangs at its controller", "and its parent gave no table", func(s *sick) { noChildren(s.word("Landing lamp")) }),
		},
	},
	"weak-link": {
		[]planted{{what: "quality 2", before: weak("Window sensor", "Desk plug", -85)}},
		[]planted{but("a device on a weak link", "and nobody tells the quality", eachTold(func(r *diag.Report) {
			r.Children, r.Neighbors = slices.Clone(r.Children), slices.Clone(r.Neighbors)
			for _, rows := range [][]diag.Neighbor{r.Children, r.Neighbors} {
				for i := range rows {
					rows[i].LinkQualityIn, rows[i].AverageRSSI, rows[i].LastRSSI, rows[i].LinkMargin = diag.Opt[uint8]{}, diag.Opt[int8]{}, diag.Opt[int8]{}, diag.Opt[uint8]{}
				}
			}
		}))},
	},
	"better-parent": {
		[]planted{
			{what: "5 dB", before: weak("Reading lamp", "Hall hub", -80), after: func(s *sick) {
				r := s.word("Reading lamp")
				r.Neighbors = append(slices.Clone(r.Neighbors), diag.Neighbor{ExtAddr: s.node("Desk plug").ExtAddr, LinkQualityIn: diag.Some[uint8](3), AverageRSSI: diag.Some[int8](-75)})
			}},
			{what: "20 dB over a good link", after: func(s *sick) {
				r := s.word("Reading lamp")
				r.Neighbors = append(slices.Clone(r.Neighbors), diag.Neighbor{ExtAddr: s.node("Desk plug").ExtAddr, LinkQualityIn: diag.Some[uint8](3), AverageRSSI: diag.Some[int8](-38)})
			}},
		},
		[]planted{
			but("a lamp hears a better parent", "and heard it long ago", func(s *sick) { s.word("Reading lamp").Neighbors[1].Age = diag.Some(4 * time.Minute) }),
			but("a lamp hears a better parent", "without a word how well", func(s *sick) {
				s.word("Reading lamp").Neighbors[1].AverageRSSI, s.word("Reading lamp").Neighbors[1].LinkQualityIn = diag.Opt[int8]{}, diag.Opt[uint8]{}
			}),
			{what: "what an old parent still has of a child", before: func(m *mesh.Mesh) {
				hearing(link(m, "Window sensor", "Desk plug"), -80)
				m.Faults = []mesh.Fault{{Kind: mesh.FaultStaleChild, Node: nodeOf(m, "Window sensor").ExtAddr, Peer: nodeOf(m, "Attic plug").ExtAddr, ChildID: 60, Age: time.Minute}}
			}},
		},
	},
	"lossy-link": {
		[]planted{{what: "a little", before: func(m *mesh.Mesh) {
			link(m, "Window sensor", "Desk plug").BToA.FrameError = diag.RateFromPercent(9)
			link(m, "Window sensor", "Desk plug").BToA.MessageError = diag.RateFromPercent(4)
		}}},
		[]planted{but("noise at a parent", "which nobody counts", eachTold(func(r *diag.Report) {
			r.Children = slices.Clone(r.Children)
			for i := range r.Children {
				r.Children[i].FrameErrorRate, r.Children[i].MessageErrorRate = diag.Opt[diag.Rate]{}, diag.Opt[diag.Rate]{}
			}
		}))},
	},
	"parent-hopping": {
		[]planted{{what: "ten in a month", after: counters("Motion sensor", 720*time.Hour, map[diag.Counter]uint64{diag.ParentChangeCount: 10})},
			{what: "four in an hour, after the start", after: counters("Motion sensor", time.Hour, map[diag.Counter]uint64{diag.ParentChangeCount: 4})}},
		[]planted{{what: "no time", after: counters("Motion sensor", 0, map[diag.Counter]uint64{diag.ParentChangeCount: 4000})},
			{what: "a time that can't be", after: counters("Motion sensor", 1<<62, map[diag.Counter]uint64{diag.ParentChangeCount: 4000})},
			but("a device hops between parents", "an hour ago", eachTold(old))},
	},
	"many-retries": {
		[]planted{{what: "a quarter", after: counters("Garage outlet", 0, map[diag.Counter]uint64{diag.TxTotalCount: 20000, diag.TxRetryCount: 5000})},
			{what: "of a child on a weak link", before: weak("Window sensor", "Desk plug", -90), after: counters("Window sensor", 0, map[diag.Counter]uint64{diag.TxTotalCount: 20000, diag.TxRetryCount: 15000})}},
		[]planted{{what: "few frames", after: counters("Garage outlet", 0, map[diag.Counter]uint64{diag.TxTotalCount: 999, diag.TxRetryCount: 900})},
			{what: "no total", after: counters("Garage outlet", 0, map[diag.Counter]uint64{diag.TxRetryCount: 90000})}},
	},
	"low-battery": {
		[]planted{{what: "15 %", before: func(m *mesh.Mesh) { nodeOf(m, "Smoke alarm").Battery = 15 }}},
		[]planted{but("an empty battery", "which nobody read", eachTold(func(r *diag.Report) { r.BatteryPercent = diag.Opt[uint8]{} }))},
	},
	"address-conflict": {
		[]planted{{what: "a child that its old parent has not forgotten", before: func(m *mesh.Mesh) {
			m.Faults = []mesh.Fault{{Kind: mesh.FaultStaleChild, Node: nodeOf(m, "Window sensor").ExtAddr, Peer: nodeOf(m, "Attic plug").ExtAddr, ChildID: 60, Age: time.Minute}}
		}}},
		[]planted{but("two nodes with one short address", "one of them an hour ago", func(s *sick) { old(&s.reports[len(s.reports)-1]) }),
			but("two devices with one radio address", "without factory addresses", eachTold(func(r *diag.Report) { r.EUI64 = 0 }))},
	},
	"firmware-mix": {
		[]planted{{what: "of two products", before: func(m *mesh.Mesh) {
			nodeOf(m, "Attic plug").Firmware, nodeOf(m, "Attic plug").Model = "3.2.1", "Eve Energy Outdoor"
		}}},
		[]planted{but("plugs with different firmware", "of no known maker", eachTold(func(r *diag.Report) { r.Vendor = "" }))},
	},
})

// withHost adds the rules about the machine.
func withHost(parts map[string]threeParts) map[string]threeParts {
	maps.Copy(parts, hostParts)
	return parts
}

// TestThreeParts: each rule finds what is planted for it, is silent where that is
// not so, and is silent where it can't know.
func TestThreeParts(t *testing.T) {
	for _, r := range Rules {
		p, ok := parts[r.Name]
		if !ok || len(p.hasNot) == 0 || len(p.cannotKnow) == 0 {
			t.Errorf("%s: a part of its test is missing", r.Name)
		}
		for _, f := range faults {
			if f.rule == r.Name && len(ask(t, r, plant(f))) == 0 {
				t.Errorf("%s: missed: %s", r.Name, f.what)
			}
		}
		for part, homes := range map[string][]planted{"has it not": p.hasNot, "cannot know": p.cannotKnow} {
			for _, h := range append(homes, planted{what: "nothing"}) {
				for _, f := range ask(t, r, plant(h)) {
					t.Errorf("%s: %s, %s: %s. %s", r.Name, part, h.what, f.Title, f.Detail)
				}
			}
		}
	}
	for name := range parts {
		if !slices.ContainsFunc(Rules, func(r Rule) bool { return r.Name == name }) {
			t.Errorf("%s is no rule", name)
		}
	}
}

// ask asks one rule and checks what holds of every finding.
func ask(t *testing.T, r Rule, s *sick) []Finding {
	t.Helper()
	found := r.Find(s.caseOf())
	for _, f := range found {
		if f.Severity == 0 || f.Confidence == 0 || f.Title == "" || f.Detail == "" || f.NextStep == "" || s.host == nil && len(f.Evidence) == 0 {
			t.Errorf("%s: a finding lacks something: %+v", r.Name, f)
		}
	}
	return found
}

// TestCommissionerWords: the rule reads what the commissioner's errors say.
func TestCommissionerWords(t *testing.T) {
	for _, err := range []error{&meshcop.RoleTakenError{}, &meshcop.RoleTakenError{Holder: "phone"}, meshcop.ErrJoining, meshcop.ErrRoleLost} {
		s := plant(planted{})
		s.scan = func(scan *diag.Scan) {
			scan.Problems = []diag.Problem{{Source: "thread", Target: "hub", Text: err.Error()}}
		}
		if len(ask(t, commissionerRole, s)) != 1 {
			t.Errorf("%q is not understood", err)
		}
	}
}
