package cluster

import (
	"net/netip"

	"threadmap/diag"
)

// Attributes of Thread Network Diagnostics (revision 3; ids never changed).
const (
	threadChannel           = 0x0000
	threadRoutingRole       = 0x0001
	threadNetworkName       = 0x0002
	threadPanID             = 0x0003
	threadExtendedPanID     = 0x0004
	threadMeshLocalPrefix   = 0x0005
	threadNeighborTable     = 0x0007
	threadRouteTable        = 0x0008
	threadPartitionID       = 0x0009
	threadWeighting         = 0x000A
	threadDataVersion       = 0x000B
	threadStableDataVersion = 0x000C
	threadLeaderRouterID    = 0x000D
	threadActiveTimestamp   = 0x0038
	threadExtAddress        = 0x003F
	threadRloc16            = 0x0040
)

// decodeThreadNetworkDiagnostics reads cluster 0x0035. A node that is not
// commissioned to a Thread network has null nearly everywhere; a detached one
// keeps its last values.
func decodeThreadNetworkDiagnostics(r *reader, rep *diag.Report) {
	role(r, rep)
	network(r, &rep.Network)
	leader(r, &rep.Leader)
	if v, known := r.uint(threadExtAddress, "ExtAddress", 1<<64-1); known && v != 0 {
		// Stacks before SDK 1.4.2 send the octets reversed. Which order is right
		// only other witnesses tell.
		rep.Own = append(rep.Own, diag.AddrClaim{ExtAddr: diag.ExtAddr(v), Witness: diag.WitnessAttribute})
	}
	if v, known := r.uint(threadRloc16, "Rloc16", 1<<16-1); known {
		rep.RLOC16 = diag.MakeRLOC16(uint16(v))
	}
	neighborTable(r, rep)
	routeTable(r, rep)
	threadCounters(r, rep)
}

// role maps RoutingRoleEnum.
func role(r *reader, rep *diag.Report) {
	v, known := r.uint(threadRoutingRole, "RoutingRole", 6)
	if !known {
		return
	}
	rep.Role = [...]diag.Role{
		diag.RoleUnknown, diag.RoleDetached, diag.RoleSleepyEndDevice, diag.RoleEndDevice,
		diag.RoleREED, diag.RoleRouter, diag.RoleLeader,
	}[v]
}

func network(r *reader, n *diag.Network) {
	if v, known := r.uint(threadExtendedPanID, "ExtendedPanId", 1<<64-1); known {
		n.ExtPANID = diag.PANID64(v)
	}
	n.Name = r.text(threadNetworkName, "NetworkName")
	if v, known := r.uint(threadPanID, "PanId", 1<<16-1); known && v != 0xffff { // 0xffff: none
		n.PANID = diag.Some(uint16(v))
	}
	if v, known := r.uint(threadChannel, "Channel", 255); known && v != 0 {
		n.Channel = diag.Some(uint8(v))
	}
	if v, known := r.uint(threadActiveTimestamp, "ActiveTimestamp", 1<<64-1); known {
		n.ActiveTimestamp = diag.Some(v)
	}
	val, p := r.value(threadMeshLocalPrefix)
	if !val.Present() {
		return
	}
	b, ok := val.Octets()
	prefix, valid := ipv6Prefix(b)
	if !ok || !valid {
		r.problem("%s MeshLocalPrefix is no IPv6 prefix: left out", p)
		return
	}
	n.MeshLocalPrefix = prefix
}

// ipv6Prefix reads Matter's ipv6pre: the length in bits, then the octets that
// it needs or more. The bare 8 octets of a /64 are taken too.
func ipv6Prefix(b []byte) (netip.Prefix, bool) {
	bits := 64
	if len(b) != 8 {
		if len(b) < 2 || len(b) > 17 {
			return netip.Prefix{}, false
		}
		bits, b = int(b[0]), b[1:]
	}
	if bits == 0 || bits > 128 || len(b) < (bits+7)/8 {
		return netip.Prefix{}, false
	}
	var a [16]byte
	copy(a[:], b)
	p, err := netip.AddrFrom16(a).Prefix(bits)
	return p, err == nil && !p.Addr().IsUnspecified()
}

func leader(r *reader, l *diag.LeaderData) {
	if v, known := r.uint(threadPartitionID, "PartitionId", 1<<32-1); known {
		l.PartitionID = diag.Some(uint32(v))
	}
	if v, known := r.uint(threadWeighting, "Weighting", 255); known {
		l.Weighting = diag.Some(uint8(v))
	}
	if v, known := r.uint(threadDataVersion, "DataVersion", 255); known {
		l.DataVersion = diag.Some(uint8(v))
	}
	if v, known := r.uint(threadStableDataVersion, "StableDataVersion", 255); known {
		l.StableDataVersion = diag.Some(uint8(v))
	}
	if v, known := r.uint(threadLeaderRouterID, "LeaderRouterId", diag.MaxRouterID); known {
		l.RouterID = diag.Some(uint8(v))
	}
}

// full reports whether the node is surely a full Thread device, which has a
// child table. RoutingRole EndDevice may be either, and what the interface
// supports (SupportedThreadFeatures) need not be what it was started as.
func full(rep *diag.Report) bool { return rep.Role.Routes() || rep.Role == diag.RoleREED }
