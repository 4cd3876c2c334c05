package matternode

import (
	"errors"
	"math/bits"
	mrand "math/rand/v2"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
)

func TestQuirksOfTheThreadCluster(t *testing.T) {
	own := uint64(aPlug().Thread.Node)
	for name, c := range map[string]struct {
		d     Device
		q     Quirks
		check func(t *testing.T, r diag.Report)
	}{
		"an old revision": {aPlug(), Quirks{OldRevision: true}, func(t *testing.T, r diag.Report) {
			if len(r.Own) != 1 || r.Own[0].Witness != diag.WitnessInterface || r.RLOC16.Known() {
				t.Errorf("%v %v", r.Own, r.RLOC16)
			}
		}},
		"octets reversed": {aPlug(), Quirks{SwappedExtAddress: true}, func(t *testing.T, r diag.Report) {
			if len(r.Own) != 2 || uint64(r.Own[0].ExtAddr) != own || uint64(r.Own[1].ExtAddr) != bits.ReverseBytes64(own) {
				t.Errorf("%v", r.Own)
			}
		}},
		"no route to the parent": {aSensor(), Quirks{NoParentRoute: true}, func(t *testing.T, r diag.Report) {
			if r.Routes == nil || len(r.Routes) != 0 || len(r.Neighbors) != 1 {
				t.Errorf("%v", r.Routes)
			}
		}},
		"knows no network": {aSensor(), Quirks{NoThreadData: true}, func(t *testing.T, r diag.Report) {
			if r.Role != diag.RoleUnknown || !r.Network.IsZero() || !r.Leader.IsZero() || r.RLOC16.Known() || len(r.Own) != 1 || r.Neighbors == nil || len(r.Neighbors) != 0 {
				t.Errorf("%+v", r)
			}
		}},
		"no ICD cluster": {aSensor(), Quirks{PlainICD: true}, func(t *testing.T, r diag.Report) {
			if r.ICD.Known() || r.Role != diag.RoleSleepyEndDevice {
				t.Errorf("%v", r.ICD)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t)
				g.ours(c.d, Options{Quirks: c.q})
				c.check(t, reported(t, g, g.mustCASE()))
			})
		})
	}
}

// Router id 0 is a router.
func TestRLOC16Zero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Line(3).Networks[0].Clone()
		for i := range m.Nodes {
			if m.Nodes[i].IsRouter() && m.Nodes[i].RouterID == 0 {
				g := newStage(t)
				d := FromMesh(m.View(), i)
				g.ours(d, Options{})
				if got := g.number(g.mustCASE(), pathOf(0, threadNetworkDiagnostics, 0x40)); got != 0 {
					t.Errorf("0x%04x", got)
				}
				return
			}
		}
		t.Fatal("no router has id 0")
	})
}

// Headers of secure messages have 8 octets, or 24 with both node ids, which are
// 0 in a session by passcode.
func TestNodeIDs(t *testing.T) {
	for name, long := range map[string]bool{"8 octets": false, "24 octets": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t)
				seen := map[uint64]int{} // messages by source node id
				g.net.Fate = func(p simnet.Packet) []time.Duration {
					h, n, err := message.Parse(p.Data)
					if err == nil && h.SessionID != 0 && p.From == nodeAddr {
						seen[h.Source]++
						if h.HasSource != long || h.HasDestination != long || long != (n == 24) || long != (p.Data[0] == 5) {
							t.Errorf("%+v of %d octets", h, n)
						}
					}
					return []time.Duration{0}
				}
				n := g.ours(aPlug(), Options{Quirks: Quirks{NodeIDs: long}})
				g.number(g.mustCASE(), pathOf(0, descriptor, clusterRevision))
				code, err := n.OpenWindow(5 * time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				g.number(g.mustPASE(code), pathOf(0, descriptor, clusterRevision))
				if seen[0] == 0 || long && seen[nodeID] == 0 {
					t.Errorf("%v", seen)
				}
			})
		})
	}
}

func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aPlug(), Options{Quirks: Quirks{BusyHandshakes: 2, BusyWait: 3 * time.Second, BusyRequests: 1}})
		begin := time.Now()
		s := g.mustCASE()
		if d := time.Since(begin); d < 6*time.Second || d > 8*time.Second {
			t.Errorf("a session after %v", d)
		}
		begin = time.Now()
		g.number(s, pathOf(0, descriptor, clusterRevision))
		if time.Since(begin) < 500*time.Millisecond {
			t.Error("it was not busy")
		}
		if st := n.Stats(); st.Reads != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// What was said until a node stopped in the middle stays.
func TestStopsInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aPlug(), Options{Quirks: Quirks{StopAfter: 1, Delay: 300 * time.Millisecond}})
		begin := time.Now()
		s := g.mustCASE()
		if time.Since(begin) < 300*time.Millisecond {
			t.Error("it is not slow")
		}
		r, err := g.tryRead(s, im.ReadRequest{Attributes: []im.AttributePath{{}}})
		if err == nil || r.Complete || r.Attributes.Len() == 0 {
			t.Errorf("%v, %d attributes", err, r.Attributes.Len())
		}
		if st := n.Stats(); st.ReportData != 1 {
			t.Errorf("%+v", st)
		}
	})
}

func TestMaxPaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		g.ours(aPlug(), Options{Quirks: Quirks{MaxPaths: im.MaxReadPaths}})
		s := g.mustCASE()
		paths := make([]im.AttributePath, im.MaxReadPaths)
		for i := range paths {
			paths[i] = im.One(0, basicInformation, uint32(i))
		}
		g.read(s, paths...)
		_, err := g.tryRead(s, im.ReadRequest{Attributes: append(paths, im.One(0, descriptor, 0))})
		var e *im.StatusError
		if !errors.As(err, &e) || e.Result.Status != im.PathsExhausted {
			t.Errorf("%v", err)
		}
	})
}

// A device on Wi-Fi has no radio of ours.
func TestWiFi(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(Device{
			Name: "Heater", Vendor: "Maker", Model: "H1", MAC: [6]byte{2, 0, 0, 0, 0, 9},
			Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("fd00::7"), netip.MustParseAddr("fe80::7%eth0")},
		}, Options{})
		r := reported(t, g, g.mustCASE())
		if r.Transport != diag.TransportWiFi || len(r.Addresses) != 3 || len(r.Own) != 0 || r.Vendor != "Maker" {
			t.Errorf("%+v", r)
		}
		if s := n.Services(Place{})[0]; s.Host != "020000000009" {
			t.Errorf("%+v", s)
		}
		if err := n.SetView(mesh.Line(2).Networks[0].View()); err == nil {
			t.Error("it has a radio")
		}
	})
}

// A border router speaks over its own interface.
func TestBorderRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.HomeOf50(1).Networks[0]
		i := m.FindName("Kitchen HomePod")
		g := newStage(t)
		g.ours(FromMesh(m.View(), i), Options{})
		s := g.mustCASE()
		r := reported(t, g, s)
		if r.Transport != diag.TransportEthernet || r.Role != diag.RoleLeader || len(r.Children) == 0 {
			t.Errorf("%v %v", r.Transport, r.Role)
		}
		if got := g.text(s, pathOf(1, threadBorderRouterManagement, 0)); got != "Kitchen HomePod" {
			t.Error(got)
		}
		if id, _ := g.value(s, pathOf(1, threadBorderRouterManagement, 1)).Octets(); len(id) != 16 {
			t.Errorf("%x", id)
		}
	})
}

// Everything works on a bad network, only slower.
func TestLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := mrand.New(mrand.NewPCG(5, 6))
		g := newStage(t)
		g.net.Fate = func(simnet.Packet) (copies []time.Duration) {
			if r.Float64() < 0.1 {
				return nil
			}
			for len(copies) < 2 && (len(copies) == 0 || r.Float64() < 0.2) {
				copies = append(copies, time.Duration(r.IntN(40))*time.Millisecond)
			}
			return copies
		}
		n := g.node(nodeAddr, aPlug(), Options{})
		s := g.mustPASE(n.Setup())
		g.commission(s, g.ca, nodeID, nil)
		s = g.mustCASE()
		if got := g.code(s, generalCommissioning, 4, nil); got != commissioningOK {
			t.Errorf("%d", got)
		}
		for range 5 {
			if r := g.read(s, scanPaths...); r.Attributes.Len() < 80 {
				t.Errorf("%d attributes", r.Attributes.Len())
			}
		}
		if n.Stats().Messages.Retransmitted == 0 {
			t.Error("nothing was lost")
		}
	})
}

// Fifty nodes are cheap, and nothing is left of them.
func TestMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		home := mesh.HomeOf50(1)
		for _, m := range home.Networks {
			v := m.View()
			for i := range m.Nodes {
				g.node(netip.AddrPortFrom(v.MLEID(i), 5540), FromMesh(v, i), Options{Fabrics: []Fabric{g.member(uint64(i + 1))}})
			}
		}
	})
}
