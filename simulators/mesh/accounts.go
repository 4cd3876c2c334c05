package mesh

import (
	"net/netip"
	"slices"

	"threadmap/diag"
)

// The forms in which other sources than a Thread stack itself tell of a mesh. As
// in [View.Reports] nothing goes through a codec of the product.

// MatterOptions say how Matter tells of the nodes.
type MatterOptions struct {
	ReportOptions
	// Cached tells that a server answered out of its cache. Reaches then says
	// which nodes it has a session with; nil: all.
	Cached  bool
	Reaches func(*Node) bool
	// Old tells of nodes with a stack before SDK 1.4.2: it sends attribute
	// ExtAddress with its octets reversed and has no attribute Rloc16.
	Old func(*Node) bool
}

// MatterReports is what the nodes that are Matter devices say in clusters 0x0035
// and 0x0033, by node index.
func (v *View) MatterReports(o MatterOptions) []diag.Report {
	o.RouteTable, o.Names = true, false
	var out []diag.Report
	for i := range v.m.Nodes {
		n := &v.m.Nodes[i]
		if len(n.Matter) == 0 || !v.Answers(i) && !o.Cached || o.Skip != nil && o.Skip(n) {
			continue
		}
		out = append(out, v.matterReport(i, o))
	}
	return out
}

func (v *View) matterReport(i int, o MatterOptions) diag.Report {
	n := &v.m.Nodes[i]
	all := v.report(i, o.ReportOptions, nil)
	old := o.Old != nil && o.Old(n)
	r := diag.Report{
		Source: all.Source, Via: all.Via, Session: o.Session, At: all.At, Cached: o.Cached,
		Own:    []diag.AddrClaim{{ExtAddr: n.ExtAddr, Witness: diag.WitnessInterface}},
		RLOC16: all.RLOC16, Matter: slices.Clone(n.Matter), Transport: diag.TransportThread, Role: all.Role,
		Vendor: n.Vendor, Product: n.Model, Firmware: n.Firmware, Leader: all.Leader,
		Addresses: append(v.OMR(i), v.MLEID(i), v.LinkLocal(i)),
		Network:   all.Network, Children: all.Children, Neighbors: all.Neighbors, Routes: all.Routes,
	}
	r.Network.BorderRouters, r.Network.NetworkData, r.Network.OMRPrefixes = nil, nil, nil
	x := n.ExtAddr
	if old {
		x, r.RLOC16 = x.Swapped(), diag.RLOC16{}
	}
	r.Own = append(r.Own, diag.AddrClaim{ExtAddr: x, Witness: diag.WitnessAttribute})
	if o.Cached {
		r.Available = diag.Some(o.Reaches == nil || o.Reaches(n))
	}
	for _, list := range [][]diag.Neighbor{r.Children, r.Neighbors} {
		for k := range list { // what NeighborTableStruct has no field for
			w := &list[k]
			w.Timeout, w.Supervision, w.QueuedMessages, w.CSLSynchronized = diag.Neighbor{}.Timeout, diag.Neighbor{}.Supervision, diag.Neighbor{}.QueuedMessages, diag.Neighbor{}.CSLSynchronized
			w.LinkMargin, w.ConnectedFor, w.ThreadVersion, w.Addresses = diag.Neighbor{}.LinkMargin, diag.Neighbor{}.ConnectedFor, diag.Neighbor{}.ThreadVersion, nil
		}
	}
	if w, ok := v.ParentRow(i); ok && !n.Mode.FullThreadDevice { // a minimal device's table has its parent
		id := uint8(w.RLOC16 >> 10)
		r.Routes = []diag.Route{{
			RouterID: id, ExtAddr: w.ExtAddr, NextHop: diag.Some(id), PathCost: diag.Some(uint8(1)), LinkQualityIn: diag.Some(w.Heard.LQ),
			LinkQualityOut: diag.Some(uint8(0)), LinkEstablished: diag.Some(true), Allocated: diag.Some(true),
		}}
	}
	return r
}

// Announcements is what the LAN hears of the mesh: border routers announce their
// border agents, and what registered with them. xa, when not nil, tells what a
// border router announces as its extended address.
func (v *View) Announcements(o ReportOptions, xa func(*Node) diag.ExtAddr) []diag.Report {
	var out []diag.Report
	for i := range v.m.Nodes {
		n := &v.m.Nodes[i]
		if o.Skip != nil && o.Skip(n) {
			continue
		}
		r := diag.Report{Source: "mdns", Via: "LAN", At: o.At, Transport: diag.TransportThread}
		switch {
		case n.BorderRouter:
			x := n.ExtAddr
			if xa != nil {
				x = xa(n)
			}
			r.Own = []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessMeshCoP}}
			r.BorderAgentID, r.BorderRouter, r.BorderAgent = n.BorderAgentID, diag.Some(true), diag.Some(diag.BorderAgent{StateBitmap: diag.Some(uint32(0x1b1))})
			r.Instances, r.Hosts = []string{n.Name + " #" + x.String()[12:]}, []string{"br-" + n.BorderAgentID[:6]}
			r.Names = []diag.Name{{Value: r.Instances[0], Kind: diag.NameInstance}}
			r.Role = v.Role(i)
			if r.Role.IsChild() {
				r.Role = diag.RoleEndDevice
			}
			r.Network = diag.Network{ExtPANID: v.m.ExtPANID, Name: v.m.Name, ActiveTimestamp: diag.Some(v.m.ActiveTimestamp), OMRPrefixes: append([]netip.Prefix{}, v.m.OMRPrefixes...)}
			r.Leader.PartitionID = diag.Some(v.Leader(i).ID)
		case len(n.Matter) > 0:
			r.Own = []diag.AddrClaim{{ExtAddr: n.ExtAddr, Witness: diag.WitnessHost}}
			r.Hosts, r.Matter, r.Addresses = []string{n.ExtAddr.String()}, slices.Clone(n.Matter), v.OMR(i)
		default:
			continue
		}
		out = append(out, r)
	}
	return out
}

// Registry is what a home system's list of devices says of the Matter devices:
// who they are to people.
func (m *Mesh) Registry(o ReportOptions) []diag.Report {
	var out []diag.Report
	for i := range m.Nodes {
		n := &m.Nodes[i]
		if len(n.Matter) == 0 || o.Skip != nil && o.Skip(n) {
			continue
		}
		r := diag.Report{Source: "home-assistant", Via: "home", At: o.At, Cached: true, Matter: slices.Clone(n.Matter[:1]), Room: n.Room, Vendor: n.Vendor, Product: n.Model}
		if n.Name != "" {
			r.Names = []diag.Name{{Value: n.Name, Kind: diag.NameHome}}
		}
		out = append(out, r)
	}
	return out
}
