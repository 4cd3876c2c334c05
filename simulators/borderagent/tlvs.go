package borderagent

import (
	"net/netip"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/netdiag"
	"threadmap/simulators/mesh"
)

// oldTypes is the last type that an old stack knows.
const oldTypes = netdiag.TypeMaxChildTimeout

// old reports whether node i runs an old stack.
func (n *network) old(i int) bool { return n.o.NoNewTLVs != nil && n.o.NoNewTLVs(n.view.Node(i)) }

// appendTLV appends what node i says for one type, nothing for a type that it
// does not know or has nothing for. agent is the one that asks.
func (n *network) appendTLV(b []byte, i int, typ uint8, agent *Agent) []byte {
	v, x := n.view, n.view.Node(i)
	if typ > oldTypes && n.old(i) {
		return b
	}
	switch typ {
	case netdiag.TypeExtAddress:
		return netdiag.AppendExtAddress(b, x.ExtAddr)
	case netdiag.TypeAddress16:
		return netdiag.AppendAddress16(b, diag.MakeRLOC16(x.RLOC16()))
	case netdiag.TypeMode:
		return netdiag.AppendMode(b, x.Mode)
	case netdiag.TypeTimeout:
		if x.Sleepy() {
			return netdiag.AppendTimeout(b, x.Timeout)
		}
	case netdiag.TypeConnectivity:
		if c, ok := v.Connectivity(i); ok {
			return netdiag.AppendConnectivity(b, diag.Connectivity{
				ParentPriority: c.ParentPriority, LinkQuality3: c.LQ3, LinkQuality2: c.LQ2, LinkQuality1: c.LQ1, LeaderCost: c.LeaderCost,
				IDSequence: c.IDSequence, ActiveRouters: c.ActiveRouters,
				SEDBufferSize: diag.Some(c.SEDBufferSize), SEDDatagramCount: diag.Some(c.SEDDatagramCount),
			})
		}
	case netdiag.TypeRoute64:
		if rows := v.Route64(i); rows != nil {
			r := netdiag.Route64{IDSequence: v.IDSequence(i)}
			for _, w := range rows {
				r.Rows = append(r.Rows, netdiag.Route64Row{RouterID: w.RouterID, LQOut: w.LQOut, LQIn: w.LQIn, Cost: w.Cost})
			}
			return netdiag.AppendRoute64(b, r)
		}
	case netdiag.TypeEnhancedRoute:
		if rows := v.Route64(i); rows != nil {
			return netdiag.AppendEnhancedRoute(b, n.enhanced(i, rows))
		}
	case netdiag.TypeLeaderData:
		p := v.Leader(i)
		return netdiag.AppendLeaderData(b, diag.LeaderData{
			PartitionID: diag.Some(p.ID), Weighting: diag.Some(p.Weighting), DataVersion: diag.Some(p.DataVersion + n.leaderOf(i).changes),
			StableDataVersion: diag.Some(p.StableDataVersion), RouterID: diag.Some(p.Leader),
		})
	case netdiag.TypeNetworkData:
		return netdiag.AppendTLV(b, typ, n.networkData(i))
	case netdiag.TypeIPv6Addresses:
		addrs := v.Addresses(i)
		if s := agent.active; i == agent.self() && s != nil {
			addrs = append([]netip.Addr{n.locator(aloc(s.sid))}, addrs...)
		}
		return netdiag.AppendIPv6Addresses(b, addrs)
	case netdiag.TypeMACCounters:
		return netdiag.AppendMACCounters(b, macCounters(x))
	case netdiag.TypeChildTable:
		if rows := v.Children(i); rows != nil {
			t := make([]netdiag.ChildTableRow, 0, len(rows))
			for k := range rows {
				c := &rows[k]
				t = append(t, netdiag.ChildTableRow{ChildID: c.RLOC16 & diag.MaxChildID, TimeoutExponent: c.TimeoutExponent(), LQIn: c.Heard.LQ, Mode: c.Mode})
			}
			return netdiag.AppendChildTable(b, t)
		}
	case netdiag.TypeChannelPages:
		return netdiag.AppendChannelPages(b, 0)
	case netdiag.TypeMaxChildTimeout:
		if d := v.MaxChildTimeout(i); d > 0 {
			return netdiag.AppendMaxChildTimeout(b, d)
		}
	case netdiag.TypeEUI64:
		if x.EUI64 != 0 {
			return netdiag.AppendEUI64(b, x.EUI64)
		}
	case netdiag.TypeVersion:
		return netdiag.AppendVersion(b, x.ThreadVersion)
	case netdiag.TypeVendorName:
		return netdiag.AppendText(b, typ, x.Vendor)
	case netdiag.TypeVendorModel:
		return netdiag.AppendText(b, typ, x.Model)
	case netdiag.TypeVendorSWVersion:
		return netdiag.AppendText(b, typ, x.Firmware)
	case netdiag.TypeThreadStackVersion:
		return netdiag.AppendText(b, typ, x.Stack)
	case netdiag.TypeMLECounters:
		return netdiag.AppendMLECounters(b, mleCounters(x))
	case netdiag.TypeVendorAppURL:
		return netdiag.AppendText(b, typ, "")
	case netdiag.TypeBRState:
		if x.BorderRouter {
			return netdiag.AppendBRState(b, netdiag.BRRunning)
		}
	case netdiag.TypeBRLocalOMRPrefix:
		if o := v.Mesh().OMRPrefixes; x.BorderRouter && len(o) > 0 {
			return netdiag.AppendPrefix64(b, typ, o[0])
		}
	}
	return b
}

// eachRow calls do for each TLV of one of the lists, the empty one at the end
// included, which a device without such tables gives alone. Minimal devices and
// old stacks give nothing.
func (n *network) eachRow(i int, typ uint8, do func(func([]byte) []byte)) {
	v := n.view
	if n.old(i) || !v.Node(i).Mode.FullThreadDevice {
		return
	}
	switch typ {
	case netdiag.TypeChild:
		for _, c := range v.Children(i) {
			do(func(b []byte) []byte { return netdiag.AppendChild(b, child(&c)) })
		}
	case netdiag.TypeChildIPv6Addresses:
		for _, c := range v.Children(i) {
			if addrs := v.Registered(c.Node); len(addrs) > 0 {
				do(func(b []byte) []byte {
					return netdiag.AppendChildAddresses(b, netdiag.ChildAddresses{RLOC16: diag.MakeRLOC16(c.RLOC16), Addresses: addrs})
				})
			}
		}
	case netdiag.TypeRouterNeighbor:
		for _, w := range v.RouterNeighbors(i) {
			do(func(b []byte) []byte { return netdiag.AppendRouterNeighbor(b, neighbor(&w)) })
		}
	}
	do(func(b []byte) []byte { return netdiag.AppendListEnd(b, typ) })
}

func child(c *mesh.ChildRow) netdiag.Child {
	return netdiag.Child{
		RLOC16: diag.MakeRLOC16(c.RLOC16), ExtAddr: c.ExtAddr, Mode: c.Mode, ErrorRates: true, ThreadVersion: c.ThreadVersion,
		Timeout: c.Timeout, Age: c.Age, ConnectedFor: c.ConnectedFor, Supervision: c.Supervision,
		LinkMargin: c.Heard.Margin, AverageRSSI: c.Heard.RSSI, LastRSSI: c.Heard.LastRSSI,
		FrameErrorRate: c.Heard.FrameError, MessageErrorRate: c.Heard.MessageError,
	}
}

func neighbor(w *mesh.NeighborRow) netdiag.RouterNeighbor {
	return netdiag.RouterNeighbor{
		RLOC16: diag.MakeRLOC16(w.RLOC16), ExtAddr: w.ExtAddr, ErrorRates: true, ThreadVersion: w.ThreadVersion, ConnectedFor: w.ConnectedFor,
		LinkMargin: w.Heard.Margin, AverageRSSI: w.Heard.RSSI, LastRSSI: w.Heard.LastRSSI,
		FrameErrorRate: w.Heard.FrameError, MessageErrorRate: w.Heard.MessageError,
	}
}

// enhanced is TLV 37 of node i: beside a direct link that is used, no next hop;
// otherwise the next hop and what that one says it costs from there.
func (n *network) enhanced(i int, rows []mesh.RouteRow) []netdiag.EnhancedRouteRow {
	v, x := n.view, n.view.Node(i)
	out := make([]netdiag.EnhancedRouteRow, 0, len(rows))
	for _, r := range rows {
		w := netdiag.EnhancedRouteRow{RouterID: r.RouterID, Self: r.Self, HasLink: r.HasLink, LQOut: r.LQOut, LQIn: r.LQIn, NextHop: netdiag.NoNextHop}
		if r.NextHop != netdiag.NoNextHop && r.NextHop != r.RouterID {
			w.NextHop = r.NextHop
			if hop := v.ByRLOC16(x.Partition, uint16(r.NextHop)<<10); hop >= 0 {
				for _, claim := range v.Route64(hop) {
					if claim.RouterID == r.RouterID {
						w.Cost = claim.Cost
					}
				}
			}
		}
		out = append(out, w)
	}
	return out
}

// networkData is TLV 7 of node i, with the commissioner's data as they are now
// (Thread 8.4.3). A device that keeps stable data only does not have those.
func (n *network) networkData(i int) []byte {
	b := n.view.NetworkData(n.view.Node(i).Partition)
	const commissioning = 4 << 1
	if len(b) >= 2 && b[0] == commissioning && len(b) >= 2+int(b[1]) {
		b = b[2+int(b[1]):]
	}
	l := n.leaderOf(i)
	if !n.view.Node(i).Mode.FullNetworkData || !l.ever {
		return b
	}
	data := l.data(time.Now())
	data = append([]byte{commissioning, byte(len(data))}, data...)
	if l.active(time.Now()) {
		return append(b, data...) // in these places, as captured
	}
	return append(data, b...)
}

// data is the commissioning dataset: who is the commissioner's border agent,
// its session, the steering data; of a commissioner that has gone, the session.
func (l *leader) data(now time.Time) []byte {
	if !l.ever {
		return nil
	}
	id := netdiag.AppendTLV(nil, mcSessionID, be16(l.session))
	if !l.active(now) {
		return id
	}
	b := netdiag.AppendTLV(nil, mcBorderAgentLocator, be16(l.border))
	return netdiag.AppendTLV(append(b, id...), mcSteering, l.steering)
}
