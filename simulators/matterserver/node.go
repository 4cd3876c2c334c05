package matterserver

import (
	"encoding/binary"
	"net/netip"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// Clusters and the device types of the simulated nodes (Matter 1.6).
const (
	descriptor           = 29
	basicInformation     = 40
	powerSource          = 47
	networkCommissioning = 49
	generalDiagnostics   = 51
	threadDiagnostics    = 53
	icdManagement        = 70

	rootNode      = 22
	onOffPlug     = 266
	contactSensor = 21
)

const (
	featureMap      = 65532
	clusterRevision = 65533
)

// attributes are the values that node i has now, by path.
func (s *Server) attributes(v *mesh.View, i int) map[string]any {
	n := v.Node(i)
	a := map[string]any{}
	set := func(endpoint, cluster int, values map[int]any) {
		for id, value := range values {
			a[path(endpoint, cluster, id)] = value
		}
	}
	kind := onOffPlug
	if n.Sleepy() {
		kind = contactSensor
	}
	set(0, descriptor, map[int]any{0: []object{{{"0", rootNode}, {"1", 4}}}, 3: []int{1}})
	set(1, descriptor, map[int]any{0: []object{{{"0", kind}, {"1", 2}}}, 3: []int{}})
	set(0, basicInformation, map[int]any{1: n.Vendor, 2: 65521, 3: n.Model, 5: n.Name, 6: "XX", 8: "1", 10: n.Firmware, clusterRevision: 6, featureMap: 0})
	set(0, networkCommissioning, map[int]any{featureMap: 2, 1: []object{{{"0", beOctets(uint64(v.Mesh().ExtPANID))}, {"1", true}}}, 10: n.ThreadVersion})
	set(0, generalDiagnostics, map[int]any{0: []object{interfaceOf(v, i)}, 1: 3, 2: 86400, 3: 24, 4: 1, 8: false, clusterRevision: 3, featureMap: 1})
	if n.Sleepy() {
		set(0, icdManagement, map[int]any{0: 300, 1: 1000, 2: 300, featureMap: 0, clusterRevision: 3})
	}
	if n.Battery > 0 {
		set(1, powerSource, map[int]any{12: 2 * int(n.Battery), featureMap: 2})
	}
	set(0, threadDiagnostics, s.threadDiagnostics(v, i))
	return a
}

// interfaceOf is the NetworkInterface of the radio: its hardware address is the
// extended address, in the order in which it is printed.
func interfaceOf(v *mesh.View, i int) object {
	addresses := [][]byte{}
	for _, a := range v.Addresses(i) {
		addresses = append(addresses, a.AsSlice())
	}
	return object{{"0", "wpan0"}, {"1", true}, {"2", nil}, {"3", nil}, {"4", beOctets(uint64(v.Node(i).ExtAddr))}, {"5", []any{}}, {"6", addresses}, {"7", 4}}
}

func beOctets(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

// ipv6Prefix is Matter's ipv6pre: the length in bits, then the octets it needs.
func ipv6Prefix(p netip.Prefix) []byte {
	return append([]byte{byte(p.Bits())}, p.Addr().AsSlice()[:(p.Bits()+7)/8]...)
}

// threadDiagnostics is cluster 0x0035.
func (s *Server) threadDiagnostics(v *mesh.View, i int) map[int]any {
	n, m, p := v.Node(i), v.Mesh(), v.Leader(i)
	a := map[int]any{
		0: m.Channel, 1: role(v, i), 2: m.Name, 3: m.PANID, 4: uint64(m.ExtPANID), 5: ipv6Prefix(m.MeshLocalPrefix), 6: 0,
		7: neighbors(v, i), 8: s.routes(v, i),
		9: p.ID, 10: p.Weighting, 11: p.DataVersion, 12: p.StableDataVersion, 13: p.Leader,
		14: 2, 15: 4, 16: 3, 17: 1, 18: 3, 19: 0, 20: 0, 21: 1, 22: 1778908, 33: 2912, 36: 324, 39: 8458254, 54: 623,
		56: m.ActiveTimestamp, 59: object{{"0", 672}, {"1", 63736}}, 60: []byte{0, 0x1f, 0xff, 0xe0}, 62: []int{},
		63: uint64(n.ExtAddr), 64: n.RLOC16(), featureMap: 15, clusterRevision: 3,
	}
	if s.o.OldRevision != nil && s.o.OldRevision(n) {
		delete(a, 63)
		delete(a, 64)
		a[clusterRevision] = 2
	}
	return a
}

// percent is an error rate as Matter gives it.
func percent(r diag.Rate) int { return (int(r)*100 + 32767) / 65535 }
