package cluster

import (
	"time"

	"threadmap/diag"
)

// Fields of NeighborTableStruct.
const (
	neighborExtAddress = iota
	neighborAge
	neighborRloc16
	neighborLinkFrameCounter
	neighborMleFrameCounter
	neighborLQI
	neighborAverageRssi
	neighborLastRssi
	neighborFrameErrorRate
	neighborMessageErrorRate
	neighborRxOnWhenIdle
	neighborFullThreadDevice
	neighborFullNetworkData
	neighborIsChild
)

// neighborTable reads NeighborTable (0x0007): rows with IsChild are the child
// table, others the routers that a full device hears, or the parent of an MTD.
// An MTD has no child table, so its Children stay unknown, as do those of a node
// that may be one and shows none.
func neighborTable(r *reader, rep *diag.Report) {
	val, p := r.value(threadNeighborTable)
	table := p.String() + " NeighborTable"
	rows := r.list(val, maxRows, table)
	if rows == nil {
		return
	}
	rep.Neighbors = []diag.Neighbor{}
	if full(rep) {
		rep.Children = []diag.Neighbor{}
	}
	for i, row := range rows {
		if row.Kind() != KindStruct {
			r.problem("%s row %d is no struct: skipped", table, i+1)
			continue
		}
		n, ok := neighbor(r, row, table, i)
		if !ok {
			continue
		}
		child, known := row.Field(neighborIsChild).Bool()
		if !known {
			r.problem("%s row %d: IsChild is missing: skipped, since it can't be said whether it is a child or a neighbor", table, i+1)
			continue
		}
		if child {
			rep.Children = append(rep.Children, n)
		} else {
			rep.Neighbors = append(rep.Neighbors, n)
		}
	}
}

// neighbor reads a row. ok is false for one that names nobody.
func neighbor(r *reader, row Value, table string, i int) (n diag.Neighbor, ok bool) {
	if v, known := r.rowNumber(row, neighborExtAddress, 1<<64-1, table, i, "ExtAddress"); known {
		n.ExtAddr = diag.ExtAddr(v)
	}
	if v, known := r.rowNumber(row, neighborRloc16, 1<<16-1, table, i, "Rloc16"); known {
		n.RLOC16 = diag.MakeRLOC16(uint16(v))
	}
	if n.ExtAddr == 0 && !n.RLOC16.Known() {
		r.problem("%s row %d has neither ExtAddress nor Rloc16: skipped", table, i+1)
		return n, false
	}
	if v, known := r.rowNumber(row, neighborAge, 1<<32-1, table, i, "Age"); known {
		n.Age = diag.Some(time.Duration(v) * time.Second)
	}
	if v, known := r.rowNumber(row, neighborLinkFrameCounter, 1<<32-1, table, i, "LinkFrameCounter"); known {
		n.LinkFrameCounter = diag.Some(uint32(v))
	}
	if v, known := r.rowNumber(row, neighborMleFrameCounter, 1<<32-1, table, i, "MleFrameCounter"); known {
		n.MLEFrameCounter = diag.Some(uint32(v))
	}
	// The data model allows 0..255, but what is sent is Thread's link quality
	// 0..3. A larger number is on a scale that is not known.
	if v, known := r.rowNumber(row, neighborLQI, 3, table, i, "LQI"); known {
		n.LinkQualityIn = diag.Some(uint8(v))
	}
	n.AverageRSSI = rssi(r, row.Field(neighborAverageRssi))
	n.LastRSSI = rssi(r, row.Field(neighborLastRssi))
	if v, known := r.rowNumber(row, neighborFrameErrorRate, 100, table, i, "FrameErrorRate"); known {
		n.FrameErrorRate = diag.Some(diag.RateFromPercent(v))
	}
	if v, known := r.rowNumber(row, neighborMessageErrorRate, 100, table, i, "MessageErrorRate"); known {
		n.MessageErrorRate = diag.Some(diag.RateFromPercent(v))
	}
	rx, ok1 := row.Field(neighborRxOnWhenIdle).Bool()
	ftd, ok2 := row.Field(neighborFullThreadDevice).Bool()
	data, ok3 := row.Field(neighborFullNetworkData).Bool()
	if ok1 && ok2 && ok3 {
		n.Mode = diag.Some(diag.Mode{RxOnWhenIdle: rx, FullThreadDevice: ftd, FullNetworkData: data})
	}
	return n, true
}

// rssi reads dBm. Null is "no sample"; some builds leak OpenThread's own word
// for that, 127, and no receiver hears more than 0 dBm.
func rssi(r *reader, val Value) diag.Opt[int8] {
	v, ok := val.Int()
	if !ok || v < -128 || v > 0 {
		return diag.Opt[int8]{}
	}
	return diag.Some(int8(v))
}
