package doctor

import (
	"threadmap/diag"
	"threadmap/topology"
)

// leastFrames is how many frames must have been sent for a share of them to mean
// anything.
const leastFrames = 1000

// sent is the newest report of n with that counter and enough frames sent.
func (c *Case) sent(n *topology.Node, k diag.Counter) *diag.Report {
	r := latest(n, func(r *diag.Report) bool {
		_, told := r.Counters[k]
		return told && r.Counters[diag.TxTotalCount] >= leastFrames
	})
	if r == nil || !c.fresh(r.At) {
		return nil
	}
	return r
}

// percent of total, rounded down; total is not zero.
func percent(part, total uint64) uint64 {
	if part > 1<<48 {
		return part / max(total/100, 1)
	}
	return part * 100 / total
}
