package mesh

import (
	"net/netip"
	"time"

	"threadmap/diag"
)

// ReportOptions say what perfect sources leave out. The zero value is: every
// node that answers tells all that a Thread stack knows of itself.
type ReportOptions struct {
	Source  string    // default "simulated"
	Via     string    // default the network's name
	Session string    // default the network's name
	At      time.Time // default: unknown

	// From is the node that asks; only its partition is reachable. 0: everybody.
	From diag.ExtAddr
	// Skip, when not nil, tells of nodes that are not asked.
	Skip func(*Node) bool

	RoutersOnly bool // children don't answer
	// ChildTableOnly leaves of a child what TLV 16 says (id, mode, timeout,
	// quality): no extended address, the old OTBR's view.
	ChildTableOnly bool
	// NoNeighbors leaves out the neighbor lists, so that links stand in the
	// route tables only.
	NoNeighbors bool
	// RouteTable gives routes in the form of Matter's RouteTable (next hops,
	// extended addresses, cost 0 for itself) and the neighbors that a child
	// has there, its parent; otherwise they are a Route64.
	RouteTable bool
	// Names adds the names and rooms that people gave.
	Names bool
	// NoNetwork leaves out what is known of the network as a whole, but for
	// addresses and leader data, which TMF always gives.
	NoNetwork bool
}

// Reports is what every node of the home says.
func (h *Home) Reports(o ReportOptions) []diag.Report {
	out := make([]diag.Report, 0, h.Nodes())
	for _, m := range h.Networks {
		out = append(out, m.Reports(o)...)
	}
	return out
}

// Reports is what the nodes of the mesh say, faults honoured, by node index.
func (m *Mesh) Reports(o ReportOptions) []diag.Report { return m.View().Reports(o) }

// Reports is what the nodes say, by node index.
func (v *View) Reports(o ReportOptions) []diag.Report {
	from := -1
	if o.From != 0 {
		if i := v.Find(o.From); i >= 0 {
			from = v.m.Nodes[i].Partition
		}
	}
	netData := make([][]byte, len(v.m.Partitions))
	for p := range netData {
		netData[p] = v.NetworkData(p)
	}
	out := make([]diag.Report, 0, len(v.m.Nodes))
	for i := range v.m.Nodes {
		n := &v.m.Nodes[i]
		if !v.Answers(i) || from >= 0 && n.Partition != from || o.RoutersOnly && !n.IsRouter() || o.Skip != nil && o.Skip(n) {
			continue
		}
		out = append(out, v.report(i, o, netData[n.Partition]))
	}
	return out
}

// Report is what node i would say were it asked, faults of its tables
// honoured, silence not.
func (v *View) Report(i int, o ReportOptions) diag.Report {
	return v.report(i, o, v.NetworkData(v.m.Nodes[i].Partition))
}

func (v *View) report(i int, o ReportOptions, netData []byte) diag.Report {
	n, m := &v.m.Nodes[i], v.m
	p := v.Leader(i)
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	r := diag.Report{
		Source: or(o.Source, "simulated"), Via: or(o.Via, m.Name), Session: or(o.Session, m.Name), At: o.At,
		Own:   []diag.AddrClaim{{ExtAddr: n.ExtAddr, Witness: diag.WitnessDiagnostic}},
		EUI64: n.EUI64, RLOC16: diag.MakeRLOC16(n.RLOC16()), BorderAgentID: n.BorderAgentID,
		Addresses: v.Addresses(i), Transport: diag.TransportThread, Role: v.Role(i), Mode: diag.Some(n.Mode),
		BorderRouter: diag.Some(n.BorderRouter), ThreadVersion: diag.Some(n.ThreadVersion),
		Vendor: n.Vendor, Product: n.Model, Firmware: n.Firmware, ThreadStack: n.Stack,
		Leader: diag.LeaderData{
			PartitionID: diag.Some(p.ID), Weighting: diag.Some(p.Weighting), DataVersion: diag.Some(p.DataVersion),
			StableDataVersion: diag.Some(p.StableDataVersion), RouterID: diag.Some(p.Leader),
		},
	}
	if o.Names {
		if n.Name != "" {
			r.Names = []diag.Name{{Value: n.Name, Kind: diag.NameHome}}
		}
		r.Room, r.Matter = n.Room, n.Matter
		if n.Battery != 0 {
			r.BatteryPercent = diag.Some(n.Battery)
		}
	}
	if !o.NoNetwork {
		br := v.BorderRouters(n.Partition)
		rlocs := make([]diag.RLOC16, 0, len(br))
		for _, b := range br {
			rlocs = append(rlocs, diag.MakeRLOC16(m.Nodes[b].RLOC16()))
		}
		r.Network = diag.Network{
			ExtPANID: m.ExtPANID, Name: m.Name, PANID: diag.Some(m.PANID), Channel: diag.Some(m.Channel), MeshLocalPrefix: m.MeshLocalPrefix,
			ActiveTimestamp: diag.Some(m.ActiveTimestamp), OMRPrefixes: append([]netip.Prefix{}, m.OMRPrefixes...), BorderRouters: rlocs,
			NetworkData: netData,
		}
	}
	if !n.IsRouter() {
		r.Timeout = diag.Some(n.Timeout)
	}
	v.tables(&r, i, o)
	return r
}

// tables fills in whom node i hears.
func (v *View) tables(r *diag.Report, i int, o ReportOptions) {
	n := &v.m.Nodes[i]
	if n.IsRouter() {
		r.Children = v.childRows(i, o)
		if t := v.MaxChildTimeout(i); t > 0 {
			r.MaxChildTimeout = diag.Some(t)
		}
		if !o.NoNeighbors {
			r.Neighbors = []diag.Neighbor{}
			if !v.lost[i] {
				for _, w := range v.RouterNeighbors(i) {
					r.Neighbors = append(r.Neighbors, w.neighbor())
				}
			}
		}
	} else if w, ok := v.ParentRow(i); ok && o.RouteTable && !o.NoNeighbors {
		r.Neighbors = []diag.Neighbor{w.neighbor()}
	}
	if c, ok := v.Connectivity(i); ok {
		r.Connectivity = diag.Some(diag.Connectivity{
			ParentPriority: c.ParentPriority, LinkQuality3: c.LQ3, LinkQuality2: c.LQ2, LinkQuality1: c.LQ1, LeaderCost: c.LeaderCost,
			IDSequence: c.IDSequence, ActiveRouters: c.ActiveRouters,
			SEDBufferSize: diag.Some(c.SEDBufferSize), SEDDatagramCount: diag.Some(c.SEDDatagramCount),
		})
		r.RouterCount = diag.Some(c.ActiveRouters)
		r.RouteIDSequence = diag.Some(c.IDSequence)
		r.Routes = v.routeRows(i, o)
	}
}

func (v *View) routeRows(i int, o ReportOptions) []diag.Route {
	rows := v.Route64(i)
	out := make([]diag.Route, 0, len(rows))
	for _, w := range rows {
		row := diag.Route{RouterID: w.RouterID, PathCost: diag.Some(w.Cost), LinkQualityIn: diag.Some(w.LQIn), LinkQualityOut: diag.Some(w.LQOut)}
		if o.RouteTable {
			row.ExtAddr, row.NextHop = w.ExtAddr, diag.Some(w.NextHop)
			row.Allocated, row.LinkEstablished = diag.Some(true), diag.Some(w.HasLink)
			if w.HasLink {
				row.Age = diag.Some(w.Age % (256 * time.Second)) // the attribute has eight bits
			}
			if w.Self {
				row.PathCost = diag.Some(uint8(0))
			}
		}
		out = append(out, row)
	}
	return out
}

func (v *View) childRows(i int, o ReportOptions) []diag.Neighbor {
	rows := v.Children(i)
	out := make([]diag.Neighbor, 0, len(rows))
	for k := range rows {
		c := &rows[k]
		w := diag.Neighbor{RLOC16: diag.MakeRLOC16(c.RLOC16), Mode: diag.Some(c.Mode), LinkQualityIn: diag.Some(c.Heard.LQ)}
		if o.ChildTableOnly || v.lost[i] {
			w.Timeout = diag.Some(time.Second << (c.TimeoutExponent() - 4))
			out = append(out, w)
			continue
		}
		w.ExtAddr, w.ThreadVersion = c.ExtAddr, diag.Some(c.ThreadVersion)
		w.Timeout, w.Supervision = diag.Some(c.Timeout), diag.Some(c.Supervision)
		w.AverageRSSI, w.LastRSSI, w.LinkMargin = diag.Some(c.Heard.RSSI), diag.Some(c.Heard.LastRSSI), diag.Some(c.Heard.Margin)
		w.FrameErrorRate, w.MessageErrorRate = diag.Some(c.Heard.FrameError), diag.Some(c.Heard.MessageError)
		w.Age, w.ConnectedFor, w.QueuedMessages, w.CSLSynchronized = diag.Some(c.Age), diag.Some(c.ConnectedFor), diag.Some(uint16(0)), diag.Some(false)
		w.Addresses = v.Registered(c.Node)
		out = append(out, w)
	}
	return out
}

func (w *NeighborRow) neighbor() diag.Neighbor {
	n := diag.Neighbor{
		ExtAddr: w.ExtAddr, RLOC16: diag.MakeRLOC16(w.RLOC16), LinkQualityIn: diag.Some(w.Heard.LQ),
		AverageRSSI: diag.Some(w.Heard.RSSI), LastRSSI: diag.Some(w.Heard.LastRSSI), LinkMargin: diag.Some(w.Heard.Margin),
		FrameErrorRate: diag.Some(w.Heard.FrameError), MessageErrorRate: diag.Some(w.Heard.MessageError),
		Age: diag.Some(w.Age), ConnectedFor: diag.Some(w.ConnectedFor),
	}
	if w.ThreadVersion != 0 {
		n.ThreadVersion = diag.Some(w.ThreadVersion)
	}
	return n
}
