package cluster

import "threadmap/diag"

const threadOverrunCount = 0x0006

// threadFirstCounter is the attribute id of the first of threadCounterNames;
// they follow each other without a gap up to 0x0037.
const threadFirstCounter = 0x000E

var threadCounterNames = [...]diag.Counter{
	diag.DetachedRoleCount, diag.ChildRoleCount, diag.RouterRoleCount, diag.LeaderRoleCount,
	diag.AttachAttemptCount, diag.PartitionIDChangeCount, diag.BetterPartitionAttachAttemptCount, diag.ParentChangeCount,
	diag.TxTotalCount, diag.TxUnicastCount, diag.TxBroadcastCount, diag.TxAckRequestedCount, diag.TxAckedCount,
	diag.TxNoAckRequestedCount, diag.TxDataCount, diag.TxDataPollCount, diag.TxBeaconCount, diag.TxBeaconRequestCount,
	diag.TxOtherCount, diag.TxRetryCount, diag.TxDirectMaxRetryExpiryCount, diag.TxIndirectMaxRetryExpiryCount,
	diag.TxErrCcaCount, diag.TxErrAbortCount, diag.TxErrBusyChannelCount,
	diag.RxTotalCount, diag.RxUnicastCount, diag.RxBroadcastCount, diag.RxDataCount, diag.RxDataPollCount,
	diag.RxBeaconCount, diag.RxBeaconRequestCount, diag.RxOtherCount, diag.RxAddressFilteredCount,
	diag.RxDestAddrFilteredCount, diag.RxDuplicatedCount, diag.RxErrNoFrameCount, diag.RxErrUnknownNeighborCount,
	diag.RxErrInvalidSrcAddrCount, diag.RxErrSecCount, diag.RxErrFcsCount, diag.RxErrOtherCount,
}

// threadCounters reads the counters (features ERRCNT, MLECNT, MACCNT). What a
// device does not have stays out of the map.
func threadCounters(r *reader, rep *diag.Report) {
	keep := func(attr uint32, name diag.Counter) {
		if v, known := r.uint(attr, string(name), 1<<64-1); known {
			if rep.Counters == nil {
				rep.Counters = map[diag.Counter]uint64{}
			}
			rep.Counters[name] = v
		}
	}
	keep(threadOverrunCount, diag.OverrunCount)
	for i, name := range threadCounterNames {
		keep(threadFirstCounter+uint32(i), name)
	}
}
