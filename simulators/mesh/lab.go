package mesh

import (
	"fmt"
	"net/netip"
	"time"

	"threadmap/diag"
)

// Lab is the mesh on which the captures of OpenThread and its border router
// (builds of 2025-09 and 2026-08) were taken: a border router, five routers,
// two sleepy children and one that is a full Thread device. extra (0..20)
// receiver-on minimal children more hang on router 0xc000. The keys are those
// of the captured dataset, which are public.
func Lab(extra int) *Mesh {
	m := &Mesh{
		Name: "ThreadMapLab", ExtPANID: 0xdead00beef00cafe, PANID: 0xface, Channel: 15,
		MeshLocalPrefix: netip.MustParsePrefix("fd00:db8:a0::/64"), OMRPrefixes: []netip.Prefix{netip.MustParsePrefix("fdf0:27d3:e9ad:1::/64")},
		ActiveTimestamp: 1 << 16,
		Partitions:      []Partition{{ID: 97983411, Leader: 23, Weighting: 65, DataVersion: 198, StableDataVersion: 78, IDSequence: 192}},
		NetworkKey:      [16]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff},
		PSKc:            [16]byte{0x82, 0xbd, 0x66, 0x99, 0x5a, 0xb1, 0x50, 0xde, 0x4d, 0xab, 0x94, 0x39, 0x37, 0xb2, 0xb6, 0x6d},
	}
	add := func(n int, router uint8, child uint16, mode diag.Mode, mleid, omr uint64) {
		m.Nodes = append(m.Nodes, Node{
			ExtAddr: labAddr(n), EUI64: diag.ExtAddr(0x18b4300000000000 + uint64(n)), RouterID: router, ChildID: child, Mode: mode,
			Name: fmt.Sprintf("lab node %d", n), Vendor: "RD:", Model: "Sim-FTD", Firmware: fmt.Sprintf("1.0.%d", n),
			Stack: "OPENTHREAD/thread-reference-20250612-1416-ga90042774-dirty; SIMU", ThreadVersion: 5, Timeout: 240 * time.Second,
			MLEIID: mleid, OMRIID: omr,
		})
	}
	ftd := diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}
	add(1, 26, 0, ftd, 0x5ccc50859a09e097, 0x1b92113465d89336)
	m.Nodes[0].BorderRouter, m.Nodes[0].BorderAgentID, m.Nodes[0].OTBR = true, "ad08de9eef6e693440c458db9ca3b007", 3
	add(2, 23, 0, ftd, 0xf3be6f38690dc4b9, 0x5a29fd6ef1cd0f61)
	add(3, 16, 0, ftd, 0x13527e63df07d630, 0x7ee430acea1c146f)
	add(4, 48, 0, ftd, 0x8f6852978a6c03f6, 0x23271e88f4c73dab)
	add(5, 33, 0, ftd, 0x07bcb96550208720, 0x5ad8ab7d7be5c3a3)
	add(6, 22, 0, ftd, 0x7bdae2488d8306ca, 0x9af41447bce8e6eb)
	add(7, 33, 1, diag.Mode{}, 0x369ffbf379a9e8a8, 0xbbe8dd7c403544f0)
	add(8, 22, 1, diag.Mode{}, 0x3e75dbf1593dea7f, 0xe7b81d67ceb49a88)
	add(9, 23, 2, ftd, 0x7bad7ee758984967, 0x6e6122d0333a6b32)
	m.Nodes[6].Supervision, m.Nodes[7].Supervision = 129*time.Second, 129*time.Second
	link := func(a, b int, atA, atB int8) {
		m.Links = append(m.Links, Link{A: a - 1, B: b - 1, AToB: Hear(atB), BToA: Hear(atA), Age: 20 * time.Second, Up: 870 * time.Second})
	}
	link(1, 2, -50, -50)
	link(1, 3, -85, -50)
	link(2, 3, -50, -50)
	link(3, 4, -95, -85)
	link(4, 5, -50, -50)
	link(4, 6, -50, -50)
	link(5, 6, -85, -95)
	link(5, 7, -50, -50)
	link(6, 8, -50, -50)
	link(2, 9, -50, -50)
	for k := range max(0, min(extra, 20)) {
		n := 10 + k
		add(n, 48, uint16(3+k), diag.Mode{RxOnWhenIdle: true, FullNetworkData: true}, 0x5650d92600000000+uint64(n), 0x8e5de66500000000+uint64(n))
		link(4, n, -50, -50)
	}
	return m
}

func labAddr(n int) diag.ExtAddr {
	return diag.ExtAddr(0x0e00000000000000 | 0x0001010101010101*uint64(n))
}
