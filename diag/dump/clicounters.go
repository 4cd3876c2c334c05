package dump

import (
	"slices"
	"strconv"

	"threadmap/diag"
)

// counters reads "counters mac" and "counters mle", whose names are those of
// Matter but for a word.
func (c *cli) counters() {
	c.pairs(func(key, v string) {
		name, ok := cliCounters[key]
		if !ok {
			name, ok = macCounter(key)
		}
		n, err := strconv.ParseUint(v, 10, 64)
		if !ok || err != nil {
			return
		}
		if c.me.rep.Counters == nil {
			c.me.rep.Counters = map[diag.Counter]uint64{}
		}
		c.me.rep.Counters[name] = n
		c.me.used, c.found = true, true
	})
}

var cliCounters = map[string]diag.Counter{
	"Role Disabled":                    diag.DisabledRoleCount,
	"Role Detached":                    diag.DetachedRoleCount,
	"Role Child":                       diag.ChildRoleCount,
	"Role Router":                      diag.RouterRoleCount,
	"Role Leader":                      diag.LeaderRoleCount,
	"Attach Attempts":                  diag.AttachAttemptCount,
	"Partition Id Changes":             diag.PartitionIDChangeCount,
	"Better Partition Attach Attempts": diag.BetterPartitionAttachAttemptCount,
	"Parent Changes":                   diag.ParentChangeCount,
	"Time Tracked Milli":               diag.TrackedMillis,
	"Time Disabled Milli":              diag.DisabledMillis,
	"Time Detached Milli":              diag.DetachedMillis,
	"Time Child Milli":                 diag.ChildMillis,
	"Time Router Milli":                diag.RouterMillis,
	"Time Leader Milli":                diag.LeaderMillis,
	"RxErrNoUnknownNeighbor":           diag.RxErrUnknownNeighborCount,
}

var macCounters = []diag.Counter{
	diag.TxTotalCount, diag.TxUnicastCount, diag.TxBroadcastCount, diag.TxAckRequestedCount, diag.TxAckedCount,
	diag.TxNoAckRequestedCount, diag.TxDataCount, diag.TxDataPollCount, diag.TxBeaconCount, diag.TxBeaconRequestCount,
	diag.TxOtherCount, diag.TxRetryCount, diag.TxDirectMaxRetryExpiryCount, diag.TxIndirectMaxRetryExpiryCount,
	diag.TxErrCcaCount, diag.TxErrAbortCount, diag.TxErrBusyChannelCount, diag.RxTotalCount, diag.RxUnicastCount,
	diag.RxBroadcastCount, diag.RxDataCount, diag.RxDataPollCount, diag.RxBeaconCount, diag.RxBeaconRequestCount,
	diag.RxOtherCount, diag.RxAddressFilteredCount, diag.RxDestAddrFilteredCount, diag.RxDuplicatedCount,
	diag.RxErrNoFrameCount, diag.RxErrUnknownNeighborCount, diag.RxErrInvalidSrcAddrCount, diag.RxErrSecCount,
	diag.RxErrFcsCount, diag.RxErrOtherCount,
}

func macCounter(key string) (diag.Counter, bool) {
	name := diag.Counter(key + "Count")
	return name, slices.Contains(macCounters, name)
}
