package canary

import (
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/im"
)

// Ids of the Matter data model, 1.6.
const (
	clusterSwitch = 0x003B
	clusterICD    = cluster.ICDManagement

	rebootCount   = 0x0001
	upTime        = 0x0002
	bootReason    = 0x0004
	operatingMode = 0x0008

	eventStartUp    = 0
	eventShutDown   = 1
	eventLeave      = 2
	eventBootReason = 3

	registerClient   = 0
	unregisterClient = 2
	permanentClient  = 0
)

// What the device is asked for as the longest time between two reports, in
// seconds. One that sleeps chooses its own, mostly how long it is idle.
const (
	ceilingSIT = 1200
	ceilingLIT = 3600
)

// whole is what a new canary wants to know, besides what it subscribes to; nine
// paths are what every device takes in one request. Names, rooms and serial numbers are not among them.
var whole = []im.AttributePath{
	im.One(0, cluster.GeneralDiagnostics, rebootCount),
	im.One(0, cluster.GeneralDiagnostics, upTime),
	icdPath(),
	im.One(0, cluster.OperationalCredentials, 0x0001), // Fabrics, SupportedFabrics, CommissionedFabrics
	im.One(0, cluster.OperationalCredentials, 0x0002),
	im.One(0, cluster.OperationalCredentials, 0x0003),
	im.One(0, cluster.BasicInformation, 0x0001), // VendorName, ProductName, SoftwareVersionString
	im.One(0, cluster.BasicInformation, 0x0003),
	im.One(0, cluster.BasicInformation, 0x000A),
}

func icdPath() im.AttributePath {
	p := im.Whole(0, clusterICD)
	p.Flags = im.SkipAttributeList | im.SkipCommandLists
	return p
}

// attributePaths are subscribed to: what tells a restart from a lost session,
// and dates it. UpTime changes without a report.
func attributePaths(longIdle bool) []im.AttributePath {
	paths := []im.AttributePath{
		im.One(0, cluster.GeneralDiagnostics, rebootCount),
		im.One(0, cluster.GeneralDiagnostics, upTime),
		im.One(0, cluster.GeneralDiagnostics, bootReason),
	}
	if longIdle {
		paths = append(paths, im.One(0, clusterICD, operatingMode))
	}
	return paths
}

// eventPaths are presses of switches, starts and stops, and their reasons, the
// most wanted first. A press is urgent: it is to come when it happens.
func eventPaths() []im.EventPath {
	zero := im.Some[uint16](0)
	return []im.EventPath{
		{Cluster: im.Some[uint32](clusterSwitch), Urgent: true},
		{Endpoint: zero, Cluster: im.Some(cluster.BasicInformation)},
		{Endpoint: zero, Cluster: im.Some(cluster.GeneralDiagnostics), Event: im.Some[uint32](eventBootReason)},
	}
}
