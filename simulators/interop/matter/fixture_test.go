//go:build linux

package matter

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// A node is what js/device.mjs is told of one. Attributes are by cluster and
// attribute id, structs by field id (see js/jsonvalue.mjs).
type node struct {
	ID            string                    `json:"id"`
	Port          uint16                    `json:"port"`
	Passcode      uint32                    `json:"passcode"`
	Discriminator uint16                    `json:"discriminator"`
	Vendor        string                    `json:"vendor"`
	Product       string                    `json:"product"`
	Firmware      string                    `json:"firmware"`
	Label         string                    `json:"label"`
	Attributes    map[string]map[string]any `json:"attributes"`
	Interface     networkInterface          `json:"interface"`
	ExtPANID      string                    `json:"ext_pan_id"`
	ICD           *icdDevice                `json:"icd,omitempty"`
}

type networkInterface struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

type fields = map[string]any

// lab is a mesh of real sizes with a router whose RLOC16 is 0x0000.
func lab(extra int) *mesh.Mesh {
	m := mesh.Lab(extra)
	for i := range m.Nodes {
		if m.Nodes[i].RouterID == 16 {
			m.Nodes[i].RouterID = 0
		}
	}
	return m
}

// nodesOf are the nodes of a mesh as Matter nodes, numbered from first on.
func nodesOf(m *mesh.Mesh, first int) []node {
	v := m.View()
	out := make([]node, len(m.Nodes))
	for i := range out {
		n := v.Node(i)
		out[i] = newNode(first+i, n.ExtAddr, m.ExtPANID)
		out[i].Vendor, out[i].Product, out[i].Firmware, out[i].Label = n.Vendor, n.Model, n.Firmware, n.Name
		out[i].Attributes["53"] = threadDiagnostics(v, i)
	}
	return out
}

// newNode is the number-th node, with all that tells it from others.
func newNode(number int, x diag.ExtAddr, xp diag.PANID64) node {
	return node{
		ID: fmt.Sprintf("n%02d", number), Port: uint16(5600 + number), Passcode: uint32(20000000 + 1234*number), Discriminator: uint16(0x100*(number%16) + number/16),
		Vendor: "Vendor", Product: "Product", Firmware: "1.0", Label: fmt.Sprintf("Node %d", number), Attributes: map[string]map[string]any{},
		Interface: networkInterface{"wpan0", fmt.Sprintf("%016x", uint64(x))}, ExtPANID: fmt.Sprintf("%016x", uint64(xp)),
	}
}

// integer is v for JSON, where a double can't hold all of them.
func integer(v uint64) any {
	if v > 1<<53 {
		return strconv.FormatUint(v, 10)
	}
	return v
}

// threadDiagnostics is cluster 0x0035 of node i.
func threadDiagnostics(v *mesh.View, i int) fields {
	n, m, p := v.Node(i), v.Mesh(), v.Leader(i)
	return fields{
		"0": m.Channel, "1": routingRole(v.Role(i)), "2": m.Name, "3": m.PANID, "4": integer(uint64(m.ExtPANID)), "5": ipv6Prefix(m.MeshLocalPrefix), "6": 3,
		"7": neighborTable(v, i), "8": routeTable(v, i),
		"9": p.ID, "10": p.Weighting, "11": p.DataVersion, "12": p.StableDataVersion, "13": p.Leader,
		"14": 1 + i, "15": 4, "16": 3, "17": 1, "18": 3, "19": 0, "20": 0, "21": 1, "22": 1778908, "33": 2912, "36": 324, "39": 8458254, "54": 623,
		"56": integer(m.ActiveTimestamp), "57": nil, "58": nil, "59": fields{"0": 672, "1": 63736}, "60": "001fffe0", "61": nil, "62": []any{},
		"63": integer(uint64(n.ExtAddr)), "64": n.RLOC16(),
	}
}

func routingRole(r diag.Role) int {
	return map[diag.Role]int{
		diag.RoleDetached: 1, diag.RoleSleepyEndDevice: 2, diag.RoleEndDevice: 3, diag.RoleREED: 4, diag.RoleRouter: 5, diag.RoleLeader: 6,
	}[r]
}

// ipv6Prefix is Matter's ipv6pre: the length in bits, then the octets it needs.
func ipv6Prefix(p netip.Prefix) string {
	return fmt.Sprintf("%02x", p.Bits()) + hex.EncodeToString(p.Addr().AsSlice()[:(p.Bits()+7)/8])
}

func neighborTable(v *mesh.View, i int) []any {
	rows := []any{}
	row := func(x diag.ExtAddr, rloc16 uint16, age time.Duration, heard mesh.Direction, mode diag.Mode, child bool) {
		percent := func(r diag.Rate) int { return (int(r)*100 + 32767) / 65535 }
		rows = append(rows, fields{
			"0": integer(uint64(x)), "1": int(age / time.Second), "2": rloc16, "3": uint32(x), "4": uint32(x>>32) % 200000,
			"5": heard.LQ, "6": heard.RSSI, "7": heard.LastRSSI, "8": percent(heard.FrameError), "9": percent(heard.MessageError),
			"10": mode.RxOnWhenIdle, "11": mode.FullThreadDevice, "12": mode.FullNetworkData, "13": child,
		})
	}
	router := diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}
	for _, w := range v.RouterNeighbors(i) {
		row(w.ExtAddr, w.RLOC16, w.Age, w.Heard, router, false)
	}
	for _, c := range v.Children(i) {
		row(c.ExtAddr, c.RLOC16, c.Age, c.Heard, c.Mode, true)
	}
	if w, ok := v.ParentRow(i); ok {
		row(w.ExtAddr, w.RLOC16, w.Age, w.Heard, router, false)
	}
	return rows
}

func routeTable(v *mesh.View, i int) []any {
	rows := []any{}
	for _, w := range v.Route64(i) {
		cost := w.Cost
		if w.Self {
			cost = 0
		}
		rows = append(rows, fields{
			"0": integer(uint64(w.ExtAddr)), "1": uint16(w.RouterID) << 10, "2": w.RouterID, "3": w.NextHop, "4": cost,
			"5": w.LQIn, "6": w.LQOut, "7": int(w.Age/time.Second) % 256, "8": true, "9": w.HasLink,
		})
	}
	return rows
}

// crowded is a node with as many rows as a table ever has: 60 neighbors and 63
// routes, with numbers at their bounds and nulls among them.
func crowded(number int) node {
	x := diag.ExtAddr(0xfedcba9876543210)
	n := newNode(number, x, 0xbbbb000000000001)
	a := notAttached()
	neighbors, routes := []any{}, []any{}
	for i := range 60 {
		row := fields{
			"0": integer(0xffffffffffffffff - uint64(i)), "1": uint32(0xffffffff - i), "2": 0x0001 + i, "3": uint32(0xfffffff0 + i%16), "4": i,
			"5": i % 4, "6": -128 + i, "7": -i, "8": i, "9": 100 - i, "10": i%2 == 0, "11": i%3 == 0, "12": i%5 == 0, "13": i >= 30,
		}
		if i%7 == 0 {
			row["6"], row["7"] = nil, nil
		}
		neighbors = append(neighbors, row)
	}
	for i := range 63 {
		routes = append(routes, fields{
			"0": integer(uint64(i) * 0x0102030405060708), "1": uint16(i) << 10, "2": i, "3": 63, "4": i % 16, "5": i % 4, "6": 3 - i%4, "7": 255 - i, "8": i%2 == 0, "9": i%3 == 0,
		})
	}
	a["0"], a["1"], a["2"], a["3"], a["4"] = 26, 6, "sixteen chars ok", 0xfffe, integer(0xbbbb000000000001)
	a["7"], a["8"], a["63"], a["64"] = neighbors, routes, integer(uint64(x)), 0
	n.Attributes["53"] = a
	return n
}

// notAttached is a node that is in no Thread network: null wherever Matter
// allows it.
func notAttached() fields {
	a := fields{"6": 0, "7": []any{}, "8": []any{}, "62": []any{}}
	for _, id := range []int{0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 56, 57, 58, 59, 60, 61, 63, 64} {
		a[strconv.Itoa(id)] = nil
	}
	for id := 14; id <= 55; id++ {
		a[strconv.Itoa(id)] = id
	}
	return a
}
