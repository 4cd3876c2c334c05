package topology

import (
	"net/netip"
	"testing"
	"time"

	"threadmap/diag"
)

// A row of Home Assistant's registry names a node, and says nothing of whether it
// is up or where: it comes after what the node said, and is no sign of life.
func TestRegistryRows(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)
	const router, neighbor, child, gone = diag.ExtAddr(0x11), diag.ExtAddr(0x12), diag.ExtAddr(0x13), diag.ExtAddr(0x14)
	address := netip.MustParseAddr("fd00:1::13")
	full := diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}
	live := func(x diag.ExtAddr, rloc uint16, rows []diag.Neighbor) diag.Report {
		r := diag.Report{Source: "thread", Session: "s", At: at, Own: []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessDiagnostic}}, Transport: diag.TransportThread,
			RLOC16: diag.MakeRLOC16(rloc), Role: diag.RoleRouter, Mode: diag.Some(full), Network: diag.Network{ExtPANID: 0xcafe}, Children: []diag.Neighbor{}, Neighbors: rows,
			Addresses: []netip.Addr{netip.AddrFrom16([16]byte{0xfd, 0, 0, 1, 15: byte(x)})}}
		if x == router {
			r.Children = []diag.Neighbor{{ExtAddr: child, RLOC16: diag.MakeRLOC16(rloc | 1), Mode: diag.Some(diag.Mode{}), LinkQualityIn: diag.Some[uint8](3), Addresses: []netip.Addr{address}}}
		}
		return r
	}
	row := func(x diag.ExtAddr, name string) diag.Report {
		return diag.Report{Source: "home-assistant", At: at.Add(5 * time.Second), Cached: true, Matter: []diag.MatterID{{Fabric: 7, Node: uint64(x)}}, Room: "Hall",
			Names: []diag.Name{{Value: name, Kind: diag.NameHome}}, BatteryPercent: diag.Some[uint8](50)}
	}
	host := func(x diag.ExtAddr) diag.Report { // what joins the two
		return diag.Report{Source: "mdns", At: at.Add(-time.Second), Hosts: []string{x.String()}, Own: []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessHost}},
			Matter: []diag.MatterID{{Fabric: 7, Node: uint64(x)}}, Instances: []string{"i" + x.String()}}
	}
	hears := func(x diag.ExtAddr, rloc uint16) []diag.Neighbor {
		return []diag.Neighbor{{ExtAddr: x, RLOC16: diag.MakeRLOC16(rloc), Mode: diag.Some(full), LinkQualityIn: diag.Some[uint8](3), AverageRSSI: diag.Some[int8](-50)}}
	}
	m := Build([]diag.Report{
		live(router, 0x0400, hears(neighbor, 0x0800)), live(neighbor, 0x0800, hears(router, 0x0400)),
		host(router), host(child), row(router, "Plug"), row(child, "Button"), row(gone, "Lamp"),
	})
	byID := map[string]*Node{}
	for _, n := range m.Nodes {
		byID[n.ID] = n
	}
	r, c := byID[router.String()], byID[child.String()]
	if r == nil || c == nil || len(m.Nodes) != 4 {
		t.Fatalf("%d nodes", len(m.Nodes))
	}
	if r.State != NodeOK || r.Name != "Plug" || r.Room != "Hall" || r.Role != diag.RoleRouter || len(r.Addresses) != 1 {
		t.Errorf("%+v", r)
	}
	if c.State != NodeOK || c.Name != "Button" || c.Parent != r || len(c.Addresses) != 1 || c.Addresses[0] != address || c.Mode != diag.Some(diag.Mode{}) || c.Battery != diag.Some[uint8](50) {
		t.Errorf("%+v", c)
	}
	for _, n := range m.Nodes {
		if n.Name == "Lamp" && (n.State != NodeUnknown || n.Why != "only its home system knows it, from when it was added" || n.Network != nil) {
			t.Errorf("%+v", n)
		}
	}
	// A row of a later day does not make the mesh that was heard before look gone.
	later := row(router, "Plug")
	later.At = at.Add(48 * time.Hour)
	m = Build([]diag.Report{live(router, 0x0400, hears(neighbor, 0x0800)), live(neighbor, 0x0800, hears(router, 0x0400)), host(router), later})
	if n := m.Nodes[0]; n.ExtAddr != router || n.State != NodeOK || n.RLOC16 != diag.MakeRLOC16(0x0400) || n.Room != "Hall" {
		t.Errorf("%+v", n)
	}
}
