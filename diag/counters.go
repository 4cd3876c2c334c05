package diag

// Counters of Matter cluster 0x0035 (features MLECNT and MACCNT; Core
// 11.14.6), since boot. 16-bit ones wrap. TMF TLV 34 gives the MLE counters too.
const (
	DetachedRoleCount                 Counter = "DetachedRoleCount"
	ChildRoleCount                    Counter = "ChildRoleCount"
	RouterRoleCount                   Counter = "RouterRoleCount"
	LeaderRoleCount                   Counter = "LeaderRoleCount"
	AttachAttemptCount                Counter = "AttachAttemptCount"
	PartitionIDChangeCount            Counter = "PartitionIdChangeCount"
	BetterPartitionAttachAttemptCount Counter = "BetterPartitionAttachAttemptCount"
	ParentChangeCount                 Counter = "ParentChangeCount"

	TxTotalCount                  Counter = "TxTotalCount"
	TxUnicastCount                Counter = "TxUnicastCount"
	TxBroadcastCount              Counter = "TxBroadcastCount"
	TxAckRequestedCount           Counter = "TxAckRequestedCount"
	TxAckedCount                  Counter = "TxAckedCount"
	TxNoAckRequestedCount         Counter = "TxNoAckRequestedCount"
	TxDataCount                   Counter = "TxDataCount"
	TxDataPollCount               Counter = "TxDataPollCount"
	TxBeaconCount                 Counter = "TxBeaconCount"
	TxBeaconRequestCount          Counter = "TxBeaconRequestCount"
	TxOtherCount                  Counter = "TxOtherCount"
	TxRetryCount                  Counter = "TxRetryCount"
	TxDirectMaxRetryExpiryCount   Counter = "TxDirectMaxRetryExpiryCount"
	TxIndirectMaxRetryExpiryCount Counter = "TxIndirectMaxRetryExpiryCount"
	TxErrCcaCount                 Counter = "TxErrCcaCount"
	TxErrAbortCount               Counter = "TxErrAbortCount"
	TxErrBusyChannelCount         Counter = "TxErrBusyChannelCount"
	RxTotalCount                  Counter = "RxTotalCount"
	RxUnicastCount                Counter = "RxUnicastCount"
	RxBroadcastCount              Counter = "RxBroadcastCount"
	RxDataCount                   Counter = "RxDataCount"
	RxDataPollCount               Counter = "RxDataPollCount"
	RxBeaconCount                 Counter = "RxBeaconCount"
	RxBeaconRequestCount          Counter = "RxBeaconRequestCount"
	RxOtherCount                  Counter = "RxOtherCount"
	RxAddressFilteredCount        Counter = "RxAddressFilteredCount"
	RxDestAddrFilteredCount       Counter = "RxDestAddrFilteredCount"
	RxDuplicatedCount             Counter = "RxDuplicatedCount"
	RxErrNoFrameCount             Counter = "RxErrNoFrameCount"
	RxErrUnknownNeighborCount     Counter = "RxErrUnknownNeighborCount"
	RxErrInvalidSrcAddrCount      Counter = "RxErrInvalidSrcAddrCount"
	RxErrSecCount                 Counter = "RxErrSecCount"
	RxErrFcsCount                 Counter = "RxErrFcsCount"
	RxErrOtherCount               Counter = "RxErrOtherCount"
	OverrunCount                  Counter = "OverrunCount"
)

// Counters of Network Diagnostic TLV 9 (interface counters, RFC 2863 words) and
// the rest of TLV 34.
const (
	IfInUnknownProtos  Counter = "IfInUnknownProtos"
	IfInErrors         Counter = "IfInErrors"
	IfOutErrors        Counter = "IfOutErrors"
	IfInUcastPkts      Counter = "IfInUcastPkts"
	IfInBroadcastPkts  Counter = "IfInBroadcastPkts"
	IfInDiscards       Counter = "IfInDiscards"
	IfOutUcastPkts     Counter = "IfOutUcastPkts"
	IfOutBroadcastPkts Counter = "IfOutBroadcastPkts"
	IfOutDiscards      Counter = "IfOutDiscards"

	DisabledRoleCount Counter = "DisabledRoleCount"
	TrackedMillis     Counter = "TrackedMillis" // MLE times, milliseconds
	DisabledMillis    Counter = "DisabledMillis"
	DetachedMillis    Counter = "DetachedMillis"
	ChildMillis       Counter = "ChildMillis"
	RouterMillis      Counter = "RouterMillis"
	LeaderMillis      Counter = "LeaderMillis"
)
