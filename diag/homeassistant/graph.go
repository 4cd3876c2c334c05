package homeassistant

import (
	"encoding/json"
	"strconv"

	"threadmap/diag"
)

// A graphNode is a node of matter/network_topology. Through Home Assistant what
// is not known is null.
type graphNode struct {
	Kind     text            `json:"kind"`
	Type     text            `json:"network_type"`
	ID       json.RawMessage `json:"node_id"`
	Device   text            `json:"ha_device_id"`
	Role     text            `json:"role"`
	Avail    json.RawMessage `json:"available"`
	ExtAddr  text            `json:"ext_address"`
	RLOC16   json.RawMessage `json:"rloc16"`
	ExtPANID text            `json:"ext_pan_id"`
	Network  text            `json:"network_name"`
	Host     text            `json:"host_name"`
	Vendor   text            `json:"vendor_name"`
	Model    text            `json:"model_name"`
}

// readGraph makes reports of the nodes of matter/network_topology, and of the
// border routers that the Matter server heard: what each one says of itself. The
// connections are left out, see the package comment.
func (g *registry) readGraph(raw json.RawMessage) (out []diag.Report) {
	var doc struct {
		Nodes json.RawMessage `json:"nodes"`
	}
	_ = json.Unmarshal(raw, &doc) // another shape has none
	nodes, dropped := rows[graphNode](doc.Nodes, maxDevices)
	g.dropped += dropped
	for _, n := range nodes {
		r := diag.Report{Vendor: string(n.Vendor), Product: string(n.Model), Available: boolean(n.Avail)}
		witness := diag.WitnessInterface
		switch n.Kind {
		case "matter":
			id, ok := g.matter(string(n.Device), n.ID)
			if !ok {
				continue
			}
			r.Matter = []diag.MatterID{id}
			r.Role = roles[string(n.Role)]
		case "border_router":
			witness, r.BorderRouter, r.Transport = diag.WitnessMeshCoP, diag.Some(true), diag.TransportThread
			if n.Host != "" {
				r.Hosts = []string{string(n.Host)}
			}
		default: // seen in others' tables only
			continue
		}
		switch n.Type {
		case "thread":
			r.Transport = diag.TransportThread
		case "wifi":
			r.Transport = diag.TransportWiFi
		case "ethernet":
			r.Transport = diag.TransportEthernet
		}
		if r.Transport == diag.TransportThread {
			if x, err := diag.ParseExtAddr(string(n.ExtAddr)); err == nil && x != 0 {
				r.Own = []diag.AddrClaim{{ExtAddr: x, Witness: witness}}
			}
			if v, ok := smallUint(n.RLOC16, 1<<16-1); ok {
				r.RLOC16 = diag.MakeRLOC16(uint16(v))
			}
			if xp, err := diag.ParsePANID64(string(n.ExtPANID)); err == nil {
				r.Network.ExtPANID = xp
			}
			r.Network.Name = string(n.Network)
		} else {
			r.Role = diag.RoleUnknown
		}
		if len(r.Own) == 0 && len(r.Matter) == 0 {
			continue
		}
		out = append(out, r)
	}
	return out
}

// roles are the Matter server's words.
var roles = map[string]diag.Role{
	"leader": diag.RoleLeader, "router": diag.RoleRouter, "reed": diag.RoleREED, "end_device": diag.RoleEndDevice,
	"sleepy_end_device": diag.RoleSleepyEndDevice, "unassigned": diag.RoleDetached,
}

// matter is the Matter id of a device of the registry, or else of a node id on
// the only fabric that the registry knows.
func (g *registry) matter(device string, node json.RawMessage) (diag.MatterID, bool) {
	var fabric uint64
	one := true
	for _, d := range g.devices {
		if d.matter.Node == 0 {
			continue
		}
		if device != "" && string(d.ID) == device {
			return d.matter, true
		}
		one = one && (fabric == 0 || fabric == d.matter.Fabric)
		fabric = d.matter.Fabric
	}
	id, err := strconv.ParseUint(string(node), 10, 64)
	if !one {
		fabric = 0
	}
	return diag.MatterID{Fabric: fabric, Node: id}, err == nil && id != 0
}

// readNodeDiagnostics makes a report of an answer to matter/node_diagnostics
// about a device: coarser than the graph, and known to older versions. Its
// node_type is left out: "end_device" may be a router-to-be, and
// "routing_end_device" the leader.
func readNodeDiagnostics(d device, raw json.RawMessage) (r diag.Report, ok bool) {
	var n struct {
		Type      text            `json:"network_type"`
		Network   text            `json:"network_name"`
		Addresses json.RawMessage `json:"ip_adresses"` // as Home Assistant spells it
		Spelt     json.RawMessage `json:"ip_addresses"`
		MAC       text            `json:"mac_address"`
		Avail     json.RawMessage `json:"available"`
	}
	if json.Unmarshal(raw, &n) != nil {
		return r, false
	}
	r = diag.Report{Matter: []diag.MatterID{d.matter}, Available: boolean(n.Avail)}
	for _, a := range append(addresses(n.Addresses), addresses(n.Spelt)...) {
		if len(r.Addresses) < 64 {
			r.Addresses = append(r.Addresses, a)
		}
	}
	switch n.Type {
	case "thread":
		r.Transport, r.Network.Name = diag.TransportThread, string(n.Network)
		if x, err := diag.ParseExtAddr(string(n.MAC)); err == nil && x != 0 {
			r.Own = []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessInterface}}
		}
	case "wifi":
		r.Transport = diag.TransportWiFi
	case "ethernet":
		r.Transport = diag.TransportEthernet
	}
	return r, true
}

func boolean(raw json.RawMessage) diag.Opt[bool] {
	switch string(raw) {
	case "true":
		return diag.Some(true)
	case "false":
		return diag.Some(false)
	}
	return diag.Opt[bool]{}
}

func smallUint(raw json.RawMessage, most uint64) (uint64, bool) {
	v, err := strconv.ParseUint(string(raw), 10, 64)
	return v, err == nil && v <= most
}
