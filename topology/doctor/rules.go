package doctor

// Rules are all rules, in the order of the documentation.
var Rules = []Rule{
	// The network as a whole.
	separateNetworks,
	splitPartition,
	leaderFlapping,
	severalPrefixes,
	unpublishedPrefix,
	busyChannel,
	threadVersions,
	commissionerRole,
	// Border routers.
	oneBorderRouter,
	borderRouterSettings,
	silentBorderRouter,
	oldAddress,
	// Routers and the ways over them.
	silentRouter,
	noWayOut,
	singlePointOfFailure,
	lonelyRouter,
	weakRouter,
	oneWayLink,
	dyingLink,
	fewRouters,
	routerLimit,
	fullParent,
	lostWithParent,
	// Devices.
	orphan,
	staleRecord,
	missingRecord,
	stuck,
	weakLink,
	betterParent,
	lossyLink,
	parentHopping,
	manyRetries,
	lowBattery,
	addressConflict,
	firmwareMix,
}
