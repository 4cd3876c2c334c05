package otbr

import (
	"encoding/hex"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// networkDiagnostics is what node i answers to a question for types, in
// generation 3's words and order. lost empties the lists that come in messages
// of their own.
func networkDiagnostics(v *mesh.View, i int, types map[string]bool, lost bool) object {
	n := v.Node(i)
	var d object
	put := func(asked, key string, value any) {
		if types[asked] {
			d = append(d, field{key, value})
		}
	}
	put("extAddress", "extAddress", n.ExtAddr.String())
	put("rloc16", "rloc16", rloc16(n.RLOC16()))
	if n.IsRouter() {
		put("rloc16", "routerId", n.RouterID)
	}
	put("mode", "mode", mode(n.Mode))
	if n.Sleepy() {
		put("timeout", "timeout", seconds(n.Timeout))
	}
	if c, ok := v.Connectivity(i); ok {
		put("connectivity", "connectivity", object{
			{"parentPriority", c.ParentPriority}, {"linkQuality3", c.LQ3}, {"linkQuality2", c.LQ2}, {"linkQuality1", c.LQ1}, {"leaderCost", c.LeaderCost},
			{"idSequence", c.IDSequence}, {"activeRouters", c.ActiveRouters}, {"sedBufferSize", c.SEDBufferSize}, {"sedDatagramCount", c.SEDDatagramCount},
		})
		routes := []object{}
		for _, r := range v.Route64(i) {
			routes = append(routes, object{{"routeId", r.RouterID}, {"linkQualityOut", r.LQOut}, {"linkQualityIn", r.LQIn}, {"routeCost", r.Cost}})
		}
		put("route", "route", object{{"idSequence", c.IDSequence}, {"routeData", routes}})
	}
	put("leaderData", "leaderData", leaderData(v.Leader(i)))
	put("networkData", "networkData", hex.EncodeToString(v.NetworkData(n.Partition)))
	put("ipv6Addresses", "ipv6Addresses", texts(v, i))
	put("macCounters", "macCounters", macCounters(n))
	if n.IsRouter() {
		put("childTable", "childTable", childTable(v, i))
	}
	put("channelPages", "channelPages", "00")
	if t := v.MaxChildTimeout(i); n.IsRouter() && t > 0 {
		put("maxChildTimeout", "maxChildTimeout", seconds(t))
	}
	if n.EUI64 != 0 {
		put("eui", "eui", n.EUI64.String())
	}
	put("threadVersion", "threadVersion", n.ThreadVersion)
	put("vendorName", "vendorName", n.Vendor)
	put("vendorModel", "vendorModel", n.Model)
	put("vendorSwVersion", "vendorSwVersion", n.Firmware)
	put("threadStackVersion", "threadStackVersion", n.Stack)
	put("mleCounters", "mleCounters", mleCounters(v, i))
	if n.IsRouter() {
		put("children", "children", children(v, i, lost))
		put("childIpv6Addresses", "childIpv6Addresses", childAddresses(v, i, lost))
		put("routerNeighbors", "routerNeighbors", routerNeighbors(v, i, lost))
	}
	// These are read out of the addresses.
	leader := v.Role(i) == diag.RoleLeader
	first := n.BorderRouter && !v.Mesh().NoServices && v.BorderRouters(n.Partition)[0] == i
	put("ipv6Addresses", "isLeader", leader)
	put("ipv6Addresses", "hostsService", first)
	put("ipv6Addresses", "isPrimaryBBR", first)
	put("ipv6Addresses", "isBorderRouter", n.BorderRouter)
	return d
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func mode(m diag.Mode) object {
	return object{{"rxOnWhenIdle", m.RxOnWhenIdle}, {"fullThreadDevice", m.FullThreadDevice}, {"fullNetworkData", m.FullNetworkData}}
}

func texts(v *mesh.View, i int) []string {
	out := []string{}
	for _, a := range v.Addresses(i) {
		out = append(out, a.String())
	}
	return out
}

func childTable(v *mesh.View, i int) []object {
	out := []object{}
	rows := v.Children(i)
	for k := range rows {
		c := &rows[k]
		out = append(out, object{{"childId", c.RLOC16 & 0x1ff}, {"timeout", c.TimeoutExponent()}, {"linkQuality", c.Heard.LQ}, {"mode", mode(c.Mode)}})
	}
	return out
}

func children(v *mesh.View, i int, lost bool) []object {
	out := []object{}
	if lost {
		return out
	}
	for _, c := range v.Children(i) {
		row := object{
			{"rxOnWhenIdle", c.Mode.RxOnWhenIdle}, {"fullThreadDevice", c.Mode.FullThreadDevice}, {"fullNetworkData", c.Mode.FullNetworkData},
			{"cslSynchronized", false}, {"supportsErrorRate", true}, {"rloc16", rloc16(c.RLOC16)}, {"childId", c.RLOC16 & 0x1ff},
			{"extAddress", c.ExtAddr.String()}, {"threadVersion", c.ThreadVersion}, {"timeout", seconds(c.Timeout)}, {"age", seconds(c.Age)},
			{"linkAge", seconds(c.ConnectedFor)},
		}
		if c.Supervision > 0 {
			row = append(row, field{"supervisionInterval", seconds(c.Supervision)})
		}
		out = append(out, append(append(row, heard(c.Heard)...), field{"queuedMessageCount", 0}))
	}
	return out
}

func heard(d mesh.Direction) object {
	return object{
		{"linkMargin", d.Margin}, {"averageRssi", d.RSSI}, {"lastRssi", d.LastRSSI},
		{"frameErrorRate", share(d.FrameError) / 65535}, {"messageErrorRate", share(d.MessageError) / 65535},
	}
}

func childAddresses(v *mesh.View, i int, lost bool) []object {
	out := []object{}
	if lost {
		return out
	}
	for _, c := range v.Children(i) {
		list := []string{}
		for _, a := range v.Registered(c.Node) {
			list = append(list, a.String())
		}
		if len(list) > 0 {
			out = append(out, object{{"rloc16", rloc16(c.RLOC16)}, {"ipv6Addresses", list}})
		}
	}
	return out
}

func routerNeighbors(v *mesh.View, i int, lost bool) []object {
	out := []object{}
	if lost {
		return out
	}
	for _, r := range v.RouterNeighbors(i) {
		row := object{
			{"supportsErrorRate", true}, {"rloc16", rloc16(r.RLOC16)}, {"extAddress", r.ExtAddr.String()}, {"threadVersion", r.ThreadVersion},
			{"linkAge", seconds(r.ConnectedFor)},
		}
		out = append(out, append(row, heard(r.Heard)...))
	}
	return out
}

// mleCounters are those of a node that attached once and stayed, an hour ago.
func mleCounters(v *mesh.View, i int) object {
	child, router, leader := 1, 0, 0
	hour := int64(time.Hour / time.Millisecond)
	times := [3]int64{hour, 0, 0}
	switch r := v.Role(i); {
	case r == diag.RoleLeader:
		router, leader, times = 1, 1, [3]int64{546, 1000, hour - 1546}
	case r == diag.RoleRouter:
		router, times = 1, [3]int64{546, hour - 546, 0}
	}
	return object{
		{"radioDisabledCount", 0}, {"detachedRoleCount", 1}, {"childRoleCount", child}, {"routerRoleCount", router}, {"leaderRoleCount", leader},
		{"attachAttemptsCount", 1}, {"partIdChangesCount", 1}, {"betterPartIdAttachAttemptsCount", 0}, {"newParentCount", 0},
		{"totalTrackingTime", hour + 3286}, {"radioDisabledTime", 0}, {"detachedRoleTime", 3286},
		{"childRoleTime", times[0]}, {"routerRoleTime", times[1]}, {"leaderRoleTime", times[2]},
	}
}
