package matter

import (
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/im"
)

// what is the one read that every node gets: the nine paths that each node must
// take in one request (Core 2.11.2), before wildcards are expanded. A second
// request would cost the mesh more messages than the few values of General
// Diagnostics that nobody needs, so that cluster is read whole, and its place
// in the request goes to what the device is.
//
// What these paths leave out: serial numbers and other fabrics' names, which no
// map needs; device types, which are a list for each endpoint.
//
// The mesh goes last: where a table does not fit into what is left of a message,
// nodes send its rows one by one, each with a path of its own, and small values
// after it find no room. In this order a mesh of 50 is read with 4 % fewer
// messages and 7 % fewer octets than in the opposite one.
var what = []im.AttributePath{
	// BatPercentRemaining, on whatever endpoint the battery is; nothing comes from
	// a node without one.
	{Cluster: im.Some(cluster.PowerSource), Attribute: im.Some[uint32](0x000C)},
	im.One(0, cluster.BasicInformation, 0x000A), // SoftwareVersionString
	im.One(0, cluster.BasicInformation, 0x0005), // NodeLabel
	im.One(0, cluster.BasicInformation, 0x0003), // ProductName
	im.One(0, cluster.BasicInformation, 0x0001), // VendorName
	// FeatureMap of Network Commissioning: Thread, Wi-Fi or Ethernet.
	im.One(0, cluster.NetworkCommissioning, 0xFFFC),
	// Whether and how it sleeps; nothing comes from a node that does not. Of
	// RegisteredClients all fabrics' entries count: see request. How long its modes
	// last and what it can do are fixed, and wanted.
	whole(cluster.ICDManagement, 0),
	// Who it is: its interfaces with the extended address on the air and the
	// RLOC16 among the IPv6 addresses, which is all that most devices tell of
	// themselves. And RebootCount, UpTime, BootReason: since when it is up.
	whole(cluster.GeneralDiagnostics, im.SkipFixedAttributes),
	// The mesh: role, tables, network, counters.
	whole(cluster.ThreadNetworkDiagnostics, im.SkipFixedAttributes),
}

// whole is a cluster of endpoint 0, without the lists of what it can do, which
// are as long as a table's row is many times, and what else the flags leave out.
// In the clusters of diagnostics only FeatureMap and ClusterRevision are fixed.
//
// They are wishes (Matter 1.4). The Matter SDK's parser of paths takes the members
// that it knows by their tags, and steps over others: such nodes send all.
func whole(id, flags uint32) im.AttributePath {
	p := im.Whole(0, id)
	p.Flags = im.SkipGlobalAttributes | flags
	return p
}

// elsewhere is the mesh's cluster on any endpoint, for the few nodes that have
// another network on endpoint 0.
var elsewhere = im.AttributePath{Cluster: im.Some(cluster.ThreadNetworkDiagnostics), Flags: im.SkipGlobalAttributes | im.SkipFixedAttributes}

// request reads some paths.
//
// It is not filtered by fabric: how many controllers are registered with a
// sleepy device, those of other fabrics included, decides how it sleeps; the
// node leaves out who they are. It is not filtered by data version either:
// tables and counters change without a new one.
func request(paths []im.AttributePath) im.ReadRequest {
	return im.ReadRequest{Attributes: paths}
}
