package mesh

import (
	"net/netip"
	"strings"
	"testing"

	"threadmap/diag"
)

func TestValidateRefuses(t *testing.T) {
	for want, spoil := range map[string]func(m *Mesh){
		"name: want 1 to 16":               func(m *Mesh) { m.Name = strings.Repeat("x", 17) },
		"extended PAN id: want":            func(m *Mesh) { m.ExtPANID = 0 },
		"broadcast PAN":                    func(m *Mesh) { m.PANID = 0xffff },
		"channel 27":                       func(m *Mesh) { m.Channel = 27 },
		"mesh-local prefix":                func(m *Mesh) { m.MeshLocalPrefix = netip.Prefix{} },
		"0 partitions":                     func(m *Mesh) { m.Partitions = nil },
		"off-mesh-routable prefix":         func(m *Mesh) { m.OMRPrefixes = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} },
		"leader: no router has id 7":       func(m *Mesh) { m.Partitions[0].Leader = 7 },
		"two partitions have this id":      func(m *Mesh) { m.Partitions = append(m.Partitions, m.Partitions[0]) },
		"extended address: want":           func(m *Mesh) { m.Nodes[3].ExtAddr = 0 },
		"extended address 0e010101":        func(m *Mesh) { m.Nodes[3].ExtAddr = labAddr(1) },
		"router id 63":                     func(m *Mesh) { m.Nodes[3].RouterID = 63 },
		"child id 512":                     func(m *Mesh) { m.Nodes[8].ChildID = 512 },
		"RLOC16 0x8401":                    func(m *Mesh) { m.Nodes[7].RouterID = 33 },
		"no router has id 5":               func(m *Mesh) { m.Nodes[8].RouterID = 5 },
		"partition 1: the network has 1":   func(m *Mesh) { m.Nodes[8].Partition = 1 },
		"a router is a full":               func(m *Mesh) { m.Nodes[3].Mode.FullThreadDevice = false },
		"has its receiver on":              func(m *Mesh) { m.Nodes[8].Mode.RxOnWhenIdle = false },
		"a REED is":                        func(m *Mesh) { m.Nodes[3].REED = true },
		"otbr 4":                           func(m *Mesh) { m.Nodes[0].OTBR = 4 },
		"a border router is":               func(m *Mesh) { m.Nodes[6].BorderRouter = true },
		"given twice":                      func(m *Mesh) { m.Links = append(m.Links, Link{A: 1, B: 0}) },
		"two different nodes":              func(m *Mesh) { m.Links = append(m.Links, Link{A: 1, B: 99}) },
		"link quality is 0 to 3":           func(m *Mesh) { m.Links[0].AToB.LQ = 4 },
		"children have no links":           func(m *Mesh) { m.Links = append(m.Links, Link{A: 6, B: 7}) },
		"a child has a link to its parent": func(m *Mesh) { m.Links = append(m.Links, Link{A: 0, B: 7}) },
		"a child needs a link":             func(m *Mesh) { m.Links = m.Links[:9] },
		"no node has extended":             func(m *Mesh) { m.Faults = []Fault{{Kind: FaultSilent, Node: 1}} },
		"no such fault":                    func(m *Mesh) { m.Faults = []Fault{{Kind: "fire", Node: labAddr(1)}} },
		"linked to it":                     func(m *Mesh) { m.Faults = []Fault{{Kind: FaultOneWay, Node: labAddr(1), Peer: labAddr(4)}} },
		"a free router id":                 func(m *Mesh) { m.Faults = []Fault{{Kind: FaultGhost, Node: labAddr(1), Peer: 5, RouterID: 23}} },
		"a former parent": func(m *Mesh) {
			m.Faults = []Fault{{Kind: FaultStaleChild, Node: labAddr(7), Peer: labAddr(5), ChildID: 9}}
		},
		"another child has that child id now": func(m *Mesh) {
			m.Faults = []Fault{{Kind: FaultStaleChild, Node: labAddr(7), Peer: labAddr(6), ChildID: 1}}
		},
		"not its parent": func(m *Mesh) { m.Faults = []Fault{{Kind: FaultOverhears, Node: labAddr(9), Peer: labAddr(2)}} },
		"their children follow": func(m *Mesh) {
			m.Faults = []Fault{{Kind: FaultSplit, Node: labAddr(4), Nodes: []diag.ExtAddr{labAddr(7)}}}
		},
		"it is no router": func(m *Mesh) { m.Faults = []Fault{{Kind: FaultLostLists, Node: labAddr(7)}} },
		"at most 1000":    func(m *Mesh) { m.Faults = make([]Fault, 1001) },
	} {
		m := Lab(0)
		spoil(m)
		if err := m.Validate(); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "network ") {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	routers := Line(32).Networks[0]
	n := routers.Nodes[31]
	n.RouterID, n.ExtAddr = 40, 77
	routers.Nodes = append(routers.Nodes, n)
	if err := routers.Validate(); err == nil || !strings.Contains(err.Error(), "more than 32 routers") {
		t.Errorf("33 routers: %v", err)
	}
	a, b := Lab(0), Lab(0)
	if err := (&Home{Networks: []*Mesh{a, b}}).Validate(); err == nil {
		t.Error("one extended PAN id twice")
	}
	b.ExtPANID++
	if err := (&Home{Networks: []*Mesh{a, b}}).Validate(); err == nil || !strings.Contains(err.Error(), "extended address") {
		t.Errorf("one node in two networks: %v", err)
	}
}
